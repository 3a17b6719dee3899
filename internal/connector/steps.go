package connector

// The effects of the whole itself; those of its parts have names of their own.
// Options.Step sees each twice, with ":before" and ":after" appended; the comment
// says what a restart finds when the process ended just after it.
const (
	stepTemp    = "connector.temp"    // rows that an earlier process left in data/tmp, removed: nothing refers to them
	stepRotate  = "connector.rotate"  // daily copies beyond those to keep, removed: the rest goes with the next copy
	stepControl = "connector.control" // how to reach this process, written: of a dead one it reaches nobody, and is replaced
)

// step does one effect between its two names.
func (c *Connector) step(name string, effect func() error) error {
	if err := c.opts.Step(name + ":before"); err != nil {
		return err
	}
	if err := effect(); err != nil {
		return err
	}
	return c.opts.Step(name + ":after")
}
