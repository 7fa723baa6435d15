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
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/primitives"
)

// hurried runs body on every schedule in which no waiter spins before it parks.
// There are more schedules in which waiters spin; there they park later or never.
func hurried(t *testing.T, name string, body func(*check.Machine)) {
	property.Explore(t, name, check.Config{Spins: -1}, body)
}

// bounded runs body on every schedule with at most two preemptions: all schedules
// would be too many.
func bounded(t *testing.T, name string, body func(*check.Machine)) {
	property.Bounded(t, name, 2, body)
}

// long runs body on every schedule that cfg allows, of which there are hundreds of
// thousands. With -short it takes those with at most three preemptions.
func long(t *testing.T, name string, cfg check.Config, body func(*check.Machine)) {
	if testing.Short() {
		cfg.Mode, cfg.Bound = check.Bounded, 3
	}
	property.Explore(t, name, cfg, body)
}

// longHurried is long without spinning, as hurried is.
func longHurried(t *testing.T, name string, body func(*check.Machine)) {
	long(t, name, check.Config{Spins: -1}, body)
}

// TryLock is for a semaphore of one permit.
func (b binary) TryLock() bool { return b.TryDown() }

func until(cond func() bool) {
	var spin primitives.Spin
	for !cond() {
		spin.Once()
	}
}

// A waiting lock is a lock whose waiters can give up.
type waiting struct {
	name string
	sync.Locker
	hold    property.Lock // keeps all others out
	try     func(context.Context) error
	timeout func() bool
	line    func() int  // how many are in line
	closed  func() bool // whether the word says that the line is not empty
}

func mutex() waiting {
	l := new(blocking.Mutex)
	return waiting{"Mutex", l, l, l.LockContext, func() bool { return l.LockTimeout(1) }, func() int { return l.State().Waiting }, func() bool { return l.State().Waiting > 0 }}
}

func permit() waiting {
	l := blocking.NewSemaphore(1)
	return waiting{"Semaphore", binary{l}, binary{l}, l.DownContext, func() bool { return l.DownTimeout(1) }, l.Peek, func() bool { return l.State().Waiting }}
}

func writers() waiting {
	l := new(blocking.RWSem)
	return waiting{"RWSem", l, l, l.LockContext, func() bool { return l.LockTimeout(1) }, l.Peek, func() bool { return l.State().Waiting }}
}

// readers do not exclude each other in the model: they count their critical
// sections, as the writer does that is there first.
func readers() waiting {
	l := new(blocking.RWSem)
	return waiting{"RWSem/readers", l.RLocker(), l, l.RLockContext, func() bool { return l.RLockTimeout(1) }, l.Peek, func() bool { return l.State().Waiting }}
}

// A mixed lock is an RWSem with a reader that may give up before or behind a writer.
func mixed() waiting {
	l := new(blocking.RWSem)
	return waiting{"RWSem/reader and writer", l, l, func(ctx context.Context) error {
		err := l.RLockContext(ctx)
		if err == nil {
			l.RUnlock()
			l.Lock() // as its caller will unlock it
		}
		return err
	}, nil, l.Peek, nil}
}

// A signal is a Completion as a lock, which is free while it has one Complete that
// no wait has used.
type signal struct{ *blocking.Completion }

func (s signal) Lock()         { s.Wait() }
func (s signal) TryLock() bool { return s.TryWait() }
func (s signal) Unlock()       { s.Complete() }

func completion() waiting {
	c := new(blocking.Completion)
	c.Complete()
	return waiting{"Completion", signal{c}, signal{c}, c.WaitContext, func() bool { return c.WaitTimeout(1) }, c.Peek, nil}
}

var locks = []func() waiting{mutex, permit, writers}

func b(ok bool) int {
	if ok {
		return 1
	}
	return 0
}

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

