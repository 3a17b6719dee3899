package simulator

import (
	"strings"
	"time"
)

// Prices of one letter in euro cents, without VAT.
const (
	costAR     = 550
	cost890    = 890
	costRIR    = 810
	costSimple = 320
)

// paperTable tells each path's story in the carrier's codes, by UAT keyword in
// lower case. An attempt is a list of codes; "|" parts attempts. After a code
// stand the scans that come with it (+Plico,Indagine), the cause (:M01) and, if
// the code is the attempt's outcome, =OK or =KO; =KO! means that the carrier
// found another address. A path ends OK, unreachable or, by cause M02, deceased.
func paperTable() map[string]string {
	const (
		arOK       = "RECRN001B+AR RECRN001C=OK"
		arLost     = "RECRN002E:M01+Plico,Indagine RECRN002F:M01=KO"
		arMoved    = "RECRN002E:M04+Plico,Indagine RECRN002F:M04=KO!"
		arUnknown  = "RECRN002E:M07+Plico RECRN002F:M07=KO"
		arDepot    = "RECRN010 RECRN011 "
		okAct      = "RECAG001B+23L RECAG001C=OK"
		lostAct    = "RECAG003E:M01+Plico,Indagine RECAG003F:M01=KO"
		movedAct   = "RECAG003E:M04+Plico,Indagine RECAG003F:M04=KO!"
		unknownAct = "RECAG003E:M07+Plico RECAG003F:M07=KO"
		depotAct   = "RECAG010 RECAG011A RECAG011B+ARCAD "
		judicial   = "RECAG012 PNAG012=OK "
	)
	return map[string]string{
		"ok_ar":                          arOK,
		"fail_ar":                        "RECRN002B:M02+Plico RECRN002C:M02=OK",
		"fail-irreperibile_ar":           arLost,
		"ok-retry_ar":                    "RECRN006:F02 CON080 " + arOK,
		"fail-discovery_ar":              arMoved + "|" + arOK,
		"fail-discoveryirreperibile_ar":  arMoved + "|" + arLost,
		"fail-indirizzoinesistente_ar":   arUnknown,
		"ok-nonrendicontabile_ar":        "RECRN013 CON080 " + arOK,
		"ok-causaforzamaggiore_ar":       "RECRN015:C01 CON080 " + arOK,
		"ok-giacenza_ar":                 arDepot + "RECRN003B+AR RECRN003C=OK",
		"ok-giacenza-gt10_ar":            arDepot + "PNRN012=OK RECRN003B+AR RECRN003C",
		"fail-giacenza_ar":               arDepot + "RECRN004B:M05+Plico RECRN004C:M05=OK",
		"fail-giacenza-gt10_ar":          arDepot + "PNRN012=OK RECRN004B:M05+Plico RECRN004C:M05",
		"fail-compiutagiacenza_ar":       arDepot + "PNRN012=OK RECRN005B+Plico RECRN005C",
		"ok_890":                         okAct,
		"fail_890":                       "RECAG003B:M02+Plico RECAG003C:M02=OK",
		"fail-irreperibile_890":          lostAct,
		"fail-discoveryirreperibile_890": movedAct + "|" + lostAct,
		"fail-indirizzoinesistente_890":  unknownAct,
		"ok-retry_890":                   "RECAG004:F02 CON080 " + okAct,
		"fail-discovery_890":             movedAct + "|" + okAct,
		"fail-indirizzoinesatto_890":     "RECAG003E:M06+Plico RECAG003F:M06=KO",
		"ok-nonrendicontabile_890":       "RECAG013 CON080 " + okAct,
		"ok-causaforzamaggiore_890":      "RECAG015:C01 CON080 " + okAct,
		"ok-personaabilitata_890":        "RECAG002B+23L RECAG002C=OK",
		"ok-compiutagiacenza_890":        depotAct + judicial + "RECAG008B+Plico RECAG008C",
		"ok-giacenza-gt10_890":           depotAct + judicial + "RECAG005B+23L RECAG005C",
		"ok-giacenza-lte10_890":          depotAct + "RECAG005B+23L RECAG005C=OK",
		"ok-giacenzadelegato-gt10_890":   depotAct + judicial + "RECAG006B+23L RECAG006C",
		"ok-giacenzadelegato-lte10_890":  depotAct + "RECAG006B+23L RECAG006C=OK",
		"fail-giacenza-gt10_890":         depotAct + judicial + "RECAG007B:M05+Plico RECAG007C:M05",
		"fail-giacenza-lte10_890":        depotAct + "RECAG007B:M05+Plico RECAG007C:M05=OK",
		"ok_rir":                         "RECRI001 RECRI002 RECRI003B+AR RECRI003C=OK",
		"fail_rir":                       "RECRI001 RECRI002 RECRI004B:M01+Plico RECRI004C:M01=KO",
		"fail-irreperibile_rir":          "RECRI001 RECRI002 RECRI004B:M01+Plico RECRI004C:M01=KO",
	}
}

// paperPath makes the path of one story. Every attempt starts with the printing
// and the certified copy of the AAR.
func paperPath(story string) path {
	p := append(opening(), chooseAnalog()...)
	attempts := strings.Split(story, "|")
	for i, codes := range attempts {
		p = append(p, dispatch(uint8(i))...)
		p = append(p, carrierSteps(strings.Fields("CON080 CON020+Copia_Conforme_AAR "+codes), uint8(i), i == len(attempts)-1)...)
	}
	return p
}

