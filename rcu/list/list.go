package list

import (
	"iter"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// A List is a doubly linked list. The zero List is empty. A List must not be
// copied after first use.
//
// [List.All], [List.Front] and [List.Next] are for readers in a read-side
// critical section, and for updaters. The other methods are for one updater at a
// time: updaters hold a lock, or there is only one.
type List[T any] struct {
	// root is the element between the last and the first; it has no Value. Its
	// links are nil until the first Add.
	//
	// I1: a reader that follows next from an element that was in the list, and may
	// be out now, comes to root. A link leads to an element that was in the list at
	// the same time. An element that is taken out keeps its link, which leads to an
	// element that is taken out later, or never.
	// I2: next.prev of an element in the list is the element.
	// I3: prev of an element is nil unless it is in a list. Readers never look
	// at prev.
	root Node[T]
}

// A Node is an element of a [List]. It is in one list at most. It has 16 bytes and those of
// T.
type Node[T any] struct {
	next rcu.Pointer[Node[T]]
	prev primitives.Cell[*Node[T]] // only updaters use it

	// Value belongs to the user. If the user changes it while readers may be on
	// the element, it must be safe for them to read it meanwhile.
	Value T
}

// Front returns the first element, or nil.
func (l *List[T]) Front() *Node[T] { return l.Next(&l.root) }

// Next returns the element after n, or nil. If n was taken out meanwhile, it
// returns an element that came after n.
func (l *List[T]) Next(n *Node[T]) *Node[T] {
	next := n.next.Dereference() // acquire: pairs with add and Delete
	if next == &l.root {
		return nil
	}
	return next
}

// All returns the elements, from the front. An updater may take out the element
// that it is at.
func (l *List[T]) All() iter.Seq[*Node[T]] {
	return func(yield func(*Node[T]) bool) {
		for n := l.Front(); n != nil; n = l.Next(n) {
			if !yield(n) {
				return
			}
		}
	}
}

// AddFront puts n before all others. It panics if n is in a list.
func (l *List[T]) AddFront(n *Node[T]) { l.AddAfter(l.start(), n) }

// AddBack puts n after all others. It panics if n is in a list.
func (l *List[T]) AddBack(n *Node[T]) { l.AddBefore(l.start(), n) }

// AddAfter puts n after at. It panics if n is in a list, or at is not.
func (l *List[T]) AddAfter(at, n *Node[T]) {
	at.mustBeIn("AddAfter")
	n.add(at, at.next.Access())
}

// AddBefore puts n before at. It panics if n is in a list, or at is not.
func (l *List[T]) AddBefore(at, n *Node[T]) {
	at.mustBeIn("AddBefore")
	n.add(at.prev.Get(), at)
}

// start returns root, linked.
func (l *List[T]) start() *Node[T] {
	if l.root.prev.Get() == nil {
		l.root.prev.Set(&l.root)
		l.root.next.Assign(&l.root)
	}
	return &l.root
}

// add puts n between two elements, for readers and updaters.
func (n *Node[T]) add(prev, next *Node[T]) {
	if n.prev.Get() != nil {
		panic("list: Add of a Node that is in a List")
	}
	n.prev.Set(prev)
	n.next.Assign(next) // before n is published: by I1
	next.prev.Set(n)
	prev.next.Assign(n) // release: pairs with Next; publishes Value and next
}

// Delete takes n out and returns it, for the caller to retire, for example to a
// [rcu.Pool] or by [rcu.Updater.Call]. It panics if n is in no list.
func (l *List[T]) Delete(n *Node[T]) *Node[T] {
	n.mustBeIn("Delete")
	prev, next := n.prev.Get(), n.next.Access()
	next.prev.Set(prev)
	prev.next.Assign(next) // release: pairs with Next
	n.prev.Set(nil)        // but not next: I1
	return n
}

// Replace puts n in the place of old, and returns old for the caller to retire. It
// panics if n is in a list, or old is not.
func (l *List[T]) Replace(old, n *Node[T]) *Node[T] {
	old.mustBeIn("Replace")
	n.add(old.prev.Get(), old.next.Access()) // one store for readers: to n instead of old
	old.prev.Set(nil)                        // but not next: I1
	return old
}

func (n *Node[T]) mustBeIn(method string) {
	if n.prev.Get() == nil {
		panic("list: " + method + " of a Node that is in no List")
	}
}
