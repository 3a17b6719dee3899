package ledger

// The effects that the ledger has on the disk. Options.Step sees each twice, with
// ":before" and ":after" appended (StepBeside once, just after it); the comment says what a restart finds when the
// process ended between this step and the next.
const (
	// The opening is counted in the ledger and not yet beside it: the ledger's number
	// is the higher one, which is no sign of an older ledger.
	StepOpen = "ledger.open"
	// Both numbers agree.
	StepGeneration = "ledger.generation"
	// One of the two files beside the ledger is written under a temporary name, which
	// the next owner removes.
	StepBeside = "ledger.beside"
	// The owner file names a process that is gone: the lock is the system's, and the
	// next owner replaces it.
	StepOwner = "ledger.owner"
	// A transaction is durable, and nothing that relies on it has happened.
	StepCommit = "ledger.commit"
	// A copy has its name. Before it, it is whole under a temporary one.
	StepBackup = "ledger.backup"
	// The compact copy is the ledger. Before it, the ledger is as it was, and the copy
	// beside it is removed by the next owner.
	StepCompact = "ledger.compact"
)

// StepFunc is called with the name of a step; its error ends the work there, as the
// end of the process would.
type StepFunc func(name string) error

// around does one effect between its two names.
func (f StepFunc) around(name string, effect func() error) error {
	if err := f(name + ":before"); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return f(name + ":after")
}
