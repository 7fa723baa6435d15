//go:build virtual

package blocking

import (
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// Overtake makes m count as overtaken times times already. The caller holds m.
func (m *Mutex) Overtake(times uint32) { m.overtaken = times }

// Peek returns how many are in line, for a loop that waits until it changes. It
// only reads: the word of the line's lock, which each waiter that gets in line
// writes.
func (s *Semaphore) Peek() int  { return s.line.peek() }
func (s *RWSem) Peek() int      { return s.line.peek() }
func (c *Completion) Peek() int { return c.line.peek() }

func (l *waitList) peek() (n int) {
	(*primitives.Uint32)(unsafe.Pointer(&l.lock)).Load() // a TTAS has only this word
	for w := l.first; w != nil; w = w.next {
		n++
	}
	return n
}
