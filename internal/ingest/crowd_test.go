package ingest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// crowded is a folder whose in/ also lists what lies only in memory: a hundred
// thousand real files would take longer to make than to look at.
type crowded struct {
	folder.Folder
	crowd []folder.Entry
	lists int
}

func (c *crowded) List(ctx context.Context, dir string, deep bool) ([]folder.Entry, error) {
	all, err := c.Folder.List(ctx, dir, deep)
	if dir == "in" {
		c.lists++
		all = append(all, c.crowd...)
	}
	return all, err
}

const crowd = 100_000

func (r *rig) crowd(name string) *crowded {
	c := &crowded{Folder: r.flow.Folder}
	for n := range crowd {
		c.crowd = append(c.crowd, folder.Entry{Name: fmt.Sprintf("in/"+name, n), Size: 1000, Modified: r.now.Add(-48 * time.Hour)})
	}
	r.flow.Folder = c
	return c
}

// A hundred thousand files that nobody takes lie in in/: photographs, or PDFs of last
// year. The one export among them must go as ever, the ledger and stato.csv must not
// grow by as many lines, and a pass over them must write nothing once they are told.
func TestCrowdedDrop(t *testing.T) {
	for _, name := range []string{"foto %06d.jpg", "2025/avviso %06d.pdf"} {
		t.Run(name[:4], func(t *testing.T) {
			r := newRig(t)
			c := r.crowd(name)
			r.drop("in/zz.csv", "protocollo;documento\nP1;a.pdf\n")
			r.drop("in/a.pdf", "atto")
			if report := r.settled(); len(report.Taken) != 1 {
				t.Fatalf("the export was not taken: %d wait", len(report.Waiting))
			}
			r.pass(2 * 24 * time.Hour) // PDFs are given a while to be named
			told := map[string]int{}
			more := 0
			err := r.ledger.View(t.Context(), func(tx *ledger.Tx) error {
				all, err := tx.Sightings("tari")
				for _, s := range all {
					told[s.Reason]++
					if strings.HasPrefix(s.File, "* ") && strings.Contains(s.Text, fmt.Sprint(crowd-maxLeftovers)) {
						more++
					}
				}
				return err
			})
			if err != nil || len(told) != 1 || more != 1 {
				t.Errorf("told %v, %d lines for the rest, %v", told, more, err)
			}
			for code, n := range told {
				if n != maxLeftovers+1 {
					t.Errorf("%s is told %d times", code, n)
				}
			}
			before, lists := r.ledger.Commits(), c.lists
			allocations := testing.AllocsPerRun(1, func() { r.pass(time.Second) })
			if r.ledger.Commits() != before || c.lists-lists != 2 {
				t.Errorf("%d commits and %d listings in two passes over files that wait as before", r.ledger.Commits()-before, c.lists-lists)
			}
			// Measured: 0.01 to 1 for each file.
			if perFile := allocations / crowd; perFile > 4 {
				t.Errorf("%.1f allocations for each file and pass", perFile)
			} else {
				t.Logf("%.3f allocations for each file and pass", perFile)
			}
		})
	}
}
