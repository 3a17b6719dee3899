package main

import (
	"io"
	"log/slog"

	"gopkg.in/natefinch/lumberjack.v2"

	"sendconnector/internal/config"
)

// logger makes the log that the configuration asks for. The second value closes its
// file.
func (a *app) logger(cfg *config.Config) (*slog.Logger, func() error) {
	var w io.Writer = a.stderr
	closer := func() error { return nil }
	if cfg.Log.File != "" {
		file := &lumberjack.Logger{Filename: cfg.Log.File, MaxSize: cfg.Log.MaxSize, MaxBackups: cfg.Log.Keep, LocalTime: true}
		w, closer = &visible{w: file}, file.Close
	}
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Log.Level)) // checked by config.Load
	options := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options)), closer
	}
	return slog.New(slog.NewTextHandler(w, options)), closer
}
