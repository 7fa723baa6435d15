package list_test

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"unsafe"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/rcu/list"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A list behaves as a slice does.
func TestAgainstSlice(t *testing.T) {
	for _, l := range listers {
		t.Run(l.name, rapid.MakeCheck(func(t *rapid.T) {
			l := l.fresh()
			var want []int
			elements := map[int]element{} // those in the list, by value
			var out []element             // those taken out
			next := 0
			fresh := func() element {
				next++
				if len(out) > 0 && next%2 == 0 {
					n := out[0] // used again
					out = out[1:]
					n.value().Set(next)
					elements[next] = n
					return n
				}
				elements[next] = l.element(next)
				return elements[next]
			}
			// one draws an element.
			one := func(t *rapid.T) (i int, n element) {
				if len(want) == 0 {
					t.Skip("empty")
				}
				i = rapid.IntRange(0, len(want)-1).Draw(t, "at")
				return i, elements[want[i]]
			}
			t.Repeat(map[string]func(*rapid.T){
				"AddFront": func(*rapid.T) {
					l.addFront(fresh())
					want = slices.Insert(want, 0, next)
				},
				"AddBack": func(*rapid.T) {
					l.addBack(fresh())
					want = append(want, next)
				},
				"AddAfter": func(t *rapid.T) {
					i, at := one(t)
					l.addAfter(at, fresh())
					want = slices.Insert(want, i+1, next)
				},
				"AddBefore": func(t *rapid.T) {
					i, at := one(t)
					l.addBefore(at, fresh())
					want = slices.Insert(want, i, next)
				},
				"Delete": func(t *rapid.T) {
					i, n := one(t)
					if got := l.remove(n); got != n {
						t.Fatalf("Delete of %v = %v, want itself", n, got)
					}
					out = append(out, n)
					want = slices.Delete(want, i, i+1)
				},
				"Replace": func(t *rapid.T) {
					i, old := one(t)
					if got := l.replace(old, fresh()); got != old {
						t.Fatalf("Replace of %v = %v, want itself", old, got)
					}
					out = append(out, old)
					want[i] = next
				},
				"": func(t *rapid.T) {
					if got := values(l); !slices.Equal(got, want) {
						t.Fatalf("the list has %v, want %v", got, want)
					}
					if err := l.check(); err != nil {
						t.Fatal(err)
					}
				},
			})
		}))
	}
}

// A reader that is on an element when the element is taken out continues from there.
func TestReaderOnElementThatGoes(t *testing.T) {
	for _, l := range listers {
		for _, replace := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/replace=%v", l.name, replace), func(t *testing.T) {
				l := l.fresh()
				for v := range 4 {
					l.addBack(l.element(v))
				}
				var saw []int
				l.each(func(n element) bool {
					v := n.value().Get()
					saw = append(saw, v)
					if replace {
						l.replace(n, l.element(v+10))
					} else {
						l.remove(n)
					}
					return true
				})
				if want := []int{0, 1, 2, 3}; !slices.Equal(saw, want) {
					t.Errorf("saw %v, want %v", saw, want)
				}
				want := []int(nil)
				if replace {
					want = []int{10, 11, 12, 13}
				}
				if got := values(l); !slices.Equal(got, want) {
					t.Errorf("the list has %v, want %v", got, want)
				}
			})
		}
	}
}

func TestBreakOff(t *testing.T) {
	for _, l := range listers {
		l := l.fresh()
		l.addBack(l.element(1))
		l.addBack(l.element(2))
		l.each(func(n element) bool {
			if v := n.value().Get(); v != 1 {
				t.Errorf("saw %d after breaking off", v)
			}
			return false
		})
	}
}

