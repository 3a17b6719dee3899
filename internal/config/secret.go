package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Secret names where a secret lies: "${file:PATH}" (relative paths start from the
// configuration's folder) or "${env:NAME}". It never holds the secret itself, so it
// may be printed. Read it with Resolve at the moment it is needed: a file that was
// replaced is then read anew.
type Secret string

// ErrOpenSecret says that a secret file can be read by others than its owner.
var ErrOpenSecret = errors.New("the file can be read by other users of this machine; set its mode to 0600")

// OpenSecretError is the secret file that can be read by others. It is an ErrOpenSecret.
type OpenSecretError struct{ Path string }

func (e *OpenSecretError) Error() string { return e.Path + ": " + ErrOpenSecret.Error() }

// Unwrap makes it an ErrOpenSecret.
func (e *OpenSecretError) Unwrap() error { return ErrOpenSecret }

const maxSecret = 64 << 10

// reference splits the secret into kind ("file" or "env") and name.
func (s Secret) reference() (kind, name string, err error) {
	inner, ok := strings.CutPrefix(string(s), "${")
	if ok {
		inner, ok = strings.CutSuffix(inner, "}")
	}
	kind, name, found := strings.Cut(inner, ":")
	if !ok || !found || name == "" || (kind != "file" && kind != "env") {
		return "", "", errors.New("a secret is not written here: put it in a file and write ${file:PATH}, or ${env:NAME} for an environment variable")
	}
	return kind, name, nil
}

// Resolve reads the secret; dir is where relative paths start. The text is trimmed
// of surrounding white space. Errors never contain it.
func (s Secret) Resolve(dir string) (string, error) {
	kind, name, err := s.reference()
	if err != nil {
		return "", err
	}
	if kind == "env" {
		value := strings.TrimSpace(os.Getenv(name))
		if value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return value, nil
	}
	data, err := ReadPrivate(absolute(dir, name), false)
	if err != nil {
		return "", err
	}
	value := strings.TrimSpace(string(data))
	if value == "" {
		return "", fmt.Errorf("the secret file %s is empty", name)
	}
	return value, nil
}

// ReadPrivate reads a small file that holds a secret. On Unix a file that others
// than its owner may read is refused with ErrOpenSecret unless open is true (secrets
// of containers are mounted so). Links are followed; what is no regular file is refused
// and never waited for. Windows has no such bits: see SharedWith.
func ReadPrivate(path string, open bool) ([]byte, error) {
	file, err := openPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the secret file %s does not exist", path)
	}
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	defer file.Close()
	// What is judged is the very file that is read: a name can change hands in between.
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	if info.Size() > maxSecret {
		return nil, fmt.Errorf("%s is too large for a secret (%d bytes)", path, info.Size())
	}
	if !open && readableByOthers(info) {
		return nil, &OpenSecretError{path}
	}
	data, err := io.ReadAll(io.LimitReader(file, maxSecret))
	if err != nil {
		return nil, fmt.Errorf("secret file: %w", err)
	}
	return data, nil
}

// File is the path of the file that holds the secret; "" if it is in the environment
// or nowhere.
func (s Secret) File(dir string) string {
	kind, name, err := s.reference()
	if err != nil || kind != "file" {
		return ""
	}
	return absolute(dir, name)
}

// absolute makes a path of the configuration absolute.
func absolute(dir, path string) string {
	if path == "" || filepath.IsAbs(path) || isNetworkPath(path) {
		return path
	}
	return filepath.Join(dir, filepath.FromSlash(path))
}
