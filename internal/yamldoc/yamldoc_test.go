package yamldoc

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

type sample struct {
	Version int               `yaml:"version"`
	Zip     string            `yaml:"zip"`
	Every   time.Duration     `yaml:"every"`
	Flows   []flow            `yaml:"flows"`
	Map     map[string]string `yaml:"map"`
	Ptr     *flow             `yaml:"ptr"`
	Ok      bool              `yaml:"ok"`
	Any     any               `yaml:"any"`
}

type flow struct {
	Name  string `yaml:"name"`
	Field field  `yaml:"field"`
	Max   uint8  `yaml:"max"`
}

// field is a text or a mapping, as mapping's fields are.
type field struct {
	Column string `yaml:"column"`
	Upper  bool   `yaml:"upper"`
	path   string
}

func (f *field) DecodeYAML(v *Value) {
	f.path = v.Path()
	switch v.Kind() {
	case Scalar:
		f.Column = v.Text()
	case Mapping:
		type plain field
		v.Decode((*plain)(f))
	default:
		v.Errorf("no lists here")
	}
}

// Damage prevented: a CAP that loses its zero, an option that is misread.
func TestLoadKeepsWhatIsWritten(t *testing.T) {
	var s sample
	_, err := Load("a.yaml", []byte("\ufeffversion: 1\r\nzip: 0123\r\nevery: 1d12h\nmap: {a: 010, b: yes, c: 1e3, d: 2026-01-02}\n"+
		"flows:\n- {name: x, field: CF, max: 255}\n- &two\n  name: \"null\"\n  field: {column: Y, upper: si}\nptr: {<<: *two, name: over}\nok: no\nany: [0123, {k: v}]\n"), &s)
	if err != nil {
		t.Fatal(err)
	}
	if s.Zip != "0123" || s.Map["a"] != "010" || s.Map["b"] != "yes" || s.Map["c"] != "1e3" || s.Map["d"] != "2026-01-02" {
		t.Errorf("scalars changed: %+v", s)
	}
	if s.Every != 36*time.Hour || s.Flows[0].Field.Column != "CF" || s.Flows[0].Max != 255 {
		t.Errorf("got %+v", s)
	}
	if s.Flows[1].Name != "null" || !s.Flows[1].Field.Upper || s.Flows[1].Field.path != "flows[1].field" {
		t.Errorf("got %+v", s.Flows[1])
	}
	if s.Ptr == nil || s.Ptr.Name != "over" || s.Ptr.Field.Column != "Y" {
		t.Errorf("merge: %+v", s.Ptr)
	}
	if list, ok := s.Any.([]any); !ok || list[0] != "0123" {
		t.Errorf("any: %#v", s.Any)
	}
}

// Damage prevented: one mistake shown at a time, or none, or without its place.
func TestLoadReportsEverythingAtOnce(t *testing.T) {
	text := `version: 0x1
zip: [1]
every: soon
flows:
  - name: a
    feild: x
    field: {colunm: A}
  - name: b
    name: c
    max: 300
    field: [1]
map: 3
ok: maybe
any: !!binary aGk=
`
	var s sample
	_, err := Load("a.yaml", []byte(text), &s)
	var all Errors
	if !errors.As(err, &all) {
		t.Fatalf("got %v", err)
	}
	want := []string{
		"a.yaml:1:10: version: expected a whole number",
		"a.yaml:2:6: zip: expected a text, found a list",
		"a.yaml:3:8: every: expected a duration",
		"a.yaml:6:5: flows[0].feild: unknown key \"feild\"; did you mean field?",
		"a.yaml:7:13: flows[0].field.colunm: unknown key \"colunm\"; did you mean column?",
		"a.yaml:9:5: flows[1].name: the key \"name\" is given twice; first in line 8",
		"a.yaml:10:10: flows[1].max: 300 is out of range",
		"a.yaml:11:12: flows[1].field: no lists here",
		"a.yaml:12:6: map: expected keys and values",
		"a.yaml:13:5: ok: expected true or false",
		"a.yaml:14:6: any: tags such as",
	}
	if len(all) != len(want) {
		t.Errorf("got %d errors, want %d:\n%v", len(all), len(want), err)
	}
	for i, w := range want {
		if i < len(all) && !strings.HasPrefix(all[i].Error(), w) {
			t.Errorf("error %d:\n got %s\nwant %s", i, all[i].Error(), w)
		}
	}
	if !strings.Contains(all[3].Error(), "\n        feild: x\n        ^") {
		t.Errorf("excerpt and caret:\n%s", all[3])
	}
	if data, err := json.Marshal(all); err != nil || !strings.Contains(string(data), `"column":10`) {
		t.Errorf("JSON: %s %v", data, err)
	}
}

