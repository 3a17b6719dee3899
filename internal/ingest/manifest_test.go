package ingest

import (
	"context"
	"errors"
	"strings"
	"testing"

	"sendconnector/internal/folder"
)

// Damage prevented: a manifest that an older version left in work/ or in ten years of
// archive can no longer be read. This text is frozen.
const manifest1 = `{
 "version": 1, "installation": "prova", "batch": "20261122T143015-0a1b2c3d", "flow": "tari",
 "claimed_at": "2026-11-22T13:30:15.5Z", "sender": "comune", "sender_tax_id": "01199250158",
 "environment": "simulator", "outbox": "out", "name": "sub/elenco.csv", "kind": "csv", "heading": ["a", "b"],
 "export": {"source": "in/sub/elenco.csv", "dest": "sub/elenco.csv", "size": 7, "modified": "2026-11-22T13:00:00Z",
  "sha256": "0a1b", "spool": "spool/20261122T143015-0a1b2c3d/000000.csv"},
 "done": {"source": "in/sub/elenco.csv.ok", "dest": "sub/elenco.csv.ok", "size": 0, "modified": "2026-11-22T13:00:00Z"},
 "documents": [
  {"source": "in/sub/a.pdf", "dest": "sub/a.pdf", "size": 3, "modified": "2026-11-22T13:00:00Z", "sha256": "ff",
   "spool": "spool/20261122T143015-0a1b2c3d/000001.pdf", "names": ["a.pdf", "A.pdf"], "take": true},
  {"source": "", "dest": "earlier/x", "size": 3, "modified": "0001-01-01T00:00:00Z", "names": ["b.pdf"],
   "from": "20261101T080000-11111111", "protocol": "P2", "from_spool": "spool/y", "from_archive": "archive/z", "from_sha256": "ee"}],
 "missing": [{"name": "c.pdf", "protocol": "P3", "code": "C-DOCUMENT-MISSING"}],
 "profile_name": "tari.yaml", "profile": "cHJvZmlsZQ==",
 "problem": {"severity": "error", "code": "C-X", "message": "m"}, "exclusive": true, "archived": true
}`

func TestManifestFormatIsFrozen(t *testing.T) {
	m, err := DecodeManifest(strings.NewReader(manifest1))
	if err != nil {
		t.Fatal(err)
	}
	var again strings.Builder
	c := &claim{Manifest: m}
	if err := c.encode(&again); err != nil {
		t.Fatal(err)
	}
	squeeze := func(s string) string {
		return strings.Join(strings.Fields(strings.NewReplacer(",", " , ", "[", " [ ", "]", " ] ", "{", " { ", "}", " } ").Replace(s)), " ")
	}
	if got, want := squeeze(again.String()), squeeze(manifest1); got != want {
		t.Errorf("written again:\n%s\nwant:\n%s", got, want)
	}
	if _, err := DecodeManifest(strings.NewReader(`{"version": 2, "batch": "b"}`)); err == nil {
		t.Error("a manifest of a newer program was understood")
	}
	if _, err := DecodeManifest(strings.NewReader(manifest1[:200])); err == nil {
		t.Error("half a manifest was understood")
	}
}

// Damage prevented: a drop that can never be claimed is found out on the first day
// of business and not by check.
func TestRule25CheckTriesTheRename(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	for range 2 {
		if err := TryFolders(ctx, r.flow, r.ingest.opts.Installation); err != nil {
			t.Fatal(err)
		}
	}
	r.wantFiles()
	r.drop("work/.connector-prova.tmp", "")
	if err := TryFolders(ctx, r.flow, r.ingest.opts.Installation); err != nil {
		t.Error(err)
	}
	r.wantFiles()
	r.flow.Folder = elsewhere{r.flow.Folder, folder.ErrVolume}
	if err := TryFolders(ctx, r.flow, r.ingest.opts.Installation); !errors.Is(err, folder.ErrVolume) {
		t.Errorf("got %v, want ErrVolume", err)
	}
	r.wantFiles()
	r.flow.Exclusive = true
	if err := TryFolders(ctx, r.flow, r.ingest.opts.Installation); err != nil {
		t.Error(err)
	}
}
