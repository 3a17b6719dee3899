package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// A manifest in work/ is written by us, but whoever may write in work/ may write one
// too. What it says is therefore believed only where it could do nothing that its
// writer could not do by dropping a file: it names its own batch, private copies of
// that batch, and sources that are a drop's. Otherwise it could have us copy the
// ledger or another body's documents into an archive that its writer reads, move
// files of other batches about, or send in another sender's name.

// maxManifest bounds a manifest in bytes; one of a drop with 100,000 documents has
// some 40 MB.
const maxManifest = 128 << 20

var (
	batchForm = regexp.MustCompile(`^\d{8}T\d{6}-[0-9a-f]{8}(-\d{1,3})?$`)
	hashForm  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	spoolForm = regexp.MustCompile(`^\d{6,}(\.[A-Za-z0-9_-]{1,7})?$`)
)

// sound tells what in a claim of this flow cannot be ours, as errDamaged.
func (i *Ingest) sound(ctx context.Context, f *Flow, c *claim) error {
	s := soundness{f: f, c: c}
	s.head()
	s.export()
	for n := range c.Documents {
		s.document(&c.Documents[n])
	}
	if s.fault != "" {
		return fmt.Errorf("%w: %s", errDamaged, s.fault)
	}
	if err := i.soundSender(ctx, f, c); err != nil {
		return err
	}
	return i.soundEarlier(ctx, f, c)
}

// soundness collects the first thing that is wrong.
type soundness struct {
	f     *Flow
	c     *claim
	fault string
}

func (s *soundness) want(ok bool, fault string) {
	if !ok && s.fault == "" {
		s.fault = fault
	}
}

func (s *soundness) head() {
	m := &s.c.Manifest
	s.want(batchForm.MatchString(m.Batch) && m.Batch == path.Base(s.c.dir), "it names another batch than its folder")
	s.want(hashForm.MatchString(m.Export.Hash) && len(m.Batch) >= 24 && strings.HasPrefix(m.Export.Hash, m.Batch[16:24]),
		"the hash of the export is not that of the batch")
}

func (s *soundness) export() {
	m := &s.c.Manifest
	s.want(within(m.Name) && m.Export.Dest == m.Name, "the name of the export leads elsewhere")
	s.source(m.Export.Source)
	s.spool(m.Export.Spool, m.Batch)
	if m.Done != nil {
		s.want(within(m.Done.Dest), "the name of the done-file leads elsewhere")
		s.source(m.Done.Source)
	}
}

func (s *soundness) document(d *Copy) {
	s.want(within(d.Dest), "the name of a document leads elsewhere")
	s.spool(d.Spool, s.c.Batch)
	s.want(d.Spool == "" || hashForm.MatchString(d.Hash), "a private copy has no hash")
	if d.Source != "" {
		s.source(d.Source)
	}
	if d.From == "" {
		return
	}
	s.want(batchForm.MatchString(d.From), "an earlier batch has no batch's name")
	s.spool(d.FromSpool, d.From)
	s.want(d.FromArchive == "" || fs.ValidPath(d.FromArchive), "an archive leads elsewhere")
}

// source wants a name below the flow's root and not in a folder that is ours.
func (s *soundness) source(name string) {
	s.want(within(name), "a source leads elsewhere")
	for _, own := range []string{s.f.work(), s.f.archive(), s.f.rejected()} {
		s.want(!strings.HasPrefix(name+"/", own+"/"), "a source lies in a folder of the connector")
	}
}

// spool wants a numbered copy in the folder of its batch.
func (s *soundness) spool(name, batch string) {
	dir, file := path.Split(name)
	s.want(name == "" || dir == spoolDir+"/"+batch+"/" && spoolForm.MatchString(file), "a private copy is not of its batch")
}

// within wants a name that stays below where it is put and is none of those that are
// never taken, the manifest's own among them.
func within(name string) bool {
	return fs.ValidPath(name) && name != "." && !strings.ContainsAny(name, "\x00\\") && !folder.Temporary(name)
}

// soundSender wants the sender of the flow, or of the batch as the ledger has it: a
// configuration may have changed since the claim, a batch may not.
func (i *Ingest) soundSender(ctx context.Context, f *Flow, c *claim) error {
	m := &c.Manifest
	if m.Sender == f.Sender && m.SenderTaxID == f.SenderTaxID && m.Environment == f.Environment && m.Outbox == f.Outbox {
		return nil
	}
	b, err := i.batch(ctx, m.Batch)
	if err != nil {
		return err
	}
	if b != nil && b.Flow == m.Flow && b.Sender == m.Sender && b.SenderTaxID == m.SenderTaxID && b.Environment == m.Environment && b.Outbox == m.Outbox {
		return nil
	}
	return fmt.Errorf("%w: sender, environment or outbox are not those of the flow", errDamaged)
}

// soundEarlier wants documents of earlier batches to be ones that the ledger has of a
// batch of this flow and sender: their bytes go to the recipient of a row.
func (i *Ingest) soundEarlier(ctx context.Context, f *Flow, c *claim) error {
	for n := range c.Documents {
		d := &c.Documents[n]
		if d.From == "" {
			continue
		}
		b, err := i.batch(ctx, d.From)
		if err != nil {
			return err
		}
		if b == nil || b.Flow != f.Name || b.SenderTaxID != c.SenderTaxID || b.Environment != c.Environment || !hasCopy(b, d) {
			return fmt.Errorf("%w: batch %s has no such document", errDamaged, d.From)
		}
	}
	return nil
}

func hasCopy(b *ledger.Batch, d *Copy) bool {
	for _, s := range b.Spool {
		if s.Path == d.FromSpool && s.Hash == d.FromHash {
			return d.FromArchive == "" || d.FromArchive == b.Archive
		}
	}
	return false
}

// damaged is a claim that is left alone until a person has looked at it.
func (i *Ingest) damaged(f *Flow, dir string, err error) (Waiting, bool) {
	if !errors.Is(err, errDamaged) {
		return Waiting{}, false
	}
	batch := path.Base(dir)
	return Waiting{
		File: batch, Batch: batch, Code: "C-BATCH-MANIFEST", Text: f.problem("C-BATCH-MANIFEST", "", "folder", dir).Message,
		Since: i.opts.Clock(), silent: true,
	}, true
}
