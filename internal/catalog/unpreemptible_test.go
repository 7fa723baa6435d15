//go:build !purego

package catalog_test

// unpreemptible says that Pin disables preemption.
const unpreemptible = true
