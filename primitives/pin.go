//go:build !virtual

package primitives

// Pin disables preemption of the calling goroutine and returns the CPU it
// runs on: a number in [0, GOMAXPROCS). Until [Unpin] the goroutine keeps
// that CPU, no other runs on it, and the collector cannot stop the world.
// Pin nests. The pair costs 2.2 ns.
//
// A pinned goroutine must not block: no channel operation, no sync.Mutex, no
// I/O, and nothing long. The runtime throws if it does, and a panic in a pinned
// section is fatal: it cannot be recovered. Under the model checker the functions of
// this package that could block fail in a pinned section.
//
// Under the tag purego, Pin cannot disable preemption: it returns some CPU number, and
// two goroutines may hold the same one at once. Data for each CPU must therefore be
// updated atomically.
func Pin() int { return pin() }

// Unpin undoes one [Pin] that the same goroutine has called.
func Unpin() { unpin() }
