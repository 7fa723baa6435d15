//go:build virtual

package seqlock_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

// A pair is whole if its halves are equal. It is two words, so that a reader
// can be disturbed between them.
type pair [2]uint64

func pairOf(n uint64) pair { return pair{n, n} }

// number fails the execution if p is torn.
func (p pair) number(m *check.Machine) uint64 {
	if p[0] != p[1] {
		m.Failf("read %v, which is torn", p)
	}
	return p[0]
}

// patient readers do not keep writers out, and hasty ones do after one failed try.
func patient() store[pair] { return &seqlock.Value[pair]{Tries: -1} }
func hasty() store[pair]   { return &seqlock.Value[pair]{Tries: 1} }
func latch() store[pair]   { return new(seqlock.Latch[pair]) }

// long is hasty for a Value of more than two words, which other code reads.
func long() store[pair] { return longValue{&seqlock.Value[pair]{Tries: 1}} }

type longValue struct{ *seqlock.Value[pair] }

func (v longValue) Load() (p pair) {
	v.LoadTo(&p)
	return p
}

var stores = []struct {
	name  string
	fresh func() store[pair]
}{{"Patient", patient}, {"Hasty", hasty}, {"Long", long}, {"Latch", latch}}

// until waits until cond, which reads words, is true.
func until(cond func() bool) {
	var spin primitives.Spin
	for !cond() {
		spin.Once()
	}
}

// counts are the locks that say that words are being written, with the lock that
// excludes their writers from each other.
var counts = []struct {
	name  string
	fresh func() (read func(func()), write func(func()))
}{
	{"Lock", func() (func(func()), func(func())) {
		l := seqlock.Lock{Tries: 1}
		return l.Read, func(f func()) { l.Lock(); f(); l.Unlock() }
	}},
	{"LockPinned", func() (func(func()), func(func())) {
		l := seqlock.Lock{Tries: 1}
		return l.Read, func(f func()) { l.LockPinned(); f(); l.UnlockPinned() }
	}},
	{"LockTry", func() (func(func()), func(func())) {
		l := seqlock.Lock{Tries: 1}
		return l.Read, func(f func()) {
			until(l.TryLockPinned)
			f()
			l.UnlockPinned()
		}
	}},
	{"LockBegin", func() (func(func()), func(func())) {
		var l seqlock.Lock
		return func(f func()) {
			for again := true; again; {
				seq := l.Begin()
				f()
				again = l.Retry(seq)
			}
		}, func(f func()) { l.Lock(); f(); l.Unlock() }
	}},
	{"Count", func() (func(func()), func(func())) {
		var c seqlock.Count
		return func(f func()) {
			for again := true; again; {
				seq := c.Begin()
				f()
				again = c.Retry(seq)
			}
		}, func(f func()) { c.BeginWrite(); f(); c.EndWrite() }
	}},
}

// Readers do not see words half-written while the lock says that a writer writes
// them.
func TestModelSections(t *testing.T) {
	for _, c := range counts {
		sizes := []struct{ writers, readers int }{{1, 1}, {1, 2}, {2, 1}}
		if c.name == "Count" {
			sizes = sizes[:2] // its user has to exclude writers
		}
		for _, size := range sizes {
			property.Every(t, fmt.Sprintf("%s/writers=%d/readers=%d", c.name, size.writers, size.readers), func(m *check.Machine) {
				read, write := c.fresh()
				var words [2]primitives.Uint64
				for range size.writers {
					m.GoNamed("writer", func() {
						write(func() {
							for i := range words {
								words[i].StoreRelease(words[i].Load() + 1)
							}
						})
					})
				}
				var p pair
				readPair := func(p *pair) {
					for i := range p {
						p[i] = words[i].Load()
					}
				}
				for range size.readers {
					m.GoNamed("reader", func() {
						var p pair
						read(func() { readPair(&p) })
						p.number(m)
					})
				}
				m.Wait()
				read(func() { readPair(&p) })
				if got, want := p.number(m), uint64(size.writers); got != want {
					m.Failf("after %d writes read %d", want, got)
				}
			})
		}
	}
}

