// Package config reads the one YAML file that a system administrator writes and
// turns it into typed values that the rest of the program can trust.
//
// Start with Load. Every problem of the file is reported at once, with line,
// column, an excerpt and a caret; an unknown key is an error. Defaults are filled
// in one place (defaults.go) and rules checked in another (check.go), so that what
// Load returns is complete: nothing else in the program knows a default of the
// configuration.
//
// Secrets are named in the file (${file:PATH}, ${env:NAME}), never written there,
// and are a type that prints as •••. config.example.yaml at the top of the project
// shows every key; a test reads it.
package config
