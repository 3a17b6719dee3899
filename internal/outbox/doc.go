// Package outbox is the only writer of outbound folders: outcome files beside every
// drop, the numbered update and cost files that programs read, the legal documents
// with their index, and stato.csv, which is what a clerk looks at when nothing
// seems to happen.
//
// Start with New and Pass. Pass does everything that is due now and says when it
// wants to be called again; Reconcile belongs to the start of the process, Resume
// to an outbox whose numbering was lost.
//
// After a crash a new Pass is enough. Whatever is published is derived from the
// ledger, which is written first: a numbered file has its name and its range of the
// log committed before its first byte, so it comes out the same whenever it is
// written again (rule 28); outcome, index and status files are rewritten whole until
// the ledger knows they were; a document stays in the spool until its place in the
// outbound folder is committed (rule 29). A reader therefore gets every update at
// least once and must key on the number of the file.
//
// What a clerk can do to a folder is expected: a file held open in Excel gets its
// new content beside it as <name>.nuovo.csv, a missing folder or a full disk keeps
// everything due and is tried again with growing pauses.
//
// The package does not decide what a line says: outcomes, warnings and texts of
// rows come from the ledger as they are.
package outbox
