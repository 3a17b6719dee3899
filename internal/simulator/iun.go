package simulator

import (
	"encoding/base64"
	"strings"
	"time"
)

const iunAlphabet = "ADEGHJKLMNPQRTUVWXYZ"

// newIUN makes a notification number: three groups of letters, the month of
// creation in UTC, a control letter and the version digit.
func (s *Simulator) newIUN(at time.Time) string {
	for {
		groups := s.dice.from(iunAlphabet, 12)
		random := groups[:4] + "-" + groups[4:8] + "-" + groups[8:]
		if !iunGroupsAllowed(random) {
			continue
		}
		month := at.UTC().Format("200601")
		iun := random + "-" + month + "-" + string(iunControl(random, month)) + "-1"
		if s.byIUN[iun] == nil {
			return iun
		}
	}
}

// iunGroupsAllowed refuses equal neighbours and the pairs that are hard to read.
func iunGroupsAllowed(random string) bool {
	for i := 1; i < len(random); i++ {
		if random[i] == random[i-1] {
			return false
		}
		switch random[i-1 : i+1] {
		case "UV", "VU", "HN", "NH", "LJ":
			return false
		}
	}
	return true
}

func iunControl(random, month string) byte {
	sum := 0
	for i := range len(random) {
		sum += strings.IndexByte(iunAlphabet, random[i]) + 1 // a hyphen has index -1 and adds nothing
	}
	for i := range len(month) {
		sum += int(month[i] - '0')
	}
	return iunAlphabet[sum%len(iunAlphabet)]
}

// requestID is the notificationRequestId of a notification.
func requestID(iun string) string { return base64.StdEncoding.EncodeToString([]byte(iun)) }
