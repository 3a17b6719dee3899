package progress

// Steps are the places at which a crash test stops: right before and right after
// every effect on the outside.
const (
	BeforeEnsure   = "progress.ensure:before"
	AfterEnsure    = "progress.ensure:after"
	BeforeEvents   = "progress.events:before"
	AfterEvents    = "progress.events:after"
	BeforeLookup   = "progress.lookup:before"
	AfterLookup    = "progress.lookup:after"
	BeforeDownload = "progress.download:before"
	AfterDownload  = "progress.download:after" // the file is in the spool, its commit is to come
	BeforeSpool    = "progress.spool:before"   // whole and synced under a temporary name, which the next fetch clears away
	AfterSpool     = "progress.spool:after"    // under its name; fetched again over itself
	AfterSafe      = "progress.safe:after"     // and its name is on the disk
	BeforePrice    = "progress.price:before"
	AfterPrice     = "progress.price:after"
)

// Steps lists them all, for tests that try each.
func Steps() []string {
	return []string{
		BeforeEnsure, AfterEnsure, BeforeEvents, AfterEvents, BeforeLookup, AfterLookup,
		BeforeDownload, AfterDownload, BeforeSpool, AfterSpool, AfterSafe, BeforePrice, AfterPrice,
	}
}
