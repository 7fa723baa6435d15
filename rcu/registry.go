package rcu

import (
	"slices"

	"github.com/lockbench/lockbench/spinlock"
)

// A registry has the readers that are registered. A grace period looks at those
// that it finds: one that registers later begins its sections later.
type registry[R any] struct {
	lock  spinlock.TTAS // guards what follows
	list  []*R
	given int
}

// add returns the number of r, from 1.
func (g *registry[R]) add(r *R) int {
	g.lock.Lock()
	defer g.lock.Unlock()
	g.list = append(g.list, r)
	g.given++
	return g.given
}

func (g *registry[R]) remove(r *R) {
	g.lock.Lock()
	defer g.lock.Unlock()
	i := slices.Index(g.list, r)
	if i < 0 {
		panic("rcu: Unregister of a reader that is not registered")
	}
	// Not in place: a grace period may have the list.
	g.list = append(g.list[:i:i], g.list[i+1:]...)
}

// all returns them. The list that it returns does not change.
func (g *registry[R]) all() []*R {
	g.lock.Lock()
	defer g.lock.Unlock()
	return g.list[:len(g.list):len(g.list)]
}
