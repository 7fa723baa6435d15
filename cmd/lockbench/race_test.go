//go:build race

package main

// racy says that the race detector would see what a broken lock lets happen,
// and fail the test for it.
const racy = true
