package harness

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Work says what hold and think are made of.
type Work uint8

const (
	Registers  Work = iota // a computation that touches no memory
	MemoryL1               // the same, reading and writing a private buffer of 16 KiB
	MemoryL2               // of 256 KiB
	Serialized             // as Registers, with a fence directly before each acquisition and directly after each release; amd64 and arm64 only
)

var works = [...]string{Registers: "registers", MemoryL1: "memory-l1", MemoryL2: "memory-l2", Serialized: "serialized"}

// bufferWords is the size of the buffer, in words.
var bufferWords = [...]int{MemoryL1: 16 << 10 / 8, MemoryL2: 256 << 10 / 8, Serialized: 0}

// String returns "registers", "memory-l1", "memory-l2" or "serialized".
func (k Work) String() string {
	if int(k) < len(works) {
		return works[k]
	}
	return fmt.Sprintf("Work(%d)", uint8(k))
}

// MarshalText returns what String does.
func (k Work) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText sets k to the work that text names.
func (k *Work) UnmarshalText(text []byte) error {
	for i, name := range works {
		if string(text) == name {
			*k = Work(i)
			return nil
		}
	}
	return fmt.Errorf("unknown work %q (known: %s)", text, strings.Join(works[:], ", "))
}

// newBuffer returns the memory that work of a kind reads and writes, nil if none.
func (k Work) newBuffer() []uint64 {
	n := bufferWords[k]
	if n == 0 {
		return nil
	}
	b := make([]uint64, n+2*primitives.CacheLineSize/8) // so that its first and last lines are not shared
	for i := range b {
		b[i] = uint64(i)
	}
	return b[primitives.CacheLineSize/8:][:n]
}

// work does n steps of a computation that no CPU can overlap, since each step needs the
// one before, and touches no memory. The caller must keep the result, and pass it on as
// the next x.
func work(n int, x uint64) uint64 {
	for ; n > 0; n-- {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// workIn does the same in a buffer: each step reads and writes a word that the
// step before has chosen. The length of the buffer is a power of 2.
func workIn(buffer []uint64, n int, x uint64) uint64 {
	mask := uint64(len(buffer) - 1)
	for ; n > 0; n-- {
		word := &buffer[x>>40&mask]
		x = x*6364136223846793005 + 1442695040888963407 + *word
		*word = x
	}
	return x
}

// steps returns how many steps of work of a kind take d: at least one, unless d
// is 0. Under an engine, where only [primitives.Busy] takes time, each takes a nanosecond.
func (k Work) steps(d time.Duration) int {
	if d == 0 || primitives.Virtual() {
		return int(d)
	}
	return max(1, int(math.Round(float64(d)*stepsPerNanosecond[k]())))
}
