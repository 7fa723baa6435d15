package rwlock_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rwlock"
)

// locks has all locks of the package; fair has those whose writers do not starve.
var (
	fair = map[string]func() rwlock.Lock{
		"Queued":      func() rwlock.Lock { return new(rwlock.Queued) },
		"PhaseFair":   func() rwlock.Lock { return new(rwlock.PhaseFair) },
		"Distributed": func() rwlock.Lock { return new(rwlock.Distributed) },
		"Biased":      func() rwlock.Lock { return rwlock.NewBiased(new(rwlock.Queued)) },
		"zero Biased": func() rwlock.Lock { return new(rwlock.Biased) },
		"Unbiased":    func() rwlock.Lock { return rwlock.NewUnbiased(new(rwlock.PhaseFair)) },
	}
	locks = map[string]func() rwlock.Lock{
		"ReaderPref": func() rwlock.Lock { return new(rwlock.ReaderPref) },
		"Shifting":   func() rwlock.Lock { return shifting(new(rwlock.ReaderPref)) },
	}
)

func init() {
	for name, newLock := range fair {
		locks[name] = newLock
	}
}

// A shifting Biased gains and loses its bias all the time.
type shiftingBiased struct {
	*rwlock.Biased
	n int // guarded by the lock
}

func shifting(base rwlock.Lock) rwlock.Lock { return &shiftingBiased{Biased: rwlock.NewBiased(base)} }

func (l *shiftingBiased) shift() {
	l.n++
	l.SetCredit(l.n%3 - 1)
}

func (l *shiftingBiased) Unlock() {
	if strings.HasPrefix(l.String(), "write-locked") {
		l.shift()
	}
	l.Biased.Unlock()
	l.TryBias()
}

func TestLocks(t *testing.T) {
	for name, newLock := range locks {
		t.Run(name, func(t *testing.T) {
			locktest.AllRW(t, func() locktest.RWLock { return newLock() })
		})
	}
}

func TestWriterProgress(t *testing.T) {
	for name, newLock := range fair {
		t.Run(name, func(t *testing.T) { locktest.WriterProgress(t, newLock()) })
	}
}

// In a fair lock a writer that waits turns readers away. In ReaderPref it does
// not, so its writers can starve.
func TestReadersMeetWaitingWriter(t *testing.T) {
	for name, newLock := range locks {
		_, isFair := fair[name]
		if name == "Shifting" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			l := newLock()
			l.RLock()
			var called, inside primitives.Bool
			var wg sync.WaitGroup
			wg.Go(func() {
				called.Store(true)
				l.Lock()
				inside.Store(true)
				l.Unlock()
			})
			if isFair {
				locktest.Until(func() bool { return strings.Contains(l.String(), "1 reader, a writer waits") })
			} else {
				locktest.Until(called.Load)
			}
			if got := l.TryRLock(); got == isFair {
				t.Errorf("TryRLock while a writer waits = %v, want %v", got, !isFair)
			}
			if inside.Load() {
				t.Error("the writer did not wait for the reader")
			}
			l.RUnlock()
			if !isFair {
				l.RUnlock()
			}
			wg.Wait()
		})
	}
}

// Two writers, one inside and one in line, and then a reader: PhaseFair lets
// the reader in between them, and Queued serves in the order of arrival.
func TestPhases(t *testing.T) {
	order := func(l rwlock.Lock, waiting func(writers, readers int) bool) []string {
		var got []string // guarded by l, or written by the only reader inside
		var wg sync.WaitGroup
		l.Lock()
		wg.Go(func() {
			l.Lock()
			got = append(got, "writer")
			l.Unlock()
		})
		locktest.Until(func() bool { return waiting(1, 0) })
		wg.Go(func() {
			l.RLock()
			got = append(got, "reader")
			l.RUnlock()
		})
		locktest.Until(func() bool { return waiting(1, 1) })
		l.Unlock()
		wg.Wait()
		return got
	}
	for range 20 {
		pf := new(rwlock.PhaseFair)
		got := order(pf, func(writers, readers int) bool { return pf.WritersInLine() == writers && pf.ReadersInLine() == readers })
		if want := []string{"reader", "writer"}; !slices.Equal(got, want) {
			t.Fatalf("PhaseFair let in %v, want %v", got, want)
		}
		q := new(rwlock.Queued)
		got = order(q, func(writers, readers int) bool { return q.InLine() == writers+readers })
		if want := []string{"writer", "reader"}; !slices.Equal(got, want) {
			t.Fatalf("Queued let in %v, want %v", got, want)
		}
	}
}

