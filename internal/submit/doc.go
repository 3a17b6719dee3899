// Package submit takes what the ledger says is due and brings it to SEND: upload
// slots, documents, the request itself, and the look-up that says what became of
// a request whose answer was lost.
//
// Start with Submitter.Resolve, which a start calls before any stream is read, and
// Submitter.Pass, which sends what is due until nothing is. Neither ever sleeps
// for long: a wait of more than a fraction of a second is stored in the ledger as
// the notification's next attempt, and Pass returns when that is.
//
// After a crash nothing needs repair. What the ledger holds says what to do:
// READY is uploaded from the start, UPLOADED goes on to its intent, and INTENT, the
// one state from which a request may have left, is looked up by protocol number and
// token before anything else. Since SEND accepts a (protocol number, token) pair at
// most once for ever, and the token depends on nothing but the business key and the
// attempt, no order of crashes makes two notifications of one document.
//
// Submit never decides that a key is free and never counts an attempt by itself:
// the ledger does both (rules 3 and 4), inside the transaction that records the
// proof. It does not follow a notification past SEND's 202; package progress does.
package submit
