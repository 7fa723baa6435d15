//go:build virtual

package blocking_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/internal/model"
	"github.com/lockbench/lockbench/primitives"
)

// hurried runs body on every schedule in which nobody spins before it parks.
// Those in which they do are more, and in them they park later, or not at all.
func hurried(t *testing.T, name string, body func(*check.Machine)) {
	t.Run(name, func(t *testing.T) {
		t.Helper()
		t.Log(check.Explore(t, check.Config{Spins: -1}, body))
	})
}

func until(cond func() bool) {
	var spin primitives.Spin
	for !cond() {
		spin.Once()
	}
}

// A waiting lock is one whose waiters can give up.
type waiting struct {
	name string
	sync.Locker
	try     func(context.Context) error
	timeout func() bool
	inLine  func() bool // whether anybody is
}

func mutex() waiting {
	l := new(blocking.Mutex)
	return waiting{"Mutex", l, l.LockContext, func() bool { return l.LockTimeout(1) }, func() bool { return l.State().Waiting > 0 }}
}

func permit() waiting {
	l := blocking.NewSemaphore(1)
	return waiting{"Semaphore", binary{l}, l.DownContext, func() bool { return l.DownTimeout(1) }, func() bool { return l.State().Waiting }}
}

func writers() waiting {
	l := new(blocking.RWSem)
	return waiting{"RWSem", l, l.LockContext, func() bool { return l.LockTimeout(1) }, func() bool { return l.State().Waiting }}
}

var locks = []func() waiting{mutex, permit, writers}

// count is a critical section of l, which guards n.
func count(l sync.Locker, n *primitives.Cell[int]) {
	n.Set(n.Get() + 1)
	l.Unlock()
}

// wantCount fails the execution unless there were want critical sections, and
// the lock is free.
func wantCount(m *check.Machine, l waiting, n *primitives.Cell[int], want int) {
	l.Lock()
	if got := n.Get(); got != want {
		m.Failf("after %d critical sections the counter reads %d", want, got)
	}
	l.Unlock()
}

// Two are in line, one of whom is cancelled when the lock is released: it
// acquires the lock or nothing, and the other is not forgotten.
func TestModelCancelInLine(t *testing.T) {
	for cancelled := range 2 {
		hurried(t, fmt.Sprintf("Mutex/place=%d", cancelled), func(m *check.Machine) {
			l := new(blocking.Mutex)
			got := 2
			ctx, cancel := m.WithCancel()
			l.Lock()
			for place := range 2 {
				m.Go(func() {
					if place != cancelled {
						l.Lock()
					} else if l.LockContext(ctx) != nil {
						got--
						return
					}
					l.Unlock()
				})
				until(func() bool { return l.State().Waiting == place+1 })
			}
			m.GoNamed("cancel", cancel)
			l.Unlock()
			m.Wait()
			m.Assert(got >= 1 && l.TryLock())
		})
	}
}

// Three at once are too many for every schedule.
func TestModelSampled(t *testing.T) {
	for _, fresh := range locks {
		model.Sampled(t, fresh().name, func(m *check.Machine) {
			l := fresh()
			var n primitives.Cell[int] // guarded by l
			got := 2
			ctx := m.Context()
			m.GoNamed("cancelled", func() {
				if l.try(ctx) == nil {
					got++
					count(l, &n)
				}
			})
			m.GoAlike(2, func() { l.Lock(); count(l, &n) })
			m.Wait()
			wantCount(m, l, &n, got)
		})
	}
}

// One waits in a context that ends: it acquired nothing, or it holds the lock;
// and who waits behind it gets the lock.
func TestModelCancel(t *testing.T) {
	for _, fresh := range locks {
		hurried(t, fresh().name, func(m *check.Machine) {
			l := fresh()
			var n primitives.Cell[int] // guarded by l
			got := 2
			ctx, cancel := m.WithCancel()
			l.Lock()
			m.GoNamed("cancelled", func() {
				switch err := l.try(ctx); {
				case err == nil:
					got++
					count(l, &n)
				case !errors.Is(err, context.Canceled):
					m.Failf("error %v, want %v", err, context.Canceled)
				}
			})
			m.GoNamed("cancel", cancel)
			count(l, &n)
			l.Lock()
			count(l, &n)
			m.Wait()
			wantCount(m, l, &n, got)
		})
	}
}

var _ = model.Every

// Who has been overtaken often enough is next, though another spins.
func TestModelMutexOvertaking(t *testing.T) {
	hurried(t, "Mutex", func(m *check.Machine) {
		var l blocking.Mutex
		var served primitives.Cell[bool] // whether the waiter was; guarded by l
		l.Lock()
		l.Overtake(blocking.MaxOvertaken - 1)
		m.GoNamed("waiter", func() { l.Park(); served.Set(true); l.Unlock() })
		until(func() bool { return l.State().Waiting == 1 })
		// A rival is the head of the spinners, and the next one that after it.
		spins := func(overtake func()) {
			l.Reserve()
			if l.Steal() {
				overtake()
			} else {
				l.GiveUpSpinning()
				l.Park()
			}
			l.Unlock()
		}
		m.GoNamed("rival", func() {
			spins(func() {
				m.GoNamed("next rival", func() {
					spins(func() {
						if !served.Get() {
							m.Failf("the waiter was overtaken twice, want at most once")
						}
					})
				})
			})
		})
		l.Unlock()
	})
}

