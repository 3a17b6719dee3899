package connector

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"sendconnector/internal/config"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// CompactReport tells what compacting came to, in bytes.
type CompactReport struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

// Compact makes the ledger as small as it can be. It needs the ledger for itself:
// *ExitError 5 while a connector runs. Where it fails, or is killed, the ledger is as it
// was, or compact.
func Compact(ctx context.Context, cfg *config.Config, opts Options) (*CompactReport, error) {
	opts = opts.withDefaults()
	if err := nobodyRuns(ctx, cfg); err != nil {
		return nil, err
	}
	c := &Connector{cfg: cfg, opts: opts}
	if _, err := os.Lstat(c.ledgerPath()); errors.Is(err, fs.ErrNotExist) && !besides(c.ledgerPath()) {
		return nil, usage("there is no ledger in %s", cfg.Data)
	}
	r := &CompactReport{}
	var err error
	r.Before, r.After, err = ledger.CompactFile(ctx, c.ledgerPath(), ledger.Options{Clock: opts.Clock, Language: notification.Lang(cfg.Language), Step: opts.Step})
	if err != nil {
		return nil, c.ledgerError(err)
	}
	return r, nil
}

// besides tells whether something says that there was a ledger.
func besides(path string) bool {
	found, err := filepath.Glob(path + ".*")
	return err == nil && len(found) > 0
}
