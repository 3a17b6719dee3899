package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/yamldoc"
)

// Damage prevented: a service that dies over a configuration that somebody is typing,
// or one that is taken and cannot be shown.
func FuzzConfig(f *testing.F) {
	example, err := os.ReadFile(filepath.Join("..", "..", "config.example.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	f.Add("version: 1\nenvironments: {p: {url: \"http://127.0.0.1:1\"}}\nsenders: {c: {environment: p, tax_id: \"00112233440\", api_key: ${file:k}}}\n")
	f.Add("version: 1\nremotes: {r: {host: \"[::1]:99999\", host_keys: [\"\", x], sessions: -1}}\nflows: {a: {source: {remote: r, root: ../..}}}\n")
	path := filepath.Join(foldertest.TempDir(f), "config.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err == nil {
			if _, err := Show(c); err != nil {
				t.Fatal("taken, and cannot be shown: ", err)
			}
			return
		}
		var all yamldoc.Errors
		if !errors.As(err, &all) || len(all) == 0 {
			t.Fatalf("an error of another type: %T %v", err, err)
		}
	})
}
