package connector

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"

	"sendconnector/internal/ingest/reader"
	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
)

// ProfileReport is what a profile makes of an export, judged by every rule but those
// that need a sender, documents or the ledger.
type ProfileReport struct {
	Profile       string                `json:"profile"`
	File          string                `json:"file,omitempty"`
	Rows          int                   `json:"rows"`
	Notifications int                   `json:"notifications"`
	WithErrors    int                   `json:"with_errors"`
	Unreadable    *notification.Problem `json:"unreadable,omitempty"`
	Problems      []ProblemCount        `json:"problems"`
}

// ProblemCount is one kind of problem and how often it occurs.
type ProblemCount struct {
	notification.Problem
	Count    int `json:"count"`
	FirstRow int `json:"first_row"`
}

// anySender is a sound tax code that stands for the sender, which the configuration
// would give.
const anySender = "12345678903"

// CheckProfile loads a profile and tries it on a file ("" = on none). Mistakes of
// the profile, also against the file's heading, are yamldoc.Errors. sender is the tax code of
// the body that would send; "" = not known.
func CheckProfile(ctx context.Context, profile, file, lang, sender string) (*ProfileReport, error) {
	p, err := mapping.Load(profile)
	if err != nil {
		return nil, profileError(err)
	}
	report := &ProfileReport{Profile: profile, File: file, Problems: []ProblemCount{}}
	if file == "" {
		return report, nil
	}
	if info, err := os.Stat(file); err != nil {
		return nil, usage("%v", err)
	} else if info.IsDir() {
		return nil, usage("%s is a folder, not an export", file)
	}
	f, err := reader.Open(file, p.Reads())
	if err == nil {
		defer f.Close()
		var m *mapping.Mapper
		m, err = p.Compile(f.Heading(), mapping.Defaults{Lang: notification.Lang(lang), SenderTaxID: cmp.Or(sender, anySender), SenderDenomination: "Ente"})
		if err != nil {
			return nil, err
		}
		err = report.count(ctx, m.Drafts(f.Rows(), func() (mapping.Rows, error) { return f.Rows(), nil }), notification.Lang(lang))
	}
	if sender == "" {
		report.hideSender(notification.Lang(lang))
	}
	if problem, ok := unreadable(err, notification.Lang(lang)); ok {
		report.Unreadable = problem
		return report, nil
	}
	return report, err
}

// hideSender takes the body that stands for the sender out of what is read: nobody has
// written it anywhere.
func (r *ProfileReport) hideSender(lang notification.Lang) {
	word := "mittente"
	if lang == notification.English {
		word = "that sends"
	}
	for i := range r.Problems {
		r.Problems[i].Message = strings.ReplaceAll(r.Problems[i].Message, anySender, word)
	}
}

// profileError gives a profile that cannot be read the exit code of a usage error.
func profileError(err error) error {
	if list, ok := asMistakes(err); ok {
		return list
	}
	return usage("%v", err)
}

func (r *ProfileReport) count(ctx context.Context, drafts func(func(*mapping.Draft, error) bool), lang notification.Lang) error {
	kinds := map[[2]string]*ProblemCount{}
	rules := notification.DefaultRules()
	rules.Lang = lang
	for d, err := range drafts {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if d.Request != nil {
			d.Attach(notification.Validate(d.Request, rules))
		}
		r.Notifications++
		if d.Stopped() {
			r.WithErrors++
		}
		for i, row := range d.Rows {
			r.Rows++
			for _, p := range d.RowProblems(i) {
				key := [2]string{p.Code, p.Field}
				if kinds[key] == nil {
					kinds[key] = &ProblemCount{Problem: p, FirstRow: row.Row.Number}
				}
				kinds[key].Count++
			}
		}
	}
	for _, k := range kinds {
		r.Problems = append(r.Problems, *k)
	}
	slices.SortFunc(r.Problems, func(a, b ProblemCount) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code))
	})
	return nil
}
