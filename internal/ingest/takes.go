package ingest

import "time"

// takes answers whether a document may leave the drop (rule 26): not while an export
// that waits names it.
type takes struct {
	named   map[string]int // source → exports that wait and name it
	unknown int            // exports that wait and may yet name anything
}

// takeAnswer says when a document may leave the drop.
type takeAnswer int

const (
	takeNow   takeAnswer = iota
	takeLater            // an export is there that has not been examined
	takeNever            // another export names it and will take it
)

// newTakes knows the exports that wait. One that cannot be examined counts as one
// that may name anything only for a while: a mark left by a crashed program would
// otherwise keep every document in the drop for ever.
func newTakes(f *Flow, verdicts []*verdict, now time.Time) *takes {
	t := &takes{named: map[string]int{}}
	for _, v := range verdicts {
		switch {
		case v.needs == nil && now.Sub(v.wait.Since) < grace(f):
			t.unknown++
		case v.needs != nil:
			for _, source := range v.awaited {
				t.named[source]++
			}
		}
	}
	return t
}

// claimed tells that an export waits no longer.
func (t *takes) claimed(v *verdict) {
	for _, source := range v.awaited {
		t.named[source]--
	}
}

func (t *takes) mayTake(source string) takeAnswer {
	switch {
	case t.named[source] > 0:
		return takeNever
	case t.unknown > 0:
		return takeLater
	}
	return takeNow
}

// grace is how long something in the drop that fits nothing yet may still fit
// something to come.
func grace(f *Flow) time.Duration { return max(f.DocumentsDeadline, time.Hour) }