// Two waiters are in line, and one is cancelled when the lock is released: it
// acquires the lock or nothing, the other is not forgotten, and the line is empty
// in the end.
func TestModelCancelInLine(t *testing.T) {
	for _, c := range []struct {
		fresh  func() waiting
		search func(*testing.T, string, func(*check.Machine))
	}{{mutex, hurried}, {permit, bounded}, {writers, bounded}, {readers, bounded}, {mixed, bounded}} {
		fresh := c.fresh
		for cancelled := range 2 {
			c.search(t, fmt.Sprintf("%s/place=%d", fresh().name, cancelled), func(m *check.Machine) {
				l := fresh()
				got := 2
				ctx, cancel := m.WithCancel()
				l.hold.Lock()
				for place := range 2 {
					m.Go(func() {
						if place != cancelled {
							l.Lock()
						} else if l.try(ctx) != nil {
							got--
							return
						}
						l.Unlock()
					})
					until(func() bool { return l.line() == place+1 })
				}
				m.GoNamed("cancel", cancel)
				l.hold.Unlock()
				m.Wait()
				m.Assert(got >= 1)
				m.Assert(l.hold.TryLock())
			})
		}
	}
}

// A reader that gives up when its time is over leaves the RWSem to the writer that
// held it up. TestModelCancelInLine has such a reader with others in line.
func TestModelReaderTimeout(t *testing.T) {
	hurried(t, "RWSem/writer", func(m *check.Machine) {
		var s blocking.RWSem
		var n primitives.Cell[int] // guarded by s
		m.GoNamed("reader", func() {
			if s.RLockTimeout(1) {
				n.Get()
				s.RUnlock()
			}
		})
		m.GoNamed("writer", func() {
			for range 2 {
				s.Lock()
				n.Set(n.Get() + 1)
				s.Unlock()
			}
		})
		m.Wait()
		m.Assert(n.Get() == 2 && s.TryLock())
	})
}

