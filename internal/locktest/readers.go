package locktest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A Readers is a lock that lets readers in together, as sync.RWMutex does.
type Readers interface {
	sync.Locker
	RLock()
	RUnlock()
}

// An RWLock has the methods of every spinning reader-writer lock of this module.
type RWLock interface {
	Lock
	Readers
	TryRLock() bool
	RLockPinned()
	TryRLockPinned() bool
	RUnlockPinned()
	RLocker() sync.Locker
}

// AllRW runs every test that holds for any reader-writer lock, including those of
// [All]. newLock returns a fresh one.
func AllRW(t *testing.T, newLock func() RWLock) {
	All(t, func() Lock { return newLock() })
	t.Run("PinnedTries", func(t *testing.T) { PinnedTries(t, newLock()) })
	t.Run("TryRLock", func(t *testing.T) { TryRLock(t, newLock()) })
	t.Run("ReaderMisuse", func(t *testing.T) { ReaderMisuse(t, newLock()) })
	t.Run("ReadersExclude", func(t *testing.T) { ReadersExclude(t, newLock()) })
	t.Run("ReadersExcludePinned", func(t *testing.T) { ReadersExclude(t, PinnedReaders(newLock())) })
	t.Run("ReadersExcludeTryLock", func(t *testing.T) { ReadersExclude(t, &tryingReaders{newLock()}) })
	t.Run("ReaderTries", func(t *testing.T) { ReaderTries(t, newLock()) })
	t.Run("ReadersOverlap", func(t *testing.T) { ReadersOverlap(t, newLock()) })
	t.Run("ReadersOverlapTryRLock", func(t *testing.T) { ReadersOverlap(t, &tryingReaders{newLock()}) })
	t.Run("RLocker", func(t *testing.T) { RLocker(t, newLock()) })
	t.Run("RUnlockElsewhere", func(t *testing.T) { RUnlockElsewhere(t, newLock()) })
	for _, cpus := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("ReadersOversubscribed/cpus=%d", cpus), func(t *testing.T) { ReadersOversubscribed(t, cpus, newLock()) })
		t.Run(fmt.Sprintf("ReadersOversubscribedPinned/cpus=%d", cpus), func(t *testing.T) {
			ReadersOversubscribed(t, cpus, PinnedReaders(newLock()))
		})
	}
}

// PinnedReaders returns l with its pinned forms as the plain ones.
func PinnedReaders(l RWLock) Readers { return pinnedReaders{pinned{l}, l} }

type pinnedReaders struct {
	pinned
	l RWLock
}

func (p pinnedReaders) RLock()   { p.l.RLockPinned() }
func (p pinnedReaders) RUnlock() { p.l.RUnlockPinned() }

// tryingReaders call TryLock or TryRLock before they wait.
type tryingReaders struct{ l RWLock }

func (t *tryingReaders) Lock()    { (&trying{t.l}).Lock() }
func (t *tryingReaders) Unlock()  { t.l.Unlock() }
func (t *tryingReaders) RUnlock() { t.l.RUnlock() }

func (t *tryingReaders) RLock() {
	for range 3 {
		if t.l.TryRLock() {
			return
		}
		runtime.Gosched()
	}
	t.l.RLock()
}

// TryRLock checks what TryRLock and TryLock promise to a single goroutine
// about readers, and that all the ways to read agree with them.
func TryRLock(t testing.TB, l RWLock) {
	t.Helper()
	take := map[string]func(){
		"RLock":    l.RLock,
		"TryRLock": func() { wantTry(t, "TryRLock of unlocked lock", l.TryRLock(), true) },
		"RLockPinned": func() {
			l.RLockPinned()
			primitives.Unpin() // so that the test may go on to RUnlock
		},
		"TryRLockPinned": func() {
			wantTryPinned(t, "TryRLockPinned of unlocked lock", l.TryRLockPinned(), true)
		},
	}
	give := map[string]func(){
		"RUnlock": l.RUnlock,
		"RUnlockPinned": func() {
			primitives.Pin()
			l.RUnlockPinned()
		},
	}
	for took, rlock := range take {
		for gave, runlock := range give {
			rlock()
			wantTry(t, "TryLock after "+took, l.TryLock(), false)
			wantTryPinned(t, "TryLockPinned after "+took, l.TryLockPinned(), false)
			rlock() // there is no writer, so readers share
			runlock()
			wantTry(t, "TryLock after two "+took+" and one "+gave, l.TryLock(), false)
			runlock()
			wantTry(t, "TryLock after "+gave, l.TryLock(), true)
			wantTry(t, "TryRLock of write-locked lock", l.TryRLock(), false)
			wantTryPinned(t, "TryRLockPinned of write-locked lock", l.TryRLockPinned(), false)
			l.Unlock()
		}
	}
}

