package outbox

import (
	"strconv"
	"time"
	_ "time/tzdata" // Windows has no zone files
)

// rome is the zone of every instant and date that is published.
var rome = loadRome()

// loadRome cannot fail, since the zone files are linked in.
func loadRome() *time.Location {
	zone, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		panic("outbox: zone Europe/Rome is not linked in: " + err.Error())
	}
	return zone
}

func cents(c *int) string {
	if c == nil {
		return ""
	}
	return strconv.Itoa(*c)
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(rome).Format("2006-01-02T15:04:05-07:00")
}

func date(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(rome).Format("2006-01-02")
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func yesNo(b bool) string {
	if b {
		return "si"
	}
	return "no"
}
