package simulator

import (
	"slices"
	"sync"
)

// Rework injects a correction by SEND: the paper outcome of a recipient, and
// what followed from it, is declared void and told again with a new outcome
// code. Codes are those of the carrier, with an optional cause ("RECRN002C:M02")
// and the outcome OK or KO. It says whether there was an outcome to correct.
func (s *Simulator) Rework(iun string, recIndex int, code, status string) bool {
	defer s.enter()()
	n := s.byIUN[iun]
	if n == nil || recIndex < 0 || recIndex >= len(n.recipients) || n.status == statusCancelled {
		return false
	}
	first := slices.IndexFunc(n.elements, func(e element) bool {
		return e.cat == catAnalogFeedback && int(e.rec) == recIndex && !e.void && !e.mark.newAddress
	})
	if first < 0 {
		return false
	}
	attempt := n.elements[first].attempt
	n.reworks++
	now := s.clocks.platform().UnixNano()
	void := s.invalidate(n, first, int8(recIndex))
	s.add(n, element{cat: catReworked, rec: int8(recIndex), attempt: attempt, idx: uint16(n.reworks), extra: void, at: now})
	s.retell(n, recIndex, attempt, parseMark(code+"="+status), now)
	return true
}

// invalidate takes a recipient's elements from first on out of the timeline and
// moves the status back to what it was before them. It returns the part of the
// history that is void, with its elements in full.
func (s *Simulator) invalidate(n *notification, first int, rec int8) []m {
	req := sync.OnceValue(n.request)
	void := []m{}
	var kept []phase
	for i, p := range n.history {
		end := len(n.elements)
		if i+1 < len(n.history) {
			end = int(n.history[i+1].first)
		}
		gone := []timelineElement{}
		for j := int(p.first); j < end; j++ {
			e := &n.elements[j]
			if j >= first && e.rec == rec && outcomeCategory(e.cat) {
				gone = append(gone, s.render(n, req, e))
				e.void = true
			}
		}
		if len(gone) > 0 {
			void = append(void, m{"status": p.status, "activeFrom": stampNano(p.at), "relatedTimelineElements": gone})
		}
		causedByVoid := i > 0 && int(p.first) < len(n.elements) && n.elements[p.first].void
		if !causedByVoid {
			kept = append(kept, p)
		}
	}
	n.history = kept
	n.status = kept[len(kept)-1].status
	r := &n.recipients[rec]
	r.outcome, r.refinedAt, r.refineAt, r.path = open, 0, 0, nil
	return void
}

// outcomeCategory is what an outcome and its consequences are made of.
func outcomeCategory(c category) bool {
	switch c {
	case catAnalogFeedback, catAnalogSuccess, catAnalogFailure, catDeceased, catPrepareAnalogFailure,
		catUnreachableRequest, catUnreachable, catScheduleRefinement, catRefinement:
		return true
	}
	return false
}

// retell lets the recipient walk through the corrected end of his path.
func (s *Simulator) retell(n *notification, i int, attempt uint8, k *mark, at int64) {
	generation := n.reworks
	closing, happen := closePaper(k)
	p := path{{atOnce, func(w *walk) bool {
		w.add(element{cat: catAnalogFeedback, at: w.at, attempt: attempt, mark: k})
		return true
	}}}
	p = append(p, closing...)
	if happen != nil {
		p = append(p, *happen)
	}
	n.recipients[i].generation = generation
	n.recipients[i].path, n.recipients[i].pos = p, 0
	s.schedule(at, taskStep, n, i)
}

// Publish offers the latest element of a notification to its streams once more,
// as if the platform had repeated itself.
func (s *Simulator) Publish(iun string) {
	defer s.enter()()
	if n := s.byIUN[iun]; n != nil && len(n.elements) > 0 {
		s.publish(n, len(n.elements)-1, false)
	}
}
