package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"sendconnector/samples"
)

// result is what the outbound file of one service says.
type result struct {
	lines    int
	outcomes map[string]int
	mistakes []string
}

// place is a line of an outcome file: the row of the export and the recipient's
// number.
type place struct{ row, recipient string }

type ending struct{ outcome, code string }

// compare reads the newest outcome file of a service as a legacy program would and
// holds every line against the expectation that lies beside the sample.
func (d *demo) compare(s samples.Service) (*result, error) {
	found, err := filepath.Glob(filepath.Join(d.dir, "drop", s.Name, "out", "*.esito.csv"))
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return &result{mistakes: []string{s.Name + ": there is no outcome file"}}, nil
	}
	slices.Sort(found) // batch ids begin with their time
	lines, err := readOutcome(found[len(found)-1])
	if err != nil {
		return nil, err
	}
	r := &result{lines: len(lines), outcomes: map[string]int{}}
	for _, l := range lines {
		r.outcomes[l.outcome]++
	}
	all, err := s.Expect()
	if err != nil {
		return nil, err
	}
	for _, want := range all {
		at := place{strconv.Itoa(want.Row), want.Recipient}
		got, ok := lines[at]
		delete(lines, at)
		expected := ending{want.Outcome, want.Code}
		if d.again && want.Outcome != "SCARTATA" && want.Outcome != "RIFIUTATA" {
			expected = ending{"GIA_PRESENTE", got.code}
		}
		if !ok || got.outcome != expected.outcome || expected.code != "" && got.code != expected.code {
			r.mistakes = append(r.mistakes, fmt.Sprintf("%s row %d recipient %q: %s %s, expected %s %s (%s)", s.Name, want.Row, want.Recipient, got.outcome, got.code, expected.outcome, expected.code, want.Note))
		}
	}
	for at, l := range lines {
		r.mistakes = append(r.mistakes, fmt.Sprintf("%s row %s recipient %q: %s %s, and nothing was expected", s.Name, at.row, at.recipient, l.outcome, l.code))
	}
	return r, nil
}

func readOutcome(file string) (map[place]ending, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.Comma = ';'
	records, err := r.ReadAll()
	if err != nil || len(records) == 0 {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	column := map[string]int{}
	for i, name := range records[0] {
		column[name] = i
	}
	lines := map[place]ending{}
	for _, record := range records[1:] {
		at := place{record[column["send_riga"]], record[column["send_destinatario"]]}
		lines[at] = ending{record[column["send_esito"]], record[column["send_codice"]]}
	}
	return lines, nil
}
