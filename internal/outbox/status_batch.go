package outbox

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// holdKey is a flow or a sender.
type holdKey struct {
	scope ledger.HoldScope
	name  string
}

// holdsOf keeps the holds of flows, their folders and senders; those of single
// notifications are told in the outcome files. One whose time is over is shown until
// the ledger drops it: what it kept is being tried.
func holdsOf(all []ledger.Hold) map[holdKey]ledger.Hold {
	holds := map[holdKey]ledger.Hold{}
	for _, h := range all {
		if h.Scope == ledger.HoldFlow || h.Scope == ledger.HoldSender || h.Scope == ledger.HoldSource {
			holds[holdKey{h.Scope, h.Name}] = h
		}
	}
	return holds
}

// holdLines say that a flow is held even when no file of it is under way.
func (o *Outbox) holdLines(holds map[holdKey]ledger.Hold, f Flow) []statusLine {
	var lines []statusLine
	if h, ok := holds[holdKey{ledger.HoldFlow, f.Name}]; ok {
		lines = append(lines, statusLine{
			flow: f.Name, state: fileHeld, why: o.text("held-flow", "why", reasonOf(h)),
			since: h.Since, next: h.Until,
		})
	}
	if h, ok := holds[holdKey{ledger.HoldSource, f.Name}]; ok {
		lines = append(lines, statusLine{
			flow: f.Name, state: fileHeld, why: o.text("held-source", "why", reasonOf(h)), since: h.Since, next: f.NextCheck,
		})
	}
	if h, ok := holds[holdKey{ledger.HoldSender, f.Sender}]; ok && f.Sender != "" {
		lines = append(lines, statusLine{
			flow: f.Name, state: fileHeld, why: o.text("held-sender", "sender", f.Sender, "why", reasonOf(h)),
			since: h.Since, next: h.Until,
		})
	}
	return lines
}

func reasonOf(h ledger.Hold) string {
	if strings.TrimSpace(h.Detail) == "" {
		return sentence(h.Reason)
	}
	return sentence(h.Detail)
}

// recentBatches gives the batches of this outbox that may have a line: those claimed
// lately, and older ones that were found to wait for something. All of them are
// looked through only when the process starts and when a hold comes or goes.
func (o *Outbox) recentBatches(tx *ledger.Tx, now time.Time, holds map[holdKey]ledger.Hold) ([]*ledger.Batch, error) {
	var found []*ledger.Batch
	from := ""
	if o.watched != nil && sameHolds(o.holds, holds) {
		// A day more than needed: ids are in Rome time, and a large file takes a while
		// from claim to seal.
		from = now.Add(-o.opts.Recent - 24*time.Hour).In(rome).Format("20060102T150405")
		for _, id := range o.watched {
			if id >= from {
				continue
			}
			b, err := tx.Batch(id)
			if errors.Is(err, ledger.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, err
			}
			found = append(found, b)
		}
	}
	err := tx.BatchesFrom(from, func(b *ledger.Batch) bool {
		if b.Outbox == o.opts.Name {
			found = append(found, b)
		}
		return true
	})
	return found, err
}

func sameHolds(a, b map[holdKey]ledger.Hold) bool {
	if len(a) != len(b) {
		return false
	}
	for key := range a {
		if _, ok := b[key]; !ok {
			return false
		}
	}
	return true
}

// batchLines makes the lines of batches, and says when one changes by time alone.
func (o *Outbox) batchLines(ctx context.Context, batches []*ledger.Batch, holds map[holdKey]ledger.Hold) ([]statusLine, time.Time, error) {
	var lines []statusLine
	var due time.Time
	watched := []string{}
	now := o.opts.Clock()
	for _, b := range batches {
		line, waits, err := o.batchLine(ctx, b, holds)
		if err != nil {
			return nil, due, err
		}
		if waits {
			watched = append(watched, b.ID)
			if line.state == fileAwaits {
				due = sooner(due, b.ReleaseAt)
			}
			lines = append(lines, line)
			continue
		}
		if until := line.since.Add(o.opts.Recent); now.Before(until) {
			due = sooner(due, until)
			lines = append(lines, line)
		}
	}
	o.watched, o.holds = watched, holds
	return lines, due, nil
}

