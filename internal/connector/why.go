package connector

import (
	"cmp"
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/outbox"
)

// WhyQuery names a file, a protocol number or an IUN.
type WhyQuery struct {
	Name string `json:"name"`
}

// Why answers "where is it, why, and what happens next" for everything that bears
// a name.
type Why struct {
	Name     string     `json:"name"`
	Findings []*Finding `json:"findings"`
}

// Finding is one thing of that name.
type Finding struct {
	What    string    `json:"what"`  // "file", "document", "batch", "row", "notification"
	Where   string    `json:"where"` // folder, batch and row, or state
	Because string    `json:"because"`
	Next    string    `json:"next"`
	NextAt  time.Time `json:"next_at,omitzero"`
	History []Moment  `json:"history"`

	batch string // a batch whose outcomes are the reason
}

// Moment is one thing that happened.
type Moment struct {
	At   time.Time `json:"at"`
	What string    `json:"what"`
}

// Why looks everywhere for the name. A name found nowhere is a usage error that says
// where was looked.
func (c *Connector) Why(ctx context.Context, q WhyQuery) (*Why, error) {
	name := strings.TrimSpace(q.Name)
	if name == "" {
		return nil, usage("why needs the name of a file, a protocol number or an IUN")
	}
	w := &Why{Name: name}
	err := c.ledger.View(ctx, func(tx *ledger.Tx) error {
		return errors.Join(c.whyWaiting(tx, w), c.whyAwaited(tx, w), c.whyBatches(tx, w), c.whyDocuments(tx, w), c.whyNotification(tx, w), c.whyRejectedRows(tx, w))
	})
	if err != nil {
		return nil, err
	}
	if err := c.whyOutcomes(ctx, w); err != nil {
		return nil, err
	}
	if len(w.Findings) == 0 {
		if err := c.whyLying(ctx, w); err != nil {
			return nil, err
		}
	}
	if len(w.Findings) == 0 {
		return nil, usage("nothing is known of %q: no file waits or was taken under that name, and no notification has it as protocol number or IUN. No drop folder holds a file of that name", name)
	}
	return w, nil
}

