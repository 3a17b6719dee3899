package ingest

// The effects on the outside, in the order in which a drop meets them. Step gets
// each name twice: with Before and with After appended.
const (
	StepSightings = "ingest.sightings" // what waits, written to the ledger
	StepManifest  = "ingest.manifest"  // the claim, written and synced
	StepClaim     = "ingest.claim"     // the export, renamed into work/
	StepPutBack   = "ingest.putback"   // a changed export, renamed back
	StepDone      = "ingest.done"      // the done-file, renamed into work/
	StepSpool     = "ingest.spool"     // a private copy made
	StepCopied    = "ingest.copied"    // the manifest, with the hashes of the copies
	StepBegin     = "ingest.begin"     // the batch, READING in the ledger
	StepRead      = "ingest.read"      // its rows admitted
	StepSeal      = "ingest.seal"      // the batch, SEALED
	StepReject    = "ingest.reject"    // the batch, UNREADABLE
	StepArchive   = "ingest.archive"   // the export, in archive/ or rejected/
	StepReason    = "ingest.reason"    // the reason, beside a rejected export
	StepDocument  = "ingest.document"  // a document, in the archive
	StepTake      = "ingest.take"      // a document, gone from the drop
	StepRecord    = "ingest.record"    // the manifest, in the archive
	StepArchived  = "ingest.archived"  // the ledger knows where
	StepForget    = "ingest.forget"    // the manifest in work/, removed
	StepRelease   = "ingest.release"   // a batch released by file
	StepMarker    = "ingest.marker"    // the file that released it, archived
	StepFreed     = "ingest.freed"     // the ledger knows that the private copies go
	StepFree      = "ingest.free"      // private copies removed
	StepExpire    = "ingest.expire"    // a purged batch, gone from archive/ or rejected/
)

// Before and After tell the two sides of a step.
const (
	Before = ":before"
	After  = ":after"
)

// step does one effect between its two names. An error of the hook ends everything
// there and then: nobody above may clean up, because a crash would not.
func (i *Ingest) step(name string, do func() error) error {
	if i.opts.Step != nil {
		if err := i.opts.Step(name + Before); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	if i.opts.Step != nil {
		return i.opts.Step(name + After)
	}
	return nil
}
