package notification

import (
	"fmt"
	"strings"
	"time"
)

// Held is the sentence for a hold of a sender: reason is one of send's, skew the
// difference of the clocks where that is the cause.
func Held(lang Lang, reason string, skew time.Duration) Problem {
	return New(lang, "C-HELD-"+strings.ToUpper(reason), "", "difference", ClockDifference(skew))
}

// ClockDifference says how far two clocks are apart, not finer than the seconds that
// they are read by, so that it reads the same at every look.
func ClockDifference(skew time.Duration) string {
	switch skew = skew.Abs(); {
	case skew >= 3*time.Hour:
		return fmt.Sprintf("%.0f h", skew.Hours())
	case skew >= 10*time.Minute:
		skew = skew.Round(5 * time.Minute)
	}
	return fmt.Sprintf("%.0f min", skew.Minutes())
}
