package waiter

import "unsafe"

// Limit leaves only n waiters to enlist, so that a model test can run out of them.
// undo gives the others back. It is for tests: no waiter may be enlisted, and
// nothing else may run.
func Limit(n int) (undo func()) {
	cpus = max(1, (n+contexts-1)/contexts)
	var taken []*Waiter
	for range contexts*cpus - n {
		taken = append(taken, Enlist())
	}
	return func() {
		for _, w := range taken {
			w.Retire()
		}
		cpus = mostCPUs
	}
}

// HighNumbers gives the waiters with the highest numbers to the next four goroutines
// that wait, and returns what undoes it, so that a test uses all bits of a number. It is
// for tests, as Limit is.
func HighNumbers() (undo func()) {
	var taken []*Waiter
	for cpu := range near {
		for w := claim(cpu); w != nil; w = claim(cpu) {
			taken = append(taken, w)
		}
		waiters.At(cpu).hint.Store(mostCPUs - 1)
	}
	return func() {
		for _, w := range taken {
			w.Retire()
		}
	}
}

// Enlisted returns the numbers of the waiters that are enlisted, for tests.
func Enlisted() (numbers []uint32) {
	for cpu := range min(waiters.Len(), cpus) {
		for context := range contexts {
			if number := Number(cpu, context); At(number).busy.Load() != 0 {
				numbers = append(numbers, number)
			}
		}
	}
	return numbers
}

// Free returns how many waiters are free, for tests.
func Free() int { return contexts*cpus - len(Enlisted()) }

// Lines returns the addresses of the locks that have a line, because no waiter is free.
// It is for tests.
func Lines() (locks []uintptr) {
	lines.guard.Lock()
	for l := lines.first.Load(); l != nil; l = l.next {
		locks = append(locks, l.lock)
	}
	lines.guard.Unlock()
	return locks
}

// LineTail returns a number that changes whenever a goroutine gets in a line. It is for
// tests.
func LineTail() (tail uint64) {
	lines.guard.Lock()
	for l := lines.first.Load(); l != nil; l = l.next {
		tail += uint64(uintptr(unsafe.Pointer(l.last.Get())))
	}
	lines.guard.Unlock()
	return tail
}
