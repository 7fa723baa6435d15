package harness

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// busted does nothing, and its TryLock always succeeds.
type busted struct{}

func (*busted) Lock()         {}
func (*busted) TryLock() bool { return true }
func (*busted) Unlock()       {}

// silent does nothing, and has no TryLock.
type silent struct{}

func (*silent) Lock()   {}
func (*silent) Unlock() {}

// A torn excludes writers from each other, but not from readers.
type torn struct{ sync.Mutex }

func (*torn) RLock()   {}
func (*torn) RUnlock() {}

// A worn excludes until it has been used a hundred times.
type worn struct {
	spinner
	uses atomic.Int32
}

func (l *worn) Lock() {
	if l.uses.Add(1) < 100 {
		l.spinner.Lock()
	}
}

// A readable lock has a TryLock that succeeds while it is held for reading.
type readable struct{ sync.RWMutex }

func (l *readable) TryLock() bool {
	if !l.RWMutex.TryRLock() {
		return false
	}
	l.RWMutex.RUnlock()
	return true
}

// A writable lock has a TryRLock that succeeds while it is held for writing.
type writable struct{ sync.RWMutex }

func (*writable) TryRLock() bool { return true }

// wrong asserts that Run of s finds its lock broken, and that the error contains want.
func wrong(t *testing.T, s Scenario, want string) {
	t.Helper()
	restoresCPUs(t)
	sample, err := Run(context.Background(), s)
	// Some faults show only when holders meet. On a busy machine they may not meet in a
	// run, or they meet later, and the fault shows differently.
	for tries := 1; (err == nil || !strings.Contains(err.Error(), want)) && tries < 10; tries++ {
		sample, err = Run(context.Background(), s)
	}
	var broken *BrokenError
	if !errors.As(err, &broken) {
		t.Fatalf("Run = %v, %v, want a BrokenError", sample, err)
	}
	if !strings.Contains(err.Error(), fmt.Sprintf("lock %q is broken: ", s.Name)) || !strings.Contains(err.Error(), want) {
		t.Errorf("Run = %v, want %s", err, want)
	}
}

// everywhere calls f with a scenario in every mode, alone and in company.
func everywhere(t *testing.T, s Subject, f func(*testing.T, Scenario)) {
	for _, mode := range []Mode{Goroutine, Thread, Pinned} {
		if mode == Thread && !hasAffinity {
			continue
		}
		for _, cpus := range []int{1, 2} {
			for _, workers := range []int{1, 2, 5} {
				t.Run(fmt.Sprintf("%v/workers=%d/cpus=%d", mode, workers, cpus), func(t *testing.T) {
					sc := quick(s)
					sc.Mode, sc.CPUs, sc.Workers = mode, cpus, workers
					f(t, sc)
				})
			}
		}
	}
}

func TestBusted(t *testing.T) {
	l := subject[busted]("busted")
	l.Pinned = l.New
	everywhere(t, l, func(t *testing.T, s Scenario) {
		wrong(t, s, "TryLock of the held lock: want false, have true")
	})
}

func TestBustedThatPins(t *testing.T) {
	l := subject[busted]("busted")
	l.Pins = true
	wrong(t, quick(l), "TryLock of the held lock: want false, have true")
}

func TestSilentlyBusted(t *testing.T) {
	if racy {
		t.Skip("the race detector fails the test first")
	}
	l := subject[silent]("silent")
	l.Pinned = l.New
	everywhere(t, l, func(t *testing.T, s Scenario) {
		wrong(t, s, "want two words to agree")
	})
}

func TestSilentlyBustedThatPins(t *testing.T) {
	if racy {
		t.Skip("the race detector fails the test first")
	}
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs to meet")
	}
	l := subject[silent]("silent")
	l.Pins = true
	s := quick(l)
	defer setUp(s)(nil)
	var broken *BrokenError
	// On a busy machine the workers may miss each other.
	for try := 0; broken == nil && try < 100; try++ {
		r := newRun(s, l.New(), 3)
		for _, w := range r.workers {
			w.hold, w.dawdle = 1, w.linger
		}
		errors.As(r.fly(context.Background(), (*worker).meet), &broken)
	}
	if broken == nil {
		t.Error("three lingered together in the section a hundred times, and did not notice")
	}
}

