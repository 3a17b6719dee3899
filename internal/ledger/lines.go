package ledger

import (
	"encoding/binary"
	"hash/fnv"
	"path"
	"strconv"
	"strings"
	"time"

	"sendconnector/internal/notification"
)

// Lines gives the outcome lines of a row, derived as rules.md says ("What a row's
// outcome is"): one for each recipient that the row carries, or one with a blank
// recipient.
func (t *Tx) Lines(r *Row) ([]Line, error) {
	h, err := t.head(r.Batch)
	if err != nil {
		return nil, err
	}
	if r.Outcome != RowLinked || r.Superseded {
		return t.l.settledLines(h, r), nil
	}
	n, err := t.note(r.ID)
	if err != nil {
		return nil, err
	}
	return t.linkedLines(h, r, n)
}

// settledLines are the lines of a row that follows no notification.
func (l *Ledger) settledLines(h *head, r *Row) []Line {
	warnings := texts(r.Problems, notification.Warning)
	if r.Outcome == RowKnown { // its errors stopped nothing, but nobody may miss them
		warnings = texts(r.Problems, "")
	}
	if r.Superseded {
		warnings = sentences(warnings, notification.New(l.opts.Language, "C-SUPERSEDED", "", "row", r.Successor).Message)
	}
	if len(r.Snapshot) > 0 {
		lines := append([]Line(nil), r.Snapshot...)
		for i := range lines {
			lines[i].Row = r.Number
			lines[i].Warnings = sentences(lines[i].Warnings, warnings)
			if r.Outcome == RowKnown {
				lines[i].Outcome = GiaPresente
			}
		}
		return lines
	}
	line := Line{Row: r.Number, Outcome: Scartata, Environment: h.Environment, Batch: h.ID, Protocol: r.Protocol, Attempt: r.Attempt, UpdatedAt: h.SealedAt}
	switch r.Outcome {
	case RowKnown:
		line.Outcome = GiaPresente
	case RowRefused:
		line.Outcome = Rifiutata
	}
	line.Code, line.Field, line.Message = faults(r.Problems)
	line.Warnings = warnings
	return forRecipients(line, r.Recipients)
}

func forRecipients(line Line, recipients []int) []Line {
	if len(recipients) == 0 {
		line.Recipient = -1
		return []Line{line}
	}
	lines := make([]Line, len(recipients))
	for i, r := range recipients {
		lines[i] = line
		lines[i].Recipient = r
	}
	return lines
}

// linkedLines are the lines of a row that follows n: as owner of the present
// attempt, or as the drop whose new request waits behind a refused one.
func (t *txn) linkedLines(h *head, r *Row, n *Notification) ([]Line, error) {
	hold, err := t.shownHold(n)
	if err != nil {
		return nil, err
	}
	return view{lang: t.l.opts.Language, hold: hold, open: t.gateOpen(h), head: h}.linked(r, n), nil
}

// linked are the lines of a row that follows n, or waits behind it.
func (v view) linked(r *Row, n *Notification) []Line {
	if p := n.Pending; p != nil && p.Batch == r.Batch && r.Attempt > n.Attempt {
		return v.waitingLines(r, n)
	}
	return v.lines(r, n)
}

// view is what beside a notification decides about its lines. With bare set, holds
// and the gate are left aside.
type view struct {
	lang notification.Lang
	hold *Hold
	open bool
	bare bool
	head *head
}

// waitingLines are those of a new request that waits for the proof that the attempt
// before it was refused (rule 4): IN_CODA, or SOSPESA.
func (v view) waitingLines(r *Row, n *Notification) []Line {
	line := Line{
		Row: r.Number, Outcome: InCoda, Environment: n.Key.Environment, Batch: r.Batch, Protocol: n.Key.Protocol,
		Attempt: r.Attempt, Warnings: texts(r.Problems, notification.Warning), UpdatedAt: n.Pending.Since,
	}
	v.suspend(&line)
	return forRecipients(line, r.Recipients)
}

func (v view) suspend(line *Line) {
	if v.bare || v.open && v.hold == nil {
		return
	}
	line.Outcome = Sospesa
	p := notification.Problem{}
	switch {
	case v.hold != nil:
		p = notification.New(v.lang, "C-HELD", "", "reason", holdText(v.hold))
	case v.head.Release == DelayedRelease:
		p = notification.New(v.lang, "C-RELEASE-DELAY", "", "when", clockTime(v.head.ReleaseAt))
	case v.head.ReleaseWhy == "C-RELEASE-REBUILT":
		p = notification.New(v.lang, "C-RELEASE-REBUILT", "", "batch", v.head.ID, "file", path.Base(v.head.File))
	case v.head.ReleaseWhy == "C-RELEASE-MAX":
		p = notification.New(v.lang, "C-RELEASE-MAX", "", "count", strconv.Itoa(v.head.Admitted))
	default:
		p = notification.New(v.lang, "C-RELEASE-WAIT", "")
	}
	line.Code, line.Message = p.Code, p.Message
}

func holdText(h *Hold) string {
	if h.Detail != "" {
		return h.Detail
	}
	return h.Reason
}

func clockTime(at time.Time) string {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		rome = time.UTC // a machine without zone data still gets a time
	}
	return at.In(rome).Format("02/01/2006 15:04")
}

