//go:build !race

package catalog_test

const racy = false