func TestTornRead(t *testing.T) {
	if racy {
		t.Skip("the race detector fails the test first")
	}
	l := subject[torn]("torn")
	l.Pinned = l.New
	everywhere(t, l, func(t *testing.T, s Scenario) {
		s.Reads = 50
		wrong(t, s, "")
	})
}

func TestTryLockBesideReader(t *testing.T) {
	wrong(t, quick(subject[readable]("readable")), "TryLock of the lock held for reading: want false, have true")
}

func TestTryRLockBesideWriter(t *testing.T) {
	wrong(t, quick(subject[writable]("writable")), "TryRLock of the lock held for writing: want false, have true")
}

// The preflight passes it; the measured run must not.
func TestBrokenLater(t *testing.T) {
	if racy {
		t.Skip("the race detector fails the test first")
	}
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs to meet")
	}
	s := quick(subject[worn]("worn"))
	s.Hold = 20 * time.Microsecond
	s.Duration = 20 * time.Millisecond
	wrong(t, s, "")
}

// A panicking lock does so in one of its methods, at the n'th call.
type panicking struct {
	sync.RWMutex
	method string
	n      int32
	calls  atomic.Int32

	keeps   bool // panics before it releases, when a worker waits
	waiting atomic.Int32
}

func (l *panicking) call(method string) {
	if method == l.method && l.calls.Add(1) == l.n {
		panic("out of tickets")
	}
}

func (l *panicking) RLock()         { l.call("RLock"); l.RWMutex.RLock() }
func (l *panicking) TryLock() bool  { l.call("TryLock"); return l.RWMutex.TryLock() }
func (l *panicking) TryRLock() bool { l.call("TryRLock"); return l.RWMutex.TryRLock() }
func (l *panicking) RUnlock()       { l.RWMutex.RUnlock(); l.call("RUnlock") }

func (l *panicking) Lock() {
	l.call("Lock")
	l.waiting.Add(1)
	l.RWMutex.Lock()
	l.waiting.Add(-1)
}

func (l *panicking) Unlock() {
	if !l.keeps {
		l.RWMutex.Unlock()
		l.call("Unlock")
		return
	}
	for l.calls.Load() == l.n-1 && l.waiting.Load() == 0 {
		runtime.Gosched()
	}
	l.call("Unlock")
	l.RWMutex.Unlock()
}

// A panic is reported in the preflight and in the measured run, whichever method
// panics.
func TestPanic(t *testing.T) {
	for _, n := range []int32{1, 1000} {
		for _, method := range []string{"Lock", "Unlock", "RLock", "RUnlock", "TryLock", "TryRLock"} {
			if n > 1 && strings.HasPrefix(method, "Try") {
				continue // the measured run does not try
			}
			for _, mode := range []Mode{Goroutine, Thread} {
				if mode == Thread && !hasAffinity {
					continue
				}
				t.Run(fmt.Sprintf("%s/n=%d/%v", method, n, mode), func(t *testing.T) {
					s := quick(Subject{Name: "panicking", New: func() sync.Locker {
						return &panicking{method: method, n: n}
					}})
					s.Mode, s.Reads, s.Latency = mode, 50, true
					s.Workers, s.Duration = 3, time.Hour
					wrong(t, s, ": "+method+" by worker ")
					wrong(t, s, ": want no panic, have out of tickets")
				})
			}
		}
	}
}

func TestPanicStack(t *testing.T) {
	_, err := Run(context.Background(), quick(Subject{Name: "panicking", New: func() sync.Locker {
		return &panicking{method: "Unlock", n: 1}
	}}))
	var broken *BrokenError
	if !errors.As(err, &broken) || !strings.Contains(broken.Stack, "harness.(*panicking).Unlock") {
		t.Errorf("Run = %v, want a BrokenError with the stack of Unlock", err)
	}
}

// Readers of a lock without RLock use the methods of writers; and a panic between two
// sections is not the lock's.
func TestPanicWhere(t *testing.T) {
	for _, test := range []struct {
		lock  sync.Locker
		doing uint32
		want  string // "" if the panic is not recovered
	}{
		{new(sync.Mutex), waitsToRead, "Lock by worker 0"},
		{new(sync.Mutex), reading, "Unlock by worker 0"},
		{new(sync.RWMutex), waitsToRead, "RLock by worker 0"},
		{new(sync.RWMutex), writing, "Unlock by worker 0"},
		{new(sync.Mutex), thinking, ""},
		{new(sync.Mutex), starting, ""},
	} {
		r := newRun(quick(mutex), test.lock, 1)
		goesOn := func() (on bool) {
			defer func() { on = recover() != nil }()
			r.workers[0].lead(func(w *worker) {
				w.doing = test.doing
				panic("no more")
			})
			return false
		}()
		got := ""
		if broken := r.failed.Load(); broken != nil {
			got = broken.When
		}
		if got != test.want || goesOn != (test.want == "") {
			t.Errorf("panic of a worker that %s: broken in %q, goes on: %v; want %q", doings[test.doing], got, goesOn, test.want)
		}
	}
}