// ReaderMisuse checks that an RUnlock too many panics and breaks nothing. A lock whose
// readers share no word cannot see it at once; there the next TryLock must panic.
func ReaderMisuse(t testing.TB, l RWLock) {
	t.Helper()
	for range 2 {
		atOnce := false
		Panics(t, "RUnlock of unlocked lock, or the TryLock after it,", func() {
			atOnce = true
			l.RUnlock()
			atOnce = false
			if l.TryLock() {
				l.Unlock()
			}
		})
		if atOnce { // otherwise it would unpin the test, which is not pinned: a pinned panic is fatal
			Panics(t, "RUnlockPinned of unlocked lock", l.RUnlockPinned)
		}
		Panics(t, "RUnlock of unlocked lock, or the Lock after it,", func() {
			l.RUnlock()
			l.Lock()
			l.Unlock()
		})
		Panics(t, "Unlock of read-locked lock", func() {
			l.RLock()
			defer l.RUnlock()
			l.Unlock()
		})
		wantTry(t, "TryRLock after a panic", l.TryRLock(), true)
		wantTry(t, "TryLock after TryRLock", l.TryLock(), false)
		l.RUnlock()
		wantTry(t, "TryLock after RUnlock", l.TryLock(), true)
		l.Unlock()
	}
}

// ReadersExclude checks that a writer is alone and that readers see no unfinished write.
//
// The counters are plain on purpose: a reader that meets a writer sees them
// differ, and trips the race detector under -race.
func ReadersExclude(t testing.TB, l Readers) {
	t.Helper()
	const sections = 1000
	_, isPinned := l.(pinnedReaders)
	pause := func(i int) {
		if i%16 == 0 && !isPinned {
			runtime.Gosched() // inside, so that others meet the holder
		}
	}
	var (
		n, twin int // guarded by l; equal whenever no writer is inside
		torn    primitives.Uint32
		ready   primitives.Uint32
		wg      sync.WaitGroup
	)
	together := func() {
		ready.Add(1)
		Until(func() bool { return ready.Load() == Workers })
	}
	for range Workers / 2 {
		wg.Go(func() {
			together()
			for i := range sections {
				l.RLock()
				before := n
				pause(i)
				if n != before || twin != before {
					torn.Add(1)
				}
				l.RUnlock()
				if i%4 == 0 {
					runtime.Gosched() // outside, so that writers come in between
				}
			}
		})
		wg.Go(func() {
			together()
			for i := range sections / 2 {
				l.Lock()
				if n != twin {
					torn.Add(1)
				}
				n++
				pause(i)
				twin++
				l.Unlock()
			}
		})
	}
	wg.Wait()
	if want := Workers / 2 * sections / 2; n != want || twin != want || torn.Load() != 0 {
		t.Errorf("after %d write sections the counters read %d and %d; holders saw them torn %d times", want, n, twin, torn.Load())
	}
}

