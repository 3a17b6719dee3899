// Command make writes the samples of this repository: exports as a municipality's
// programs give them, the PDFs they name, and what must become of every row. Its
// output is committed; run it again after a change:
//
//	go run ./samples/make
//
// The same program gives the same files, byte for byte (the workbook: the same
// cells). Persons, companies and the municipality are invented. What is expected is
// written beside the data of each row, from SEND's documentation and not from the
// connector's code. Profiles are written by hand and are not touched.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := flag.String("dir", "samples", "folder of the samples")
	flag.Parse()
	if err := generate(*dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// generate writes every sample below dir, in place of what was generated before.
func generate(dir string) error {
	for _, s := range []*sample{tari(), multe(), scuola(), jsonLines()} {
		if err := os.RemoveAll(filepath.Join(dir, s.name, "deposito")); err != nil {
			return err
		}
		if err := s.write(dir); err != nil {
			return err
		}
	}
	return nil
}
