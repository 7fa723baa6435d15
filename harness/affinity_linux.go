package harness

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

const hasAffinity = true

// bind locks the calling goroutine to its thread, and that thread to the
// i'th of the CPUs that the process may use, counted around if there are
// fewer. restore undoes both.
func bind(i int) (restore func(), err error) {
	var all, one unix.CPUSet
	runtime.LockOSThread()
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("reading the thread's CPUs: %w", err)
	}
	one.Set(nthCPU(&all, i%all.Count()))
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("binding a thread to a CPU: %w", err)
	}
	return func() {
		// A thread that keeps a wrong mask must not be used again. It ends
		// with its goroutine, unless that unlocks it.
		if unix.SchedSetaffinity(0, &all) == nil {
			runtime.UnlockOSThread()
		}
	}, nil
}

// nthCPU returns the number of the n'th CPU in set, from 0. There must be one.
func nthCPU(set *unix.CPUSet, n int) int {
	for cpu := 0; ; cpu++ {
		if set.IsSet(cpu) {
			if n == 0 {
				return cpu
			}
			n--
		}
	}
}
