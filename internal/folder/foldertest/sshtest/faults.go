package sshtest

import (
	"encoding/binary"
	"fmt"
	"os"
)

// On asks decide about every packet from now on; nil lets all pass.
func (w *wires) On(decide func(Packet) Act) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.on = decide
}

// Once lets decide choose one packet, and all others pass.
func (w *wires) Once(decide func(Packet) Act) {
	done := false
	w.On(func(p Packet) Act {
		if done {
			return Pass
		}
		act := decide(p)
		done = act != Pass
		return act
	})
}

// CutAfter ends the connection after n more bytes in either direction, once.
func (w *wires) CutAfter(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = n
}

// Cut ends all connections.
func (w *wires) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for x := range w.open {
		x.end()
	}
}

// Open is how many connections there are.
func (w *wires) Open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.open)
}

// Requests counts the requests since the last call, all and by kind.
func (w *wires) Requests() (int, map[byte]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts, n := w.counts, 0
	w.counts = map[byte]int{}
	for _, c := range counts {
		n += c
	}
	return n, counts
}

// ListTwice is a server that lists every file twice.
func (w *wires) ListTwice() {
	w.rewrite = func(p Packet, body []byte) []byte {
		if p.Kind != Name || p.Of != Readdir {
			return body
		}
		entries := body[9:]
		twice := append([]byte(nil), body[:5]...)
		twice = binary.BigEndian.AppendUint32(twice, 2*binary.BigEndian.Uint32(body[5:]))
		twice = append(twice, entries...)
		return append(twice, entries...)
	}
}

// ListForEver is a server whose folders have no end: it invents names, or empty answers
// if it invents none.
func (w *wires) ListForEver(names int) {
	n := 0
	w.rewrite = func(p Packet, body []byte) []byte {
		if !p.Reply || p.Of != Readdir {
			return body
		}
		endless := append([]byte{Name}, body[1:5]...)
		endless = binary.BigEndian.AppendUint32(endless, uint32(names)) //nolint:gosec // a test's few
		for range names {
			n++
			name := fmt.Sprintf("%09d.pdf", n)
			for range 2 {
				endless = binary.BigEndian.AppendUint32(endless, uint32(len(name))) //nolint:gosec // 13
				endless = append(endless, name...)
			}
			endless = append(endless, 0, 0, 0, 0)
		}
		return endless
	}
}

// Times is a server that tells times as time makes them of the true ones.
func (w *wires) Times(time func(uint32) uint32) {
	w.rewrite = func(p Packet, body []byte) []byte {
		body = append([]byte(nil), body...)
		switch {
		case p.Kind == Attrs:
			retime(body[5:], time)
		case p.Kind == Name && p.Of == Readdir:
			rest := body[9:]
			for range binary.BigEndian.Uint32(body[5:]) {
				_, rest = text(rest)
				_, rest = text(rest)
				rest = retime(rest, time)
			}
		}
		return body
	}
}

// retime changes the times in attributes and gives what follows them.
func retime(b []byte, time func(uint32) uint32) []byte {
	flags := binary.BigEndian.Uint32(b)
	b = b[4:]
	for _, part := range []struct {
		flag uint32
		size int
	}{{1, 8}, {2, 8}, {4, 4}} {
		if flags&part.flag != 0 {
			b = b[part.size:]
		}
	}
	if flags&8 != 0 {
		binary.BigEndian.PutUint32(b[4:], time(binary.BigEndian.Uint32(b[4:])))
		b = b[8:]
	}
	return b
}

func (w *wires) decide(p Packet) Act {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	p.N = w.n
	if !p.Reply {
		w.counts[p.Kind]++
	}
	if w.refuse && !p.Reply && p.Kind == Rename {
		if _, err := os.Lstat(p.Other); err == nil {
			return Act{Fail: 4}
		}
	}
	if w.on == nil {
		return Pass
	}
	return w.on(p)
}
