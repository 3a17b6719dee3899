package connector

import (
	"time"

	"sendconnector/internal/notification"
)

// maxSkew is how far this machine's clock may be from SEND's before it is told: an
// assertion for PDND lives two minutes, and SEND has no tolerance for vouchers.
const maxSkew = 90 * time.Second

// clockFault is the sentence for a clock that is wrong, "" for a good one. A fast
// clock stops nothing, so that nobody would notice it.
func (c *Connector) clockFault(s *sender) string {
	skew := s.client.Skew()
	if skew.Abs() <= maxSkew {
		return ""
	}
	return notification.New(c.lang, "C-CLOCK", "", "difference", notification.ClockDifference(skew)).Message
}

// sayClock logs a wrong clock once, and once that it is right again.
func (c *Connector) sayClock(s *sender) {
	fault, state := c.clockFault(s), ""
	if fault != "" {
		state = "wrong"
	}
	switch changed := c.notices.changed("clock seen by "+s.name, state); {
	case changed && fault != "":
		c.opts.Log.Warn("the clock is wrong", "sender", s.name, "message", fault)
	case changed:
		c.opts.Log.Info("the clock is right again", "sender", s.name)
	}
}
