package rcu

import "github.com/lockbench/lockbench/primitives"

// A Pointer is a pointer that readers follow while updaters change it. The zero
// Pointer is nil. A Pointer must not be copied after first use.
type Pointer[T any] struct{ p primitives.Pointer[T] }

// Dereference returns the pointer, in a read-side critical section, and what it
// points to stays as it is until the section ends: rcu_dereference.
func (p *Pointer[T]) Dereference() *T { return p.p.Load() }

// Assign publishes val: who dereferences it sees what was stored in it before.
// It is rcu_assign_pointer.
func (p *Pointer[T]) Assign(val *T) { p.p.StoreRelease(val) }

// Replace is Assign that returns what the pointer was, for its caller to
// retire. Of several updaters each gets another.
func (p *Pointer[T]) Replace(val *T) (old *T) { return p.p.Swap(val) }

// Access returns the pointer for its value alone: it may be compared, outside
// of sections too, and must not be followed, but by who keeps updaters out. It
// is rcu_access_pointer.
func (p *Pointer[T]) Access() *T { return p.p.Load() }
