package list_test

import (
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu/list"
)

// A lister is a List or an HList whose elements hold numbers, for the tests of
// both. An element that is not there is nil.
type lister interface {
	// element returns an element that is in no list.
	element(v int) element
	addFront(n element)
	addBack(n element)
	addAfter(at, n element)
	addBefore(at, n element)
	remove(n element) element
	replace(old, n element) element
	each(f func(n element) bool)
	check() error
}

// An element is a *Node or an *HNode.
type element interface{ value() *primitives.Cell[int] }

var listers = []struct {
	name  string
	fresh func() lister
}{
	{"List", func() lister { return new(double) }},
	{"HList", func() lister { return new(single) }},
}

type (
	double struct {
		list.List[primitives.Cell[int]]
	}
	node struct {
		*list.Node[primitives.Cell[int]]
	}
)

func (n node) value() *primitives.Cell[int] { return &n.Value }

func (d *double) element(v int) element {
	n := new(list.Node[primitives.Cell[int]])
	n.Value.Set(v)
	return node{n}
}
func (d *double) addFront(n element)       { d.AddFront(n.(node).Node) }
func (d *double) addBack(n element)        { d.AddBack(n.(node).Node) }
func (d *double) addAfter(at, n element)   { d.AddAfter(at.(node).Node, n.(node).Node) }
func (d *double) addBefore(at, n element)  { d.AddBefore(at.(node).Node, n.(node).Node) }
func (d *double) remove(n element) element { return node{d.Delete(n.(node).Node)} }
func (d *double) replace(old, n element) element {
	return node{d.Replace(old.(node).Node, n.(node).Node)}
}
func (d *double) check() error { return d.Check() }
func (d *double) each(f func(n element) bool) {
	for n := range d.All() {
		if !f(node{n}) {
			return
		}
	}
}

type (
	single struct {
		list.HList[primitives.Cell[int]]
	}
	hnode struct {
		*list.HNode[primitives.Cell[int]]
	}
)

func (n hnode) value() *primitives.Cell[int] { return &n.Value }

func (s *single) element(v int) element {
	n := new(list.HNode[primitives.Cell[int]])
	n.Value.Set(v)
	return hnode{n}
}
func (s *single) addFront(n element)     { s.AddFront(n.(hnode).HNode) }
func (s *single) addAfter(at, n element) { s.AddAfter(at.(hnode).HNode, n.(hnode).HNode) }

// addBack goes to the end. An HList has no such method.
func (s *single) addBack(n element) { s.addBefore(nil, n) }

// addBefore goes to the element before. An HList has no such method.
func (s *single) addBefore(at, n element) {
	var prev *list.HNode[primitives.Cell[int]]
	for m := range s.All() {
		if (hnode{m}) == at {
			break
		}
		prev = m
	}
	if prev == nil {
		s.AddFront(n.(hnode).HNode)
	} else {
		s.AddAfter(prev, n.(hnode).HNode)
	}
}
func (s *single) remove(n element) element { return hnode{s.Delete(n.(hnode).HNode)} }
func (s *single) replace(old, n element) element {
	return hnode{s.Replace(old.(hnode).HNode, n.(hnode).HNode)}
}
func (s *single) check() error { return s.Check() }
func (s *single) each(f func(n element) bool) {
	for n := range s.All() {
		if !f(hnode{n}) {
			return
		}
	}
}

// values returns the values in l.
func values(l lister) (all []int) {
	l.each(func(n element) bool {
		all = append(all, n.value().Get())
		return true
	})
	return all
}
