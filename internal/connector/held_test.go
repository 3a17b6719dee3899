package connector

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/send"
	"sendconnector/internal/simulator"
)

// said collects what the log says from Warn on.
type said struct {
	slog.Handler
	mu    sync.Mutex
	lines []string
}

func (s *said) Enabled(context.Context, slog.Level) bool { return true }

func (s *said) Handle(_ context.Context, r slog.Record) error {
	if r.Level < slog.LevelWarn {
		return nil
	}
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.Key + "=" + a.Value.String()
		return true
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
	return nil
}

func (s *said) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.lines...)
}

// heldCase is one reason for which nothing can be sent, as a person meets it.
type heldCase struct {
	name   string
	bound  bool // to PDND
	reason string
	says   string // in stato.csv, the log and the outcome file
	breaks func(*world)
	mends  func(*world)
}

// fairCalls is how many calls an hour are fair while a sender is held: one try of each
// part of the connector every half hour or so, and twice as much of leeway; a stream
// that may be read is read every minute and counts apart.
const fairCalls = 24

func setKey(status string) func(*world) {
	return func(w *world) { w.sim.SetKeyStatus(w.identity.APIKey, status) }
}

func setDisabled(off bool) func(*world) {
	return func(w *world) {
		w.sim.SetSender(simulator.DemoTaxID, func(x *simulator.Sender) { x.Disabled = off })
	}
}

func answerOnly(f simulator.Fault) func(*world) {
	return func(w *world) {
		f.Key = w.identity.APIKey
		w.sim.Faults().Add(f)
	}
}

func noFaults(w *world) { w.sim.Faults().Clear() }

const quotaOfNotifications = `{"type":"GENERIC_ERROR","status":400,"title":"Handled error","errors":[{"code":"PN_DELIVERY_NOTIFICATION_LIMIT_EXCEEDED","detail":"none"}]}`

var heldCases = []heldCase{
	{name: "denied key", reason: send.HeldAPIKey, says: "chiave API", breaks: setKey("BLOCKED"), mends: setKey("ENABLED")},
	{name: "key replaced on disk", reason: send.HeldAPIKey, says: "chiave API", breaks: setKey("BLOCKED"),
		mends: func(w *world) {
			if err := w.sim.AddKey(simulator.APIKey{Value: "fresh-key", Sender: simulator.DemoTaxID}); err != nil {
				w.t.Error(err)
			}
			w.write("keys/api", "fresh-key\n")
		}},
	{name: "key of UAT against production", reason: send.HeldAPIKey, says: "di un altro ambiente",
		breaks: func(w *world) { w.write("keys/api", "key-of-uat") },
		mends:  func(w *world) { w.write("keys/api", w.identity.APIKey) }},
	{name: "bound key denied", bound: true, reason: send.HeldAPIKey, says: "chiave API", breaks: setKey("BLOCKED"), mends: setKey("ENABLED")},
	{name: "PDND key revoked and replaced on disk", bound: true, reason: send.HeldVoucher, says: "PDND",
		breaks: func(w *world) { w.sim.RemoveClientKeys(w.identity.ClientID) },
		mends: func(w *world) {
			private, public, _, err := simulator.NewKeyPair()
			if err != nil {
				w.t.Error(err)
			}
			err = w.sim.AddClient(simulator.Client{ID: w.identity.ClientID, Tenant: "t", PurposeIDs: []string{w.identity.PurposeID}, Keys: []any{public}})
			if err != nil {
				w.t.Error(err)
			}
			w.write("keys/pdnd.pem", string(private))
		}},
	{name: "purpose suspended", bound: true, reason: send.HeldVoucher, says: "finalità",
		breaks: func(w *world) { w.sim.SuspendPurpose(w.identity.PurposeID, true) },
		mends:  func(w *world) { w.sim.SuspendPurpose(w.identity.PurposeID, false) }},
	{name: "clock an hour slow", bound: true, reason: send.HeldClock, says: "60 min",
		breaks: func(w *world) { w.shift.Store(int64(-time.Hour)) }, mends: func(w *world) { w.shift.Store(0) }},
	{name: "calls of the day used up", reason: send.HeldQuota, says: "quota",
		breaks: answerOnly(simulator.Fault{Operation: "*", Kind: simulator.FaultStatus, Status: 429, Body: `{"message":"Limit Exceeded"}`}), mends: noFaults},
	{name: "quota of notifications", reason: send.HeldQuota, says: "quota",
		breaks: answerOnly(simulator.Fault{Operation: "create", Kind: simulator.FaultStatus, Status: 400, Body: quotaOfNotifications}), mends: noFaults},
	{name: "sender disabled", reason: send.HeldSenderDisabled, says: "non è abilitato", breaks: setDisabled(true), mends: setDisabled(false)},
}

