package connector

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/simulator"
)

// seeds are those that the faults of a test are drawn from. FAULT_SEED=n repeats one,
// FAULT_SEEDS=n tries n random ones.
func seeds(t *testing.T) []uint64 {
	t.Helper()
	if one, err := strconv.ParseUint(os.Getenv("FAULT_SEED"), 10, 64); err == nil {
		return []uint64{one}
	}
	all := []uint64{2, 3}
	if n, err := strconv.Atoi(os.Getenv("FAULT_SEEDS")); err == nil {
		all = nil
		for range n {
			all = append(all, rand.Uint64())
		}
	}
	return all
}

// stillOptions is the platform of newStill with a seed for its dice.
func stillOptions(seed uint64) simulator.Options {
	o := simulator.DemoOptions()
	o.Start, o.ManualClock, o.Timings = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), true, simulator.RealTimings().Scale(0.01)
	o.Mix, o.StreamRetryAfter, o.UnknownTaxIDs = simulator.Mix{}, time.Minute, []string{unknown}
	o.Debts = func(_, notice string) bool { return notice != noticeOf(refusedNotice) }
	o.Seed = seed
	return o
}

// lot drops n rows, with a payment form for every second and an annex for every
// third; the tenth is refused by SEND.
func (w *world) lot(n int) (protocols []string) {
	w.t.Helper()
	var b strings.Builder
	b.WriteString(groupedHeading)
	for i := range n {
		protocol, act := fmt.Sprintf("L/%d", i+1), fmt.Sprintf("l%03d.pdf", i+1)
		w.write("drop/in/"+act, string(pdfOf(act, 1500)))
		form, annex, notice := "", "", noticeOf(i+1)
		if i%2 == 0 {
			form = "f-" + act
			w.write("drop/in/"+form, string(pdfOf(form, 1500)))
		}
		if i%3 == 0 {
			annex = "x-" + act
			w.write("drop/in/"+annex, string(pdfOf(annex, 1500)))
		}
		if i == 9 {
			notice = noticeOf(refusedNotice)
		}
		b.WriteString(groupedRow(protocol, []string{ettore, galileo}[i%2], []string{"Ettore Fieramosca", "Galileo Galilei"}[i%2], notice, act, form, annex))
		protocols = append(protocols, protocol)
	}
	w.write("drop/in/lotto.csv", b.String())
	return protocols
}

// outcomes gives send_esito of every row of the one outcome file that matches.
func (w *world) outcomes(pattern string) map[string]string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, filepath.FromSlash(pattern)))
	if err != nil || len(found) != 1 {
		w.t.Fatalf("%s: %v %v, want one file", pattern, found, err)
	}
	heading, rows := w.table(found[0])
	result := map[string]string{}
	for _, row := range rows {
		text := row[slices.Index(heading, "send_esito")]
		if code := row[slices.Index(heading, "send_codice")]; code != "" {
			text += " " + code
		}
		result[row[slices.Index(heading, "ATTO")]] = text
	}
	return result
}

// finalLot says what must have become of a lot.
func finalLot(protocols []string) map[string]string {
	want := map[string]string{}
	for i, p := range protocols {
		want[p] = string(ledger.Perfezionata)
		if i == 9 {
			want[p] = string(ledger.Rifiutata) + " PAYMENT_NOT_VALID"
		}
	}
	return want
}

func (w *world) wantOutcomes(pattern string, want map[string]string) {
	w.t.Helper()
	if got := w.outcomes(pattern); !maps.Equal(got, want) {
		for _, p := range slices.Sorted(maps.Keys(want)) {
			if got[p] != want[p] {
				w.t.Errorf("%s is %q, want %q", p, got[p], want[p])
			}
		}
		w.t.Errorf("%d rows with an outcome, want %d", len(got), len(want))
	}
}

