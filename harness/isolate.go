package harness

import (
	"cmp"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// isolate returns a new lock on cache lines that nothing else uses.
//
// A lock of a few bytes shares its line with any object that Go's allocator puts next
// to it: next to a word that a worker writes, one lock would be slow, and another of
// the same kind elsewhere would not. Objects allocated one after the other are mostly
// placed side by side, so isolate makes more locks than fill the lines around one, and
// returns one in the middle of those that are closest together. The caller must keep
// its neighbours alive, and must not use them.
//
// An older object may still be among them if the heap is fragmented. Locks that take
// long to make get fewer neighbours.
//
// Under an engine it prefers one that begins a line, so that the words of a lock share
// lines as they did in the last run.
func isolate(fresh func() sync.Locker) (lock sync.Locker, neighbours []sync.Locker) {
	const longest = time.Millisecond
	until := primitives.Nanotime() + int64(longest)
	locks := []sync.Locker{fresh()}
	around := 1 + len(pad{})/max(1, sizeOf(locks[0])) // on each side
	most := 4 * around
	if primitives.Virtual() {
		most += 2 * linesApart
	}
	for len(locks) < most && primitives.Nanotime() < until {
		locks = append(locks, fresh())
	}
	slices.SortStableFunc(locks, func(a, b sync.Locker) int { return cmp.Compare(address(a), address(b)) })

	middle, closest := len(locks)/2, ^uintptr(0)
	for i := around; i < len(locks)-around; i++ {
		if primitives.Virtual() && address(locks[i])%primitives.CacheLineSize != 0 {
			continue
		}
		if d := address(locks[i+around]) - address(locks[i-around]); d < closest {
			middle, closest = i, d
		}
	}
	return locks[middle], locks
}

// linesApart is how many objects of one size there are at most between two of which each
// begins a line: the sizes of Go's allocator are multiples of 8, as its addresses are.
const linesApart = primitives.CacheLineSize / 8

// sizeOf returns the size of l in bytes, or a guess if l is not a pointer.
func sizeOf(l sync.Locker) int {
	if t := reflect.TypeOf(l); t.Kind() == reflect.Pointer {
		return int(t.Elem().Size())
	}
	return 32
}

// address returns where l is, or 0 if l is not a pointer.
func address(l sync.Locker) uintptr {
	if v := reflect.ValueOf(l); v.Kind() == reflect.Pointer {
		return v.Pointer()
	}
	return 0
}
