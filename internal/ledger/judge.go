package ledger

import (
	"slices"
	"strings"

	"sendconnector/internal/notification"
)

// Item is one would-be notification of a drop, with every row that gave something
// to it.
type Item struct {
	Request     *notification.Request    // nil where nothing could be made of the rows
	Protocol    string                   // exact; "" where the rows have none
	Print       notification.Fingerprint // of Request, with the digests of Documents where they are known
	Documents   []Document
	Rows        []ItemRow              // in row order; at least one
	Problems    []notification.Problem // of the whole item
	AllowShrink bool                   // rule 9: the profile says that a group may come back smaller
}

// ItemRow is one input row of an item.
type ItemRow struct {
	Number     int
	Cells      []string
	Recipients []int // indexes in Request.Recipients that the row gave
	Problems   []notification.Problem
}

// Verdict is what admission decides about an item.
type Verdict struct {
	Outcome  RowOutcome
	ID       ID
	Attempt  int
	New      bool                   // an attempt that this drop owns, perhaps waiting for its proof
	Problems []notification.Problem // added by the ledger; those of the item are not repeated
}

// decision is a verdict with what carrying it out needs.
type decision struct {
	Verdict
	cur      *Notification // present notification of the exact key
	tomb     *Tombstone    // or what is left of it
	waits    bool          // new request behind a refused attempt (rule 4)
	fileOnly bool
	clash    bool // same key twice in this drop, differing: the first falls too
	twin     bool // same key twice in this drop, identical
	prior    *rejection
	shrunk   bool // the group was bigger (rule 9): as follows
	wasIDs   []string
	wasPairs []string
}

func (it *Item) hasErrors() bool {
	return notification.Errors(it.Problems) || slices.ContainsFunc(it.Rows, func(r ItemRow) bool { return notification.Errors(r.Problems) })
}

func (it *Item) firstRow() int {
	if len(it.Rows) == 0 {
		return 0
	}
	return it.Rows[0].Number
}

func (it *Item) documentsKnown() bool { return it.Print.Act != [32]byte{} }

func (d *decision) add(p ...notification.Problem) { d.Problems = append(d.Problems, p...) }

func (t *txn) problem(code string, args ...string) notification.Problem {
	return notification.New(t.l.opts.Language, code, "", args...)
}

// judge decides about one item of a batch by rules 1, 3 to 6, 8, 9 and 16, reading
// only.
func (t *txn) judge(h *head, it *Item) (*decision, error) {
	d := &decision{Verdict: Verdict{Outcome: RowRejected}}
	if it.Protocol == "" {
		return d, nil
	}
	k := Key{Environment: h.Environment, SenderTaxID: h.SenderTaxID, Protocol: it.Protocol}
	var err error
	if d.prior, err = t.rejectionOf(k); err != nil {
		return nil, err
	}
	others, err := t.present(k, d)
	if err != nil {
		return nil, err
	}
	if err := t.judgeUnsealed(h, d); err != nil {
		return nil, err
	}
	if done, err := t.judgeTwice(h, it, d); done || err != nil {
		return d, err
	}
	if err := t.judgeSpelling(k, others, d); err != nil {
		return nil, err
	}
	if !notification.Errors(d.Problems) {
		done, err := t.judgeKnown(it, d)
		if done || err != nil {
			return d, err
		}
	}
	return d, t.judgeNew(k, it, d)
}

// present finds what the ledger has under the key: the exact spelling goes into d,
// other spellings are returned.
func (t *txn) present(k Key, d *decision) ([]*Notification, error) {
	ids, err := t.idsOfKey(k)
	if err != nil {
		return nil, err
	}
	var others []*Notification
	for _, id := range ids {
		n, err := t.note(id)
		if err != nil {
			return nil, err
		}
		switch {
		case n.Key == k:
			d.cur = n
		case n.Key.Environment == k.Environment:
			others = append(others, n)
		}
	}
	if d.cur != nil {
		return others, nil
	}
	d.tomb, err = t.tombstone(k)
	return others, ignoreNotFound(err)
}

// judgeUnsealed refuses to call a key known that another batch has only begun to
// bring: a restart, a row further down or a damaged copy may take it away again, and
// a citizen whose row passed for known here would never be notified.
func (t *txn) judgeUnsealed(h *head, d *decision) error {
	if d.cur == nil || h.ID == judging {
		return nil
	}
	owners := []string{d.cur.OwnerBatch}
	if d.cur.Pending != nil {
		owners = append(owners, d.cur.Pending.Batch)
	}
	for _, id := range owners {
		if id == h.ID {
			continue
		}
		owner, err := t.head(id)
		if err != nil {
			return err
		}
		if owner.State == Reading {
			return &ReadingError{Batch: id}
		}
	}
	return nil
}

