package list

import (
	"iter"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// An HList is a linked list for hash tables: it has a head of one word, and no
// pointer to its end. The zero HList is empty. An HList must not be copied after
// first use.
//
// [HList.All], [HList.Front] and [HNode.Next] are for readers in a read-side
// critical section, and for updaters. The other methods are for one updater at a
// time.
type HList[T any] struct {
	// first is the first element, or nil.
	//
	// I1: a reader that follows next from an element that was in the list comes to
	// nil, as it comes to root in a List.
	// I2: *n.at of an element n in the list is n.
	// I3: at of an element is nil unless it is in a list. Readers never look at
	// it.
	first rcu.Pointer[HNode[T]]
}

// An HNode is an element of an [HList]. It is in one list at most. It has 16 bytes and
// those of T.
type HNode[T any] struct {
	next rcu.Pointer[HNode[T]]
	at   primitives.Cell[*rcu.Pointer[HNode[T]]] // the link that leads here; only updaters use it

	// Value belongs to the user; see [Node].
	Value T
}

// Front returns the first element, or nil.
func (h *HList[T]) Front() *HNode[T] { return h.first.Dereference() } // acquire: pairs with add and Delete

// Next returns the element after n, or nil. If n was taken out meanwhile, it
// returns an element that came after n.
func (n *HNode[T]) Next() *HNode[T] { return n.next.Dereference() } // acquire: pairs with add and Delete

// All returns the elements, from the front. An updater may take out the element
// that it is at.
func (h *HList[T]) All() iter.Seq[*HNode[T]] {
	return func(yield func(*HNode[T]) bool) {
		for n := h.Front(); n != nil; n = n.Next() {
			if !yield(n) {
				return
			}
		}
	}
}

// AddFront puts n before all others. It panics if n is in a list.
func (h *HList[T]) AddFront(n *HNode[T]) { n.add(&h.first, h.first.Access()) }

// AddAfter puts n after at. It panics if n is in a list, or at is not.
func (h *HList[T]) AddAfter(at, n *HNode[T]) {
	at.mustBeIn("AddAfter")
	n.add(&at.next, at.next.Access())
}

func (n *HNode[T]) add(at *rcu.Pointer[HNode[T]], next *HNode[T]) {
	if n.at.Get() != nil {
		panic("list: Add of an HNode that is in an HList")
	}
	n.at.Set(at)
	n.next.Assign(next) // before n is published: by I1
	if next != nil {
		next.at.Set(&n.next)
	}
	at.Assign(n) // release: pairs with Front and Next; publishes Value and next
}

// Delete takes n out and returns it, for the caller to retire. It panics if n is
// in no list.
func (h *HList[T]) Delete(n *HNode[T]) *HNode[T] {
	n.mustBeIn("Delete")
	at, next := n.at.Get(), n.next.Access()
	if next != nil {
		next.at.Set(at)
	}
	at.Assign(next) // release: pairs with Front and Next
	n.at.Set(nil)   // but not next: I1
	return n
}

// Replace puts n in the place of old, and returns old for the caller to retire. It
// panics if n is in a list, or old is not.
func (h *HList[T]) Replace(old, n *HNode[T]) *HNode[T] {
	old.mustBeIn("Replace")
	n.add(old.at.Get(), old.next.Access()) // one store for readers: to n instead of old
	old.at.Set(nil)                        // but not next: I1
	return old
}

func (n *HNode[T]) mustBeIn(method string) {
	if n.at.Get() == nil {
		panic("list: " + method + " of an HNode that is in no HList")
	}
}
