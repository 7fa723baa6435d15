package mcs

import "unsafe"

// Tail returns a number that changes whenever a goroutine gets in line.
func (q *Queue) Tail() uint64 { return uint64(uintptr(unsafe.Pointer(q.tail.Load()))) }

// Tail returns a number that changes whenever a goroutine gets in line.
func (l *Lock) Tail() uint64 { return uint64(l.tail.Load()) }

// Tail returns a number that changes whenever a goroutine gets in line.
func (l *CLH) Tail() uint64 { return l.tail.Load() }

// Tail returns a number that changes whenever a goroutine gets in line.
func (q *OSQ) Tail() uint64 { return uint64(q.tail.Load()) }

// InLines returns how many goroutines are in lines, because no waiter is free.
func InLines() (n uint64) {
	var node Node
	lines.guard.Lock(&node)
	for l := lines.first.Load(); l != nil; l = l.next {
		n += uint64(max(l.users.Get(), 1)) // counts a line that should have been removed
	}
	lines.guard.Unlock(&node)
	return n
}

// LineTail returns a number that changes whenever a goroutine gets in a line
// because no waiter is free, if they all want the same lock.
func LineTail() (tail uint64) {
	var node Node
	lines.guard.Lock(&node)
	if l := lines.first.Load(); l != nil {
		tail = l.queue.Tail()
	}
	lines.guard.Unlock(&node)
	return tail
}

// InLineFor puts the caller at the end of the line for the lock at that address, and
// returns, when it is the head, what lets the next have its place.
func InLineFor(lock uintptr) (leave func()) {
	s := new(stand)
	s.join(lock)
	return s.leave
}

// Free returns how many waiters are free after [Limit].
func Free() (n int) {
	for cpu := range cpus {
		for context := range contexts {
			if WaiterAt(Number(cpu, context)).busy.Load() == 0 {
				n++
			}
		}
	}
	return n
}

// Lines returns the addresses of the locks that have a line.
func Lines() (locks []uintptr) {
	for l := lines.first.Load(); l != nil; l = l.next {
		locks = append(locks, l.lock)
	}
	return locks
}

// EnlistOn returns a waiter as a goroutine on that CPU gets it, or nil if none of
// them is free.
func EnlistOn(cpu int) *Waiter { return claim(home(cpu)) }

// NewCLHAt returns an unlocked CLH whose own node has generation n before it
// wraps.
func NewCLHAt(n uint64) *CLH {
	l := new(CLH)
	l.tail.Store(-n * generation)
	l.over.Store(-n * generation)
	return l
}

// SetPlaces sets the generation of the waiters of the first 64 CPUs to n before it
// wraps. No waiter may be enlisted.
func SetPlaces(n uint64) {
	for cpu := range 64 {
		for context := range contexts {
			WaiterAt(Number(cpu, context)).place.Store(-n * generation)
		}
	}
}

// Enlisted returns the numbers of the waiters that are enlisted.
func Enlisted() (numbers []uint32) {
	for cpu := range 64 {
		for context := range contexts {
			if number := Number(cpu, context); WaiterAt(number).busy.Load() != 0 {
				numbers = append(numbers, number)
			}
		}
	}
	return numbers
}
