package primitives

// If one side of a protocol runs a million times as often as the other, the rare side
// can pay for the fences of both. In
//
//	reader: flag.Store(1); data.Load()     writer: data.Store(1); flag.Load()
//
// each Store must be a fence; otherwise neither might see the other. Instead the
// reader can do a StoreRelease, and the writer call Membarrier between its Store and
// its Load. That is why RCU's readers cost little.

// Membarrier makes each CPU that runs a goroutine of this program execute a full
// memory barrier: the caller then sees all that these CPUs stored before it, and their
// later loads see all that the caller stored before. It takes a system call if no
// other goroutine of the program runs, and otherwise an interrupt to each CPU that
// runs one: 1.3 µs and 50 µs on the reference machine, a virtual one. It panics if
// [CanMembarrier] is false.
func Membarrier() {
	if e := current(); e != nil {
		e.Membarrier()
		return
	}
	membarrier()
}

// CanMembarrier reports whether the machine has [Membarrier], as Linux has since
// 4.14. If it does not, the frequent side must execute a fence.
func CanMembarrier() bool { return canMembarrier() }
