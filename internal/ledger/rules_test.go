package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/notification"
)

var bg = context.Background()

// Damage: the same document notified twice because somebody typed its number in
// another way.
func TestRule01(t *testing.T) {
	w := newWorld(t)
	first, v := w.drop(tari(1))
	outcome(t, v[0], RowLinked)
	for _, spelling := range []string{"tari-2026-000001", "TARI-2026-1", "TARI - 2026 - 000001", "ＴＡＲＩ-2026-000001"} {
		_, v = w.drop(tari(1).with(func(g *thing) { g.protocol = spelling }))
		outcome(t, v[0], RowRejected, "C-PROTOCOL-SPELLING", "C-NOTICE-TAKEN", "C-ACT-TAKEN")
		if p := v[0].Problems[0]; !strings.Contains(p.Message, first.ID) || !strings.Contains(p.Message, "riga 2") {
			t.Fatalf("does not name the earlier row: %s", p.Message)
		}
	}
	other := tari(2).with(func(g *thing) { g.protocol = "TARI-2026-01" })
	_, v = w.drop(other)
	outcome(t, v[0], RowRejected, "C-PROTOCOL-SPELLING")
	w.ok(w.l.Resubmit(bg, Key{testEnv, testSender, other.protocol}, true))
	_, v = w.drop(other)
	outcome(t, v[0], RowLinked)
	if got := w.note(v[0].ID).Key.Protocol; got != "TARI-2026-01" {
		t.Fatalf("SEND gets %q instead of the exact string", got)
	}
	_, v = w.drop(tari(1), other)
	outcome(t, v[0], RowKnown)
	outcome(t, v[1], RowKnown)
}

// Damage: a key of the test environment, or of another body, blocks the real one.
func TestRule01EnvironmentAndSenderArePartOfTheKey(t *testing.T) {
	w := newWorld(t)
	w.drop(tari(1))
	b := w.batch()
	b.Environment = "production https://api.example"
	outcome(t, w.read(b, tari(1).item(2))[0], RowLinked)
	c := w.batch()
	c.SenderTaxID, c.Sender = "01234567897", "altro"
	it := tari(1).with(func(g *thing) { g.notices, g.act = nil, "x" }).item(2)
	outcome(t, w.read(c, it)[0], RowLinked)
}

// Damage: after the loss of the ledger the token is another one, and SEND takes the
// document a second time.
func TestRule02(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	n := w.note(v[0].ID)
	if want := notification.Token(testSender, "TARI-2026-000001", 1); n.Token != want || n.Attempt != 1 {
		t.Fatalf("attempt %d token %s, want %s", n.Attempt, n.Token, want)
	}
	w.send(n.ID)
	w.refuse(n.ID, "TAXID_NOT_VALID")
	w.drop(tari(1).with(func(g *thing) { g.zip = "00185" }))
	w.ok(w.prove(n.ID))
	if got, want := w.note(n.ID).Token, notification.Token(testSender, "TARI-2026-000001", 2); got != want {
		t.Fatalf("token of attempt 2 is %s, want %s", got, want)
	}
	err := w.try(n.ID, Ready, func(n *Notification) { n.Token = "altro" })
	if te := (*TransitionError)(nil); !errors.As(err, &te) {
		t.Fatalf("a frozen token could be changed: %v", err)
	}
}

// Damage: a key counts as free although its notification lives, or as taken although
// it never left.
func TestRule03(t *testing.T) {
	to := map[State]func(*world, ID){
		Ready:     func(*world, ID) {},
		Uploaded:  func(w *world, id ID) { w.step(id, Uploaded) },
		Intent:    func(w *world, id ID) { w.step(id, Uploaded); w.step(id, Intent) },
		Submitted: func(w *world, id ID) { w.send(id) },
		Accepted:  func(w *world, id ID) { w.send(id); w.accept(id) },
		Cancelled: func(w *world, id ID) { w.send(id); w.accept(id); w.step(id, Cancelled) },
		Refused:   func(w *world, id ID) { w.send(id); w.refuse(id, "TAXID_NOT_VALID") },
		RefusedAtOnce: func(w *world, id ID) {
			w.step(id, Uploaded)
			w.step(id, Intent)
			w.step(id, RefusedAtOnce, refusal("PN_GENERIC_INVALIDPARAMETER"))
		},
		Discarded: func(w *world, id ID) { w.ok(w.l.DiscardNotification(bg, id)) },
	}
	for s, bring := range to {
		t.Run(string(s), func(t *testing.T) {
			w := newWorld(t)
			_, v := w.drop(tari(1))
			bring(w, v[0].ID)
			// The same request again: never sent twice, whatever became of it, but for a
			// discarded one.
			_, again := w.drop(tari(1))
			want := RowKnown
			switch s {
			case Refused, RefusedAtOnce:
				want = RowRefused
			case Discarded:
				want = RowLinked
			}
			outcome(t, again[0], want)
			if s == Discarded {
				return
			}
			// A corrected one goes only where the key is free.
			_, fixed := w.drop(tari(1).with(func(g *thing) { g.subject = "Avviso corretto" }))
			if s.Taken() {
				outcome(t, fixed[0], RowRejected, "C-KNOWN-DIFFERENT")
			} else {
				outcome(t, fixed[0], RowLinked)
			}
			late := w.l.DiscardNotification(bg, v[0].ID)
			if s != Ready && s != Uploaded && s != Refused && !errors.Is(late, ErrTooLate) {
				t.Fatalf("discarded from %s: %v", s, late)
			}
		})
	}
}

