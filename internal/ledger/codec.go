package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
)

// Every record is a head of seven bytes and a payload. The head's first byte is
// the schema version of the record, so that single records can be told apart after
// a migration; the checksum is there because bbolt has none on its pages.
const (
	recordVersion = 1
	recordHead    = 7 // version, flags, codec, CRC-32C of flags, codec and payload

	codecPlain = 0
	codecDict1 = 1 // S2 with dictionary1
	codecDict2 = 2 // zstd with dictionary1
)

// Flags that are read without decoding a record.
const (
	flagFresh = 1 << iota // a notification never tried yet, found through its batch's range
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// codec packs records, with a dictionary of what they always contain. Admission must
// be fast, so its records take S2 (a request of 1 kB in a microsecond); what hearing
// back adds for years takes zstd, a fifth smaller for ten times the time.
type codec struct {
	dict *s2.Dict
	enc  *zstd.Encoder
	dec  *zstd.Decoder
}

func newCodec() (codec, error) {
	dict := []byte(dictionary1)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderDictRaw(1, dict), zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<17))
	if err != nil {
		return codec{}, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderDictRaw(1, dict), zstd.WithDecoderConcurrency(0))
	return codec{dict: s2.MakeDict(dict, nil), enc: enc, dec: dec}, err
}

func (c codec) close() {
	_ = c.enc.Close() // nothing is buffered
	c.dec.Close()
}

// small tells which tables are written seldom and kept long.
func (b bucket) small() bool {
	switch b {
	case bArtifact, bCost, bOrphan:
		return true
	}
	return false
}

// squeeze is seal for small tables.
func (c codec) squeeze(raw []byte) []byte {
	buf := append(make([]byte, 0, recordHead+len(raw)/2), recordVersion, 0, codecDict2, 0, 0, 0, 0)
	buf = c.enc.EncodeAll(raw, buf)
	if len(buf) >= recordHead+len(raw) {
		return c.seal(raw, 0)
	}
	binary.BigEndian.PutUint32(buf[3:7], checksum(buf))
	return buf
}

// pack encodes v as a record.
func (c codec) pack(v any, flags byte) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("ledger: encode %T: %w", v, err)
	}
	return c.seal(raw, flags), nil
}

// seal makes a record of encoded bytes, compressed where that is shorter.
func (c codec) seal(raw []byte, flags byte) []byte {
	buf := make([]byte, recordHead+s2.MaxEncodedLen(len(raw)))
	kind := byte(codecDict1)
	body := c.dict.Encode(buf[recordHead:], raw)
	if len(body) >= len(raw) {
		kind, body = codecPlain, append(buf[recordHead:recordHead], raw...)
	}
	buf = buf[:recordHead+len(body)]
	buf[0], buf[1], buf[2] = recordVersion, flags, kind
	binary.BigEndian.PutUint32(buf[3:7], checksum(buf))
	return append(make([]byte, 0, len(buf)), buf...)
}

func checksum(record []byte) uint32 {
	return crc32.Update(crc32.Checksum(record[1:3], castagnoli), castagnoli, record[recordHead:])
}

var (
	errRecordShort    = errors.New("record is shorter than its head")
	errRecordChecksum = errors.New("checksum of a record does not match")
	errRecordVersion  = errors.New("record has a schema version this program does not know")
)

// whole checks a record's checksum without decoding it.
func (c codec) whole(record []byte) error {
	if len(record) < recordHead {
		return errRecordShort
	}
	if binary.BigEndian.Uint32(record[3:7]) != checksum(record) {
		return errRecordChecksum
	}
	return nil
}

// open gives the encoded bytes of a record and its flags. What it returns does not
// alias the record.
func (c codec) open(record []byte) ([]byte, byte, error) {
	if err := c.whole(record); err != nil {
		return nil, 0, err
	}
	if record[0] != recordVersion {
		return nil, 0, errRecordVersion
	}
	body := record[recordHead:]
	switch record[2] {
	case codecPlain:
		return append([]byte(nil), body...), record[1], nil
	case codecDict1:
		raw, err := c.dict.Decode(nil, body)
		return raw, record[1], err
	case codecDict2:
		raw, err := c.dec.DecodeAll(body, nil)
		return raw, record[1], err
	}
	return nil, 0, errRecordVersion
}

func (c codec) unpack(record []byte, v any) error {
	raw, _, err := c.open(record)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, v)
}

func recordFlags(record []byte) byte {
	if len(record) < recordHead {
		return 0
	}
	return record[1]
}

// sha is the short digest by which a cold record is known to be unchanged.
func sha(raw []byte) []byte {
	sum := sha256.Sum256(raw)
	return sum[:8]
}
