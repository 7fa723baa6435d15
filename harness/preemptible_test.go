//go:build purego

package harness

const unpreemptible = false
