package mapping

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"sendconnector/internal/yamldoc"
)

// Damage prevented: a service that dies over a profile that somebody is typing, or
// over a copy of one that was damaged in a manifest.
func FuzzProfile(f *testing.F) {
	samples, err := filepath.Glob(filepath.Join("..", "..", "samples", "*", "*.yaml"))
	if err != nil || len(samples) == 0 {
		f.Fatal("no samples: ", err)
	}
	for _, name := range samples {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data), "CODICE;TESTO\n1;uno\n")
	}
	f.Fuzz(func(t *testing.T, text, beside string) {
		if len(text) > 1<<15 {
			return
		}
		p, err := Parse("profile.yaml", []byte(text), func(string) ([]byte, error) { return []byte(beside), nil })
		if err == nil {
			_, _ = p.Reads(), p.Companions()
			return
		}
		var all yamldoc.Errors
		if !errors.As(err, &all) || len(all) == 0 {
			t.Fatalf("an error of another type: %T %v", err, err)
		}
	})
}
