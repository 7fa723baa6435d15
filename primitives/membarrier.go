package primitives

// Where one side of a protocol runs a million times as often as the other, the
// rare side can pay for the fences of both: instead of
//
//	reader: flag.Store(1); data.Load()     writer: data.Store(1); flag.Load()
//
// with a fence in each Store, or neither might see the other, the reader does a
// StoreRelease and the writer calls Membarrier between its two. That is what
// RCU's readers cost little for.

// Membarrier makes each CPU that runs a goroutine of this program go through a
// full memory barrier: all that it stored before is visible to the caller
// afterwards, and its loads after that see what the caller stored before. It
// takes a system call if nothing else of the program runs, and an interrupt to
// each CPU if something does: on the reference machine 1.3 µs and 50 µs, where the
// CPUs are those of a virtual machine. It panics where [CanMembarrier] is false.
func Membarrier() {
	if e := engine(); e != nil {
		e.Membarrier()
		return
	}
	membarrier()
}

// CanMembarrier reports whether the machine has [Membarrier]: Linux since 4.14
// does. Where it has not, the frequent side needs a fence of its own.
func CanMembarrier() bool { return canMembarrier() }
