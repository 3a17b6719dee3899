//go:build !windows

package connector

const unixSockets = true
