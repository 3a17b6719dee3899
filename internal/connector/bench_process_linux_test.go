package connector

import (
	"bytes"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
)

// resetPeak makes the kernel forget the largest resident size of this process so
// far, after what is free has been given back to it.
func resetPeak(b *testing.B) {
	b.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		b.Skip("this kernel does not measure it: ", err)
	}
}

// peakMB is the largest resident size since resetPeak, in megabytes: everything,
// the program's own text too.
func peakMB(b *testing.B) float64 {
	b.Helper()
	return float64(procField(b, "/proc/self/status", "VmHWM:")) * 1024 / 1e6
}

// written is how many bytes this process has sent to a disk.
func written(b *testing.B) int64 {
	b.Helper()
	return procField(b, "/proc/self/io", "write_bytes:")
}

func procField(b *testing.B, file, name string) (n int64) {
	b.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		b.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		if rest, ok := strings.CutPrefix(string(line), name); ok {
			if _, err := fmt.Sscan(rest, &n); err != nil {
				b.Fatal(err)
			}
			return n
		}
	}
	b.Fatal(name, " is not in ", file)
	return 0
}

// cpuTime is what this process has used of all cores.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
