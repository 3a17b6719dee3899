package connector

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/progress"
	"sendconnector/internal/send"
	"sendconnector/internal/submit"
)

// sender is one API key with the stages that work for it.
type sender struct {
	name        string
	cfg         *config.Sender
	environment string // as keys have it: name, and base URL where it is not fixed by the name
	rules       notification.Rules
	secret      string // digest of the API key, to find two senders with one key; guarded by Connector.keys
	proof       string // digest of all secrets in use
	client      *send.Client
	submit      *submit.Submitter
	progress    *progress.Progress
	ready       atomic.Bool  // intents resolved and stream there: sending may begin
	resolved    atomic.Bool  // intents looked up once since the start
	kept        atomic.Int64 // calls of the day that the ledger knows of

	// Of the stream's loop alone.
	looked time.Time // when the secrets on disk were last read
	tried  bool      // this process has asked SEND with these secrets
	fails  int       // first calls in a row without an answer
	again  time.Time // when the next one is due
}

// environmentOf names where a sender sends for ever (rule 1): a business document
// sent to the test platform is another one than the same sent in production.
func environmentOf(s *config.Sender) string {
	if s.Environment == config.EnvUAT || s.Environment == config.EnvProduction {
		return s.Environment
	}
	return s.Environment + " " + s.BaseURL
}

func (c *Connector) buildSenders() error {
	var problems []error
	taken := map[string]string{} // by environment and key
	for _, name := range names(c.cfg.Senders) {
		s, err := c.newSender(name, c.cfg.Senders[name])
		if err != nil {
			problems = append(problems, fmt.Errorf("senders.%s: %w", name, err))
			continue
		}
		if other, shared := taken[s.environment+" "+s.secret]; shared {
			problems = append(problems, fmt.Errorf("senders.%s: has the same API key as sender %s: two readers of one stream would lose events; let the flows share one sender", name, other))
			continue
		}
		taken[s.environment+" "+s.secret] = name
		c.senders[name] = s
	}
	if len(problems) > 0 {
		return usage("%v", errors.Join(problems...))
	}
	return nil
}

func (c *Connector) newSender(name string, cfg *config.Sender) (*sender, error) {
	s := &sender{name: name, cfg: cfg, environment: environmentOf(cfg)}
	var err error
	if s.rules, err = rulesOf(cfg, c.lang); err != nil {
		return nil, err
	}
	proofs, err := c.readSecrets(cfg)
	if err != nil {
		return nil, err
	}
	s.secret, s.proof, s.looked = proofs.ofKey, proofs.ofAll, c.opts.Clock()
	paths, err := cfg.PathTemplates()
	if err != nil {
		return nil, err
	}
	settings := send.Config{
		BaseURL: cfg.BaseURL, APIKey: proofs.key, PDND: proofs.pdnd, Paths: paths, UserAgent: c.opts.UserAgent,
		Limits:    send.Limits{PerSecond: cfg.Limits.PerSecond, Burst: cfg.Limits.Burst, PerDay: cfg.Limits.PerDay},
		Transport: c.opts.Transport, Clock: c.opts.Clock, Wait: c.opts.pause,
		Timeout: c.opts.timeout, ProgressTimeout: c.opts.timeout,
		Transfers: cfg.Concurrency.Uploads + cfg.Concurrency.Downloads,
		Count:     func(op string) { c.opts.Count(name, op) },
	}
	s.client, err = send.New(settings)
	return s, err
}

// rulesOf turns a sender's settings into the rules its requests are judged by.
func rulesOf(cfg *config.Sender, lang notification.Lang) (notification.Rules, error) {
	r := notification.DefaultRules()
	r.Lang, r.SenderTaxID = lang, cfg.TaxID
	v := cfg.Validation
	r.AllowTaxIDs, r.Promote, r.Taxonomies = v.AllowTaxIDs, v.Promote, v.Taxonomies
	r.StrictAddress, r.AddressLookup, r.TwentyGrams = v.StrictAddress, v.AddressLookup, v.TwentyGrams
	r.MaxRecipients, r.MaxDocuments, r.MaxPDFBytes = v.MaxRecipients, v.MaxDocuments, int64(v.MaxPDFMB)<<20
	r.GroupRequired, r.Groups = len(cfg.Groups) > 0, cfg.Groups
	if v.Places != "" {
		f, err := os.Open(v.Places)
		if err != nil {
			return r, fmt.Errorf("validation.places: %w", err)
		}
		defer f.Close()
		if r.Places, err = notification.LoadPlaces(f); err != nil {
			return r, fmt.Errorf("validation.places: %w", err)
		}
	}
	return r, nil
}

// attach gives the sender its stages, now that there is a ledger.
func (s *sender) attach(c *Connector) {
	s.progress = progress.New(progress.Options{
		Ledger: c.ledger, Client: s.client, Sender: s.name, SenderTaxID: s.cfg.TaxID, Language: c.lang, Installation: c.cfg.Installation, Data: c.cfg.Data,
		Clock: c.opts.Clock, Step: c.opts.Step, Log: c.opts.Log, Groups: s.cfg.Groups,
		Silence: s.cfg.Progress.Silence, LookupAfter: s.cfg.Acceptance.LookupAfter,
		Downloads: s.cfg.Concurrency.Downloads, RelaxedSizes: s.cfg.LooseDownload, RefusalFee: *s.cfg.RefusalFee,
	})
	s.submit = submit.New(submit.Options{
		Ledger: c.ledger, Client: s.client, Sender: s.name, Data: c.cfg.Data, Clock: c.opts.Clock, Step: c.opts.Step,
		Log: c.opts.Log, Language: c.lang, LookupAfter: s.cfg.Acceptance.LookupAfter,
		Uploads: s.cfg.Concurrency.Uploads, Creates: s.cfg.Concurrency.Creates,
		Restore: c.restore, Learnt: s.progress.Settle, RefusalFee: *s.cfg.RefusalFee,
	})
}

// prepare looks up what a crash left open and makes sure that the stream is there,
// in this order and before anything is sent (rules 21 and 22). An intent that cannot
// be resolved keeps nobody waiting.
func (s *sender) prepare(ctx context.Context) error {
	if s.ready.Load() {
		return nil
	}
	if !s.resolved.Load() {
		if _, err := s.submit.Resolve(ctx); err != nil {
			return err
		}
		s.resolved.Store(true)
	}
	if err := s.progress.Ensure(ctx); err != nil {
		return err
	}
	s.ready.Store(true)
	return nil
}

// heldBy gives the hold in force on the sender itself, nil if none.
func (s *sender) heldBy(holds []ledger.Hold) *ledger.Hold {
	for i := range holds {
		if holds[i].Scope == ledger.HoldSender && holds[i].Name == s.name {
			return &holds[i]
		}
	}
	return nil
}

// earliest gives the first of the times that is set; zero if none is.
func earliest(times ...time.Time) time.Time {
	var first time.Time
	for _, t := range times {
		if !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}