// Damage: after a plain 400 the corrected row goes with another token, so that the
// first, if it was taken after all, becomes a second notification.
func TestRule04SynchronousRefusalKeepsTheToken(t *testing.T) {
	w := newWorld(t)
	b1, v := w.drop(tari(1))
	w.step(v[0].ID, Uploaded)
	w.step(v[0].ID, Intent)
	w.step(v[0].ID, RefusedAtOnce, refusal("PN_GENERIC_INVALIDPARAMETER"))
	before := w.note(v[0].ID)
	_, mark := w.news(1)
	b2, v2 := w.drop(tari(1).with(func(g *thing) { g.zip = "00185" }))
	outcome(t, v2[0], RowLinked)
	after := w.note(v2[0].ID)
	if after.Attempt != 1 || after.Token != before.Token {
		t.Fatalf("attempt %d, token %s; want the same as before", after.Attempt, after.Token)
	}
	equal(t, "due", w.due(), []ID{after.ID})
	equal(t, "old lines", w.lines(b1.ID), []string{"2 RIFIUTATA PN_GENERIC_INVALIDPARAMETER"})
	equal(t, "new lines", w.lines(b2.ID), []string{"2 IN_CODA"})
	last, _ := w.news(mark + 1)
	equal(t, "last update of the old row", last, []string{b1.File + " 2 RIFIUTATA PN_GENERIC_INVALIDPARAMETER"})
}

// Damage: attempt 2 leaves while attempt 1 lives: two notifications.
func TestRule04(t *testing.T) {
	w := newWorld(t)
	b1, v := w.drop(tari(1))
	id := v[0].ID
	w.send(id)
	w.refuse(id, "TAXID_NOT_VALID")
	b2, v2 := w.drop(tari(1).with(func(g *thing) { g.taxIDs[0] = "VRDLGU75C12F205X" }))
	outcome(t, v2[0], RowLinked, "C-GROUP-CHANGED")
	if v2[0].ID != id || v2[0].Attempt != 2 || !v2[0].New {
		t.Fatalf("got %+v", v2[0])
	}
	if n := w.note(id); n.State != Refused || n.Attempt != 1 || n.Pending == nil {
		t.Fatalf("attempt %d %s: the new request must wait beside the old attempt", n.Attempt, n.State)
	}
	equal(t, "old", w.lines(b1.ID), []string{"2 RIFIUTATA TAXID_NOT_VALID"})
	equal(t, "new", w.lines(b2.ID), []string{"2 IN_CODA"})
	equal(t, "due", w.due(), []ID{id})

	token := w.note(id).Token
	for name, p := range map[string]Proof{
		"no proof":          {},
		"other token":       {At: w.now, Token: notification.Token(testSender, "TARI-2026-000001", 2), Status: "REFUSED"},
		"accepted":          {At: w.now, Token: token, Status: "ACCEPTED"},
		"waiting":           {At: w.now, Token: token, Status: "WAITING"},
		"cancelled unasked": {At: w.now, Token: token, Status: "CANCELLED"},
		"before the drop":   {At: w.now.Add(-time.Second), Token: token, Status: "REFUSED"},
		"of the future":     {At: w.now.Add(time.Second), Token: token, Status: "REFUSED"},
	} {
		err := w.l.Update(bg, func(tx *Tx) error {
			n, err := tx.Notification(id)
			if err != nil {
				return err
			}
			return tx.NextAttempt(n, p)
		})
		if !errors.Is(err, ErrNoProof) {
			t.Fatalf("%s made a new attempt: %v", name, err)
		}
	}
	for _, s := range []State{Ready, Intent, Uploaded} {
		if te := (*TransitionError)(nil); !errors.As(w.try(id, s), &te) {
			t.Fatalf("REFUSED went to %s without proof", s)
		}
	}
	w.now = w.now.Add(time.Hour)
	w.ok(w.prove(id))
	n := w.note(id)
	if n.State != Ready || n.Attempt != 2 || n.OwnerBatch != b2.ID || n.Pending != nil || n.Request.Recipients[0].TaxID != "VRDLGU75C12F205X" {
		t.Fatalf("after proof: %+v", n)
	}
	equal(t, "due", w.due(), []ID{id})
	equal(t, "old row stays as it was", w.lines(b1.ID), []string{"2 RIFIUTATA TAXID_NOT_VALID"})
	if err := w.prove(id); !errors.Is(err, ErrNoProof) {
		t.Fatalf("a second attempt from one proof: %v", err)
	}
}

