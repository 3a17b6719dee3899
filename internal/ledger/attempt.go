package ledger

import (
	"context"
	"slices"
	"strconv"
	"time"

	"sendconnector/internal/notification"
)

// proofAge is how old a look-up may be to prove the end of an attempt: long enough
// for the answer's way into a transaction, too short for it to have been made for
// something else.
const proofAge = 5 * time.Minute

// Proof is a look-up at SEND that says how an attempt ended. It is good for one
// transaction: the one that also records it.
type Proof struct {
	At     time.Time // when SEND answered
	Token  string    // token that was looked up; for CANCELLED that of the attempt whose IUN was read
	Status string    // "REFUSED", or "CANCELLED" from a read of the IUN (resubmit --as-new only)
}

// NextAttempt makes attempt n+1 of a notification, the only way there is (rule 4):
// in the transaction that records a fresh look-up of attempt n answering REFUSED,
// or, where a person asked for it (Pending.AsNew), a fresh read answering CANCELLED.
// There must be a reason for it: a Pending request, which becomes the attempt's
// and makes its drop the owner (rule 11), or AutomaticDue, which sends the same
// request once more. n gets the new attempt's frozen token (rule 2) and is stored as
// READY; n must be the notification as it is stored. ErrNoProof without proof or
// reason; *TakenError when another key has taken its notice or act meanwhile.
func (t *Tx) NextAttempt(n *Notification, p Proof) error {
	old, err := t.loadHot(n.ID)
	if err != nil {
		return err
	}
	if err := t.fill(&old.Notification); err != nil {
		return err
	}
	if err := t.checkProof(&old.Notification, p); err != nil {
		return err
	}
	next := old.Notification
	next.Attempt++
	next.Token = notification.Token(next.Key.SenderTaxID, next.Key.Protocol, next.Attempt)
	if w := next.Pending; w != nil {
		next.Request, next.Print, next.Documents = w.Request, w.Print, w.Documents
		next.OwnerBatch, next.OwnerRow, next.Rows = w.Batch, w.Row, w.Rows
		next.FileAttempt = next.FileAttempt || w.FileOnly
	} else {
		next.Automatic = true
	}
	next.Pending = nil
	next.startAnew()
	clashes, err := t.clashes(next.Key, next.Request, next.Print)
	if err != nil {
		return err
	}
	if err := takenError(clashes); err != nil {
		return err
	}
	if err := t.handOver(old, &next); err != nil {
		return err
	}
	*n = next
	return nil
}

// startAnew clears what the attempt before has left.
func (n *Notification) startAnew() {
	n.State = Ready
	n.RequestID, n.IUN, n.SENDStatus, n.SENDStatusAt = "", "", "", time.Time{}
	n.SubmittedAt, n.AcceptedAt, n.CancelAsked, n.NextAttempt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	n.Refusals, n.Warnings, n.Recipients, n.LastError = nil, nil, nil, nil
	n.RefusalCent, n.Tries, n.Closed = 0, 0, false
	n.Documents = slices.Clone(n.Documents)
	for i := range n.Documents {
		n.Documents[i].Key, n.Documents[i].Version, n.Documents[i].UploadedAt = "", "", time.Time{}
	}
}

func (t *txn) checkProof(n *Notification, p Proof) error {
	age := t.now.Sub(p.At)
	fresh := p.Token == n.Token && age >= 0 && age <= proofAge
	if w := n.Pending; w != nil && p.At.Before(w.Since) {
		fresh = false // made before anybody wanted a new attempt
	}
	if !fresh {
		return ErrNoProof
	}
	switch {
	case n.State == Refused && p.Status == "REFUSED" && (n.Pending != nil || n.AutomaticDue()):
		return nil
	case n.State == Cancelled && p.Status == "CANCELLED" && n.Pending != nil && n.Pending.AsNew:
		return nil
	}
	return ErrNoProof
}

// handOver settles the rows of the attempt that has ended and stores the new one.
func (t *txn) handOver(old *hot, next *Notification) error {
	from, err := t.head(old.OwnerBatch)
	if err != nil {
		return err
	}
	to, err := t.head(next.OwnerBatch)
	if err != nil {
		return err
	}
	resubmitted := old.Pending == nil || old.Pending.Resubmit
	was := *old
	if !resubmitted {
		if err := t.supersedeOwned(&old.Notification, rowOf(next.OwnerBatch, next.OwnerRow)); err != nil {
			return err
		}
		rows, err := t.pendingRows(to, &old.Notification)
		if err != nil {
			return err
		}
		// The lines of the new owner's rows have been counted, as IN_CODA; those of the
		// old owner stay counted as they were frozen.
		was.Outcomes, was.Shown = nil, nil
		for range lineCount(rows) {
			was.Outcomes = append(was.Outcomes, InCoda)
		}
		if was.Shown, err = t.shownWaiting(to, &old.Notification, rows); err != nil {
			return err
		}
		to.Waiting--
	}
	if err := t.moveTo(to, next); err != nil {
		return err
	}
	if from != to {
		count(&from.States, old.State, -1)
		count(&to.States, old.State, 1)
		if err := t.touch(from, true); err != nil {
			return err
		}
	}
	return t.replaceNote(&was, next, Cause{Event: "NEW_ATTEMPT", EventAt: t.now, Detail: strconv.Itoa(next.Attempt)})
}