// everyFault is all that a platform and the way to it can do to a call.
func everyFault(p float64) []simulator.Fault {
	all := []simulator.Fault{
		{Operation: "*", Kind: simulator.FaultTooManyRequests, Probability: p},
		{Operation: "*", Kind: simulator.FaultTooManyRequests, RetryAfter: "90", Probability: p},
		{Operation: "*", Kind: simulator.FaultHTML, Probability: p},
		{Operation: "*", Kind: simulator.FaultHTML, Status: 200, Probability: p / 4},
		{Operation: "*", Kind: simulator.FaultReset, Probability: p},
		{Operation: "*", Kind: simulator.FaultResetAfter, Probability: p},
		{Operation: "*", Kind: simulator.FaultTruncated, Probability: p},
		{Operation: "upload", Kind: simulator.FaultExpiredURL, Probability: p},
		{Operation: "download", Kind: simulator.FaultExpiredURL, Probability: p},
		{Operation: "upload", Kind: simulator.FaultNoVersionID, Probability: p},
		{Operation: "streamEvents", Kind: simulator.FaultEmptyPage, Probability: p},
		{Operation: "streamEvents", Kind: simulator.FaultRepeatPage, Probability: p},
		{Operation: "publish", Kind: simulator.FaultDuplicate, Probability: p},
		{Operation: "publish", Kind: simulator.FaultReorder, Probability: p},
		{Operation: "publish", Kind: simulator.FaultDrop, Probability: p / 4},
		{Operation: "legalFact", Kind: simulator.FaultNotReady, Probability: 5 * p},
		{Operation: "legalFact", Kind: simulator.FaultMissing, Probability: p},
		{Operation: "create", Kind: simulator.FaultContention, Probability: p},
		{Operation: "create", Kind: simulator.FaultRegistryDown, Probability: p},
	}
	for _, status := range []int{500, 502, 503, 504} {
		all = append(all, simulator.Fault{Operation: "*", Kind: simulator.FaultStatus, Status: status, Probability: p},
			simulator.Fault{Operation: "*", Kind: simulator.FaultStatusAfter, Status: status, Probability: p})
	}
	return all
}

// A platform at its worst must cost time only: every notification comes to its right
// end, none twice, none lost, whatever answers were lost, late, repeated or nonsense.
func TestEveryFault(t *testing.T) {
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			w := newStillOn(t, stillOptions(seed))
			for _, f := range everyFault(0.02) {
				w.sim.Faults().Add(f)
			}
			protocols := w.lot(60)
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
			w.result(nil)
			for _, v := range w.sim.Violations() {
				// Where the answer with the pause was lost nobody can have kept to it.
				if !strings.HasPrefix(v, "stream ") {
					t.Error("never to be done: ", v)
				}
			}
			t.Logf("FAULT_SEED=%d struck %d kinds in %d calls", seed, len(w.sim.Faults().Fired()), total(w.sim.Calls()))
		})
	}
}

// One kind of fault at a time, often: a kind that never ends the same way would hide
// among the others.
func TestOneFaultOften(t *testing.T) {
	for _, f := range append(everyFault(0.3), simulator.Fault{Operation: "requestStatus", Kind: simulator.FaultMissing, Probability: 0.3}) {
		t.Run(fmt.Sprintf("%s/%s-%d%s", strings.ReplaceAll(f.Operation, "*", "any"), f.Kind, f.Status, f.RetryAfter), func(t *testing.T) {
			t.Parallel()
			f.Probability = 0.3
			w := newStillOn(t, stillOptions(7))
			w.sim.Faults().Add(f)
			if f.Kind == simulator.FaultMissing { // look-ups happen only after lost answers
				w.sim.Faults().Add(simulator.Fault{Operation: "create", Kind: simulator.FaultResetAfter, Probability: 0.5})
			}
			protocols := w.lot(12)
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			w.wantOutcomes("drop/out/lotto.*.esito.csv", finalLot(protocols))
		})
	}
}