// Damage: the look-up finds that the "refused" attempt lives, and the waiting
// request is sent all the same.
func TestRule04RefutedProof(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	w.send(v[0].ID)
	w.refuse(v[0].ID, "TAXID_NOT_VALID")
	b2, _ := w.drop(tari(1).with(func(g *thing) { g.subject = "Altro oggetto" }))
	w.update(func(tx *Tx) error {
		n, err := tx.Notification(v[0].ID)
		if err != nil {
			return err
		}
		n.State, n.IUN, n.Refusals = Accepted, "IUN-1", nil
		return tx.RefutePending(n, Cause{Event: "LOOKUP"})
	})
	if n := w.note(v[0].ID); n.Pending != nil || n.State != Accepted {
		t.Fatalf("%s with pending %v", n.State, n.Pending)
	}
	equal(t, "due", w.due(), nil)
	equal(t, "lines", w.lines(b2.ID), []string{"2 SCARTATA C-KNOWN-DIFFERENT"})
}

// Damage: a nightly export pays the refusal fee every night, or a corrected row is
// never sent.
func TestRule05(t *testing.T) {
	bytesOnly := func(g *thing) { g.act = "atto rifatto" }
	for _, c := range []struct {
		name   string
		codes  []string
		change func(*thing)
		want   RowOutcome
	}{
		{"same", []string{"TAXID_NOT_VALID"}, func(*thing) {}, RowRefused},
		{"only document bytes", []string{"TAXID_NOT_VALID"}, bytesOnly, RowRefused},
		{"document bytes after FILE_", []string{"FILE_PDF_INVALID_ERROR"}, bytesOnly, RowLinked},
		{"same after FILE_", []string{"FILE_PDF_INVALID_ERROR"}, func(*thing) {}, RowRefused},
		{"changed address", []string{"NOT_VALID_ADDRESS"}, func(g *thing) { g.zip = "00100" }, RowLinked},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			_, v := w.drop(tari(1))
			w.send(v[0].ID)
			w.refuse(v[0].ID, c.codes...)
			_, mark := w.news(1)
			b2, v2 := w.drop(tari(1).with(c.change))
			outcome(t, v2[0], c.want)
			if c.want == RowLinked {
				return
			}
			equal(t, "nothing to do", w.due(), nil)
			equal(t, "repeated with its remedy", w.lines(b2.ID), []string{"2 RIFIUTATA " + c.codes[0]})
			if m := w.allLines(b2.ID)[0].Message; !strings.Contains(m, "Rifiutata") {
				t.Fatalf("message %q has no remedy", m)
			}
			told, _ := w.news(mark + 1)
			equal(t, "told once", told, []string{b2.File + " 2 RIFIUTATA " + c.codes[0]})
		})
	}
}

// Damage: every new PDF of a nightly export makes one more paid attempt.
func TestRule05FileBytesOncePerKey(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	id := v[0].ID
	w.send(id)
	w.refuse(id, "FILE_SHA_ERROR")
	_, v = w.drop(tari(1).with(func(g *thing) { g.act = "due" }))
	outcome(t, v[0], RowLinked)
	w.ok(w.prove(id))
	w.send(id)
	w.refuse(id, "FILE_SHA_ERROR")
	_, v = w.drop(tari(1).with(func(g *thing) { g.act = "tre" }))
	outcome(t, v[0], RowRefused)
}

// Damage: an automatic attempt repeats for ever, or after a refusal that will come
// again and is paid again.
func TestRule05Automatic(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1), tari(2))
	for _, x := range v {
		w.send(x.ID)
	}
	w.refuse(v[0].ID, "SERVICE_UNAVAILABLE")
	w.refuse(v[1].ID, "SERVICE_UNAVAILABLE", "TAXID_NOT_VALID")
	equal(t, "due", w.due(), []ID{v[0].ID})
	if err := w.prove(v[1].ID); !errors.Is(err, ErrNoProof) {
		t.Fatalf("attempt without a reason: %v", err)
	}
	w.ok(w.prove(v[0].ID))
	n := w.note(v[0].ID)
	if n.Attempt != 2 || !n.Automatic || n.Documents[0].Key != "" {
		t.Fatalf("%+v", n)
	}
	w.send(v[0].ID)
	w.refuse(v[0].ID, "SERVICE_UNAVAILABLE")
	equal(t, "one only", w.due(), nil)
	w.ok(w.l.Resubmit(bg, n.Key, false))
	equal(t, "a person may", w.due(), []ID{v[0].ID})
	w.ok(w.prove(v[0].ID))
	if n := w.note(v[0].ID); n.Attempt != 3 {
		t.Fatalf("attempt %d", n.Attempt)
	}
}