const (
	otherTaxID = "00223344557"
	otherKey   = "key-of-the-other-body"
)

// heldWorld is newStill with two bodies, the first of which will be held; bound says
// that its key wants vouchers.
func heldWorld(t *testing.T, bound bool) (*world, *said) {
	t.Helper()
	w := newStillOn(t, stillOptions(1))
	w.identity, w.shift = simulator.Identity{APIKey: "demo-key"}, &atomic.Int64{}
	lines := ""
	if bound {
		var err error
		if w.identity, err = w.sim.NewIdentity("Comune di Borgo Esempio", simulator.DemoTaxID); err != nil {
			t.Fatal(err)
		}
		w.write("keys/pdnd.pem", string(w.identity.PrivateKey))
		lines = fmt.Sprintf("    pdnd: {client_id: %s, purpose_id: %s, key_file: keys/pdnd.pem, token_url: \"%s/token.oauth2\"}\n", w.identity.ClientID, w.identity.PurposeID, w.url)
	}
	w.write("keys/api", w.identity.APIKey)
	w.write("keys/other", otherKey)
	w.sim.AddSender(simulator.Sender{ID: "other", TaxID: otherTaxID, Name: "Comune di Altro Esempio"})
	if err := w.sim.AddKey(simulator.APIKey{Value: otherKey, Sender: "other"}); err != nil {
		t.Fatal(err)
	}
	text := w.read("config.yaml")
	at := strings.Index(text, "flows:\n")
	sender := text[strings.Index(text, "  comune:\n"):at]
	flow := text[strings.Index(text, "  tari:\n"):]
	other := strings.NewReplacer("  comune:", "  altro:", simulator.DemoTaxID, otherTaxID, "keys/api", "keys/other", "Borgo", "Altro").Replace(sender)
	otherFlow := strings.NewReplacer("  tari:", "  imu:", "sender: comune", "sender: altro", "root: drop", "root: altro").Replace(flow)
	w.configure("config.yaml", text[:at]+other+"flows:\n"+flow+otherFlow)
	w.configure("config.yaml", strings.Replace(w.read("config.yaml"), "    api_key: ${file:keys/api}\n", "    api_key: ${file:keys/api}\n"+lines, 1))
	log := &said{}
	w.opts.Log = slog.New(log)
	w.opts.Clock = func() time.Time { return w.sim.Now().Add(time.Duration(w.shift.Load())) }
	return w, log
}

// dropFor drops one row for a body.
func (w *world) dropFor(root, protocol string, notice int) {
	w.t.Helper()
	act := strings.ReplaceAll(protocol, "/", "-") + ".pdf"
	w.write(root+"/in/"+act, string(pdfOf(act, 1500)))
	w.write(root+"/in/"+strings.TrimSuffix(act, ".pdf")+".csv", groupedHeading+groupedRow(protocol, ettore, "Ettore Fieramosca", noticeOf(notice), act, "", ""))
}

// callsOf counts the calls with the key of the body that is held, other than reads of
// its stream, and those for vouchers.
func (w *world) callsOf(since time.Time) (calls, reads int) {
	for _, c := range w.sim.History() {
		switch mine := c.Key != otherKey && !c.At.Before(since); {
		case mine && c.Operation == "streamEvents" && c.Status == 200:
			reads++
		case mine:
			calls++
		}
	}
	return calls, reads
}

