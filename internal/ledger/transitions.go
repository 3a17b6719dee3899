package ledger

import (
	"slices"

	"sendconnector/internal/notification"
)

// steps is the state table: what may follow what. Staying is always allowed.
// REFUSED to READY and CANCELLED to READY are absent on purpose: only NextAttempt
// makes a new attempt (rule 4). A later correction by SEND or a better look-up may
// move ACCEPTED, REFUSED, REFUSED_AT_ONCE and CANCELLED; nothing moves DISCARDED.
func steps(from State) []State {
	switch from {
	case Ready:
		return []State{Uploaded, RefusedAtOnce, Discarded}
	case Uploaded: // READY when its uploads are six days old
		return []State{Ready, Intent, RefusedAtOnce, Discarded}
	case Intent: // UPLOADED only after an answer that says: nothing was created (429, quota, key)
		return []State{Uploaded, Submitted, Accepted, Refused, RefusedAtOnce, Cancelled}
	case Submitted:
		return []State{Accepted, Refused, Cancelled}
	case Accepted:
		return []State{Cancelled}
	case Refused:
		return []State{Submitted, Accepted, Cancelled}
	case RefusedAtOnce:
		return []State{Submitted, Accepted, Refused, Cancelled}
	case Cancelled:
		return []State{Accepted}
	}
	return nil
}

// checkStep refuses what the state table does not hold, and changes of what never
// changes.
func checkStep(old *hot, n *Notification) error {
	fail := func(why string) error {
		return &TransitionError{ID: n.ID, From: old.State, To: n.State, Why: why}
	}
	switch {
	case old.Key != n.Key:
		return fail("the business key never changes")
	case old.Attempt != n.Attempt || old.Token != n.Token:
		return fail("a new attempt comes from NextAttempt only")
	case old.OwnerBatch != n.OwnerBatch || old.OwnerRow != n.OwnerRow:
		return fail("the owning drop changes with an attempt only")
	case old.ReplacedBy != 0 && old.State != n.State:
		return fail("a later notification has taken its place")
	case old.State != n.State && !slices.Contains(steps(old.State), n.State):
		return fail("")
	case n.State == Uploaded && !allUploaded(n.Documents):
		return fail("a document has no key or version token")
	}
	return nil
}

func allUploaded(docs []Document) bool {
	return !slices.ContainsFunc(docs, func(d Document) bool { return d.Key == "" || d.Version == "" })
}

// Taken tells whether a state keeps the business key (rule 3).
func (s State) Taken() bool {
	switch s {
	case RefusedAtOnce, Refused, Discarded:
		return false
	}
	return s != ""
}

// Unanswered tells whether an attempt in this state has not been answered by SEND: it
// is to be sent, or may have been.
func (s State) Unanswered() bool { return s == Ready || s == Uploaded || s == Intent }

// holdsIndex tells whether a notification keeps its notices and its act from other
// keys (rule 6): while its key is taken and it is not cancelled, or while a new
// request of it waits for its attempt.
func holdsIndex(n *Notification) bool {
	return n.State.Taken() && n.State != Cancelled || n.Pending != nil
}

// automaticCodes are SEND's refusals that the same request may outlive (rule 5).
func automaticCode(code string) bool {
	switch code {
	case "FILE_NOTFOUND", "FILE_GONE", "ADDRESS_SEARCH_FAILED", "SERVICE_UNAVAILABLE":
		return true
	}
	return false
}

// AutomaticDue tells whether SEND's refusal earns the same request one new attempt
// by itself (rule 5): every reason given must be one that can pass by itself, for a
// refusal is paid for each time.
func (n *Notification) AutomaticDue() bool {
	if n.State != Refused || n.Automatic || n.Pending != nil || len(n.Refusals) == 0 {
		return false
	}
	return !slices.ContainsFunc(n.Refusals, func(p notification.Problem) bool { return !automaticCode(p.Code) })
}
