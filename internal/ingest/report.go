package ingest

import (
	"slices"
	"strings"
	"time"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// Report is what one pass did and what it left.
type Report struct {
	Flow    string
	Taken   []Taken   // batches that this pass brought to an end of their reading
	Waiting []Waiting // every file that was left, with its reason; sorted by name
	Foreign []Foreign // claims of other installations older than a day
	// Released are batches that a file in in/ let go.
	Released []string
	// Blind is why the drop could not be looked at at all; nil if it was.
	Blind error
	// Next is when a file may become ready by time alone; zero = by a change only.
	Next time.Time
	// Settling is the number of exports and documents that only need time: `once`
	// stays for them, at most twice Settle.
	Settling int
}

// Taken is a batch that was read, or rejected whole.
type Taken struct {
	Batch   string
	File    string // export, relative to in/
	State   ledger.BatchState
	Rows    int
	New     int
	Problem *notification.Problem // why UNREADABLE
}

// Waiting is a file that lies in the drop, or a claimed batch that cannot go on.
type Waiting struct {
	File    string // relative to in/
	Batch   string // if it is claimed
	Code    string // C-…
	Text    string // for people, in the flow's language
	Missing []string
	Since   time.Time // first seen
	Next    time.Time // when time alone may change it; zero = never

	size     int64
	modified time.Time
	first    time.Time // first seen with this size and time
	settling bool      // needs nothing but time
	silent   bool      // not written to the ledger: nobody needs to act
}

// Foreign is a claim of another installation that has not been finished for a day.
type Foreign struct {
	Batch        string
	Installation string
	Flow         string
	ClaimedAt    time.Time
	Text         string
}

// Waiting is what the last pass of the flow left, sorted by name.
func (i *Ingest) Waiting(flow string) []Waiting {
	st := i.state(flow)
	st.waitMu.Lock()
	defer st.waitMu.Unlock()
	return slices.Clone(st.waiting)
}

// add puts what waits into the report.
func (r *Report) add(w Waiting) {
	r.Waiting = append(r.Waiting, w)
	if w.settling {
		r.Settling++
	}
	if !w.Next.IsZero() && (r.Next.IsZero() || w.Next.Before(r.Next)) {
		r.Next = w.Next
	}
}

func (r *Report) sort() {
	slices.SortFunc(r.Waiting, func(a, b Waiting) int { return strings.Compare(a.File, b.File) })
}
