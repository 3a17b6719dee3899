// Package ingest takes what lies in a drop: it waits until a file and the documents
// it names are complete, claims it, makes private copies, has it read, and archives
// it. Start with [New] and [Ingest.Recover], then call [Ingest.Pass] for every flow,
// again and again; [Ingest.Watch] only shortens the wait between two passes.
//
// What a file says is not known here: [Content], given by the connector, tells which
// documents it needs and reads its rows into the ledger.
//
// After a crash every file is in exactly one place and repeating is enough. The
// claim is a manifest in work/<batch>/ (in the data folder for a flow that is
// Exclusive), synced before the export is renamed into the same folder. From then on
// the manifest says all that is needed to go on: what was claimed, by whom, with
// which documents and which copy of the profile. It is removed last, when export and
// documents lie in archive/ or rejected/. Each step can be repeated; Step is called
// on both sides of each (steps.go), so that tests can stop there.
//
// What it does not promise: it cannot tell a file that is complete from one whose
// writer pauses for longer than Settle; that is what done-files are for.
package ingest