// Damage: one debt notified under two protocol numbers; a swapped PDF sent to the
// wrong person unremarked.
func TestRule06(t *testing.T) {
	w := newWorld(t)
	first, v := w.drop(tari(1))
	id := v[0].ID
	sameNotice := tari(2).with(func(g *thing) { g.notices = tari(1).notices })
	sameAct := tari(3).with(func(g *thing) { g.act, g.taxIDs = tari(1).act, tari(1).taxIDs })
	swapped := tari(4).with(func(g *thing) { g.act = tari(1).act })
	_, v = w.drop(sameNotice, sameAct)
	outcome(t, v[0], RowRejected, "C-NOTICE-TAKEN")
	outcome(t, v[1], RowRejected, "C-ACT-TAKEN")
	for _, x := range v {
		if m := x.Problems[0].Message; !strings.Contains(m, first.ID) || !strings.Contains(m, "TARI-2026-000001") {
			t.Fatalf("does not name the other row: %s", m)
		}
	}
	_, v = w.drop(swapped)
	outcome(t, v[0], RowLinked, "C-ACT-SHARED")
	w.ok(w.l.DiscardNotification(bg, v[0].ID))

	w.send(id)
	w.accept(id)
	_, v = w.drop(sameNotice)
	outcome(t, v[0], RowRejected, "C-NOTICE-TAKEN")
	w.step(id, Cancelled)
	_, v = w.drop(sameNotice, sameAct)
	outcome(t, v[0], RowLinked)
	outcome(t, v[1], RowLinked)
}

// Damage: two requests wait for one notice and both are sent.
func TestRule06NewAttemptAfterNoticeWasTaken(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	w.send(v[0].ID)
	w.refuse(v[0].ID, "SERVICE_UNAVAILABLE")
	_, v2 := w.drop(tari(2).with(func(g *thing) { g.notices = tari(1).notices }))
	outcome(t, v2[0], RowLinked) // the refused one let go of it
	var taken *TakenError
	if err := w.prove(v[0].ID); !errors.As(err, &taken) || taken.Holder != v2[0].ID {
		t.Fatalf("the automatic attempt went although its notice was taken: %v", err)
	}
}

// Damage: a file is thrown away because its hash is known although one of its rows
// was never sent (a PDF that was missing, a profile mended since).
func TestRule07(t *testing.T) {
	w := newWorld(t)
	bad := tari(2).item(3)
	bad.Problems = []notification.Problem{{Severity: notification.Error, Code: "C-DOCUMENT-MISSING", Message: "Manca il PDF."}}
	b1, v := w.dropItems(tari(1).item(2), bad)
	outcome(t, v[0], RowLinked)
	outcome(t, v[1], RowRejected)
	b2, v := w.dropItems(tari(1).item(2), tari(2).item(3)) // the same bytes, the PDF is there now
	outcome(t, v[0], RowKnown)
	outcome(t, v[1], RowLinked)
	if b1.Known || b2.Known {
		t.Fatal("reported as known although a row was not")
	}
	b3, _ := w.drop(tari(1), tari(2))
	if !b3.Known {
		t.Fatal("not reported as known although every row is")
	}
	w.ok(w.l.View(bg, func(tx *Tx) error {
		same, err := tx.BatchByHash("tari", "00")
		if len(same) != 3 {
			t.Errorf("%d batches with that hash", len(same))
		}
		return err
	}))
}

