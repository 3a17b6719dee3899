package connector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sendconnector/internal/config"
	"sendconnector/internal/ledger"
)

// RebuildOptions say how.
type RebuildOptions struct {
	MoveAside bool // go on although there is a readable ledger; it is moved aside, never deleted
}

// RebuildReport is what a rebuilding found.
type RebuildReport struct {
	Batches    int      `json:"batches"`       // read again
	Unreadable int      `json:"unreadable"`    // whole files that had been rejected
	Found      int      `json:"found"`         // notifications that SEND has
	Unknown    int      `json:"unknown"`       // sound rows that SEND does not have
	Awaiting   []string `json:"await_release"` // their batches, which a person must release or discard
	Foreign    int      `json:"other_installations"`
	Problems   []string `json:"problems"`
	MovedAside string   `json:"moved_aside,omitempty"` // where the ledger that was there is now
}

// Rebuild makes a new ledger from the folders of all flows and from SEND's look-ups,
// for when the old one is lost and there is no backup. It is built beside, in
// ledger.db.rebuild, and takes the old one's place at the end only, so that nothing is
// sent before; killed at any point it is simply run again and goes on. Errors are
// *ExitError: 2 where a readable ledger is there, 4 where SEND or a folder was not
// available, 5 where a connector is running.
func Rebuild(ctx context.Context, cfg *config.Config, opts Options, o RebuildOptions) (*RebuildReport, error) {
	if err := nobodyRuns(ctx, cfg); err != nil {
		return nil, err
	}
	path := filepath.Join(cfg.Data, "ledger.db")
	if err := mayReplace(path, o); err != nil {
		return nil, err
	}
	was := stampOf(path)
	report := &RebuildReport{Awaiting: []string{}, Problems: []string{}}
	c, err := open(ctx, cfg, opts, ledger.RebuildPath(path))
	if err != nil {
		return nil, err
	}
	err = c.rebuild(ctx, report)
	if err = errors.Join(err, c.Close()); err != nil {
		return nil, &ExitError{
			Exit: faultExit(err), Message: "the ledger is not rebuilt yet: " + err.Error(),
			Hint: "nothing was sent, and nothing is sent before it is finished; run connector ledger rebuild again, and it goes on where it stopped",
		}
	}
	// It may have taken an hour, in which a scheduled pass has used the old ledger.
	if err := errors.Join(nobodyRuns(ctx, cfg), mayReplace(path, o)); err != nil {
		return nil, err
	}
	if stampOf(path) != was {
		return nil, &ExitError{
			Exit: ExitBusy, Code: "C-LEDGER-BUSY", Message: "another process used the old ledger meanwhile: " + path,
			Hint: "nothing was replaced; stop the service and the scheduled passes, and run connector ledger rebuild again",
		}
	}
	report.MovedAside, err = ledger.Install(path, c.opts.Clock())
	return report, err
}

// stampOf tells one state of a file from another, as far as its time and size do.
func stampOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.ModTime().UnixNano(), info.Size())
}

// nobodyRuns makes sure that no connector works on the data folder, even with a ledger
// that was deleted under it.
func nobodyRuns(ctx context.Context, cfg *config.Config) error {
	var s Status
	err := askInto(ctx, cfg.Data, "status", StatusQuery{}, &s)
	if errors.Is(err, ErrNoService) {
		return nil
	}
	return &ExitError{
		Exit: ExitBusy, Code: "C-LEDGER-BUSY", Message: fmt.Sprintf("a connector is running on %s", cfg.Data),
		Hint: "stop it first: this command needs the ledger for itself",
	}
}

// mayReplace refuses where a ledger that can be read would be replaced.
func mayReplace(path string, o RebuildOptions) error {
	err := ledger.CheckFile(path)
	if _, damaged := errors.AsType[*ledger.CorruptError](err); damaged || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if locked, ok := errors.AsType[*ledger.LockedError](err); ok {
		return &ExitError{Exit: ExitBusy, Code: "C-LEDGER-BUSY", Message: locked.Error(), Hint: "stop it first: a rebuilding needs the ledger for itself"}
	}
	if err != nil {
		return err
	}
	if o.MoveAside {
		return nil
	}
	return &ExitError{
		Exit: ExitUsage, Message: "there is a ledger that can be read: " + path,
		Hint: "a rebuilt ledger knows less than the one it replaces (holds, discarded rows, history). To rebuild all the same: --move-aside, which keeps the old one under another name",
	}
}

func (c *Connector) rebuild(ctx context.Context, report *RebuildReport) error {
	r := newRecall(c, report)
	found, err := c.ingest.Rebuild(r.with(ctx), c.ingestFlows(""), r)
	report.Batches, report.Unreadable, report.Foreign = found.Batches, found.Unreadable, found.Foreign
	report.Problems = append(report.Problems, found.Problems...)
	if err != nil {
		return err
	}
	unclaimed, err := r.unclaimed(ctx)
	if err != nil {
		return err
	}
	report.Problems = append(report.Problems, unclaimed...)
	if faults := c.ledger.Verify(); len(faults) > 0 {
		return fmt.Errorf("the rebuilt ledger does not verify: %w", errors.Join(faults...))
	}
	return nil
}
