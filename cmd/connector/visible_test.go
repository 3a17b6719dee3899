package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Damage prevented: a file name or a cell clears the screen of whoever looks, hides a
// rejected row, or is read as a line of ours.
func TestOutputDoesNotAct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching("[\x00-\x20\u0080-\u009f\u202a-\u202e\ue000\U000e0001a]{0,20}")).Draw(t, "text")
		var out bytes.Buffer
		v := &visible{w: &out}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		for rest := encoded; len(rest) > 0; { // in any pieces
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			if wrote, err := v.Write(rest[:n]); err != nil || wrote != n {
				t.Fatal(wrote, err)
			}
			rest = rest[n:]
		}
		if i := strings.IndexFunc(out.String(), acting); i >= 0 {
			t.Fatalf("%q acts", out.String()[i:])
		}
		var want, back string
		if err := json.Unmarshal(encoded, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back != want {
			t.Fatalf("%q came back as %q, %v", want, back, err)
		}
	})
}

// The same through the commands: names of files, cells and what the log says of them.
func TestHostileNamesOnTheTerminal(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("keys/api", "chiave")
	put("config.yaml", `version: 1
installation: prova
log: {level: debug}
senders:
  comune: {tax_id: "01199250158", denomination: Comune di Prova, environment: simulator, base_url: "http://127.0.0.1:1", api_key: "${file:keys/api}"}
flows:
  righe: {sender: comune, source: {root: drop, settle: 0s}, documents: {deadline: 0s}}
`)
	const forged = "\nBATCH FORGED\r\n\x1b[2J\u009b31m\u202egpj\x07\tx"
	line, err := json.Marshal(map[string]any{"paProtocolNumber": "P" + forged, "subject": "S" + forged, "recipients": []any{map[string]any{"taxId": "X" + forged}}})
	if err != nil {
		t.Fatal(err)
	}
	put("drop/in/sano.jsonl", string(line)+"\n")
	name := "sano2.jsonl"
	if runtime.GOOS != "windows" { // Windows has no such names
		name = "a\x1b[2J\nBATCH FORGED\u202e.jsonl"
	}
	put(filepath.Join("drop", "in", name), string(line)+"\n")
	config := filepath.Join(dir, "config.yaml")
	for _, format := range []string{"text", "json"} {
		for _, args := range [][]string{
			{"preview", "--flow", "righe", filepath.Join(dir, "drop", "in", "sano.jsonl")},
			{"once", "--timeout", "1s"},
			{"status"},
			{"why", "sano.jsonl"},
			{"why", name},
			{"why", "P" + forged},
			{"status", "--json"},
			{"release", "--yes", "--batch", forged},
		} {
			var out, errs bytes.Buffer
			code := run(t.Context(), append([]string{"-c", config, "--log-format", format}, args...), strings.NewReader(""), &out, &errs)
			for stream, text := range map[string]string{"output": out.String(), "errors and log": errs.String()} {
				if i := strings.IndexFunc(text, acting); i >= 0 {
					t.Errorf("%q (%d): %s acts: %q", args, code, stream, text[max(0, i-60):min(len(text), i+60)])
				}
				for l := range strings.Lines(text) {
					if strings.HasPrefix(strings.TrimSpace(l), "BATCH FORGED") {
						t.Errorf("%q (%d): %s has a line that is not ours: %q", args, code, stream, text)
					}
				}
			}
			if code == 0 && out.Len() == 0 {
				t.Errorf("%q says nothing", args)
			}
		}
	}
}
