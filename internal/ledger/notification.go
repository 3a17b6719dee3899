package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"sendconnector/internal/notification"
)

func itoa(n int) string { return strconv.Itoa(n) }

// hot is what changes at every step of a notification; cold, with the request, is
// written once for each attempt.
type hot struct {
	Notification
	Shown    []uint64  `json:",omitzero"` // digest of each line as last told to aggiornamenti
	Outcomes []Outcome `json:",omitzero"` // of each line, holds and the gate left aside
	Cold     []byte    `json:",omitzero"` // digest of the cold record
	fresh    bool
}

type cold struct {
	Pending *coldPending          `json:",omitzero"`
	Request *notification.Request `json:",omitzero"`
}

type coldPending struct {
	Request   *notification.Request `json:",omitzero"`
	Print     []byte                `json:",omitzero"`
	Documents []Document            `json:",omitzero"`
	Batch     string                `json:",omitzero"`
	Row       int                   `json:",omitzero"`
	Rows      []int                 `json:",omitzero"`
	AsNew     bool                  `json:",omitzero"`
	Resubmit  bool                  `json:",omitzero"`
	FileOnly  bool                  `json:",omitzero"`
	Since     time.Time             `json:",omitzero"`
}

const printSize = 5 * 32

func printBytes(f notification.Fingerprint) []byte {
	return joined(f.Identity[:], f.Body[:], f.Whole[:], f.Act[:], f.TaxIDs[:])
}

func printFrom(b []byte) (f notification.Fingerprint) {
	for i, part := range []*[32]byte{&f.Identity, &f.Body, &f.Whole, &f.Act, &f.TaxIDs} {
		if len(b) >= 32*(i+1) {
			copy(part[:], b[32*i:])
		}
	}
	return f
}

func encodeCold(n *Notification) ([]byte, error) {
	c := cold{Request: n.Request}
	if p := n.Pending; p != nil {
		c.Pending = &coldPending{
			Request: p.Request, Print: printBytes(p.Print), Documents: p.Documents, Batch: p.Batch,
			Row: p.Row, Rows: p.Rows, AsNew: p.AsNew, Resubmit: p.Resubmit, FileOnly: p.FileOnly, Since: p.Since,
		}
	}
	raw, err := json.Marshal(&c)
	if err != nil {
		return nil, fmt.Errorf("ledger: encode request: %w", err)
	}
	return append(printBytes(n.Print), raw...), nil // digests do not compress: they stand before the JSON
}

// loadHot gives the stored state of a notification without its request.
func (t *txn) loadHot(id ID) (*hot, error) {
	v := t.get(bNote, id.key())
	if v == nil {
		return nil, ErrNotFound
	}
	h := &hot{fresh: recordFlags(v)&flagFresh != 0}
	return h, t.decode(bNote, id.key(), v, h)
}

// fill adds request, fingerprint and pending to a loaded notification.
func (t *txn) fill(n *Notification) error {
	record := t.get(bCold, n.ID.key())
	if record == nil {
		return ErrNotFound
	}
	raw, _, err := t.l.codec.open(record)
	if err == nil && len(raw) < printSize {
		err = errRecordShort
	}
	var c cold
	if err == nil {
		err = json.Unmarshal(raw[printSize:], &c)
	}
	if err != nil {
		return t.damaged(bCold, n.ID.key(), err)
	}
	n.Request, n.Print = c.Request, printFrom(raw)
	if p := c.Pending; p != nil {
		n.Pending = &Pending{
			Request: p.Request, Print: printFrom(p.Print), Documents: p.Documents, Batch: p.Batch,
			Row: p.Row, Rows: p.Rows, AsNew: p.AsNew, Resubmit: p.Resubmit, FileOnly: p.FileOnly, Since: p.Since,
		}
	}
	return nil
}

// Notification gives a notification with its request; ErrNotFound.
func (t *Tx) Notification(id ID) (*Notification, error) { return t.note(id) }

func (t *txn) note(id ID) (*Notification, error) {
	h, err := t.loadHot(id)
	if err != nil {
		return nil, err
	}
	n := &h.Notification
	return n, t.fill(n)
}