// lines derives the lines of an owner's row.
func (v view) lines(r *Row, n *Notification) []Line {
	line := Line{
		Row: r.Number, Environment: n.Key.Environment, Batch: n.OwnerBatch, Protocol: n.Key.Protocol, Attempt: n.Attempt,
		RequestID: n.RequestID, IUN: n.IUN, Status: n.SENDStatus, StatusAt: n.SENDStatusAt, UpdatedAt: n.ChangedAt,
		Warnings: sentences(texts(r.Problems, notification.Warning), texts(n.Warnings, "")),
	}
	if (n.State == Refused || n.State == Cancelled) && n.RefusalCent > 0 {
		cent := n.RefusalCent
		line.RefusalCent = &cent
	}
	lines := forRecipients(line, r.Recipients)
	for i := range lines {
		if at := lines[i].Recipient; at >= 0 && at < len(n.Recipients) {
			s := &n.Recipients[at]
			lines[i].Outcome = outcomeOf(n, s)
			lines[i].PerfectedAt, lines[i].Unreachable = s.PerfectedAt, s.Unreachable
			lines[i].CostCent, lines[i].CostFinal = s.CostCent, s.CostFinal
			lines[i].Got, lines[i].Expected = s.Got, s.Expected
		} else {
			lines[i].Outcome = outcomeOfAll(n)
		}
		v.explain(&lines[i], n)
	}
	return lines
}

// explain adds code and message where the outcome calls for them, and SOSPESA.
func (v view) explain(line *Line, n *Notification) {
	switch line.Outcome {
	case InCoda, Inviata:
		if p := n.LastError; p != nil {
			line.Code, line.Field, line.Message = p.Code, p.Field, p.Message
		}
		v.suspend(line)
	case Rifiutata:
		line.Code, line.Field, line.Message = faults(n.Refusals)
	case Scartata:
		p := notification.New(v.lang, "C-DISCARDED", "")
		line.Code, line.Message = p.Code, p.Message
	}
}

// outcomeOf is the outcome for one recipient, without holds and gate; first match
// wins (rules.md).
func outcomeOf(n *Notification, s *RecipientState) Outcome {
	switch {
	case n.State == Discarded:
		return Scartata
	case n.State == Cancelled || n.SENDStatus == StatusCancelled:
		return Annullata
	case n.State == Accepted && s != nil:
		switch {
		case !s.PerfectedAt.IsZero():
			return Perfezionata
		case s.Returned:
			return Restituita
		case s.Unreachable:
			return Irreperibile
		case s.Dispatched:
			return Consegna
		}
		return Accettata
	case n.State == Accepted:
		return Accettata
	case n.State == Refused || n.State == RefusedAtOnce:
		return Rifiutata
	case n.State == Submitted:
		return Inviata
	}
	return InCoda
}

// outcomeOfAll is the outcome of a line without recipient: that of the recipient
// who is least far.
func outcomeOfAll(n *Notification) Outcome {
	if len(n.Recipients) == 0 {
		return outcomeOf(n, nil)
	}
	rank := map[Outcome]int{Accettata: 0, Consegna: 1, Irreperibile: 2, Restituita: 3, Perfezionata: 4}
	least := outcomeOf(n, &n.Recipients[0])
	for i := range n.Recipients {
		if o := outcomeOf(n, &n.Recipients[i]); rank[o] < rank[least] {
			least = o
		}
	}
	return least
}

// faults puts the errors of a list into columns: code and field of the first,
// messages of all.
func faults(problems []notification.Problem) (code, field, message string) {
	for _, p := range problems {
		if p.Severity == notification.Warning {
			continue
		}
		if code == "" {
			code, field = p.Code, p.Field
		}
		message = sentences(message, p.Message)
	}
	return code, field, message
}

// texts joins the messages of one severity; "" takes all.
func texts(problems []notification.Problem, severity notification.Severity) string {
	s := ""
	for _, p := range problems {
		if severity == "" || p.Severity == severity {
			s = sentences(s, p.Message)
		}
	}
	return s
}

func sentences(a, b string) string {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}

// digest tells whether a line has changed since it was last told. UpdatedAt does
// not count. It is stored, so its form is part of the file format.
func (l *Line) digest() uint64 {
	b := make([]byte, 0, 256)
	for _, s := range []string{
		string(l.Outcome), l.Code, l.Field, l.Message, l.Warnings, l.Environment, l.Batch, l.Protocol,
		l.RequestID, l.IUN, l.Status,
	} {
		b = append(append(b, s...), 0)
	}
	for _, n := range []int{
		l.Row, l.Attempt, l.Recipient, cents(l.CostCent), cents(l.RefusalCent), l.Got, l.Expected,
		yes(l.Unreachable), yes(l.CostFinal),
	} {
		b = binary.AppendVarint(b, int64(n))
	}
	b = binary.BigEndian.AppendUint64(b, millis(l.StatusAt))
	b = binary.BigEndian.AppendUint64(b, millis(l.PerfectedAt))
	h := fnv.New64a()
	_, _ = h.Write(b) // never fails
	return h.Sum64()
}

func cents(p *int) int {
	if p == nil {
		return -1
	}
	return *p
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}
