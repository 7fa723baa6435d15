//go:build purego

package catalog_test

const unpreemptible = false
