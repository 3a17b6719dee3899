package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the release build with -ldflags "-X main.version=…".
var version = "dev"

type versionCmd struct{}

type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisVersion() versionInfo {
	v := versionInfo{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Commit = s.Value
			}
		}
	}
	return v
}

// Run prints what this executable is.
func (versionCmd) Run(a *app) error {
	v := thisVersion()
	if a.flags.JSON {
		return a.printJSON(v)
	}
	_, err := fmt.Fprintf(a.stdout, "connector %s %s %s %s\n", v.Version, v.Commit, v.Go, v.Platform)
	return err
}
