package docs_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sendconnector/internal/config"
	"sendconnector/internal/connector"
	"sendconnector/internal/notification"
)

// Damage prevented: a software house builds on an example that is refused.
func TestJSONLExampleIsSound(t *testing.T) {
	blocks := fenced(read(t, contract), "jsonl")
	if len(blocks) != 1 {
		t.Fatalf("%d examples of jsonl, want 1", len(blocks))
	}
	rules := notification.DefaultRules()
	rules.SenderTaxID = "00112233440"
	r, problems := notification.Decode([]byte(blocks[0]), rules.Lang)
	if r != nil {
		problems = append(problems, notification.Validate(r, rules)...)
	}
	for _, p := range problems {
		t.Errorf("%s %s: %s", p.Code, p.Field, p.Message)
	}
	if r == nil || len(r.Recipients) != 1 {
		t.Error("the example gives no notification")
	}
}

// Damage prevented: a program looks for keys of a preview that never come.
func TestPreviewExampleHasTheKeysOfTheCode(t *testing.T) {
	text := section(t, read(t, contract), "## `preview --json`")
	for _, block := range fenced(text, "json") {
		dec := json.NewDecoder(bytes.NewReader([]byte(block)))
		dec.DisallowUnknownFields()
		var line connector.PreviewLine
		if err := dec.Decode(&line); err != nil {
			t.Error(err)
		}
	}
	whole, err := json.Marshal(connector.PreviewLine{Request: &notification.Request{}, Problems: []notification.Problem{}})
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(whole, &keys); err != nil {
		t.Fatal(err)
	}
	for key := range keys {
		if !strings.Contains(text, "| `"+key+"` |") {
			t.Errorf("the key %q of a preview is not explained", key)
		}
	}
}

// Damage prevented: the first configuration that somebody copies does not load.
func TestGuideConfigurationLoads(t *testing.T) {
	blocks := fenced(read(t, quickGuide), "yaml")
	if len(blocks) != 2 {
		t.Fatalf("%d configurations in the guide, want the whole one and that of SFTP", len(blocks))
	}
	start, _, _ := strings.Cut(blocks[0], "flows:\n")
	withServer := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(withServer, []byte(start+blocks[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := config.Load(withServer); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte(blocks[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Flows["tari"].Release.Mode; got != "file" {
		t.Errorf("release.mode %q, want file: a beginner's files must not leave by themselves", got)
	}
}
