package simulator

import "net/http"

// cancel is PUT /delivery-push/v2.0/notifications/cancel/{iun}: 202 in any case
// that is the caller's own; the code inside tells the cases apart.
func (s *Simulator) cancel(c *call) {
	if _, ok := c.iunParam(); !ok {
		return
	}
	defer s.enter()()
	n := s.pushNotification(c)
	if n == nil {
		return
	}
	code, level := "NOTIFICATION_CANCELLATION_ACCEPTED", "INFO"
	switch {
	case n.status == statusRefused:
		code, level = "NOTIFICATION_REFUSED", "WARN"
	case n.cancelAsked:
		code, level = "NOTIFICATION_ALREADY_CANCELLED", "WARN"
	default:
		n.cancelAsked = true
		now := s.clocks.platform().UnixNano()
		s.add(n, element{cat: catCancellationRequest, rec: -1, at: now})
		s.schedule(after(now, s.opt.Timings.Cancellation), taskCancelled, n, -1)
	}
	c.json(http.StatusAccepted, m{"status": "OK", "details": []m{{"code": code, "level": level, "detail": code}}})
}

// completeCancellation ends a notification, unless it was refused meanwhile.
func (s *Simulator) completeCancellation(n *notification, at int64) {
	if n.status == statusRefused {
		return
	}
	open := []int{}
	for i := range n.recipients {
		if n.recipients[i].refinedAt == 0 && n.recipients[i].viewedAt == 0 {
			open = append(open, i)
		}
	}
	s.add(n, element{cat: catCancelled, rec: -1, at: at, extra: open})
	s.schedule(after(at, s.opt.Timings.NoticeRelease), taskRelease, n, -1)
}
