package ledger

// renamesOpenFiles: nothing can take the place of a file that is open.
const renamesOpenFiles = false

// syncDir does nothing: Windows offers no sync of a folder.
func syncDir(string) error { return nil }
