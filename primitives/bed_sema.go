//go:build !purego

package primitives

// A bed is what a parked goroutine sleeps on: the runtime's semaphore, which
// can hand over the CPU together with the wake-up.
type bed struct{ sema uint32 }

func (b *bed) sleep() { runtime_Semacquire(&b.sema) }

func (b *bed) rouse(handoff bool) { runtime_Semrelease(&b.sema, handoff, 2) }
