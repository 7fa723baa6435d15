package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// onCPU calls f on the i'th of the CPUs that the process may use, modulo how many there
// are.
func onCPU(i int, f func()) error {
	var all, one unix.CPUSet
	runtime.LockOSThread()
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	cpu := 0
	for i %= all.Count(); ; cpu++ {
		if all.IsSet(cpu) {
			if i == 0 {
				break
			}
			i--
		}
	}
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	f()
	err := unix.SchedSetaffinity(0, &all)
	if err == nil { // otherwise the thread ends with its goroutine
		runtime.UnlockOSThread()
	}
	return err
}
