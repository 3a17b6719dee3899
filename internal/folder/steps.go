package folder

// The effects of a folder on the outside. A step hook gets the name just after the
// effect; just before it, nothing differs from just after the step before.
const (
	StepCreated = "folder.created" // a temporary file exists
	StepWritten = "folder.written" // it holds everything
	StepSynced  = "folder.synced"  // and is on the disk
	StepRenamed = "folder.renamed" // a file has its new name; nothing says that it keeps it when the power fails
	StepSettled = "folder.settled" // content that waited beside has taken its place
	StepRemoved = "folder.removed" // a file or folder is gone
	StepMade    = "folder.made"    // a folder exists
	StepSafe    = "folder.safe"    // the folder is on the disk, with the names in it
)

// at passes the seam.
func (l *Local) at(step string) error {
	if l.step == nil {
		return nil
	}
	return l.step(step)
}
