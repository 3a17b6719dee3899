package ledger

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sendconnector/internal/notification"
)

// Damage: legacy programs export everything since January every night; a year of
// that sends something twice, pays refusal fees night after night, or gets slower
// with every night.
func TestNightlyCumulativeExport(t *testing.T) {
	w := newWorld(t)
	nights := 365
	if testing.Short() {
		nights = 60
	}
	var file []thing
	sent := map[string]int{}
	repeated := 0
	var commitsFirst, commitsLast uint64
	for night := range nights {
		w.now = w.now.Add(24 * time.Hour)
		news := 0
		if night%4 == 0 { // some nights bring nothing new
			file = append(file, tari(night))
			news = 1
		}
		all := items(file...)
		for i := range all { // PDFs of old rows are gone, new ones are made anew
			if i < len(all)-20 {
				all[i].Documents, all[i].Print = nil, notification.FingerprintOf(all[i].Request)
			}
		}
		before := w.l.Commits()
		b := w.batch()
		verdicts := w.read(b, all...)
		sealed, err := w.l.Seal(bg, b.ID, Sealing{MaxNotifications: -1})
		w.ok(err)
		if night == 40 {
			commitsFirst = w.l.Commits() - before
		}
		commitsLast = w.l.Commits() - before
		if sealed.Admitted != news {
			t.Fatalf("night %d: %d new, want %d", night, sealed.Admitted, news)
		}
		for i, v := range verdicts[:len(verdicts)-news] {
			if v.Outcome == RowRefused {
				repeated++
			}
			if v.Outcome != RowKnown && v.Outcome != RowRefused {
				t.Fatalf("night %d, row %d: %s %v", night, i+2, v.Outcome, v.Problems)
			}
		}
		due := w.due()
		if len(due) != news {
			t.Fatalf("night %d: %d due", night, len(due))
		}
		for _, id := range due {
			n := w.note(id)
			sent[n.Key.Protocol]++
			w.send(id)
			switch id % 5 {
			case 0:
				w.refuse(id, "TAXID_NOT_VALID")
			default:
				w.accept(id)
			}
		}
	}
	for protocol, n := range sent {
		if n != 1 {
			t.Errorf("%s sent %d times", protocol, n)
		}
	}
	if len(sent) != len(file) {
		t.Errorf("%d of %d sent", len(sent), len(file))
	}
	if commitsLast > commitsFirst {
		t.Errorf("%d commits in the last night, %d in an early one", commitsLast, commitsFirst)
	}
	told, _ := w.news(1)
	if want := 2*len(file) + repeated; len(told) != want { // INVIATA and the answer, and RIFIUTATA once for each later file
		t.Errorf("%d changes told in a year, want %d", len(told), want)
	}
}

// model is the simplest ledger that keeps the rules: what one key's state means for
// the next drop of it.
type model struct {
	state   State
	thing   thing
	waiting *thing
	file    bool // FileAttempt
	codes   []string
	attempt int
}

// verdict says what rules 3, 5 and 8 make of a drop of g, other keys left aside.
func (m *model) verdict(g thing) RowOutcome {
	switch {
	case m.state == "" || m.state == Discarded:
		return RowLinked
	case m.waiting != nil:
		return rule8(*m.waiting, g)
	case m.state.Taken():
		return rule8(m.thing, g)
	}
	same := m.thing.subject == g.subject && m.thing.zip == g.zip && m.thing.taxIDs[0] == g.taxIDs[0]
	if same && (m.thing.act == g.act || m.file || m.state != Refused || !slices.Contains(m.codes, "FILE_SHA_ERROR")) {
		return RowRefused
	}
	return RowLinked
}

func rule8(was, is thing) RowOutcome {
	if was.subject != is.subject || was.taxIDs[0] != is.taxIDs[0] {
		return RowRejected
	}
	return RowKnown
}

