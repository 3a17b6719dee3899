package ingest

import (
	"path"
	"strings"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// Flow is one drop and how its files are taken. It is not changed while in use.
type Flow struct {
	Name        string
	Sender      string // name in the configuration
	SenderTaxID string
	Environment string // as in ledger.Key
	Outbox      string
	Lang        notification.Lang // of the texts for people; "" = Italian

	Folder folder.Folder // root of the flow
	// Names of folders below the root; "" = "in", "work", "archive", "rejected".
	In, Work, Archive, Rejected string

	// Match are the globs of the exports' names, upper and lower case alike. One
	// without a slash is held against the name at any depth below in/, one with a
	// slash against the whole path. None = *.csv, *.xlsx, *.jsonl.
	Match []string
	// Settle is how long size and time must not change, counted from when we first
	// saw them. 0 = as soon as it is seen.
	Settle time.Duration
	// DoneSuffix, e.g. ".ok", asks for a done-file beside each export; "" = none.
	DoneSuffix string
	// DocumentsDir is a folder below the root where documents are looked for when
	// they do not lie beside the export; always copied, never taken. "" = none.
	DocumentsDir string
	// Take moves documents from in/ to the archive; otherwise they are copied.
	Take bool
	// DocumentsDeadline is how long an export waits for the documents it names,
	// counted from when we first saw it as it is.
	DocumentsDeadline time.Duration
	// OnMissingFile rejects the whole file when documents are missing after the
	// deadline, in place of the rows that name them.
	OnMissingFile bool
	// Exclusive says that nobody else reads this drop, and that in/ and work/ do not
	// allow rename between them: the claim is a manifest in the data folder.
	Exclusive bool

	Release     GateConfig
	Profile     []byte // as it is now; a claimed batch is read with the copy in its manifest
	ProfileName string
}

// GateMode is who lets a sealed batch go (rule 19).
type GateMode string

// The modes of the release gate. File and command both wait for a person; either
// way releases either.
const (
	GateAuto    GateMode = "auto"
	GateFile    GateMode = "file"
	GateCommand GateMode = "command"
)

// GateConfig is the release gate of a flow.
type GateConfig struct {
	Mode  GateMode      // "" = auto
	Delay time.Duration // how long an automatic release waits, so that a person can stop it
	Max   int           // new notifications of one drop that pass without a person; 0 = 1,000; negative = any number
}

// ReleaseSuffix is the ending of a file that releases the batch of the export whose
// name stands before it (rule 19).
const ReleaseSuffix = ".invia"

func (f *Flow) in() string       { return or(f.In, "in") }
func (f *Flow) work() string     { return or(f.Work, "work") }
func (f *Flow) archive() string  { return or(f.Archive, "archive") }
func (f *Flow) rejected() string { return or(f.Rejected, "rejected") }

func or(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

func (f *Flow) patterns() []string {
	if len(f.Match) == 0 {
		return []string{"*.csv", "*.xlsx", "*.jsonl"}
	}
	return f.Match
}

// matches reports whether name, relative to in/, is an export of this flow.
func (f *Flow) matches(name string) bool {
	lower := strings.ToLower(name)
	for _, pattern := range f.patterns() {
		subject := lower
		if !strings.Contains(pattern, "/") {
			subject = path.Base(lower)
		}
		if ok, err := path.Match(strings.ToLower(pattern), subject); err == nil && ok {
			return true
		}
	}
	return false
}

// sealing is what the release gate of the flow says of a batch sealed at now.
func (f *Flow) sealing(now time.Time, avoidedCent int) ledger.Sealing {
	s := ledger.Sealing{Release: ledger.Released, MaxNotifications: f.Release.Max, AvoidedCent: avoidedCent}
	switch {
	case f.Release.Mode == GateFile || f.Release.Mode == GateCommand:
		s.Release = ledger.AwaitsRelease
	case f.Release.Delay > 0:
		s.Release, s.ReleaseAt = ledger.DelayedRelease, now.Add(f.Release.Delay)
	}
	return s
}