// Everything at once: a service that is killed again and again in the middle of
// whatever it does, beside a platform that fails, with the same export dropped again
// meanwhile. A rule that holds against each alone may not hold against all.
func TestDeathsAndFaults(t *testing.T) {
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(seed, 0))
			w := newStillOn(t, stillOptions(seed))
			for _, f := range everyFault(0.01) {
				w.sim.Faults().Add(f)
			}
			protocols := w.lot(30)
			deaths := 0
			for life := range 16 {
				if life == 5 || life == 10 {
					w.lot(30)
				}
				if w.live(1+dice.IntN(300), life%2 == 0) {
					deaths++
				}
				w.sim.Advance(time.Duration(dice.IntN(3600)) * time.Second)
			}
			t.Logf("FAULT_SEED=%d, %d deaths", seed, deaths)
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			w.places(nil)
			w.everyRowOnce(protocols)
		})
	}
}

// live runs a connector, as a service or for some passes, that dies at its n-th step.
// It tells whether that came.
func (w *world) live(nth int, service bool) bool {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k := &killer{at: anyStep, nth: nth, cancel: cancel}
	w.opts.Step, w.opts.Transport = k.Step, k
	defer func() { w.opts.Step, w.opts.Transport = nil, nil }()
	if !service {
		for range 20 {
			if err := w.pass(ctx, nil); err != nil && !k.died() {
				w.t.Fatal(err)
			} else if k.died() {
				return true
			}
			w.sim.Advance(time.Minute)
		}
		return false
	}
	c, err := Open(ctx, w.cfg, w.opts)
	if err != nil {
		w.t.Fatal(err)
	}
	until := w.sim.Now().Add(48 * time.Hour)
	wait := c.opts.Wait
	c.opts.Wait = func(ctx context.Context, d time.Duration, wake <-chan struct{}) {
		if w.sim.Now().After(until) {
			cancel()
		}
		wait(ctx, d, wake)
	}
	if err := c.Run(ctx); err != nil && !k.died() {
		w.t.Error(err)
	}
	if err := c.Close(); err != nil {
		w.t.Error(err)
	}
	return k.died()
}

// everyRowOnce checks that over all drops of a lot each row was owned once and told
// to be known otherwise, and that the owner's outcome is the right one.
func (w *world) everyRowOnce(protocols []string) {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "drop/out/lotto.*.esito.csv"))
	if err != nil || len(found) == 0 {
		w.t.Fatal("no outcome file ", err)
	}
	w.updatesTellTheOutcome(found)
	w.documentsAreIndexed()
	want, owned := finalLot(protocols), map[string]int{}
	for _, name := range found {
		got := w.outcomes("drop/out/" + filepath.Base(name))
		if len(got) != len(protocols) {
			w.t.Errorf("%s has %d rows", filepath.Base(name), len(got))
		}
		for p, outcome := range got {
			switch {
			case outcome == want[p] && strings.HasPrefix(outcome, "RIFIUTATA"): // repeated by rule 5
				owned[p] = 1
			case outcome == want[p]:
				owned[p]++
			case !strings.HasPrefix(outcome, string(ledger.GiaPresente)): // with what kept it at reading time
				w.t.Errorf("%s: %s is %s", filepath.Base(name), p, outcome)
			}
		}
	}
	for _, p := range protocols {
		if owned[p] != 1 {
			w.t.Errorf("%s is owned by %d drops", p, owned[p])
		}
	}
}

// killOnce runs passes until the process dies at the n-th occurrence of a step.
func (w *world) killOnce(step string, nth int) {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k := &killer{at: step, nth: nth, cancel: cancel}
	w.opts.Step, w.opts.Transport = k.Step, k
	for range 500 {
		if err := w.pass(ctx, nil); k.died() {
			w.opts.Step, w.opts.Transport = nil, nil
			return
		} else if err != nil {
			w.t.Fatal(err)
		}
		w.sim.Advance(time.Minute)
	}
	w.t.Fatalf("%s never came %d times", step, nth)
}

func (w *world) loseData() {
	w.t.Helper()
	if err := os.RemoveAll(filepath.Join(w.dir, "data")); err != nil {
		w.t.Fatal(err)
	}
}

