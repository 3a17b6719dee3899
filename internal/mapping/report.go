package mapping

import "sendconnector/internal/notification"

// maxReported bounds the problems a report lists one by one; the rest is counted.
const maxReported = 10_000

// Report is what a profile makes of a real export, for `profile check` and `preview`.
type Report struct {
	Rows     int          `json:"rows"`
	Drafts   int          `json:"notifications"`
	Stopped  int          `json:"stopped"` // drafts that would not be sent
	Problems []RowProblem `json:"problems"`
	More     int          `json:"more"` // problems not listed
	First    []*Draft     `json:"-"`    // the first drafts, with their requests
}

// RowProblem is a problem and the row it was found in.
type RowProblem struct {
	Row int `json:"row"`
	notification.Problem
}

// Check maps a whole export and collects what is wrong with it, keeping the first
// drafts to be shown. validate judges each request, as notification.Validate does;
// nothing is written or sent.
func (m *Mapper) Check(rows Rows, reopen func() (Rows, error), validate func(*notification.Request) []notification.Problem, first int) (Report, error) {
	var r Report
	for d, err := range m.Drafts(rows, reopen) {
		if err != nil {
			return r, err
		}
		if d.Request != nil {
			d.Attach(validate(d.Request))
		}
		r.Drafts++
		if d.Stopped() {
			r.Stopped++
		}
		if len(r.First) < first {
			r.First = append(r.First, d)
		}
		for i := range d.Rows {
			r.Rows++
			r.add(d.Rows[i].Row.Number, d.RowProblems(i))
		}
	}
	return r, nil
}

func (r *Report) add(row int, problems []notification.Problem) {
	for _, p := range problems {
		if len(r.Problems) == maxReported {
			r.More++
			continue
		}
		r.Problems = append(r.Problems, RowProblem{row, p})
	}
}
