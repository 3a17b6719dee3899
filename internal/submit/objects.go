package submit

import (
	"slices"
	"strings"
	"time"

	"sendconnector/internal/ledger"
)

// renewAfter is the age at which an upload is done again: SEND forgets unused
// objects after seven days (rule 17).
const renewAfter = 6 * 24 * time.Hour

// object is one thing to upload and the documents of the notification it serves.
type object struct {
	field       string // of the first document, for messages
	file        string
	spool       string
	hash        string
	size        int64
	contentType string
	documents   []int
}

// payment tells apart the uploads of equal bytes: the k-th form of a recipient may
// share the object of another recipient's k-th form, never that of its own first
// one, which SEND refuses as a repeated attachment.
type payment struct {
	hash, contentType string
	occurrence        int
}

// objects groups the documents of one notification by the object each will name:
// one for each document, except that the same pagoPA form of several recipients is
// uploaded once (rule 17). Never anything across notifications.
func objects(docs []ledger.Document) []object {
	var all []object
	at := map[payment]int{}     // index of the shared object
	seen := map[[2]string]int{} // (recipient, hash) -> forms so far
	for i := range docs {
		d := &docs[i]
		o := object{
			field: d.Field, file: d.File, spool: d.Spool, hash: d.Hash,
			size: d.Size, contentType: d.ContentType, documents: []int{i},
		}
		recipient, ok := pagoPaRecipient(d.Field)
		if !ok {
			all = append(all, o)
			continue
		}
		mine := [2]string{recipient, d.Hash}
		key := payment{d.Hash, d.ContentType, seen[mine]}
		seen[mine]++
		if j, shared := at[key]; shared {
			all[j].documents = append(all[j].documents, i)
			continue
		}
		at[key] = len(all)
		all = append(all, o)
	}
	return all
}

// pagoPaRecipient gives the recipient part of a pagoPA form's field.
func pagoPaRecipient(field string) (string, bool) {
	recipient, rest, ok := strings.Cut(field, ".")
	if !ok || !strings.HasPrefix(recipient, "recipients[") || !strings.HasSuffix(rest, ".pagoPa.attachment") {
		return "", false
	}
	return recipient, true
}

// fresh reports whether a document's upload can still be named in a request. Of one in the
// future, written under a clock that was wrong, nobody knows how old it is.
func fresh(d *ledger.Document, now time.Time) bool {
	return d.Key != "" && d.Version != "" && now.Sub(d.UploadedAt).Abs() < renewAfter
}

// uploaded reports whether every document can be named in a request.
func uploaded(docs []ledger.Document, now time.Time) bool {
	for i := range docs {
		if !fresh(&docs[i], now) {
			return false
		}
	}
	return true
}

// missing gives the objects still to be uploaded. Documents of an object that is
// partly there (a crash cannot cause that, a changed grouping can) get what is.
func missing(docs []ledger.Document, now time.Time) []object {
	return slices.DeleteFunc(objects(docs), func(o object) bool {
		for _, i := range o.documents {
			if fresh(&docs[i], now) {
				place(docs, o, docs[i].Key, docs[i].Version, docs[i].UploadedAt)
				return true
			}
		}
		return false
	})
}

// place writes an upload into every document it serves.
func place(docs []ledger.Document, o object, key, version string, at time.Time) {
	for _, i := range o.documents {
		docs[i].Key, docs[i].Version, docs[i].UploadedAt = key, version, at
	}
}
