package list_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/rcu/list"
)

type triple struct{ a, b, c int }

// tripleList returns the list that the figures of docs/rcu-lists.md begin with.
func tripleList() *list.List[triple] {
	l := new(list.List[triple])
	for _, t := range []triple{{1, 2, 3}, {5, 6, 7}, {11, 4, 8}} {
		l.AddBack(&list.Node[triple]{Value: t})
	}
	return l
}

func show(l *list.List[triple]) {
	var all []triple
	for n := range l.All() {
		all = append(all, n.Value)
	}
	fmt.Println(all)
}

// The updater searches, deletes, and uses the element again once no reader can be on
// it.
func ExampleList_Delete() {
	var (
		mu     sync.Mutex // excludes updaters
		l      = tripleList()
		d      = rcu.NewDomain(rcu.Config{})
		unused = rcu.Pool[list.Node[triple]]{Updater: &d.Updater, New: func() *list.Node[triple] { return new(list.Node[triple]) }}
	)
	defer d.Close()

	reader := d.ReadLock()
	old := l.Next(l.Front()) // it is on {5 6 7}

	mu.Lock()
	for n := range l.All() {
		if n.Value.a == 5 {
			unused.Retire(l.Delete(n)) // does not wait
			break
		}
	}
	mu.Unlock()
	show(l)
	fmt.Println("the reader has", old.Value, "and goes on to", l.Next(old).Value)
	d.ReadUnlock(reader)

	d.Barrier() // or some time later
	n := unused.Get()
	fmt.Println("used again:", n == old)
	n.Value = triple{20, 21, 22}
	mu.Lock()
	l.AddBack(n)
	mu.Unlock()
	show(l)
	// Output:
	// [{1 2 3} {11 4 8}]
	// the reader has {5 6 7} and goes on to {11 4 8}
	// used again: true
	// [{1 2 3} {11 4 8} {20 21 22}]
}

// Read, copy, update: no reader sees half of a change of two fields.
func ExampleList_Replace() {
	l := tripleList()
	d := rcu.NewDomain(rcu.Config{})

	reader := d.ReadLock()
	old := l.Next(l.Front())

	fresh := &list.Node[triple]{Value: old.Value}
	fresh.Value.b, fresh.Value.c = 2, 3
	l.Replace(old, fresh)

	later := d.ReadLock()
	fmt.Println("an old reader sees", old.Value, "then", l.Next(old).Value)
	fmt.Println("a new reader sees", l.Next(l.Front()).Value)
	d.ReadUnlock(later)
	d.ReadUnlock(reader)

	d.Synchronize()
	old.Value = triple{} // no reader sees it
	show(l)
	// Output:
	// an old reader sees {5 6 7} then {11 4 8}
	// a new reader sees {5 2 3}
	// [{1 2 3} {5 2 3} {11 4 8}]
}

// A table says to which controller a virtual machine's interrupt goes. It is read
// for every interrupt, and now and then replaced as a whole. No reader sees half a
// table, and when SynchronizeExpedited returns no interrupt goes by the old one.
func ExampleHList() {
	type route struct{ line, controller, pin int }
	type routes [4]list.HList[route] // by the line's low bits

	table := func(all ...route) *routes {
		t := new(routes)
		for _, r := range all {
			t[r.line%len(t)].AddFront(&list.HNode[route]{Value: r})
		}
		return t
	}
	var current rcu.Pointer[routes]
	d := rcu.NewDomain(rcu.Config{Name: "irq"})

	deliver := func(line int) {
		s := d.ReadLock()
		defer d.ReadUnlock(s)
		t := current.Dereference()
		for n := range t[line%len(t)].All() {
			if r := n.Value; r.line == line {
				fmt.Printf("line %d to controller %d, pin %d\n", line, r.controller, r.pin)
			}
		}
	}

	current.Assign(table(route{1, 0, 17}, route{5, 0, 18}, route{9, 1, 3}))
	deliver(5)
	current.Replace(table(route{1, 0, 17}, route{5, 1, 4}, route{5, 0, 18}))
	d.SynchronizeExpedited()
	deliver(5)
	deliver(9)
	// Output:
	// line 5 to controller 0, pin 18
	// line 5 to controller 0, pin 18
	// line 5 to controller 1, pin 4
}
