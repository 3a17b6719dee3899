package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder/foldertest"
	"sendconnector/internal/yamldoc"
)

// The example is what people copy: a key in it that the program does not know would
// stop their first start.
func TestExampleIsValid(t *testing.T) {
	c, err := Load("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.Flows["tari"].Outbox, "tari"; got != want {
		t.Errorf("outbox %q, want %q", got, want)
	}
	if got, want := c.Senders["comune"].BaseURL, "https://api.uat.notifichedigitali.it"; got != want {
		t.Errorf("base URL %q, want %q", got, want)
	}
	if got, want := *c.Flows["tari"].Documents.Deadline, 30*time.Minute; got != want {
		t.Errorf("deadline %v, want %v", got, want)
	}
}

// Every commented default of the example must be a key the program knows, or people
// who take the "#" away are sent away.
func TestExampleCommentsAreValidKeys(t *testing.T) {
	data, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range strings.Split(string(data), "\n") {
		bare := strings.TrimLeft(line, " ")
		indent := line[:len(line)-len(bare)]
		text := strings.TrimPrefix(bare, "# ")
		key, _, isKey := strings.Cut(strings.TrimSpace(text), ":")
		if strings.HasPrefix(bare, "# ") && isKey && nameRule.MatchString(key) && !strings.Contains(text, "…") && !strings.HasPrefix(text, "Durations") && !strings.HasPrefix(text, "Flows") && !strings.HasPrefix(text, "Outboxes:") && !strings.HasPrefix(text, "Senders") {
			line = indent + text
		}
		lines = append(lines, line)
	}
	path := filepath.Join(foldertest.TempDir(t), "config.yaml")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Fatalf("with every default written out: %v", err)
	}
}

const minimal = `version: 1
installation: prova
senders:
  comune: {tax_id: "01199250158", denomination: Comune, environment: uat, api_key: "${env:KEY}"}
flows:
  tari: {sender: comune, source: {root: drop}}
`

func load(t *testing.T, text string) (*Config, error) {
	t.Helper()
	path := filepath.Join(foldertest.TempDir(t), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Load(path)
}

// Each of these mistakes would otherwise show only when a file is dropped, or never.
func TestMistakesAreFound(t *testing.T) {
	tests := map[string]struct{ old, new, want string }{
		"unknown key":          {"root: drop", "root: drop, rot: x", "rot"},
		"secret in clear":      {"${env:KEY}", "abc123", "a secret is not written here"},
		"wrong check digit":    {"01199250158", "01199250159", "not a valid tax code"},
		"no such sender":       {"sender: comune", "sender: comuen", "did you mean comune?"},
		"no installation":      {"installation: prova", "installation: ''", "installation is required"},
		"http to the world":    {"environment: uat", "environment: custom, base_url: 'http://example.org'", "this machine only"},
		"base URL of uat":      {"environment: uat", "environment: uat, base_url: 'https://example.org'", "custom or simulator only"},
		"network share":        {"installation: prova", "installation: prova\ndata: '\\\\server\\share'", "network share"},
		"environment":          {"environment: uat", "environment: prod", "is not one of"},
		"settle too long":      {"root: drop", "root: drop, settle: 2h", "between"},
		"escape":               {"root: drop", "root: drop, folders: {in: ../in}", "below root"},
		"two folders alike":    {"root: drop", "root: drop, folders: {in: x, work: X}", "used for in too"},
		"release":              {"source: {root: drop}", "source: {root: drop}, release: {mode: never}", "is not one of"},
		"allowed tax code":     {"environment: uat", "environment: production, validation: {allow_tax_ids: [X]}", "test environments only"},
		"same files twice":     {"flows:", "flows:\n  altro: {sender: comune, source: {root: drop}}", "same files"},
		"version":              {"version: 1", "version: 2", "version must be 1"},
		"outbox unknown":       {"sender: comune, source", "sender: comune, outbox: x, source", "no outbox"},
		"pdnd environments":    {"environment: uat", "environment: uat, pdnd: {client_id: a, purpose_id: b, key_file: k, audience: auth.interop.pagopa.it/client-assertion}", "different environments"},
		"no such remote":       {"root: drop", "remote: serv, root: drop", "no remote \"serv\""},
		"remote forgotten":     {"root: drop", "type: sftp, root: drop", "needs remote"},
		"local with remote":    {"root: drop", "type: local, remote: server, root: drop", "of type sftp"},
		"no login":             {"flows:", "remotes: {s: {address: h, user: u}}\nflows:", "needs a way to log in"},
		"password in clear":    {"flows:", "remotes: {s: {address: h, user: u, password: geheim}}\nflows:", "a secret is not written here"},
		"address with scheme":  {"flows:", "remotes: {s: {address: 'sftp://h', user: u, agent: true}}\nflows:", "address is required"},
		"host key mistyped":    {"flows:", "remotes: {s: {address: h, user: u, agent: true, host_keys: [MD5:aa]}}\nflows:", "neither SHA256"},
		"escape on the server": {"root: drop}}", "remote: s, root: ../drop}}\nremotes: {s: {address: h, user: u, agent: true}}", "not a path on a server"},
		"pdnd without client":  {"environment: uat", "environment: uat, pdnd: {purpose_id: b, key_file: k}", "client_id is required"},
	}
	if _, err := load(t, minimal); err != nil {
		t.Fatalf("the sound file: %v", err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, strings.Replace(minimal, tt.old, tt.new, 1))
			list, ok := errors.AsType[yamldoc.Errors](err)
			if !ok {
				t.Fatalf("error %v, want yamldoc.Errors", err)
			}
			if !strings.Contains(list.Error(), tt.want) {
				t.Errorf("message lacks %q:\n%v", tt.want, list)
			}
			if list[0].Line == 0 {
				t.Errorf("no place in the file: %v", list)
			}
		})
	}
}

