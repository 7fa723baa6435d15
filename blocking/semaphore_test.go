package blocking_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
)

const ages = time.Hour // a wait so long fails the test by its time limit

// binary is a semaphore of one permit, as a lock.
type binary struct{ *blocking.Semaphore }

func (b binary) Lock()   { b.Down() }
func (b binary) Unlock() { b.Up() }

func TestSemaphoreExclusion(t *testing.T) {
	locktest.Exclusion(t, binary{blocking.NewSemaphore(1)})
	for _, cpus := range []int{1, 2, 4} {
		locktest.Oversubscribed(t, cpus, binary{blocking.NewSemaphore(1)})
	}
}

func TestSemaphoreFIFO(t *testing.T) {
	s := blocking.NewSemaphore(1)
	locktest.FIFO(t, binary{s}, func() uint64 { return uint64(s.InLine()) })
}

func TestSemaphoreTry(t *testing.T) {
	s := blocking.NewSemaphore(3)
	for _, step := range []struct {
		n    int
		took bool
		held int
	}{{1, true, 1}, {3, false, 1}, {2, true, 3}, {1, false, 3}, {0, true, 3}} {
		if got := s.TryDownN(step.n); got != step.took {
			t.Errorf("TryDownN(%d) = %v, want %v", step.n, got, step.took)
		}
		wantState(t, s, blocking.SemaphoreState{Size: 3, Held: step.held})
	}
	if s.TryDown() || s.DownTimeout(0) || s.DownNTimeout(2, -1) {
		t.Error("took a permit that was not there")
	}
	s.UpN(2)
	s.Up()
	wantState(t, s, blocking.SemaphoreState{Size: 3})
	if !s.TryDown() || !s.DownTimeout(0) || !s.DownNTimeout(1, ages) {
		t.Error("did not take a permit that was there")
	}
}

func wantState(t *testing.T, s *blocking.Semaphore, want blocking.SemaphoreState) {
	t.Helper()
	if got := s.State(); got != want {
		t.Errorf("State = %+v, want %+v", got, want)
	}
}

func TestSemaphoreMisuse(t *testing.T) {
	s := blocking.NewSemaphore(3)
	locktest.Panics(t, "Up of new Semaphore", s.Up)
	s.DownN(2)
	locktest.Panics(t, "UpN of more than is held", func() { s.UpN(3) })
	locktest.Panics(t, "UpN(-1)", func() { s.UpN(-1) })
	locktest.Panics(t, "DownN(-1)", func() { s.DownN(-1) })
	tooMany := blocking.MaxPermits
	tooMany++ // negative where int has 32 bits
	locktest.Panics(t, "TryDownN of too many", func() { s.TryDownN(tooMany) })
	locktest.Panics(t, "Resize(-1)", func() { s.Resize(-1) })
	locktest.Panics(t, "Resize to too many", func() { s.Resize(tooMany) })
	locktest.Panics(t, "NewSemaphore(-1)", func() { blocking.NewSemaphore(-1) })
	wantState(t, s, blocking.SemaphoreState{Size: 3, Held: 2})

	done := inLine(s, func() { s.DownN(2) })
	locktest.Panics(t, "UpN of more than is held, with a line", func() { s.UpN(3) })
	wantState(t, s, blocking.SemaphoreState{Size: 3, Held: 2, Waiting: true})
	s.UpN(2)
	<-done
	s.UpN(2)
	locktest.Panics(t, "Up of free Semaphore", s.Up)
	wantState(t, s, blocking.SemaphoreState{Size: 3})

	s.Resize(blocking.MaxPermits)
	s.DownN(blocking.MaxPermits)
	if s.TryDown() {
		t.Error("took a permit more than there are")
	}
	s.UpN(blocking.MaxPermits)
	wantState(t, s, blocking.SemaphoreState{Size: blocking.MaxPermits})
}

type lined interface{ InLine() int }

// inLine starts f, which must wait, and returns once f is in line.
func inLine(l lined, f func()) (done chan bool) {
	before := l.InLine()
	done = make(chan bool)
	go func() {
		f()
		close(done)
	}()
	locktest.Until(func() bool { return l.InLine() == before+1 })
	return done
}

// One goroutine takes and another gives back. The ring between them is plain, so the
// race detector checks it, too.
func TestSemaphoreHasNoOwner(t *testing.T) {
	const items = 1000
	var ring [4]int
	free, full := blocking.NewSemaphore(len(ring)), blocking.NewSemaphore(len(ring))
	full.DownN(len(ring)) // nothing to take yet
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range items {
			free.Down()
			ring[i%len(ring)] = i
			full.Up()
		}
	})
	for i := range items {
		full.Down()
		if got := ring[i%len(ring)]; got != i {
			t.Fatalf("item %d = %d", i, got)
		}
		free.Up()
	}
	wg.Wait()
}

// A request for many permits is not overtaken by a later one for few.
func TestSemaphoreBigFirst(t *testing.T) {
	s := blocking.NewSemaphore(3)
	s.DownN(2)
	big := inLine(s, func() { s.DownN(3) })
	small := inLine(s, s.Down)
	if s.TryDown() {
		t.Error("TryDown overtook a request in line")
	}
	s.Up()
	wantState(t, s, blocking.SemaphoreState{Size: 3, Held: 1, Waiting: true})
	s.Up()
	<-big
	wantState(t, s, blocking.SemaphoreState{Size: 3, Held: 3, Waiting: true})
	s.UpN(3)
	<-small
	wantState(t, s, blocking.SemaphoreState{Size: 3, Held: 1})
}

// One Up can let several waiters through.
func TestSemaphoreUpLetsManyThrough(t *testing.T) {
	s := blocking.NewSemaphore(4)
	s.DownN(4)
	a := inLine(s, s.Down)
	b := inLine(s, func() { s.DownN(2) })
	c := inLine(s, func() { s.DownN(2) })
	s.UpN(4)
	<-a
	<-b
	wantState(t, s, blocking.SemaphoreState{Size: 4, Held: 3, Waiting: true})
	s.Up()
	<-c
	wantState(t, s, blocking.SemaphoreState{Size: 4, Held: 4})
}

// A request that cannot be served waits for a Resize, and holds up no other.
func TestSemaphoreImpossible(t *testing.T) {
	s := blocking.NewSemaphore(2)
	big := inLine(s, func() { s.DownN(3) })
	if !s.TryDown() {
		t.Error("TryDown behind an impossible request = false, want true")
	}
	s.Down()
	if s.TryDown() {
		t.Error("TryDown of no free permit = true, want false")
	}
	small := inLine(s, s.Down)
	s.Up()
	<-small
	late := inLine(s, s.Down)
	s.Resize(3) // now it is the first in line, and late waits for it
	wantState(t, s, blocking.SemaphoreState{Size: 3, Held: 2, Waiting: true})
	s.UpN(2)
	<-big
	s.UpN(3)
	<-late
	wantState(t, s, blocking.SemaphoreState{Size: 3, Held: 1})
}

func TestSemaphoreResize(t *testing.T) {
	var s blocking.Semaphore
	if s.TryDown() {
		t.Error("TryDown of zero Semaphore = true, want false")
	}
	var done []chan bool
	for range 3 {
		done = append(done, inLine(&s, s.Down))
	}
	s.Resize(2)
	<-done[0]
	<-done[1]
	wantState(t, &s, blocking.SemaphoreState{Size: 2, Held: 2, Waiting: true})
	s.Resize(4)
	<-done[2]
	wantState(t, &s, blocking.SemaphoreState{Size: 4, Held: 3})

	s.Resize(1)
	wantState(t, &s, blocking.SemaphoreState{Size: 1, Held: 3})
	last := inLine(&s, s.Down)
	s.UpN(2)
	wantState(t, &s, blocking.SemaphoreState{Size: 1, Held: 1, Waiting: true})
	s.Up()
	<-last
	s.Up()
	wantState(t, &s, blocking.SemaphoreState{Size: 1})
}

func TestSemaphoreContext(t *testing.T) {
	s := blocking.NewSemaphore(2)
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	if err := s.DownContext(ctx); err != nil {
		t.Errorf("DownContext of free Semaphore = %v", err)
	}
	var err error
	gaveUp := inLine(s, func() { err = s.DownNContext(ctx, 2) })
	behind := inLine(s, s.Down)
	cancel(cause)
	<-gaveUp
	if !errors.Is(err, cause) || !strings.HasPrefix(fmt.Sprint(err), "blocking: ") {
		t.Errorf("DownNContext of a context cancelled meanwhile = %v, want its cause, wrapped", err)
	}
	<-behind // the waiter that it held up
	wantState(t, s, blocking.SemaphoreState{Size: 2, Held: 2})
	s.UpN(2)
	if err := s.DownContext(ctx); !errors.Is(err, cause) {
		t.Errorf("DownContext of a cancelled context = %v, want its cause", err)
	}
	wantState(t, s, blocking.SemaphoreState{Size: 2})

	s.DownN(2)
	if s.DownTimeout(time.Microsecond) {
		t.Error("DownTimeout of no free permit = true, want false")
	}
	wantState(t, s, blocking.SemaphoreState{Size: 2, Held: 2})
}

