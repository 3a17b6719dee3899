package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"sendconnector/internal/notification"
)

// typical is an item as a TARI export gives it: 17 columns, one recipient, two PDFs.
func typical(n int) Item {
	g := tari(n)
	r := g.request()
	r.Recipients[0].Denomination = fmt.Sprintf("Cognome%d Nome%d", n%977, n%883)
	r.Recipients[0].PhysicalAddress.Address = fmt.Sprintf("VIA %s %d", []string{"ROMA", "GARIBALDI", "MAZZINI", "DANTE ALIGHIERI"}[n%4], n%250)
	r.Recipients[0].Payments[0].PagoPa.Attachment = &notification.Attachment{File: fmt.Sprintf("avvisi/%s.pdf", g.notices[0]), ContentType: notification.ContentPDF}
	it := g.item(n + 2)
	it.Request = r
	pay := hashOf("avviso" + g.protocol)
	it.Documents = append(it.Documents, Document{
		Field: "recipients[0].payments[0].pagoPa.attachment", File: fmt.Sprintf("avvisi/%s.pdf", g.notices[0]),
		Spool: fmt.Sprintf("spool/%x", pay[:8]), Hash: fmt.Sprintf("%x", pay), Size: 48_211, ContentType: notification.ContentPDF,
	})
	it.Rows[0].Cells = []string{
		g.protocol, r.Recipients[0].Denomination, g.taxIDs[0], r.Recipients[0].PhysicalAddress.Address, "00184", "ROMA", "RM",
		"2021", "01/02/2026", fmt.Sprintf("%d,%02d", 50+n%400, n%100), g.notices[0], "Avviso di accertamento TARI",
		it.Documents[0].File, it.Documents[1].File, "AR", "S", fmt.Sprint(n),
	}
	return it
}