// Damage: some order of drops, answers, refusals, discards and restarts that nobody
// thought of sends a key twice, gives a wrong verdict, or leaves a wrong index.
func TestAdmissionAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t)
		keys := map[int]*model{}
		live := map[string]int{} // attempts that SEND has accepted, by protocol
		draw := func() (int, thing) {
			k := rapid.IntRange(1, 3).Draw(rt, "key")
			return k, tari(k).with(func(g *thing) {
				g.subject = rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "subject")
				g.zip = rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "zip")
				g.act = fmt.Sprintf("atto %d %d", k, rapid.IntRange(0, 1).Draw(rt, "act"))
			})
		}
		find := func(k int) *Notification {
			var n *Notification
			err := w.l.View(bg, func(tx *Tx) (err error) {
				n, err = tx.ByKey(Key{testEnv, testSender, tari(k).protocol})
				return err
			})
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			w.ok(err)
			return n
		}
		rt.Repeat(map[string]func(*rapid.T){
			"drop": func(*rapid.T) {
				k, g := draw()
				m := keys[k]
				if m == nil {
					m = &model{attempt: 1}
					keys[k] = m
				}
				want := m.verdict(g)
				asked, err := w.l.Judge(bg, Batch{Environment: testEnv, Sender: "comune", SenderTaxID: testSender, Flow: "tari"}, items(g))
				w.ok(err)
				_, v := w.drop(g)
				if v[0].Outcome != want || asked[0].Outcome != want {
					rt.Fatalf("key %d in %s: got %s (judged %s), want %s: %+v", k, m.state, v[0].Outcome, asked[0].Outcome, want, v[0].Problems)
				}
				if want != RowLinked {
					return
				}
				if m.state == Refused {
					m.waiting = &g
				} else {
					m.state, m.thing = Ready, g
				}
			},
			"step": func(*rapid.T) {
				k, _ := draw()
				n := find(k)
				if n == nil {
					return
				}
				m := keys[k]
				switch n.State {
				case Ready:
					w.step(n.ID, Uploaded)
				case Uploaded:
					w.step(n.ID, Intent)
				case Intent:
					if rapid.Bool().Draw(rt, "400") {
						w.step(n.ID, RefusedAtOnce, refusal("PN_X"))
						m.codes = []string{"PN_X"}
					} else {
						w.step(n.ID, Submitted)
					}
				case Submitted:
					if rapid.Bool().Draw(rt, "refused") {
						m.codes = []string{rapid.SampledFrom([]string{"TAXID_NOT_VALID", "FILE_SHA_ERROR"}).Draw(rt, "code")}
						w.refuse(n.ID, m.codes...)
					} else {
						w.accept(n.ID)
						live[n.Key.Protocol]++
					}
				case Refused:
					if err := w.prove(n.ID); (err == nil) != (m.waiting != nil) {
						rt.Fatalf("key %d: new attempt: %v, waiting %v", k, err, m.waiting)
					}
					if m.waiting != nil {
						sameBody := m.waiting.subject == m.thing.subject && m.waiting.zip == m.thing.zip
						m.file = m.file || sameBody
						m.thing, m.waiting = *m.waiting, nil
						m.attempt++
					}
				}
				if m.state = find(k).State; find(k).Attempt != m.attempt {
					rt.Fatalf("key %d: attempt %d, want %d", k, find(k).Attempt, m.attempt)
				}
			},
			"discard": func(*rapid.T) {
				k, _ := draw()
				n := find(k)
				if n == nil {
					return
				}
				m := keys[k]
				err := w.l.DiscardNotification(bg, n.ID)
				switch {
				case m.waiting != nil:
					m.waiting = nil
					w.ok(err)
				case n.State == Ready || n.State == Uploaded:
					m.state = Discarded
					w.ok(err)
				}
			},
			"restart": func(*rapid.T) { w.restart() },
			"": func(rt *rapid.T) {
				w.now = w.now.Add(time.Minute)
				for p, n := range live {
					if n > 1 {
						rt.Fatalf("%s was accepted %d times", p, n)
					}
				}
				if errs := w.l.Verify(); len(errs) > 0 {
					rt.Fatalf("verify: %v", errs)
				}
			},
		})
	})
}