// The ledger is lost in the middle of a lot, and the clerk drops the same file again:
// what SEND has is found by its frozen token and followed, the rest goes (rules 2, 14
// to 16).
func TestRule16LedgerLostInTheMiddle(t *testing.T) {
	for _, at := range []string{"submit.preload:after", "submit.create:before", "submit.create:after", "progress.events:after"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newStill(t)
			protocols := w.lot(20)
			w.killOnce(at, map[bool]int{true: 9, false: 1}[strings.Contains(at, "create")])
			w.loseData()
			w.lot(20)
			w.untilClosed(1)
			w.onceAtSEND(protocols...)
			newest := w.newestOutcome()
			w.wantOutcomes(newest, finalLot(protocols))
		})
	}
}

// newestOutcome is the outcome file of the batch that was taken last.
func (w *world) newestOutcome() string {
	w.t.Helper()
	found, err := filepath.Glob(filepath.Join(w.dir, "drop/out/*.esito.csv"))
	if err != nil || len(found) == 0 {
		w.t.Fatal("no outcome file ", err)
	}
	slices.SortFunc(found, func(a, b string) int { return strings.Compare(batchID.FindString(a), batchID.FindString(b)) })
	return "drop/out/" + filepath.Base(found[len(found)-1])
}

// The same, with every PDF made anew by the program: SEND has the old bytes, so they
// are what was notified; sending the new ones would notify twice (rule 14).
func TestRule14LedgerLostAndDocumentsMadeAnew(t *testing.T) {
	w := newStill(t)
	protocols := w.lot(12)
	w.untilClosed(1)
	w.loseData()
	w.lot(12)
	for i := range 12 {
		act := fmt.Sprintf("l%03d.pdf", i+1)
		w.write("drop/in/"+act, string(pdfOf(act+" again", 1700)))
	}
	w.untilClosed(1)
	w.onceAtSEND(protocols...)
	w.wantOutcomes(w.newestOutcome(), finalLot(protocols))
}

// The ledger is lost after a refusal was mended by a second attempt. Whatever is
// dropped then, the second attempt stays the only one that lives, and the first row,
// which SEND refused, never passes for done.
func TestRule16LedgerLostAfterSecondAttempt(t *testing.T) {
	refused := groupedRow("R/1", galileo, "Galileo Galilei", noticeOf(refusedNotice), "r1.pdf", "", "")
	mended := groupedRow("R/1", galileo, "Galileo Galilei", noticeOf(1), "r1.pdf", "", "")
	drop := func(w *world, row string) {
		w.write("drop/in/r1.pdf", string(pdfOf("r1.pdf", 1500)))
		w.write("drop/in/r.csv", groupedHeading+row)
		w.sim.Advance(2 * time.Second)
	}
	for name, again := range map[string]struct{ row, outcome string }{
		"mended":  {mended, "PERFEZIONATA"},
		"refused": {refused, "RIFIUTATA C-PROTOCOL-REUSED"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newStill(t)
			drop(w, refused)
			w.untilClosed(1)
			drop(w, mended)
			w.untilClosed(2)
			w.wantOutcomes(w.newestOutcome(), map[string]string{"R/1": "PERFEZIONATA"})
			w.loseData()
			drop(w, again.row)
			w.untilClosed(1)
			if got := w.sim.Accepted(); len(got) != 2 || len(w.sim.Duplicates()) > 0 {
				t.Errorf("%d requests stored, want the refused and the mended one: %+v", len(got), got)
			}
			w.wantOutcomes(w.newestOutcome(), map[string]string{"R/1": again.outcome})
		})
	}
}

