package connector

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"sendconnector/internal/config"
	"sendconnector/internal/folder"
	"sendconnector/internal/folder/remote"
	"sendconnector/internal/ingest"
	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// CheckResult is one thing that a go-live needs.
type CheckResult struct {
	What   string `json:"what"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
	Hint   string `json:"hint,omitempty"` // what to do if it is not
	exit   int
}

// Bounds of what check accepts.
const (
	leastSpace  = 1 << 30
	checkedOnce = ".connector-check.tmp" // of the form that Tidy removes
)

// Check tries everything a go-live needs: folders, keys, voucher, API key, stream,
// clock, ledger, disk. It sends nothing; missing folders and an empty ledger are made,
// as the first start would. It works beside a running connector. The second value is the exit code.
func Check(ctx context.Context, cfg *config.Config, opts Options) ([]CheckResult, int) {
	opts = opts.withDefaults()
	k := &goLive{ctx: ctx, faulty: map[string]bool{}, c: &Connector{
		cfg: cfg, opts: opts, lang: notification.Lang(cfg.Language),
		remotes: map[string]*remote.Server{}, flows: map[string]*flow{}, senders: map[string]*sender{},
	}}
	k.ledger()
	for _, name := range names(cfg.Senders) {
		k.sender(name)
	}
	for _, name := range names(cfg.Remotes) {
		k.remote(name)
	}
	for _, name := range names(cfg.Flows) {
		k.flow(name)
	}
	for _, name := range names(cfg.Outboxes) {
		k.writable("outbox "+name, cfg.Outboxes[name].Remote, cfg.Outboxes[name].Path)
	}
	for _, server := range k.c.remotes {
		_ = server.Close() // nothing was left undone
	}
	k.backups()
	k.space()
	for _, warning := range k.c.openness() {
		k.ok("warning", warning)
	}
	exit := ExitOK
	for _, r := range k.results {
		exit = Worst(exit, r.exit)
	}
	return k.results, exit
}

type goLive struct {
	ctx     context.Context //nolint:containedctx // lives for one call of Check
	c       *Connector
	results []CheckResult
	faulty  map[string]bool // servers that have been said to be at fault
}

func (k *goLive) ok(what, detail string) {
	k.results = append(k.results, CheckResult{What: what, OK: true, Detail: detail})
}

func (k *goLive) bad(what string, exit int, err error, hint string) {
	k.results = append(k.results, CheckResult{What: what, Detail: err.Error(), Hint: hint, exit: exit})
}

// ledger opens it, or finds the running connector that has it.
func (k *goLive) ledger() {
	const what = "ledger"
	if err := os.MkdirAll(k.c.cfg.Data, 0o700); err != nil {
		k.bad(what, ExitUsage, err, k.c.say("the user that runs the connector needs the data folder for itself", "la cartella dei dati deve essere del solo utente del connettore"))
		return
	}
	l, err := ledger.Open(k.c.ledgerPath(), ledger.Options{Clock: k.c.opts.Clock, Timeout: time.Second})
	if _, locked := errors.AsType[*ledger.LockedError](err); locked {
		var s Status
		if err := Do(k.ctx, k.c.cfg, k.c.opts, "status", StatusQuery{}, &s); err != nil {
			k.bad(what, ExitBusy, err, k.c.say("another process owns the ledger and does not answer", "un altro processo usa il registro e non risponde"))
			return
		}
		k.ok(what, fmt.Sprintf("in use by the running connector (pid %d)", s.PID))
		if s.Outdated(k.c.cfg) {
			k.bad("running connector", ExitHeld, fmt.Errorf("pid %d started %s with another configuration or other profiles than those on the disk", s.PID, Clock(s.Since)),
				k.c.say("they are read at the start only: restart it", "si leggono solo all'avvio: riavviare il connettore"))
		}
		return
	}
	if err != nil {
		err = k.c.ledgerError(err)
		k.bad(what, Exit(err), err, "")
		return
	}
	if err := l.Close(); err != nil {
		k.bad(what, ExitFailure, err, "")
		return
	}
	k.ok(what, k.c.ledgerPath())
}

// sender tries keys, voucher, API key and stream.
func (k *goLive) sender(name string) {
	what := "sender " + name
	s, err := k.c.newSender(name, k.c.cfg.Senders[name])
	if err != nil {
		k.bad(what+": settings", ExitUsage, err, k.c.say("see config.example.yaml", "vedere config.example.yaml"))
		return
	}
	k.c.senders[name] = s
	if s.cfg.PDND != nil {
		expires, err := s.client.Voucher(k.ctx)
		if err != nil {
			k.bad(what+": PDND voucher", ExitHeld, err, k.c.voucherHint(err))
			return
		}
		k.ok(what+": PDND voucher", "until "+Clock(expires))
	}
	streams, err := s.client.ListStreams(k.ctx)
	if err != nil {
		k.bad(what+": API key at "+s.cfg.BaseURL, faultExit(err), err, k.c.keyHint(err, s.cfg.PDND != nil))
		return
	}
	k.ok(what+": API key at "+s.cfg.BaseURL, "accepted")
	title := "sendconnector/" + k.c.cfg.Installation
	detail := "will be created before the first send"
	for _, stream := range streams {
		if stream.Title == title {
			detail = "there: " + stream.ID
		}
	}
	k.ok(what+": stream "+title, detail)
	if skew := s.client.Skew().Abs(); skew > maxSkew {
		k.bad(what+": clock", ExitHeld, fmt.Errorf("this machine's clock differs from SEND's by %s", skew.Round(time.Second)), k.c.say("let the system synchronise its clock (NTP)", "far sincronizzare l'orologio dal sistema (NTP)"))
	} else {
		k.ok(what+": clock", "differs by "+skew.Round(time.Millisecond).String())
	}
}

// voucherHint says first what is most likely when nobody answered at all.
func (c *Connector) voucherHint(err error) string {
	first := ""
	if e, ok := errors.AsType[*send.Error](err); ok && e.Status == 0 {
		first = c.networkHint() + c.say(" Then: ", " Poi: ")
	}
	return first + c.say("same environment for URL, audience and identifiers? clock right? public key in that client, client linked to that purpose, purpose and agreement active?",
		"indirizzo, audience e identificativi dello stesso ambiente? orologio giusto? chiave pubblica caricata in quel client, client legato a quella finalità, finalità e richiesta di fruizione attive?")
}

func (c *Connector) networkHint() string {
	return c.say("is the network open to that host (proxy: HTTPS_PROXY)?", "la rete è aperta verso quel server (proxy: HTTPS_PROXY)?")
}

func (c *Connector) keyHint(err error, bound bool) string {
	e, ok := errors.AsType[*send.Error](err)
	if !ok || e.Class != send.Held {
		return c.networkHint()
	}
	wait := c.say(" SEND remembers a refusal for a minute: after a change, wait before trying again", " SEND ricorda un rifiuto per un minuto: dopo una modifica attendere prima di riprovare")
	if bound {
		return c.say("is the API key of this environment, enabled, and bound to PDND? If it is not bound, remove the pdnd block.", "la chiave API è di questo ambiente, attiva e legata a PDND? Se non è legata, togliere il blocco pdnd.") + wait
	}
	return c.say("is the API key of this environment and enabled? If it is bound to PDND, add the pdnd block.", "la chiave API è di questo ambiente e attiva? Se è legata a PDND, aggiungere il blocco pdnd.") + wait
}

// flow tries profile, folders and the rename between in/ and work/ (rule 25).
func (k *goLive) flow(name string) {
	cfg := k.c.cfg.Flows[name]
	what := "flow " + name
	if cfg.Profile != "" {
		if _, _, err := LoadProfile(cfg.Profile); err != nil {
			k.bad(what+": profile", ExitUsage, err, "connector profile check "+cfg.Profile)
		} else {
			k.ok(what+": profile", cfg.Profile)
		}
	}
	f, at, err := k.c.folderAt(cfg.Source.Remote, cfg.Source.Root, false)
	if err == nil {
		at.prepare(k.ctx)
		folders := cfg.Source.Folders
		err = ingest.TryFolders(k.ctx, &ingest.Flow{
			Folder: f, In: folders.In, Work: folders.Work, Archive: folders.Archive, Rejected: folders.Rejected, Exclusive: cfg.Source.Exclusive,
		}, k.c.cfg.Installation)
	}
	k.folder(what+": folders, and rename from "+cfg.Source.Folders.In+" to "+cfg.Source.Folders.Work, at, err)
}

// folder reports what came of trying a folder. What is wrong with a whole server is said
// once, at the server.
func (k *goLive) folder(what string, at *place, err error) {
	if err != nil && k.faulty[at.remote] {
		k.results = append(k.results, CheckResult{What: what, Detail: fmt.Sprintf("%s: see remote %s", at, at.remote), exit: ExitHeld})
		return
	}
	switch p := k.c.folderProblem(at, err); {
	case err == nil:
		k.ok(what, at.String())
	case errors.Is(err, folder.ErrVolume):
		k.bad(what, ExitUsage, err, k.c.say("both folders must be on one volume with the right to rename; else set source.exclusive: true, if nobody else reads the drop", "le due cartelle devono stare sullo stesso disco, con il diritto di rinominare; altrimenti impostare source.exclusive: true, se nessun altro legge il deposito"))
	case p == nil || p.Code == "C-FOLDER-RIGHTS":
		k.bad(what, ExitUsage, err, k.c.say("the user that runs the connector needs to read, write and rename in ", "l'utente del connettore deve poter leggere, scrivere e rinominare in ")+at.String())
	default:
		k.bad(what, folderExit(p.Code), err, p.Message)
	}
}

// writable tries to write into a folder, under a name that nobody takes.
func (k *goLive) writable(what, server, dir string) {
	f, at, err := k.c.folderAt(server, dir, false)
	if err == nil {
		at.prepare(k.ctx)
		_, err = f.Publish(k.ctx, checkedOnce, func(io.Writer) error { return nil })
	}
	if err == nil {
		err = f.Remove(k.ctx, checkedOnce)
	}
	k.folder(what, at, err)
}

// remote looks at the key that a server shows before it logs in there, so that a person
// can compare it with what the server's administrator says.
func (k *goLive) remote(name string) {
	what := "remote " + name
	cfg := k.c.cfg.Remotes[name]
	server, err := k.c.newRemote(name, cfg)
	if err != nil {
		k.bad(what, ExitUsage, err, k.c.say("see config.example.yaml", "vedere config.example.yaml"))
		return
	}
	k.c.remotes[name] = server
	line, fingerprint, err := server.HostKey(k.ctx)
	if err != nil {
		k.faulty[name] = true
		k.bad(what, ExitHeld, err, k.c.say("is the address right, and the network open to it?", "l'indirizzo è giusto, e la rete è aperta verso di esso?"))
		return
	}
	_, err = server.Folder(".").Stat(k.ctx, ".")
	switch {
	case err == nil:
		k.ok(what, cfg.Address+" as "+cfg.User+", host key "+fingerprint)
	case errors.Is(err, folder.ErrHostKey):
		k.bad(what, ExitHeld, err, fmt.Sprintf(k.c.say("once the server's administrator has confirmed the fingerprint %s, write into remotes.%s, and restart a connector that runs:\n        host_keys: [%q]",
			"quando l'amministratore del server ha confermato l'impronta %s, scrivere in remotes.%s, e riavviare il connettore se è in funzione:\n        host_keys: [%q]"), fingerprint, name, line))
	default:
		k.folder(what, &place{remote: name}, err)
	}
	k.faulty[name] = err != nil
}

// backups looks for a copy of the ledger to fall back on.
func (k *goLive) backups() {
	const what = "backups of the ledger"
	cfg := k.c.cfg.Ledger
	if *cfg.Keep == 0 {
		k.ok(what, "none wanted (ledger.keep: 0)")
		return
	}
	all := backups(cfg.Backups)
	switch {
	case len(all) == 0:
		_ = os.MkdirAll(cfg.Backups, 0o700) // personal data; what fails is told by the try
		k.writable(what, "", cfg.Backups)
	case k.c.opts.Clock().Sub(all[0].at) > 2*backupEvery:
		k.bad(what, ExitHeld, fmt.Errorf("the newest is of %s", Clock(all[0].at)), k.c.say("a running connector makes one every day: its log and status say why it could not; by hand: connector ledger backup FILE", "il connettore acceso ne fa una al giorno: log e status dicono perché non ha potuto; a mano: connector ledger backup FILE"))
	default:
		k.ok(what, all[0].file)
	}
}

// space looks at the disk of the data folder, which holds the private copies.
func (k *goLive) space() {
	f, err := folder.OpenLocal(k.c.cfg.Data)
	if err != nil {
		return // the ledger check has said so
	}
	free, known := f.Free(k.ctx)
	switch {
	case known && free < leastSpace:
		k.bad("disk of the data folder", ExitHeld, fmt.Errorf("only %d MB free", free>>20), k.c.say("private copies of documents need room: free at least 1 GB", "le copie private dei documenti richiedono spazio: liberare almeno 1 GB"))
	case known:
		k.ok("disk of the data folder", fmt.Sprintf("%d MB free", free>>20))
	}
}
