package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// ManifestName is the manifest's name in work/<batch>/ and in the archive. It is one
// that is never taken for a document.
const ManifestName = ".manifest.json"

// manifestVersion is the form of the manifest; a newer one is left alone.
const manifestVersion = 1

// Manifest is a claim (rule 25) and later the record of what a batch in the archive
// consists of: enough to read it again without the ledger.
type Manifest struct {
	Version      int       `json:"version"`
	Installation string    `json:"installation"`
	Batch        string    `json:"batch"`
	Flow         string    `json:"flow"`
	ClaimedAt    time.Time `json:"claimed_at"`
	Sender       string    `json:"sender"`
	SenderTaxID  string    `json:"sender_tax_id"`
	Environment  string    `json:"environment"`
	Outbox       string    `json:"outbox"`
	Name         string    `json:"name"` // of the export, relative to in/
	Kind         string    `json:"kind"`
	Heading      []string  `json:"heading,omitempty"`
	Export       File      `json:"export"`
	Done         *File     `json:"done,omitempty"`
	Documents    []Copy    `json:"documents,omitempty"`
	Missing      []Missing `json:"missing,omitempty"`
	ProfileName  string    `json:"profile_name,omitempty"`
	Profile      []byte    `json:"profile,omitempty"`

	// Problem rejects the whole file without reading it.
	Problem *notification.Problem `json:"problem,omitempty"`
	// Exclusive: the claim lies in the data folder, the export still in in/.
	Exclusive bool `json:"exclusive,omitempty"`
	// Archived: all is in the archive; only sources are still to be removed.
	Archived bool `json:"archived,omitempty"`
}

// File is a file of a drop as it was when it was claimed.
type File struct {
	Source   string    `json:"source"` // below the flow's root
	Dest     string    `json:"dest"`   // below the batch's folder
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
	Hash     string    `json:"sha256,omitempty"` // of the private copy
	Spool    string    `json:"spool,omitempty"`  // the private copy, below the data folder
}

// Copy is a document of a batch.
type Copy struct {
	File
	Names []string `json:"names"` // as rows give it
	Take  bool     `json:"take,omitempty"`
	Known bool     `json:"known,omitempty"` // only archived: no row that is sent names it
	// From is the earlier batch that a document not in the drop was found in, for the
	// one protocol number it belongs to; its bytes are in that batch's private copy
	// or archive.
	From        string `json:"from,omitempty"`
	Protocol    string `json:"protocol,omitempty"`
	FromSpool   string `json:"from_spool,omitempty"`
	FromArchive string `json:"from_archive,omitempty"`
	FromHash    string `json:"from_sha256,omitempty"`
}

// Missing is a document that was not found.
type Missing struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol,omitempty"` // "" = whatever row names it
	Code     string `json:"code"`
	Unsent   bool   `json:"unsent,omitempty"` // only rows that are not sent name it
}

// claim is a manifest and where it lies.
type claim struct {
	Manifest
	home folder.Folder
	dir  string
}

func (c *claim) path() string { return path.Join(c.dir, ManifestName) }

// export is where the export lies between claim and archive.
func (c *claim) export() string {
	if c.Exclusive {
		return c.Export.Source
	}
	return path.Join(c.dir, c.Export.Dest)
}

// home is where claims of the flow lie.
func (i *Ingest) home(f *Flow) (folder.Folder, string) {
	if f.Exclusive {
		return i.data, spoolDir
	}
	return f.Folder, f.work()
}

// save writes the manifest, whole or not at all, and durably.
func (c *claim) save(ctx context.Context) error {
	_, err := c.home.Publish(ctx, c.path(), c.encode)
	return err
}

func (c *claim) encode(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(c.Manifest)
}

// claims reads the claims of this installation and flow, oldest first, and those of
// others.
func (i *Ingest) claims(ctx context.Context, f *Flow) (own []*claim, foreign []Foreign, faults []error) {
	home, dir := i.home(f)
	all, err := home.List(ctx, dir, false)
	if errors.Is(err, folder.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, []error{err}
	}
	for _, e := range all {
		if !e.Dir {
			continue
		}
		c := &claim{home: home, dir: e.Name}
		c.Manifest, err = readManifest(ctx, home, c.path())
		switch {
		case errors.Is(err, folder.ErrNotExist):
		case err != nil:
			faults = append(faults, &claimError{e.Name, err})
		case c.Installation != i.opts.Installation:
			foreign = i.foreign(f, foreign, &c.Manifest)
		case c.Flow == f.Name && c.Exclusive == f.Exclusive:
			if err := i.sound(ctx, f, c); err != nil {
				faults = append(faults, &claimError{e.Name, err})
				continue
			}
			own = append(own, c)
		}
	}
	return own, foreign, faults
}

