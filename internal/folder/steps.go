package folder

// The effects of Publish and Move on the outside, in their order. A step hook gets
// the name just after the effect.
const (
	StepCreated = "folder.created" // a temporary file exists
	StepWritten = "folder.written" // it holds everything
	StepSynced  = "folder.synced"  // and is on the disk
	StepRenamed = "folder.renamed" // the content is visible
	StepSettled = "folder.settled" // content that waited beside has taken its place
	StepRemoved = "folder.removed" // the source of a move across volumes is gone
)

// at passes the seam.
func (l *Local) at(step string) error {
	if l.step == nil {
		return nil
	}
	return l.step(step)
}
