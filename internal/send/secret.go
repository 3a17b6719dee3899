package send

import (
	"log/slog"
	"time"
)

// Secret is a text that must never be seen: an API key, a voucher. It prints as
// ••• through fmt (every verb), slog, JSON and any other text marshaller; only
// string(s) gives the text, so every use of it can be found by search. fmt calls
// no methods through unexported fields: a struct that holds one in such a field
// needs a String and a GoString of its own, as Client has.
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

// String hides the configuration of the client.
func (c *Client) String() string { return "send.Client(" + c.cfg.BaseURL + ")" }

// GoString hides the configuration of the client.
func (c *Client) GoString() string { return c.String() }

// String hides the token.
func (v voucher) String() string { return "voucher(" + v.expires.Format(time.RFC3339) + ")" }

// GoString hides the token.
func (v voucher) GoString() string { return v.String() }