// moveTo makes a notification follow its new owner's flow, and its artifacts with it.
func (t *txn) moveTo(to *head, next *Notification) error {
	if next.Sender == to.Sender && next.Outbox == to.Outbox {
		next.Flow = to.Flow
		return nil
	}
	arts, err := t.Artifacts(next.ID)
	if err != nil {
		return err
	}
	was := *next
	next.Flow, next.Sender, next.Outbox = to.Flow, to.Sender, to.Outbox
	for _, a := range arts {
		k := artifactKey(a.ID, a.Key)
		old, err := t.artifactDue(&was, a, k)
		if err != nil {
			return err
		}
		if old == nil {
			continue
		}
		if err := t.drop(bArtDue, old); err != nil {
			return err
		}
		if err := t.reindexArtifact(next, nil, a, k); err != nil {
			return err
		}
	}
	return nil
}

// shownWaiting gives the digests of lines as they would be for the new attempt in
// the queue, so that leaving the wait for its proof is no news.
func (t *txn) shownWaiting(h *head, n *Notification, rows []*Row) ([]uint64, error) {
	var shown []uint64
	for _, r := range rows {
		lines, err := t.linkedLines(h, r, n)
		if err != nil {
			return nil, err
		}
		for i := range lines {
			shown = append(shown, lines[i].digest())
		}
	}
	return shown, nil
}

// RefutePending takes a waiting request away because the look-up did not answer
// REFUSED: the attempt lives, and the new request must not follow it. Its rows
// become GIA_PRESENTE, or SCARTATA where the request differs in recipients, notices
// or subject (rule 8). n is stored as given, its Pending gone.
func (t *Tx) RefutePending(n *Notification, c Cause) error {
	p := n.Pending
	if p == nil {
		return t.PutNotificationBecause(n, c)
	}
	if err := t.settlePending(n, func(r *Row, it *Item, d *decision) {
		t.judgeTaken(it, &known{state: Accepted, print: n.Print, request: n.Request, batch: n.OwnerBatch, row: n.OwnerRow}, d)
	}); err != nil {
		return err
	}
	return t.PutNotificationBecause(n, c)
}

// settlePending ends a waiting request: its rows get a verdict of their own, and
// n.Pending goes, stored as it was otherwise.
func (t *txn) settlePending(n *Notification, verdict func(*Row, *Item, *decision)) error {
	p := n.Pending
	h, err := t.head(p.Batch)
	if err != nil {
		return err
	}
	stored, err := t.note(n.ID)
	if err != nil {
		return err
	}
	if !p.Resubmit {
		rows, err := t.pendingRows(h, stored)
		if err != nil {
			return err
		}
		if err := t.dropPending(h, stored); err != nil {
			return err
		}
		for _, r := range rows {
			if err := t.settleWaitingRow(h, stored, p, r, verdict); err != nil {
				return err
			}
		}
		n.Pending = nil
		return t.touch(h, true)
	}
	old, err := t.loadHot(n.ID)
	if err != nil {
		return err
	}
	stored.Pending, n.Pending = nil, nil
	return t.replaceNote(old, stored, Cause{})
}

func (t *txn) settleWaitingRow(h *head, n *Notification, p *Pending, r *Row, verdict func(*Row, *Item, *decision)) error {
	it := &Item{Request: p.Request, Print: p.Print, Protocol: r.Protocol, Documents: p.Documents}
	d := &decision{Verdict: Verdict{Outcome: RowRejected}, cur: n}
	verdict(r, it, d)
	r.Outcome = d.Outcome
	r.Problems = append(r.Problems, d.Problems...)
	if d.Outcome == RowRejected {
		r.ID, r.Attempt = 0, 0
	} else {
		r.Attempt = n.Attempt
		lines, err := t.snapshotLines(h, it, d, r)
		if err != nil {
			return err
		}
		r.Snapshot = lines
	}
	if err := t.putRow(h, r); err != nil {
		return err
	}
	return t.changesOf(h, r, Cause{})
}

// AdoptAttempt raises a notification in INTENT to an attempt that SEND was found to
// have (rule 16: a key unknown to this ledger, or a rebuilt one, whose attempts 1,
// 2, … were probed until 404): n gets the number and its token, and is not stored.
// PutNotification then stores n with what the look-up said. If that is REFUSED and
// the request was another one, hand over ours with Wait.
func (t *Tx) AdoptAttempt(n *Notification, attempt int) error {
	old, err := t.loadHot(n.ID)
	if err != nil {
		return err
	}
	if old.State != Intent || attempt < old.Attempt {
		return &TransitionError{ID: n.ID, From: old.State, To: n.State, Why: "only an attempt in INTENT can adopt a later one"}
	}
	if err := t.raise(old, attempt); err != nil {
		return err
	}
	n.Attempt, n.Token = old.Attempt, old.Token
	return t.writeHot(old)
}