func benchLedger(b *testing.B, sync bool) *world {
	w := &world{t: b, path: filepath.Join(b.TempDir(), "ledger.db"), now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	l, err := Open(w.path, Options{Clock: func() time.Time { return w.now }, NoSync: !sync})
	w.ok(err)
	w.l = l
	b.Cleanup(func() { _ = l.Close() })
	return w
}

func prepared(n int) []Item {
	all := make([]Item, n)
	for i := range all {
		all[i] = typical(i)
	}
	return all
}

// BenchmarkAdmit compares admission with the bare puts of the same keys and values
// in transactions of 1,000 (target: at most 3 times), and gives the bytes of the
// file for each notification (target: 3 kB).
func BenchmarkAdmit(b *testing.B) {
	const n = 50_000
	all := prepared(n)
	for b.Loop() {
		w := benchLedger(b, true)
		start := time.Now()
		lot := w.batch()
		w.ok(w.l.Begin(bg, lot))
		for at := 0; at < n; at += chunk {
			_, err := w.l.Admit(bg, lot.ID, all[at:at+chunk])
			w.ok(err)
		}
		_, err := w.l.Seal(bg, lot.ID, Sealing{MaxNotifications: -1})
		w.ok(err)
		admitted := time.Since(start)
		st, err := os.Stat(w.path)
		w.ok(err)
		bare := replay(b, w, chunk)
		b.ReportMetric(float64(admitted)/float64(bare), "x-bare-puts")
		b.ReportMetric(float64(st.Size())/n, "B/notification")
		b.ReportMetric(float64(used(w))/n, "used-B/notification")
		b.ReportMetric(float64(admitted.Microseconds())/n, "us/notification")
	}
}

// used is what of the file holds records; the rest is room that bbolt has taken
// ahead.
func used(w *world) int64 {
	free := w.l.db.Stats().FreePageN + w.l.db.Stats().PendingPageN
	var size int64
	w.ok(w.l.View(bg, func(t *Tx) error {
		size = t.b.Size()
		return nil
	}))
	return size - int64(free)*4096
}

// replay puts every key and value of the ledger into a bare bbolt file, in the order
// of notifications, so many notifications in a transaction.
func replay(b *testing.B, w *world, each int) time.Duration {
	type pair struct {
		in   bucket
		k, v []byte
	}
	var chunks [][]pair
	w.ok(w.l.View(bg, func(t *Tx) error {
		total := 0
		for in := range nBuckets {
			i := 0
			if err := t.each(in, nil, nil, func(k, v []byte) (bool, error) {
				at := i / each
				if in == bAct { // its keys are digests: they come in the order of their ids
					at = int(idFrom(k[len(k)-8:])-1) / each
				}
				for len(chunks) <= at {
					chunks = append(chunks, nil)
				}
				chunks[at] = append(chunks[at], pair{in, append([]byte(nil), k...), append([]byte(nil), v...)})
				i++
				total++
				return true, nil
			}); err != nil {
				return err
			}
		}
		return nil
	}))
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "bare.db"), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType, NoStatistics: true})
	w.ok(err)
	defer db.Close() //nolint:errcheck // a benchmark's scratch file
	w.ok(db.Update(func(tx *bbolt.Tx) error {
		for _, name := range bucketNames {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return err
			}
		}
		return nil
	}))
	start := time.Now()
	for _, pairs := range chunks {
		w.ok(db.Update(func(tx *bbolt.Tx) error {
			for _, p := range pairs {
				if err := tx.Bucket([]byte(bucketNames[p.in])).Put(p.k, p.v); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	return time.Since(start)
}

// BenchmarkOpenMillion opens a ledger of 1,000,000 notifications (target: 1 s).
func BenchmarkOpenMillion(b *testing.B) {
	const n = 1_000_000
	w := benchLedger(b, false)
	lot := w.batch()
	w.ok(w.l.Begin(bg, lot))
	for at := 0; at < n; at += chunk {
		all := make([]Item, chunk)
		for i := range all {
			all[i] = typical(at + i)
		}
		_, err := w.l.Admit(bg, lot.ID, all)
		w.ok(err)
	}
	_, err := w.l.Seal(bg, lot.ID, Sealing{MaxNotifications: -1})
	w.ok(err)
	b.ResetTimer()
	for b.Loop() {
		w.restart()
		if due := w.due(); len(due) != 1000 {
			b.Fatal(len(due))
		}
	}
}

// lifeEvents is a timeline as SEND gives it: by post, to the end.
func lifeEvents(n *Notification) []*Event {
	var all []*Event
	iun := iunOf(n)
	at := time.Date(2026, 11, 23, 8, 0, 0, 123456789, time.UTC)
	for i, c := range []struct{ category, id, details string }{
		{"REQUEST_ACCEPTED", "REQUEST_ACCEPTED.IUN_" + iun, `"paProtocolNumber":"` + n.Key.Protocol + `","idempotenceToken":"` + n.Token + `","notificationRequestId":"` + n.RequestID + `"`},
		{"AAR_GENERATION", "AAR_GEN.IUN_" + iun + ".RECINDEX_0", `"recIndex":0,"generatedAarUrl":"safestorage://PN_AAR-` + fmt.Sprintf("%x", hashOf(iun)) + `.pdf","numberOfPages":1`},
		{"GET_ADDRESS", "GET_ADDRESS.IUN_" + iun + ".RECINDEX_0.SOURCE_PLATFORM.ATTEMPT_0", `"recIndex":0,"digitalAddressSource":"PLATFORM","isAvailable":false,"attemptDate":"2026-11-23T08:10:00.1Z"`},
		{"GET_ADDRESS", "GET_ADDRESS.IUN_" + iun + ".RECINDEX_0.SOURCE_GENERAL.ATTEMPT_0", `"recIndex":0,"digitalAddressSource":"GENERAL","isAvailable":false,"attemptDate":"2026-11-23T08:11:00.1Z"`},
		{"SEND_COURTESY_MESSAGE", "SEND_COURTESY_MESSAGE.IUN_" + iun + ".RECINDEX_0.COURTESYADDRESSTYPE_APPIO", `"recIndex":0,"digitalAddress":{"type":"APPIO","address":".."},"sendDate":"2026-11-23T08:12:00Z","ioSendMessageResult":"SENT_COURTESY"`},
		{"PREPARE_ANALOG_DOMICILE", "PREPARE_ANALOG_DOMICILE.IUN_" + iun + ".RECINDEX_0.ATTEMPT_0", `"recIndex":0,"physicalAddress":{"address":"VIA GARIBALDI 77","zip":"00184","municipality":"ROMA","province":"RM","foreignState":"ITALIA"},"serviceLevel":"AR_REGISTERED_LETTER","sentAttemptMade":0`},
		{"SEND_ANALOG_DOMICILE", "SEND_ANALOG_DOMICILE.IUN_" + iun + ".RECINDEX_0.ATTEMPT_0", `"recIndex":0,"physicalAddress":{"address":"VIA GARIBALDI 77","zip":"00184","municipality":"ROMA","province":"RM","foreignState":"ITALIA"},"serviceLevel":"AR_REGISTERED_LETTER","sentAttemptMade":0,"analogCost":653,"productType":"AR","numberOfPages":3,"envelopeWeight":25,"prepareRequestId":"PREPARE_ANALOG_DOMICILE.IUN_` + iun + `.RECINDEX_0.ATTEMPT_0"`},
		{"SEND_ANALOG_PROGRESS", "SEND_ANALOG_PROGRESS.IUN_" + iun + ".RECINDEX_0.ATTEMPT_0.IDX_1", `"recIndex":0,"notificationDate":"2026-11-24T01:00:00Z","deliveryDetailCode":"CON080","attachments":[],"sendRequestId":"SEND_ANALOG_DOMICILE.IUN_` + iun + `.RECINDEX_0.ATTEMPT_0","registeredLetterCode":"669999` + fmt.Sprint(uint64(n.ID)) + `"`},
		{"SEND_ANALOG_PROGRESS", "SEND_ANALOG_PROGRESS.IUN_" + iun + ".RECINDEX_0.ATTEMPT_0.IDX_2", `"recIndex":0,"notificationDate":"2026-11-27T01:00:00Z","deliveryDetailCode":"RECRN001B","attachments":[{"documentType":"AR","url":"safestorage://PN_EXTERNAL_LEGAL_FACTS-` + fmt.Sprintf("%x", hashOf("ar"+iun)) + `.pdf","date":"2026-11-27T00:00:00Z"}],"sendRequestId":"SEND_ANALOG_DOMICILE.IUN_` + iun + `.RECINDEX_0.ATTEMPT_0","registeredLetterCode":"669999` + fmt.Sprint(uint64(n.ID)) + `"`},
		{"SEND_ANALOG_FEEDBACK", "SEND_ANALOG_FEEDBACK.IUN_" + iun + ".RECINDEX_0.ATTEMPT_0", `"recIndex":0,"notificationDate":"2026-11-28T01:00:00Z","responseStatus":"OK","deliveryDetailCode":"RECRN001C","physicalAddress":{"address":"VIA GARIBALDI 77","zip":"00184","municipality":"ROMA","province":"RM","foreignState":"ITALIA"},"sentAttemptMade":0,"sendRequestId":"SEND_ANALOG_DOMICILE.IUN_` + iun + `.RECINDEX_0.ATTEMPT_0"`},
		{"ANALOG_SUCCESS_WORKFLOW", "ANALOG_SUCCESS_WORKFLOW.IUN_" + iun + ".RECINDEX_0", `"recIndex":0,"physicalAddress":{"address":"VIA GARIBALDI 77","zip":"00184","municipality":"ROMA","province":"RM","foreignState":"ITALIA"}`},
		{"SCHEDULE_REFINEMENT", "SCHEDULE_REFINEMENT_WORKFLOW.IUN_" + iun + ".RECINDEX_0", `"recIndex":0,"schedulingDate":"2026-12-08T01:00:00Z"`},
		{"NOTIFICATION_VIEWED", "NOTIFICATION_VIEWED.IUN_" + iun + ".RECINDEX_0", `"recIndex":0,"notificationCost":100,"eventTimestamp":"2026-12-01T10:00:00Z"`},
		{"REFINEMENT", "REFINEMENT.IUN_" + iun + ".RECINDEX_0", `"recIndex":0,"notificationCost":100,"eventTimestamp":"2026-12-08T01:00:00Z"`},
	} {
		when := at.Add(time.Duration(i) * 7 * time.Hour)
		stamp := when.Format(time.RFC3339Nano)
		facts := "[]"
		if promises(i) {
			facts = `[{"key":"safestorage://PN_LEGAL_FACTS-` + fmt.Sprintf("%x", hashOf(c.id))[:32] + `.pdf","category":"ANALOG_DELIVERY"}]`
		}
		raw := `{"elementId":"` + c.id + `","timestamp":"` + stamp + `","ingestionTimestamp":"` + stamp + `","eventTimestamp":"` + stamp + `","legalFactsIds":` + facts + `,"category":"` + c.category + `","details":{` + c.details + `}}`
		all = append(all, &Event{ID: n.ID, ElementID: c.id, Category: c.category, At: when, Raw: []byte(raw)})
	}
	return all
}

// wholeLife brings a notification from READY to its end, with events, documents and
// Changes.
func wholeLife(w *world, id ID) {
	w.send(id)
	w.accept(id)
	n := w.note(id)
	events := lifeEvents(n)
	for i, e := range events {
		w.now = e.At
		w.update(func(t *Tx) error {
			if _, err := t.AddEvent(e); err != nil {
				return err
			}
			n, err := t.Notification(id)
			if err != nil {
				return err
			}
			r, before := &n.Recipients[0], n.SENDStatus
			r.LastEvent, r.LastEventAt, n.LastEventAt = e.Category, e.At, e.At
			switch {
			case i == 6:
				r.Dispatched, n.SENDStatus = true, StatusDelivering
			case i == 9:
				n.SENDStatus = StatusDelivered
			case i == 12:
				r.Viewed, r.PerfectedAt, n.SENDStatus = e.At, e.At, StatusViewed
			case i == 13:
				r.Refined = e.At
				cost := 1005
				r.CostCent, r.CostFinal = &cost, true
			}
			if status := n.SENDStatus; status != before {
				n.SENDStatusAt = e.At
			}
			if err := t.PutNotificationBecause(n, Cause{Event: e.Category, EventAt: e.At}); err != nil || !promises(i) {
				return err
			}
			return t.PutArtifact(promised(n, e)) // as progress does: in the transaction of the event
		})
		if !promises(i) {
			continue
		}
		a := promised(n, e)
		for _, s := range []ArtifactState{Fetched, Placed} {
			a.State = s
			a.Filename, a.ContentType, a.Size, a.Hash, a.FetchedAt = a.Key, "application/pdf", 22_000, fmt.Sprintf("%x", hashOf(a.Key)), w.now
			if s == Placed {
				a.Path = "documenti/20261122T090000-00000001/" + n.Key.Protocol + "/" + strings.ToLower(n.IUN) + "_1_ANALOG_DELIVERY_abcdef01.pdf"
			}
			w.update(func(t *Tx) error { return t.PutArtifact(a) })
		}
	}
	w.update(func(t *Tx) error {
		n, err := t.Notification(id)
		if err != nil {
			return err
		}
		n.Closed = true
		return t.PutNotification(n)
	})
}

// promises tells which events of the timeline bring a document: acknowledgement, AAR,
// evidence of delivery, access.
func promises(i int) bool { return i == 0 || i == 1 || i == 9 || i == 12 }

func promised(n *Notification, e *Event) *Artifact {
	return &Artifact{ID: n.ID, Key: fmt.Sprintf("PN_LEGAL_FACTS-%x", hashOf(e.ElementID))[:47] + ".pdf", Category: "ANALOG_DELIVERY", ElementID: e.ElementID, EventAt: e.At, State: Wanted}
}

// Damage: the ledger of a body that sends a million notifications a year outgrows
// its disk. Targets: 3 kB a notification at admission; at its end (an analogue one
// with 14 events and 4 documents) 6 kB in a compact file, of which a ledger in use is
// a third more, for pages whose records grew are not full.
func TestBytesPerNotification(t *testing.T) {
	w := newWorld(t)
	const n = 400
	empty := used(w)
	lot := w.batch()
	w.ok(w.l.Begin(bg, lot))
	v, err := w.l.Admit(bg, lot.ID, prepared(n))
	w.ok(err)
	_, err = w.l.Seal(bg, lot.ID, Sealing{MaxNotifications: -1})
	w.ok(err)
	admitted := (used(w) - empty) / n
	for _, x := range v {
		wholeLife(w, x.ID)
	}
	ended := (used(w) - empty) / n
	copied := filepath.Join(t.TempDir(), "compact.db")
	w.ok(w.l.Compact(bg, copied))
	if err := w.l.Compact(bg, copied); err == nil {
		t.Error("a file that exists was overwritten")
	}
	if testing.Verbose() {
		report(t, w)
	}
	w.ok(w.l.Close())
	w.ok(os.Rename(copied, w.path))
	w.open()
	compact := (used(w) - empty) / n
	t.Logf("%d bytes a notification at admission, %d at its end, %d compact", admitted, ended, compact)
	if admitted > 3000 || ended > 7500 || compact > 6000 {
		t.Errorf("%d bytes a notification at admission (3,000 allowed), %d at its end (7,500), %d compact (6,000)", admitted, ended, compact)
	}
}

func report(t *testing.T, w *world) {
	w.ok(w.l.View(bg, func(tx *Tx) error {
		for b := range nBuckets {
			n, size := 0, 0
			if err := tx.each(b, nil, nil, func(k, v []byte) (bool, error) {
				n++
				size += len(k) + len(v)
				return true, nil
			}); err != nil {
				return err
			}
			if n > 10 {
				st := tx.bucket(b).Stats()
				t.Logf("%-12s %6d records, %4d bytes each, %4d%% of its pages used, %d kB", bucketNames[b], n, size/n, 100*st.LeafInuse/max(1, st.LeafAlloc), st.LeafAlloc>>10)
			}
		}
		return nil
	}))
}