// There are never more permits out than there are, whoever asks for how many,
// and whoever gives up.
func TestModelPermits(t *testing.T) {
	for _, c := range []struct {
		name   string
		search func(*testing.T, string, func(*check.Machine))
		size   int
		wants  []int
	}{{"three times one", model.Sampled, 2, []int{1, 1, 1}}, {"two and one", hurried, 2, []int{2, 1}}, {"two and two", hurried, 3, []int{2, 2}}} {
		c.search(t, c.name, func(m *check.Machine) {
			s := blocking.NewSemaphore(c.size)
			var out primitives.Uint32
			for i, n := range c.wants {
				m.Go(func() {
					if i > 0 {
						s.DownN(n)
					} else if !s.DownNTimeout(n, 1) {
						return
					}
					if got := int(out.Add(uint32(n))); got > c.size {
						m.Failf("%d of %d permits are out", got, c.size)
					}
					out.Add(-uint32(n))
					s.UpN(n)
				})
			}
			m.Wait()
			m.Assert(s.TryDownN(c.size) && !s.TryDown())
		})
	}
}

// A big request that gives up lets those through whom it held up.
func TestModelPermitsBehindBigRequest(t *testing.T) {
	hurried(t, "Semaphore", func(m *check.Machine) {
		s := blocking.NewSemaphore(2)
		ctx, cancel := m.WithCancel()
		s.Down()
		m.GoNamed("big", func() {
			if s.DownNContext(ctx, 2) == nil {
				m.Failf("2 permits were given out beside another, of 2 in all")
			}
		})
		until(func() bool { return s.State().Waiting })
		m.GoNamed("small", s.Down)
		m.GoNamed("cancel", cancel)
		m.Wait()
	})
}

// Resize lets through whom there is room for now, and no more.
func TestModelResize(t *testing.T) {
	hurried(t, "grow", func(m *check.Machine) {
		var s blocking.Semaphore
		m.GoAlike(2, s.Down)
		m.GoNamed("resize", func() { s.Resize(1); s.Resize(2) })
		m.Wait()
		m.Assert(!s.TryDown())
	})
	hurried(t, "shrink", func(m *check.Machine) {
		s := blocking.NewSemaphore(2)
		s.DownN(2)
		m.GoNamed("resize", func() { s.Resize(1) })
		m.GoNamed("up", s.Up)
		m.GoNamed("down", func() {
			if s.TryDown() {
				s.Up()
			}
		})
		m.Wait()
		m.Assert(!s.TryDown())
		s.Up()
		m.Assert(s.TryDown() && !s.TryDown())
	})
}

// An Up of a permit that is not out panics, and gives nothing back.
func TestModelUpTooMany(t *testing.T) {
	hurried(t, "Semaphore", func(m *check.Machine) {
		s := blocking.NewSemaphore(1)
		s.Down()
		panics := 0
		m.GoAlike(2, func() {
			defer func() {
				if recover() != nil {
					panics++
				}
			}()
			s.Up()
		})
		m.Wait()
		if panics != 1 {
			m.Failf("of 2 calls to Up with one permit out %d panicked, want 1", panics)
		}
		m.Assert(s.TryDown() && !s.TryDown())
	})
}

// Each Complete lets one go, and one that gives up uses none.
func TestModelCompletion(t *testing.T) {
	hurried(t, "each", func(m *check.Machine) {
		var c blocking.Completion
		var before primitives.Cell[int]
		m.GoAlike(2, func() {
			c.Wait()
			before.Get()
		})
		before.Set(1)
		c.Complete()
		c.Complete()
		m.Wait()
		m.Assert(!c.TryWait())
	})
	hurried(t, "cancelled", func(m *check.Machine) {
		var c blocking.Completion
		ctx, cancel := m.WithCancel()
		got := 0
		m.GoNamed("cancelled", func() {
			if c.WaitContext(ctx) == nil {
				got++
			}
		})
		m.GoNamed("patient", func() { c.Wait(); got++ })
		m.GoNamed("cancel", cancel)
		c.Complete()
		c.Complete()
		m.Wait()
		for c.TryWait() {
			got++
		}
		if got != 2 {
			m.Failf("2 calls to Complete let %d go", got)
		}
	})
	hurried(t, "try", func(m *check.Machine) {
		var c blocking.Completion
		got := 0
		m.GoAlike(2, func() {
			if c.TryWait() {
				got++
			}
		})
		c.Complete()
		m.Wait()
		if c.TryWait() {
			got++
		}
		if got != 1 {
			m.Failf("1 call to Complete let %d go", got)
		}
	})
	hurried(t, "all", func(m *check.Machine) {
		var c blocking.Completion
		m.GoAlike(2, c.Wait)
		c.CompleteAll()
		m.Wait()
		m.Assert(c.TryWait() && c.TryWait())
	})
}

