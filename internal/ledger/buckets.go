package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// schemaVersion is what this program writes. An older ledger is migrated when it is
// opened, a newer one refused.
const schemaVersion = 2

// bucket names a table. Numbers are not stored, names are.
type bucket int

const (
	bMeta        bucket = iota // "schema", "generation", "stale", "rebuilt", … -> text
	bNames                     // kind byte + name -> u32: short numbers for senders and environments
	bBatch                     // batch id -> head
	bBatchNo                   // no -> batch id
	bSpool                     // no -> []SpoolFile
	bRow                       // no + row u32 -> Row
	bNote                      // id -> hot (state, identifiers, recipients)
	bCold                      // id -> cold (request, pending, fingerprints); written only when it changes
	bKey                       // env u32 + sender + 0 + canonical -> ids of the present notifications of the key
	bPair                      // env u32 + creditor + notice + 0 + id -> nothing
	bAct                       // env u32 + act 16 + tax ids 8 + id -> nothing
	bRequestID                 // request id -> id
	bIUN                       // IUN -> id
	bDue                       // class + sender u32 + ms u64 + id -> no of the batch whose gate counts
	bFresh                     // sender u32 + no -> from, to, left
	bEvent                     // id + digest of element id 8 -> Event
	bArtifact                  // id + digest of key 8 -> Artifact
	bArtDue                    // class + sender or outbox u32 + ms u64 + artifact key -> nothing
	bOrphan                    // got ms + digest 8 -> Orphan
	bStream                    // sender -> Stream
	bHold                      // scope 0 name -> Hold
	bSighting                  // flow 0 file -> Sighting
	bPub                       // outbox 0 kind 0 name -> Publication
	bUnpublished               // outbox 0 no -> nothing: batch version newer than its published esito
	bChange                    // outbox 0 seq -> Change
	bCost                      // outbox 0 seq -> CostChange
	bSeq                       // "c" or "k" + outbox -> last seq
	bRejected                  // env u32 + sender + 0 + canonical -> latest rejected drop of the key (rule 9)
	bSupersede                 // no + seq -> what sealing that batch supersedes (rule 11)
	bChore                     // kind + no -> cursor: chunked work that a crash must not repeat
	bAllow                     // env u32 + sender + 0 + exact -> "resubmit --as-new" for the next drop (rule 1)
	bTomb                      // digest of canonical key -> Tombstone
	bTombPair                  // digest of pair -> digest of canonical key
	bTombAct                   // env u32 + act 16 + tax ids 8 + digest 8 -> digest of canonical key
	bTombBatch                 // id of a batch that was purged -> nothing
	bFreed                     // ms u64 + digest of pair + id -> nothing: who let go of a notice lately (rule 15, c)
	bOrphanOf                  // digest of request id, or of protocol and token, 8 + digest of orphan 8 -> got ms
	nBuckets
)

var bucketNames = [nBuckets]string{
	"meta", "names", "batch", "batchno", "spool", "row", "note", "cold", "key", "pair", "act", "reqid", "iun", "due", "fresh",
	"event", "artifact", "artdue", "orphan", "stream", "hold", "sighting", "pub", "unpublished", "change", "cost", "seq",
	"rejected", "supersede", "chore", "allow", "tomb", "tombpair", "tombact", "tombbatch", "freed", "orphanof",
}

// fill tells how far a page is filled when it splits. Tables whose keys come in
// order are filled nearly up; where records grow after they were put, room is left
// for that, or every page would split once more into a full and an empty one.
func (b bucket) fill() float64 {
	switch b {
	case bBatch, bBatchNo, bRow, bCold, bArtifact, bChange, bCost, bFresh:
		return 0.94
	case bKey, bPair, bArtDue:
		return 0.8
	case bNote:
		return 0.7
	}
	return 0.5
}

func u64(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func (id ID) key() []byte { return u64(uint64(id)) }

func idFrom(k []byte) ID { return ID(binary.BigEndian.Uint64(k)) }

func joined(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	k := make([]byte, 0, n)
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

// named joins texts with a zero byte after each but the last.
func named(texts ...string) []byte {
	var k []byte
	for i, s := range texts {
		if i > 0 {
			k = append(k, 0)
		}
		k = append(k, s...)
	}
	return k
}

func rowKey(no uint64, row int) []byte {
	return binary.BigEndian.AppendUint32(u64(no), uint32(row))
}

// millis orders times as keys do; the zero time comes first.
func millis(t time.Time) uint64 {
	if t.IsZero() || t.UnixMilli() < 0 {
		return 0
	}
	return uint64(t.UnixMilli())
}

func digest8(s string) []byte {
	sum := sha256.Sum256([]byte(s))
	return sum[:8]
}
