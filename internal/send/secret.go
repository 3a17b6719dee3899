package send

import "log/slog"

// Secret is a text that must never be seen: an API key, a voucher. It prints as
// ••• through fmt (every verb), slog, JSON and any other text marshaller; only
// string(s) gives the text, so every use of it can be found by search.
type Secret string

const masked = "•••"

// String hides the text.
func (Secret) String() string { return masked }

// GoString hides the text from %#v.
func (Secret) GoString() string { return masked }

// LogValue hides the text from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText hides the text from JSON, XML and YAML encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }
