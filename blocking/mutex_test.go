package blocking_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/goleak"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
)

// A section is a Mutex for the tests of the spinlocks: its pinned forms pin once
// the Mutex is held.
type section struct{ blocking.Mutex }

func (s *section) LockPinned() {
	s.Lock()
	primitives.Pin()
}

func (s *section) TryLockPinned() bool {
	if !s.TryLock() {
		return false
	}
	primitives.Pin()
	return true
}

func (s *section) UnlockPinned() {
	s.Unlock()
	primitives.Unpin()
}

func TestMutex(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(section) })
	t.Run("ExclusionTimeout", func(t *testing.T) { locktest.Exclusion(t, new(impatient)) })
	t.Run("ExclusionSpinning", func(t *testing.T) { locktest.Exclusion(t, new(overtaker)) })
}

// Two goroutines on two CPUs spin rather than park, and meet each step of a
// release.
func TestMutexSpinners(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	const sections = 100_000
	var m blocking.Mutex
	var n int // guarded by m
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for range sections {
				m.Lock()
				n++
				m.Unlock()
			}
		})
	}
	wg.Wait()
	if n != 2*sections {
		t.Errorf("after %d critical sections the counter reads %d", 2*sections, n)
	}
	wantUnused(t, &m)
}

// An impatient lock tries again each time it gave up.
type impatient struct{ blocking.Mutex }

func (i *impatient) Lock() {
	for !i.LockTimeout(time.Microsecond) {
		runtime.Gosched()
	}
}

// An overtaker calls TryLock before it waits.
type overtaker struct{ blocking.Mutex }

func (o *overtaker) Lock() {
	for range 3 {
		if o.TryLock() {
			return
		}
		runtime.Gosched()
	}
	o.Mutex.Lock()
}

func TestMutexFIFO(t *testing.T) {
	var m blocking.Mutex
	locktest.FIFO(t, &m, func() uint64 { return uint64(m.State().Waiting) })
	wantUnused(t, &m)
}

// wantUnused checks that m's users have left nothing in it.
func wantUnused(t *testing.T, m *blocking.Mutex) {
	t.Helper()
	if m.Word() != 0 || !m.Empty() {
		t.Errorf("after the last Unlock the word is %#x (%v), line empty: %v", m.Word(), m, m.Empty())
	}
}

// park starts a goroutine that locks m by lock, and returns once it is in
// line, with a channel that is closed when lock has returned.
func park(m *blocking.Mutex, lock func()) <-chan bool {
	before := m.State().Waiting
	done := make(chan bool)
	go func() {
		defer close(done)
		lock()
	}()
	locktest.Until(func() bool { return m.State().Waiting > before })
	return done
}

// Spinners can overtake the first in line MaxOvertaken times and no more. The test
// is the spinner, so it decides each step.
func TestStarvationBound(t *testing.T) {
	var m blocking.Mutex
	for range 3 { // a handover restarts the count
		m.Lock()
		parked := park(&m, m.Lock)
		for i := range blocking.MaxOvertaken {
			if m.State().Handoff {
				t.Fatalf("hand-off pending after %d acquisitions of others, want %d", i, blocking.MaxOvertaken)
			}
			m.Reserve()
			m.Unlock()
			if got, want := m.State(), (blocking.MutexState{Spinning: true, Waiting: 1}); got != want {
				t.Fatalf("left to a spinner: state %+v, want %+v", got, want)
			}
			if m.TryLock() {
				t.Fatal("TryLock overtook a waiter")
			}
			if !m.Steal() {
				t.Fatal("the spinner could not take what was left to it")
			}
		}
		if got, want := m.State(), (blocking.MutexState{Held: true, Handoff: true, Waiting: 1}); got != want {
			t.Errorf("at the bound: state %+v, want %+v", got, want)
		}
		m.Reserve()
		m.Unlock()
		if m.Steal() {
			t.Error("a spinner took a Mutex that was to be handed over")
		}
		<-parked
		m.GiveUpSpinning()
		if got, want := m.State(), (blocking.MutexState{Held: true}); got != want {
			t.Errorf("handed over: state %+v, want %+v", got, want)
		}
		m.Unlock()
	}
	wantUnused(t, &m)
}

// A spinner that gives up may be the only goroutine that knows that the Mutex is
// free. It then serves the line.
func TestSpinnerGivesUpWhatWasLeftToIt(t *testing.T) {
	var m blocking.Mutex
	m.Lock()
	first := park(&m, m.Lock)
	m.Reserve()
	m.Unlock()
	m.GiveUpSpinning()
	if got, want := m.State(), (blocking.MutexState{Waiting: 1}); got != want {
		t.Fatalf("given up: state %+v, want %+v", got, want)
	}
	second := make(chan bool)
	go func() {
		m.Park() // what it does next
		close(second)
	}()
	<-first
	m.Unlock()
	<-second
	m.Unlock()
	wantUnused(t, &m)
}

// The waiters in line may have left before a handover.
func TestHandoffWithoutWaiter(t *testing.T) {
	var m blocking.Mutex
	m.Lock()
	ctx, cancel := context.WithCancel(t.Context())
	gone := park(&m, func() { m.LockContext(ctx) })
	for range blocking.MaxOvertaken {
		m.Reserve()
		m.Unlock()
		m.Steal()
	}
	cancel()
	<-gone
	if got, want := m.State(), (blocking.MutexState{Held: true}); got != want {
		t.Errorf("after the only waiter has left: state %+v, want %+v", got, want)
	}
	m.Unlock()
	wantUnused(t, &m)

	// They may also leave just before the last overtaker sets handoff.
	m.Lock()
	m.Owe()
	m.Unlock()
	wantUnused(t, &m)
}

// The last in line can leave while an Unlock is about to hand over to it.
func TestLeaveDuringUnlock(t *testing.T) {
	for range 200 {
		var m blocking.Mutex
		m.Lock()
		w := m.Arrive()
		unlocked := make(chan bool)
		m.LeaveDuring(w, func() {
			go func() {
				m.Unlock()
				close(unlocked)
			}()
			spin := primitives.Spin{Pinned: true}
			for range 200 { // nearly always until it is there
				spin.Once()
			}
		})
		<-unlocked
		wantUnused(t, &m)
	}
}

func TestMutexMisuse(t *testing.T) {
	var m blocking.Mutex
	locktest.Panics(t, "Unlock of unlocked Mutex", m.Unlock)
	m.Lock()
	parked := park(&m, m.Lock)
	m.Reserve()
	m.Unlock()
	locktest.Panics(t, "Unlock of Mutex left to a spinner", m.Unlock)
	m.Steal()
	m.Unlock()
	<-parked

	w := m.Arrive()
	m.Unlock()
	if got, want := m.State(), (blocking.MutexState{Held: true, Pickup: true}); got != want {
		t.Errorf("handed over: state %+v, want %+v", got, want)
	}
	locktest.Panics(t, "Unlock of Mutex that was not picked up", m.Unlock)
	m.PickUp(w)
	m.Unlock()
	wantUnused(t, &m)
}

// One more in line than can be counted panics, and changes nothing.
func TestMutexLimit(t *testing.T) {
	var m blocking.Mutex
	m.Lock()
	m.Count(blocking.MaxWaiting - 1) // so many are in line, by its word
	last := park(&m, m.Lock)
	for name, lock := range map[string]func(){
		"Lock":        m.Lock,
		"LockTimeout": func() { m.LockTimeout(ages) },
		"LockContext": func() { m.LockContext(t.Context()) },
	} {
		locktest.Panics(t, name+" with too many in line", lock)
		if got, want := m.State(), (blocking.MutexState{Held: true, Waiting: blocking.MaxWaiting}); got != want || m.InLine() != 1 {
			t.Errorf("after %s: state %+v, %d in line, want %+v and 1", name, got, m.InLine(), want)
		}
	}
	m.Count(1 - blocking.MaxWaiting)
	m.Unlock()
	<-last
	m.Unlock()
	wantUnused(t, &m)
}

// One goroutine may lock a Mutex and another unlock it.
func TestUnlockByAnother(t *testing.T) {
	var m blocking.Mutex
	m.Lock()
	parked := park(&m, func() {
		m.Lock()
		go m.Unlock()
	})
	go m.Unlock()
	<-parked
	locktest.Until(m.TryLock)
	m.Unlock()
	wantUnused(t, &m)
}

// Waiters that leave take only themselves out of the line.
func TestMutexGiveUpInTheMiddle(t *testing.T) {
	var m blocking.Mutex
	var got []int // guarded by m
	cause := errors.New("enough")
	m.Lock()
	var contexts []context.CancelCauseFunc
	var waits []<-chan bool
	for i := range 5 {
		ctx, cancel := context.WithCancelCause(t.Context())
		contexts = append(contexts, cancel)
		waits = append(waits, park(&m, func() {
			err := m.LockContext(ctx)
			switch {
			case err == nil:
				got = append(got, i)
				m.Unlock()
			case !errors.Is(err, cause):
				t.Errorf("LockContext = %v, want the cause, %v", err, cause)
			}
		}))
	}
	for _, i := range []int{2, 0, 4} { // from the middle, the beginning and the end
		contexts[i](cause)
		<-waits[i]
	}
	if waiting := m.State().Waiting; waiting != 2 {
		t.Errorf("%d in line after 3 of 5 gave up, want 2", waiting)
	}
	m.Unlock()
	for _, wait := range waits {
		<-wait
	}
	if len(got) != 2 || got[0] != 1 || got[1] != 3 {
		t.Errorf("acquired by %v, want [1 3]", got)
	}
	wantUnused(t, &m)
	for _, cancel := range contexts {
		cancel(nil)
	}
}

func TestLockContext(t *testing.T) {
	var m blocking.Mutex
	if err := m.LockContext(t.Context()); err != nil {
		t.Errorf("LockContext of unlocked Mutex = %v", err)
	}
	if m.TryLock() {
		t.Error("TryLock after LockContext = true, want false")
	}
	m.Unlock()

	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if err := m.LockContext(ctx); !errors.Is(err, cause) {
		t.Errorf("LockContext with a context that is done = %v, want its cause", err)
	}
	wantUnused(t, &m)

	ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	m.Lock()
	if err := m.LockContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("LockContext of locked Mutex = %v, want %v", err, context.DeadlineExceeded)
	}
	m.Unlock()
	wantUnused(t, &m)
}

func TestLockTimeout(t *testing.T) {
	var m blocking.Mutex
	for _, d := range []time.Duration{-1, 0, time.Microsecond, time.Millisecond} {
		if !m.LockTimeout(d) {
			t.Errorf("LockTimeout(%v) of unlocked Mutex = false, want true", d)
		}
		if m.LockTimeout(d) {
			t.Errorf("LockTimeout(%v) by the holder = true, want false", d)
		}
		m.Unlock()
		wantUnused(t, &m)
	}
	m.Lock()
	parked := park(&m, func() {
		if !m.LockTimeout(time.Hour) {
			t.Error("LockTimeout of a Mutex that was handed over = false, want true")
		}
	})
	m.Unlock()
	<-parked
	m.Unlock()
	wantUnused(t, &m)
}

// Contexts, timeouts and Unlock race with each other. A lost wake-up would hang
// the test; a lost waiter would show at the end.
func TestMutexCancellations(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	for _, cpus := range []int{1, 4} {
		func() {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
			var (
				m        blocking.Mutex
				n        int // guarded by m
				acquired primitives.Int64
				gaveUp   primitives.Int64
				wg       sync.WaitGroup
			)
			for worker := range uint64(2 * locktest.Workers) {
				wg.Go(func() {
					random := rand.New(rand.NewPCG(seed, worker))
					for range 300 {
						if !lockSomehow(&m, random) {
							gaveUp.Add(1)
							continue
						}
						n++
						acquired.Add(1)
						if random.IntN(4) == 0 {
							runtime.Gosched()
						}
						m.Unlock()
					}
				})
			}
			wg.Wait()
			if want := int(acquired.Load()); n != want {
				t.Errorf("after %d acquisitions the counter reads %d", want, n)
			}
			if acquired.Load() == 0 || gaveUp.Load() == 0 {
				t.Errorf("%d acquired, %d gave up: want some of both", acquired.Load(), gaveUp.Load())
			}
			wantUnused(t, &m)
		}()
	}
}

// lockSomehow locks m in one of its forms and reports whether it did.
func lockSomehow(m *blocking.Mutex, random *rand.Rand) bool {
	patience := time.Duration(random.IntN(100)) * time.Microsecond
	switch random.IntN(4) {
	case 0:
		m.Lock()
		return true
	case 1:
		return m.LockTimeout(patience)
	case 2:
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return m.LockContext(ctx) == nil
	default:
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			runtime.Gosched()
			cancel()
		}()
		return m.LockContext(ctx) == nil
	}
}

// A waiter in line is parked: the runtime says that it waits for a wake-up and
// does not run.
func TestParked(t *testing.T) {
	var m blocking.Mutex
	m.Lock()
	parked := park(&m, m.Lock)
	locktest.Until(func() bool {
		stacks := make([]byte, 1<<16)
		stacks = stacks[:runtime.Stack(stacks, true)]
		for goroutine := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(goroutine, "blocking.(*waitList).wait") {
				head, _, _ := strings.Cut(goroutine, "\n")
				return strings.Contains(head, "semacquire") || strings.Contains(head, "chan receive")
			}
		}
		return false
	})
	m.Unlock()
	<-parked
	m.Unlock()
}

func TestDecodeMutex(t *testing.T) {
	for _, c := range []struct {
		word  uint32
		state blocking.MutexState
		text  string
	}{
		{0, blocking.MutexState{}, "unlocked"},
		{1, blocking.MutexState{Held: true}, "locked"},
		{0x301, blocking.MutexState{Held: true, Waiting: 3}, "locked, 3 in line"},
		{0x305, blocking.MutexState{Held: true, Handoff: true, Waiting: 3}, "locked, 3 in line, hand-off pending"},
		{0x109, blocking.MutexState{Held: true, Pickup: true, Waiting: 1}, "locked, handed over, not picked up yet, 1 in line"},
		{0x102, blocking.MutexState{Spinning: true, Waiting: 1}, "unlocked, a spinner will take it next, 1 in line"},
		{0xffffff01, blocking.MutexState{Held: true, Waiting: 1<<24 - 1}, "locked, 16777215 in line"},
	} {
		if got := blocking.DecodeMutex(c.word); got != c.state || got.String() != c.text {
			t.Errorf("DecodeMutex(%#x) = %+v, %q, want %+v, %q", c.word, got, got, c.state, c.text)
		}
	}
}

func TestTravel(t *testing.T) {
	var m blocking.Mutex
	timed := 0
	for range 1000 {
		if m.Timed() {
			timed++
			m.Learn(int64(30 * time.Nanosecond))
		}
	}
	if timed < 10 || timed > 100 {
		t.Errorf("%d of 1000 waits were timed while CPUs were near, want few, and some", timed)
	}
	m.Learn(int64(200 * time.Nanosecond))
	if !m.Far() || !m.Timed() {
		t.Error("a look of 200 ns did not tell the Mutex that CPUs are far")
	}
	m.Learn(int64(30 * time.Nanosecond))
	if m.Far() {
		t.Error("a look of 30 ns did not tell the Mutex that CPUs are near")
	}
}

// A Mutex that notes its owner names the function that acquired it, by any method,
// and works as before.
func TestMutexNotesOwner(t *testing.T) {
	var m blocking.Mutex
	m.NoteOwner(true)
	last := "" // each acquisition below is on a line of its own
	held := func(how string, ok bool) {
		t.Helper()
		if !ok {
			t.Fatalf("%s of unlocked Mutex failed", how)
		}
		owner := m.State().Owner
		if !strings.Contains(owner, "TestMutexNotesOwner") || !strings.Contains(owner, ", mutex_test.go:") || m.String() != "locked ("+owner+")" || owner == last {
			t.Errorf("after %s the owner is %q, and was %q; String = %q", how, owner, last, m.String())
		}
		last = owner
		if m.TryLock() || m.LockTimeout(time.Microsecond) {
			t.Errorf("after %s another got in", how)
		}
		m.Unlock()
		if got := m.String(); got != "unlocked" {
			t.Errorf("after Unlock String = %q, want unlocked", got)
		}
	}
	m.Lock()
	held("Lock", true)
	held("TryLock", m.TryLock())
	held("LockTimeout", m.LockTimeout(ages))
	held("LockContext", m.LockContext(t.Context()) == nil)

	m.Lock()
	parked := park(&m, m.Lock)
	m.Unlock()
	<-parked
	if owner := m.State().Owner; !strings.Contains(owner, "blocking_test.park") {
		t.Errorf("after a wait the owner is %q, want park's goroutine", owner)
	}
	m.Unlock()
	locktest.Exclusion(t, &m)
	locktest.Panics(t, "Unlock of unlocked Mutex", m.Unlock)

	m.Lock()
	m.NoteOwner(false)
	if got, want := m.State(), (blocking.MutexState{Held: true}); got != want {
		t.Errorf("State = %+v, want %+v", got, want)
	}
	m.Unlock()
	wantUnused(t, &m)
}

func TestMutexSize(t *testing.T) {
	if got := unsafe.Sizeof(blocking.Mutex{}); unsafe.Sizeof(uintptr(0)) == 8 && got != 56 {
		t.Errorf("a Mutex has %d bytes, want 56", got)
	}
}

func TestInlines(t *testing.T) {
	locktest.Inlines(t, "(*Mutex).Lock", "(*Mutex).TryLock", "(*Mutex).Unlock")
}
