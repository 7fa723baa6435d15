package harness

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

const hasAffinity = true

// allowedCPUs returns the numbers of the CPUs that the calling thread may use.
func allowedCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("reading the thread's CPUs: %w", err)
	}
	all := make([]int, set.Count())
	for i := range all {
		all[i] = nthCPU(&set, i)
	}
	return all, nil
}

// bind locks the calling goroutine to its thread, and that thread to the i'th of cpus
// or, if there are none, of the CPUs that the process may use, modulo how many there
// are. restore undoes both.
func bind(i int, cpus []int) (restore func(), err error) {
	var all, one unix.CPUSet
	runtime.LockOSThread()
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("reading the thread's CPUs: %w", err)
	}
	if len(cpus) > 0 {
		one.Set(cpus[i%len(cpus)])
	} else {
		one.Set(nthCPU(&all, i%all.Count()))
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		runtime.UnlockOSThread()
		return nil, fmt.Errorf("binding a thread to a CPU: %w", err)
	}
	return func() {
		// A thread whose mask cannot be restored must not be used again: it stays
		// locked, so it ends with its goroutine.
		if unix.SchedSetaffinity(0, &all) == nil {
			runtime.UnlockOSThread()
		}
	}, nil
}

// nthCPU returns the number of the n'th CPU in set, from 0. The set must have that
// many.
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
