package config

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"sendconnector/internal/notification"
	"sendconnector/internal/yamldoc"
)

// checker collects everything wrong with a configuration, each problem at its place
// in the file.
type checker struct {
	c        *Config
	doc      *yamldoc.Document
	problems yamldoc.Errors
}

func (k *checker) wrong(path, format string, args ...any) {
	k.problems.Add(k.doc.Errorf(path, format, args...))
}

var nameRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (k *checker) all() {
	c := k.c
	if c.Version != 1 {
		k.wrong("version", "version must be 1")
	}
	switch {
	case c.Installation == "":
		k.wrong("installation", "installation is required: a name for this installation, letters, digits, dot, dash, underscore, at most 64 (it must never change, and no two installations may share it)")
	case !nameRule.MatchString(c.Installation):
		k.name("installation", c.Installation)
	}
	k.oneOf("language", c.Language, "it", "en")
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "text", "json")
	if isNetworkPath(c.Data) {
		k.wrong("data", "data must be on a disk of this machine, not on a network share: the ledger would be damaged")
	}
	k.within("ledger.keep", *c.Ledger.Keep, 0, 366)
	if len(c.Senders) == 0 {
		k.wrong("senders", "at least one sender is required")
	}
	if len(c.Flows) == 0 {
		k.wrong("flows", "at least one flow is required")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Remotes)) {
		k.remote(name, c.Remotes[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Senders)) {
		k.sender(name, c.Senders[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Outboxes)) {
		k.outbox(name, c.Outboxes[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Flows)) {
		k.flow(name, c.Flows[name])
	}
	k.overlaps()
}

func (k *checker) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		k.wrong(path, "%q is not one of %s", value, strings.Join(allowed, ", "))
	}
}

func (k *checker) name(path, name string) {
	if !nameRule.MatchString(name) {
		k.wrong(path, "the name %q may hold letters, digits, dot, dash, underscore, at most 64", name)
	}
}

func (k *checker) sender(name string, s *Sender) {
	at := "senders." + name
	if s == nil {
		k.wrong(at, "the sender %s is empty", name)
		return
	}
	k.name(at, name)
	if notification.CheckNumericTaxID(s.TaxID) != notification.TaxIDSound {
		k.wrong(at+".tax_id", "%q is not a valid tax code of a body (11 digits with the right check digit)", s.TaxID)
	}
	if n := len([]rune(s.Denomination)); n < 1 || n > 88 {
		k.wrong(at+".denomination", "denomination is required, at most 88 characters")
	}
	k.oneOf(at+".environment", s.Environment, EnvUAT, EnvProduction, EnvSimulator, EnvCustom)
	k.urls(at, s)
	if s.APIKey == "" {
		k.wrong(at+".api_key", "api_key is required: ${file:PATH} or ${env:NAME}")
	} else if _, _, err := s.APIKey.reference(); err != nil {
		k.wrong(at+".api_key", "%v", err)
	}
	if s.Environment == EnvProduction && len(s.Validation.AllowTaxIDs) > 0 {
		k.wrong(at+".validation.allow_tax_ids", "tax codes can be allowed in test environments only")
	}
	k.oneOf(at+".versions", s.Versions, slices.Sorted(maps.Keys(versionSets))...)
	if _, err := s.PathTemplates(); err != nil {
		k.wrong(at+".paths", "%v", err)
	}
	k.positive(at+".limits.per_second", s.Limits.PerSecond)
	k.positive(at+".limits.burst", float64(s.Limits.Burst))
	k.positive(at+".limits.per_day", float64(s.Limits.PerDay))
	k.within(at+".concurrency.uploads", s.Concurrency.Uploads, 1, 64)
	k.within(at+".concurrency.creates", s.Concurrency.Creates, 1, 256)
	k.within(at+".concurrency.downloads", s.Concurrency.Downloads, 1, 64)
	k.within(at+".validation.max_recipients", s.Validation.MaxRecipients, 1, 100)
	k.within(at+".validation.max_documents", s.Validation.MaxDocuments, 1, 100)
	k.within(at+".validation.max_pdf_mb", s.Validation.MaxPDFMB, 1, 200)
	k.within(at+".refusal_fee_cent", *s.RefusalFee, 0, 10_000)
	k.duration(at+".acceptance.lookup_after", s.Acceptance.LookupAfter, time.Second, 7*24*time.Hour)
	k.duration(at+".progress.silence", s.Progress.Silence, time.Second, 365*24*time.Hour)
}

