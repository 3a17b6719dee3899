package outbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// Options are how an outbox is made. Ledger, Name, Folder, Data and Clock are
// required.
type Options struct {
	Ledger *ledger.Ledger
	Name   string        // the outbox as batches and notifications name it
	Folder folder.Folder // its root is out/
	Data   string        // the data folder, that spool paths are relative to
	Clock  func() time.Time
	// Step is the seam of crash tests (see Steps); nil outside them.
	Step func(name string) error
	Lang notification.Lang // of texts for people; "" = Italian
	// Refresh is how often an outcome file or index may be rewritten; 0 = 1 min,
	// negative = whenever something changed.
	Refresh time.Duration
	// Heartbeat is how old stato.csv may get although nothing changed; 0 = 15 min.
	Heartbeat time.Duration
	// MaxLines is how many lines a numbered file holds at most; 0 = 10,000.
	MaxLines int
	// Recent is how long stato.csv shows a file that has been read; 0 = 72 h.
	Recent time.Duration
	// Verify is how many of the latest publications Reconcile reads back; 0 = 50
	// where the system cannot sync a folder (Windows) and none elsewhere, negative =
	// none.
	Verify int
	Log    *slog.Logger // nil = none
}

// Outbox writes one outbound folder. Only one goroutine at a time works in it; the
// others wait. What it remembers between passes is a convenience: a new Outbox on
// the same ledger and folder goes on where the last one stopped.
type Outbox struct {
	opts Options

	mu         sync.Mutex
	started    time.Time
	reconciled bool
	founded    bool                           // both sequences have a number to go on from
	lost       []string                       // sequences whose number is lost
	floors     map[string]uint64              // highest number seen in the folder, by kind
	rests      rests                          // what failed and rests
	beside     map[string]waiting             // files that wait for somebody to close the target
	indexed    map[string]bool                // batches whose index is known to be complete
	took       map[string]time.Duration       // how long the last outcome file took, by batch
	tidied     map[string]bool                // folders cleared of what a crash left
	last       map[string]*ledger.Publication // latest of each sequence
	watched    []string                       // older batches that stato.csv still shows; nil = not looked yet
	holds      map[holdKey]ledger.Hold        // as of the last look for watched
}

// New makes an outbox; it touches neither folder nor ledger.
func New(opts Options) *Outbox {
	return &Outbox{
		opts:    withDefaults(opts),
		floors:  map[string]uint64{},
		rests:   rests{},
		beside:  map[string]waiting{},
		indexed: map[string]bool{},
		took:    map[string]time.Duration{},
		tidied:  map[string]bool{},
		last:    map[string]*ledger.Publication{},
	}
}

func withDefaults(o Options) Options {
	if o.Lang == "" {
		o.Lang = notification.Italian
	}
	if o.Refresh == 0 {
		o.Refresh = time.Minute
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Minute
	}
	if o.MaxLines <= 0 {
		o.MaxLines = 10_000
	}
	if o.Recent <= 0 {
		o.Recent = 72 * time.Hour
	}
	if o.Verify == 0 {
		o.Verify = defaultVerify
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Report is what a pass did and what it waits for.
type Report struct {
	// Next is when another pass is wanted at the latest, by time alone; zero = only
	// when the ledger has news. More says that there is work left for now.
	Next time.Time
	More bool

	Documents int  // placed
	Outcomes  int  // outcome files written
	Updates   int  // files in aggiornamenti/
	Costs     int  // files in costi/
	Status    bool // stato.csv was written

	// Waiting are files that somebody must close; the new content waits beside them.
	Waiting []Waiting
	// Lost names the sequences whose numbering is lost: their flows are held until
	// Resume (rule 28).
	Lost []string
}

// Waiting is a published file whose target is held open by another program.
type Waiting struct {
	File   string // the target, relative to out/
	Beside string // where the new content is meanwhile
	Since  time.Time
	Text   string // for people: who must close what
}

// Pass does everything that is due: places documents, writes numbered files,
// outcome files with their indexes, and stato.csv. It ends when nothing more is due
// or after a bounded amount of work (Report.More).
//
// The Report holds also when there is an error. A *FolderError means that a file or
// the folder could not be written; everything stays due and is not tried before its
// Retry (Report.Next takes it into account), so that calling Pass more often does
// no harm. Any other error is the ledger's, the context's or a *StopError.
func (o *Outbox) Pass(ctx context.Context, now State) (Report, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var report Report
	var failures []error
	err := o.work(ctx, now, &report, &failures)
	if err == nil && o.rests.resting("", o.opts.Clock()) == nil {
		o.rests.forgetDue(o.opts.Clock())
	}
	report.Waiting = o.waitingList()
	report.Lost = o.lost
	report.Next = sooner(report.Next, o.rests.next())
	if len(report.Waiting) > 0 {
		report.Next = sooner(report.Next, o.opts.Clock().Add(settlePause))
	}
	return report, errors.Join(append(failures, err)...)
}

// work runs the jobs in an order that lets a reader never see a promise before the
// thing: documents, then indexes and outcomes that count them, then the log, then
// the status. A failure of one file does not stop the others, one of the whole
// folder does.
func (o *Outbox) work(ctx context.Context, now State, report *Report, failures *[]error) error {
	clock := o.opts.Clock()
	if err := o.rests.resting("", clock); err != nil {
		*failures = append(*failures, err)
		return nil
	}
	jobs := []struct {
		run  func() error
		must bool // nothing after it may be written unless it succeeded
	}{
		{func() error { return o.reconcile(ctx) }, true},
		{func() error { return o.found(ctx, now) }, true},
		{func() error { return o.settle(ctx) }, false},
		{func() error { return o.placeDocuments(ctx, report) }, false},
		{func() error { return o.publishOutcomes(ctx, now, report) }, false},
		{func() error { return o.publishSequences(ctx, report) }, false},
		{func() error { return o.publishStatus(ctx, now, report) }, false},
	}
	for _, job := range jobs {
		err := job.run()
		if err == nil {
			continue
		}
		if !isolated(err) {
			if folder.Means(err, folder.ErrFull) { // the ledger's disk: the status tells people, and needs none of it
				err = errors.Join(err, o.publishStatus(ctx, now, report))
			}
			return err
		}
		*failures = append(*failures, err)
		if job.must || whole(err) {
			return nil
		}
	}
	return nil
}

// onlyFolder reports whether everything in err is a *FolderError.
func onlyFolder(err error) bool {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range several.Unwrap() {
			if !onlyFolder(one) {
				return false
			}
		}
		return true
	}
	var failed *FolderError
	return errors.As(err, &failed)
}

// isolated reports whether the rest of a pass may go on: the folder failed, or the
// log behind one numbered file is not whole, which keeps that sequence only.
func isolated(err error) bool {
	var torn *LogError
	return onlyFolder(err) || errors.As(err, &torn)
}

func (o *Outbox) publishStatus(ctx context.Context, now State, report *Report) error {
	if err := o.rests.resting(statusName, o.opts.Clock()); err != nil {
		return err
	}
	next, written, err := o.writeStatus(ctx, now)
	report.Next = sooner(report.Next, next)
	report.Status = written
	return err
}