func TestModelLock(t *testing.T) {
	property.All(t, func() property.Lock { return new(seqlock.Lock) }, property.UnlockPanics)
}

// A reader of a Latch does not wait: it returns while a writer has stopped
// half-way, in either copy.
func TestModelLatchReadsBesideStoppedWriter(t *testing.T) {
	for half := range 2 {
		property.Every(t, fmt.Sprintf("copy=%d", half), func(m *check.Machine) {
			l := new(seqlock.Latch[pair])
			var stopped primitives.Parker
			m.GoNamed("writer", func() {
				rest := l.StoreHalf(half, pairOf(1))
				stopped.Park()
				rest()
			})
			var left primitives.Uint32
			for range 2 {
				m.GoNamed("reader", func() {
					l.Load().number(m)
					if left.Add(1) == 2 {
						stopped.Unpark() // only now
					}
				})
			}
			m.Wait()
			m.Assert(l.Load().number(m) == 1)
		})
	}
}

// A reader that keeps writers out waits for the writer that is inside, and later
// writers wait for the reader.
func TestModelHastyReaderIsNext(t *testing.T) {
	property.Every(t, "Value", func(m *check.Machine) {
		v := &seqlock.Value[pair]{Tries: 1}
		rest := v.StoreHalf(pairOf(1))
		for range 2 {
			m.GoNamed("reader", func() {
				if n := v.Load().number(m); n != 1 {
					m.Failf("read %d, want 1: a writer that came later was first", n)
				}
			})
		}
		until(func() bool { return v.Sharing() == 2 })
		m.GoNamed("second writer", func() { v.Store(pairOf(2)) })
		rest()
	})
}

// readAndWrite lets a writer store 1, 2 … writes while readers read: they see whole
// values, none older than the one before. A reader that sees a value also sees what
// its writer did before.
func readAndWrite(fresh func() store[pair], readers, reads, writes int) func(*check.Machine) {
	return func(m *check.Machine) {
		v := fresh()
		before := make([]primitives.Cell[uint64], writes+1)
		for range readers {
			m.GoNamed("reader", func() {
				last := uint64(0)
				for range reads {
					n := v.Load().number(m)
					if n < last {
						m.Failf("read %d after %d", n, last)
					}
					if n > 0 && before[n].Get() != n {
						m.Failf("read %d, and not what was written before it", n)
					}
					last = n
				}
			})
		}
		m.GoNamed("writer", func() {
			for n := uint64(1); n <= uint64(writes); n++ {
				before[n].Set(n)
				v.Store(pairOf(n))
			}
		})
		m.Wait()
		if got, want := v.Load().number(m), uint64(writes); got != want {
			m.Failf("after the last write read %d, want %d", got, want)
		}
	}
}

func TestModelReads(t *testing.T) {
	for _, s := range stores {
		for _, c := range []struct{ readers, reads, writes int }{{2, 2, 1}, {1, 2, 2}} {
			property.Every(t, fmt.Sprintf("%s/readers=%d/reads=%d/writes=%d", s.name, c.readers, c.reads, c.writes),
				readAndWrite(s.fresh, c.readers, c.reads, c.writes))
		}
	}
}

// No update is lost.
func TestModelUpdates(t *testing.T) {
	next := func(p pair) pair { return pairOf(p[0] + 1) }
	type updates struct {
		name           string
		workers, times int
		fresh          func() (load func() pair, update func(int))
	}
	var all []updates
	for _, s := range stores {
		fresh := func() (func() pair, func(int)) {
			v := s.fresh()
			return v.Load, func(int) { v.Update(next) }
		}
		all = append(all, updates{s.name, 2, 2, fresh}, updates{s.name, 3, 1, fresh})
	}
	// Pinned writers mix with others.
	all = append(all, updates{"Mixed", 3, 1, func() (func() pair, func(int)) {
		v := &seqlock.Value[pair]{Tries: 1}
		return v.Load, func(i int) {
			if i == 0 {
				v.Update(next)
			} else {
				v.UpdatePinned(next)
			}
		}
	}})
	for _, u := range all {
		property.Every(t, fmt.Sprintf("%s/%dx%d", u.name, u.workers, u.times), func(m *check.Machine) {
			load, update := u.fresh()
			for i := range u.workers {
				m.Go(func() {
					for range u.times {
						update(i)
					}
				})
			}
			m.Wait()
			if got, want := load().number(m), uint64(u.workers*u.times); got != want {
				m.Failf("after %d updates read %d", want, got)
			}
		})
	}
}

