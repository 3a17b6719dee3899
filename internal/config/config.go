package config

import (
	"crypto/sha256"
	"path/filepath"
	"time"

	"sendconnector/internal/yamldoc"
)

// Config is the whole file. Field comments say meaning, default and limits; the
// same words stand in config.example.yaml, which is what people read.
type Config struct {
	Version      int                `yaml:"version"`      // 1
	Installation string             `yaml:"installation"` // required; names this installation at SEND and in manifests
	Language     string             `yaml:"language"`     // it (default) or en
	Data         string             `yaml:"data"`         // ledger, spool, backups; default ./data beside the file; never on a network share
	Ledger       Ledger             `yaml:"ledger"`
	Log          Log                `yaml:"log"`
	Control      Control            `yaml:"control"`
	Remotes      map[string]*Remote `yaml:"remotes"`
	Senders      map[string]*Sender `yaml:"senders"`
	Outboxes     map[string]*Outbox `yaml:"outboxes"`
	Flows        map[string]*Flow   `yaml:"flows"`

	path   string
	digest [sha256.Size]byte
	doc    *yamldoc.Document
}

// Digest is that of the file's bytes: it tells one edition of the configuration from another.
func (c *Config) Digest() [sha256.Size]byte { return c.digest }

// Mistake is a mistake at a place of the file, such as "flows.tari.profile", that could
// be found only after it was read. It is a *yamldoc.Error, with line and excerpt.
func (c *Config) Mistake(at, format string, args ...any) *yamldoc.Error {
	return c.doc.Errorf(at, format, args...)
}

// Path is the file the configuration came from.
func (c *Config) Path() string { return c.path }

// Dir is the folder that relative paths of the configuration start from.
func (c *Config) Dir() string { return filepath.Dir(c.path) }

// Ledger says how the ledger is looked after.
type Ledger struct {
	Backups string `yaml:"backups"` // folder of the daily copies; default <data>/backups
	Keep    *int   `yaml:"keep"`    // daily copies kept; default 14; 0 = none are made
}

// Log says how and where to log.
type Log struct {
	Level   string `yaml:"level"`  // debug, info (default), warn, error
	Format  string `yaml:"format"` // text (default) or json
	File    string `yaml:"file"`   // "" = standard error
	MaxSize int    `yaml:"max_mb"` // size at which the file is rotated; default 20
	Keep    int    `yaml:"keep"`   // rotated files kept; default 10
}

// Control is the endpoint by which commands talk to a running service.
type Control struct {
	Socket string `yaml:"socket"` // Unix socket; default <data>/control.sock (Windows: a loopback port)
}

// Remote is an SFTP server in which sources and outboxes may lie. At least one way of
// logging in is needed; where several are given they are offered in the order agent,
// key, password.
type Remote struct {
	Address         string        `yaml:"address"`  // host or host:port; port 22 by default
	User            string        `yaml:"user"`     // name of the account there
	Password        Secret        `yaml:"password"` // "" = no password
	KeyFile         string        `yaml:"key_file"` // private key, PEM or OpenSSH; "" = no key
	Passphrase      Secret        `yaml:"passphrase"`
	Agent           bool          `yaml:"agent"`               // keys of the SSH agent at SSH_AUTH_SOCK
	OpenKey         bool          `yaml:"allow_open_key_file"` // accept a key file that others may read (container secrets)
	HostKeys        []string      `yaml:"host_keys"`           // "SHA256:…" or "ssh-ed25519 AAAA…"
	KnownHosts      string        `yaml:"known_hosts"`         // file in the format of OpenSSH
	Sessions        int           `yaml:"sessions"`            // connections at once; default 1
	DialTimeout     time.Duration `yaml:"dial_timeout"`        // default 20s
	ProgressTimeout time.Duration `yaml:"progress_timeout"`    // default 60s
	KeepAlive       time.Duration `yaml:"keepalive"`           // default 15s
	Idle            time.Duration `yaml:"idle"`                // default 2m
	IgnoreTimes     bool          `yaml:"ignore_times"`        // the server gives a file another time at every look
}

// Sender is one body with its keys at SEND.
type Sender struct {
	TaxID         string            `yaml:"tax_id"`       // 11 digits
	Denomination  string            `yaml:"denomination"` // 1..88
	Environment   string            `yaml:"environment"`  // uat, production, simulator, custom
	BaseURL       string            `yaml:"base_url"`     // only custom and simulator; the others know theirs
	APIKey        Secret            `yaml:"api_key"`
	PDND          *PDND             `yaml:"pdnd"` // absent = the API key is not bound to PDND
	Group         string            `yaml:"group"`
	Groups        []string          `yaml:"groups"` // groups of the API key, if it is bound to some
	Limits        Limits            `yaml:"limits"`
	Concurrency   Concurrency       `yaml:"concurrency"`
	Versions      string            `yaml:"versions"` // current (default), older, validator
	Paths         map[string]string `yaml:"paths"`    // operation -> path template, over those of versions
	Acceptance    Acceptance        `yaml:"acceptance"`
	Progress      ProgressSettings  `yaml:"progress"`
	Validation    Validation        `yaml:"validation"`
	RefusalFee    *int              `yaml:"refusal_fee_cent"` // per recipient, default 100
	LooseDownload bool              `yaml:"loose_download"`   // size differences of downloads are warnings (PnValidator)
}