// Two installations watch one folder by mistake, each with a ledger of its own: each
// export belongs to whoever renamed it, and a file that comes twice is found at SEND
// by the other one.
func TestTwoInstallationsOneFolder(t *testing.T) {
	w := newStill(t, ownOutbox("out-a"))
	other := *w
	text := w.read("config.yaml")
	text = strings.NewReplacer("installation: prova", "installation: altra\ndata: data-b", "out-a", "out-b").Replace(text)
	other.configure("altra.yaml", text)
	both := []*world{w, &other}
	var protocols []string
	for round := range 3 {
		for i := range 6 {
			p := fmt.Sprintf("T%d/%d", i, round)
			protocols = append(protocols, p)
			act := fmt.Sprintf("t%d-%d.pdf", i, round)
			w.write("drop/in/"+act, string(pdfOf(act, 1500)))
			w.write(fmt.Sprintf("drop/in/t%d-%d.csv", i, round), groupedHeading+groupedRow(p, ettore, "Ettore Fieramosca", noticeOf(100*round+i), act, "", ""))
		}
		raceOnce(t, both)
	}
	for i := range 6 { // all again, to whoever comes first
		act := fmt.Sprintf("t%d-0.pdf", i)
		w.write("drop/in/"+act, string(pdfOf(act, 1500)))
		w.write(fmt.Sprintf("drop/in/t%d-0.csv", i), groupedHeading+groupedRow(fmt.Sprintf("T%d/0", i), ettore, "Ettore Fieramosca", noticeOf(i), act, "", ""))
	}
	raceOnce(t, both)
	for _, x := range both {
		x.untilClosed(0)
	}
	w.onceAtSEND(protocols...)
	outcomes := map[string]int{}
	for _, dir := range []string{"out-a", "out-b"} {
		found, _ := filepath.Glob(filepath.Join(w.dir, "drop", dir, "*.esito.csv"))
		for _, name := range found {
			for row, outcome := range w.outcomes("drop/" + dir + "/" + filepath.Base(name)) {
				if outcome != "PERFEZIONATA" && outcome != "GIA_PRESENTE" {
					t.Errorf("%s in %s: %s", row, filepath.Base(name), outcome)
				}
				outcomes[row]++
			}
		}
	}
	for _, p := range protocols {
		want := 1
		if strings.HasSuffix(p, "/0") {
			want = 2 // dropped twice
		}
		if outcomes[p] != want {
			t.Errorf("%s has %d outcomes, want %d", p, outcomes[p], want)
		}
	}
}

func ownOutbox(dir string) func(string) string {
	return func(text string) string {
		return strings.Replace(text, "    sender: comune\n", "    sender: comune\n    outbox: fuori\n", 1) +
			"outboxes:\n  fuori: {path: drop/" + dir + "}\n"
	}
}

// raceOnce lets all pass at the same time.
func raceOnce(t *testing.T, worlds []*world) {
	t.Helper()
	ended := make(chan error, len(worlds))
	for _, w := range worlds {
		go func() { ended <- w.pass(context.Background(), nil) }()
	}
	for range worlds {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// excelSaves is what Excel in Italian makes of a CSV that was opened by a double click
// and saved: windows-1252 without mark, leading zeros gone, and every long number
// turned into powers of ten unless somebody formatted the column as text.
func excelSaves(text string, numbers bool) string {
	text = strings.TrimPrefix(text, "\ufeff")
	var out bytes.Buffer
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimRight(line, "\r\n"), ";")
		for i, c := range cells {
			if _, err := strconv.ParseUint(c, 10, 64); err == nil && numbers {
				if len(c) > 11 {
					cells[i] = c[:1] + "," + c[1:3] + "E+" + strconv.Itoa(len(c)-1)
				} else {
					cells[i] = strings.TrimLeft(c[:len(c)-1], "0") + c[len(c)-1:]
				}
			}
		}
		out.WriteString(strings.Join(cells, ";") + "\r\n")
	}
	latin := make([]byte, 0, out.Len())
	for _, r := range out.String() {
		switch {
		case r < 256:
			latin = append(latin, byte(r))
		case r == '’':
			latin = append(latin, 0x92)
		default:
			latin = append(latin, '?')
		}
	}
	return string(latin)
}

