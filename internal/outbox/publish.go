package outbox

import (
	"context"
	"errors"
	"io"
	"sort"
	"time"

	"sendconnector/internal/folder"
)

// sink remembers whether it was the folder that failed, and not the ledger that the
// content is read from.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil {
		s.err = err
	}
	return n, err
}

// publish is the one way content gets into the outbound folder. A target held open
// is no failure: the content waits beside it and is remembered. A failure of the
// folder is returned as *FolderError and remembered too; an error of write's own
// comes back as it is, with the old content still in place.
func (o *Outbox) publish(ctx context.Context, step, name string, write func(io.Writer) error) (folder.Published, error) {
	var done folder.Published
	err := o.step(ctx, step, func() error {
		var own error
		s := &sink{}
		var err error
		done, err = o.opts.Folder.Publish(ctx, name, func(w io.Writer) error {
			s.w = w
			own = write(s)
			return own
		})
		switch {
		case err == nil:
			o.published(name, done)
			return nil
		case own != nil && s.err == nil:
			return own
		}
		return o.failed(ctx, name, err)
	})
	return done, err
}

// failed turns an error of the folder into one that is remembered, unless it is only
// that the process is stopping.
func (o *Outbox) failed(ctx context.Context, name string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	target := name
	if whole(err) {
		target = ""
	}
	failure := o.rests.failed(o.opts.Name, target, o.opts.Clock(), err)
	o.opts.Log.Debug("outbound file not written", "outbox", o.opts.Name, "file", name,
		"retry", failure.Retry, "error", err)
	return failure
}

func (o *Outbox) published(name string, done folder.Published) {
	o.rests.succeeded("")
	o.rests.succeeded(name)
	if !done.Beside {
		delete(o.beside, name)
		return
	}
	if _, known := o.beside[name]; known {
		return
	}
	o.beside[name] = waiting{beside: done.Name, since: o.opts.Clock()}
	o.opts.Log.Warn(o.openText(name, done.Name), "outbox", o.opts.Name, "file", name)
}

// settlePause is how often a target that is held open is tried again.
const settlePause = 15 * time.Second

// waiting is content beside a target that another program holds open.
type waiting struct {
	beside string
	since  time.Time
	tried  time.Time
}

func (o *Outbox) openText(name, beside string) string {
	return o.text("open", "file", name, "beside", beside)
}

func (o *Outbox) waitingList() []Waiting {
	var all []Waiting
	for name, w := range o.beside {
		all = append(all, Waiting{File: name, Beside: w.beside, Since: w.since, Text: o.openText(name, w.beside)})
	}
	sort.Slice(all, func(i, j int) bool { return all[i].File < all[j].File })
	return all
}

// settle lets what waits take its place where the target has been closed.
func (o *Outbox) settle(ctx context.Context) error {
	now := o.opts.Clock()
	var failures []error
	for _, w := range o.waitingList() {
		known := o.beside[w.File]
		if !known.tried.IsZero() && now.Before(known.tried.Add(settlePause)) {
			continue
		}
		known.tried = now
		o.beside[w.File] = known
		if err := o.settleOne(ctx, w.File); err != nil {
			if !onlyFolder(err) {
				return err
			}
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func (o *Outbox) settleOne(ctx context.Context, name string) error {
	settled := false
	err := o.step(ctx, stepSettle, func() error {
		var err error
		if settled, err = o.opts.Folder.Settle(ctx, name); err != nil {
			return o.failed(ctx, name, err)
		}
		return nil
	})
	if err != nil || !settled {
		return err
	}
	delete(o.beside, name)
	o.opts.Log.Info("file that was held open has its new content", "outbox", o.opts.Name, "file", name)
	return o.settledInLedger(ctx, name)
}