func sameFile(known, asked string) bool {
	return known == asked || path.Base(known) == path.Base(strings.ReplaceAll(asked, `\`, "/"))
}

// whyWaiting looks among the files that lie in a drop folder.
func (c *Connector) whyWaiting(tx *ledger.Tx, w *Why) error {
	for _, flow := range names(c.flows) {
		seen, err := tx.Sightings(flow)
		if err != nil {
			return err
		}
		for _, s := range seen {
			if !sameFile(s.File, w.Name) {
				continue
			}
			f := &Finding{What: "file", Where: c.say("in/ of flow ", "in/ del flusso ") + flow, Because: s.Reason + ": " + s.Text, Next: c.say("looked at again at the next scan", "verrà riguardato alla prossima scansione")}
			if len(s.Missing) > 0 {
				f.Because += " (" + strings.Join(s.Missing, ", ") + ")"
			}
			f.History = []Moment{{s.Since, c.say("first seen", "visto per la prima volta")}, {s.FirstSeen, c.say("seen with its present size and time", "visto con le dimensioni e l'ora attuali")}}
			w.Findings = append(w.Findings, f)
		}
	}
	return nil
}

// whyBatches looks among the files that were taken, newest first, and among batch
// ids.
func (c *Connector) whyBatches(tx *ledger.Tx, w *Why) error {
	return tx.BatchesNewestFirst(func(b *ledger.Batch) bool {
		if !sameFile(b.File, w.Name) && b.ID != w.Name {
			return true
		}
		f := &Finding{What: "batch", History: []Moment{{b.ClaimedAt, c.say("taken as batch ", "preso come lotto ") + b.ID}}}
		if !b.SealedAt.IsZero() {
			f.History = append(f.History, Moment{b.SealedAt, c.say("read", "letto")})
		}
		c.explainBatch(b, f)
		w.Findings = append(w.Findings, f)
		return len(w.Findings) < mostBatches
	})
}

func (c *Connector) explainBatch(b *ledger.Batch, f *Finding) {
	f.Where = c.say("flow ", "flusso ") + b.Flow + c.say(", batch ", ", lotto ") + b.ID
	if b.Archive != "" {
		f.Where += ", " + b.Archive
	}
	switch {
	case b.State == ledger.Unreadable && b.Problem != nil:
		f.Because = sentence(*b.Problem)
		f.Next = c.say("mend the file and drop it again", "correggere il file e rimetterlo in in/")
	case b.State == ledger.Reading:
		f.Because = c.say("it is being read", "è in lettura")
		f.Next = c.say("goes on by itself", "prosegue da sé")
	case b.Release == ledger.AwaitsRelease:
		f.Because = c.say("it waits for release", "attende il via libera") + " (" + b.ReleaseWhy + ")"
		f.Next = "connector release --batch " + b.ID
	case b.Release == ledger.DelayedRelease:
		f.Because = c.say("its release is delayed", "il via libera è differito")
		f.Next, f.NextAt = c.say("sent by itself", "verrà inviato da sé"), b.ReleaseAt
	default:
		f.batch = b.ID
		f.Next = c.say("see every row in ", "vedere ogni riga in ") + c.outcomeFile(b)
	}
}

// whyOutcomes says what became of the rows of the batches found.
func (c *Connector) whyOutcomes(ctx context.Context, w *Why) error {
	for _, f := range w.Findings {
		if f.batch == "" {
			continue
		}
		status := BatchStatus{ID: f.batch, Outcomes: map[string]int{}}
		if err := c.count(ctx, &status); err != nil {
			return err
		}
		f.Because = Outcomes(status.Outcomes)
	}
	return nil
}

// whyNotification looks among protocol numbers and IUNs.
func (c *Connector) whyNotification(tx *ledger.Tx, w *Why) error {
	found, err := c.find(tx, w.Name, "")
	if n, errIUN := tx.ByIUN(w.Name); errIUN == nil {
		found, err = append(found, n), nil
	}
	if err != nil && Exit(err) != ExitUsage {
		return err
	}
	for _, n := range found {
		s := notificationStatus(tx, n)
		f := &Finding{What: "notification", Where: s.State, Because: s.Problem, NextAt: s.Next}
		f.Where += c.say(", batch ", ", lotto ") + s.Batch + c.say(", row ", ", riga ") + itoa(s.Row)
		if s.SENDStatus != "" {
			f.Where += ", SEND " + s.SENDStatus
		}
		if s.IUN != "" {
			f.Where += ", IUN " + s.IUN
		}
		if s.Held != nil {
			f.Because = strings.TrimPrefix(f.Because+"; "+s.Held.Reason+": "+s.Held.Detail, "; ")
		}
		if f.Because == "" {
			f.Because = c.because(n)
		}
		f.Next = c.nextOf(n)
		if f.History, err = history(tx, n, c); err != nil {
			return err
		}
		w.Findings = append(w.Findings, f)
	}
	return nil
}

// nextOf says what happens to a notification by itself or what a person must do.
func (c *Connector) nextOf(n *ledger.Notification) string {
	switch n.State {
	case ledger.Ready:
		return c.say("its documents are uploaded and it is sent", "si caricano i documenti e si invia")
	case ledger.Uploaded:
		return c.say("it is sent", "si invia")
	case ledger.Intent:
		return c.say("SEND is asked whether the request arrived before anything is sent again", "si chiede a SEND se la richiesta è arrivata, prima di ogni altro invio")
	case ledger.Submitted:
		return c.say("SEND's validation is awaited (up to 24 hours)", "si attende la validazione di SEND (fino a 24 ore)")
	case ledger.Refused, ledger.RefusedAtOnce:
		return c.say("mend the row and drop the file again, or connector resubmit", "correggere la riga e rimettere il file in in/, oppure connector resubmit")
	case ledger.Accepted:
		if returned(n) {
			return c.say("decide in the office how to go on", "decidere in ufficio come procedere")
		}
		if n.Closed {
			return c.say("complete; later events are still followed", "completa; gli eventi successivi vengono comunque seguiti")
		}
		return c.say("SEND's events are followed", "si seguono gli eventi di SEND")
	default:
		return c.say("nothing; it is final", "nulla: è definitiva")
	}
}

// outcomeFile is where the outcomes of a batch are published.
func (c *Connector) outcomeFile(b *ledger.Batch) string {
	if at := c.places[b.Outbox]; at != nil {
		return at.String() + "/" + outbox.OutcomeName(b)
	}
	return outbox.OutcomeName(b)
}

// returned reports whether a recipient has died and the notice went back to the sender.
func returned(n *ledger.Notification) bool {
	return slices.ContainsFunc(n.Recipients, func(r ledger.RecipientState) bool { return r.Returned })
}

// because says how things are with a notification of which nothing is wrong.
func (c *Connector) because(n *ledger.Notification) string {
	switch n.State {
	case ledger.Ready, ledger.Uploaded:
		return c.say("queued", "in coda")
	case ledger.Intent:
		return c.say("the request is leaving, or has left", "la richiesta sta partendo, o è partita")
	case ledger.Submitted:
		return c.say("sent; SEND is checking it", "inviata; SEND la sta controllando")
	case ledger.Accepted:
		if returned(n) {
			return c.say("returned to the sender (recipient deceased)", "restituita al mittente (destinatario deceduto)")
		}
		return c.say("accepted by SEND", "accettata da SEND")
	case ledger.Refused, ledger.RefusedAtOnce:
		return c.say("refused", "rifiutata")
	case ledger.Cancelled:
		return c.say("cancelled", "annullata")
	case ledger.Discarded:
		return c.say("discarded before it was sent", "scartata prima dell'invio")
	}
	return string(n.State)
}

// history tells the life of a notification from its dates and events.
func history(tx *ledger.Tx, n *ledger.Notification, c *Connector) ([]Moment, error) {
	var all []Moment
	add := func(at time.Time, what string) {
		if !at.IsZero() {
			all = append(all, Moment{at, what})
		}
	}
	add(n.CreatedAt, c.say("admitted, batch ", "ammessa, lotto ")+n.OwnerBatch)
	add(n.SubmittedAt, c.say("sent to SEND, request ", "inviata a SEND, richiesta ")+n.RequestID)
	add(n.AcceptedAt, c.say("accepted, IUN ", "accettata, IUN ")+n.IUN)
	for _, p := range n.Refusals {
		add(n.ChangedAt, sentence(p))
	}
	err := tx.Events(n.ID, func(e *ledger.Event) bool {
		add(e.At, e.Category)
		return true
	})
	sortMoments(all)
	return all, err
}

// whyRejectedRows looks for the protocol number among rows that became no
// notification: the newest batches are searched, rejected rows only.
func (c *Connector) whyRejectedRows(tx *ledger.Tx, w *Why) error {
	searched := 0
	var inner error
	err := tx.BatchesNewestFirst(func(b *ledger.Batch) bool {
		searched++
		inner = tx.Rows(b.ID, func(r *ledger.Row) bool {
			if r.Protocol != w.Name || r.Outcome == ledger.RowLinked {
				return true
			}
			f := &Finding{What: "row", Where: c.say("batch ", "lotto ") + b.ID + " (" + b.File + ")" + c.say(", row ", ", riga ") + itoa(r.Number), History: []Moment{{b.SealedAt, c.say("read", "letta")}}}
			for _, p := range r.Problems {
				f.Because = strings.TrimPrefix(f.Because+"; "+sentence(p), "; ")
			}
			if r.Outcome == ledger.RowRejected {
				f.Next = c.say("mend the row and drop the file again", "correggere la riga e rimettere il file in in/")
			} else {
				f.Because = cmp.Or(f.Because, c.say("it was known when this batch was read", "era già nota quando questo lotto è stato letto"))
				f.Next = c.say("nothing: it was known already", "nulla: era già nota")
			}
			w.Findings = append(w.Findings, f)
			return len(w.Findings) < mostBatches
		})
		return inner == nil && searched < mostBatches && len(w.Findings) < mostBatches
	})
	return errors.Join(err, inner)
}

// say chooses the language of the installation.
func (c *Connector) say(en, it string) string {
	if c.cfg.Language == "en" {
		return en
	}
	return it
}
