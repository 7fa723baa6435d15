//go:build race

package catalog_test

// racy says that the race detector would see the races of a broken lock, and fail the
// test.
const racy = true
