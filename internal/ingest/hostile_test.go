package ingest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// claimed leaves a batch in work/ as a process that died while reading does, and
// gives its folder and manifest.
func claimed(t *testing.T, r *rig) (string, Manifest) {
	t.Helper()
	r.drop("in/elenco.csv", "p\nP1;a.pdf\n")
	r.drop("in/a.pdf", "atto a")
	r.step = func(name string) error {
		if name == StepRead+":before" || name == StepRead {
			return os.ErrDeadlineExceeded
		}
		return nil
	}
	r.pass(time.Second)
	r.now = r.now.Add(r.flow.Settle)
	_, _ = r.ingest.Pass(t.Context(), r.flow)
	r.step = nil
	found, err := filepath.Glob(r.path("work/*"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	data, err := os.ReadFile(filepath.Join(found[0], ManifestName))
	if err != nil {
		t.Fatal(err)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	if len(m.Documents) != 1 || m.Documents[0].Spool == "" {
		t.Fatalf("claimed %+v", m)
	}
	return found[0], m
}

// Damage prevented: somebody who may write in work/ makes the connector copy its
// ledger, its control token or another body's documents into the archive, move files
// about, or send as another sender.
func TestHostileManifestsDoNothing(t *testing.T) {
	const other = "20261101T080000-11111111"
	attacks := map[string]func(m *Manifest){
		"batch leads out":          func(m *Manifest) { m.Batch = "../../in" },
		"another batch":            func(m *Manifest) { m.Batch = other },
		"name leads out":           func(m *Manifest) { m.Name, m.Export.Dest = "../x.csv", "../x.csv" },
		"destination leads out":    func(m *Manifest) { m.Export.Dest = "../../../in/x.csv" },
		"source leads out":         func(m *Manifest) { m.Export.Source = "../../etc/passwd" },
		"source in the archive":    func(m *Manifest) { m.Documents[0].Source = "archive/2026/11/" + other + "/b.pdf" },
		"source in another claim":  func(m *Manifest) { m.Documents[0].Source = "work/" + other + "/b.pdf" },
		"document over manifest":   func(m *Manifest) { m.Documents[0].Dest = ManifestName },
		"document leads out":       func(m *Manifest) { m.Documents[0].Dest = "../b.pdf" },
		"document is absolute":     func(m *Manifest) { m.Documents[0].Dest = "/tmp/b.pdf" },
		"back-slashes":             func(m *Manifest) { m.Documents[0].Dest = `..\b.pdf` },
		"spool is the ledger":      func(m *Manifest) { m.Documents[0].Spool = "ledger.db" },
		"spool is the token":       func(m *Manifest) { m.Export.Spool = "control.json" },
		"spool of another batch":   func(m *Manifest) { m.Documents[0].Spool = "spool/" + other + "/000001.pdf" },
		"spool leads out":          func(m *Manifest) { m.Documents[0].Spool = "spool/" + m.Batch + "/../../ledger.db" },
		"copy without hash":        func(m *Manifest) { m.Documents[0].Hash = "" },
		"hash of the export":       func(m *Manifest) { m.Export.Hash = strings.Repeat("0", 64) },
		"done-file leads out":      func(m *Manifest) { m.Done = &File{Source: "in/x.ok", Dest: "../../x.ok"} },
		"done-file of the archive": func(m *Manifest) { m.Done = &File{Source: "archive/x.ok", Dest: "x.ok"} },
		"another sender":           func(m *Manifest) { m.Sender = "provincia" },
		"another tax code":         func(m *Manifest) { m.SenderTaxID = "00000000000" },
		"another environment":      func(m *Manifest) { m.Environment = "prod" },
		"another outbox":           func(m *Manifest) { m.Outbox = "altro" },
		"earlier batch unknown": func(m *Manifest) {
			m.Documents = append(m.Documents, Copy{
				File: File{Dest: "earlier/x.pdf"}, Names: []string{"b.pdf"}, Protocol: "P1",
				From: other, FromSpool: "spool/" + other + "/000001.pdf", FromHash: strings.Repeat("a", 64),
			})
		},
		"earlier batch leads out": func(m *Manifest) {
			m.Documents = append(m.Documents, Copy{
				File: File{Dest: "earlier/x.pdf"}, Names: []string{"b.pdf"}, Protocol: "P1",
				From: "../..", FromSpool: "control.json", FromHash: strings.Repeat("a", 64),
			})
		},
	}
	for name, attack := range attacks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			dir, m := claimed(t, r)
			attack(&m)
			data, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, ManifestName), data, 0o600); err != nil {
				t.Fatal(err)
			}
			before, spool := r.files(), r.spool()
			r.now = r.now.Add(time.Hour)
			report, err := r.ingest.Pass(t.Context(), r.flow)
			if err == nil || !strings.Contains(err.Error(), errDamaged.Error()) {
				t.Fatalf("pass: %v", err)
			}
			if len(report.Taken) > 0 {
				t.Errorf("taken %+v", report.Taken)
			}
			if got := r.files(); strings.Join(got, " ") != strings.Join(before, " ") {
				t.Errorf("files %q, before %q", got, before)
			}
			if got := r.spool(); strings.Join(got, " ") != strings.Join(spool, " ") {
				t.Errorf("private copies %q, before %q", got, spool)
			}
			shown := false
			for _, w := range report.Waiting {
				shown = shown || w.Code == "C-BATCH-MANIFEST" && strings.Contains(w.Text, "work/"+filepath.Base(dir))
			}
			if !shown {
				t.Errorf("nobody is told: %+v", report.Waiting)
			}
			// The next file goes all the same.
			r.drop("in/altro.csv", "p\nP9;\n")
			for range 2 {
				r.now = r.now.Add(r.flow.Settle)
				_, _ = r.ingest.Pass(t.Context(), r.flow)
			}
			read := false
			for _, b := range r.batches() {
				read = read || b.File == "altro.csv" && b.Archive != ""
			}
			if !read {
				t.Error("another file of the flow was not read")
			}
		})
	}
}

// Damage prevented: a document of the documents folder and one of in/documents/ have
// one place in the archive; the second is thought archived and its bytes are gone
// when somebody wants it sent again.
func TestRule26DocumentsHaveTheirOwnPlaces(t *testing.T) {
	r := newRig(t)
	r.flow.DocumentsDir = "atti"
	r.drop("in/elenco.csv", "p\nP1;x.pdf\nP2;documents/x.pdf\nP3;documents/X.PDF\n")
	r.drop("in/documents/x.pdf", "beside")
	r.drop("atti/x.pdf", "in the folder")
	r.drop("atti/documents/y.pdf", "other")
	r.settled()
	r.pass(r.flow.Settle)
	b := r.one()
	r.wantVerdicts(b.ID, "2 P1 LINKED", "3 P2 LINKED", "4 P3 LINKED")
	dir := "archive/2026/11/" + b.ID
	r.wantFiles(dir+"/2/documents/x.pdf", dir+"/documents/x.pdf", dir+"/elenco.csv", "atti/documents/y.pdf", "atti/x.pdf")
	texts := map[string]bool{}
	for _, name := range []string{"/2/documents/x.pdf", "/documents/x.pdf"} {
		text, err := os.ReadFile(r.path(dir + name))
		if err != nil {
			t.Fatal(err)
		}
		texts[string(text)] = true
	}
	if !texts["beside"] || !texts["in the folder"] {
		t.Errorf("archived %v", texts)
	}
}
