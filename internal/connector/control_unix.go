//go:build !windows

package connector

const unixSockets = true

// makePrivate has nothing to do: the file was made for its owner alone.
func makePrivate(string) error { return nil }
