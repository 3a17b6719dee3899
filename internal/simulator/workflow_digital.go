package simulator

import "time"

// pecDelivered is the digital path that works: the PEC of the request.
func pecDelivered() path {
	p := append(opening(), chooseDigital()...)
	p = append(p, pecAttempt(0, mark{code: "C003", status: "OK"})...)
	plan, happen := refinement(func(t *Timings) time.Duration { return t.DigitalRefinement })
	return append(p,
		step{atOnce, func(w *walk) bool {
			w.add(element{cat: catDigitalDeliveryRequest, at: w.at})
			w.close(reached)
			w.add(element{cat: catDigitalSuccess, at: w.at})
			return true
		}}, plan, happen)
}

// pecFailed is the digital path that fails twice and ends with a simple letter.
func pecFailed(simple string) path {
	failure := mark{code: "C004", cause: "C004", status: "KO"}
	p := append(opening(), chooseDigital()...)
	p = append(p, pecAttempt(0, failure)...)
	p = append(p, step{atOnce, func(w *walk) bool {
		w.add(element{cat: catScheduleDigital, at: w.at, source: special})
		return true
	}}, step{wait(func(t *Timings) time.Duration { return t.DigitalSecondAttempt }), func(w *walk) bool {
		w.add(element{cat: catPrepareDigital, at: w.at, source: special, attempt: 1})
		return w.r.viewedAt == 0
	}})
	p = append(p, pecAttempt(1, failure)...)
	p = append(p, step{atOnce, func(w *walk) bool {
		w.add(element{cat: catDigitalDeliveryRequest, at: w.at, flag: true})
		w.add(element{cat: catDigitalFailure, at: w.at})
		return true
	}})
	return append(p, simpleLetter(simple)...)
}

// chooseDigital looks at the three sources; only the request's own works.
func chooseDigital() path {
	return path{{atOnce, func(w *walk) bool {
		w.add(element{cat: catGetAddress, at: w.at, source: platform})
		w.add(element{cat: catGetAddress, at: w.at, source: special, flag: true})
		w.courtesy()
		return true
	}}}
}

// courtesy sends the courtesy message of who has the app.
func (w *walk) courtesy() {
	req := w.n.request()
	if w.s.share("courtesy", req.Recipients[w.rec].TaxID) < w.s.opt.Mix.Courtesy {
		w.r.courtesy = true
		w.add(element{cat: catCourtesy, at: w.at})
	}
}

// pecAttempt is one PEC: handed over, accepted by the provider, its outcome.
func pecAttempt(attempt uint8, final mark) path {
	accepted := &mark{code: "C001"}
	return path{
		{wait(func(t *Timings) time.Duration { return t.DigitalSend }), func(w *walk) bool {
			w.add(element{cat: catSendDigital, at: w.at, source: special, attempt: attempt})
			return true
		}},
		{wait(func(t *Timings) time.Duration { return t.DigitalFeedback / 2 }), func(w *walk) bool {
			w.add(element{cat: catDigitalProgress, at: w.at, source: special, attempt: attempt, idx: 1, mark: accepted})
			return true
		}},
		{wait(func(t *Timings) time.Duration { return t.DigitalFeedback / 2 }), func(w *walk) bool {
			w.add(element{cat: catDigitalFeedback, at: w.at, source: special, attempt: attempt, mark: &final})
			return true
		}},
	}
}

// simpleLetter tells the recipient by ordinary registered letter that something
// waits for him on the platform.
func simpleLetter(code string) path {
	report := &mark{code: code}
	plan, happen := refinement(func(t *Timings) time.Duration { return t.DigitalFailure })
	return path{
		{wait(func(t *Timings) time.Duration { return t.AnalogPrepare }), func(w *walk) bool {
			if w.r.viewedAt != 0 {
				return false
			}
			w.add(element{cat: catPrepareSimple, at: w.at})
			return true
		}},
		{wait(func(t *Timings) time.Duration { return t.AnalogSend }), func(w *walk) bool {
			w.r.analogCost += costSimple
			w.r.letters++
			w.close(reached)
			w.add(element{cat: catSendSimple, at: w.at, cost: costSimple})
			return true
		}},
		plan,
		{wait(func(t *Timings) time.Duration { return t.AnalogProgress }), func(w *walk) bool {
			w.add(element{cat: catSimpleProgress, at: w.at, idx: 1, mark: report})
			return true
		}},
		happen,
	}
}
