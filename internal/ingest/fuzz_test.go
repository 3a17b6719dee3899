package ingest

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode"

	"sendconnector/internal/folder"
)

// Damage prevented: a hostile manifest crashes the connector, or one that is taken
// names anything outside its batch.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(manifest1))
	f.Add([]byte(`{"version":1,"batch":"../x","export":{"spool":"ledger.db"}}`))
	f.Add([]byte(`{"version":1,"documents":[{"dest":"..\\x","source":"/etc/passwd"}]}`))
	flow := &Flow{Name: "tari"}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeManifest(bytes.NewReader(data))
		if err != nil {
			return
		}
		s := soundness{f: flow, c: &claim{Manifest: m, dir: "work/" + m.Batch}}
		s.head()
		s.export()
		for n := range m.Documents {
			s.document(&m.Documents[n])
		}
		if s.fault != "" {
			return
		}
		for _, file := range append([]File{m.Export}, filesOf(&m)...) {
			if strings.Contains("/"+file.Dest+"/", "/../") || strings.Contains("/"+file.Source+"/", "/../") || strings.HasPrefix(file.Dest, "/") {
				t.Fatalf("leads out: %+v", file)
			}
			if file.Spool != "" && !strings.HasPrefix(file.Spool, spoolDir+"/"+m.Batch+"/") {
				t.Fatalf("another's copy: %+v", file)
			}
		}
		_ = m.batch()
		_ = flow.documents(&m)("P", "x")
	})
}

func filesOf(m *Manifest) (all []File) {
	for _, d := range m.Documents {
		all = append(all, d.File)
	}
	return all
}

// Damage prevented: a name in in/ or in a row leads out, or a name that forges lines
// becomes an outcome file's.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"a.csv", "~$a.xlsx", ".~lock.a.csv#", "a.csv.ok", "../a.pdf", `..\a.pdf`, "C:a", "a\nb.csv", strings.Repeat("à", 200)} {
		f.Add(s)
	}
	flow := &Flow{DoneSuffix: ".ok"}
	f.Fuzz(func(t *testing.T, name string) {
		if at, ok := relative("sub", name); ok && (strings.HasPrefix(at, "../") || strings.HasPrefix(at, "/") || at == "..") {
			t.Fatalf("%q leads to %q", name, at)
		}
		if flow.nameFault(name) == "" && (strings.ContainsFunc(name, unicode.IsControl) || strings.Contains(name, `\`)) {
			t.Fatalf("%q is taken", name)
		}
		st := &state{seen: map[string]*seen{}}
		v := &view{prefix: "in/", files: map[string]folder.Entry{}, done: map[string]string{}, marks: map[string]string{}}
		v.sort(flow, st, folder.Entry{Name: "in/" + name, Modified: time.Unix(0, 0)})
		v.pairDoneFiles(flow)
		_, _ = openMark(name)
	})
}