// Damage: a taken key sent again; or a difference that matters passed over in
// silence.
func TestRule08(t *testing.T) {
	w := newWorld(t)
	base := tari(1).with(func(g *thing) { g.taxIDs = append(g.taxIDs, "VRDLGU75C12F205X") })
	first, v := w.drop(base)
	for _, c := range []struct {
		name   string
		change func(*thing)
		want   RowOutcome
		codes  []string
	}{
		{"equal", func(*thing) {}, RowKnown, nil},
		{"recipients in another order", func(g *thing) {}, RowKnown, nil},
		{"tax code", func(g *thing) { g.taxIDs[1] = "BNCGNN70B02L219K" }, RowRejected, []string{"C-KNOWN-DIFFERENT"}},
		{"notice", func(g *thing) { g.notices[0] = "301099999999999999" }, RowRejected, []string{"C-KNOWN-DIFFERENT"}},
		{"subject", func(g *thing) { g.subject = "x" }, RowRejected, []string{"C-KNOWN-DIFFERENT"}},
		{"address", func(g *thing) { g.zip = "20121" }, RowKnown, []string{"C-KNOWN-CHANGED"}},
		{"PDF made anew", func(g *thing) { g.act = "altro" }, RowKnown, []string{"C-KNOWN-DOCUMENTS"}},
		{"PDF gone since", func(g *thing) { g.act = "" }, RowKnown, nil},
	} {
		b, got := w.drop(base.with(c.change))
		outcome(t, got[0], c.want, c.codes...)
		if c.want == RowRejected {
			if m := got[0].Problems[0].Message; !strings.Contains(m, first.ID) {
				t.Errorf("%s: does not name the batch: %s", c.name, m)
			}
			continue
		}
		line := w.allLines(b.ID)[0]
		if line.Outcome != GiaPresente || line.Batch != first.ID || line.Environment != testEnv {
			t.Errorf("%s: %+v", c.name, line)
		}
	}
	equal(t, "due", w.due(), []ID{v[0].ID})
}

// Damage: only the corrected row of a group is dropped again, and the notification
// goes without its other recipients.
func TestRule09(t *testing.T) {
	three := tari(1).with(func(g *thing) {
		g.taxIDs = []string{"RSSMRA80A01H501U", "VRDLGU75C12F205X", "BNCGNN70B02L219K"}
		g.notices = append(g.notices, "301000000000000777")
	})
	less := three.with(func(g *thing) { g.taxIDs = g.taxIDs[:2] })
	fewerNotices := three.with(func(g *thing) { g.notices = g.notices[:1] })
	fixed := three.with(func(g *thing) { g.taxIDs[1] = "NRELCU85D44F839P" })
	bad := func() Item {
		it := three.item(2)
		it.Rows[1].Problems = []notification.Problem{{Severity: notification.Error, Code: "C-TAXID", Message: "Codice fiscale errato."}}
		return it
	}
	t.Run("after a rejected drop", func(t *testing.T) {
		w := newWorld(t)
		b1, v := w.dropItems(bad())
		outcome(t, v[0], RowRejected)
		_, v = w.drop(less)
		outcome(t, v[0], RowRejected, "C-GROUP-INCOMPLETE")
		if m := v[0].Problems[0].Message; !strings.Contains(m, "BNCGNN70B02L219K") || !strings.Contains(m, b1.ID) {
			t.Fatalf("does not say what is missing: %s", m)
		}
		_, v = w.drop(less) // dropping the part once more does not make it whole
		outcome(t, v[0], RowRejected, "C-GROUP-INCOMPLETE")
		_, v = w.drop(fewerNotices)
		outcome(t, v[0], RowRejected, "C-GROUP-INCOMPLETE")
		_, v = w.drop(fixed)
		outcome(t, v[0], RowLinked, "C-GROUP-CHANGED")
	})
	t.Run("after a refusal", func(t *testing.T) {
		w := newWorld(t)
		_, v := w.drop(three)
		w.send(v[0].ID)
		w.refuse(v[0].ID, "TAXID_NOT_VALID")
		_, v = w.drop(less)
		outcome(t, v[0], RowRejected, "C-GROUP-INCOMPLETE")
		_, v = w.drop(less)
		outcome(t, v[0], RowRejected, "C-GROUP-INCOMPLETE")
		it := less.item(2)
		it.AllowShrink = true
		_, v = w.dropItems(it)
		outcome(t, v[0], RowLinked, "C-GROUP-CHANGED")
	})
}

// Damage: work of a half-read file is sent; or reading it again gives other verdicts
// than reading it once.
func TestRule10(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(9))
	w.send(v[0].ID)
	w.refuse(v[0].ID, "TAXID_NOT_VALID")
	rejected := tari(8).item(2)
	rejected.Problems = []notification.Problem{{Severity: notification.Error, Code: "C-X", Message: "x"}}
	w.dropItems(rejected)
	b := w.batch()
	fixed := tari(9).with(func(g *thing) { g.zip = "1" })
	all := items(tari(1), tari(1), fixed, tari(8), tari(2))
	bad := all[4]
	bad.Problems = rejected.Problems
	all[4] = bad
	_, mark := w.news(1)
	first := w.read(b, all...)
	equal(t, "nothing due before SEALED", w.due(), nil)
	w.restart()
	w.verify()
	equal(t, "nor after a restart", w.due(), nil)
	second := w.read(b, all...)
	for i := range first {
		if fmt.Sprint(first[i].Outcome, first[i].Attempt, first[i].New, first[i].Problems) != fmt.Sprint(second[i].Outcome, second[i].Attempt, second[i].New, second[i].Problems) {
			t.Fatalf("item %d: %+v, then %+v", i, first[i], second[i])
		}
	}
	if told, _ := w.news(mark + 1); len(told) != 0 {
		t.Fatalf("told before SEALED: %v", told)
	}
	sealed, err := w.l.Seal(bg, b.ID, Sealing{MaxNotifications: -1})
	w.ok(err)
	if sealed.Admitted != 3 || sealed.Rows != 5 {
		t.Fatalf("%+v", sealed)
	}
	if got := len(w.due()); got != 3 {
		t.Fatalf("%d due", got)
	}
	if err := w.l.Begin(bg, b); !errors.Is(err, ErrSealed) {
		t.Fatalf("a sealed batch could be read again: %v", err)
	}
	if _, err := w.l.Admit(bg, b.ID, all); !errors.Is(err, ErrSealed) {
		t.Fatalf("rows after SEALED: %v", err)
	}
}

