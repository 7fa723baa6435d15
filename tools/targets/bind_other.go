//go:build !linux

package main

// onCPU calls f: here threads cannot be bound to CPUs.
func onCPU(_ int, f func()) error {
	f()
	return nil
}
