package progress

// syncFolder does nothing: Windows offers no sync of a folder. A document whose
// rename was lost is found missing by outbox and fetched again.
func syncFolder(string) error { return nil }