func (k *checker) urls(at string, s *Sender) {
	k.url(at+".base_url", s.BaseURL)
	if s.Environment != EnvCustom && s.Environment != EnvSimulator && k.doc.Has(at+".base_url") {
		k.wrong(at+".base_url", "base_url goes with environment custom or simulator only; %s has its own", s.Environment)
	}
	if s.PDND == nil {
		return
	}
	p := s.PDND
	for _, f := range []struct{ key, value string }{{"client_id", p.ClientID}, {"purpose_id", p.PurposeID}, {"key_file", p.KeyFile}, {"audience", p.Audience}} {
		if f.value == "" {
			k.wrong(at+".pdnd."+f.key, "%s is required", f.key)
		}
	}
	k.url(at+".pdnd.token_url", p.TokenURL)
	if host := hostOf(p.TokenURL); host != "" && s.Environment != EnvSimulator && s.Environment != EnvCustom && !strings.HasPrefix(p.Audience, host+"/") {
		k.wrong(at+".pdnd.audience", "audience %q and token_url %q are of different environments", p.Audience, p.TokenURL)
	}
}

// url accepts https anywhere and http to this machine only: keys would travel in
// clear otherwise.
func (k *checker) url(path, value string) {
	u, err := url.Parse(value)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		k.wrong(path, "%q is not a plain address such as https://host", value)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		k.wrong(path, "http is allowed to this machine only; use https")
	case u.Scheme != "http" && u.Scheme != "https":
		k.wrong(path, "%q must begin with https://", value)
	}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (k *checker) outbox(name string, o *Outbox) {
	at := "outboxes." + name
	if o == nil || o.Path == "" {
		k.wrong(at, "the outbox %s needs a path", name)
		return
	}
	k.name(at, name)
	k.onServer(at, "path", o.Remote, o.Path)
	k.duration(at+".refresh", o.Refresh, time.Second, 24*time.Hour)
	k.duration(at+".heartbeat", o.Heartbeat, time.Second, 24*time.Hour)
	k.within(at+".max_lines", o.MaxLines, 1, 1_000_000)
}

func (k *checker) flow(name string, f *Flow) {
	at := "flows." + name
	if f == nil {
		k.wrong(at, "the flow %s is empty", name)
		return
	}
	k.name(at, name)
	if k.c.Senders[f.Sender] == nil {
		k.wrong(at+".sender", "there is no sender %q%s", f.Sender, suggest(f.Sender, maps.Keys(k.c.Senders)))
	}
	if f.Outbox != "" && k.c.Outboxes[f.Outbox] == nil {
		k.wrong(at+".outbox", "there is no outbox %q%s", f.Outbox, suggest(f.Outbox, maps.Keys(k.c.Outboxes)))
	}
	k.oneOf(at+".language", f.Language, "it", "en")
	k.oneOf(at+".source.type", f.Source.Type, "local", "sftp")
	switch {
	case f.Source.Root == "":
		k.wrong(at+".source.root", "root is required: the folder that holds in, work, archive, rejected")
	case f.Source.Type == "sftp" && f.Source.Remote == "":
		k.wrong(at+".source.remote", "a source of type sftp needs remote: the name of a server in remotes")
	case f.Source.Type == "local" && f.Source.Remote != "":
		k.wrong(at+".source.type", "a source with a remote is of type sftp")
	default:
		k.onServer(at+".source", "root", f.Source.Remote, f.Source.Root)
	}
	k.duration(at+".source.settle", *f.Source.Settle, 0, time.Hour)
	k.duration(at+".source.poll", f.Source.Poll, 100*time.Millisecond, time.Hour)
	for _, pattern := range f.Source.Match {
		if _, err := filepath.Match(pattern, "x"); err != nil {
			k.wrong(at+".source.match", "%q is not a pattern of file names", pattern)
		}
	}
	k.folderNames(at+".source.folders", f.Source.Folders)
	k.oneOf(at+".release.mode", f.Release.Mode, "auto", "file", "command")
	k.duration(at+".release.delay", f.Release.Delay, 0, 30*24*time.Hour)
	k.within(at+".release.max_notifications", *f.Release.MaxNotifications, 1, 10_000_000)
	k.oneOf(at+".documents.mode", f.Documents.Mode, "take", "copy")
	k.oneOf(at+".documents.on_missing", f.Documents.OnMissing, "rows", "file")
	switch dir := f.Documents.Folder; {
	case dir == "":
	case f.Source.Remote != "" && !notification.SafeRelative(dir):
		k.wrong(at+".documents.folder", "%q must be a folder below the flow's root, written relative to it, with /", dir)
	case f.Source.Remote == "" && !below(f.Source.Root, dir):
		k.wrong(at+".documents.folder", "the folder of documents must lie below the flow's root")
	}
	k.duration(at+".documents.deadline", *f.Documents.Deadline, 0, 30*24*time.Hour)
	k.retention(at+".retention", f.Retention)
}

// retention: nothing goes from the archive that the ledger still knows.
func (k *checker) retention(at string, r Retention) {
	const least, most = 30 * 24 * time.Hour, 3650 * 24 * time.Hour
	if *r.Ledger != 0 {
		k.duration(at+".ledger", *r.Ledger, least, most)
	}
	if r.Archive == 0 {
		return
	}
	k.duration(at+".archive", r.Archive, least, most)
	if *r.Ledger == 0 || r.Archive < *r.Ledger {
		k.wrong(at+".archive", "archive must be kept at least as long as the ledger: until then a row may have to be sent again from it")
	}
}