// ByKey gives the present notification of a business key, in whatever state;
// ErrNotFound also for a key of which only a tombstone is left.
func (t *Tx) ByKey(k Key) (*Notification, error) {
	ids, err := t.idsOfKey(k)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		n, err := t.note(id)
		if err != nil {
			return nil, err
		}
		if n.Key == k {
			return n, nil
		}
	}
	return nil, ErrNotFound
}

// ByRequestID gives the notification whose present attempt has this request id;
// ErrNotFound otherwise, also for the id of an earlier attempt: what SEND says of
// that one must not touch the present one.
func (t *Tx) ByRequestID(requestID string) (*Notification, error) {
	return t.byIndex(bRequestID, requestID)
}

// ByIUN gives the notification with this IUN; ErrNotFound.
func (t *Tx) ByIUN(iun string) (*Notification, error) { return t.byIndex(bIUN, iun) }

func (t *txn) byIndex(b bucket, name string) (*Notification, error) {
	if name == "" {
		return nil, ErrNotFound
	}
	v := t.get(b, []byte(name))
	if v == nil {
		return nil, ErrNotFound
	}
	return t.note(idFrom(v))
}

// ByToken gives the notification whose present attempt has this token, whatever its
// environment; ErrNotFound otherwise, also for the token of an earlier attempt.
func (t *Tx) ByToken(senderTaxID, protocol, token string) (*Notification, error) {
	var found *Notification
	err := t.each(bNames, []byte(nameEnvironment), nil, func(k, _ []byte) (bool, error) {
		n, err := t.ByKey(Key{Environment: string(k[1:]), SenderTaxID: senderTaxID, Protocol: protocol})
		if ignoreNotFound(err) != nil {
			return false, err
		}
		if err == nil && n.Token == token {
			found = n
		}
		return found == nil, nil
	})
	if err == nil && found == nil {
		err = ErrNotFound
	}
	return found, err
}

// Notifications visits what the batch owns, in the order of its rows, until visit
// answers false.
func (t *Tx) Notifications(batch string, visit func(*Notification) bool) error {
	seen := map[ID]bool{}
	var fail error
	err := t.Rows(batch, func(r *Row) bool {
		if r.Outcome != RowLinked || r.ID == 0 || seen[r.ID] {
			return true
		}
		seen[r.ID] = true
		n, err := t.note(r.ID)
		if err != nil {
			if r.Superseded { // its notification went to a later batch, which has been purged
				err = ignoreNotFound(err)
			}
			fail = err
			return err == nil
		}
		return n.OwnerBatch != batch || visit(n)
	})
	if fail != nil {
		return fail
	}
	return err
}

// Open visits every notification that is not Closed, from the given id on, until
// visit answers false. It reads every record behind it: it is for sweeps.
func (t *Tx) Open(from ID, visit func(*Notification) bool) error {
	return t.visit(from, func(h *hot) bool { return !h.Closed && h.State != Discarded && h.State != RefusedAtOnce }, visit)
}

func (t *Tx) visit(from ID, wanted func(*hot) bool, visit func(*Notification) bool) error {
	return t.each(bNote, nil, from.key(), func(k, v []byte) (bool, error) {
		h := &hot{}
		if err := t.decode(bNote, k, v, h); err != nil {
			return false, err
		}
		if !wanted(h) {
			return true, nil
		}
		if err := t.fill(&h.Notification); err != nil {
			return false, err
		}
		return visit(&h.Notification), nil
	})
}

// OpenFrom gives at most limit of what Open visits.
func (t *Tx) OpenFrom(from ID, limit int) ([]*Notification, error) {
	visit, found := upTo(limit)
	err := t.Open(from, visit)
	return *found, err
}

// OverFrom gives at most limit notifications that SEND accepted and that are Closed,
// from the given id on.
func (t *Tx) OverFrom(from ID, limit int) ([]*Notification, error) {
	visit, found := upTo(limit)
	err := t.visit(from, func(h *hot) bool { return h.Closed && (h.State == Accepted || h.State == Cancelled) }, visit)
	return *found, err
}

func upTo(limit int) (visit func(*Notification) bool, found *[]*Notification) {
	found = new([]*Notification)
	return func(n *Notification) bool {
		*found = append(*found, n)
		return len(*found) < limit
	}, found
}