// PDND is the client on PDND Interoperabilità whose vouchers the API key wants.
type PDND struct {
	ClientID  string `yaml:"client_id"`
	PurposeID string `yaml:"purpose_id"`
	KeyFile   string `yaml:"key_file"` // RSA private key, PEM
	KeyID     string `yaml:"key_id"`   // optional: computed from the key and compared
	TokenURL  string `yaml:"token_url"`
	Audience  string `yaml:"audience"`
	OpenKey   bool   `yaml:"allow_open_key_file"` // accept a key file that others may read (container secrets)
}

// Limits of the API key.
type Limits struct {
	PerSecond float64 `yaml:"per_second"` // default 50
	Burst     int     `yaml:"burst"`      // default 100
	PerDay    int     `yaml:"per_day"`    // default 100000
}

// Concurrency bounds parallel work.
type Concurrency struct {
	Uploads   int `yaml:"uploads"`   // default 8
	Creates   int `yaml:"creates"`   // default 16
	Downloads int `yaml:"downloads"` // default 4
}

// Acceptance says when acceptance is asked for instead of waited for.
type Acceptance struct {
	LookupAfter time.Duration `yaml:"lookup_after"` // default 24h
}

// ProgressSettings say when a silent notification is looked up.
type ProgressSettings struct {
	Silence time.Duration `yaml:"silence"` // default 240h
}

// Validation shapes the local checks.
type Validation struct {
	AllowTaxIDs   []string `yaml:"allow_tax_ids"` // test environment only
	Promote       []string `yaml:"promote"`       // warning codes that shall be errors
	StrictAddress bool     `yaml:"strict_address"`
	AddressLookup bool     `yaml:"address_lookup"`
	TwentyGrams   bool     `yaml:"twenty_grams"`
	MaxRecipients int      `yaml:"max_recipients"`
	MaxDocuments  int      `yaml:"max_documents"`
	MaxPDFMB      int      `yaml:"max_pdf_mb"`
	Places        string   `yaml:"places"` // CSV of CAP;località;provincia
	Taxonomies    []string `yaml:"taxonomies"`
}

// Outbox is a folder that gets outcomes; a flow without one has <root>/out.
type Outbox struct {
	Remote    string        `yaml:"remote"`    // name in remotes; "" = a folder of this machine
	Path      string        `yaml:"path"`      // with remote: on the server
	Refresh   time.Duration `yaml:"refresh"`   // outcome files at most this often; default 1m
	Heartbeat time.Duration `yaml:"heartbeat"` // stato.csv at least this often; default 15m
	MaxLines  int           `yaml:"max_lines"` // of one aggiornamenti file; default 10000
}

// Flow is one kind of export on its way from a folder to SEND and back.
type Flow struct {
	Sender    string     `yaml:"sender"`
	Source    Source     `yaml:"source"`
	Profile   string     `yaml:"profile"` // file; "" for jsonl
	Outbox    string     `yaml:"outbox"`  // name in outboxes; "" = <root>/out
	Release   ReleaseSet `yaml:"release"`
	Documents Documents  `yaml:"documents"`
	Retention Retention  `yaml:"retention"`
	Language  string     `yaml:"language"`
}

// Retention says how long what is over is kept (rule 30).
type Retention struct {
	Ledger  *time.Duration `yaml:"ledger"`  // in the ledger, since the last change; default 1095d; 0 = for ever
	Archive time.Duration  `yaml:"archive"` // in archive/ and rejected/, since the claim; default 0 = for ever
}

// Source is where exports arrive.
type Source struct {
	Type      string         `yaml:"type"`      // local (default) or sftp
	Remote    string         `yaml:"remote"`    // sftp: name in remotes
	Root      string         `yaml:"root"`      // the flow's folder; sftp: on the server
	Match     []string       `yaml:"match"`     // names in in/; default by the profile's kind
	Settle    *time.Duration `yaml:"settle"`    // unchanged for this long since first seen; default 30s
	Poll      time.Duration  `yaml:"poll"`      // time between two scans; default 15s
	DoneFile  string         `yaml:"done_file"` // suffix; "" = none
	Exclusive bool           `yaml:"exclusive"`
	Folders   FolderNames    `yaml:"folders"`
}

// FolderNames are the folders below a flow's root.
type FolderNames struct {
	In       string `yaml:"in"`
	Work     string `yaml:"work"`
	Archive  string `yaml:"archive"`
	Rejected string `yaml:"rejected"`
	Out      string `yaml:"out"`
}

// ReleaseSet is the release gate (rule 19).
type ReleaseSet struct {
	Mode             string        `yaml:"mode"`  // auto (default), file, command
	Delay            time.Duration `yaml:"delay"` // default 0
	MaxNotifications *int          `yaml:"max_notifications"`
}

// Documents says where the documents of a drop are and what becomes of them.
type Documents struct {
	Folder    string         `yaml:"folder"`     // a separate folder; "" = beside the export
	Mode      string         `yaml:"mode"`       // take (default) or copy
	Deadline  *time.Duration `yaml:"deadline"`   // wait this long for missing ones; default 30m
	OnMissing string         `yaml:"on_missing"` // rows (default) or file
}
