//go:build virtual

package blocking

import (
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// Overtake makes those in line overtaken so many times already. The caller
// holds m.
func (m *Mutex) Overtake(times uint32) { m.overtaken = times }

// Peek returns how many are in line, for a loop that waits until it changes: it
// only reads, and what it reads is the word of the line's lock, which whoever
// gets in line writes.
func (s *Semaphore) Peek() int  { return s.line.peek() }
func (s *RWSem) Peek() int      { return s.line.peek() }
func (c *Completion) Peek() int { return c.line.peek() }

func (l *waitList) peek() (n int) {
	(*primitives.Uint32)(unsafe.Pointer(&l.lock)).Load() // all that there is in a TTAS
	for w := l.first; w != nil; w = w.next {
		n++
	}
	return n
}
