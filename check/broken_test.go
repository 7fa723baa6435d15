//go:build virtual

package check

import (
	"context"

	"github.com/lockbench/lockbench/primitives"
)

// Programs that fail, each in a different way. The golden tables in testdata have the
// numbers of these lines.

// A loadStore is a ticket lock that draws its ticket with a load and a store.
type loadStore struct{ next, owner primitives.Uint32 }

func (l *loadStore) Lock() {
	ticket := l.next.Load()
	l.next.Store(ticket + 1)
	var spin primitives.Spin
	for l.owner.Load() != ticket {
		spin.Once()
	}
}

func (l *loadStore) Unlock() { l.owner.StoreRelease(l.owner.Load() + 1) }

func drawsTicketByLoadAndStore(m *Machine) {
	var l loadStore
	var n primitives.Cell[int]
	for range 3 {
		m.Go(func() { l.Lock(); n.Set(n.Get() + 1); l.Unlock() })
	}
	m.Wait()
	m.Assert(n.Get() == 3)
}

// A tas is a correct lock.
type tas struct{ locked primitives.Bool }

func (l *tas) Lock() {
	var spin primitives.Spin
	for l.locked.Swap(true) {
		spin.Once()
	}
}

func (l *tas) Unlock() { l.locked.StoreRelease(false) }

func locksInEitherOrder(m *Machine) {
	var a, b tas
	m.GoNamed("philosopher", func() { a.Lock(); b.Lock(); b.Unlock(); a.Unlock() })
	m.GoNamed("other", func() { b.Lock(); a.Lock(); a.Unlock(); b.Unlock() })
}

func announcesThroughStoreBuffer(m *Machine) {
	var wants [2]primitives.Bool
	var inside primitives.Uint32
	for i := range wants {
		m.Go(func() {
			wants[i].StoreRelease(true)
			if !wants[1-i].Load() {
				m.Assert(inside.Add(1) == 1)
			}
		})
	}
}

// A stack loses a value if two workers push at a time.
type stack struct{ top primitives.Pointer[element] }

type element struct {
	below primitives.Pointer[element]
	value int
}

func (s *stack) push(value int) {
	e := &element{value: value}
	e.below.Store(s.top.Load())
	s.top.Store(e)
}

func losesElement(m *Machine) {
	var s stack
	m.Go(func() { s.push(1) })
	m.Go(func() { s.push(2) })
	m.Wait()
	n := 0
	for e := s.top.Load(); e != nil; e = e.below.Load() {
		n++
	}
	m.Assert(n == 2)
}

func stepsAside(m *Machine) {
	var wants [2]primitives.Uint64
	for i := range wants {
		me, other := &wants[i], &wants[1-i]
		m.Go(func() {
			for {
				me.Store(1 << 20)
				if other.Load() == 0 {
					return
				}
				me.Store(0)
			}
		})
	}
}

// A mailbox forgets that its sender may come before its waiter.
type mailbox struct {
	waiting primitives.Uint32
	parker  primitives.Parker
}

func (b *mailbox) await(ctx context.Context) error {
	b.waiting.Store(1)
	return b.parker.ParkContext(ctx)
}

func (b *mailbox) tell() {
	if b.waiting.CompareAndSwap(1, 0) {
		b.parker.Unpark()
	}
}

func wakesNoWaiter(m *Machine) {
	var b mailbox
	m.Go(func() { b.await(context.Background()) })
	m.Go(b.tell)
}

func ignoresCancellation(m *Machine) {
	var b mailbox
	ctx := m.Context()
	m.Go(func() {
		if way := m.Choose(3); way == 2 && b.await(ctx) != nil {
			panic("<cancelled>")
		}
	})
	m.Go(func() {
		var spin primitives.Spin
		for b.waiting.Load() == 0 {
			if !spin.Try() {
				return
			}
		}
		b.tell()
	})
}

func fencesTooEarly(m *Machine) {
	var x, y primitives.Uint32
	var a, b uint32
	m.Go(func() { x.StoreRelease(1); a = y.Load() })
	m.Go(func() { m.Membarrier(); y.Store(1); b = x.Load() })
	m.Wait()
	m.Assert(a == 1 || b == 1)
}
