//go:build !windows

package config

func systemFile() string { return "/etc/connector/config.yaml" }