// AdoptFound stores n, which had not been answered yet, as what a look-up found of it
// (rule 16): a rebuilt or restored ledger found the request at SEND under this attempt,
// or found it taken by another request. From then on the state table holds.
func (t *Tx) AdoptFound(n *Notification, attempt int) error {
	old, err := t.loadHot(n.ID)
	if err != nil {
		return err
	}
	switch n.State {
	case Submitted, Accepted, Refused, RefusedAtOnce:
	default:
		return &TransitionError{ID: n.ID, From: old.State, To: n.State, Why: "nothing that a look-up finds"}
	}
	if !old.State.Unanswered() || attempt < old.Attempt || old.Key != n.Key || old.OwnerBatch != n.OwnerBatch {
		return &TransitionError{ID: n.ID, From: old.State, To: n.State, Why: "only what has no answer yet can be found like this"}
	}
	if attempt > old.Attempt {
		if err := t.raise(old, attempt); err != nil {
			return err
		}
	}
	n.Attempt, n.Token = old.Attempt, old.Token
	return t.replaceNote(old, n, Cause{Event: "LOOKUP", EventAt: t.now})
}

// raise gives a loaded notification and its rows a later attempt; the caller stores
// the notification.
func (t *Tx) raise(old *hot, attempt int) error {
	old.Attempt = attempt
	old.Token = notification.Token(old.Key.SenderTaxID, old.Key.Protocol, attempt)
	rows, err := t.rowsOf(&old.Notification)
	if err != nil {
		return err
	}
	h, err := t.head(old.OwnerBatch)
	if err != nil {
		return err
	}
	for _, r := range rows {
		r.Attempt = attempt
		if err := t.putRow(h, r); err != nil {
			return err
		}
	}
	return nil
}

// Wait makes a notification's own request wait behind its refused attempt, for a
// key whose refused attempt at SEND was made from another request (rule 16). The
// next DueToSend brings it up for its proof.
func (t *Tx) Wait(n *Notification) error {
	if n.State != Refused {
		return &TransitionError{ID: n.ID, From: n.State, To: n.State, Why: "only a refused attempt can have a request waiting"}
	}
	n.Pending = n.again(t.now)
	n.NextAttempt = time.Time{}
	return t.PutNotification(n)
}

// again is a notification's own request, wanted once more.
func (n *Notification) again(now time.Time) *Pending {
	return &Pending{
		Request: n.Request, Print: n.Print, Documents: n.Documents, Batch: n.OwnerBatch, Row: n.OwnerRow,
		Rows: n.Rows, Resubmit: true, Since: now,
	}
}

// Resubmit asks, for a person, for the same request once more. After REFUSED a new
// attempt follows its proof; with asNew also after CANCELLED; after REFUSED_AT_ONCE
// the same attempt goes again. A spelling that was refused because the ledger knows
// the number in another one (rule 1) is let through at its next drop with asNew.
// *TransitionError while the notification is on its way or valid; ErrNotFound for a
// key that nobody dropped.
func (l *Ledger) Resubmit(ctx context.Context, k Key, asNew bool) error {
	return l.Update(ctx, func(t *Tx) error {
		n, err := t.ByKey(k)
		if err != nil {
			if ignoreNotFound(err) != nil || !asNew {
				return err
			}
			others, err := t.idsOfKey(k)
			if err == nil && len(others) == 0 {
				err = ErrNotFound
			}
			if err != nil {
				return err
			}
			return t.allow(k)
		}
		switch {
		case n.Pending != nil:
			return nil // it waits already
		case n.State == Refused, n.State == Cancelled && asNew:
			n.Pending = n.again(t.now)
			n.Pending.AsNew = asNew
			n.NextAttempt, n.Tries, n.LastError, n.Closed = time.Time{}, 0, nil, false
			return t.PutNotification(n)
		case n.State == RefusedAtOnce:
			return t.sendAgain(n)
		}
		return &TransitionError{ID: n.ID, From: n.State, To: Ready, Why: "only what was refused or cancelled can be sent again; drop a discarded row's file again"}
	})
}

func (t *txn) allow(k Key) error {
	exact, err := t.exactKey(k)
	if err != nil {
		return err
	}
	return t.put(bAllow, exact, []byte{})
}

// sendAgain makes a notification that was refused at once READY with the same
// attempt, which SEND never took (rule 4).
func (t *txn) sendAgain(n *Notification) error {
	clashes, err := t.clashes(n.Key, n.Request, n.Print)
	if err != nil {
		return err
	}
	if err := takenError(clashes); err != nil {
		return err
	}
	old, err := t.loadHot(n.ID)
	if err != nil {
		return err
	}
	n.startAnew()
	return t.replaceNote(old, n, Cause{Event: "RESUBMIT", EventAt: t.now})
}