// Damage: the same event is told under two files, or under the wrong one; a clerk
// waits for an update of a row that another drop has taken over.
func TestRule11(t *testing.T) {
	w := newWorld(t)
	bad := tari(2).item(3)
	bad.Problems = []notification.Problem{{Severity: notification.Error, Code: "C-X", Message: "x"}}
	b1, v := w.dropItems(tari(1).item(2), bad)
	told, mark := w.news(1)
	equal(t, "SCARTATA once", told, []string{b1.File + " 3 SCARTATA C-X"})
	b2, v2 := w.drop(tari(1), tari(2))
	told, mark2 := w.news(mark + 1)
	equal(t, "GIA_PRESENTE never; the superseded row once more", told, []string{b1.File + " 3 SCARTATA C-X"})
	w.send(v[0].ID)
	w.send(v2[1].ID)
	w.now = w.now.Add(time.Hour)
	w.accept(v[0].ID)
	told, _ = w.news(mark2 + 1)
	equal(t, "the owner alone", told, []string{b1.File + " 2 INVIATA", b2.File + " 3 INVIATA", b1.File + " 2 ACCETTATA"})
	snap := w.allLines(b2.ID)[0]
	if snap.Outcome != GiaPresente || snap.Batch != b1.ID || snap.IUN != "" {
		t.Fatalf("snapshot moved: %+v", snap)
	}
	if l := w.allLines(b1.ID)[1]; l.Batch != b1.ID || !strings.Contains(l.Warnings, b2.ID) {
		t.Fatalf("superseded row: %+v", l)
	}
	// An automatic attempt keeps the owner.
	_, v3 := w.drop(tari(3))
	w.send(v3[0].ID)
	w.refuse(v3[0].ID, "FILE_GONE")
	owner := w.note(v3[0].ID).OwnerBatch
	w.ok(w.prove(v3[0].ID))
	if got := w.note(v3[0].ID).OwnerBatch; got != owner {
		t.Fatalf("owner %s, was %s", got, owner)
	}
}

// Damage: a hold that stands in place of INTENT makes a restart forget that a POST
// may have left.
func TestRule13(t *testing.T) {
	w := newWorld(t)
	b, v := w.drop(tari(1), tari(2), tari(3))
	w.step(v[0].ID, Uploaded)
	w.step(v[0].ID, Intent)
	w.step(v[1].ID, Uploaded)
	holds := []Hold{
		{Scope: HoldSender, Name: "comune", Reason: "api-key"},
		{Scope: HoldFlow, Name: "tari", Reason: "operator"},
		{Scope: HoldNotification, Name: fmt.Sprint(uint64(v[0].ID)), Reason: "not-visible"},
	}
	w.update(func(tx *Tx) error {
		return errors.Join(tx.PutHold(holds[2]), tx.PutHold(holds[1]), tx.PutHold(holds[0]))
	})
	equal(t, "lines", w.lines(b.ID), []string{"2 SOSPESA C-HELD", "3 SOSPESA C-HELD", "4 SOSPESA C-HELD"})
	for i, want := range []State{Intent, Uploaded, Ready} {
		if got := w.note(v[i].ID).State; got != want {
			t.Fatalf("state %s became %s", want, got)
		}
	}
	for _, want := range []string{"api-key", "operator", "not-visible"} {
		w.ok(w.l.View(bg, func(tx *Tx) error {
			n, err := tx.Notification(v[0].ID)
			if err != nil {
				return err
			}
			h, err := tx.HeldBy(n)
			if h == nil || h.Reason != want {
				t.Errorf("held by %+v, want %s", h, want)
			}
			return err
		}))
		if want != "not-visible" {
			equal(t, "due", w.due(), nil)
		}
		asked, err := w.l.DueToResolve(bg, "comune", 10)
		w.ok(err)
		if len(asked) != 0 {
			t.Fatalf("held INTENT was given out")
		}
		w.update(func(tx *Tx) error {
			h := holds[0]
			holds = holds[1:]
			if len(holds) == 0 {
				h.Until = w.now.Add(time.Minute)
				return tx.PutHold(h)
			}
			return tx.DropHold(h.Scope, h.Name)
		})
		if len(holds) == 0 {
			break
		}
	}
	equal(t, "others are free", w.due(), []ID{v[1].ID, v[2].ID})
	next, err := w.l.NextDue(bg)
	w.ok(err)
	if !next.Equal(w.now.Add(time.Minute)) {
		t.Fatalf("next due %v", next)
	}
	w.now = next
	intent, err := w.l.DueToResolve(bg, "comune", 10)
	w.ok(err)
	if len(intent) != 1 || intent[0].ID != v[0].ID {
		t.Fatalf("a hold that has ended still keeps %v", intent)
	}
}

