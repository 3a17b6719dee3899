//go:build !windows

package config

import "io/fs"

func readableByOthers(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }

// SharedWith is always empty: a file that others may read is refused.
func SharedWith(string) ([]string, error) { return nil, nil }
