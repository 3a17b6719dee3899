package outbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"

	"sendconnector/internal/folder"
	"sendconnector/internal/ledger"
)

// Names below out/, all with forward slashes. They are a contract and never change.
const (
	statusName  = "stato.csv"
	updatesDir  = "aggiornamenti"
	costsDir    = "costi"
	documentDir = "documenti"
	indexName   = "indice.csv"
	markName    = ".sequenza"
)

// maxName keeps a single name below what file systems and Windows programs take,
// with room for the suffixes of a name that waits or is being written.
const maxName = 180

// OutcomeName is the name of the outcome file of a batch, in the outbox.
func OutcomeName(b *ledger.Batch) string { return outcomeName(b) }

// outcomeName is <stem>.<batch>.esito.csv. The stem is only shortened or mended
// where the name could not exist on both systems; the batch id keeps it unique.
func outcomeName(b *ledger.Batch) string {
	base := path.Base(b.File)
	stem := safe(strings.TrimSuffix(base, path.Ext(base)))
	tail := "." + safe(b.ID) + ".esito.csv"
	if stem == "" {
		stem = "_"
	}
	return cut(stem, maxName-len(tail)) + tail
}

// numberedName is <seq8>.csv. Past eight digits the name grows; it never wraps.
func numberedName(n uint64) string { return fmt.Sprintf("%08d.csv", n) }

// nameDigits is how many hex digits of its key's digest a document's name has.
const nameDigits = 8

var numbered = regexp.MustCompile(`^(\d{8,19})(\.nuovo)?\.csv$`)

// fileNumber reads the number of a file of a sequence, waiting ones included.
func fileNumber(name string) (uint64, bool) {
	m := numbered.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(m[1], 10, 64)
	return n, err == nil
}

// documentName is documenti/<batch>/<protocol>/<IUN>_<recipient number>_<category>_<8 hex>.<ext>.
// Number 0 is a document of the whole notification. The eight hex digits of the
// artifact's key keep two documents of one kind apart (rule 29); digits is how many
// of them the name gets.
func documentName(n *ledger.Notification, a *ledger.Artifact, digits int) string {
	digest := sha256.Sum256([]byte(a.Key))
	tail := fmt.Sprintf("_%d_%s_%s.%s", a.Recipient+1, cut(safe(orDash(a.Category)), 60),
		hex.EncodeToString(digest[:])[:digits], extension(a))
	return path.Join(documentDir, safe(n.OwnerBatch), folder.Slug(n.Key.Protocol),
		cut(safe(orDash(n.IUN)), 60)+tail)
}

// indexFile is the index of a batch's documents.
func indexFile(batch string) string { return path.Join(documentDir, safe(batch), indexName) }

// reserved are the names Windows keeps for devices, with any extension.
var reserved = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)`)

// safe mends one part of a name so that it exists alike on Windows and Linux:
// characters that Windows refuses become '_', so do a leading dot or '~$' (names
// that are never taken) and blanks or dots at the end; device names get one before.
func safe(part string) string {
	mended := strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == '\uFFFD' || strings.ContainsRune(`<>:"/\|?*`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(part, "_"))
	if trimmed := strings.TrimRight(mended, ". "); trimmed != mended {
		mended = trimmed + strings.Repeat("_", len(mended)-len(trimmed))
	}
	if strings.HasPrefix(mended, ".") || strings.HasPrefix(mended, "~") || strings.HasPrefix(mended, " ") {
		mended = "_" + mended[1:]
	}
	if reserved.MatchString(mended) {
		mended = "_" + mended
	}
	return mended
}

// cut shortens to at most max bytes without splitting a character.
func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && s[max]&0xC0 == 0x80 {
		max--
	}
	return s[:max]
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

var plainExt = regexp.MustCompile(`^[a-z0-9]{1,8}$`)

// extension follows the name SEND gave the document, else its content type. A name
// such as fact.pdf.p7m gives p7m, the form that the bytes have.
func extension(a *ledger.Artifact) string {
	ext := strings.ToLower(strings.TrimPrefix(path.Ext(a.Filename), "."))
	if plainExt.MatchString(ext) {
		return ext
	}
	kind, _, _ := strings.Cut(a.ContentType, ";")
	switch strings.TrimSpace(strings.ToLower(kind)) {
	case "application/pdf":
		return "pdf"
	case "application/zip":
		return "zip"
	case "application/pkcs7-mime":
		return "p7m"
	case "application/xml", "text/xml":
		return "xml"
	case "application/eml", "message/rfc822":
		return "eml"
	}
	return "bin"
}
