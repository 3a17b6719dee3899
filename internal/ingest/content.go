package ingest

import (
	"context"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
)

// Content says what a file means. The connector gives it, made of readers, mapping,
// validation and the ledger's admission.
type Content interface {
	// Needs maps the export at path as the flow would, without writing anything,
	// and tells which documents are named by the rows that would be sent (rule 27).
	// It is called for one file again and again while documents are awaited. An
	// error means that the file could not be examined now; a file that can never be
	// read is Needs.Unreadable.
	Needs(ctx context.Context, flow, path string) (Needs, error)

	// Read maps, validates and admits every row of a batch that Begin has opened, in
	// chunks, with the profile as it was at the claim. documents finds what was
	// found for the documents of rows that are sent. It is called again from the
	// start for a batch whose reading was interrupted. An error leaves the batch
	// READING; a file that can never be read is ReadResult.Unreadable.
	Read(ctx context.Context, b *ledger.Batch, profile []byte, path string, documents DocumentFunc) (ReadResult, error)
}

// Needs is what a look into an export tells.
type Needs struct {
	Kind       string                // csv, xlsx, jsonl
	Heading    []string              // original columns; empty for jsonl
	Documents  []Document            // named by rows that would be sent; repeated ones count once
	Known      []string              // documents named only by rows already known: archived with the drop, never awaited
	Rejected   []Document            // named only by rows that will not be sent: looked at, so that all is told at once, but never awaited, and left in in/ for the corrected file
	Unreadable *notification.Problem // the whole file cannot be read, and why
}

// Document is a name of a document in a row.
type Document struct {
	Name     string // as the row says it
	Row      int    // first row that names it
	Protocol string // of that row's notification
}

// ReadResult is what the reading of a batch came to.
type ReadResult struct {
	Rows        int // read
	New         int // notifications or attempts that this batch owns
	AvoidedCent int // refusal fees avoided by local rejections
	Unreadable  *notification.Problem
}

// DocumentFunc finds the private copy of a document by the protocol number of the
// notification and the name that its row gives, exactly as Needs gave them.
type DocumentFunc func(protocol, name string) Found

// Found is a private copy, or the reason why there is none.
type Found struct {
	File ledger.SpoolFile
	// Problem is nil for a document found beside the export; a warning for one taken
	// from an earlier drop; an error, with no File, for a missing one.
	Problem *notification.Problem
}
