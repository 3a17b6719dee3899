package connector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/ingest"
	"sendconnector/internal/ledger"
	"sendconnector/internal/mapping"
	"sendconnector/internal/notification"
	"sendconnector/internal/outbox"
	"sendconnector/internal/table"
	"sendconnector/internal/yamldoc"
)

// flow is one drop with its sender and its profile.
type flow struct {
	ingest.Flow
	cfg    *config.Flow
	place  *place
	sender *sender
	lang   notification.Lang
}

// batch is the identity that batches of this flow have, for verdicts without one.
func (f *flow) batch() ledger.Batch {
	return ledger.Batch{Flow: f.Name, Sender: f.Sender, SenderTaxID: f.SenderTaxID, Environment: f.Environment, Outbox: f.Outbox}
}

// bundle is a profile with the tables beside it, as it is kept in the manifest of a
// batch: what is claimed is read as it was claimed (rule 10).
type bundle struct {
	Name   string            `json:"name"`
	Source []byte            `json:"source"`
	Tables map[string][]byte `json:"tables,omitempty"`
}

// LoadProfile reads a profile and everything beside it that it names. Mistakes come
// as yamldoc.Errors.
func LoadProfile(path string) (*mapping.Profile, []byte, error) {
	p, err := mapping.Load(path)
	if err != nil {
		return nil, nil, err
	}
	b := bundle{Name: path, Source: p.Source(), Tables: map[string][]byte{}}
	for _, name := range p.Companions() {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(path), filepath.FromSlash(name)))
		if err != nil {
			return nil, nil, fmt.Errorf("profile: %w", err)
		}
		b.Tables[name] = data
	}
	packed, err := json.Marshal(b)
	return p, packed, err
}

// unpackProfile gives back what LoadProfile packed; nil for a flow without profile.
func unpackProfile(packed []byte) (*mapping.Profile, error) {
	if len(packed) == 0 {
		return nil, nil //nolint:nilnil // a jsonl flow has none
	}
	var b bundle
	if err := json.Unmarshal(packed, &b); err != nil {
		return nil, fmt.Errorf("profile in the manifest: %w", err)
	}
	return mapping.Parse(b.Name, b.Source, func(name string) ([]byte, error) {
		if data, ok := b.Tables[name]; ok {
			return data, nil
		}
		return nil, fs.ErrNotExist
	})
}

// buildFlows loads every profile; all mistakes of all profiles are told at once.
func (c *Connector) buildFlows(used map[string]bool) error {
	var mistakes yamldoc.Errors
	for _, name := range names(c.cfg.Flows) {
		f, err := c.newFlow(name, c.cfg.Flows[name], used[name])
		if list, ok := errors.AsType[yamldoc.Errors](err); ok {
			mistakes = append(mistakes, list...)
			continue
		}
		if err != nil {
			return usage("flows.%s: %v", name, err)
		}
		c.flows[name] = f
	}
	return mistakes.OrNil()
}

func (c *Connector) newFlow(name string, cfg *config.Flow, used bool) (*flow, error) {
	s := c.senders[cfg.Sender]
	f := &flow{cfg: cfg, sender: s, lang: notification.Lang(cfg.Language)}
	kind := "jsonl"
	if cfg.Profile != "" {
		p, packed, err := LoadProfile(cfg.Profile)
		if err != nil {
			return nil, err
		}
		kind, f.Profile, f.ProfileName = p.Reads().Kind, packed, filepath.Base(cfg.Profile)
	}
	root, at, err := c.folderAt(cfg.Source.Remote, cfg.Source.Root, used)
	if err != nil {
		return nil, err
	}
	f.place = at
	documents := cfg.Documents.Folder
	if cfg.Source.Remote == "" {
		if documents, err = relativeTo(cfg.Source.Root, documents); err != nil {
			return nil, fmt.Errorf("documents.folder: %w", err)
		}
	}
	folders := cfg.Source.Folders
	f.Flow = ingest.Flow{
		Name: name, Sender: cfg.Sender, SenderTaxID: s.cfg.TaxID, Environment: s.environment, Outbox: cfg.Outbox, Lang: f.lang,
		Folder: root, In: folders.In, Work: folders.Work, Archive: folders.Archive, Rejected: folders.Rejected,
		Match: cfg.Source.Match, Settle: *cfg.Source.Settle, DoneSuffix: cfg.Source.DoneFile,
		DocumentsDir: documents, Take: cfg.Documents.Mode == "take", DocumentsDeadline: *cfg.Documents.Deadline,
		OnMissingFile: cfg.Documents.OnMissing == "file", Exclusive: cfg.Source.Exclusive,
		Release: ingest.GateConfig{Mode: ingest.GateMode(cfg.Release.Mode), Delay: cfg.Release.Delay, Max: *cfg.Release.MaxNotifications},
		Profile: f.Profile, ProfileName: f.ProfileName,
	}
	if len(f.Match) == 0 {
		f.Match = usualNames(kind)
	}
	return f, nil
}