// There are never more permits out than there are in all, whichever waiters give up
// and when, and in the end all are back.
func TestSemaphoreGiveUps(t *testing.T) {
	for _, c := range []struct {
		cpus    int
		resized bool
	}{{1, false}, {1, true}, {4, false}, {4, true}} {
		t.Run(fmt.Sprintf("cpus=%d/resized=%v", c.cpus, c.resized), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(c.cpus))
			const size = 3
			var (
				s      = blocking.NewSemaphore(size)
				out    primitives.Int64
				served primitives.Uint32
				wg     sync.WaitGroup
			)
			for worker := range locktest.Workers {
				wg.Go(func() {
					for i := range 500 {
						n := 1 + (i+worker)%size
						took := true
						switch i % 5 {
						case 0:
							s.DownN(n)
						case 1:
							took = s.TryDownN(n)
						case 2:
							took = s.DownNTimeout(n, time.Duration(1+i%60)*time.Microsecond)
						case 3:
							ctx, cancel := context.WithCancel(t.Context())
							go cancel()
							took = s.DownNContext(ctx, n) == nil
						case 4:
							ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%90)*time.Microsecond)
							took = s.DownNContext(ctx, n) == nil
							cancel()
						}
						if !took {
							continue
						}
						served.Add(1)
						if got := out.Add(int64(n)); got > size {
							t.Errorf("%d permits out of %d", got, size)
						}
						if i%3 == 0 {
							runtime.Gosched()
						}
						out.Add(-int64(n))
						s.UpN(n)
					}
				})
			}
			if c.resized {
				for i := range 300 {
					s.Resize(i % (size + 1))
					runtime.Gosched()
				}
				s.Resize(size)
			}
			wg.Wait()
			wantState(t, s, blocking.SemaphoreState{Size: size})
			if n := s.InLine(); n != 0 {
				t.Errorf("%d still in line", n)
			}
			if got := served.Load(); got < locktest.Workers*100 { // Down alone
				t.Errorf("%d requests served, want at least %d", got, locktest.Workers*100)
			}
		})
	}
}

func TestSemaphoreString(t *testing.T) {
	for word, want := range map[uint64]string{
		0:                   "0 of 0 permits held",
		0x00000003_00000008: "3 of 8 permits held",
		0x00000008_80000003: "8 of 3 permits held, others wait",
		0x7fffffff_ffffffff: "2147483647 of 2147483647 permits held, others wait",
	} {
		if got := blocking.DecodeSemaphore(word).String(); got != want {
			t.Errorf("DecodeSemaphore(%#x) = %q, want %q", word, got, want)
		}
	}
	s := blocking.NewSemaphore(8)
	s.DownN(3)
	if got, want := s.String(), "3 of 8 permits held"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

func TestSemaphoreSize(t *testing.T) {
	if got := unsafe.Sizeof(blocking.Semaphore{}); unsafe.Sizeof(uintptr(0)) == 8 && got != 32 {
		t.Errorf("a Semaphore has %d bytes, want 32", got)
	}
}

// A semaphore of many permits lets no more through than there are.
func TestSemaphoreOfMany(t *testing.T) {
	const most = 1 << 16
	s := blocking.NewSemaphore(most)
	s.DownN(most)
	var got primitives.Bool
	var group sync.WaitGroup
	group.Go(func() {
		s.Down()
		got.Store(true)
	})
	locktest.Until(func() bool { return s.State().Waiting || got.Load() })
	if got.Load() {
		t.Errorf("Down got a permit while all %d were out", most)
	}
	s.UpN(most)
	group.Wait()
	s.Up()
}

// TryDown looks at the line while waiters come and go there; without the line's lock that
// would be a data race. All waiters want more permits than there are, and do
// not keep it from taking one.
func TestSemaphoreTryDownBesideLine(t *testing.T) {
	s := blocking.NewSemaphore(1)
	var over primitives.Bool
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for !over.Load() {
				if s.DownNTimeout(2, 100*time.Microsecond) {
					t.Error("took 2 permits of 1")
					return
				}
			}
		})
	}
	for range 10000 {
		if !s.TryDown() {
			t.Error("TryDown failed while the waiters want more permits than there are")
			break
		}
		s.Up()
	}
	over.Store(true)
	group.Wait()
}
