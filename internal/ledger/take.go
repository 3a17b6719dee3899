package ledger

import (
	"context"
	"encoding/binary"
	"sync"
	"time"
)

// taken is what workers of this process hold. It is memory only: after a crash
// everything that is due is due again.
type taken struct {
	mu    sync.Mutex // held over a whole search, so that what another worker gave back is seen as it left it
	notes map[ID]struct{}
	arts  map[artKey]struct{}
}

func (k *taken) init() {
	k.notes, k.arts = map[ID]struct{}{}, map[artKey]struct{}{}
}

func (k *taken) artifactsDone(keys []artKey) {
	if len(keys) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, a := range keys {
		delete(k.arts, a)
	}
}

// Done gives back notifications taken by DueToSend, DueToResolve or DueToAsk, and
// artifacts of theirs. Nothing else does: a worker keeps what it took over several
// commits. What was not finished is due again as its record says.
func (l *Ledger) Done(ids ...ID) {
	l.taken.mu.Lock()
	defer l.taken.mu.Unlock()
	for _, id := range ids {
		delete(l.taken.notes, id)
		for a := range l.taken.arts {
			if idFrom(a[:8]) == id {
				delete(l.taken.arts, a)
			}
		}
	}
}

// DoneArtifacts gives back artifacts that were not put; PutArtifact gives back by
// itself.
func (l *Ledger) DoneArtifacts(arts ...*Artifact) {
	l.taken.mu.Lock()
	defer l.taken.mu.Unlock()
	for _, a := range arts {
		delete(l.taken.arts, artifactKey(a.ID, a.Key))
	}
}

// DueToSend takes notifications of a sender that can go a step on now: READY and
// UPLOADED ones, and REFUSED or CANCELLED ones whose new attempt waits for its proof
// (Pending, or AutomaticDue). Never what is held, behind a closed release gate, or
// taken by somebody else. First what has been tried before, then fresh work by
// batch. Give back with Done.
func (l *Ledger) DueToSend(ctx context.Context, sender string, limit int) ([]*Notification, error) {
	return l.take(ctx, sender, dueSend, limit, LongestWait)
}

// DueToResolve takes notifications in INTENT: look up before anything else.
func (l *Ledger) DueToResolve(ctx context.Context, sender string, limit int) ([]*Notification, error) {
	return l.take(ctx, sender, dueResolve, limit, LongestWait)
}

// DueToAsk takes notifications to look up at SEND: SUBMITTED ones without an answer
// whose time has come, and later ones with a time set. longest is the longest that
// anybody sets such a time ahead: one that lies further is a false clock's (see
// LongestWait), and due.
func (l *Ledger) DueToAsk(ctx context.Context, sender string, limit int, longest time.Duration) ([]*Notification, error) {
	return l.take(ctx, sender, dueAsk, limit, longest)
}

// search is one call for due work.
type search struct {
	*txn
	sender string
	no     []byte
	limit  int
	asking bool // what has left is followed whatever is held; only the sender may be deaf
	found  []*Notification
}