// chooseAnalog finds no digital address anywhere and plans the letter.
func chooseAnalog() path {
	return path{{atOnce, func(w *walk) bool {
		w.add(element{cat: catGetAddress, at: w.at, source: platform})
		w.add(element{cat: catGetAddress, at: w.at, source: special})
		w.courtesy()
		if w.r.courtesy {
			w.add(element{cat: catProbableAnalogDate, at: w.at})
		}
		w.add(element{cat: catRegistryCall, at: w.at})
		w.add(element{cat: catRegistryResponse, at: w.at})
		w.add(element{cat: catGetAddress, at: w.at, source: general})
		w.add(element{cat: catScheduleAnalog, at: w.at})
		return true
	}}}
}

// dispatch prepares and sends one letter, unless the recipient has opened the
// notification or the sender reported his payment meanwhile.
func dispatch(attempt uint8) path {
	return path{
		{prepareAt(attempt), func(w *walk) bool {
			if w.needless() {
				return false
			}
			w.r.attempt, w.r.idx = attempt, 0
			w.add(element{cat: catPrepareAnalog, at: w.at, attempt: attempt})
			return true
		}},
		{wait(func(t *Timings) time.Duration { return t.AnalogSend }), func(w *walk) bool {
			if w.needless() {
				return false
			}
			cost := int32(costAR)
			switch {
			case w.r.foreign:
				cost = costRIR
			case w.n.registered890:
				cost = cost890
			}
			w.r.analogCost += cost
			w.r.letters++
			w.add(element{cat: catSendAnalog, at: w.at, attempt: attempt, cost: cost})
			return true
		}},
	}
}

// prepareAt is when a letter is prepared: the first one waits for a courtesy
// message to be read.
func prepareAt(attempt uint8) func(*walk) int64 {
	return func(w *walk) int64 {
		at := after(w.at, w.t().AnalogPrepare)
		if w.r.courtesy && attempt == 0 {
			at = after(at, w.t().CourtesyWait)
		}
		return at
	}
}

// needless ends a path whose letter nobody needs any more: the recipient has
// opened the notification, or the sender has reported his payment.
func (w *walk) needless() bool {
	if w.r.viewedAt == 0 && !w.r.paid {
		return false
	}
	w.close(reached)
	return true
}

// carrierSteps turns codes into steps. After the outcome of the last attempt
// the path closes; codes that follow still arrive, before the term runs out.
func carrierSteps(codes []string, attempt uint8, last bool) path {
	var p path
	var end *step
	for _, text := range codes {
		k := parseMark(text)
		p = append(p, step{wait(func(t *Timings) time.Duration { return t.AnalogProgress }), report(k, attempt)})
		if k.status == "" || !last {
			continue
		}
		closing, happen := closePaper(k)
		p, end = append(p, closing...), happen
	}
	if end != nil {
		p = append(p, *end)
	}
	return p
}

func report(k *mark, attempt uint8) func(*walk) bool {
	return func(w *walk) bool {
		e := element{cat: catAnalogProgress, at: w.at, attempt: attempt, mark: k}
		if k.status != "" {
			e.cat = catAnalogFeedback
		} else {
			w.r.idx++
			e.idx = w.r.idx
		}
		w.add(e)
		return true
	}
}

// closePaper is the end of the paper path after its outcome.
func closePaper(k *mark) (closing path, happen *step) {
	if k.cause == "M02" {
		return path{{atOnce, func(w *walk) bool {
			w.close(deceased)
			w.add(element{cat: catDeceased, at: w.at, cost: 100 + w.r.analogCost})
			return true
		}}}, nil
	}
	plan, refine := refinement(func(t *Timings) time.Duration { return t.AnalogRefinement })
	if k.status == "KO" {
		return path{{atOnce, unreachableEnd}, plan}, &refine
	}
	return path{{atOnce, func(w *walk) bool {
		w.close(reached)
		w.add(element{cat: catAnalogSuccess, at: w.at, attempt: w.r.attempt})
		return true
	}}, plan}, &refine
}

// unreachableEnd looks for another address in vain and deposits the notice.
func unreachableEnd(w *walk) bool {
	if w.r.attempt == 0 {
		w.add(element{cat: catPrepareAnalogFailure, at: w.at, attempt: 1})
	}
	w.add(element{cat: catAnalogFailure, at: w.at})
	w.add(element{cat: catUnreachableRequest, at: w.at})
	w.close(unreachable)
	w.add(element{cat: catUnreachable, at: w.at})
	return true
}

// parseMark reads one code of a story: CODE[:CAUSE][+SCAN,SCAN][=STATUS[!]].
func parseMark(text string) *mark {
	k := &mark{}
	text, k.status, _ = strings.Cut(text, "=")
	k.status, k.newAddress = strings.TrimSuffix(k.status, "!"), strings.HasSuffix(k.status, "!")
	text, scans, found := strings.Cut(text, "+")
	if found {
		k.scans = strings.Split(strings.ReplaceAll(scans, "_", " "), ",")
	}
	k.code, k.cause, _ = strings.Cut(text, ":")
	return k
}
