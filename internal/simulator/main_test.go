package simulator

import (
	"testing"

	"go.uber.org/goleak"
)

// Damage prevented: a platform that keeps goroutines after it is closed would
// hide the connector's own leaks in every test that uses it.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
