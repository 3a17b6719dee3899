package ingest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sendconnector/internal/folder"
	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/ledger"
)

// Damage prevented: notifications go out without their documents, or with half of
// one; or sound rows wait for ever behind a missing file.
func TestRule27Complete(t *testing.T) {
	r := newRig(t)
	r.drop("in/elenco.csv", export)
	r.settled()
	report := r.pass(0)
	r.wantWaiting(report, "elenco.csv C-DOCUMENTS-AWAITED")
	if got := report.Waiting[0].Missing; !slices.Equal(got, []string{"a.pdf", "sub/b.pdf"}) {
		t.Errorf("missing %q", got)
	}
	r.drop("in/a.pdf", "atto a")
	r.drop("in/sub/b.pdf", "half")
	r.wantWaiting(r.pass(5*time.Second), "elenco.csv C-DOCUMENTS-SETTLING")
	r.now = r.now.Add(5 * time.Second)
	r.drop("in/sub/b.pdf", "half and the rest")
	r.wantWaiting(r.pass(0), "elenco.csv C-DOCUMENTS-SETTLING")
	r.wantWaiting(r.pass(10 * time.Second))
	r.wantVerdicts(r.one().ID, "2 P1 LINKED", "3 P2 LINKED")
}

// Damage prevented: documents that a pattern waits for have come, and the file goes on
// waiting for its deadline; or every pass reads the file again while they have not.
func TestRule27PatternIsAskedAgain(t *testing.T) {
	r := newRig(t)
	r.drop("in/elenco.csv", "protocollo;documento\nP1;cart/*.pdf\n")
	r.settled()
	r.wantWaiting(r.pass(0), "elenco.csv C-DOCUMENTS-AWAITED")
	asked := r.content.asked
	r.drop("in/altro.pdf", "not it")
	r.wantWaiting(r.pass(time.Second), "elenco.csv C-DOCUMENTS-AWAITED")
	if r.content.asked != asked {
		t.Errorf("asked %d times for a file that nothing new matches", r.content.asked-asked)
	}
	r.drop("in/Cart/ATTO.PDF", "atto")
	r.pass(time.Second)
	if r.content.asked != asked+1 {
		t.Errorf("asked %d times after a match came", r.content.asked-asked)
	}
}

// After the deadline sound rows go; a document that is still growing is waited for
// even then.
func TestRule27Deadline(t *testing.T) {
	r := newRig(t)
	r.drop("in/elenco.csv", export+"P3;\nP4;../fuori.pdf\nP5;C:\\x\\y.pdf\n")
	r.settled()
	r.wantWaiting(r.pass(59*time.Minute), "elenco.csv C-DOCUMENTS-AWAITED")
	r.drop("in/a.pdf", "growing")
	r.wantWaiting(r.pass(time.Minute), "elenco.csv C-DOCUMENTS-SETTLING")
	r.wantWaiting(r.pass(10 * time.Second))
	r.wantVerdicts(r.one().ID, "2 P1 LINKED", "3 P2 REJECTED C-DOCUMENT-MISSING", "4 P3 LINKED",
		"5 P4 REJECTED C-DOCUMENT-OUTSIDE", "6 P5 REJECTED C-DOCUMENT-OUTSIDE")
}

// on_missing: file rejects the whole and leaves the documents that are there.
func TestRule27OnMissingFile(t *testing.T) {
	r := newRig(t)
	r.flow.OnMissingFile = true
	r.drop("in/elenco.csv", export)
	r.drop("in/a.pdf", "atto a")
	r.settled()
	report := r.pass(time.Hour)
	b := r.one()
	if b.State != ledger.Unreadable || b.Problem == nil || b.Problem.Code != "C-DOCUMENTS-MISSING" || !strings.Contains(b.Problem.Message, "sub/b.pdf") {
		t.Errorf("batch %+v", b)
	}
	if len(report.Taken) != 1 || report.Taken[0].Problem == nil {
		t.Errorf("taken %+v", report.Taken)
	}
	dir := "rejected/" + b.ID
	r.wantFiles("in/a.pdf", dir+"/elenco.csv", dir+"/elenco.csv.motivo.txt")
	text, err := os.ReadFile(r.path(dir + "/elenco.csv.motivo.txt"))
	if err != nil || !strings.HasPrefix(string(text), "\ufeffFile: elenco.csv\r\n") || !strings.Contains(string(text), "C-DOCUMENTS-MISSING") {
		t.Errorf("reason %q, %v", text, err)
	}
}

