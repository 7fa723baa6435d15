package rcu

import "github.com/lockbench/lockbench/primitives"

// fenced is true where there is no membarrier, so that readers need a fence of
// their own between announcing themselves and reading.
var fenced = !primitives.CanMembarrier()

// barrier makes all that readers announced before visible to the caller, and
// all that the caller did before visible to what readers read after. Where
// readers are fenced their announcements are visible at once.
func barrier() {
	if !fenced {
		primitives.Membarrier()
	}
}
