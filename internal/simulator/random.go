package simulator

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync"
)

// dice is the seeded source of everything invented: identifiers, faults.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func newDice(seed, stream uint64) *dice {
	return &dice{r: rand.New(rand.NewPCG(seed, stream))} // repeatable on purpose; nothing here is secret
}

func (d *dice) intn(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

func (d *dice) chance(p float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.Float64() < p
}

func (d *dice) from(alphabet string, n int) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[d.r.IntN(len(alphabet))]
	}
	return string(b)
}

func (d *dice) hex(n int) string { return d.from("0123456789abcdef", n) }

func (d *dice) uuid() string {
	h := d.hex(32)
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:])
}

// digest is a stable name made from the seed and parts: legal facts have keys
// that need not be stored.
func (s *Simulator) digest(parts ...string) string {
	h := sha256.New()
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], s.opt.Seed)
	h.Write(seed[:])
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// share is a stable number in [0,1) for a person and a question.
func (s *Simulator) share(question, taxID string) float64 {
	var v uint64
	for _, c := range s.digest("share", question, taxID)[:12] {
		v = v<<4 | uint64(hexValue(c))
	}
	return float64(v) / float64(uint64(1)<<48)
}

func hexValue(c rune) int {
	if c >= 'a' {
		return int(c-'a') + 10
	}
	return int(c - '0')
}