// Damage prevented: a corrected row is dropped again without its PDF, which the
// connector has had since last week; or the PDF of another notification is used.
func TestRule27EarlierDocuments(t *testing.T) {
	for _, freed := range []bool{false, true} {
		r := newRig(t)
		r.drop("in/prima.csv", "p\nP1;a.pdf,m.pdf\nP2;b.pdf\n")
		r.drop("in/a.pdf", "atto a")
		r.drop("in/b.pdf", "atto b")
		r.settled()
		r.pass(time.Hour)
		first := r.one()
		r.wantVerdicts(first.ID, "2 P1 REJECTED C-DOCUMENT-MISSING", "3 P2 LINKED")
		if freed {
			// The private copies are gone; the archive has the bytes.
			foldertest.RemoveAll(t, filepath.Join(r.data, spoolDir, first.ID))
		}
		r.drop("in/seconda.csv", "p\nP1;a.pdf,m.pdf\nP9;b.pdf\n")
		r.drop("in/m.pdf", "atto m")
		r.settled()
		r.pass(time.Hour)
		second := r.batches()[1]
		r.wantVerdicts(second.ID, "2 P1 LINKED C-DOCUMENT-EARLIER", "3 P9 REJECTED C-DOCUMENT-MISSING")
		for _, s := range second.Spool {
			if s.Name == "a.pdf" && s.Hash != first.Spool[1].Hash && s.Hash != first.Spool[2].Hash {
				t.Errorf("freed %v: another document was used: %+v", freed, s)
			}
		}
	}
}

// Damage prevented: a document that two exports name leaves with the first, and the
// second is rejected for want of it.
func TestRule26SharedDocumentsStayForOthers(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;comune.pdf\n")
	r.drop("in/b.csv", "p\nP2;comune.pdf\n")
	r.drop("in/comune.pdf", "informativa")
	r.settled()
	all := r.batches()
	if len(all) != 2 {
		t.Fatalf("%d batches", len(all))
	}
	var want []string
	for _, b := range all {
		r.wantVerdicts(b.ID, "2 "+r.verdicts(b.ID)[0][2:4]+" LINKED")
		want = append(want, b.Archive+"/"+b.File, b.Archive+"/comune.pdf")
	}
	slices.Sort(want)
	r.wantFiles(want...)
}

// An export that is not yet settled may name anything: documents stay until that is
// known, and leave then.
func TestRule26UnsettledExportKeepsDocuments(t *testing.T) {
	r := newRig(t)
	r.drop("in/a.csv", "p\nP1;comune.pdf\n")
	r.drop("in/comune.pdf", "informativa")
	r.pass(0)
	r.now = r.now.Add(5 * time.Second)
	r.drop("in/b.csv", "p\nP2;altro.pdf\n")
	r.pass(0)
	r.wantWaiting(r.pass(5*time.Second), "b.csv C-FILE-SETTLING", "comune.pdf C-DOCUMENT-SHARED")
	b := r.one()
	r.wantFiles(b.Archive+"/a.csv", b.Archive+"/comune.pdf", "in/b.csv", "in/comune.pdf")
	r.wantWaiting(r.pass(5*time.Second), "b.csv C-DOCUMENTS-AWAITED")
	r.wantFiles(b.Archive+"/a.csv", b.Archive+"/comune.pdf", "in/b.csv")
}

// documents: copy, and a documents folder, leave everything where it is.
func TestRule26CopyAndDocumentsFolder(t *testing.T) {
	r := newRig(t)
	r.flow.Take, r.flow.DocumentsDir = false, "pdf"
	r.drop("in/a.csv", "p\nP1;uno.pdf,due.pdf\n")
	r.drop("in/uno.pdf", "1")
	r.drop("pdf/due.pdf", "2")
	r.settled()
	r.wantWaiting(r.pass(10 * time.Second))
	b := r.one()
	r.wantVerdicts(b.ID, "2 P1 LINKED")
	r.wantFiles(b.Archive+"/a.csv", b.Archive+"/documents/due.pdf", b.Archive+"/uno.pdf", "in/uno.pdf", "pdf/due.pdf")
	r.wantWaiting(r.pass(48 * time.Hour))
}

