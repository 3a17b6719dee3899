package notification

import (
	"runtime"
	"strings"
	"testing"
)

// filled repeats element inside head and tail up to size bytes.
func filled(size int, head, element, tail string) []byte {
	return []byte(head + strings.TrimSuffix(strings.Repeat(element+",", (size-len(head)-len(tail))/(len(element)+1)), ",") + tail)
}

// allocated is how many MB f allocates, which is what a bomb would need much of; the
// time follows from it.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) >> 20
}

// Damage prevented: one line of a drop, as long as lines may be, keeps a processor
// for minutes and fills an outcome file with megabytes of problems.
func TestHostileLines(t *testing.T) { //nolint:paralleltest // memory is measured
	const size = 1 << 20
	unknown := strings.Builder{}
	for i := range 100_000 {
		unknown.WriteString(`"x` + itoa(i) + `":0,`)
	}
	for _, c := range []struct {
		name string
		line []byte
		want string // code of the last problem
	}{
		{"recipients", filled(size, `{"recipients":[`, `{}`, `]}`), "C-JSON-ELEMENTS"},
		{"documents", filled(size, `{"documents":[`, `{}`, `]}`), "C-JSON-ELEMENTS"},
		{"payments", filled(size, `{"recipients":[{"payments":[`, `{}`, `]}]}`), "C-JSON-ELEMENTS"},
		{"payments of many", filled(size, `{"recipients":[`, `{"payments":[{},{},{}]}`, `]}`), "C-JSON-ELEMENTS"},
		{"languages", filled(size, `{"additionalLanguages":[`, `0`, `]}`), "C-JSON-ELEMENTS"},
		{"one name again and again", filled(size, `{`, `"subject":0`, `}`), "C-PROBLEMS-MORE"},
		{"unknown names", []byte(`{` + strings.TrimSuffix(unknown.String(), ",") + `}`), "C-PROBLEMS-MORE"},
		{"as many elements as may be", filled(size, `{"recipients":[`, `{}`, `]}`)[:len(`{"recipients":[`)+3*maxElements-1], ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == "" {
				c.line, c.want = append(c.line, `]}`...), "C-PROBLEMS-MORE"
			}
			var r *Request
			var problems []Problem
			if mb := allocated(func() { r, problems = Decode(c.line, Italian) }); mb > 60 {
				t.Errorf("%d MB allocated", mb)
			}
			if n := len(problems); n == 0 || n > maxDecodeProblems+1 || problems[n-1].Code != c.want || problems[n-1].Severity != Error {
				t.Fatalf("%d problems, last %+v", n, problems[max(0, n-1)])
			}
			if (r == nil) != (c.want == "C-JSON-ELEMENTS") || c.want == "C-JSON-ELEMENTS" && len(problems) != 1 {
				t.Errorf("request %v, %d problems", r != nil, len(problems))
			}
		})
	}
}

// Damage prevented: an error that found no room after many warnings is forgotten, and
// the row is sent.
func TestErrorAfterManyWarningsStopsTheRow(t *testing.T) {
	var c tally
	for range maxDecodeProblems {
		c.add(Italian, maxDecodeProblems, "C-JSON-NULL", "abstract", "name", "abstract")
	}
	if c.add(Italian, maxDecodeProblems, "C-JSON-NULL", "abstract"); Errors(c.told(Italian)) {
		t.Error("a warning more became an error")
	}
	c.add(Italian, maxDecodeProblems, "C-JSON-UNKNOWN", "x")
	last := c.told(Italian)[maxDecodeProblems]
	if last.Severity != Error || !strings.Contains(last.Message, "altri 2 problemi") {
		t.Errorf("%+v", last)
	}
	many := make([]Problem, maxRowProblems+2)
	for i := range many {
		many[i].Severity = Error
	}
	if few := Few(English, many); len(few) != maxRowProblems+1 || few[maxRowProblems].Severity != Error || !strings.Contains(few[maxRowProblems].Message, "2 more") {
		t.Errorf("%d, %+v", len(few), few[len(few)-1])
	}
}

// Damage prevented: a metadata file takes gigabytes and half a minute, for each row
// that names it.
func TestHostileF24(t *testing.T) { //nolint:paralleltest // memory is measured
	name := strings.Repeat("n", MaxF24/2)
	for _, c := range []struct {
		name, want string
		data       []byte
	}{
		{"records", "C-PROBLEMS-MORE", filled(MaxF24, `{"treasury":{"records":[`, `{}`, `]}}`)},
		{"a long name above many", "C-PROBLEMS-MORE", filled(MaxF24, `{"`+name+`":{"records":[`, `{}`, `]}}`)},
		{"values", "C-PROBLEMS-MORE", filled(MaxF24, `{"f24Elid":[`, `{"year":"x"}`, `]}`)},
		{"nesting", "C-F24-KIND", []byte(strings.Repeat(`{"a":`, 5000) + "0" + strings.Repeat("}", 5000))},
		{"a byte too long", "C-F24-SIZE", append([]byte(soundF24), make([]byte, MaxF24+1-len(soundF24))...)},
		{"4 MB", "C-F24-SIZE", filled(4<<20, `{"treasury":{"records":[`, `{}`, `]}}`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			var problems []Problem
			if mb := allocated(func() { problems = CheckF24(c.data, false, Italian, "f") }); mb > 100 {
				t.Errorf("%d MB allocated", mb)
			}
			n := len(problems)
			if n == 0 || n > maxF24Problems+1 || problems[n-1].Code != c.want || problems[n-1].Severity != Error || problems[n-1].Field != "f" {
				t.Fatalf("%d problems, last %+v", n, problems[max(0, n-1)])
			}
		})
	}
}

// Damage prevented: a service that dies over a metadata file.
func FuzzF24(f *testing.F) {
	f.Add([]byte(soundF24), true)
	f.Add([]byte(`{"f24Elid":{"records":[{"applyCost":1,"credit":"0"},[],null]}}`), false)
	f.Add([]byte(`{"f24Simplified":null}`), false)
	f.Fuzz(func(t *testing.T, data []byte, applyCost bool) {
		problems := CheckF24(data, applyCost, Italian, "f")
		if len(problems) > maxF24Problems+1 {
			t.Fatalf("%d problems", len(problems))
		}
		for _, p := range problems {
			if p.Field != "f" || p.Message == "" || p.Severity != Error {
				t.Fatalf("%+v", p)
			}
		}
	})
}