// Counters may wrap.
func TestWrap(t *testing.T) {
	for _, bits := range []int{32, 64} { // 64 tests the upper half, too
		locktest.ReadersExclude(t, rwlock.NewPhaseFairAt(1<<bits-100<<8))
		locktest.WriterProgress(t, rwlock.NewPhaseFairAt(1<<bits-100<<8))
		locktest.TryRLock(t, rwlock.NewPhaseFairAt(1<<bits-3<<8))
		locktest.ReadersExclude(t, rwlock.NewDistributedAt(1<<bits-100))
		locktest.TryRLock(t, rwlock.NewDistributedAt(1<<bits-3))
	}
	locktest.ReaderMisuse(t, rwlock.NewPhaseFairAt(0))
}

// A TryLock that fails must not change the phase of a PhaseFair: two writers in a
// row with the same phase would deadlock with a reader between them.
func TestFailedTryLockKeepsPhase(t *testing.T) {
	l := new(rwlock.PhaseFair)
	var phases []uint64
	for i := range 6 {
		l.RLock()
		for range i % 3 {
			if l.TryLock() || !l.FailTryLock() {
				t.Fatal("TryLock of read-locked lock = true")
			}
		}
		l.RUnlock()
		if i%2 == 0 {
			l.Lock()
		} else if !l.TryLock() {
			t.Fatal("TryLock of unlocked lock = false")
		}
		phases = append(phases, l.Phase())
		l.Unlock()
	}
	for i := range phases[1:] {
		if phases[i] == phases[i+1] {
			t.Errorf("writers had phases %v, want no two equal in a row", phases)
			break
		}
	}
}

// A lock loses its bias when writes are frequent, and keeps it through writes when
// they are rare.
func TestBiasPays(t *testing.T) {
	write := func(l *rwlock.Biased) {
		l.Lock()
		l.Unlock()
	}
	l := rwlock.NewBiased(new(rwlock.Queued))
	for range 1000 {
		for range 100 {
			l.RLock()
			l.RUnlock()
		}
		write(l)
	}
	if !l.Biased() {
		t.Error("a lock read 100 times to a write lost its bias")
	}

	base := new(rwlock.Queued)
	l = rwlock.NewBiased(base)
	for i := 0; l.Biased(); i++ {
		if i > 1000 {
			t.Fatal("a lock that is only written kept its bias")
		}
		write(l)
	}
	l.RLock()
	if got, want := base.String(), "1 reader"; got != want {
		t.Errorf("base of a read-locked lock without bias: %q, want %q", got, want)
	}
	l.TimeOut()
	if l.Biased() {
		t.Error("bias came back with a reader in the base lock")
	}
	l.RUnlock()
	write(l)
	if !l.Biased() {
		t.Error("bias did not come back with the first writer after the inhibition")
	}
	l.RLock()
	if got, want := base.String(), "unlocked"; got != want {
		t.Errorf("base of a read-locked lock with bias: %q, want %q", got, want)
	}
	l.RUnlock()
}

// The timer brings the bias back without a writer, too.
func TestBiasComesBack(t *testing.T) {
	l := rwlock.NewBiased(new(rwlock.ReaderPref))
	for l.Biased() {
		l.Lock()
		l.Unlock()
	}
	locktest.Until(l.Biased)
}

// The timer of a lock that is garbage ends, even if a reader that never left keeps
// it from succeeding. Otherwise it would try once a second without end.
func TestBiasTimerEnds(t *testing.T) {
	var gone primitives.Bool
	func() {
		l := rwlock.NewBiased(new(rwlock.Queued))
		runtime.AddCleanup(l, func(*int) { gone.Store(true) }, nil)
		for l.Biased() {
			l.Lock()
			l.Unlock()
		}
		l.RLock()
		l.TimeOut() // fails
	}()
	for range 300 { // one or two would do
		if gone.Load() {
			return
		}
		runtime.GC()
		runtime.Gosched()
	}
	t.Error("a lock that is garbage is kept in memory")
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		word uint32
		want string
	}{
		{0, "unlocked"},
		{0xff, "write-locked"},
		{0x200, "1 reader"},
		{0x600, "3 readers"},
		{0x500, "2 readers, a writer waits"},
		{0x100, "unlocked, a writer waits"},
		{0x1ff, "write-locked, a writer waits"},
		{0x2ff, "write-locked, 1 reader waits"},
		{0x4ff, "write-locked, 2 readers wait"},
		{0x501, "2 readers, one of them upgrades, a writer waits"},
	} {
		if got := rwlock.Decode(c.word).String(); got != c.want {
			t.Errorf("Decode(%#x) = %q, want %q", c.word, got, c.want)
		}
	}
}

