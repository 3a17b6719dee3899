package ledger

// CostOfRefusal notes what SEND bills for the refusal of the present attempt, in
// cents: what it said, or, where it did not say, the fee per recipient that the
// sender's configuration gives.
func (n *Notification) CostOfRefusal(said, fee int) {
	n.RefusalCent = said
	if said == 0 {
		n.RefusalCent = fee * len(requestRecipients(n))
	}
}
