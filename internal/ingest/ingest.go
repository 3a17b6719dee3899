package ingest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// spoolDir holds the private copies, below the data folder.
const spoolDir = "spool"

// Options is what an Ingest needs. All but Step and Log are required.
type Options struct {
	Ledger       *ledger.Ledger
	Data         string // data folder of the connector; private copies go to spool/ below it
	Clock        func() time.Time
	Installation string // only manifests of this installation are completed
	Content      Content
	Step         func(name string) error // seam for crash tests; nil in production
	Log          *slog.Logger            // nil = nowhere
}

// Ingest takes drops. It is safe for concurrent use; passes of one flow follow one
// another, passes of different flows run side by side.
type Ingest struct {
	opts Options
	rome *time.Location
	data folder.Folder

	mu       sync.Mutex // guards all below
	flows    map[string]*state
	claiming map[string]bool          // batch ids whose manifest is just being written
	reading  map[string]chan struct{} // by body: one batch of its keys is read at a time
}

// New makes an Ingest. It creates spool/ in the data folder, for its owner only.
func New(opts Options) (*Ingest, error) {
	switch {
	case opts.Ledger == nil, opts.Clock == nil, opts.Content == nil:
		return nil, errors.New("ingest: ledger, clock and content are required")
	case opts.Installation == "" || opts.Data == "":
		return nil, errors.New("ingest: installation and data folder are required")
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return nil, err
	}
	local, err := folder.OpenLocal(opts.Data)
	if err != nil {
		return nil, err
	}
	data := local.WithStep(opts.Step)
	if err := data.Mkdir(context.Background(), spoolDir); err != nil {
		return nil, err
	}
	if err := os.Chmod(filepath.Join(opts.Data, spoolDir), 0o700); err != nil {
		return nil, err
	}
	return &Ingest{opts: opts, rome: rome, data: data, flows: map[string]*state{}, claiming: map[string]bool{}, reading: map[string]chan struct{}{}}, nil
}

// state is what is remembered of a flow between two passes.
type state struct {
	mu        sync.Mutex // one pass at a time; guards all but waiting
	loaded    bool       // saved holds what the ledger has
	recovered bool       // what earlier processes left was looked through
	seen      map[string]*seen
	saved     map[string]*ledger.Sighting
	needs     map[string]*examined
	resting   map[string]Waiting // claims that failed, by batch, until their Next
	pass      uint64

	waitMu  sync.Mutex // guards waiting
	waiting []Waiting
}

// reserve keeps a batch id for one claim of this process until release: other flows
// do not use it, and their recovery does not take its folder, still without a
// manifest, for one left by a crash. nil if somebody has it.
func (i *Ingest) reserve(batch string) (release func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.claiming[batch] {
		return nil
	}
	i.claiming[batch] = true
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		delete(i.claiming, batch)
	}
}

func (i *Ingest) reserved(batch string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.claiming[batch]
}

// readAlone waits until no other flow reads a batch with keys of the same body, and
// keeps the others out until release: what is being read may yet go away, so that a
// row must not pass for known because of it (rule 10).
func (i *Ingest) readAlone(ctx context.Context, c *claim) (release func(), err error) {
	key := c.Environment + "\x00" + c.SenderTaxID
	i.mu.Lock()
	turn := i.reading[key]
	if turn == nil {
		turn = make(chan struct{}, 1)
		i.reading[key] = turn
	}
	i.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (i *Ingest) state(flow string) *state {
	i.mu.Lock()
	defer i.mu.Unlock()
	st := i.flows[flow]
	if st == nil {
		st = &state{
			seen: map[string]*seen{}, saved: map[string]*ledger.Sighting{},
			needs: map[string]*examined{}, resting: map[string]Waiting{},
		}
		i.flows[flow] = st
	}
	return st
}

// problem makes a problem of the catalogue in the flow's language.
func (f *Flow) problem(code, field string, args ...string) notification.Problem {
	lang := f.Lang
	if lang == "" {
		lang = notification.Italian
	}
	return notification.New(lang, code, field, args...)
}

// batch reads a batch; nil if the ledger has none.
func (i *Ingest) batch(ctx context.Context, id string) (*ledger.Batch, error) {
	var found *ledger.Batch
	err := i.opts.Ledger.View(ctx, func(tx *ledger.Tx) error {
		b, err := tx.Batch(id)
		if errors.Is(err, ledger.ErrNotFound) {
			found = nil
			return nil
		}
		found = b
		return err
	})
	return found, err
}
