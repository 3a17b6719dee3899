package outbox

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sendconnector/internal/ledger"
)

func (h *house) artifacts(id ledger.ID) []*ledger.Artifact {
	h.t.Helper()
	var all []*ledger.Artifact
	h.must(h.ledger.View(h.ctx, func(tx *ledger.Tx) error {
		var err error
		all, err = tx.Artifacts(id)
		return err
	}))
	return all
}

func (h *house) spoolFiles() []string {
	h.t.Helper()
	found, err := filepath.Glob(filepath.Join(h.data, "documents", "*"))
	h.must(err)
	return found
}

// Rule 29. Damage prevented: a legal proof that is not on disk, not in the index, or
// left behind in the spool.
func TestRule29PlacesAndIndexes(t *testing.T) {
	h := newHouse(t)
	b := h.drop("tari.csv", 2, 0)
	ids := h.ids(b.ID)
	h.accept(ids...)
	o := h.outbox()
	h.fetched(ids[0], "key-1", "PDF one")
	h.fetched(ids[0], "key-2", "PDF two")
	if r := h.pass(o); r.Documents != 2 {
		t.Errorf("report %+v", r)
	}
	rows := h.table(indexFile(b.ID))
	if len(rows) != 2 {
		t.Fatalf("index %v", rows)
	}
	for _, r := range rows {
		content := h.read("documenti/" + b.ID + "/" + r["file"])
		if hash, _ := hashOfReader(strings.NewReader(content)); hash != r["sha256"] || r["byte"] != "7" {
			t.Errorf("index line %v does not fit %q", r, content)
		}
		if r["protocollo"] != "tari/1/1" || r["destinatario"] != "1" || r["categoria"] != "SENDER_ACK" {
			t.Errorf("index line %v", r)
		}
	}
	for _, a := range h.artifacts(ids[0]) {
		if a.State != ledger.Placed || a.Path == "" || a.Spool != "" {
			t.Errorf("artifact %+v", a)
		}
	}
	if left := h.spoolFiles(); len(left) != 0 {
		t.Errorf("left in the spool: %v", left)
	}
	if got := h.table(outcomeName(b))[0]["send_documenti"]; got != "2/2" {
		t.Errorf("send_documenti %q", got)
	}
	before := h.read(indexFile(b.ID))
	h.fetched(ids[1], "key-1", "PDF three")
	h.now = h.now.Add(o.opts.Refresh)
	h.pass(o)
	if after := h.read(indexFile(b.ID)); !strings.HasPrefix(after, before) || len(h.table(indexFile(b.ID))) != 3 {
		t.Errorf("index %q", after)
	}
}

// Damage prevented: a damaged download stands as legal proof, or a lost one is never
// fetched again.
func TestRule29DamagedSpoolIsFetchedAgain(t *testing.T) {
	for name, spoil := range map[string]func(string) error{
		"missing": os.Remove,
		"damaged": func(path string) error { return os.WriteFile(path, []byte("PDF onX"), 0o600) },
		"half":    func(path string) error { return os.Truncate(path, 3) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			b := h.drop("tari.csv", 1, 0)
			id := h.ids(b.ID)[0]
			h.accept(id)
			h.fetched(id, "key-1", "PDF one")
			h.must(spoil(h.spoolFiles()[0]))
			o := h.outbox()
			if r := h.pass(o); r.Documents != 0 {
				t.Errorf("report %+v", r)
			}
			if a := h.artifacts(id)[0]; a.State != ledger.Wanted || a.Path != "" {
				t.Errorf("artifact %+v", a)
			}
			for _, f := range h.names() {
				if strings.HasSuffix(f, ".pdf") || strings.HasSuffix(f, ".tmp") {
					t.Errorf("published %s", f)
				}
			}
			h.fetched(id, "key-1", "PDF one")
			if r := h.pass(o); r.Documents != 1 {
				t.Errorf("report %+v", r)
			}
		})
	}
}

// Damage prevented: two documents whose eight digits agree, one over the other.
func TestRule29NameTaken(t *testing.T) {
	n := &ledger.Notification{OwnerBatch: "b", IUN: "I"}
	a := &ledger.Artifact{Key: "one", Category: "AAR", Filename: "a.pdf"}
	other := &ledger.Artifact{Key: "two", State: ledger.Placed, Path: strings.ToLower(documentName(n, a, 8))}
	if !takenByAnother([]*ledger.Artifact{a, other}, a, documentName(n, a, 8)) {
		t.Error("a name that differs in case only is free")
	}
	if takenByAnother([]*ledger.Artifact{a, other}, a, documentName(n, a, 16)) {
		t.Error("the longer name is taken")
	}
}

// Damage prevented: a document is lost because the process died between the commit
// and the removal of its spool copy, or its copy stays in the spool for ever.
func TestSpoolIsFreedAfterACrash(t *testing.T) {
	h := newHouse(t)
	b := h.drop("tari.csv", 1, 0)
	id := h.ids(b.ID)[0]
	h.accept(id)
	h.fetched(id, "key-1", "PDF one")
	o := h.outbox(stopAt(stepDocumentFree + ":before"))
	if _, err := o.Pass(h.ctx, h.state()); err == nil {
		t.Fatal("not stopped")
	}
	if len(h.spoolFiles()) != 1 {
		t.Fatal("spool freed before its time")
	}
	h.reopen()
	h.must(h.outbox().Reconcile(h.ctx))
	if len(h.spoolFiles()) != 0 {
		t.Error("spool copy left")
	}
	if !slices.ContainsFunc(h.names(), func(n string) bool { return strings.HasSuffix(n, ".pdf") }) {
		t.Error("document lost")
	}
}
