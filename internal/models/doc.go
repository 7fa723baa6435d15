// Package models has models of Go's own locks. These take no step of package primitives,
// so no engine can run them; a model is written against it, from what Go documents and
// from what its source does in each state, and stands in for the lock where an engine
// runs. It says what such a lock does on other machines, not what Go's lock costs here: on
// the host, use Go's.
//
// # Files, in order
//
// sema.go models the semaphore of Go's runtime on which goroutines sleep, mutex.go
// sync.Mutex above it, and rwmutex.go sync.RWMutex.
//
// # What is left out
//
// The semaphores of the runtime share 251 queues, by their addresses; here each has its
// own. The race detector, traces and profiles are not there.
package models
