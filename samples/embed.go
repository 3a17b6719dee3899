// Package samples holds three services of an invented municipality, and lines of
// SEND's own JSON, as they would be dropped: the export, the PDFs it names, the
// profile that reads it, and what must become of every row, deliberate mistakes
// included. The demo plays them and tests measure the connector by them.
//
// Everything is embedded and read-only; nothing here remembers anything. The drops
// and expectations are written by the program in make.
package samples

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The prefix all: keeps files that begin with a dot or an underscore, should there
// ever be one: a drop must be whole.
//
//go:embed all:tari all:multe all:scuola all:json
var files embed.FS

// FS holds every sample below a folder of its name.
func FS() fs.FS { return files }

// Service is one sample. Paths are those of FS.
type Service struct {
	Name     string // also the folder in FS, and a name for a flow
	Title    string // Italian, for people
	Drop     string // folder holding exactly what is dropped
	Export   string // the export's name within Drop
	Profile  string // "" for SEND's own JSON, which needs none
	Expected string // what must become of every row
}

// Services lists the samples in the order in which they are best shown.
func Services() []Service {
	return []Service{
		service("tari", "Accertamenti TARI (Excel)", "accertamenti_tari_2024.xlsx", true),
		service("multe", "Verbali del Codice della strada (CSV)", "VERBALI_20261102.CSV", true),
		service("scuola", "Solleciti di mensa e trasporto (CSV)", "solleciti mensa e trasporto.csv", true),
		service("json", "Richieste nel formato di SEND (JSON)", "richieste.jsonl", false),
	}
}

func service(name, title, export string, profile bool) Service {
	s := Service{Name: name, Title: title, Drop: name + "/deposito", Export: export, Expected: name + "/atteso.csv"}
	if profile {
		s.Profile = name + "/profilo.yaml"
	}
	return s
}

// CopyDrop copies the drop into dir, as a careful program drops it: documents first,
// the export last and under its name only when it is whole.
func (s Service) CopyDrop(dir string) error {
	drop, err := fs.Sub(files, s.Drop)
	if err != nil {
		return err
	}
	err = fs.WalkDir(drop, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || name == s.Export {
			return err
		}
		return copyFile(drop, name, filepath.Join(dir, filepath.FromSlash(name)))
	})
	if err != nil {
		return fmt.Errorf("sample %s: %w", s.Name, err)
	}
	part := filepath.Join(dir, s.Export+".part")
	if err := copyFile(drop, s.Export, part); err != nil {
		return fmt.Errorf("sample %s: %w", s.Name, err)
	}
	return os.Rename(part, filepath.Join(dir, s.Export))
}

func copyFile(from fs.FS, name, to string) error {
	data, err := fs.ReadFile(from, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o770); err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o660)
}

// Expected is one line of the outcome file as it must be in the end.
type Expected struct {
	Row         int    // send_riga
	Recipient   string // send_destinatario, "" where it is blank
	Outcome     string // send_esito
	Code        string // send_codice; "" for rows that are neither rejected nor refused
	Unreachable bool   // send_irreperibile is "si"
	Note        string // why, in Italian
}

// expectedHeading is the first line of an expectation file.
const expectedHeading = "riga;destinatario;esito;codice;nota;irreperibile"

// Expect reads what must become of the sample's rows, in the order of the rows.
func (s Service) Expect() ([]Expected, error) {
	f, err := files.Open(s.Expected)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma = ';'
	records, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Expected, err)
	}
	if len(records) < 2 || strings.Join(records[0], ";") != expectedHeading {
		return nil, fmt.Errorf("%s: %w %s", s.Expected, errHeading, expectedHeading)
	}
	all := make([]Expected, len(records)-1)
	for i, c := range records[1:] {
		row, err := strconv.Atoi(c[0])
		if err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", s.Expected, i+2, err)
		}
		all[i] = Expected{Row: row, Recipient: c[1], Outcome: c[2], Code: c[3], Note: c[4], Unreachable: c[5] == "si"}
	}
	return all, nil
}

var errHeading = errors.New("the heading is not")
