package submit

// Steps are the places at which a crash test stops: right before and right after
// every effect on the outside. A Step function that gives an error stops the work
// there, as a killed process would.
const (
	BeforePreload = "submit.preload:before"
	AfterPreload  = "submit.preload:after"
	BeforeUpload  = "submit.upload:before"
	AfterUpload   = "submit.upload:after"
	BeforeCreate  = "submit.create:before"
	AfterCreate   = "submit.create:after"
	BeforeLookup  = "submit.lookup:before"
	AfterLookup   = "submit.lookup:after"
	BeforeCancel  = "submit.cancel:before"
	AfterCancel   = "submit.cancel:after"
)

// Steps lists them all, for tests that try each.
func Steps() []string {
	return []string{
		BeforePreload, AfterPreload, BeforeUpload, AfterUpload, BeforeCreate,
		AfterCreate, BeforeLookup, AfterLookup, BeforeCancel, AfterCancel,
	}
}