// Three workers at once, one of which may be cancelled.
func TestModelThree(t *testing.T) {
	for _, fresh := range locks {
		bounded(t, fresh().name, func(m *check.Machine) {
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

// One worker waits in a context that ends: it acquires the lock or nothing, and
// the worker that waits behind it acquires the lock.
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

// A waiter that has been overtaken often enough is next, even if another spins.
func TestModelMutexOvertaking(t *testing.T) {
	hurried(t, "Mutex", func(m *check.Machine) {
		var l blocking.Mutex
		var served primitives.Cell[bool] // whether the waiter was; guarded by l
		l.Lock()
		l.Overtake(blocking.MaxOvertaken - 1)
		m.GoNamed("waiter", func() { l.Park(); served.Set(true); l.Unlock() })
		until(func() bool { return l.State().Waiting == 1 })
		// The rival is the head of the spinners, and the next rival after it.
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

// A waiter that gets in line while a spinner, the last that may overtake the line, notes
// that is not forgotten.
func TestModelMutexOvertakingBesideArrival(t *testing.T) {
	hurried(t, "Mutex", func(m *check.Machine) {
		var l blocking.Mutex
		section := func() { l.Park(); l.Unlock() }
		l.Lock()
		l.Overtake(blocking.MaxOvertaken - 1)
		m.GoFirst("waiter", section)
		m.GoFirst("spinner", func() {
			l.Reserve()
			until(func() bool { return !l.State().Held })
			if l.Steal() {
				l.Unlock()
			} else {
				l.GiveUpSpinning()
				section()
			}
		})
		m.GoNamed("late waiter", section)
		l.Unlock()
		m.Wait()
		if l.String() != "unlocked" {
			m.Failf("the lock is %v, want unlocked", &l)
		}
	})
}

// A spinner gives up while an Unlock that saw a waiter in line finds that it has given
// up, too: the Mutex is then free, and not left to a spinner that does not exist.
func TestModelMutexAllGiveUp(t *testing.T) {
	hurried(t, "Mutex", func(m *check.Machine) {
		var l blocking.Mutex
		ctx, cancel := m.WithCancel()
		l.Lock()
		m.GoFirst("in line", func() {
			if l.LockContext(ctx) == nil {
				l.Unlock()
			}
		})
		m.GoNamed("spinner", func() {
			l.Reserve()
			l.GiveUpSpinning()
			l.Park()
			l.Unlock()
		})
		m.GoNamed("cancel", cancel)
		l.Unlock()
		m.Wait()
		if l.String() != "unlocked" {
			m.Failf("the lock is %v, want unlocked", &l)
		}
	})
}

// If a reader leaves and another goroutine that has no read section does, too, one of
// the two panics, and no reader stays counted or is lost.
func TestModelRUnlockTooManyBesideReader(t *testing.T) {
	property.Every(t, "RWSem", func(m *check.Machine) {
		var s blocking.RWSem
		var panics primitives.Uint32
		leave := func() {
			defer func() {
				switch v := recover(); v {
				case nil:
				case "blocking: RUnlock of RWSem that no reader holds":
					panics.Add(1)
				default:
					panic(v)
				}
			}()
			s.RUnlock()
		}
		m.GoNamed("reader", func() { s.RLock(); leave() })
		m.GoNamed("mistaken", leave)
		m.Wait()
		if n := panics.Load(); n != 1 || s.String() != "unlocked" {
			m.Failf("%d panics for one RUnlock too many, and the lock is %v; want one, and unlocked", n, &s)
		}
	})
}

// While NoteOwner goes on and off, no acquisition, release or waiter is lost, and the
// lock does not go on noting.
func TestModelNoteOwner(t *testing.T) {
	type noter interface {
		property.Lock
		fmt.Stringer
		NoteOwner(on bool)
	}
	for name, fresh := range map[string]func() noter{
		"Mutex": func() noter { return new(blocking.Mutex) },
		"RWSem": func() noter { return new(blocking.RWSem) },
	} {
		property.Explore(t, name, check.Config{Mode: check.Bounded, Bound: 2, Spins: -1}, func(m *check.Machine) {
			l := fresh()
			var n primitives.Cell[int] // guarded by l
			section := func() {
				l.Lock()
				n.Set(n.Get() + 1)
				l.Unlock()
			}
			m.GoNamed("noter", func() {
				l.NoteOwner(true)
				l.NoteOwner(false)
			})
			m.Go(section)
			section()
			m.Wait()
			if n.Get() != 2 || l.String() != "unlocked" || !l.TryLock() {
				m.Failf("%d critical sections of 2 took place, and the lock is %v", n.Get(), l)
			}
		})
	}
}

// There are never more permits out than there are in all, however many the workers
// ask for and whichever of them give up.
func TestModelPermits(t *testing.T) {
	for _, c := range []struct {
		name   string
		search func(*testing.T, string, func(*check.Machine))
		size   int
		wants  []int
	}{{"three times one", bounded, 2, []int{1, 1, 1}}, {"two and one", hurried, 2, []int{2, 1}}, {"two and two", hurried, 3, []int{2, 2}}} {
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

// A big request that gives up lets the requests through that it held up.
func TestModelPermitsBehindBigRequest(t *testing.T) {
	hurried(t, "Semaphore", func(m *check.Machine) {
		s := blocking.NewSemaphore(2)
		ctx, cancel := m.WithCancel()
		s.Down()
		m.GoNamed("big", func() {
			if s.DownNContext(ctx, 2) == nil {
				m.Failf("2 permits were given out while another was out, of 2 in all")
			}
		})
		until(func() bool { return s.State().Waiting })
		m.GoNamed("small", s.Down)
		m.GoNamed("cancel", cancel)
		m.Wait()
	})
}

// Resize lets through the waiters that there are enough permits for, and no more.
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

// Each Complete lets one waiter go, and a waiter that gives up uses none.
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
	bounded(t, "cancelled", func(m *check.Machine) {
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
		wantAll(m, &c)
	})
	for name, wait := range map[string]func(*blocking.Completion){
		"all, and a try":    func(c *blocking.Completion) { c.TryWait() },
		"all, and a time":   func(c *blocking.Completion) { c.WaitTimeout(1) },
		"all, and one more": (*blocking.Completion).Complete,
	} {
		hurried(t, name, func(m *check.Machine) {
			var c blocking.Completion
			c.Complete()
			m.Go(func() { wait(&c) })
			c.CompleteAll()
			m.Wait()
			wantAll(m, &c)
		})
	}
}

// wantAll fails the execution unless all waits are allowed, without bound.
func wantAll(m *check.Machine, c *blocking.Completion) {
	if got, want := c.String(), "done, for all"; got != want {
		m.Failf("after CompleteAll: %s, want %s", got, want)
	}
}

// Readers at the head of the line come in together.
func TestModelReadersMeet(t *testing.T) {
	property.Every(t, "RWSem/free", property.ReadersMeet(func() property.Readers { return new(blocking.RWSem) }, 3))
	for _, c := range []struct {
		name    string
		release func(*blocking.RWSem)
	}{{"unlock", (*blocking.RWSem).Unlock}, {"downgrade", (*blocking.RWSem).Downgrade}} {
		bounded(t, "RWSem/"+c.name, func(m *check.Machine) {
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

// No writer comes between a writer and the reader that it turns into; readers at
// the head of the line come in.
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
				m.Failf("a writer and a reader hold it together")
			}
		})
		until(func() bool { return s.State().Waiting })
		m.GoNamed("reader", s.RLock)
		m.GoNamed("cancel", cancel)
		m.Wait()
	})
}

// A reader counts itself before it looks. That count alone may keep the lock from
// a writer in line. So if the reader gives up, it looks at the line.
func TestModelReaderBesideWriterInLine(t *testing.T) {
	bounded(t, "RWSem", func(m *check.Machine) {
		var s blocking.RWSem
		ctx := m.Context()
		s.Lock()
		m.GoFirst("writer", func() { s.Lock(); s.Unlock() })
		m.GoNamed("reader", func() {
			if s.RLockContext(ctx) == nil {
				s.RUnlock()
			}
		})
		s.Unlock()
		m.Wait()
		m.Assert(s.TryLock())
	})
}

// An RUnlock too many panics, or the RUnlock of the reader whose count it took
// does. The waiters in line, which meet the broken count, are not forgotten.
func TestModelRUnlockTooMany(t *testing.T) {
	for name, inLine := range map[string]func(*blocking.RWSem){
		"writer": func(s *blocking.RWSem) { s.Lock(); s.Unlock() },
		"reader": func(s *blocking.RWSem) { s.RLock(); s.RUnlock() },
	} {
		hurried(t, "RWSem/"+name, func(m *check.Machine) {
			var s blocking.RWSem
			panics := 0
			counted := func(f func(*blocking.RWSem)) func() {
				return func() {
					defer func() {
						if recover() != nil {
							panics++
						}
					}()
					f(&s)
				}
			}
			s.Lock()
			m.GoFirst(name, counted(inLine))
			m.GoNamed("too many", counted((*blocking.RWSem).RUnlock))
			s.Unlock()
			m.Wait()
			if panics != 1 {
				m.Failf("%d calls of RUnlock panicked, want 1", panics)
			}
			m.Assert(s.TryLock())
		})
	}
}

// One reader and one writer, twice each.
func TestModelReadersExclude(t *testing.T) {
	longHurried(t, "RWSem/2x2", property.ReadersExclude(func() property.Readers { return new(blocking.RWSem) }, 1, 1, 2))
	bounded(t, "RWSem/readers=2/writers=1", property.ReadersExclude(func() property.Readers { return new(blocking.RWSem) }, 2, 1, 1))
}

// Two workers, twice each.
func TestModelExclusion(t *testing.T) {
	for _, fresh := range locks {
		longHurried(t, fresh().name+"/2x2", property.Exclusion(func() sync.Locker { return fresh() }, 2, 2))
	}
	long(t, "Mutex/spinning/2x2", check.Config{}, property.Exclusion(func() sync.Locker { return new(blocking.Mutex) }, 2, 2))
}

// Two workers; one of them gives up when its time is over, which may be at any
// moment.
func TestModelTimeout(t *testing.T) {
	for _, c := range []struct {
		fresh              func() waiting
		impatient, patient int
		search             func(*testing.T, string, func(*check.Machine))
	}{
		{mutex, 2, 2, longHurried}, {permit, 1, 2, longHurried}, {permit, 2, 1, longHurried}, {permit, 2, 2, bounded}, {writers, 2, 2, longHurried},
	} {
		c.search(t, fmt.Sprintf("%s/impatient=%d/patient=%d", c.fresh().name, c.impatient, c.patient), func(m *check.Machine) {
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

// Three workers, once each: one holds the lock and one is in line when the third
// comes.
func TestModelThird(t *testing.T) {
	for _, fresh := range locks {
		hurried(t, fresh().name, func(m *check.Machine) {
			l := fresh()
			var n primitives.Cell[int] // guarded by l
			waits := func() { l.Lock(); count(l, &n) }
			l.Lock()
			m.GoNamed("first", waits)
			until(l.closed)
			m.GoNamed("last", waits)
			count(l, &n)
			m.Wait()
			wantCount(m, l, &n, 3)
		})
	}
}

// Two workers, once each, which spin before they park.
func TestModelSpinning(t *testing.T) {
	for _, fresh := range locks {
		property.Every(t, fresh().name+"/2x1", property.Exclusion(func() sync.Locker { return fresh() }, 2, 1))
	}
	property.Every(t, "RWSem/reader and writer", property.ReadersExclude(func() property.Readers { return new(blocking.RWSem) }, 1, 1, 1))
	property.Every(t, "Completion", func(m *check.Machine) {
		var c blocking.Completion
		var before primitives.Cell[int]
		m.GoNamed("waits", func() { c.Wait(); before.Get() })
		before.Set(1)
		c.Complete()
		m.Wait()
		m.Assert(!c.TryWait())
	})
}

// Waiters in line are served in that order. A waiter for a Semaphore is never
// overtaken; for an RWSem once, by a writer that comes as it is released.
func TestModelOvertaking(t *testing.T) {
	for _, c := range []struct {
		fresh                 func() waiting
		waiters, rivals, most int
		search                func(*testing.T, string, func(*check.Machine))
	}{
		{permit, 2, 0, 0, hurried}, {permit, 1, 1, 0, hurried},
		{writers, 2, 0, 0, hurried}, {writers, 1, 1, 1, bounded}, {writers, 1, 2, 1, bounded},
	} {
		c.search(t, fmt.Sprintf("%s/waiters=%d/rivals=%d", c.fresh().name, c.waiters, c.rivals), property.Overtaking(func() (sync.Locker, func() uint64) {
			l := c.fresh()
			return l, func() uint64 {
				if c.rivals > 0 {
					return uint64(b(l.closed())) // only then can a rival see the line
				}
				return uint64(l.line())
			}
		}, c.waiters, c.rivals, c.most))
	}
}

// A Complete lets the first in line go, and not the second.
func TestModelCompletionOrder(t *testing.T) {
	hurried(t, "Completion", func(m *check.Machine) {
		var c blocking.Completion
		var gone [2]primitives.Bool
		for i := range gone {
			m.Go(func() { c.Wait(); gone[i].Store(true) })
			until(func() bool { return c.Peek() == i+1 })
		}
		for i := range gone {
			c.Complete()
			until(gone[i].Load)
		}
	})
}