// wantHeld looks at everything that a person can look at.
func (w *world) wantHeld(h heldCase, log *said, protocol string) {
	w.t.Helper()
	lines := 0
	for _, line := range log.all() {
		if strings.HasPrefix(line, "held ") && strings.Contains(line, "reason="+h.reason) && strings.Contains(line, h.says) {
			lines++
		} else if !strings.HasPrefix(line, "the clock is wrong") {
			w.t.Error("said beside the one message: ", line)
		}
	}
	if lines != 1 {
		w.t.Errorf("the hold was said %d times, want once: %q", lines, log.all())
	}
	status := w.read("drop/out/stato.csv")
	if !strings.Contains(status, "SOSPESO") || !strings.Contains(status, h.says) {
		w.t.Errorf("stato.csv does not say it:\n%s", status)
	}
	if outcome := w.read("drop/out/" + strings.ReplaceAll(protocol, "/", "-") + ".*.esito.csv"); !strings.Contains(outcome, "SOSPESA") || !strings.Contains(outcome, h.says) {
		w.t.Errorf("the outcome file does not say it:\n%s", outcome)
	}
}

// A service that is held must say so once, leave SEND alone, lose nothing, let other
// bodies go on, and go on by itself when the cause is gone: nobody restarts a service
// that runs unattended. At its start, and in the middle of its life.
func TestHeldServiceGoesOn(t *testing.T) {
	for _, h := range heldCases {
		for _, atStart := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/start=%v", h.name, atStart), func(t *testing.T) {
				t.Parallel()
				w, log := heldWorld(t, h.bound)
				w.heldService(h, log, atStart)
				w.onceAtSEND("H/1", "H/2", "X/1")
			})
		}
	}
}

func (w *world) heldService(h heldCase, log *said, atStart bool) {
	const lasts = 6 * time.Hour
	var broke, mended time.Time
	drop := func() {
		w.dropFor("drop", "H/2", 2)
		h.breaks(w)
		broke = w.sim.Now()
	}
	w.dropFor("drop", "H/1", 1)
	if atStart {
		drop()
		w.dropFor("altro", "X/1", 3)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	wait := w.opts.Wait
	var step sync.Mutex // the loops wait at the same time
	turn := func() {
		step.Lock()
		defer step.Unlock() // also where a check ends this goroutine
		now := w.sim.Now()
		switch {
		case broke.IsZero() && w.accepted("H/1"):
			drop()
			w.dropFor("altro", "X/1", 3)
		case !broke.IsZero() && mended.IsZero() && now.Sub(broke) > lasts:
			mended = now
			h.mends(w)
			calls, reads := w.callsOf(broke)
			if fair := fairCalls * int(now.Sub(broke)/time.Hour); calls > fair {
				w.t.Errorf("%d calls while held for %v, want at most %d", calls, now.Sub(broke), fair)
			}
			w.t.Logf("held for %v: %d calls, %d reads of the stream", now.Sub(broke), calls, reads)
			w.wantHeld(h, log, "H/2")
		case !mended.IsZero() && now.Sub(mended) > 30*24*time.Hour:
			stop()
		}
	}
	w.opts.Wait = func(ctx context.Context, d time.Duration, wake <-chan struct{}) {
		turn()
		wait(ctx, d, wake)
	}
	c := w.open()
	if err := c.Run(ctx); err != nil {
		w.t.Error(err)
	}
	if mended.IsZero() {
		w.t.Fatal("the cause was never mended")
	}
	for _, p := range []string{"H-1", "H-2"} {
		w.wantOutcomes("drop/out/"+p+".*.esito.csv", map[string]string{strings.Replace(p, "-", "/", 1): string(ledger.Perfezionata)})
	}
	w.wantOutcomes("altro/out/X-1.*.esito.csv", map[string]string{"X/1": string(ledger.Perfezionata)})
	for _, line := range log.all() {
		if strings.HasPrefix(line, "held ") && !strings.Contains(line, "reason="+h.reason) {
			w.t.Error("held for another reason afterwards: ", line)
		}
	}
}

// accepted reports whether a protocol number is known to SEND.
func (w *world) accepted(protocol string) bool {
	for _, a := range w.sim.Accepted() {
		if a.Protocol == protocol {
			return true
		}
	}
	return false
}