// Readers that are first in line come in together.
func TestModelReadersMeet(t *testing.T) {
	model.Every(t, "RWSem/free", model.ReadersMeet(func() model.Readers { return new(blocking.RWSem) }, 3))
	for _, c := range []struct {
		name    string
		release func(*blocking.RWSem)
	}{{"unlock", (*blocking.RWSem).Unlock}, {"downgrade", (*blocking.RWSem).Downgrade}} {
		model.Sampled(t, "RWSem/"+c.name, func(m *check.Machine) {
			var s blocking.RWSem
			var inside primitives.Uint32
			read := func() {
				s.RLock()
				inside.Add(1)
				until(func() bool { return inside.Load() == 2 })
				s.RUnlock()
			}
			s.Lock()
			m.GoNamed("first", read)
			until(func() bool { return s.State().Waiting })
			m.GoNamed("second", read)
			c.release(&s)
		})
	}
}

// No writer comes between a writer and the reader that it turns into; readers
// do, if they are first in line.
func TestModelDowngrade(t *testing.T) {
	hurried(t, "RWSem/writer", func(m *check.Machine) {
		var s blocking.RWSem
		var n primitives.Cell[int] // guarded by s
		s.Lock()
		m.GoNamed("writer", func() {
			if s.LockTimeout(1) {
				n.Set(n.Get() + 1)
				s.Unlock()
			}
		})
		n.Set(n.Get() + 1)
		s.Downgrade()
		if got := n.Get(); got != 1 {
			m.Failf("after Downgrade the counter reads %d, want what it was", got)
		}
		s.RUnlock()
		m.Wait()
		m.Assert(s.TryLock())
	})
	hurried(t, "RWSem/reader", func(m *check.Machine) {
		var s blocking.RWSem
		var inside primitives.Bool
		s.Lock()
		m.GoNamed("reader", func() { s.RLock(); inside.Store(true); s.RUnlock() })
		s.Downgrade()
		until(inside.Load)
		s.RUnlock()
		m.Wait()
		m.Assert(s.TryLock())
	})
}

// A writer in line that gives up lets the readers behind it in.
func TestModelReadersBehindCancelledWriter(t *testing.T) {
	hurried(t, "RWSem", func(m *check.Machine) {
		var s blocking.RWSem
		ctx, cancel := m.WithCancel()
		s.RLock()
		m.GoNamed("writer", func() {
			if s.LockContext(ctx) == nil {
				m.Failf("a writer is beside a reader")
			}
		})
		until(func() bool { return s.State().Waiting })
		m.GoNamed("reader", s.RLock)
		m.GoNamed("cancel", cancel)
		m.Wait()
	})
}

// A reader and a writer, twice each.
func TestModelReadersExclude(t *testing.T) {
	hurried(t, "RWSem/2x2", model.ReadersExclude(func() model.Readers { return new(blocking.RWSem) }, 1, 1, 2))
	model.Sampled(t, "RWSem/readers=2/writers=1", model.ReadersExclude(func() model.Readers { return new(blocking.RWSem) }, 2, 1, 1))
}

// Two workers, twice each.
func TestModelExclusion(t *testing.T) {
	for _, fresh := range locks {
		hurried(t, fresh().name+"/2x2", model.Exclusion(func() sync.Locker { return fresh() }, 2, 2))
	}
	model.Every(t, "Mutex/spinning/2x2", model.Exclusion(func() sync.Locker { return new(blocking.Mutex) }, 2, 2))
}

// Two workers, one of whom gives up when its time is over, which it may be at
// any time.
func TestModelTimeout(t *testing.T) {
	for _, c := range []struct {
		fresh              func() waiting
		impatient, patient int
	}{{mutex, 2, 2}, {permit, 1, 2}, {permit, 2, 1}, {writers, 2, 2}} {
		hurried(t, fmt.Sprintf("%s/impatient=%d/patient=%d", c.fresh().name, c.impatient, c.patient), func(m *check.Machine) {
			l := c.fresh()
			var n primitives.Cell[int] // guarded by l
			got := c.patient + c.impatient
			m.GoNamed("impatient", func() {
				for i := range c.impatient {
					if i > 0 {
						l.Lock()
					} else if !l.timeout() {
						got--
						continue
					}
					count(l, &n)
				}
			})
			m.GoNamed("patient", func() {
				for range c.patient {
					l.Lock()
					count(l, &n)
				}
			})
			m.Wait()
			wantCount(m, l, &n, got)
		})
	}
}

// Three workers, once each: one is inside and one in line when the third comes.
func TestModelThird(t *testing.T) {
	for _, fresh := range locks {
		hurried(t, fresh().name, func(m *check.Machine) {
			l := fresh()
			var n primitives.Cell[int] // guarded by l
			waits := func() { l.Lock(); count(l, &n) }
			l.Lock()
			m.GoNamed("first", waits)
			until(l.inLine)
			m.GoNamed("last", waits)
			count(l, &n)
			m.Wait()
			wantCount(m, l, &n, 3)
		})
	}
}
