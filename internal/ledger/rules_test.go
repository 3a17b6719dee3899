package ledger

import (
	"context"
	"errors"
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
