//go:build race

package catalog_test

// racy says that the race detector would see what a broken lock lets happen,
// and fail the test for it.
const racy = true
