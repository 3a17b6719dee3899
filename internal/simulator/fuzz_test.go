package simulator

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

// Damage prevented: a body or a token that brings the judge down would end the
// test of everything else. What is taken must live to its end without a panic.
func FuzzCreate(f *testing.F) {
	f.Add(loadBody(1))
	f.Add([]byte(`{"recipients":[{}],"documents":[null]}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, _, _ := loaded(t, 0)
		w := direct(s, "POST", requests, body)
		if w.Code == http.StatusAccepted {
			s.Advance(48 * time.Hour)
			direct(s, "GET", "/delivery/v2.9/notifications/sent/"+s.Accepted()[0].IUN, nil)
			return
		}
		var p problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != w.Code || len(p.Errors) == 0 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add("e30.e30.")
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJleHAiOjF9.AA")
	s := New(Options{})
	f.Fuzz(func(t *testing.T, text string) {
		if parsed, err := parseToken(text); err == nil {
			s.pdnd.assertionFits(parsed, "")
		}
		if s.pdnd.acceptsVoucher("Bearer "+text, testStart) {
			t.Error("an invented voucher was accepted")
		}
	})
}