// usualNames are the exports taken when the flow names none. An outcome file that
// comes back may be CSV or XLSX whatever the export was (rule 12).
func usualNames(kind string) []string {
	if kind == "jsonl" {
		return []string{"*.jsonl", "*.csv", "*.xlsx"}
	}
	return []string{"*.csv", "*.txt", "*.xlsx", "*.xls", "*.xlsm"}
}

// relativeTo gives dir relative to root: documents are reached through the flow's own
// folder.
func relativeTo(root, dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	rel, err := filepath.Rel(root, dir)
	if err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s must lie below the flow's root %s", dir, root)
	}
	return filepath.ToSlash(rel), nil
}

func (c *Connector) buildOutboxes(used map[string]bool) error {
	for _, name := range names(c.cfg.Outboxes) {
		cfg := c.cfg.Outboxes[name]
		dir, at, err := c.folderAt(cfg.Remote, cfg.Path, used[name])
		if err != nil {
			return usage("outboxes.%s: %v", name, err)
		}
		c.places[name] = at
		c.outboxes[name] = outbox.New(outbox.Options{
			Ledger: c.ledger, Name: name, Folder: dir, Data: c.cfg.Data, Clock: c.opts.Clock, Step: c.opts.Step,
			Lang: c.lang, Refresh: cfg.Refresh, Heartbeat: cfg.Heartbeat, MaxLines: cfg.MaxLines, Log: c.opts.Log,
		})
	}
	return nil
}

// outboxState is what stato.csv must show and only the running connector knows.
func (c *Connector) outboxState(ctx context.Context, name string, flush bool) (outbox.State, error) {
	now := c.opts.Clock()
	state := outbox.State{Condition: outbox.Running, Since: c.started, NextCheck: now.Add(longestPause), Flush: flush}
	holds, err := c.holdsShown(ctx)
	if err != nil {
		return state, err
	}
	for _, flowName := range names(c.flows) {
		f := c.flows[flowName]
		if f.Outbox != name {
			continue
		}
		state.Flows = append(state.Flows, outbox.Flow{Name: flowName, Sender: f.Sender, NextCheck: now.Add(f.cfg.Source.Poll)})
		switch h := f.sender.heldBy(holds); {
		case h != nil:
			state.Condition, state.Why, state.Since = outbox.Paused, h.Detail, h.Since
		case state.Condition == outbox.Running && state.Why == "":
			state.Why = c.clockFault(f.sender)
		}
	}
	if c.dataIsFull(ctx) {
		state.Condition, state.Why = outbox.Paused, c.dataFull().Message
	}
	if c.stopped.Load() {
		state.Condition, state.Why, state.Since, state.NextCheck = outbox.Stopping, "", now, time.Time{}
	}
	return state, nil
}

// ingestFlows gives the flows to ingest, all or one.
func (c *Connector) ingestFlows(only string) []*ingest.Flow {
	var all []*ingest.Flow
	for _, name := range names(c.flows) {
		if only == "" || only == name {
			all = append(all, &c.flows[name].Flow)
		}
	}
	return all
}

// format is what the reader is asked to expect of a file of this flow.
func format(p *mapping.Profile) table.Format {
	if p == nil {
		return table.Format{Kind: "jsonl"}
	}
	return p.Reads()
}

// asMistakes reports whether an error is the mistakes of a YAML file.
func asMistakes(err error) (yamldoc.Errors, bool) { return errors.AsType[yamldoc.Errors](err) }
