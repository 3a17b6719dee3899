package connector

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"sendconnector/internal/simulator"
)

// What the scenarios of the rules have in common. Each rule has one that runs the
// whole connector, folders and ledger and all, against the judge; the tests of the
// packages go into its corners.

// deposit writes an export and every PDF that its rows name.
func (w *world) deposit(export string, rows ...string) {
	w.t.Helper()
	for _, r := range rows {
		for _, file := range strings.Split(strings.TrimRight(r, "\r\n"), ";")[11:] {
			if strings.HasSuffix(file, ".pdf") {
				w.write("drop/in/"+file, string(pdfOf(file, 1500)))
			}
		}
	}
	w.write("drop/in/"+export, groupedHeading+strings.Join(rows, ""))
	w.sim.Advance(2 * time.Second)
}

// steps passes n times, a minute apart.
func (w *world) steps(n int) {
	w.t.Helper()
	for range n {
		if err := w.pass(context.Background(), nil); err != nil {
			w.t.Fatal(err)
		}
		w.sim.Advance(time.Minute)
	}
}

// lives passes n times, a week of the platform's life apart, which is more than any
// notification of the tests needs.
func (w *world) lives(n int) {
	w.t.Helper()
	for range n {
		w.sim.Advance(7 * 24 * time.Hour)
		w.steps(1)
	}
}

// cells gives one column of the newest outcome file that matches, by protocol number.
func (w *world) cells(pattern, column string) map[string]string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, filepath.FromSlash(pattern)))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("%s: %v %v, want one file", pattern, found, err)
	}
	heading, rows := w.table(found[0])
	result := map[string]string{}
	for _, row := range rows {
		result[row[slices.Index(heading, "ATTO")]] = row[slices.Index(heading, column)]
	}
	return result
}

// wantMentions checks that what the clerk reads of a row names what he needs.
func (w *world) wantMentions(pattern, protocol string, words ...string) {
	w.t.Helper()
	text := w.cells(pattern, "send_messaggio")[protocol] + " " + w.cells(pattern, "send_avvisi")[protocol]
	for _, word := range words {
		if !strings.Contains(text, word) {
			w.t.Errorf("%s: %q does not mention %q", protocol, text, word)
		}
	}
}

// storedTokens gives the tokens under which SEND stored a protocol number, in order.
func (w *world) storedTokens(protocol string) (tokens []string) {
	for _, a := range w.sim.Accepted() {
		if a.Protocol == protocol {
			tokens = append(tokens, a.Token)
		}
	}
	return tokens
}

// frozenToken is rule 2 in the words of the rule, apart from the code that keeps it.
func frozenToken(protocol string, attempt int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "sendconnector-1\x00%s\x00%s\x00%d", simulator.DemoTaxID, protocol, attempt))
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:]))
}

// second is another installation of the same sender, with the same key: another name,
// another data folder, another drop.
func (w *world) second() *world {
	w.t.Helper()
	other := *w
	text := strings.NewReplacer("installation: prova", "installation: altra\ndata: data-b", "root: drop", "root: altra").Replace(w.read("config.yaml"))
	other.configure("altra.yaml", text)
	return &other
}

// do carries out a command as a person does.
func (w *world) command(command string, args any) {
	w.t.Helper()
	var done Done
	if err := Do(context.Background(), w.cfg, w.opts, command, args, &done); err != nil {
		w.t.Fatal(err)
	}
}

// alone is a row of a notification with one recipient.
func alone(protocol, taxID string, notice int) string {
	name := map[string]string{ettore: "Ettore Fieramosca", galileo: "Galileo Galilei", unknown: "Alina Ion"}[taxID]
	return groupedRow(protocol, taxID, name, noticeOf(notice), fmt.Sprintf("act-%d.pdf", notice), "", "")
}

// without leaves a person's rows out, as a clerk does who thinks them done.
func without(rows []string, taxID string) []string {
	return slices.DeleteFunc(slices.Clone(rows), func(r string) bool { return strings.Contains(r, taxID) })
}
