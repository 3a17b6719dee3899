package ledger

import (
	"errors"
	"time"
)

// artKey is a notification's id and the digest of the artifact's key.
type artKey [16]byte

func artifactKey(id ID, key string) (k artKey) {
	copy(k[:], id.key())
	copy(k[8:], digest8(key))
	return k
}

// Artifact gives one artifact of a notification; ErrNotFound.
func (t *txn) Artifact(id ID, key string) (*Artifact, error) {
	k := artifactKey(id, key)
	a := &Artifact{}
	return a, t.read(bArtifact, k[:], a)
}

// Artifacts lists those of a notification.
func (t *txn) Artifacts(id ID) ([]*Artifact, error) {
	var found []*Artifact
	err := t.each(bArtifact, id.key(), nil, func(k, v []byte) (bool, error) {
		a := &Artifact{}
		err := t.decode(bArtifact, k, v, a)
		found = append(found, a)
		return true, err
	})
	return found, err
}

// ArtifactsOfBatch visits those of the notifications that a batch owns, in row
// order, until visit answers false.
func (t *Tx) ArtifactsOfBatch(batch string, visit func(*Notification, *Artifact) bool) error {
	var fail error
	err := t.Notifications(batch, func(n *Notification) bool {
		all, err := t.Artifacts(n.ID)
		if err != nil {
			fail = err
			return false
		}
		for _, a := range all {
			if !visit(n, a) {
				return false
			}
		}
		return true
	})
	return errors.Join(err, fail)
}

// PutArtifact stores an artifact, follows its due entry and counts it into the
// recipients' Expected and Got (all recipients where it belongs to the whole
// notification), which may append a Change.
func (t *Tx) PutArtifact(a *Artifact) error {
	k := artifactKey(a.ID, a.Key)
	old, err := t.Artifact(a.ID, a.Key)
	if ignoreNotFound(err) != nil {
		return err
	}
	if err != nil {
		old = nil
	}
	x, err := t.loadHot(a.ID)
	if err != nil {
		return err
	}
	if err := t.reindexArtifact(&x.Notification, old, a, k); err != nil {
		return err
	}
	if err := t.write(bArtifact, k[:], a); err != nil {
		return err
	}
	t.placed = append(t.placed, k)
	got, expected := counted(a)
	if old != nil {
		g, e := counted(old)
		got, expected = got-g, expected-e
	}
	if got == 0 && expected == 0 {
		h, err := t.head(x.OwnerBatch)
		if err != nil {
			return err
		}
		return t.touch(h, old == nil || old.State != a.State)
	}
	if err := t.fill(&x.Notification); err != nil {
		return err
	}
	return t.countArtifact(x, a, got, expected)
}

// counted: an artifact that will not come is not expected any more.
func counted(a *Artifact) (got, expected int) {
	switch a.State {
	case Placed:
		return 1, 1
	case Gone:
		return 0, 0
	}
	return 0, 1
}

func (t *txn) countArtifact(old *hot, a *Artifact, got, expected int) error {
	n := old.Notification
	n.Recipients = append([]RecipientState(nil), n.Recipients...)
	for len(n.Recipients) < len(requestRecipients(&n)) {
		n.Recipients = append(n.Recipients, RecipientState{})
	}
	for i := range n.Recipients {
		if a.Recipient < 0 || a.Recipient == i {
			n.Recipients[i].Got += got
			n.Recipients[i].Expected += expected
		}
	}
	return t.replaceNote(old, &n, Cause{Event: "DOCUMENT_" + string(a.State), EventAt: a.EventAt, Detail: a.Category})
}

// artifactDue is the due entry of an artifact; nil if it has none.
func (t *txn) artifactDue(n *Notification, a *Artifact, k artKey) ([]byte, error) {
	switch a.State {
	case Wanted:
		sender, err := t.number(nameSender, n.Sender)
		return joined([]byte{dueFetch}, sender, u64(millis(a.NextAttempt)), k[:]), err
	case Fetched:
		outbox, err := t.number(nameOutbox, n.Outbox)
		return joined([]byte{duePlace}, outbox, u64(millis(a.NextAttempt)), k[:]), err
	}
	return nil, nil
}

func (t *txn) reindexArtifact(n *Notification, old, a *Artifact, k artKey) error {
	var was []byte
	var err error
	if old != nil {
		if was, err = t.artifactDue(n, old, k); err != nil {
			return err
		}
	}
	is, err := t.artifactDue(n, a, k)
	if err != nil || string(was) == string(is) {
		return err
	}
	if was != nil {
		if err := t.drop(bArtDue, was); err != nil {
			return err
		}
	}
	if is == nil {
		return nil
	}
	t.wake = true
	return t.put(bArtDue, is, []byte{})
}

// PutStream stores the stream of a sender; it makes no work due.
func (t *Tx) PutStream(s *Stream) error { return t.write(bStream, []byte(s.Sender), s) }

// Stream gives the stream of a sender; ErrNotFound.
func (t *Tx) Stream(sender string) (*Stream, error) {
	s := &Stream{}
	return s, t.read(bStream, []byte(sender), s)
}

// Streams lists all, by sender.
func (t *Tx) Streams() ([]*Stream, error) {
	return all[Stream](t.txn, bStream, nil)
}

// PutSighting keeps what is known of a file that waits in a drop. Since and
// FirstSeen are the caller's: they make deadlines survive restarts.
func (t *Tx) PutSighting(s *Sighting) error {
	return t.write(bSighting, named(s.Flow, s.File), s)
}

// DropSighting forgets one; none is no error.
func (t *Tx) DropSighting(flow, file string) error {
	if t.get(bSighting, named(flow, file)) == nil {
		return nil
	}
	return t.drop(bSighting, named(flow, file))
}

// Sightings lists those of a flow, by file name.
func (t *Tx) Sightings(flow string) ([]*Sighting, error) {
	return all[Sighting](t.txn, bSighting, named(flow, ""))
}

func all[R any](t *txn, b bucket, prefix []byte) ([]*R, error) {
	var found []*R
	err := t.each(b, prefix, nil, func(k, v []byte) (bool, error) {
		r := new(R)
		err := t.decode(b, k, v, r)
		found = append(found, r)
		return true, err
	})
	return found, err
}

// earlier gives the earlier of two times, where zero means none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