// Damage prevented: a broken or hostile file that is taken, or that hangs the program.
func TestLoadRefuses(t *testing.T) {
	bomb := "version: 1\nmap: &a {k: v}\n"
	any := "any:\n  - &b0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 9; i++ {
		a := "*b" + string(rune('0'+i-1))
		any += "  - &b" + string(rune('0'+i)) + " [" + strings.Repeat(a+", ", 8) + a + "]\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"second document": {"version: 1\n---\nversion: 2\n", "a.yaml:2:1: a second document begins here"},
		"alias bomb":      {bomb + any, "expand without end"},
		"self reference":  {"any: &x [*x]\n", ""},
		"tab":             {"flows:\n\t- name: x\n", "tabs"},
		"open bracket":    {"map: {a: 1\nzip: 3\n", "a.yaml:2"},
		"latin-1":         {"zip: citt\xe0\n", "a.yaml:1:10: this character is not UTF-8"},
		"list on top":     {"- a\n", "a.yaml:1:1: expected keys and values, found a list"},
		"octal":           {"version: 010\n", "plain decimal"},
		"unknown anchor":  {"zip: *nowhere\n", "a.yaml:1"},
		"huge":            {strings.Repeat("#", MaxBytes+1), "larger than"},
	} {
		t.Run(name, func(t *testing.T) {
			var s sample
			_, err := Load("a.yaml", []byte(c.text), &s)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// Damage prevented: a check made later that cannot say where.
func TestPositions(t *testing.T) {
	var s sample
	d, err := Load("a.yaml", []byte("version: 1\nflows:\n  - name: x\n    field: '= A + B'\nmap: {\"a.b\": z}\n"), &s)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Position{
		"version": {1, 10}, "flows[0].name": {3, 11}, "flows[0].max": {3, 5}, "flows[7].x": {3, 3}, `map."a.b"`: {5, 14}, "": {1, 1},
	} {
		if got := d.At(path); got != want {
			t.Errorf("At(%q) = %v, want %v", path, got, want)
		}
	}
	if d.Has("flows[0].max") || !d.Has("flows[0].name") {
		t.Error("Has")
	}
	got := d.ErrorInside("flows[0].field", 6, "no column %s", "B").Error()
	if want := "a.yaml:4:19: flows[0].field: no column B\n        field: '= A + B'\n                      ^"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := d.Errorf("version", "too new").Error(); !strings.HasPrefix(got, "a.yaml:1:10: version: too new") {
		t.Error(got)
	}
	empty, err := Load("b.yaml", nil, &s)
	if err != nil || empty.Errorf("version", "missing").Error() != "b.yaml: version: missing" {
		t.Error(err, empty.Errorf("version", "missing"))
	}
}

// Damage prevented: a panic of the service over a file somebody is typing.
func FuzzLoad(f *testing.F) {
	f.Add("version: 1\nflows: [{name: &a x, field: *a}]\nptr: {<<: {name: y}}\n")
	f.Add("any: &x [*x]\n? [a]\n: b\n")
	f.Add("a: |\n  b\n--- \n\xff")
	f.Fuzz(func(t *testing.T, text string) {
		var s sample
		d, err := Load("f.yaml", []byte(text), &s)
		var all Errors
		if err != nil && (!errors.As(err, &all) || len(all) == 0) {
			t.Fatalf("error of another type: %T", err)
		}
		for _, e := range all {
			_ = e.Error()
		}
		_ = d.Errorf("flows[0].field", "x").Error()
		_ = d.ErrorInside("flows[0].field", 3, "x").Error()
	})
}