// Damage: a key that the lost ledger knew as refused twice is sent with attempt 1,
// or a third attempt follows a living second one.
func TestRule16(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	id := v[0].ID
	adopt := func(attempt int, s State) error {
		return w.l.Update(bg, func(tx *Tx) error {
			n, err := tx.Notification(id)
			if err != nil {
				return err
			}
			if err := tx.AdoptAttempt(n, attempt); err != nil {
				return err
			}
			n.State, n.RequestID = s, "req"
			if s == Refused {
				refusal("TAXID_NOT_VALID")(n)
				return tx.Wait(n)
			}
			return tx.PutNotification(n)
		})
	}
	if te := (*TransitionError)(nil); !errors.As(adopt(2, Accepted), &te) {
		t.Fatal("an attempt was adopted before anything was asked")
	}
	w.step(id, Uploaded)
	w.step(id, Intent)
	w.ok(adopt(2, Refused))
	n := w.note(id)
	if n.Attempt != 2 || n.Token != notification.Token(testSender, n.Key.Protocol, 2) || n.State != Refused {
		t.Fatalf("%+v", n)
	}
	equal(t, "our request waits for its proof", w.due(), []ID{id})
	w.ok(w.prove(id))
	if n := w.note(id); n.Attempt != 3 || n.State != Ready {
		t.Fatalf("attempt %d %s", n.Attempt, n.State)
	}
}

// Damage: a wrong file sends thousands of irrevocable notifications in minutes.
func TestRule19(t *testing.T) {
	seal := func(w *world, s Sealing, things ...thing) (Batch, []Verdict) {
		b := w.batch()
		v := w.read(b, items(things...)...)
		sealed, err := w.l.Seal(bg, b.ID, s)
		w.ok(err)
		return *sealed, v
	}
	t.Run("too many", func(t *testing.T) {
		w := newWorld(t)
		w.drop(tari(1), tari(2))
		bad := tari(5).item(9)
		bad.Problems = []notification.Problem{{Severity: notification.Error, Code: "C-X", Message: "x"}}
		b := w.batch()
		w.read(b, append(items(tari(1), tari(2), tari(3), tari(4)), bad)...)
		sealed, err := w.l.Seal(bg, b.ID, Sealing{MaxNotifications: 2})
		w.ok(err)
		if sealed.Release != Released {
			t.Fatalf("known rows counted: %+v", sealed)
		}
		_, mark := w.news(1)
		b3, _ := seal(w, Sealing{MaxNotifications: 2}, tari(6), tari(7), tari(8))
		if b3.Release != AwaitsRelease || b3.ReleaseWhy != "C-RELEASE-MAX" {
			t.Fatalf("%+v", b3)
		}
		if got := len(w.due()); got != 4 {
			t.Fatalf("%d due behind the gate", got)
		}
		equal(t, "lines", w.lines(b3.ID), []string{"2 SOSPESA C-RELEASE-MAX", "3 SOSPESA C-RELEASE-MAX", "4 SOSPESA C-RELEASE-MAX"})
		if told, _ := w.news(mark + 1); len(told) != 0 {
			t.Fatalf("told %v", told)
		}
		w.ok(w.l.Release(bg, b3.ID))
		w.ok(w.l.Release(bg, b3.ID))
		if got := len(w.due()); got != 7 {
			t.Fatalf("%d due after release", got)
		}
	})
	t.Run("default limit", func(t *testing.T) {
		w := newWorld(t)
		var many []thing
		for i := range defaultMax + 1 {
			many = append(many, tari(i).with(func(g *thing) { g.act = "" }))
		}
		if b, _ := seal(w, Sealing{}, many[:defaultMax]...); b.Release != Released {
			t.Fatalf("%s at the limit", b.Release)
		}
	})
	t.Run("delay", func(t *testing.T) {
		w := newWorld(t)
		at := w.now.Add(2 * time.Hour)
		b, v := seal(w, Sealing{Release: DelayedRelease, ReleaseAt: at}, tari(1))
		equal(t, "due", w.due(), nil)
		equal(t, "lines", w.lines(b.ID), []string{"2 SOSPESA C-RELEASE-DELAY"})
		if next, err := w.l.NextDue(bg); err != nil || !next.Equal(at) {
			t.Fatal(next, err)
		}
		w.now = at
		equal(t, "due", w.due(), []ID{v[0].ID})
	})
	t.Run("discard", func(t *testing.T) {
		w := newWorld(t)
		_, v0 := w.drop(tari(9))
		w.send(v0[0].ID)
		w.refuse(v0[0].ID, "X")
		b, _ := seal(w, Sealing{Release: AwaitsRelease}, tari(1), tari(2), tari(9).with(func(g *thing) { g.zip = "2" }))
		w.ok(w.l.DiscardBatch(bg, b.ID))
		equal(t, "lines", w.lines(b.ID), []string{"2 SCARTATA C-DISCARDED", "3 SCARTATA C-DISCARDED", "4 SCARTATA C-DISCARDED"})
		equal(t, "due", w.due(), nil)
		if err := w.l.Release(bg, b.ID); err == nil {
			t.Fatal("a discarded batch was released")
		}
		_, v := w.drop(tari(1))
		outcome(t, v[0], RowLinked)
	})
	t.Run("discard stops before INTENT only", func(t *testing.T) {
		w := newWorld(t)
		b, v := w.drop(tari(1), tari(2))
		w.step(v[0].ID, Uploaded)
		w.step(v[0].ID, Intent)
		w.ok(w.l.DiscardBatch(bg, b.ID))
		equal(t, "lines", w.lines(b.ID), []string{"2 SOSPESA C-RELEASE-WAIT", "3 SCARTATA C-DISCARDED"})
	})
}

