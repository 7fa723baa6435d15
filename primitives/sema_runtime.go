//go:build !purego

package primitives

// A sema is the semaphore on which a parked goroutine sleeps: the runtime's, which
// can hand over the CPU together with the wake-up.
type sema struct{ count uint32 }

func (s *sema) sleep() { runtime_Semacquire(&s.count) }

func (s *sema) wake(handoff bool) { runtime_Semrelease(&s.count, handoff, 2) }
