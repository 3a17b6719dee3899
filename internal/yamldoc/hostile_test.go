package yamldoc

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// Damage prevented: a configuration or profile of a few kilobytes takes all memory, or
// ends the process by recursion.
func TestHostileDocuments(t *testing.T) { //nolint:paralleltest // memory is measured
	var laughs strings.Builder
	laughs.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		fmt.Fprintf(&laughs, "a%d: &a%d [%s*a%d]\n", i, i, strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 8), i-1)
	}
	for name, text := range map[string]string{
		"billion laughs":      laughs.String() + "list: *a11\n",
		"an alias of itself":  "list: &a [*a, *a]\n",
		"deep flow":           "list: " + strings.Repeat("[", 1_000_000),
		"deep flow, closed":   "list: " + strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000) + "\n",
		"deep maps":           "list: " + strings.Repeat("{a: ", 200_000),
		"deep blocks":         "list:\n" + strings.Repeat("- ", 100_000) + "x\n",
		"a scalar too large":  "name: " + strings.Repeat("x", MaxBytes) + "\n",
		"merge of itself":     "list: &a {<<: *a}\n",
		"a tag of Go":         "name: !!python/object:os.system [rm]\n",
		"a key of many lines": "? " + strings.Repeat("x", 1<<20) + "\n: y\n",
		"many documents":      strings.Repeat("---\nname: x\n", 100_000),
	} {
		t.Run(name, func(t *testing.T) {
			var out struct {
				Name string   `yaml:"name"`
				List []string `yaml:"list"`
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := Load("x.yaml", []byte(text), &out); err == nil {
				t.Error("taken")
			} else if len(err.Error()) > 64<<10 {
				t.Errorf("a message of %d bytes", len(err.Error()))
			}
			runtime.ReadMemStats(&after)
			if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 400 {
				t.Errorf("took %d MB", took)
			}
		})
	}
}
