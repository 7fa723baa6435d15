package primitives

// Node returns the node of the CPU on which the caller runs. In a machine with several
// nodes (NUMA) a CPU is near the memory and the caches of its own node, and farther from
// those of the others. Nodes are numbered from 0; a machine with one node has node 0.
//
// It is a hint: the caller may run on another node at once, even if it is pinned, because
// the operating system moves threads. The number that [Pin] returns does not say the
// node: it is one of Go's scheduler, which any thread may get, on any CPU. So Node asks the
// operating system which CPU the thread is on, with a system call of some 50 ns, if
// the machine had several nodes when the program began. It can do that on Linux. Elsewhere,
// and where the kernel does not say, Node returns 0, and what depends on it works as on a
// machine with one node.
func Node() int {
	if e := current(); e != nil {
		return e.Node()
	}
	return node()
}