// claimError is a claim that cannot be gone on with.
type claimError struct {
	dir string
	err error
}

func (e *claimError) Error() string { return e.dir + ": " + e.err.Error() }

func (e *claimError) Unwrap() error { return e.err }

// foreign lists a claim of another installation once it is older than a day: until
// then its owner may well be at work.
func (i *Ingest) foreign(f *Flow, all []Foreign, m *Manifest) []Foreign {
	if i.opts.Clock().Sub(m.ClaimedAt) < 24*time.Hour {
		return all
	}
	p := f.problem("C-BATCH-FOREIGN", "", "installation", m.Installation)
	return append(all, Foreign{
		Batch: m.Batch, Installation: m.Installation, Flow: m.Flow, ClaimedAt: m.ClaimedAt, Text: p.Message,
	})
}

func readManifest(ctx context.Context, home folder.Folder, name string) (Manifest, error) {
	r, err := home.Open(ctx, name)
	if err != nil {
		return Manifest{}, err
	}
	defer r.Close()
	return DecodeManifest(r)
}

// errDamaged: a manifest could be read but says nothing. We write them whole, so that
// it was a person or a failing disk.
var errDamaged = errors.New("manifest is damaged")

// DecodeManifest reads a manifest, of work/ or of the archive. A version that this
// program does not know is an error.
func DecodeManifest(r io.Reader) (Manifest, error) {
	var m Manifest
	data, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err != nil {
		return Manifest{}, fmt.Errorf("manifest: %w", err)
	}
	if len(data) > maxManifest {
		return Manifest{}, fmt.Errorf("%w: more than %d bytes", errDamaged, maxManifest)
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if m.Version != manifestVersion {
		return Manifest{}, fmt.Errorf("manifest of batch %s has version %d; this program knows %d", m.Batch, m.Version, manifestVersion)
	}
	return m, nil
}

// batch is the manifest as the ledger wants it.
func (m *Manifest) batch() ledger.Batch {
	b := ledger.Batch{
		ID: m.Batch, Flow: m.Flow, Sender: m.Sender, SenderTaxID: m.SenderTaxID, Environment: m.Environment,
		Outbox: m.Outbox, File: m.Name, Hash: m.Export.Hash, Size: m.Export.Size, Kind: m.Kind, Heading: m.Heading,
		ClaimedAt: m.ClaimedAt,
	}
	if m.Export.Spool != "" {
		b.Spool = append(b.Spool, m.Export.spoolFile(m.Name))
	}
	for i := range m.Documents {
		d := &m.Documents[i]
		if d.Spool == "" {
			continue
		}
		for _, name := range d.Names {
			b.Spool = append(b.Spool, d.spoolFile(name))
		}
	}
	return b
}

func (f *File) spoolFile(name string) ledger.SpoolFile {
	return ledger.SpoolFile{Name: name, Path: f.Spool, Hash: f.Hash, Size: f.Size}
}

// documents answers for the rows what was found at the claim.
func (f *Flow) documents(m *Manifest) DocumentFunc {
	type key struct{ protocol, name string }
	found := map[key]Found{}
	for _, x := range m.Missing {
		p := f.problem(x.Code, "", "name", x.Name)
		found[key{x.Protocol, x.Name}] = Found{Problem: &p}
	}
	for i := range m.Documents {
		d := &m.Documents[i]
		for _, name := range d.Names {
			switch {
			case d.Spool == "":
			case d.From != "":
				p := f.problem("C-DOCUMENT-EARLIER", "", "name", name, "batch", d.From)
				found[key{d.Protocol, name}] = Found{File: d.spoolFile(name), Problem: &p}
			default:
				found[key{"", name}] = Found{File: d.spoolFile(name)}
			}
		}
	}
	return func(protocol, name string) Found {
		if x, ok := found[key{protocol, name}]; ok {
			return x
		}
		if x, ok := found[key{"", name}]; ok {
			return x
		}
		p := f.problem("C-DOCUMENT-MISSING", "", "name", name)
		return Found{Problem: &p}
	}
}
