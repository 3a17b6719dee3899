package notification

import (
	"slices"
	"strings"
)

// Part names what two requests of one protocol number can differ in.
type Part string

// The parts, in the order in which Differences gives them. The first three stop a
// row whose key is taken; PartOther is only a warning (rules.md, rule 8).
const (
	PartTaxIDs  Part = "taxIds"
	PartNotices Part = "notices"
	PartSubject Part = "subject"
	PartOther   Part = "other"
)

// Difference is one part in which two requests are not equal: what only the old
// one has and what only the new one has, sorted. Both lists are empty for PartOther.
type Difference struct {
	Part    Part
	Missing []string // in old, not in new
	Added   []string // in new, not in old
}

// Differences compares two requests of the same key as rules 8, 9 and 14 do:
// recipients' tax codes, notices, subject, and whether anything else of the
// normalised request differs (said only where the first three agree). Token, references, file names, document bytes and
// the order of recipients and payments do not count.
func Differences(old, new *Request) []Difference {
	var ds []Difference
	add := func(part Part, was, is []string) {
		if missing, added := without(was, is), without(is, was); len(missing)+len(added) > 0 {
			ds = append(ds, Difference{Part: part, Missing: missing, Added: added})
		}
	}
	add(PartTaxIDs, taxIDs(old), taxIDs(new))
	add(PartNotices, noticeTexts(old), noticeTexts(new))
	add(PartSubject, []string{old.Subject}, []string{new.Subject})
	if len(ds) == 0 && FingerprintOf(old).Body != FingerprintOf(new).Body {
		ds = append(ds, Difference{Part: PartOther})
	}
	return ds
}

func noticeTexts(r *Request) []string {
	pairs := sortedNotices(r)
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = p.Notice + " (" + p.Creditor + ")"
	}
	return texts
}

// without gives the elements of a that b lacks, keeping their order.
func without(a, b []string) []string {
	var rest []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			rest = append(rest, s)
		}
	}
	return rest
}

// Describe says differences in one phrase for a message, such as "codici fiscali
// (prima: …; ora: …), oggetto (…)". "" for none.
func Describe(lang Lang, ds []Difference) string {
	words := map[Part][2]string{
		PartTaxIDs:  {"codici fiscali dei destinatari", "tax codes of the recipients"},
		PartNotices: {"avvisi pagoPA", "pagoPA notices"},
		PartSubject: {"oggetto", "subject"},
		PartOther:   {"altri dati della richiesta", "other data of the request"},
	}
	was, is := "solo prima: ", "solo ora: "
	if lang == English {
		was, is = "only before: ", "only now: "
	}
	var phrases []string
	for _, d := range ds {
		phrase := words[d.Part][0]
		if lang == English {
			phrase = words[d.Part][1]
		}
		var sides []string
		if len(d.Missing) > 0 {
			sides = append(sides, was+strings.Join(d.Missing, ", "))
		}
		if len(d.Added) > 0 {
			sides = append(sides, is+strings.Join(d.Added, ", "))
		}
		if len(sides) > 0 {
			phrase += " (" + strings.Join(sides, "; ") + ")"
		}
		phrases = append(phrases, phrase)
	}
	return strings.Join(phrases, ", ")
}