// Damage: after a purge the same export is sent once more.
func TestRule30(t *testing.T) {
	w := newWorld(t)
	var tomb *Tombstone
	bury := func(id ID) {
		n := w.note(id)
		tomb = TombstoneOf(n)
	}
	_, v := w.drop(tari(1))
	w.send(v[0].ID)
	w.accept(v[0].ID)
	bury(v[0].ID)

	w2 := newWorld(t) // the purge itself: the key is known by its tombstone alone
	w2.update(func(tx *Tx) error { return tx.PutTombstone(tomb) })
	_, v = w2.drop(tari(1))
	outcome(t, v[0], RowKnown)
	_, v = w2.drop(tari(1).with(func(g *thing) { g.subject = "x" }))
	outcome(t, v[0], RowRejected, "C-KNOWN-DIFFERENT")
	_, v = w2.drop(tari(1).with(func(g *thing) { g.protocol = "tari-2026-1"; g.notices, g.act = nil, "" }))
	outcome(t, v[0], RowRejected, "C-PROTOCOL-SPELLING")
	_, v = w2.drop(tari(2).with(func(g *thing) { g.notices = tari(1).notices }))
	outcome(t, v[0], RowRejected, "C-NOTICE-TAKEN")
	_, v = w2.drop(tari(3).with(func(g *thing) { g.act, g.taxIDs = tari(1).act, tari(1).taxIDs }))
	outcome(t, v[0], RowRejected, "C-ACT-TAKEN")
	if got := len(w2.due()); got != 0 {
		t.Fatalf("%d sent after a purge", got)
	}
}

// Damage: a refused key that was purged is sent again as attempt 1, whose token SEND
// has for ever.
func TestRule30RefusedTombstone(t *testing.T) {
	w := newWorld(t)
	_, v := w.drop(tari(1))
	w.send(v[0].ID)
	w.refuse(v[0].ID, "TAXID_NOT_VALID")
	tomb := TombstoneOf(w.note(v[0].ID))
	w2 := newWorld(t)
	w2.update(func(tx *Tx) error { return tx.PutTombstone(tomb) })
	_, v = w2.drop(tari(1))
	outcome(t, v[0], RowRefused)
	_, v = w2.drop(tari(1).with(func(g *thing) { g.zip = "9" }))
	outcome(t, v[0], RowLinked)
	if v[0].Attempt != 2 {
		t.Fatalf("attempt %d", v[0].Attempt)
	}
	equal(t, "due", w2.due(), []ID{v[0].ID})
	w2.ok(w2.prove(v[0].ID))
	if n := w2.note(v[0].ID); n.Attempt != 2 || n.State != Ready {
		t.Fatalf("%+v", n)
	}
}
