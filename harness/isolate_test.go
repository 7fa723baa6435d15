package harness

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// A spot is a spinlock of 4 bytes that knows whether it was ever used.
type spot struct{ word atomic.Uint32 }

const (
	held = 1 << iota
	used
)

func (l *spot) Lock() {
	for !l.word.CompareAndSwap(0, held|used) && !l.word.CompareAndSwap(used, held|used) {
		runtime.Gosched()
	}
}

func (l *spot) Unlock() { l.word.Store(used) }

// An arena gives out its spots, first every second one, as a fragmented heap would,
// then each, not in order.
type arena struct {
	spots [2000]spot
	given []int
}

func (a *arena) fresh() sync.Locker {
	i := 2 * len(a.given)
	if n := len(a.given) - 50; n >= 0 {
		i = 100 + n - n%80 + 7*n%80
	}
	a.given = append(a.given, i)
	return &a.spots[i]
}

// lonely reports whether the two lines before the i'th spot and the two after it have
// only spots that were given out and never used.
func (a *arena) lonely(i int) bool {
	const around = 2 * primitives.CacheLineSize / unsafe.Sizeof(spot{})
	for j := i - int(around); j <= i+int(around); j++ {
		if !slices.Contains(a.given, j) || j != i && a.spots[j].word.Load() != 0 {
			return false
		}
	}
	return true
}

func (a *arena) index(l sync.Locker) int {
	return int((uintptr(unsafe.Pointer(l.(*spot))) - uintptr(unsafe.Pointer(&a.spots))) / unsafe.Sizeof(spot{}))
}

func TestIsolate(t *testing.T) {
	lonely := func() bool {
		a := new(arena)
		l, neighbours := isolate(a.fresh)
		if len(neighbours) != len(a.given) {
			t.Errorf("%d neighbours of %d are kept", len(neighbours), len(a.given))
		}
		return a.lonely(a.index(l))
	}
	// On a busy machine it makes fewer neighbours.
	for try := 0; !lonely(); try++ {
		if try == 10 {
			t.Fatal("the lock is beside what may be in use, ten times")
		}
	}
}

// The lock that is measured is isolated, to the end of the run; those of the preflight
// need not be.
func TestRunIsolates(t *testing.T) {
	lonely := func() (n int) {
		a := new(arena)
		if _, err := Run(context.Background(), quick(Subject{Name: "spot", New: a.fresh})); err != nil {
			t.Fatal(err)
		}
		for _, i := range a.given {
			if a.spots[i].word.Load() == used && a.lonely(i) {
				n++
			}
		}
		return n
	}
	for try := 0; lonely() != 1; try++ {
		if try == 10 {
			t.Fatal("no lock was used on lines of its own, ten times")
		}
	}
}

// A lock that takes long to make is not made dozens of times.
func TestIsolateExpensive(t *testing.T) {
	made := 0
	isolate(func() sync.Locker {
		made++
		for began := primitives.Nanotime(); primitives.Nanotime()-began < int64(2*time.Millisecond); {
		}
		return new(spot)
	})
	if made != 1 {
		t.Errorf("made %d locks that take 2 ms each, want 1", made)
	}
}

// Locks of any size and form: those that are no pointers, or nothing at all.
func TestIsolateForms(t *testing.T) {
	for _, fresh := range []func() sync.Locker{
		func() sync.Locker { return none{} },
		func() sync.Locker { return new(none) },
		func() sync.Locker { return make(channel, 1) },
		func() sync.Locker {
			return new(struct {
				sync.Mutex
				_ [4096]byte
			})
		},
	} {
		l, neighbours := isolate(fresh)
		l.Lock()
		l.Unlock()
		if len(neighbours) < 3 {
			t.Errorf("%T: %d neighbours, want at least one on each side", l, len(neighbours)-1)
		}
	}
}

type channel chan struct{}

func (c channel) Lock()   { c <- struct{}{} }
func (c channel) Unlock() { <-c }