// batchLine is the line of one batch, and whether it waits for something: then it is
// shown however old it is.
func (o *Outbox) batchLine(ctx context.Context, b *ledger.Batch, holds map[holdKey]ledger.Hold) (statusLine, bool, error) {
	line := statusLine{flow: b.Flow, file: b.File, batch: b.ID, since: b.SealedAt}
	if line.since.IsZero() {
		line.since = b.ClaimedAt
	}
	pairs := []string{
		"rows", o.counted(b.Rows, "riga", "righe", "row", "rows"), "batch", b.ID,
		"new", o.counted(b.Admitted, "notifica nuova", "notifiche nuove", "new notification", "new notifications"),
		"outcome", outcomeName(b), "file", path.Base(b.File),
	}
	switch {
	case b.State == ledger.Reading:
		line.state, line.why = fileReading, o.text("reading")
		return line, true, nil
	case b.State == ledger.Unreadable:
		line.state, line.why = fileUnreadable, o.unreadable(b)
		return line, false, nil
	case b.Release == ledger.DiscardedBatch:
		left, err := o.haveLeft(ctx, b.ID)
		if line.state, line.why = fileDiscarded, o.text("discarded", pairs...); left > 0 {
			line.why = o.text("discarded-rest", pairs...)
		}
		return line, false, err
	}
	if held, err := o.heldLine(ctx, &line, b, holds); held || err != nil {
		return line, held, err
	}
	switch {
	case b.Release == ledger.AwaitsRelease && b.ReleaseWhy == "C-RELEASE-MAX":
		line.state, line.why = fileAwaits, o.text("awaits-max", pairs...)
		return line, true, nil
	case b.Release == ledger.AwaitsRelease && b.ReleaseWhy == "C-RELEASE-REBUILT":
		line.state, line.why = fileAwaits, o.text("awaits-rebuilt", pairs...)
		return line, true, nil
	case b.Release == ledger.AwaitsRelease:
		line.state, line.why = fileAwaits, o.text("awaits", pairs...)
		return line, true, nil
	case b.Release == ledger.DelayedRelease && o.opts.Clock().Before(b.ReleaseAt):
		line.state, line.why, line.next = fileAwaits, o.text("delayed", pairs...), b.ReleaseAt
		return line, true, nil
	}
	line.state, line.why = fileRead, o.text("read", pairs...)
	if b.Known {
		line.why = o.text("known", pairs...)
	}
	if b.AvoidedCent > 0 {
		line.why += " " + o.text("avoided", "euro", o.euro(b.AvoidedCent))
	}
	return line, false, nil
}

// counted is a number with its noun, one or many.
func (o *Outbox) counted(n int, riga, righe, row, rows string) string {
	one, many := riga, righe
	if o.opts.Lang == notification.English {
		one, many = row, rows
	}
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// euro writes cents as people of the outbox's language write them.
func (o *Outbox) euro(cents int) string {
	point := ","
	if o.opts.Lang == notification.English {
		point = "."
	}
	return fmt.Sprintf("%d%s%02d", cents/100, point, cents%100)
}

func (o *Outbox) unreadable(b *ledger.Batch) string {
	why := o.text("unreadable", "batch", b.ID)
	if b.Problem == nil || b.Problem.Message == "" {
		return why
	}
	return sentence(b.Problem.Message) + " " + why
}

// heldLine makes the line of a batch that has something left to send while its flow
// or sender is held.
func (o *Outbox) heldLine(ctx context.Context, line *statusLine, b *ledger.Batch, holds map[holdKey]ledger.Hold) (bool, error) {
	h, held := holds[holdKey{ledger.HoldSender, b.Sender}]
	if !held {
		h, held = holds[holdKey{ledger.HoldFlow, b.Flow}]
	}
	if !held {
		return false, nil
	}
	left, err := o.leftToSend(ctx, b.ID)
	if err != nil || left == 0 {
		return false, err
	}
	line.state, line.why = fileHeld, o.text("held", "why", reasonOf(h))
	line.since, line.next = h.Since, h.Until
	return true, nil
}

// haveLeft counts the notifications of a batch that are at SEND, or may be.
func (o *Outbox) haveLeft(ctx context.Context, batch string) (int, error) {
	counts, err := o.opts.Ledger.Counts(ctx, batch)
	if errors.Is(err, ledger.ErrNotFound) {
		return 0, nil
	}
	left := 0
	for state, n := range counts.States {
		if state != ledger.Ready && state != ledger.Uploaded && state != ledger.Discarded && state != ledger.RefusedAtOnce {
			left += n
		}
	}
	return left, err
}

// leftToSend counts what a hold keeps from leaving.
func (o *Outbox) leftToSend(ctx context.Context, batch string) (int, error) {
	counts, err := o.opts.Ledger.Counts(ctx, batch)
	if err != nil {
		return 0, err
	}
	return counts.States[ledger.Ready] + counts.States[ledger.Uploaded] + counts.States[ledger.Intent], nil
}
