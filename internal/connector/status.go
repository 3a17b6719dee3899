package connector

import (
	"context"
	"errors"
	"os"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// StatusQuery narrows what Status tells; all blank: the whole.
type StatusQuery struct {
	Batch    string `json:"batch,omitempty"`
	Protocol string `json:"protocol,omitempty"`
	IUN      string `json:"iun,omitempty"`
	Flow     string `json:"flow,omitempty"`
}

// Status is where things stand.
type Status struct {
	At            time.Time            `json:"at"`
	PID           int                  `json:"pid"`
	Since         time.Time            `json:"since"`   // start of the process that answered
	Edition       string               `json:"edition"` // of configuration and profiles as it read them at its start
	Backup        BackupState          `json:"backup"`
	Senders       []SenderStatus       `json:"senders"`
	Flows         []FlowStatus         `json:"flows"`
	Outboxes      []OutboxStatus       `json:"outboxes"`
	Batches       []BatchStatus        `json:"batches"`       // newest first, at most 50 unless asked for
	Notifications []NotificationStatus `json:"notifications"` // only when asked for by batch, protocol or IUN
}

// SenderStatus is one API key.
type SenderStatus struct {
	Name        string    `json:"name"`
	Environment string    `json:"environment"`
	Stream      string    `json:"stream,omitempty"`
	LastRead    time.Time `json:"last_read,omitzero"`
	NextRead    time.Time `json:"next_read,omitzero"`
	CallsUsed   int       `json:"calls_used_today"`
	CallsLeft   int       `json:"calls_left_today"`
	ClockSkew   int       `json:"clock_skew_seconds,omitempty"` // SEND's clock minus ours, if it is too much
	Held        *Held     `json:"held,omitempty"`
}

// Held is a hold as people see it.
type Held struct {
	Reason string    `json:"reason"`
	Detail string    `json:"detail"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until,omitzero"` // tried again by itself; zero = by resume only
}

// FlowStatus is one flow with what waits in its folder.
type FlowStatus struct {
	Name    string         `json:"name"`
	Root    string         `json:"root"`           // with a remote: its name, a colon, the path there
	Held    *Held          `json:"held,omitempty"` // nothing of it is sent
	Away    *Held          `json:"away,omitempty"` // its folder cannot be used: nothing is taken
	Waiting []WaitingState `json:"waiting,omitempty"`
}

// OutboxStatus is one outbound folder.
type OutboxStatus struct {
	Name string `json:"name"`
	Path string `json:"path"`           // as a flow's root
	Away *Held  `json:"away,omitempty"` // it cannot be written to: what is new waits
}

// WaitingState is a file seen and not taken yet.
type WaitingState struct {
	File    string    `json:"file"`
	Since   time.Time `json:"since"`
	Reason  string    `json:"reason"`
	Text    string    `json:"text"`
	Missing []string  `json:"missing,omitempty"`
}

// BatchStatus is one drop that was taken.
type BatchStatus struct {
	ID          string         `json:"id"`
	Flow        string         `json:"flow"`
	File        string         `json:"file"`
	State       string         `json:"state"`
	Release     string         `json:"release"`
	ReleaseAt   time.Time      `json:"release_at,omitzero"`
	ClaimedAt   time.Time      `json:"claimed_at"`
	Rows        int            `json:"rows"`
	Admitted    int            `json:"admitted"`
	AvoidedCent int            `json:"avoided_cent"` // refusal fees that local rejections avoided
	Outcomes    map[string]int `json:"outcomes"`
	Problem     string         `json:"problem,omitempty"`
	Archive     string         `json:"archive,omitempty"`
}

// NotificationStatus is one notification.
type NotificationStatus struct {
	Protocol    string    `json:"protocol"`
	Attempt     int       `json:"attempt"`
	State       string    `json:"state"`
	IUN         string    `json:"iun,omitempty"`
	RequestID   string    `json:"request_id,omitempty"`
	SENDStatus  string    `json:"send_status,omitempty"`
	SENDSince   time.Time `json:"send_status_at,omitzero"`
	Sender      string    `json:"sender"`
	Environment string    `json:"environment"`
	Batch       string    `json:"batch"`
	Row         int       `json:"row"`
	Subject     string    `json:"subject"`
	Next        time.Time `json:"next,omitzero"`
	Problem     string    `json:"problem,omitempty"`
	Held        *Held     `json:"held,omitempty"`
	Changed     time.Time `json:"changed"`
}

// mostBatches bounds an answer that nobody narrowed.
const mostBatches = 50

// Status tells where things stand. An unknown batch, protocol number, IUN or flow is
// a usage error.
func (c *Connector) Status(ctx context.Context, q StatusQuery) (*Status, error) {
	if q.Flow != "" && c.flows[q.Flow] == nil {
		return nil, usage("there is no flow %q", q.Flow)
	}
	s := &Status{At: c.opts.Clock(), PID: os.Getpid(), Since: c.started, Edition: c.edition, Backup: c.backupState()}
	err := c.ledger.View(ctx, func(tx *ledger.Tx) error {
		holds, err := tx.Holds()
		if err != nil {
			return err
		}
		for _, name := range names(c.senders) {
			s.Senders = append(s.Senders, c.senderStatus(tx, c.senders[name], holds))
		}
		for _, name := range names(c.outboxes) {
			s.Outboxes = append(s.Outboxes, OutboxStatus{name, c.places[name].String(), heldOf(holds, ledger.HoldOutbox, name)})
		}
		for _, name := range names(c.flows) {
			if q.Flow != "" && q.Flow != name {
				continue
			}
			f, err := c.flowStatus(tx, name, holds)
			if err != nil {
				return err
			}
			s.Flows = append(s.Flows, f)
		}
		return c.queried(tx, q, s)
	})
	if err != nil {
		return nil, err
	}
	for i := range s.Batches { // after the view: it must not be nested
		if err := c.count(ctx, &s.Batches[i]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// count adds how many lines a batch has of each outcome.
func (c *Connector) count(ctx context.Context, b *BatchStatus) error {
	counts, err := c.ledger.Counts(ctx, b.ID)
	for outcome, n := range counts.Outcomes {
		b.Outcomes[string(outcome)] = n
	}
	return err
}

// queried adds the batches and notifications that a query asks for.
func (c *Connector) queried(tx *ledger.Tx, q StatusQuery, s *Status) error {
	switch {
	case q.Protocol != "" || q.IUN != "":
		found, err := c.find(tx, q.Protocol, q.IUN)
		if err != nil {
			return err
		}
		for _, n := range found {
			s.Notifications = append(s.Notifications, notificationStatus(tx, n))
		}
		return nil
	case q.Batch != "":
		b, err := tx.Batch(q.Batch)
		if err != nil {
			return unknownBatch(q.Batch, err)
		}
		s.Batches = append(s.Batches, batchStatus(b))
		return tx.Notifications(b.ID, func(n *ledger.Notification) bool {
			s.Notifications = append(s.Notifications, notificationStatus(tx, n))
			return true
		})
	default:
		return c.recentBatches(tx, q.Flow, s)
	}
}

func (c *Connector) recentBatches(tx *ledger.Tx, flow string, s *Status) error {
	return tx.BatchesNewestFirst(func(b *ledger.Batch) bool {
		if flow == "" || b.Flow == flow {
			s.Batches = append(s.Batches, batchStatus(b))
		}
		return len(s.Batches) < mostBatches
	})
}

func unknownBatch(id string, err error) error {
	if errors.Is(err, ledger.ErrNotFound) {
		return usage("there is no batch %q (connector status lists them)", id)
	}
	return err
}

// find gives the notifications of every sender with a protocol number, or the one
// with an IUN.
func (c *Connector) find(tx *ledger.Tx, protocol, iun string) ([]*ledger.Notification, error) {
	if iun != "" {
		n, err := tx.ByIUN(iun)
		if errors.Is(err, ledger.ErrNotFound) {
			return nil, usage("no notification of this ledger has the IUN %q", iun)
		}
		return []*ledger.Notification{n}, err
	}
	var found []*ledger.Notification
	seen := map[ledger.Key]bool{}
	for _, name := range names(c.senders) {
		key := c.senders[name].key(protocol)
		if seen[key] {
			continue
		}
		seen[key] = true
		n, err := tx.ByKey(key)
		if errors.Is(err, ledger.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		found = append(found, n)
	}
	if len(found) == 0 {
		return nil, usage("no notification of this ledger has the protocol number %q (spelling counts)", protocol)
	}
	return found, nil
}

// key is the business key of a protocol number of this sender.
func (s *sender) key(protocol string) ledger.Key {
	return ledger.Key{Environment: s.environment, SenderTaxID: s.cfg.TaxID, Protocol: protocol}
}

func (c *Connector) senderStatus(tx *ledger.Tx, s *sender, holds []ledger.Hold) SenderStatus {
	used, left := s.client.Budget()
	status := SenderStatus{Name: s.name, Environment: s.environment, CallsUsed: used, CallsLeft: left, Held: heldOf(holds, ledger.HoldSender, s.name)}
	if skew := s.client.Skew(); skew.Abs() > maxSkew {
		status.ClockSkew = int(skew.Seconds())
	}
	if stream, err := tx.Stream(s.name); err == nil {
		status.Stream, status.LastRead, status.NextRead = stream.StreamID, stream.LastRead, stream.NextRead
	}
	return status
}

func (c *Connector) flowStatus(tx *ledger.Tx, name string, holds []ledger.Hold) (FlowStatus, error) {
	status := FlowStatus{
		Name: name, Root: c.flows[name].place.String(), Held: heldOf(holds, ledger.HoldFlow, name),
		Away: heldOf(holds, ledger.HoldSource, name),
	}
	seen, err := tx.Sightings(name)
	for _, s := range seen {
		status.Waiting = append(status.Waiting, WaitingState{File: s.File, Since: s.Since, Reason: s.Reason, Text: s.Text, Missing: s.Missing})
	}
	return status, err
}

func heldOf(holds []ledger.Hold, scope ledger.HoldScope, name string) *Held {
	for _, h := range holds {
		if h.Scope == scope && h.Name == name {
			return &Held{Reason: h.Reason, Detail: h.Detail, Since: h.Since, Until: h.Until}
		}
	}
	return nil
}

func batchStatus(b *ledger.Batch) BatchStatus {
	status := BatchStatus{
		ID: b.ID, Flow: b.Flow, File: b.File, State: string(b.State), Release: string(b.Release), ReleaseAt: b.ReleaseAt,
		ClaimedAt: b.ClaimedAt, Rows: b.Rows, Admitted: b.Admitted, AvoidedCent: b.AvoidedCent, Archive: b.Archive,
		Outcomes: map[string]int{},
	}
	if b.Problem != nil {
		status.Problem = b.Problem.Message
	}
	return status
}

func notificationStatus(tx *ledger.Tx, n *ledger.Notification) NotificationStatus {
	s := NotificationStatus{
		Protocol: n.Key.Protocol, Attempt: n.Attempt, State: string(n.State), IUN: n.IUN, RequestID: n.RequestID,
		SENDStatus: n.SENDStatus, SENDSince: n.SENDStatusAt, Sender: n.Sender, Environment: n.Key.Environment,
		Batch: n.OwnerBatch, Row: n.OwnerRow, Next: n.NextAttempt, Changed: n.ChangedAt,
	}
	if n.Request != nil {
		s.Subject = n.Request.Subject
	}
	switch {
	case n.LastError != nil:
		s.Problem = sentence(*n.LastError)
	case len(n.Refusals) > 0:
		s.Problem = sentence(n.Refusals[0])
	}
	if hold, err := tx.HeldBy(n); err == nil && hold != nil {
		s.Held = &Held{Reason: hold.Reason, Detail: hold.Detail, Since: hold.Since, Until: hold.Until}
	}
	return s
}

func sentence(p notification.Problem) string { return p.Code + ": " + p.Message }
