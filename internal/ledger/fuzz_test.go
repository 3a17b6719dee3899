package ledger

import "testing"

// Damage prevented: a page that the disk spoilt ends the process, where `ledger check`
// is to tell it.
func FuzzRecords(f *testing.F) {
	c, err := newCodec()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(c.close)
	packed, err := c.pack(&Notification{}, 0)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{changeForm, 3, 1, 2, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		var n Notification
		_ = c.unpack(b, &n)
		_, _ = decodeChange(b)
		_ = decodeRange(b)
		for rest := b; rest != nil; {
			var e Event
			next := decodeEvent(rest, &e)
			if next != nil && len(next) >= len(rest) {
				t.Fatal("an event without end")
			}
			rest = next
		}
	})
}