func TestMisuse(t *testing.T) {
	for _, l := range listers {
		name, what := "List", "Node"
		if l.name == "HList" {
			name, what = "HList", "HNode"
		}
		l := l.fresh()
		in, out, new := l.element(1), l.element(2), l.element(3)
		l.addBack(in)
		l.addBack(out)
		l.remove(out)
		article := map[string]string{"Node": "a Node", "HNode": "an HNode"}[what]
		inAlready := fmt.Sprintf("list: Add of %s that is in %s", article, map[string]string{"List": "a List", "HList": "an HList"}[name])
		inNone := func(method string) string {
			return fmt.Sprintf("list: %s of %s that is in no %s", method, article, name)
		}
		for _, test := range []struct {
			want string
			do   func()
		}{
			{inAlready, func() { l.addFront(in) }},
			{inAlready, func() { l.addAfter(in, in) }},
			{inAlready, func() { l.replace(in, in) }},
			{inNone("Delete"), func() { l.remove(out) }},
			{inNone("Delete"), func() { l.remove(new) }},
			{inNone("Replace"), func() { l.replace(out, new) }},
			{inNone("AddAfter"), func() { l.addAfter(out, new) }},
		} {
			if got := panics(test.do); got != test.want {
				t.Errorf("%s: panic %q, want %q", name, got, test.want)
			}
			if got := values(l); !slices.Equal(got, []int{1}) {
				t.Errorf("%s: after %q it has %v, want [1]", name, test.want, got)
			}
			if err := l.check(); err != nil {
				t.Errorf("%s: after %q: %v", name, test.want, err)
			}
			l.addBack(new) // it is still in no list
			l.remove(new)
		}
	}
	var l list.List[int]
	if got, want := panics(func() { l.AddBefore(new(list.Node[int]), new(list.Node[int])) }), "list: AddBefore of a Node that is in no List"; got != want {
		t.Errorf("panic %q, want %q", got, want)
	}
}

func panics(f func()) (message string) {
	defer func() { message = fmt.Sprint(recover()) }()
	f()
	return
}

// Readers walk through a list while an updater changes it and a pool lets elements
// that were taken out be used again. If a reader reads an element that is being used
// again, the race detector sees it, or its place is out of order.
func TestStress(t *testing.T) {
	const places, updates, readers = 16, 20_000, 3
	for _, l := range listers {
		t.Run(l.name, func(t *testing.T) {
			l := l.fresh()
			d := rcu.NewDomain(rcu.Config{})
			defer d.Close()
			pool := rcu.Pool[element]{Updater: &d.Updater, New: func() *element { n := l.element(0); return &n }}
			there := make([]element, places)
			for i := range there {
				there[i] = l.element(1000 * i)
				l.addBack(there[i])
			}
			var over primitives.Bool
			var wg sync.WaitGroup
			for range readers {
				wg.Go(func() {
					for !over.Load() {
						s := d.ReadLock()
						last, fixed := -1, 0
						l.each(func(n element) bool {
							place := n.value().Get() / 1000
							if place <= last {
								t.Errorf("place %d after %d", place, last)
							}
							if last = place; place%2 == 0 {
								fixed++
							}
							return true
						})
						d.ReadUnlock(s)
						if fixed != places/2 {
							t.Errorf("saw %d places that are never empty, want %d", fixed, places/2)
						}
						runtime.Gosched()
					}
				})
			}
			// Even places are replaced, odd ones are emptied and filled.
			for i := range updates {
				place := i * 7 % places
				old := there[place]
				fresh := pool.Get()
				(*fresh).value().Set(1000*place + i%1000)
				switch {
				case place%2 == 0:
					l.replace(old, *fresh)
					there[place] = *fresh
				case old != nil:
					l.remove(old)
					there[place] = nil
					pool.Retire(fresh)
				default:
					l.addAfter(there[place-1], *fresh)
					there[place] = *fresh
				}
				if old != nil {
					pool.Retire(&old)
				}
				if i%100 == 0 {
					runtime.Gosched()
				}
			}
			over.Store(true)
			wg.Wait()
			if err := l.check(); err != nil {
				t.Error(err)
			}
		})
	}
}

// docs/rcu-lists.md has these sizes, too.
func TestSizes(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("links have other sizes here")
	}
	const value = unsafe.Sizeof(0)
	for name, sizes := range map[string][2]uintptr{
		"List":  {unsafe.Sizeof(list.List[int]{}), 16 + value},
		"Node":  {unsafe.Sizeof(list.Node[int]{}), 16 + value},
		"HList": {unsafe.Sizeof(list.HList[int]{}), 8},
		"HNode": {unsafe.Sizeof(list.HNode[int]{}), 16 + value},
	} {
		if sizes[0] != sizes[1] {
			t.Errorf("a %s has %d bytes, want %d", name, sizes[0], sizes[1])
		}
	}
}
