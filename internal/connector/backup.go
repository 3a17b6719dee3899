package connector

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The ledger is copied once a day by itself, while it is in use, into a folder of the
// administrator's choice. The names tell the time; nothing else remembers it, so that
// copies which somebody removes are made again.

const (
	backupPrefix = "ledger-"
	backupSuffix = ".db"
	backupLayout = "20060102T150405Z" // UTC: sorts as text, also in the night when the clock goes back

	backupEvery = 24 * time.Hour
	backupPause = 15 * time.Minute // until a copy that failed is tried again
)

// BackupState is what there is to fall back on.
type BackupState struct {
	Folder  string    `json:"folder"`
	Newest  string    `json:"newest,omitempty"` // "" = none
	At      time.Time `json:"at,omitzero"`
	Problem string    `json:"problem,omitempty"` // why the last try failed
}

// BackupArgs name the file to write, an absolute path.
type BackupArgs struct {
	File string `json:"file"`
}

// LedgerBackup writes a hot copy of the ledger. An existing file is not overwritten.
func (c *Connector) LedgerBackup(ctx context.Context, a BackupArgs) (*Done, error) {
	if !filepath.IsAbs(a.File) {
		return nil, usage("the backup needs an absolute path")
	}
	n, err := c.ledger.BackupFile(ctx, a.File)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil, usage("%s exists already; a backup never overwrites", a.File)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return nil, usage("%v", err)
	case err != nil:
		return nil, err
	}
	return &Done{c.say("backup written: ", "copia scritta: ") + a.File + " (" + itoa(int(n)) + " byte)"}, nil
}

// backup makes the daily copy where it is due and removes the oldest beyond those to
// keep; it gives the time of the next. After a crash anywhere the next call finds the
// copies that are whole and makes what is missing.
func (c *Connector) backup(ctx context.Context) (next time.Time, err error) {
	keep := *c.cfg.Ledger.Keep
	if keep == 0 {
		return time.Time{}, nil
	}
	now := c.opts.Clock()
	dir := c.cfg.Ledger.Backups
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return now.Add(backupPause), fmt.Errorf("backup: %w", err)
	}
	for _, b := range backups(dir) {
		if b.at.After(now) {
			continue // the clock was wrong then, or is now
		}
		if now.Sub(b.at) < backupEvery {
			return b.at.Add(backupEvery), nil
		}
		break
	}
	if err := removeUnfinished(dir); err != nil {
		return now.Add(backupPause), err
	}
	file := filepath.Join(dir, backupPrefix+now.UTC().Format(backupLayout)+backupSuffix)
	if _, err = c.ledger.BackupFile(ctx, file); err != nil {
		return now.Add(backupPause), err
	}
	c.opts.Log.Info("ledger copied", "file", file)
	return now.Add(backupEvery), c.step(stepRotate, func() error { return rotate(dir, keep) })
}

// copyOf is one daily copy.
type copyOf struct {
	file string
	at   time.Time
}

// backups lists the daily copies in a folder, newest first. What has another name is
// nobody's business here.
func backups(dir string) []copyOf {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // none, or a folder that is away, which making the next one tells
	}
	var all []copyOf
	for _, e := range entries {
		text, ok := strings.CutPrefix(e.Name(), backupPrefix)
		text, whole := strings.CutSuffix(text, backupSuffix)
		at, err := time.Parse(backupLayout, text)
		if ok && whole && err == nil && e.Type().IsRegular() {
			all = append(all, copyOf{file: filepath.Join(dir, e.Name()), at: at})
		}
	}
	slices.SortFunc(all, func(a, b copyOf) int { return b.at.Compare(a.at) })
	return all
}

func removeUnfinished(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, backupPrefix+"*"+backupSuffix+".tmp"))
	for _, name := range left {
		err = errors.Join(err, os.Remove(name))
	}
	return err
}

func rotate(dir string, keep int) error {
	all := backups(dir)
	if len(all) <= keep {
		return nil
	}
	var err error
	for _, old := range all[keep:] {
		err = errors.Join(err, os.Remove(old.file))
	}
	return err
}

// backupPart names the daily copy among the parts that can fail.
const backupPart = "backup"

// backupState tells what there is to fall back on.
func (c *Connector) backupState() BackupState {
	s := BackupState{Folder: c.cfg.Ledger.Backups, Problem: c.notices.text(backupPart)}
	if all := backups(s.Folder); len(all) > 0 {
		s.Newest, s.At = all[0].file, all[0].at
	}
	return s
}
