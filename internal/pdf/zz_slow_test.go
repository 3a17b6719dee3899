package pdf

import (
	"os"
	"testing"
	"time"
	"runtime/pprof"
)

func FuzzZZ(f *testing.F) {
	sound := made(f, nil, "P", "L")
	f.Add(sound)
	f.Add([]byte("%PDF-1.7\nstartxref\n9\n%%EOF"))
	f.Fuzz(func(t *testing.T, data []byte) {
		tm := time.AfterFunc(1500*time.Millisecond, func() {
			w, _ := os.Create("/tmp/stack.txt")
			pprof.Lookup("goroutine").WriteTo(w, 2)
			w.Close()
			os.WriteFile("/tmp/slow.pdf", data, 0o644)
		})
		check(t, data)
		tm.Stop()
	})
}