// If other workers wait for the one that panicked, that is reported as well.
func TestPanicStuck(t *testing.T) {
	var locks []*panicking
	s := quick(Subject{Name: "panicking", New: func() sync.Locker {
		l := &panicking{method: "Unlock", n: 100, keeps: true}
		locks = append(locks, l)
		return l
	}})
	s.Patience, s.Duration = 100*time.Millisecond, time.Hour
	before := runtime.NumGoroutine()
	_, err := Run(context.Background(), s)
	for _, l := range locks {
		if l.calls.Load() >= l.n {
			l.RWMutex.Unlock() // in place of the worker that panicked
		}
	}
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
	var broken *BrokenError
	var stuck *StuckError
	if !errors.As(err, &broken) || !errors.As(err, &stuck) {
		t.Errorf("Run = %v, want a BrokenError and a StuckError", err)
	}
}

// After a panic, the others get less time than Patience.
func TestPatienceAfterPanic(t *testing.T) {
	s := quick(mutex)
	s.Patience = time.Hour
	r := newRun(s, new(sync.Mutex), 2)
	dog := newWatchdog(r)
	if dog.expired(int64(straggle)) {
		t.Errorf("stuck after %v of %v", straggle, s.Patience)
	}
	r.failed.Store(new(BrokenError))
	if !dog.expired(int64(straggle)) {
		t.Errorf("not stuck after %v, though a worker panicked", straggle)
	}
}

// Two sections with the shortest possible overlap lose an update, although the second
// word agrees.
func TestLostUpdate(t *testing.T) {
	r := newRun(quick(mutex), new(sync.Mutex), 2)
	a, b := r.workers[0], r.workers[1]
	write := func(w *worker, n uint64) {
		r.section.beginWrite(n)
		r.section.endWrite(w, n)
		w.written++
	}

	na := r.section.enter()
	write(a, na)
	if err := r.verify(); err != nil {
		t.Fatalf("verify of one write: %v", err)
	}
	na, nb := r.section.enter(), r.section.enter()
	write(a, na)
	write(b, nb)
	const want = `lock "sync.Mutex" is broken: after 3 critical sections that each added one: want a count of 3, have 2: updates were lost`
	if err := r.verify(); err == nil || err.Error() != want {
		t.Errorf("verify = %v, want %s", err, want)
	}
}

// A reader that begins before a write and ends after it, and one that begins inside it,
// see words that no lock may show.
func TestTornWords(t *testing.T) {
	for _, test := range []struct {
		name string
		read func(r *run, reader, writer *worker)
	}{
		{"around", func(r *run, reader, writer *worker) {
			n := r.section.enter()
			r.section.beginWrite(0)
			r.section.endWrite(writer, 0)
			r.section.check(reader, n)
		}},
		{"inside", func(r *run, reader, writer *worker) {
			r.section.beginWrite(0)
			r.section.check(reader, r.section.enter())
			r.section.endWrite(writer, 0)
		}},
	} {
		r := newRun(quick(mutex), new(sync.Mutex), 2)
		test.read(r, r.workers[0], r.workers[1])
		r.workers[1].written++
		if err := r.verify(); err == nil || !strings.Contains(err.Error(), "of worker 0: want two words to agree, have ") {
			t.Errorf("verify after a read %s a write = %v, want a BrokenError", test.name, err)
		}
	}
}

// A lock that does not claim to exclude is not checked for it.
func TestUnlocked(t *testing.T) {
	l := subject[busted]("none")
	l.Pinned, l.Unlocked = l.New, true
	if r := newRun(quick(l), l.New(), 2); r.workers[0].section == r.workers[1].section {
		t.Error("workers of a lock that does not exclude share what it does not protect")
	}
	everywhere(t, l, func(t *testing.T, s Scenario) {
		if _, err := Run(context.Background(), s); err != nil {
			t.Error(err)
		}
	})
}
