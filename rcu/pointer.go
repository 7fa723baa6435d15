package rcu

import "github.com/lockbench/lockbench/primitives"

// A Pointer is a pointer that readers follow while updaters change it. The zero
// Pointer is nil. A Pointer must not be copied after first use.
type Pointer[T any] struct{ p primitives.Pointer[T] }

// Dereference returns the pointer, in a read-side critical section. What it points
// to is not used again until the section ends. It is rcu_dereference.
func (p *Pointer[T]) Dereference() *T { return p.p.Load() }

// Assign publishes val: a reader that dereferences it sees what was stored in it
// before. It is rcu_assign_pointer.
func (p *Pointer[T]) Assign(val *T) { p.p.StoreRelease(val) }

// Replace is Assign that returns the previous pointer, for the caller to retire.
// Several updaters get different ones.
func (p *Pointer[T]) Replace(val *T) (old *T) { return p.p.Swap(val) }

// Access returns the pointer for comparison, also outside of sections. Only a
// caller that excludes updaters may follow it. It is rcu_access_pointer.
func (p *Pointer[T]) Access() *T { return p.p.Load() }
