package connector

import (
	"regexp"
	"strings"
	"sync"
	"testing"
)

// What is said to be durable has been synced before anything relies on it: the file
// before it gets its name, the folder after, and only then the ledger. When the power
// fails, what was not synced may be gone, in any order. The steps are those of the
// real folders, in the order in which they happen; a folder that was new is synced into
// the one it lies in.
func TestDurableBeforeAnythingReliesOnIt(t *testing.T) {
	w := newStill(t, func(text string) string { // one at a time, so that the order is that of one protocol and not of two
		return strings.Replace(text, "    limits: {", "    concurrency: {uploads: 1, creates: 1, downloads: 1}\n    limits: {", 1)
	})
	var mu sync.Mutex // some work is done side by side
	var steps []string
	w.opts.Step = func(name string) error {
		mu.Lock()
		defer mu.Unlock()
		steps = append(steps, name)
		return nil
	}
	w.mixedDrop()
	w.untilClosed(2)
	all := strings.Join(steps, " ") + " "
	const (
		news    = `(folder\.made folder\.safe )*`
		publish = news + `folder\.created folder\.written folder\.synced folder\.renamed folder\.safe `
		commit  = `ledger\.commit:before ledger\.commit:after `
	)
	for what, want := range map[string]string{
		"claim": `ingest\.manifest:before ` + publish + `(folder\.safe )+ingest\.manifest:after ` +
			`ingest\.claim:before ` + news + `folder\.renamed folder\.safe folder\.safe ingest\.claim:after `,
		"private copy":              `ingest\.spool:before ` + publish + `ingest\.spool:after `,
		"batch":                     `ingest\.copied:before ` + publish + `ingest\.copied:after ingest\.begin:before ` + commit + `ingest\.begin:after `,
		"archive":                   `ingest\.archive:before ` + news + `folder\.renamed ingest\.archive:after `,
		"archived":                  `ingest\.record:before ` + publish + `(folder\.safe )+ingest\.record:after ingest\.archived:before ` + commit,
		"outcome":                   `outbox\.outcome\.publish:before ` + publish + `outbox\.outcome\.publish:after outbox\.outcome\.commit:before ` + commit,
		"numbered intent":           `outbox\.sequence\.intent:before ` + commit + `outbox\.sequence\.intent:after outbox\.sequence\.mark:before ` + publish,
		"numbered":                  `outbox\.sequence\.publish:before ` + publish + `outbox\.sequence\.publish:after outbox\.sequence\.commit:before ` + commit,
		"legal fact":                `progress\.spool:before progress\.spool:after progress\.safe:after progress\.download:after ` + commit,
		"document placed":           `outbox\.document\.place:before ` + publish + `outbox\.document\.place:after `,
		"intent before the request": `ledger\.commit:after submit\.create:before `,
		"generation":                `ledger\.generation:before ledger\.beside ledger\.generation:after `,
	} {
		if !regexp.MustCompile(want).MatchString(all) {
			first, _, _ := strings.Cut(strings.TrimPrefix(want, news), " ")
			at := max(0, strings.Index(all, strings.ReplaceAll(first, `\`, "")))
			t.Errorf("%s: not in the order %s, but\n%s", what, want, all[at:min(len(all), at+600)])
		}
	}
	// Whatever the protocol: no file gets its name before it is synced, and no commit
	// comes while a name is not.
	written, named := false, 0
	for i, step := range steps {
		switch step {
		case "folder.written":
			written = true
		case "folder.synced":
			written = false
		case "folder.renamed", "folder.made":
			if written {
				t.Errorf("step %d: %s before its content is on the disk", i, step)
			}
			named = i + 1
		case "folder.safe":
			named = 0
		case "ledger.commit:before":
			if named > 0 {
				t.Errorf("step %d: a commit after %s of step %d, which no sync made last: %v", i, steps[named-1], named-1, steps[max(0, i-12):i+1])
			}
		}
	}
}
