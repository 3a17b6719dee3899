package notification_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sendconnector/internal/notification"
)

// shared gives the path of a file beside the project; tests that need one skip
// where it is missing, but not in CI.
func shared(t testing.TB, elements ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = parent
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, elements...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("missing in CI: %v", err)
		}
		t.Skipf("not here: %v", err)
	}
	return path
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

type suiteCase struct {
	ID           string          `json:"id"`
	Patch        json.RawMessage `json:"request_patch"`
	Local        string          `json:"local"`
	Precondition string          `json:"precondition"`
	Fixture      string          `json:"fixture"`
}

// leftOut says why a case of the official suites cannot be judged from the request
// alone; the reason names who judges it.
func leftOut(c suiteCase) string {
	switch {
	case c.Local == "none":
		return "not predictable by design"
	case c.Local == "reconcile":
		return "a 409, resolved by look-up (submit)"
	case c.ID == "NOT-09":
		return "another live notification's notice: known to the ledger only"
	case c.ID == "FILE-01":
		return "a file never uploaded: submit holds the upload or does not send"
	case c.ID == "FILE-04":
		return "the bytes of the file: judged by pdf.Check and CheckFiles"
	}
	return ""
}

// alsoWarned are accepted cases for which the suite itself asks for a warning in
// its note, or whose combination deserves one.
var alsoWarned = map[string][]string{
	"TAXON-OK-1": {"C-TAXONOMY-PAID"},
	"TAXON-OK-5": {"C-TAXONOMY-PAID"},
}

// A wrong verdict here is either a refusal that the body pays for or a citizen's
// notification that is never sent.
func TestOfficialCases(t *testing.T) {
	baseline := mustRead(t, shared(t, "cases", "baseline-request.json"))
	var cases []suiteCase
	if err := json.Unmarshal(mustRead(t, shared(t, "cases", "validation-cases.json")), &cases); err != nil {
		t.Fatal(err)
	}
	table, err := os.Open(shared(t, "data", "places.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	places, err := notification.LoadPlaces(table)
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, c := range cases {
		if why := leftOut(c); why != "" {
			t.Logf("left out: %s: %s", c.ID, why)
			continue
		}
		judged++
		t.Run(c.ID, func(t *testing.T) {
			rules := notification.DefaultRules()
			rules.Wire = true
			rules.Places = places
			rules.SenderTaxID = "01199250158"
			if c.ID == "IDEM-04" { // authenticated as the other sender
				rules.SenderTaxID = "15376371009"
			}
			judge(t, c, patch(t, baseline, c.Patch), rules)
		})
	}
	if judged < 120 {
		t.Errorf("only %d cases judged", judged)
	}
}

func decodedAndJudged(body []byte, rules notification.Rules) []notification.Problem {
	decode := notification.Decode
	if rules.Wire {
		decode = notification.DecodeWire
	}
	r, problems := decode(body, rules.Lang)
	if r == nil {
		return problems
	}
	return append(problems, notification.Validate(r, rules)...)
}

func judge(t *testing.T, c suiteCase, body []byte, rules notification.Rules) {
	t.Helper()
	problems := decodedAndJudged(body, rules)
	if c.Local == "override" {
		if !notification.Errors(problems) {
			t.Errorf("accepted without the allow list")
		}
		rules.AllowTaxIDs = []string{"12666810299"}
		problems = decodedAndJudged(body, rules)
	}
	verdict := "ok"
	if len(problems) > 0 {
		verdict = "warning"
	}
	if notification.Errors(problems) {
		verdict = "error"
	}
	want := c.Local
	if want == "override" {
		want = "ok"
	}
	if codes := alsoWarned[c.ID]; codes != nil && verdict == "warning" {
		verdict = "ok"
		for _, p := range problems {
			if !slices.Contains(codes, p.Code) {
				t.Errorf("unexpected %s", p.Code)
			}
		}
	}
	if verdict != want {
		t.Errorf("verdict %s, want %s:\n%s", verdict, want, list(problems))
	}
}

func list(problems []notification.Problem) string {
	var b strings.Builder
	for _, p := range problems {
		fmt.Fprintf(&b, "  %s %s %s: %s\n", p.Severity, p.Code, p.Field, p.Message)
	}
	return b.String()
}

// patch applies a request_patch to the baseline as the companion text defines it:
// keys are paths, null is an explicit null, {"$remove": true} drops the key, and
// keys are applied in their order.
func patch(t testing.TB, baseline []byte, changes json.RawMessage) []byte {
	t.Helper()
	var body any
	if err := json.Unmarshal(baseline, &body); err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(changes))
	if _, err := dec.Token(); err != nil {
		t.Fatal(err)
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			t.Fatal(err)
		}
		set(t, body, steps(t, key.(string)), value)
	}
	out, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// steps divides "recipients[0].taxId" into property names and indexes.
func steps(t testing.TB, path string) []any {
	t.Helper()
	var all []any
	for part := range strings.SplitSeq(path, ".") {
		name, rest, _ := strings.Cut(part, "[")
		all = append(all, name)
		for rest != "" {
			var index string
			index, rest, _ = strings.Cut(rest, "]")
			i, err := strconv.Atoi(index)
			if err != nil {
				t.Fatalf("path %q: %v", path, err)
			}
			all = append(all, i)
			rest = strings.TrimPrefix(rest, "[")
		}
	}
	return all
}

func set(t testing.TB, at any, path []any, value any) {
	t.Helper()
	for _, step := range path[:len(path)-1] {
		switch s := step.(type) {
		case string:
			object := at.(map[string]any)
			if object[s] == nil {
				object[s] = map[string]any{}
			}
			at = object[s]
		case int:
			at = at.([]any)[s]
		}
	}
	last := path[len(path)-1]
	if index, ok := last.(int); ok {
		at.([]any)[index] = value
		return
	}
	object := at.(map[string]any)
	if mark, ok := value.(map[string]any); ok && mark["$remove"] == true {
		delete(object, last.(string))
		return
	}
	object[last.(string)] = value
}