// Cause says in a Change what brought it about.
type Cause struct {
	Event   string // category of SEND's event, or a word of ours
	EventAt time.Time
	Detail  string
}

// PutNotification is PutNotificationBecause without a cause.
func (t *Tx) PutNotification(n *Notification) error { return t.PutNotificationBecause(n, Cause{}) }

// PutNotificationBecause stores a notification. It is the one place through which
// its state changes: the step must be in the state table (*TransitionError), the
// indexes follow, and where a line of its owner's rows has changed, a Change is
// appended and the batch's version grows. A new attempt comes from NextAttempt,
// never from counting up. ID 0 stores a new notification (admission, rebuild) and
// sets n.ID.
func (t *Tx) PutNotificationBecause(n *Notification, c Cause) error { return t.putNote(n, c) }

func (t *txn) putNote(n *Notification, c Cause) error {
	if n.ID == 0 {
		rows, err := t.rowsOf(n)
		if err != nil {
			return err
		}
		return t.addNote(n, rows)
	}
	old, err := t.loadHot(n.ID)
	if err != nil {
		return err
	}
	if err := checkStep(old, n); err != nil {
		return err
	}
	return t.replaceNote(old, n, c)
}

// replaceNote stores n in place of old without asking the state table.
func (t *txn) replaceNote(old *hot, n *Notification, c Cause) error {
	n.Closed = closed(n)
	next := &hot{Notification: *n, Shown: old.Shown, Outcomes: old.Outcomes}
	raw, err := encodeCold(n)
	if err != nil {
		return err
	}
	next.Cold = sha(raw)
	if newCold := !bytes.Equal(next.Cold, old.Cold); newCold || holdsIndex(&old.Notification) != holdsIndex(n) || old.State != n.State {
		if err := t.fill(&old.Notification); err != nil {
			return err
		}
		if err := t.reindexHeld(&old.Notification, n); err != nil {
			return err
		}
		if err := t.noteFreed(&old.Notification, n); err != nil {
			return err
		}
		if newCold {
			if err := t.put(bCold, n.ID.key(), t.l.codec.seal(raw, 0)); err != nil {
				return err
			}
		}
	} else {
		old.Request, old.Print, old.Pending = n.Request, n.Print, n.Pending
	}
	if err := t.reindexNames(&old.Notification, n); err != nil {
		return err
	}
	if err := t.reindexDue(old, next); err != nil {
		return err
	}
	if err := t.tell(old, next, c); err != nil {
		return err
	}
	n.ChangedAt = next.ChangedAt
	return t.writeHot(next)
}

func (t *txn) writeHot(h *hot) error {
	raw, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("ledger: encode notification: %w", err)
	}
	if h.fresh {
		return t.put(bNote, h.ID.key(), t.l.codec.seal(raw, flagFresh))
	}
	return t.put(bNote, h.ID.key(), t.l.codec.squeeze(raw))
}

// addNote stores a notification for the first time. It is found through its batch's
// range when it is fresh work, and through the due index otherwise.
func (t *txn) addNote(n *Notification, rows []*Row) error {
	if err := t.mayWrite(); err != nil {
		return err
	}
	seq, err := t.bucket(bNote).NextSequence()
	if err != nil {
		return err
	}
	n.ID = ID(seq)
	if n.CreatedAt.IsZero() {
		n.CreatedAt, n.ChangedAt = t.now, t.now
	}
	next := &hot{Notification: *n}
	next.fresh = isFresh(n)
	raw, err := encodeCold(n)
	if err != nil {
		return err
	}
	next.Cold = sha(raw)
	if err := t.put(bCold, n.ID.key(), t.l.codec.seal(raw, 0)); err != nil {
		return err
	}
	none := &Notification{ID: n.ID}
	if err := t.reindexHeld(none, n); err != nil {
		return err
	}
	if err := t.reindexNames(none, n); err != nil {
		return err
	}
	if err := t.indexKey(n); err != nil {
		return err
	}
	if err := t.firstDue(next); err != nil {
		return err
	}
	if err := t.firstTold(next, rows); err != nil {
		return err
	}
	return t.writeHot(next)
}
