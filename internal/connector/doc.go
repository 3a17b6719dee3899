// Package connector is the running whole: it builds the parts from a configuration,
// passes rows from stage to stage, runs passes or loops, and answers commands.
//
// Start with Open, then Once (one pass, for schedulers) or Run (until told to stop);
// Do carries out a command by whoever owns the ledger. The stages know nothing of
// each other: this package hands them functions and plain values, and the ledger is
// where they meet. It keeps no state of its own that a crash could lose: asking every
// stage again is enough.
package connector
