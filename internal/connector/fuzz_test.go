package connector

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

// Damage prevented: what comes over the control endpoint kills the service, or is
// answered with half a document.
func FuzzArguments(f *testing.F) {
	c := newStill(f).open()
	commands := handlers()
	for _, pathTaking := range []string{"preview", "ledger-backup"} { // would open files of the fuzzer's choice
		delete(commands, pathTaking)
	}
	names := slices.Sorted(maps.Keys(commands))
	for i, args := range []string{
		`{}`, `null`, `{"batch":"b"}`, `{"flow":"tari","reason":"x"}`, `{"flow":"tari","sequence_from":18446744073709551615}`,
		`{"protocol":"p","as_new":true}`, `{"creditor":"1","notice":2}`, `[`, `{"iun":""}`,
	} {
		f.Add(uint8(i), []byte(args))
	}
	f.Fuzz(func(t *testing.T, which uint8, args []byte) {
		name := names[int(which)%len(names)]
		var answer bytes.Buffer
		err := c.dispatch(t.Context(), name, args, &answer)
		switch {
		case err != nil && answer.Len() > 0 && name != "ledger-export":
			t.Fatalf("%s %q: half an answer %q, %v", name, args, answer.Bytes(), err)
		case err == nil && name != "ledger-export" && !json.Valid(answer.Bytes()):
			t.Fatalf("%s %q: no JSON: %q", name, args, answer.Bytes())
		}
	})
}