// An op is an operation of a register: a store if it is not negative.
type op int

const opLoad op = -1

var opRegister = porcupine.Model{
	Init: func() any { return uint64(0) },
	Step: func(state, input, output any) (bool, any) {
		if in := input.(op); in != opLoad {
			return true, uint64(in)
		}
		return output == state, state
	},
	DescribeOperation: func(input, output any) string {
		if in := input.(op); in != opLoad {
			return fmt.Sprintf("Store(%d)", in)
		}
		return fmt.Sprintf("Load() = %v", output)
	},
}

// A pinnedValue is a Value that is written to with preemption off.
type pinnedValue struct{ seqlock.Value[pair] }

func (v *pinnedValue) Store(p pair)                  { v.Value.StorePinned(p) }
func (v *pinnedValue) Update(f func(pair) pair) pair { return v.Value.UpdatePinned(f) }

// With two writers, too, the operations are as if they came one after the other.
func TestModelLinearizable(t *testing.T) {
	pinned := stores[0]
	pinned.name, pinned.fresh = "Pinned", func() store[pair] { return new(pinnedValue) }
	for _, s := range append(slices.Clone(stores), pinned) {
		property.Every(t, s.name, func(m *check.Machine) {
			v := s.fresh()
			var h property.History
			store := func(worker int) {
				n := uint64(worker + 1)
				done := h.Call(worker, op(n))
				v.Store(pairOf(n))
				done(nil)
			}
			load := func(worker int) {
				done := h.Call(worker, opLoad)
				done(v.Load().number(m))
			}
			m.Go(func() { store(0) })
			m.Go(func() { store(1); load(1) })
			m.Wait()
			load(2)
			h.Linearizable(m, opRegister)
		})
	}
}

// A reader that reads twice does not see older words the second time: one writer,
// two readers, two reads.
func TestModelSectionsInOrder(t *testing.T) {
	for _, c := range counts {
		property.Every(t, c.name+"/writers=1/readers=2/reads=2", func(m *check.Machine) {
			read, write := c.fresh()
			var words [2]primitives.Uint64
			m.GoNamed("writer", func() {
				write(func() {
					for i := range words {
						words[i].StoreRelease(1)
					}
				})
			})
			m.GoAlike(2, func() {
				last := uint64(0)
				for range 2 {
					var p pair
					read(func() {
						for i := range p {
							p[i] = words[i].Load()
						}
					})
					n := p.number(m)
					if n < last {
						m.Failf("read %d after %d", n, last)
					}
					last = n
				}
			})
		})
	}
}

// A pinned writer is pinned until its release: on one CPU, the next one waits pinned
// and would keep it from that.
func TestModelPinnedOnOneCPU(t *testing.T) {
	one := check.Config{CPUs: 1}
	property.Explore(t, "Lock", one, property.Exclusion(func() sync.Locker { return locktest.Pinned(new(seqlock.Lock)) }, 2, 1))
	for _, w := range []struct {
		name  string
		write func(*seqlock.Value[pair])
	}{
		{"StorePinned", func(v *seqlock.Value[pair]) { v.StorePinned(pairOf(1)) }},
		{"UpdatePinned", func(v *seqlock.Value[pair]) { v.UpdatePinned(func(pair) pair { return pairOf(1) }) }},
	} {
		property.Explore(t, w.name, one, func(m *check.Machine) {
			var v seqlock.Value[pair]
			m.GoAlike(2, func() { w.write(&v) })
			m.Wait()
			m.Assert(v.Load() == pairOf(1))
		})
	}
}
