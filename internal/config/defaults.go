package config

import (
	"net"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// Environments that SEND has (reference: send-api §1, pdnd-voucher §1.1).
const (
	EnvUAT        = "uat"
	EnvProduction = "production"
	EnvSimulator  = "simulator"
	EnvCustom     = "custom"
)

// place is where an environment is.
type place struct{ baseURL, tokenURL, audience string }

var places = map[string]place{
	EnvUAT: {
		"https://api.uat.notifichedigitali.it",
		"https://auth.uat.interop.pagopa.it/token.oauth2",
		"auth.uat.interop.pagopa.it/client-assertion",
	},
	EnvProduction: {
		"https://api.notifichedigitali.it",
		"https://auth.interop.pagopa.it/token.oauth2",
		"auth.interop.pagopa.it/client-assertion",
	},
	EnvSimulator: {
		"http://127.0.0.1:8099",
		"http://127.0.0.1:8099/token.oauth2",
		"auth.uat.interop.pagopa.it/client-assertion",
	},
}

// setDefaults fills in everything the file leaves out.
func (c *Config) setDefaults() {
	or(&c.Language, "it")
	or(&c.Data, "data")
	if c.Ledger.Keep == nil { // zero is a choice
		c.Ledger.Keep = ptr(14)
	}
	or(&c.Log.Level, "info")
	or(&c.Log.Format, "text")
	or(&c.Log.MaxSize, 20)
	or(&c.Log.Keep, 10)
	for _, r := range c.Remotes {
		if r != nil {
			r.setDefaults()
		}
	}
	for _, s := range c.Senders {
		if s != nil {
			s.setDefaults()
		}
	}
	if c.Outboxes == nil {
		c.Outboxes = map[string]*Outbox{}
	}
	for name, f := range c.Flows {
		if f == nil {
			continue
		}
		f.setDefaults(c.Language)
		if f.Outbox == "" && f.Source.Root != "" {
			f.Outbox = name
			if c.Outboxes[name] == nil {
				c.Outboxes[name] = f.Source.ownOutbox()
			}
		}
	}
	for _, o := range c.Outboxes {
		if o != nil {
			or(&o.Refresh, time.Minute)
			or(&o.Heartbeat, 15*time.Minute)
			or(&o.MaxLines, 10_000)
		}
	}
}

// ownOutbox is the outbox of a flow that names none: beside its source.
func (s *Source) ownOutbox() *Outbox {
	if s.Remote != "" {
		return &Outbox{Remote: s.Remote, Path: path.Join(s.Root, s.Folders.Out)}
	}
	return &Outbox{Path: filepath.Join(s.Root, s.Folders.Out)}
}

func (r *Remote) setDefaults() {
	or(&r.Sessions, 1)
	or(&r.DialTimeout, 20*time.Second)
	or(&r.ProgressTimeout, time.Minute)
	or(&r.KeepAlive, 15*time.Second)
	or(&r.Idle, 2*time.Minute)
	if r.Address != "" {
		if _, _, err := net.SplitHostPort(r.Address); err != nil {
			r.Address = net.JoinHostPort(strings.Trim(r.Address, "[]"), "22")
		}
	}
}

func (s *Sender) setDefaults() {
	at := places[s.Environment]
	or(&s.BaseURL, at.baseURL)
	if s.PDND != nil {
		or(&s.PDND.TokenURL, at.tokenURL)
		or(&s.PDND.Audience, at.audience)
	}
	or(&s.Versions, "current")
	or(&s.Limits.PerSecond, 50)
	or(&s.Limits.Burst, 100)
	or(&s.Limits.PerDay, 100_000)
	or(&s.Concurrency.Uploads, 8)
	or(&s.Concurrency.Creates, 16)
	or(&s.Concurrency.Downloads, 4)
	or(&s.Acceptance.LookupAfter, 24*time.Hour)
	or(&s.Progress.Silence, 240*time.Hour)
	or(&s.Validation.MaxRecipients, 15)
	or(&s.Validation.MaxDocuments, 15)
	or(&s.Validation.MaxPDFMB, 200)
	if s.RefusalFee == nil {
		s.RefusalFee = ptr(100)
	}
}

func (f *Flow) setDefaults(language string) {
	or(&f.Language, language)
	if f.Source.Type == "" && f.Source.Remote != "" {
		f.Source.Type = "sftp"
	}
	or(&f.Source.Type, "local")
	if f.Source.Settle == nil { // zero is a choice
		f.Source.Settle = ptr(30 * time.Second)
	}
	or(&f.Source.Poll, 15*time.Second)
	or(&f.Source.Folders.In, "in")
	or(&f.Source.Folders.Work, "work")
	or(&f.Source.Folders.Archive, "archive")
	or(&f.Source.Folders.Rejected, "rejected")
	or(&f.Source.Folders.Out, "out")
	or(&f.Release.Mode, "auto")
	if f.Release.MaxNotifications == nil {
		f.Release.MaxNotifications = ptr(1000)
	}
	or(&f.Documents.Mode, "take")
	if f.Documents.Deadline == nil { // zero is a choice
		f.Documents.Deadline = ptr(30 * time.Minute)
	}
	or(&f.Documents.OnMissing, "rows")
	if f.Retention.Ledger == nil { // zero is a choice
		f.Retention.Ledger = ptr(1095 * 24 * time.Hour)
	}
}

// absolutePaths makes every path of the file start from the file's folder.
func (c *Config) absolutePaths() {
	dir := c.Dir()
	c.Data = absolute(dir, c.Data)
	if c.Ledger.Backups == "" {
		c.Ledger.Backups = filepath.Join(c.Data, "backups")
	}
	c.Ledger.Backups = absolute(dir, c.Ledger.Backups)
	c.Log.File = absolute(dir, c.Log.File)
	if c.Control.Socket == "" {
		c.Control.Socket = filepath.Join(c.Data, "control.sock")
	}
	c.Control.Socket = absolute(dir, c.Control.Socket)
	for _, r := range c.Remotes {
		if r != nil {
			r.KeyFile = absolute(dir, r.KeyFile)
			r.KnownHosts = absolute(dir, r.KnownHosts)
		}
	}
	for _, s := range c.Senders {
		if s == nil {
			continue
		}
		s.Validation.Places = absolute(dir, s.Validation.Places)
		if s.PDND != nil {
			s.PDND.KeyFile = absolute(dir, s.PDND.KeyFile)
		}
	}
	for _, o := range c.Outboxes {
		if o != nil && o.Remote == "" {
			o.Path = absolute(dir, o.Path)
		}
	}
	for _, f := range c.Flows {
		if f == nil {
			continue
		}
		f.Profile = absolute(dir, f.Profile)
		if f.Source.Remote == "" {
			f.Source.Root = absolute(dir, f.Source.Root)
			f.Documents.Folder = absolute(dir, f.Documents.Folder)
		}
	}
}

// or sets a value that the file left out.
func or[T comparable](value *T, standard T) {
	var none T
	if *value == none {
		*value = standard
	}
}

func ptr[T any](v T) *T { return &v }