func below(root, dir string) bool {
	rel, err := filepath.Rel(root, dir)
	return err == nil && filepath.IsLocal(rel)
}

func (k *checker) folderNames(at string, f FolderNames) {
	seen := map[string]string{}
	for _, n := range []struct{ key, name string }{{"in", f.In}, {"work", f.Work}, {"archive", f.Archive}, {"rejected", f.Rejected}, {"out", f.Out}} {
		if !notification.SafeRelative(n.name) {
			k.wrong(at+"."+n.key, "%q must be a folder below root", n.name)
		}
		if other, taken := seen[strings.ToLower(n.name)]; taken {
			k.wrong(at+"."+n.key, "%q is used for %s too", n.name, other)
		}
		seen[strings.ToLower(n.name)] = n.key
	}
}

// overlaps finds flows that would take the same file (rule 26) and outboxes that
// write into one folder under two sequences (rule 28).
func (k *checker) overlaps() {
	type taker struct {
		flow, remote, in string
		match            []string
	}
	var takers []taker
	for _, name := range slices.Sorted(maps.Keys(k.c.Flows)) {
		f := k.c.Flows[name]
		if f == nil || f.Source.Root == "" {
			continue
		}
		t := taker{name, f.Source.Remote, k.account(f.Source.Remote) + ":" + filepath.Join(f.Source.Root, f.Source.Folders.In), f.Source.Match}
		for _, other := range takers {
			if strings.EqualFold(other.in, t.in) && (len(t.match) == 0 || len(other.match) == 0 || shareMatch(t.match, other.match)) {
				k.wrong("flows."+name+".source", "the flows %s and %s would take the same files: give each its own folder, or match patterns that cannot meet%s", other.flow, name, sameAccount(other.remote, t.remote))
			}
		}
		takers = append(takers, t)
	}
	paths := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(k.c.Outboxes)) {
		o := k.c.Outboxes[name]
		if o == nil || o.Path == "" {
			continue
		}
		key := k.account(o.Remote) + ":" + strings.ToLower(filepath.Clean(o.Path))
		if other, taken := paths[key]; taken {
			k.wrong("outboxes."+name, "the outboxes %s and %s write into the same folder; let both flows name one outbox%s", other, name, sameAccount(k.c.Outboxes[other].Remote, o.Remote))
		}
		paths[key] = name
	}
}

// account is the place that a remote leads to: two remotes of one server and user are
// one place under two names. "" is this machine.
func (k *checker) account(remote string) string {
	r := k.c.Remotes[remote]
	if r == nil {
		return remote
	}
	return r.User + "@" + strings.ToLower(r.Address)
}

// sameAccount explains why two remotes count as one.
func sameAccount(a, b string) string {
	if a == b {
		return ""
	}
	return fmt.Sprintf(" (the remotes %s and %s are the same account of the same server)", a, b)
}

// shareMatch reports whether two lists of patterns could take the same name. Only
// patterns with different literal beginnings or endings surely cannot.
func shareMatch(a, b []string) bool {
	for _, x := range a {
		for _, y := range b {
			if compatible(literalPrefix(x), literalPrefix(y), strings.HasPrefix) && compatible(literalSuffix(x), literalSuffix(y), strings.HasSuffix) {
				return true
			}
		}
	}
	return false
}

func compatible(a, b string, has func(string, string) bool) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return has(a, b) || has(b, a)
}

func literalPrefix(p string) string {
	if i := strings.IndexAny(p, `*?[\`); i >= 0 {
		return p[:i]
	}
	return p
}

func literalSuffix(p string) string {
	if i := strings.LastIndexAny(p, `*?]\`); i >= 0 {
		return p[i+1:]
	}
	return p
}

func (k *checker) within(path string, value, low, high int) {
	if value < low || value > high {
		k.wrong(path, "%d is not between %d and %d", value, low, high)
	}
}

func (k *checker) positive(path string, value float64) {
	if value <= 0 {
		k.wrong(path, "must be above 0")
	}
}

func (k *checker) duration(path string, value, low, high time.Duration) {
	if value < low || value > high {
		k.wrong(path, "%s is not between %s and %s", value, low, high)
	}
}

func suggest(name string, known func(func(string) bool)) string {
	if near := yamldoc.Nearest(name, slices.Sorted(known)); near != "" {
		return fmt.Sprintf("; did you mean %s?", near)
	}
	return ""
}

// isNetworkPath recognises UNC paths; mapped drives cannot be told from here.
func isNetworkPath(path string) bool {
	return strings.HasPrefix(path, `\\`) || strings.HasPrefix(path, "//")
}