// Damage prevented: documents of a Windows program are not found for an accent, a
// back-slash or a capital letter; or the wrong one of two is.
func TestDocumentNamesAsPeopleWriteThem(t *testing.T) {
	r := newRig(t)
	r.drop("in/gen/a.csv", "p\nP1;Atto\\PERCHÉ.PDF\nP2;doppio.pdf\nP3;x.pdf\n")
	r.drop("in/gen/atto/perche\u0301.pdf", "1")
	r.drop("in/gen/x.pdf", "exact")
	if runtime.GOOS != "windows" {
		r.drop("in/gen/Doppio.pdf", "1")
		r.drop("in/gen/DOPPIO.pdf", "2")
		r.drop("in/gen/X.pdf", "other")
	}
	r.settled()
	r.pass(time.Hour)
	b := r.one()
	if b.File != "gen/a.csv" {
		t.Errorf("export is named %q", b.File)
	}
	if runtime.GOOS == "windows" {
		return // one name cannot be there twice
	}
	r.wantVerdicts(b.ID, "2 P1 LINKED", "3 P2 REJECTED C-DOCUMENT-AMBIGUOUS", "4 P3 LINKED")
}

// held is a folder in which one file is open in another program.
type held struct {
	folder.Folder
	name string
}

func (h held) Move(ctx context.Context, from, to string) error {
	if from == h.name {
		return &folder.Error{Op: "move", Name: from, Kind: folder.ErrBusy}
	}
	return h.Folder.Move(ctx, from, to)
}

// Damage prevented: a PDF open in a viewer stops its whole batch, or stays in the
// drop for ever, or is deleted although its name has got other content.
func TestRule25DocumentHeldOpenIsRemovedLater(t *testing.T) {
	for _, changed := range []bool{false, true} {
		r := newRig(t)
		whole := r.flow.Folder
		r.flow.Folder = held{whole, "in/a.pdf"}
		r.drop("in/a.csv", "p\nP1;a.pdf\n")
		r.drop("in/a.pdf", "atto")
		r.settled()
		r.wantWaiting(r.pass(time.Second), "a.pdf C-DOCUMENT-OPEN")
		b := r.one()
		r.wantVerdicts(b.ID, "2 P1 LINKED")
		r.wantFiles(b.Archive+"/a.csv", b.Archive+"/a.pdf", "in/a.pdf")
		r.restart()
		if changed {
			r.drop("in/a.pdf", "un altro atto")
		}
		r.flow.Folder = whole
		r.wantWaiting(r.pass(time.Second))
		want := []string{b.Archive + "/a.csv", b.Archive + "/a.pdf"}
		if changed {
			want = append(want, "in/a.pdf")
		}
		r.wantFiles(want...)
	}
}

// Damage prevented: a name in a row leads out of the drop, whatever it is made of.
func TestRelativeNamesNeverLeadOut(t *testing.T) {
	for name, want := range map[string]string{
		"a.pdf": "sub/a.pdf", `x\a.pdf`: "sub/x/a.pdf", " a.pdf ": "sub/a.pdf", "./a.pdf": "sub/a.pdf", "../a.pdf": "a.pdf",
		"../../a.pdf": "", "/a.pdf": "", `\a.pdf`: "", `C:\a.pdf`: "", "C:a.pdf": "", "": "", ".": "sub", "..": "", `..\..\a.pdf`: "",
	} {
		got, ok := relative("sub", name)
		if !ok {
			got = ""
		}
		if got != want {
			t.Errorf("relative(%q) = %q, want %q", name, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		dir := rapid.SampledFrom([]string{".", "sub", "sub/deep"}).Draw(t, "dir")
		parts := rapid.SliceOf(rapid.SampledFrom([]string{"..", ".", "", "a", "C:", "\\", "/", "b.pdf", " "})).Draw(t, "parts")
		name := strings.Join(parts, rapid.SampledFrom([]string{"/", "\\", ""}).Draw(t, "by"))
		if got, ok := relative(dir, name); ok && !filepath.IsLocal(filepath.FromSlash(got)) {
			t.Errorf("relative(%q, %q) = %q", dir, name, got)
		}
	})
}

// Damage prevented: on a server that tells no times a clerk's new PDF of the same size is
// moved into the archive as the one that was sent, and is gone from the drop.
func TestSameSizeWithoutTimesIsNotTheSameFile(t *testing.T) {
	r := newRig(t)
	ctx := context.Background()
	none := time.Unix(0, 0)
	for text, want := range map[string]bool{"1": true, "2": false} {
		r.drop("in/a.pdf", text)
		if err := os.Chtimes(r.path("in/a.pdf"), none, none); err != nil {
			t.Fatal(err)
		}
		claimed := &File{Source: "in/a.pdf", Size: 1, Modified: none, Hash: fmt.Sprintf("%x", sha256.Sum256([]byte("1")))}
		if same, err := sameFile(ctx, r.flow, claimed); err != nil || same != want {
			t.Errorf("content %s: same %v, %v", text, same, err)
		}
	}
}
