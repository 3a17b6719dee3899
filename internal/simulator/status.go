package simulator

import (
	"net/http"
	"slices"
	"time"
)

type incident struct {
	functionality string
	since         time.Time
}

// SetIncident opens or closes an incident of a functionality, as /status shows
// it: NOTIFICATION_CREATE, NOTIFICATION_VISUALIZATION, NOTIFICATION_WORKFLOW.
func (s *Simulator) SetIncident(functionality string, open bool) {
	defer s.enter()()
	s.incidents = slices.DeleteFunc(s.incidents, func(i incident) bool { return i.functionality == functionality })
	if open {
		s.incidents = append(s.incidents, incident{functionality, s.clocks.platform()})
	}
}

// status is GET /status: 500 with the same body while something is degraded.
func (s *Simulator) status(c *call) {
	defer s.enter()()
	open := []m{}
	for _, i := range s.incidents {
		open = append(open, m{"functionality": i.functionality, "status": "KO", "startDate": stamp(i.since)})
	}
	status := http.StatusOK
	if len(open) > 0 {
		status = http.StatusInternalServerError
	}
	c.write(status, "application/problem+json", mustJSON(m{
		"functionalities": []string{"NOTIFICATION_CREATE", "NOTIFICATION_VISUALIZATION", "NOTIFICATION_WORKFLOW"},
		"openIncidents":   open,
	}))
}
