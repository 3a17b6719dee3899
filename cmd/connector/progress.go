package main

import (
	"fmt"
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"sendconnector/internal/connector"
)

// progress shows on a terminal how far long work has got; elsewhere it is silent and
// the log tells.
type progress struct {
	bar *progressbar.ProgressBar
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &progress{}
	}
	return &progress{bar: progressbar.NewOptions(-1,
		progressbar.OptionSetWriter(w), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))}
}

func (p *progress) show(t connector.Tally) {
	if p.bar == nil || t.Total == 0 {
		return
	}
	p.bar.ChangeMax(t.Total)
	p.bar.Describe(fmt.Sprintf("%d batches, %d notifications", t.Batches, t.Total))
	_ = p.bar.Set(t.Goal) // a terminal that went away is no failure of the work
}

func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
