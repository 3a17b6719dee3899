package connector

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// places are the functions that may change files, with the step that they pass or the
// reason why they need none. Everything else goes through package folder or the ledger.
var places = map[string]string{
	"connector/backup.go backup":               "the folder of the copies; made again",
	"connector/backup.go removeUnfinished":     "what an unfinished copy left; removed again",
	"connector/backup.go rotate":               "connector.rotate",
	"connector/check.go ledger":                "the command check, before anything runs",
	"connector/connector.go emptyTemp":         "connector.temp",
	"connector/connector.go openLedger":        "folders; made again",
	"config/secret_unix.go openPrivate":        "only reads; that no pipe is waited for needs a flag",
	"connector/check.go backups":               "the folder of the copies; made again",
	"connector/control.go close":               "how to reach a process that ends; a stale one reaches nobody",
	"connector/control.go serveControl":        "a socket that nobody listens on",
	"connector/control.go writePrivate":        "connector.control",
	"connector/folders.go folderAt":            "the root of a new flow; made again",
	"folder/local.go create":                   "folder.made",
	"folder/move.go copyOver":                  "the time of a temporary file",
	"folder/publish.go writeTemp":              "folder.created",
	"folder/remote/make.go create":             "folder.made",
	"folder/remote/make.go inherit":            "rights of what was just made",
	"folder/remote/make.go remove":             "folder.removed, of its callers",
	"folder/remote/move.go copyOver":           "the time of a temporary file",
	"folder/remote/publish.go renameOver":      "folder.renamed, of its callers",
	"folder/remote/rename.go rename":           "folder.renamed, of its callers",
	"folder/remote/agent_windows.go dialAgent": "a pipe",
	"folder/rename_linux.go renameFile":        "folder.renamed, of its callers",
	"folder/system_unix.go inherit":            "rights of what was just made",
	"folder/system_unix.go lookAndRename":      "folder.renamed, of its callers",
	"folder/system_unix.go removeFile":         "folder.removed, of its callers",
	"folder/system_unix.go replaceFile":        "folder.renamed, of its callers",
	"folder/system_windows.go removeFile":      "folder.removed, of its callers",
	"ingest/ingest.go New":                     "rights of the spool",
	"ingest/judge.go local":                    "a copy to look at, removed after the look and at every start",
	"ledger/backup.go BackupFile":              "ledger.backup",
	"ledger/beside.go tidyBeside":              "what an unfinished file left; removed again",
	"ledger/beside.go writeSynced":             "ledger.beside, ledger.generation, ledger.owner",
	"ledger/compact.go takePlace":              "ledger.compact",
	"ledger/open.go openFile":                  "bbolt opens its file; ledger.open follows",
	"ledger/compact.go Compact":                "a copy beside; see Install",
	"ledger/compact.go CompactFile":            "a copy beside that is not whole",
	"ledger/install.go Install":                "TestRebuildKilledInTheMiddle",
	"ledger/open.go Close":                     "the owner file, which only informs",
	"mapping/hold.go close":                    "the same",
	"mapping/hold.go spill":                    "rows of large groups in data/tmp, which the next start empties",
	"outbox/spool.go free":                     "outbox.document.free",
	"outbox/spool.go noteToFree":               "outbox.document.note",
	"outbox/spool.go unspool":                  "outbox.document.unspool",
	"progress/download.go download":            "progress.spool",
	"progress/download.go makeFolder":          "what an unfinished download left; removed again",
	"progress/download.go makeSafe":            "folders; made again",
}

// changes are the calls that change files: of package os and of a root, by name.
var changes = []string{
	"Rename", "Remove", "RemoveAll", "WriteFile", "Create", "CreateTemp", "OpenFile", "Mkdir", "MkdirAll", "MkdirTemp",
	"Truncate", "RemoveDirectory", "Link", "Symlink", "Chmod", "Chtimes",
}

// An effect that passes no step is one that no test has died beside. So files are
// changed in known places only, transactions end in one, and whoever asks SEND for
// something passes a step on both sides.
func TestEffectsPassSteps(t *testing.T) {
	found := map[string]bool{}
	commits := map[string]bool{}
	for _, file := range sources(t) {
		for _, d := range file.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			at := file.name + " " + f.Name.Name
			stepped, asks := false, ""
			ast.Inspect(f.Body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				sel, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				owner := lastName(sel.X)
				switch {
				case (owner == "os" || owner == "root") && slices.Contains(changes, sel.Sel.Name):
					found[at] = true
				case owner == "c" && strings.HasPrefix(file.name, "folder/remote/") && slices.Contains(changes, strings.TrimPrefix(sel.Sel.Name, "Posix")):
					found[at] = true
				case owner == "unix" && strings.HasPrefix(sel.Sel.Name, "Renameat"):
					found[at] = true
				case strings.HasPrefix(file.name, "ledger/") && (sel.Sel.Name == "Commit" || owner == "db" && sel.Sel.Name == "Update"):
					commits[at] = true
				case owner == "Client" && (strings.HasPrefix(file.name, "submit/") || strings.HasPrefix(file.name, "progress/")):
					asks = sel.Sel.Name
				case sel.Sel.Name == "Step" || sel.Sel.Name == "step":
					stepped = true
				}
				return true
			})
			if asks != "" && !stepped && !askedWithin[at] {
				t.Errorf("%s asks SEND for %s without a step", at, asks)
			}
		}
	}
	for _, at := range slices.Sorted(maps.Keys(found)) {
		if _, known := places[at]; !known {
			t.Errorf("%s changes files outside the named places: give it a step, or a reason", at)
		}
	}
	for at := range places {
		if !found[at] && !strings.Contains(at, "_windows") {
			t.Errorf("%s changes no files any more: take it from the list", at)
		}
	}
	want := map[string]bool{"ledger/group.go tryCommit": true, "ledger/open.go prepare": true}
	if !maps.Equal(commits, want) {
		t.Errorf("transactions end in %v, want %v", slices.Sorted(maps.Keys(commits)), slices.Sorted(maps.Keys(want)))
	}
}

// askedWithin are functions whose caller passes the step around them.
var askedWithin = map[string]bool{
	"progress/fetch.go bring":       true, // progress.download
	"progress/download.go download": true,
	"submit/recall.go Recall":       true, // look-ups of ledger rebuild, which change nothing and are repeated
}

func lastName(x ast.Expr) string {
	switch x := x.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return x.Sel.Name
	}
	return ""
}