func TestString(t *testing.T) {
	for name, newLock := range locks {
		l := newLock()
		rest, _ := strings.CutPrefix(l.String(), "unlocked") // ", biased"
		want := func(what, want string) {
			t.Helper()
			if got := l.String(); got != want+rest {
				t.Errorf("String of %s %s = %q, want %q", what, name, got, want+rest)
			}
		}
		l.RLock()
		l.RLock()
		want("twice read-locked", "2 readers")
		l.RUnlock()
		l.RUnlock()
		want("unlocked", "unlocked")
		l.Lock()
		want("write-locked", "write-locked")
		l.Unlock()
	}
}

// docs/rwlock.md has these sizes, too. For each CPU there is a tally and two
// lines of padding, for which the allocator takes 160 bytes.
func TestSizes(t *testing.T) {
	for name, sizes := range map[string][2]uintptr{
		"ReaderPref": {unsafe.Sizeof(rwlock.ReaderPref{}), 4},
		"Queued":     {unsafe.Sizeof(rwlock.Queued{}), 8},
		"Upgradable": {unsafe.Sizeof(rwlock.Upgradable{}), 12},
		"tally":      {rwlock.TallySize, 32},
	} {
		if sizes[0] != sizes[1] {
			t.Errorf("a %s has %d bytes, want %d", name, sizes[0], sizes[1])
		}
	}
	if primitives.CacheLineSize != 64 || unsafe.Sizeof(uintptr(0)) != 8 {
		return // the others are mostly pointers and padding
	}
	for name, sizes := range map[string][2]uintptr{
		"PhaseFair":   {unsafe.Sizeof(rwlock.PhaseFair{}), 32},
		"Distributed": {unsafe.Sizeof(rwlock.Distributed{}), 24},
		"Biased":      {unsafe.Sizeof(rwlock.Biased{}), 128},
	} {
		if sizes[0] != sizes[1] {
			t.Errorf("a %s has %d bytes, want %d", name, sizes[0], sizes[1])
		}
	}
}

func TestInlines(t *testing.T) {
	locktest.Inlines(t,
		"(*ReaderPref).RLock", "(*ReaderPref).RUnlock", "(*ReaderPref).Lock", "(*word).Unlock",
		"(*Queued).RLock", "(*Queued).RUnlock", "(*Queued).Lock")
}

