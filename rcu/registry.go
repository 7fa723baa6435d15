package rcu

import (
	"slices"

	"github.com/lockbench/lockbench/spinlock"
)

// A registry has the registered readers. Adding and removing one take constant
// time, amortized, also while a grace period walks over the readers.
type registry[R any] struct {
	lock spinlock.TTAS // guards the fields after it

	// list is in two parts. A walk takes readers from the front of the second:
	//
	//	list[:seen]  the walk has been to these, or they came after it began
	//	list[seen:]  the walk has not been to these yet
	//
	// I1: a reader that is there when a walk begins is in the second part until
	// the walk has been to it, or until it unregisters. Readers that come later go
	// to the first part, so a walk ends. They begin their sections later, too.
	list  []entry[R]
	seen  int
	given int
}

// An entry is a reader and its place, which is a part of it.
type entry[R any] struct {
	reader *R
	place  *place
}

// A place is what a registry keeps of a reader.
type place struct {
	number int // from 1, in the order in which readers came
	index  int // in the list
}

// nowhere is the index of a reader that is not registered any more.
const nowhere = -1

// put sets list[i] to e. The entry that was there must be in the list elsewhere, or
// be e.
func (g *registry[R]) put(i int, e entry[R]) {
	g.list[i] = e
	e.place.index = i
}

// add adds r, whose place is p.
func (g *registry[R]) add(r *R, p *place) {
	g.lock.Lock()
	defer g.lock.Unlock()
	g.given++
	p.number = g.given
	e := entry[R]{r, p}
	g.list = append(g.list, e)
	g.put(len(g.list)-1, g.list[g.seen]) // the first of the second part becomes its last; if there is none, that is e
	g.put(g.seen, e)
	g.seen++
}

// remove removes the reader whose place is p, and reports whether it was there.
func (g *registry[R]) remove(p *place) bool {
	g.lock.Lock()
	defer g.lock.Unlock()
	i := p.index
	if i == nowhere {
		return false
	}
	if i < g.seen {
		// Putting the last reader there would make a walk miss it, by I1. So the last
		// of the first part fills the gap, and the gap is at the second part's start.
		g.seen--
		g.put(i, g.list[g.seen])
		i = g.seen
	}
	last := len(g.list) - 1
	if i != last { // otherwise the removed reader would be put back
		g.put(i, g.list[last])
	}
	g.list[last] = entry[R]{}
	g.list = g.list[:last]
	p.index = nowhere
	return true
}

// most is how many readers a walk takes at a time, while it holds the lock.
const most = 64

// atATime is most, or less in tests.
var atATime = most

// walk yields the readers that are there when it begins. A reader that unregisters
// meanwhile may come or not. There is one walk at a time.
func (g *registry[R]) walk(yield func(*R) bool) {
	var batch [most]*R
	for n, more := g.first(batch[:atATime]); ; n, more = g.next(batch[:atATime]) {
		for _, r := range batch[:n] {
			if !yield(r) {
				return
			}
		}
		if !more {
			return
		}
	}
}

// first begins a walk, and does what next does.
func (g *registry[R]) first(batch []*R) (n int, more bool) {
	g.lock.Lock()
	defer g.lock.Unlock()
	g.seen = 0
	return g.take(batch)
}

// next takes the next readers of a walk, and returns how many it took and whether
// there are more.
func (g *registry[R]) next(batch []*R) (n int, more bool) {
	g.lock.Lock()
	defer g.lock.Unlock()
	return g.take(batch)
}

func (g *registry[R]) take(batch []*R) (n int, more bool) {
	n = min(len(batch), len(g.list)-g.seen)
	for i, e := range g.list[g.seen : g.seen+n] {
		batch[i] = e.reader
	}
	g.seen += n
	return n, g.seen < len(g.list)
}

// all returns the readers, in the order in which they came. It is for reports,
// because it holds the lock for long.
func (g *registry[R]) all() []*R {
	g.lock.Lock()
	list := slices.Clone(g.list)
	g.lock.Unlock()
	slices.SortFunc(list, func(a, b entry[R]) int { return a.place.number - b.place.number })
	all := make([]*R, len(list))
	for i, e := range list {
		all[i] = e.reader
	}
	return all
}