// ReaderTries checks that a reader and a writer exclude each other in tight loops on
// CPUs of their own, so that their looks at each other cross. A Distributed whose
// writer shut its gate with a StoreRelease, so that the store could pass its look at
// the counts, failed it in 20 of 20 runs, and passed ReadersExclude in all.
func ReaderTries(t testing.TB, l RWLock) {
	t.Helper()
	const duration = 100 * time.Millisecond
	const looks = 8 // in a section, to make it last
	var (
		n     int // guarded by l
		look  primitives.Uint32
		torn  int
		began = time.Now()
		wg    sync.WaitGroup
	)
	wg.Go(func() {
		for time.Since(began) < duration {
			for range 1000 {
				if l.TryRLock() {
					before := n
					for range looks {
						look.Load() // the compiler must read n again after it
					}
					if n != before {
						torn++
					}
					l.RUnlock()
				}
			}
		}
	})
	wg.Go(func() {
		for time.Since(began) < duration {
			for i := range 1000 {
				if i%2 == 0 {
					l.Lock()
				} else if !l.TryLock() {
					continue
				}
				for range looks {
					look.Load()
				}
				n++
				l.Unlock()
			}
		}
	})
	wg.Wait()
	if torn != 0 {
		t.Errorf("readers saw a writer at work %d times", torn)
	}
}

// ReadersOverlap checks that two readers can be inside at once.
func ReadersOverlap(t testing.TB, l Readers) {
	t.Helper()
	var inside, met primitives.Uint32
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for rounds := 0; rounds < 5000 && met.Load() == 0; rounds++ { // the other may wait for a CPU
				l.RLock()
				inside.Add(1)
				for i := 0; i < 100 && met.Load() == 0; i++ {
					if inside.Load() == 2 {
						met.Store(1)
					}
					runtime.Gosched() // to the other one
				}
				inside.Add(^uint32(0))
				l.RUnlock()
			}
		})
	}
	wg.Wait()
	if met.Load() == 0 {
		t.Errorf("two readers never met inside")
	}
}

// RLocker checks that RLocker's Locker reads.
func RLocker(t testing.TB, l RWLock) {
	t.Helper()
	r := l.RLocker()
	r.Lock()
	wantTry(t, "TryRLock after RLocker's Lock", l.TryRLock(), true)
	l.RUnlock()
	wantTry(t, "TryLock after RLocker's Lock", l.TryLock(), false)
	r.Unlock()
	wantTry(t, "TryLock after RLocker's Unlock", l.TryLock(), true)
	l.Unlock()
}

// RUnlockElsewhere checks that a read section may end in another goroutine and
// on another CPU than it began.
func RUnlockElsewhere(t testing.TB, l RWLock) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(max(2, runtime.GOMAXPROCS(0))))
	const sections = 200
	began := make(chan int)
	ended := make(chan bool)
	end := func() {
		for cpu := range began {
			// Not in the pinned section that says which CPU this is: an RUnlock may
			// yield. So the section nearly always ends on another CPU.
			for tries := 0; here() == cpu && tries < 1000; tries++ {
				runtime.Gosched()
			}
			l.RUnlock()
			ended <- true
		}
	}
	for range 16 { // under purego the CPU that Pin returns depends on the goroutine
		go end()
	}
	for range sections {
		l.RLock()
		began <- here()
		for waiting := true; waiting; { // busy, so that the other needs another CPU
			select {
			case <-ended:
				waiting = false
			default:
				runtime.Gosched()
			}
		}
		// A Biased whose timer runs is held for a moment: longer if the operating
		// system takes the timer's CPU away.
		locked := l.TryLock()
		for start := time.Now(); !locked && time.Since(start) < time.Second; {
			runtime.Gosched()
			locked = l.TryLock()
		}
		if !locked {
			t.Errorf("TryLock after an RUnlock elsewhere = false, want true; the lock says %q", l)
			break
		}
		l.Unlock()
	}
	close(began)
}

// here returns the CPU on which the caller was a moment ago.
func here() int {
	cpu := primitives.Pin()
	primitives.Unpin()
	return cpu
}