// judgeTwice deals with a key that this very drop has had before: identical items
// are one notification, differing ones are all rejected (interface, "Profiles").
func (t *txn) judgeTwice(h *head, it *Item, d *decision) (bool, error) {
	first := 0
	switch n := d.cur; {
	case n != nil && n.Pending != nil && n.Pending.Batch == h.ID:
		first = n.Pending.Row
		d.twin = n.Pending.Print.Whole == it.Print.Whole
	case n != nil && n.OwnerBatch == h.ID && h.State == Reading:
		first = n.OwnerRow
		d.twin = n.Print.Whole == it.Print.Whole
	case d.prior != nil && d.prior.last().Batch == h.ID:
		if !d.prior.Clash && d.prior.sameAs(it) {
			return false, nil
		}
		first = d.prior.last().Rows[0]
		d.twin = false
	default:
		return false, nil
	}
	if d.twin && it.Request != nil {
		d.Outcome, d.ID, d.Attempt = RowKnown, d.cur.ID, d.cur.Attempt
		return true, nil
	}
	d.twin, d.clash = false, true
	d.add(t.problem("C-DUPLICATE-IN-DROP", "protocol", it.Protocol, "row", itoa(first)))
	return true, nil
}

// judgeSpelling: the same number in another spelling is an error (rule 1), unless
// somebody said "resubmit --as-new" for this spelling.
func (t *txn) judgeSpelling(k Key, others []*Notification, d *decision) error {
	exact, err := t.exactKey(k)
	if err != nil {
		return err
	}
	if d.cur != nil || t.get(bAllow, exact) != nil {
		return nil
	}
	for _, o := range others {
		d.add(t.problem("C-PROTOCOL-SPELLING", "protocol", k.Protocol, "other", o.Key.Protocol, "batch", o.OwnerBatch, "row", itoa(o.OwnerRow)))
	}
	if tb := d.tomb; tb != nil && tb.Exact != exactDigest(k) {
		d.add(t.problem("C-PROTOCOL-SPELLING", "protocol", k.Protocol, "other", "?", "batch", tb.Batch, "row", itoa(tb.Row)))
	}
	return nil
}

// earlier request of a key, as far as the ledger still has it.
type known struct {
	state     State
	print     notification.Fingerprint
	request   *notification.Request // nil: only a tombstone is left
	codes     []string
	fileTried bool
	batch     string
	row       int
}

func (d *decision) known() *known {
	if n := d.cur; n != nil {
		k := &known{state: n.State, print: n.Print, request: n.Request, fileTried: n.FileAttempt, batch: n.OwnerBatch, row: n.OwnerRow}
		for _, p := range n.Refusals {
			k.codes = append(k.codes, p.Code)
		}
		if p := n.Pending; p != nil { // it stands in the queue like a READY one
			k.state, k.print, k.request, k.batch, k.row = Ready, p.Print, p.Request, p.Batch, p.Row
		}
		return k
	}
	if tb := d.tomb; tb != nil {
		return &known{state: tb.State, print: tb.Print, codes: tb.Codes, fileTried: tb.FileAttempt, batch: tb.Batch, row: tb.Row}
	}
	return nil
}

// judgeKnown decides about rows of a known key that need no new attempt: rule 8 for
// a taken one, rule 5 for the same request after a refusal.
func (t *txn) judgeKnown(it *Item, d *decision) (bool, error) {
	k := d.known()
	if k == nil || k.state == Discarded || it.Request == nil {
		if k != nil && k.state.Taken() {
			return true, nil // nothing to compare: rejected for its own problems
		}
		return false, nil
	}
	if d.cur != nil {
		d.ID, d.Attempt = d.cur.ID, d.cur.Attempt
	} else {
		d.Attempt = d.tomb.Attempt
	}
	if k.state.Taken() {
		t.judgeTaken(it, k, d)
		return true, nil
	}
	same, fileOnly := sameRequest(it, k)
	d.fileOnly = fileOnly
	if same {
		d.Outcome = RowRefused
		return true, nil
	}
	return false, nil
}

// judgeTaken is rule 8.
func (t *txn) judgeTaken(it *Item, k *known, d *decision) {
	what := t.differences(k, it)
	args := []string{"protocol", it.Protocol, "what", what, "batch", k.batch, "row", itoa(k.row)}
	switch {
	case k.print.Identity != it.Print.Identity:
		d.add(t.problem("C-KNOWN-DIFFERENT", args...))
		return
	case k.print.Body != it.Print.Body:
		d.add(t.problem("C-KNOWN-CHANGED", args...))
	case k.print.Whole != it.Print.Whole && it.documentsKnown() && k.print.Act != [32]byte{}:
		d.add(t.problem("C-KNOWN-DOCUMENTS", args...))
	}
	d.Outcome = RowKnown
}

