package connector

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Outcomes tells counts by outcome in one line: "12 PERFEZIONATA, 3 SCARTATA".
func Outcomes(counts map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if counts[name] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	return strings.Join(parts, ", ")
}

// rome is the zone of everything that a person reads, wherever the machine stands.
var rome = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		return time.UTC // not linked in: the offset that is printed says so
	}
	return zone
})

// Clock writes an instant for a person, in Italy's time and with its offset: batch ids and
// outbound files are in the same zone.
func Clock(t time.Time) string { return t.In(rome()).Format("2006-01-02 15:04:05 -07:00") }

func sortMoments(all []Moment) {
	slices.SortStableFunc(all, func(a, b Moment) int { return a.At.Compare(b.At) })
}
