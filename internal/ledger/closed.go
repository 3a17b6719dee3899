package ledger

// closed reports whether a notification is final with every expected document
// published (rules.md, "What a row's outcome is"). It is derived at every change, so
// a correction by SEND, or a late event that promises a document, opens it again.
func closed(n *Notification) bool {
	switch n.State {
	case Accepted:
		for i := range requestRecipients(n) {
			if i >= len(n.Recipients) || n.Recipients[i].PerfectedAt.IsZero() && !n.Recipients[i].Returned {
				return false
			}
		}
		return documentsPlaced(n)
	case Cancelled:
		return documentsPlaced(n)
	case Refused:
		return n.Pending == nil && !n.AutomaticDue()
	case RefusedAtOnce, Discarded:
		return n.Pending == nil
	}
	return false
}

func documentsPlaced(n *Notification) bool {
	for _, r := range n.Recipients {
		if r.Got < r.Expected {
			return false
		}
	}
	return true
}