func (t *txn) differences(k *known, it *Item) string {
	if k.request == nil {
		if t.l.opts.Language == notification.English {
			return "recipients, notices or subject"
		}
		return "destinatari, avvisi o oggetto"
	}
	return notification.Describe(t.l.opts.Language, notification.Differences(k.request, it.Request))
}

// sameRequest is "same" of rule 5: equal, or differing only in document bytes, which
// count as a change only after a refusal about a file, and then once for each key.
func sameRequest(it *Item, k *known) (same, fileOnly bool) {
	if k.print.Body != it.Print.Body {
		return false, false
	}
	if it.documentsKnown() && k.print.Whole == it.Print.Whole {
		return true, false
	}
	aboutFile := slices.ContainsFunc(k.codes, func(c string) bool { return strings.HasPrefix(c, "FILE_") })
	if !aboutFile || k.fileTried {
		return true, false
	}
	return false, true
}

// judgeNew decides whether what would be a new attempt may become one.
func (t *txn) judgeNew(k Key, it *Item, d *decision) error {
	if it.Request != nil {
		t.judgeGroup(it, d)
		if err := t.judgeHeld(k, it, d); err != nil {
			return err
		}
	}
	if it.Request == nil || it.hasErrors() || notification.Errors(d.Problems) {
		d.Outcome, d.ID, d.Attempt = RowRejected, 0, 0
		return nil
	}
	d.Outcome, d.New, d.Attempt = RowLinked, true, 1
	switch n := d.cur; {
	case n != nil && n.State == Refused:
		d.waits, d.Attempt = true, n.Attempt+1
	case n != nil: // REFUSED_AT_ONCE, DISCARDED: the attempt was not used up (rule 4)
		d.Attempt = n.Attempt
	case d.tomb != nil && d.tomb.State == Refused && d.tomb.Exact == exactDigest(k):
		d.waits, d.Attempt = true, d.tomb.Attempt+1
	case d.tomb != nil && d.tomb.Exact == exactDigest(k):
		d.Attempt = d.tomb.Attempt
	}
	return nil
}

// judgeGroup is rule 9: a group that comes back with fewer recipients or notices
// than the latest rejected or refused drop of its key is not whole.
func (t *txn) judgeGroup(it *Item, d *decision) {
	taxIDs, pairs := groupOf(it.Request)
	ref, ok := d.groupBefore()
	if !ok {
		return
	}
	missing := append(lacking(d.wasIDs, taxIDs), lacking(d.wasPairs, pairs)...)
	args := []string{"missing", strings.Join(missing, ", "), "batch", ref.Batch, "row", itoa(ref.row())}
	smaller := len(taxIDs) < len(d.wasIDs) || len(pairs) < len(d.wasPairs)
	switch {
	case smaller && !it.AllowShrink:
		d.shrunk = true
		d.add(t.problem("C-GROUP-INCOMPLETE", args...))
	case len(missing) > 0:
		d.add(t.problem("C-GROUP-CHANGED", args...))
	}
}

// groupBefore finds the latest rejected or refused drop of the key and remembers its
// group.
func (d *decision) groupBefore() (rowRef, bool) {
	n := d.cur
	refused := n != nil && (n.State == Refused || n.State == RefusedAtOnce) && n.Request != nil
	switch {
	case d.prior != nil && (!refused || !d.prior.At.Before(n.ChangedAt)):
		d.wasIDs, d.wasPairs = d.prior.TaxIDs, d.prior.Pairs
		return d.prior.last(), true
	case refused:
		d.wasIDs, d.wasPairs = groupOf(n.Request)
		return rowRef{Batch: n.OwnerBatch, Rows: []int{n.OwnerRow}}, true
	}
	return rowRef{}, false
}

// groupOf gives the tax codes and notices of a request, each once.
func groupOf(r *notification.Request) (taxIDs, pairs []string) {
	if r == nil {
		return nil, nil
	}
	for i := range r.Recipients {
		taxIDs = append(taxIDs, r.Recipients[i].TaxID)
	}
	for _, p := range notification.Notices(r) {
		pairs = append(pairs, p.Notice)
	}
	return distinct(taxIDs), distinct(pairs)
}

func distinct(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

func lacking(was, is []string) []string {
	var missing []string
	for _, s := range was {
		if !slices.Contains(is, s) {
			missing = append(missing, s)
		}
	}
	return missing
}

// judgeHeld is rule 6: notices and acts that another key holds, naming its row.
func (t *txn) judgeHeld(k Key, it *Item, d *decision) error {
	clashes, err := t.clashes(k, it.Request, it.Print)
	if err != nil {
		return err
	}
	for _, c := range clashes {
		d.add(t.problem(c.code, "notice", c.notice, "protocol", c.protocol, "batch", c.batch, "row", itoa(c.row)))
	}
	return nil
}

func requestRecipients(n *Notification) []notification.Recipient {
	if n.Request == nil {
		return nil
	}
	return n.Request.Recipients
}
