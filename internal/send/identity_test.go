package send

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Damage prevented: a connector that must be restarted, perhaps days later, because
// the key that it was given in place of a blocked one lies on disk unread.
func TestRekey(t *testing.T) {
	c, _ := both(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Api-Key") != "new" || r.Header.Get("Authorization") != "Bearer voucher-2" {
			answerWith(403, gatewayDeny)(w, r)
			return
		}
		answerWith(200, `[]`)(w, r)
	}, func() http.HandlerFunc {
		var asked atomic.Int32
		return func(w http.ResponseWriter, r *http.Request) { answerWith(200, token(asked.Add(1), 600))(w, r) }
	}())
	use := func() error { _, err := c.ListStreams(t.Context()); return err }
	if e := wantClass(t, use(), Held); e.Reason != HeldAPIKey {
		t.Fatal(e)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pdnd := *c.cfg.PDND
	if err := c.Rekey("with blank", &pdnd); err == nil {
		t.Error("a key that no header can carry was taken")
	}
	if err := c.Rekey("new", nil); err == nil {
		t.Error("a key that is bound to PDND lost its client")
	}
	pdnd.Key, pdnd.KeyID = key, "belongs to another key"
	if err := c.Rekey("new", &pdnd); err == nil || !strings.Contains(err.Error(), "do not belong together") {
		t.Errorf("a key file that does not fit: %v", err)
	}
	pdnd.KeyID = ""
	used, _ := c.Budget()
	if err := c.Rekey(" new\n", &pdnd); err != nil {
		t.Fatal(err)
	}
	if err := use(); err != nil {
		t.Error("with the new key: ", err)
	}
	if now, _ := c.Budget(); now != used+1 {
		t.Errorf("%d calls of the day counted, want %d: the limits are the body's, not the key's", now, used+1)
	}
}

// Damage prevented: hours of search in PDND's back office for a fault that is this
// machine's clock. A clock that is fast does not make PDND refuse.
func TestSlowClockIsNamed(t *testing.T) {
	for behind, want := range map[time.Duration]string{time.Hour: HeldClock, time.Minute: HeldVoucher, -time.Hour: HeldVoucher} {
		var date atomic.Value
		c, h := both(t, answerWith(200, `[]`), func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", date.Load().(string))
			answerWith(400, `{"status":400,"errors":[{"code":"015-0008","detail":"Unable to generate a token for the given request"}]}`)(w, r)
		})
		date.Store(h.now().Add(behind).Format(http.TimeFormat))
		_, err := c.ListStreams(t.Context())
		e := wantClass(t, err, Held)
		if e.Reason != want || !e.Deaf() {
			t.Errorf("%v behind: held by %q, want %q", behind, e.Reason, want)
		}
		if want == HeldClock && (e.Skew < 59*time.Minute || e.Skew > 61*time.Minute) {
			t.Errorf("behind by %v", e.Skew)
		}
	}
}
