package ledger

import (
	"strconv"
)

func holdKey(scope HoldScope, name string) []byte { return named(string(scope), name) }

// PutHold holds a flow, a sender or one notification: nothing of it is due until
// the hold is dropped or its Until has passed. A hold stands beside the state and
// never replaces it (rule 13). The batches concerned get a new version; a hold of
// one notification is also told as a Change, one of a flow or sender is not told
// for each of its rows (stato.csv says it, and each row's next change carries it).
// Holding on for the same reason, also after Until has passed, keeps Since and is no
// change: a stage may renew its hold at every try without the outcome files being
// written again. That of a sender keeps its Detail, too: which call failed last is no
// news.
func (t *Tx) PutHold(h Hold) error {
	if h.Since.IsZero() {
		h.Since = t.now
	}
	old, err := t.holdStored(h.Scope, h.Name)
	if err != nil {
		return err
	}
	if old != nil && old.Reason == h.Reason && h.Scope == HoldSender && old.Detail != "" {
		h.Detail = old.Detail
	}
	renewed := old != nil && old.Reason == h.Reason && old.Detail == h.Detail
	if renewed {
		h.Since = old.Since
	}
	if err := t.write(bHold, holdKey(h.Scope, h.Name), &h); err != nil || renewed {
		return err
	}
	return t.holdChanged(h.Scope, h.Name)
}

// unreachable is the reason of a sender whose SEND does not answer: any other says more.
const unreachable = "unreachable"

// ExtendHold is PutHold for a hold found by machine: it never shortens or hides one
// that a person set or that is in force longer, unless that one only keeps from
// sending and this one from asking too. That SEND does not answer gives way to any
// other reason.
func (t *Tx) ExtendHold(h Hold) error {
	holds, err := t.Holds()
	if err != nil {
		return err
	}
	for _, old := range holds {
		same := old.Scope == h.Scope && old.Name == h.Name
		unreached := old.Reason == unreachable && h.Reason != unreachable && !old.Until.IsZero()
		if same && old.InForce(t.now) && !unreached && (old.Deaf || !h.Deaf) && (old.Until.IsZero() || old.Until.After(h.Until)) {
			return nil
		}
	}
	return t.PutHold(h)
}

// DropHold ends a hold; none is no error.
func (t *Tx) DropHold(scope HoldScope, name string) error {
	key := holdKey(scope, name)
	if t.get(bHold, key) == nil {
		return nil
	}
	if err := t.drop(bHold, key); err != nil {
		return err
	}
	return t.holdChanged(scope, name)
}

// DropHoldSeen is DropHold for a hold that was seen: one that another put in its place
// meanwhile stays.
func (t *Tx) DropHoldSeen(seen Hold) error {
	now, err := t.holdStored(seen.Scope, seen.Name)
	if err != nil || now == nil || now.Reason != seen.Reason || !now.Until.Equal(seen.Until) {
		return err
	}
	return t.DropHold(seen.Scope, seen.Name)
}

// Holds lists every hold stored, also one whose Until has passed.
func (t *txn) Holds() ([]Hold, error) {
	var found []Hold
	err := t.each(bHold, nil, nil, func(k, v []byte) (bool, error) {
		var h Hold
		err := t.decode(bHold, k, v, &h)
		found = append(found, h)
		return true, err
	})
	return found, err
}

// HeldBy gives the hold in force that keeps n, the most general first: sender, then
// flow, then the notification itself; nil if none.
func (t *txn) HeldBy(n *Notification) (*Hold, error) { return mostGeneral(n, t.holdInForce) }

// shownHold is HeldBy for people: a hold whose Until has passed is on trial, and shown
// until it is dropped, by success or by EndHolds.
func (t *txn) shownHold(n *Notification) (*Hold, error) { return mostGeneral(n, t.holdStored) }

func mostGeneral(n *Notification, hold func(HoldScope, string) (*Hold, error)) (*Hold, error) {
	for _, h := range []struct {
		scope HoldScope
		name  string
	}{{HoldSender, n.Sender}, {HoldFlow, n.Flow}, {HoldNotification, strconv.FormatUint(uint64(n.ID), 10)}} {
		found, err := hold(h.scope, h.name)
		if found != nil || err != nil {
			return found, err
		}
	}
	return nil, nil //nolint:nilnil // "not held" is an answer, not a failure
}

func (t *txn) holdStored(scope HoldScope, name string) (*Hold, error) {
	key := holdKey(scope, name)
	v := t.get(bHold, key)
	if v == nil {
		return nil, nil //nolint:nilnil // "not held" is an answer, not a failure
	}
	h := &Hold{}
	return h, t.decode(bHold, key, v, h)
}

func (t *txn) holdInForce(scope HoldScope, name string) (*Hold, error) {
	h, err := t.holdStored(scope, name)
	if err != nil || h == nil || !h.InForce(t.now) {
		return nil, err
	}
	return h, nil
}

// holdChanged makes a hold that came or went visible.
func (t *txn) holdChanged(scope HoldScope, name string) error {
	t.wake = true
	if scope == HoldSource || scope == HoldOutbox {
		return nil // stato.csv says it; no row changes
	}
	if scope == HoldNotification {
		id, err := strconv.ParseUint(name, 10, 64)
		if err != nil {
			return err
		}
		return ignoreNotFound(t.retell(ID(id)))
	}
	return t.touchOpenBatches(func(h *head) bool {
		return scope == HoldFlow && h.Flow == name || scope == HoldSender && h.Sender == name
	})
}

// touchOpenBatches gives a new version to every batch that still has something to
// send or to hear of.
func (t *txn) touchOpenBatches(concerned func(*head) bool) error {
	var ids []string
	if err := t.each(bBatch, nil, nil, func(k, _ []byte) (bool, error) {
		ids = append(ids, string(k))
		return true, nil
	}); err != nil {
		return err
	}
	for _, id := range ids {
		h, err := t.head(id)
		if err != nil {
			return err
		}
		open := h.Waiting + h.States[Ready] + h.States[Uploaded] + h.States[Intent] + h.States[Submitted]
		if h.State == Sealed && open > 0 && concerned(h) {
			if err := t.touch(h, true); err != nil {
				return err
			}
		}
	}
	return nil
}

// retell compares a notification's lines again after something beside it changed.
// Fresh work leaves its batch's range, so that a held notification at the range's
// start is not walked over for ever.
func (t *txn) retell(id ID) error {
	old, err := t.loadHot(id)
	if err != nil {
		return err
	}
	if err := t.fill(&old.Notification); err != nil {
		return err
	}
	next := *old
	if old.fresh {
		next.fresh = false
		if err := t.leaveRange(&old.Notification); err != nil {
			return err
		}
		if err := t.putDue(&next.Notification); err != nil {
			return err
		}
	}
	if err := t.tell(old, &next, Cause{}); err != nil {
		return err
	}
	return t.writeHot(&next)
}