func (l *Ledger) take(ctx context.Context, sender string, class byte, limit int, longest time.Duration) ([]*Notification, error) {
	l.taken.mu.Lock()
	defer l.taken.mu.Unlock()
	var found []*Notification
	err := l.View(ctx, func(t *Tx) error {
		hold, err := t.holdInForce(HoldSender, sender)
		if err != nil || hold != nil && (hold.Deaf || class != dueAsk) {
			return err
		}
		no, err := t.number(nameSender, sender)
		if err != nil {
			return err
		}
		s := &search{txn: t.txn, sender: sender, no: no, limit: limit, asking: class == dueAsk}
		if err := s.entries(class, longest); err != nil {
			return err
		}
		if class == dueSend {
			if err := s.ranges(); err != nil {
				return err
			}
		}
		found = s.found
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, n := range found {
		l.taken.notes[n.ID] = struct{}{}
	}
	return found, nil
}

// eachDue visits what is due of a prefix of a due index, the longest due first, and then
// what waits for longer than longest, which only a false clock can have written.
func (t *txn) eachDue(in bucket, prefix []byte, longest time.Duration, visit func(k, v []byte) (bool, error)) error {
	stopped := false
	err := t.each(in, prefix, nil, func(k, v []byte) (more bool, err error) {
		if binary.BigEndian.Uint64(k[5:]) > millis(t.now) {
			return false, nil
		}
		more, err = visit(k, v)
		stopped = !more
		return more, err
	})
	if err != nil || stopped {
		return err
	}
	return t.each(in, prefix, joined(prefix, u64(millis(t.now.Add(longest))+1)), visit)
}

// entries searches the due index.
func (s *search) entries(class byte, longest time.Duration) error {
	prefix := joined([]byte{class}, s.no)
	return s.eachDue(bDue, prefix, longest, func(k, v []byte) (bool, error) {
		if len(s.found) >= s.limit {
			return false, nil
		}
		id := idFrom(k[13:])
		h, err := s.headByNo(binary.BigEndian.Uint64(v))
		if err != nil {
			return false, err
		}
		// The gate is for sending: what has left is followed whatever the batch became.
		if class == dueSend && !s.gateOpen(h) {
			return true, nil
		}
		return true, s.add(id, h)
	})
}

// ranges searches the fresh work of sealed batches, batch by batch.
func (s *search) ranges() error {
	return s.each(bFresh, s.no, nil, func(k, v []byte) (bool, error) {
		h, err := s.headByNo(binary.BigEndian.Uint64(k[4:]))
		if err != nil {
			return false, err
		}
		hold, err := s.holdInForce(HoldFlow, h.Flow)
		if err != nil {
			return false, err
		}
		if hold != nil || !s.gateOpen(h) {
			return true, nil
		}
		f := decodeRange(v)
		return len(s.found) < s.limit, s.each(bNote, nil, f.From.key(), func(k, v []byte) (bool, error) {
			id := idFrom(k)
			if id > f.To || len(s.found) >= s.limit {
				return false, nil
			}
			if recordFlags(v)&flagFresh == 0 {
				return true, nil
			}
			return true, s.add(id, h)
		})
	})
}

// add takes one up unless it is taken or held, or is fresh work of another batch.
func (s *search) add(id ID, gate *head) error {
	if _, busy := s.l.taken.notes[id]; busy || len(s.found) >= s.limit {
		return nil
	}
	x, err := s.loadHot(id)
	if err != nil {
		return err
	}
	if x.fresh && x.OwnerBatch != gate.ID {
		return nil
	}
	if hold, err := s.HeldBy(&x.Notification); err != nil || hold != nil && !s.asking {
		return err
	}
	if err := s.fill(&x.Notification); err != nil {
		return err
	}
	s.found = append(s.found, &x.Notification)
	return nil
}

// DueArtifacts takes artifacts of a sender to download. PutArtifact gives back.
func (l *Ledger) DueArtifacts(ctx context.Context, sender string, limit int) ([]*Artifact, error) {
	return l.takeArtifacts(ctx, dueFetch, nameSender, sender, limit)
}

// ArtifactsToPlace takes downloaded artifacts for the outbox to publish. PutArtifact
// gives back.
func (l *Ledger) ArtifactsToPlace(ctx context.Context, outbox string, limit int) ([]*Artifact, error) {
	return l.takeArtifacts(ctx, duePlace, nameOutbox, outbox, limit)
}

func (l *Ledger) takeArtifacts(ctx context.Context, class byte, kind, name string, limit int) ([]*Artifact, error) {
	l.taken.mu.Lock()
	defer l.taken.mu.Unlock()
	var found []*Artifact
	err := l.View(ctx, func(t *Tx) error {
		if class == dueFetch {
			if hold, err := t.holdInForce(HoldSender, name); err != nil || hold != nil && hold.Deaf {
				return err
			}
		}
		no, err := t.number(kind, name)
		if err != nil {
			return err
		}
		return t.eachDue(bArtDue, joined([]byte{class}, no), LongestWait, func(k, _ []byte) (bool, error) {
			if len(found) >= limit {
				return false, nil
			}
			key := artKey(k[13:])
			if _, busy := l.taken.arts[key]; busy {
				return true, nil
			}
			a := &Artifact{}
			err := t.read(bArtifact, key[:], a)
			found = append(found, a)
			return true, err
		})
	})
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		l.taken.arts[artifactKey(a.ID, a.Key)] = struct{}{}
	}
	return found, nil
}

// NextDue tells when something becomes due by time alone: a next attempt, the end
// of a delay or of a hold; the zero time if nothing does. What is due already does
// not count.
func (l *Ledger) NextDue(ctx context.Context) (time.Time, error) {
	var next time.Time
	err := l.View(ctx, func(t *Tx) error {
		for _, b := range []bucket{bDue, bArtDue} {
			if err := t.nextIn(b, &next); err != nil {
				return err
			}
		}
		holds, err := t.Holds()
		if err != nil {
			return err
		}
		for _, h := range holds {
			if h.Until.After(t.now) {
				next = earlier(next, h.Until)
			}
		}
		return t.each(bFresh, nil, nil, func(k, _ []byte) (bool, error) {
			h, err := t.headByNo(binary.BigEndian.Uint64(k[4:]))
			if err == nil && h.Release == DelayedRelease && h.ReleaseAt.After(t.now) {
				next = earlier(next, h.ReleaseAt)
			}
			return true, err
		})
	})
	return next, err
}

// nextIn looks behind now in every class and owner of a due index, one seek each.
func (t *txn) nextIn(b bucket, next *time.Time) error {
	c := t.bucket(b).Cursor()
	k, _ := c.First()
	for k != nil {
		prefix := append([]byte(nil), k[:5]...)
		k, _ = c.Seek(joined(prefix, u64(millis(t.now)+1)))
		if k != nil && hasPrefix(k, prefix) {
			*next = earlier(*next, time.UnixMilli(int64(binary.BigEndian.Uint64(k[5:]))).UTC())
			k, _ = c.Seek(joined(prefix, u64(^uint64(0)), u64(^uint64(0)), u64(^uint64(0))))
		}
	}
	return nil
}
