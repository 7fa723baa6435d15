//go:build virtual

package list_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/rcu"
)

// An element's value is its place in the list and a version: an element that
// replaces another has the same place and the next version.
const (
	front  = 10
	first  = 20
	middle = 30
	last   = 40
	back   = 50
	behind = 5 // an element added behind another is at the other's place plus this
	again  = 60
)

// changes are what an updater may do to a list that has an element at a place.
// They return the element that they took out, if any.
var changes = []struct {
	name string
	do   func(l lister, at element) (out element)
	adds func(at int) (place int) // or 0
	gone bool                     // no element is at the place any more
}{
	{"AddFront", func(l lister, _ element) element { l.addFront(l.element(front)); return nil }, func(int) int { return front }, false},
	{"AddBack", func(l lister, _ element) element { l.addBack(l.element(back)); return nil }, func(int) int { return back }, false},
	{"AddAfter", func(l lister, at element) element {
		l.addAfter(at, l.element(place(at.value().Get())+behind))
		return nil
	}, func(at int) int { return at + behind }, false},
	{"Replace", func(l lister, at element) element { return l.replace(at, l.element(at.value().Get()+1)) }, func(int) int { return 0 }, false},
	{"Delete", func(l lister, at element) element { return l.remove(at) }, func(int) int { return 0 }, true},
}

// place returns the place of an element that has value v.
func place(v int) int { return v - v%5 }

// sees checks what a reader saw while one change was made, and then another.
func sees(m *check.Machine, saw []int, must, may []int) {
	places := make([]int, len(saw))
	for i, v := range saw {
		places[i] = place(v)
		if i > 0 && places[i] <= places[i-1] {
			m.Failf("saw %v: not in order, or one place twice", saw)
		}
		if !slices.Contains(may, places[i]) {
			m.Failf("saw %v: no element was ever at %d", saw, places[i])
		}
	}
	for _, p := range must {
		if !slices.Contains(places, p) {
			m.Failf("saw %v: nothing at %d, where an element was throughout", saw, p)
		}
	}
}

// changed checks that readers see a list as it was before or after each of two
// changes: one at the middle element, and then one at any element. It also checks
// that an element that was taken out can be used again after a grace period, at the
// end.
func changed(fresh func() lister, gracePeriod func(*rcu.Registered), readers, one, two int) func(m *check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		d := rcu.NewRegistered(rcu.Config{})
		places := []int{first, middle, last}
		for _, p := range places {
			l.addBack(l.element(p))
		}
		at := places[m.Choose(3)]
		may := append(places[:3:3], again, again+behind, changes[one].adds(middle), changes[two].adds(at))
		gone := func(p int) bool {
			return p == middle && changes[one].gone || p == at && changes[two].gone
		}
		must := slices.DeleteFunc(places, gone)
		handles, next := make([]*rcu.Reader, readers), 0
		for i := range handles {
			handles[i] = d.Register()
		}
		m.GoAlike(readers, func() {
			r := handles[next]
			next++
			r.ReadLock()
			saw := values(l)
			r.ReadUnlock()
			sees(m, saw, must, may)
		})
		m.GoNamed("updater", func() {
			var out []element
			for i, p := range []int{middle, at} {
				c := changes[[]int{one, two}[i]]
				n := find(l, p)
				if n == nil || c.adds(p) != 0 && find(l, c.adds(p)) != nil {
					continue // the first change has taken that element out
				}
				if o := c.do(l, n); o != nil {
					out = append(out, o)
				}
			}
			if len(out) > 0 {
				gracePeriod(d)
			}
			for i, n := range out {
				n.value().Set(again + behind*i)
				l.addBack(n)
			}
		})
		m.Wait()
		if err := l.check(); err != nil {
			m.Failf("%v", err)
		}
		sees(m, values(l), must, may)
	}
}

// find returns the element at a place, or nil.
func find(l lister, p int) (found element) {
	l.each(func(n element) bool {
		if place(n.value().Get()) == p {
			found = n
		}
		return found == nil
	})
	return found
}

func gracePeriod(d *rcu.Registered) { d.Synchronize() }

func TestModelChanges(t *testing.T) {
	for _, l := range listers {
		for one := range changes {
			for two := range changes {
				for readers := 1; readers <= 2; readers++ {
					property.Every(t, fmt.Sprintf("%s/%s/%s/readers=%d", l.name, changes[one].name, changes[two].name, readers),
						changed(l.fresh, gracePeriod, readers, one, two))
				}
			}
		}
	}
}

// Without a grace period the model must notice the reuse; otherwise it shows nothing.
func TestModelReuseTooEarly(t *testing.T) {
	for _, l := range listers {
		for i, c := range changes {
			if c.name != "Replace" && c.name != "Delete" {
				continue
			}
			r, err := check.Run(check.Config{}, changed(l.fresh, func(*rcu.Registered) {}, 1, i, 0))
			if err != nil || r.Failure == nil || r.Failure.Kind != check.DataRace {
				t.Errorf("%s: %s, and reuse at once: %v (error %v), want a data race", l.name, c.name, r, err)
			}
		}
	}
}
