//go:build !race

package harness

const racy = false
