//go:build !purego

package harness

// unpreemptible says that Pin disables preemption.
const unpreemptible = true
