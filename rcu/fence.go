package rcu

import "github.com/lockbench/lockbench/primitives"

// fenced is true on systems without membarrier: readers then need a fence between
// announcing themselves and reading.
var fenced = !primitives.CanMembarrier()

// barrier makes earlier announcements of readers visible to the caller, and the
// caller's earlier stores visible to readers that announce themselves later. If
// readers are fenced, their announcements are visible at once.
func barrier() {
	if !fenced {
		primitives.Membarrier()
	}
}
