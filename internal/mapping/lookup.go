package mapping

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"sendconnector/internal/yamldoc"
)

// maxLookup bounds a table; larger ones belong into the export.
const maxLookup = 100_000

// lookup is a small table: keys and values written in the profile, or two columns of a
// CSV beside it.
type lookup struct {
	entries    map[string]string
	file       string // relative name of the CSV
	key, value string // its columns
	delimiter  string
	path       string
}

// DecodeYAML tells a table that names a file from one that holds the entries.
func (l *lookup) DecodeYAML(v *yamldoc.Value) {
	l.path = v.Path()
	raw := map[string]string{}
	v.Decode(&raw)
	if _, isFile := raw["file"]; !isFile {
		l.entries = make(map[string]string, len(raw))
		for k, value := range raw {
			l.entries[lookupKey(k)] = value
		}
		return
	}
	shape := struct {
		File      string `yaml:"file"`
		Key       string `yaml:"key"`
		Value     string `yaml:"value"`
		Delimiter string `yaml:"delimiter"`
	}{Delimiter: ";"}
	v.Decode(&shape)
	l.file, l.key, l.value, l.delimiter = shape.File, shape.Key, shape.Value, shape.Delimiter
	if l.key == "" || l.value == "" {
		v.Errorf("a table from a file needs file, key and value")
	}
}

// lookupKey makes look-ups blind to case and blanks around.
func lookupKey(s string) string { return strings.ToUpper(strings.TrimSpace(s)) }

// read fills the table from the content of its CSV.
func (l *lookup) read(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(data) {
		return errors.New("the file is not UTF-8")
	}
	r := csv.NewReader(bytes.NewReader(data))
	delim, ok := oneRune(l.delimiter)
	if !ok || delim == 0 {
		return fmt.Errorf("delimiter %q is not one character", l.delimiter)
	}
	r.Comma, r.FieldsPerRecord = delim, -1
	records, err := r.ReadAll()
	if err != nil {
		return err
	}
	if len(records) == 0 {
		return errors.New("the file is empty")
	}
	k, v := slices.Index(records[0], l.key), slices.Index(records[0], l.value)
	if k < 0 || v < 0 {
		return fmt.Errorf("columns %q and %q are not both in its heading: %s", l.key, l.value, strings.Join(records[0], ", "))
	}
	if len(records) > maxLookup {
		return fmt.Errorf("more than %d rows", maxLookup)
	}
	l.entries = make(map[string]string, len(records))
	for i, record := range records[1:] {
		if len(record) <= max(k, v) {
			continue
		}
		key := lookupKey(record[k])
		if before, twice := l.entries[key]; twice && before != record[v] {
			return fmt.Errorf("row %d: the key %q stands twice with different values", i+2, record[k])
		}
		l.entries[key] = strings.TrimSpace(record[v])
	}
	return nil
}
