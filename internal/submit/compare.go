package submit

import (
	"encoding/json"
	"slices"

	"sendconnector/internal/ledger"
	"sendconnector/internal/notification"
	"sendconnector/internal/send"
)

// likeness is what a request found at SEND has in common with ours (rule 14).
type likeness struct {
	differences []notification.Difference // tax codes, notices, subject
	bodies      bool                      // whole normalised body, documents' bytes aside, is equal
	digests     bool                      // the same document bytes
	refs        bool                      // the same uploaded objects: it is the very request we posted
}

// identity reports whether tax codes, notices and subject are those of ours.
func (l likeness) identity() bool { return len(l.differences) == 0 }

// compare holds a request as SEND keeps it against ours. An answer that cannot be
// read is no likeness at all: it is never adopted.
func compare(n *ledger.Notification, found send.RequestStatus) (likeness, error) {
	var theirs notification.Request
	if err := json.Unmarshal(found.Body, &theirs); err != nil {
		return likeness{}, err
	}
	blanksOf(n.Request).forget(&theirs)
	var l likeness
	l.bodies = true
	for _, d := range notification.Differences(&theirs, n.Request) {
		l.bodies = false
		if d.Part != notification.PartOther {
			l.differences = append(l.differences, d)
		}
	}
	l.digests = slices.Equal(ourDigests(n.Documents), theirDigests(&theirs))
	l.refs = l.digests && l.identity() && slices.Equal(ourRefs(n.Documents), theirRefs(&theirs))
	return l, nil
}

// Digests and references are compared as sorted lists: a lost ledger may have read
// the rows of a group in another order.
func ourDigests(docs []ledger.Document) []string {
	var all []string
	for i := range docs {
		all = append(all, notification.DigestOf(docs[i].Hash))
	}
	slices.Sort(all)
	return all
}

func theirDigests(r *notification.Request) []string {
	var all []string
	r.Attachments(func(_ string, a *notification.Attachment) {
		d := ""
		if a.Digests != nil {
			d = a.Digests.SHA256
		}
		all = append(all, d)
	})
	slices.Sort(all)
	return all
}

func ourRefs(docs []ledger.Document) []string {
	var all []string
	for i := range docs {
		all = append(all, docs[i].Key+"\x00"+docs[i].Version)
	}
	slices.Sort(all)
	return all
}

func theirRefs(r *notification.Request) []string {
	var all []string
	r.Attachments(func(_ string, a *notification.Attachment) {
		ref := "\x00"
		if a.Ref != nil {
			ref = a.Ref.Key + "\x00" + a.Ref.VersionToken
		}
		all = append(all, ref)
	})
	slices.Sort(all)
	return all
}