// The clerk corrects a row in the outcome file, saves it in Excel and drops it: the
// corrected row goes, the others are known, none goes twice. Where Excel has eaten
// the digits of the notices nothing goes, and no row passes for something else.
func TestRule12OutcomeFileDroppedAgainFromExcel(t *testing.T) {
	for _, numbers := range []bool{false, true} {
		t.Run(fmt.Sprint("numbers eaten=", numbers), func(t *testing.T) {
			w := newStill(t)
			w.write("drop/in/e1.pdf", string(pdfOf("e1", 1500)))
			w.write("drop/in/e2.pdf", string(pdfOf("e2", 1500)))
			w.write("drop/in/e3.pdf", string(pdfOf("e3", 1500)))
			w.write("drop/in/e.csv", groupedHeading+
				groupedRow("E/1", ettore, "Niccolò dell'Abate", noticeOf(1), "e1.pdf", "", "")+
				groupedRow("E/2", "GLLGLL64B15G702X", "Galileo Galilei", noticeOf(2), "e2.pdf", "", "")+
				groupedRow("E/3", ettore, "Niccolò dell'Abate", noticeOf(3), "e3.pdf", "", "")+
				groupedRow("E/3", galileo, "Galileo Galilei", noticeOf(4), "e3.pdf", "", ""))
			w.untilClosed(1)
			text := w.read("drop/out/e.*.esito.csv")
			heading, _, _ := strings.Cut(strings.TrimPrefix(text, "\ufeff"), "\r\n")
			column := slices.Index(strings.Split(heading, ";"), "CF")
			lines := strings.Split(text, "\r\n")
			cells := strings.Split(lines[2], ";")
			cells[column] = galileo
			lines[2] = strings.Join(cells, ";")
			w.sim.Advance(2 * time.Second)
			w.write("drop/in/e.corretto.esito.csv", excelSaves(strings.Join(lines, "\r\n"), numbers))
			w.untilClosed(2)
			got := w.outcomes("drop/out/e.corretto*.esito.csv")
			if !numbers {
				w.onceAtSEND("E/1", "E/2", "E/3")
				if want := map[string]string{"E/1": "GIA_PRESENTE", "E/2": "PERFEZIONATA", "E/3": "GIA_PRESENTE"}; !maps.Equal(got, want) {
					t.Errorf("outcomes %v, want %v", got, want)
				}
				return
			}
			w.onceAtSEND("E/1", "E/3")
			for protocol, outcome := range got {
				if !strings.HasPrefix(outcome, "SCARTATA ") {
					t.Errorf("%s: %s", protocol, outcome)
				}
			}
		})
	}
}

// A register that begins anew in January gives last year's number to another act. It
// must not pass for the old notification, and the clerk must read what differs (rule
// 8).
func TestRule08RegisterRestartsInJanuary(t *testing.T) {
	w := newStill(t)
	w.write("drop/in/g1.pdf", string(pdfOf("anno 2026", 1500)))
	w.write("drop/in/g.csv", groupedHeading+groupedRow("1", ettore, "Ettore Fieramosca", noticeOf(1), "g1.pdf", "", ""))
	w.untilClosed(1)
	w.sim.Advance(300 * 24 * time.Hour)
	for name, row := range map[string]string{
		"citizen": groupedRow("1", galileo, "Galileo Galilei", noticeOf(1), "g1.pdf", "", ""),
		"notice":  groupedRow("1", ettore, "Ettore Fieramosca", noticeOf(2), "g1.pdf", "", ""),
		"subject": strings.Replace(groupedRow("1", ettore, "Ettore Fieramosca", noticeOf(1), "g1.pdf", "", ""), "Avviso TARI", "Avviso TARI 2027", 1),
	} {
		w.write("drop/in/g1.pdf", string(pdfOf("anno 2027", 1500)))
		w.write("drop/in/g-"+name+".csv", groupedHeading+row)
		w.sim.Advance(time.Minute)
		if err := w.pass(context.Background(), nil); err != nil {
			t.Fatal(err)
		}
		text := w.read("drop/out/g-" + name + ".*.esito.csv")
		difference := map[string]string{"citizen": galileo, "notice": noticeOf(2), "subject": "Avviso TARI 2027"}[name]
		_, message, _ := strings.Cut(text, "C-KNOWN-DIFFERENT")
		if !strings.Contains(text, "SCARTATA;C-KNOWN-DIFFERENT") || !strings.Contains(message, difference) {
			t.Errorf("%s: not told what differs:\n%s", name, text)
		}
	}
	w.onceAtSEND("1")
}