// ReadersOversubscribed checks that 64 goroutines on a few CPUs, each a reader
// most of the time, all get the lock: a writer that kept its CPU from the
// reader it waits for would hang here.
func ReadersOversubscribed(t testing.TB, cpus int, l Readers) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
	const goroutines = 64
	sections := 50
	if cpus > runtime.NumCPU() {
		sections = 5 // waiters in line now also wait for the operating system
	}
	_, isPinned := l.(pinnedReaders)
	var n int // guarded by l
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range sections {
				if i%5 == 0 {
					l.Lock()
				} else {
					l.RLock()
				}
				before := n
				if i%8 < 2 && !isPinned {
					runtime.Gosched() // so that a queue forms
				}
				if i%5 == 0 {
					n = before + 1
					l.Unlock()
				} else {
					l.RUnlock()
				}
			}
		})
	}
	wg.Wait()
	if want := goroutines * sections / 5; n != want {
		t.Errorf("after %d write sections the counter reads %d", want, n)
	}
}

// WriterProgress checks that readers do not overtake a writer that waits, even if
// there is always a reader inside. After l says that a writer waits, each reader can go
// in at most once before the writer, if it was about to. Overlapping readers starve the
// writers of a lock that fails this.
func WriterProgress(t testing.TB, l RWLock) {
	t.Helper()
	const (
		rounds  = 20
		forever = 1_000_000 // read sections: a writer may wait for a CPU, too
	)
	var (
		stop            primitives.Bool
		inside, entered primitives.Uint32
		wg              sync.WaitGroup
	)
	for range Workers {
		wg.Go(func() {
			for !stop.Load() {
				l.RLock()
				entered.Add(1)
				inside.Add(1)
				// Leave once another reader is inside, which then stays. Leave
				// also after a while: perhaps no other reader can come in.
				left := false
				for tries := 0; tries < 100 && !left; tries++ {
					n := inside.Load()
					left = n > 1 && inside.CompareAndSwap(n, n-1)
					runtime.Gosched()
				}
				if !left {
					inside.Add(^uint32(0))
				}
				l.RUnlock()
			}
		})
	}
	for range rounds {
		var done primitives.Bool
		var until primitives.Uint32
		start := entered.Load()
		wg.Go(func() {
			l.Lock()
			until.Store(entered.Load())
			done.Store(true)
			l.Unlock()
		})
		var waits bool
		Until(func() bool {
			waits = strings.Contains(l.String(), "writer waits")
			return waits || done.Load() || entered.Load()-start > forever
		})
		from := entered.Load()
		Until(func() bool { return done.Load() || entered.Load()-start > forever })
		if !done.Load() {
			t.Errorf("a writer did not get in for %d read sections", forever)
			break
		}
		if overtook := int32(until.Load() - from); waits && overtook > Workers {
			t.Errorf("%d read sections began while a writer waited, want at most %d", overtook, Workers)
			break
		}
	}
	stop.Store(true)
	wg.Wait()
}

// PinnedTries lets pinned readers, pinned writers and goroutines that only try meet
// while other goroutines wait for their CPUs. A lock that gives way inside a pinned
// section, as unpinned releases do, ends the program here: the runtime does not let a
// pinned goroutine yield.
func PinnedTries(t testing.TB, l RWLock) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	const duration = 50 * time.Millisecond
	var n int // guarded by l
	var written primitives.Uint64
	var wg sync.WaitGroup
	began := time.Now()
	each := func(section func()) {
		wg.Go(func() {
			// Each round looks at the clock: if the operating system uses a CPU for
			// other programs, a FIFO lock is handed over only once in a time slice.
			for i := 1; time.Since(began) < duration; i++ {
				section()
				if i%100 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	write := func() {
		n++
		written.Add(1)
	}
	for range 2 {
		each(func() { l.RLockPinned(); _ = n; l.RUnlockPinned() })
		each(func() { l.LockPinned(); write(); l.UnlockPinned() })
		each(func() {
			if l.TryLockPinned() {
				write()
				l.UnlockPinned()
			}
		})
		each(func() {
			if l.TryRLockPinned() {
				_ = n
				l.RUnlockPinned()
			}
		})
		each(runtime.Gosched)
	}
	wg.Wait()
	if want := int(written.Load()); n != want {
		t.Errorf("after %d write sections the counter reads %d", want, n)
	}
}