// All problems come at once, or a person mends and restarts once for each.
func TestAllMistakesAtOnce(t *testing.T) {
	text := strings.NewReplacer("environment: uat", "environment: prod", "01199250158", "1", "root: drop", "rot: x").Replace(minimal)
	_, err := load(t, text)
	list, _ := errors.AsType[yamldoc.Errors](err)
	if len(list) < 4 {
		t.Errorf("%d problems, want unknown key, environment, tax code, root:\n%v", len(list), err)
	}
}

// A secret written into the file must not come out again with the mistake: what is
// printed ends in logs and in mails to whoever helps.
func TestWrittenSecretIsNotPrinted(t *testing.T) {
	const secret = "SUPERSECRET123"
	remote := func(rest string) string {
		return strings.Replace(minimal, "flows:", "remotes:\n  s:\n    address: h\n    user: u\n    key_file: k\n    "+rest+"\nflows:", 1)
	}
	for name, text := range map[string]string{
		"api_key":               strings.Replace(minimal, "${env:KEY}", secret, 1),
		"password":              remote("password: " + secret),
		"passphrase":            remote("passphrase: " + secret),
		"another mistake there": strings.NewReplacer("${env:KEY}", secret, "uat", "prod").Replace(minimal),
		"key misspelt":          remote("pasword: x\n    passwrod: " + secret),
		"a list":                remote("password: [" + secret + "]"),
		"folded":                remote("password: >-\n      " + secret),
		"no YAML":               remote("password: " + secret + ": :"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, text)
			if err == nil {
				t.Fatal("taken for good")
			}
			shown, jsonErr := json.Marshal(err)
			if jsonErr != nil {
				t.Fatal(jsonErr)
			}
			if strings.Contains(err.Error()+string(shown), secret) {
				t.Errorf("it is printed:\n%v", err)
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	dir := foldertest.TempDir(t)
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte(" geheim\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CONNECTOR_TEST_SECRET", "aus-env")
	for ref, want := range map[Secret]string{"${file:key}": "geheim", "${env:CONNECTOR_TEST_SECRET}": "aus-env"} {
		if got, err := ref.Resolve(dir); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", ref, got, err, want)
		}
	}
	for _, ref := range []Secret{"${file:missing}", "${env:CONNECTOR_TEST_NONE}", "clear", "${file:}"} {
		if got, err := ref.Resolve(dir); err == nil {
			t.Errorf("%s: %q, want an error", ref, got)
		}
	}
}

// A flow on a server must write its outcomes there and not into a folder of this
// machine that happens to have the same name; a path of a server is never made absolute
// here.
func TestRemotePaths(t *testing.T) {
	text := strings.Replace(minimal, "{root: drop}", "{remote: s, root: send/tari}, documents: {folder: pdf}", 1) +
		"remotes: {s: {address: sftp.example.it, user: u, password: '${env:KEY}', key_file: k, known_hosts: kh}}\n"
	c, err := load(t, text)
	if err != nil {
		t.Fatal(err)
	}
	r, f := c.Remotes["s"], c.Flows["tari"]
	if got, want := r.Address, "sftp.example.it:22"; got != want {
		t.Errorf("address %q, want %q", got, want)
	}
	if r.Sessions != 1 || r.DialTimeout != 20*time.Second || !filepath.IsAbs(r.KeyFile) || !filepath.IsAbs(r.KnownHosts) {
		t.Errorf("remote %+v", r)
	}
	if f.Source.Type != "sftp" || f.Source.Root != "send/tari" || f.Documents.Folder != "pdf" {
		t.Errorf("source %+v, documents %q", f.Source, f.Documents.Folder)
	}
	if got, want := *c.Outboxes["tari"], (Outbox{Remote: "s", Path: "send/tari/out", Refresh: time.Minute, Heartbeat: 15 * time.Minute, MaxLines: 10_000}); got != want {
		t.Errorf("outbox %+v, want %+v", got, want)
	}
}

// Damage: one server folder under two names in remotes is taken for two places. Two
// flows take the same export from each other, two outboxes number one folder's updates
// twice over.
func TestOneAccountUnderTwoNames(t *testing.T) {
	const flows = `  tari: {sender: comune, source: {remote: a, root: send}, outbox: x}
  imu: {sender: comune, source: {remote: b, root: send}, outbox: y}
outboxes:
  x: {remote: a, path: out}
  y: {remote: b, path: out}
`
	text := func(second string) string {
		return strings.Replace(minimal, "  tari: {sender: comune, source: {root: drop}}\n", flows, 1) +
			"remotes: {a: {address: sftp.example.it, user: u, agent: true}, b: {" + second + ", agent: true}}\n"
	}
	_, err := load(t, text("address: 'SFTP.example.it:22', user: u"))
	list, ok := errors.AsType[yamldoc.Errors](err)
	if !ok || len(list) != 2 {
		t.Fatalf("%v, want two problems", err)
	}
	for i, want := range []string{"would take the same files", "write into the same folder"} {
		if s := list[i].Error(); !strings.Contains(s, want) || !strings.Contains(s, "the remotes ") || !strings.Contains(s, "same account") {
			t.Errorf("%q, want %q and both remotes", s, want)
		}
	}
	for _, other := range []string{"address: sftp.example.it, user: v", "address: 'sftp.example.it:2222', user: u", "address: other.example.it, user: u"} {
		if _, err := load(t, text(other)); err != nil {
			t.Errorf("%s: %v", other, err)
		}
	}
}

// What `config show` prints must be a configuration that means the same, with no
// secret in it: people keep it as the record of what ran.
func TestShowLoadsAgain(t *testing.T) {
	t.Setenv("KEY", "geheim")
	c, err := load(t, minimal)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Show(c)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "geheim") || !strings.Contains(string(text), "${env:KEY}") {
		t.Errorf("a secret must stand there by its reference only:\n%s", text)
	}
	again := filepath.Join(foldertest.TempDir(t), "config.yaml")
	// uat has its own address, so the effective one may not be written for it
	written := strings.ReplaceAll(string(text), "    base_url: https://api.uat.notifichedigitali.it\n", "")
	if err := os.WriteFile(again, []byte(written), 0o600); err != nil {
		t.Fatal(err)
	}
	c2, err := Load(again)
	if err != nil {
		t.Fatal(err)
	}
	text2, err := Show(c2)
	if err != nil {
		t.Fatal(err)
	}
	if string(text2) != string(text) {
		t.Errorf("shown again it differs:\n%s\n%s", text, text2)
	}
}