// Nothing allocates once the counts of this CPU are there.
func TestAllocations(t *testing.T) {
	for name, newLock := range locks {
		if name == "Shifting" {
			continue
		}
		l := newLock()
		if n := testing.AllocsPerRun(100, func() {
			l.RLock()
			l.TryLockPinned()
			l.RUnlock()
			if l.TryRLockPinned() {
				l.RUnlockPinned()
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations, want none", name, n)
		}
	}
}

// If any number of readers come while one leaves, its RUnlock is not taken for one too
// many. This once failed when more than half of the counter's range came.
func TestPhaseFairReadersFarAhead(t *testing.T) {
	for _, ahead := range []uint64{1, 1 << 22, 1<<23 + 1, 1<<24 - 1, 1 << 24, 1<<24 + 1, 1 << 32, 1 << 55} {
		var l rwlock.PhaseFair
		l.ReadAhead(ahead)
		l.RUnlock()
	}
}

// Counts of readers do not run over and let a writer in: if a lock has a limit, the
// reader that does not fit panics and changes nothing.
func TestManyReaders(t *testing.T) {
	const full = "rwlock: RLock of a lock with 4194303 readers"
	for name, newAt := range map[string]func(readers uint32) rwlock.Lock{
		"ReaderPref": func(n uint32) rwlock.Lock { return rwlock.NewReaderPrefAt(n) },
		"Queued":     func(n uint32) rwlock.Lock { return rwlock.NewQueuedAt(n) },
	} {
		t.Run(name, func(t *testing.T) {
			l := newAt(rwlock.MaxReaders - 2)
			l.RLock()
			if !l.TryRLock() {
				t.Error("TryRLock with room for one = false, want true")
			}
			was := l.String()
			for what, arrive := range map[string]func(){
				"RLock": l.RLock, "RLockPinned": l.RLockPinned, "TryRLock": func() { l.TryRLock() }, "TryRLockPinned": func() { l.TryRLockPinned() },
			} {
				if got := panicOf(arrive); got != full {
					t.Errorf("%s of a full lock: panic %q, want %q", what, got, full)
				}
				if got := l.String(); got != was {
					t.Errorf("%s of a full lock made it %q, want %q as before", what, got, was)
				}
			}
			runtime.Gosched() // ends the program if the test is pinned
			if l.TryLock() {
				t.Error("TryLock of a full lock = true")
			}
			l.RUnlock()
			l.RLock()
			l.RUnlock()
			l.RUnlock()
			if got, want := l.String(), "4194301 readers"; got != want {
				t.Errorf("String = %q, want %q", got, want)
			}
		})
	}
	for name, l := range map[string]rwlock.Lock{
		"PhaseFair 24":   aheadOf(1 << 24),
		"PhaseFair 32":   aheadOf(1 << 32),
		"Distributed 31": new(rwlock.Distributed).ReadAhead(1<<31 + 1),
		"Distributed 32": new(rwlock.Distributed).ReadAhead(1 << 32),
		"Biased 31":      new(rwlock.Biased).ReadAhead(1<<31 + 1),
		"Biased 32":      new(rwlock.Biased).ReadAhead(1 << 32),
	} {
		if l.TryLock() {
			t.Errorf("%s: TryLock of a lock with as many readers as 2 to the power of that = true", name)
		}
		l.RLock()
		l.RUnlock()
		l.RUnlock()
		if l.TryLock() {
			t.Errorf("%s: TryLock after one reader of many left = true", name)
		}
	}
}

func aheadOf(readers uint64) *rwlock.PhaseFair {
	l := new(rwlock.PhaseFair)
	l.ReadAhead(readers)
	return l
}

// panicOf returns what f panics with, or "".
func panicOf(f func()) (says string) {
	defer func() {
		if v := recover(); v != nil {
			says = fmt.Sprint(v)
		}
	}()
	f()
	return ""
}

// An RUnlock too many while a reader is inside lets a writer in, because the lock
// cannot distinguish the two readers. A reader that then leaves while the writer is
// inside panics; afterwards the lock is in order. If the writer has left by then, the
// next writer panics.
func TestRUnlockTooManyBesideReader(t *testing.T) {
	for name, newLock := range locks {
		if name == "Shifting" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			l := newLock()
			l.RLock()
			l.RUnlock()
			for range 2 {
				l.RLock()
				l.RUnlock() // by a goroutine that has no read section
				l.Lock()
				for range 2 {
					if says := panicOf(l.RUnlock); !strings.Contains(says, "RUnlock of ") {
						t.Errorf("RUnlock while a writer holds it panics with %q, want that there was one too many", says)
					}
				}
				l.Unlock()
				locktest.TryRLock(t, l)

				l.RLock()
				l.RUnlock()
				l.Lock()
				l.Unlock()
				if panicOf(l.RUnlock) == "" && panicOf(l.Lock) == "" {
					t.Error("neither the reader that left after the writer nor the next writer panicked")
				}
				locktest.TryRLock(t, l)
			}
		})
	}
}

// A writer that finds an RUnlock too many panics unpinned, whichever form of Lock
// it used; otherwise the panic would end the program. The lock is then free.
func TestRUnlockTooManyPinned(t *testing.T) {
	for _, name := range []string{"Distributed", "Biased"} {
		l := locks[name]()
		for what, lock := range map[string]func(){
			"LockPinned": l.LockPinned, "TryLockPinned": func() { l.TryLockPinned() }, "TryLock": func() { l.TryLock() },
		} {
			l.RUnlock()
			if got, want := panicOf(lock), "rwlock: RUnlock of unlocked "+name; got != want {
				t.Errorf("%s of a %s that was left once too often: panic %q, want %q", what, name, got, want)
			}
			runtime.Gosched() // ends the program if the test is pinned
			if !l.TryLockPinned() {
				t.Fatalf("TryLockPinned after the panic of %s = false: %v", what, l)
			}
			l.UnlockPinned()
			locktest.TryRLock(t, l)
		}
	}
}

// An Unlock too many while a writer waits for readers does not let in the readers
// that the writer turned away.
func TestUnlockBesideWaitingWriter(t *testing.T) {
	for _, name := range []string{"Queued", "Distributed", "Biased"} {
		t.Run(name, func(t *testing.T) {
			l := fair[name]()
			l.RLock()
			var wg sync.WaitGroup
			wg.Go(func() {
				l.Lock()
				l.Unlock()
			})
			locktest.Until(func() bool { return strings.Contains(l.String(), "1 reader, a writer waits") })
			if says := panicOf(l.Unlock); !strings.Contains(says, "rwlock: Unlock of unlocked ") {
				t.Errorf("Unlock of a lock that a writer waits for panics with %q", says)
			}
			if l.TryRLock() {
				t.Error("TryRLock while a writer waits = true after an Unlock too many")
			}
			l.RUnlock()
			wg.Wait()
		})
	}
}
