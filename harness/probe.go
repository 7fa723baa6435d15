package harness

import (
	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// probe returns the round trip between two CPUs. The distance is Local if s keeps no
// two CPUs busy, and Unknown if the two did not run at the same time in several tries.
//
// Under an engine it is Unknown, too: CPUs keep their distances, of which the workers have
// all, and the two that a probe happens to get say nothing about a sample.
//
// In Thread mode the CPUs are those of the first two workers.
func probe(s Scenario) (pingpong.Trip, error) {
	switch {
	case primitives.Virtual():
		return pingpong.Trip{}, nil
	case s.realCPUs() < 2 || s.Workers < 2:
		return pingpong.Trip{Distance: results.Local}, nil
	case s.Mode == Thread:
		return pingpong.Probe(onCPU(s.order))
	}
	return pingpong.Probe(nil)
}

// OnCPU calls f on the CPU with that number, which must be one that the process may use:
// [Place.Order] has their numbers. The error is that of binding a thread to a CPU, which
// only Linux can.
func OnCPU(number int, f func()) error { return onCPU([]int{number})(0, f) }

// onCPU returns a function that calls f bound to the i'th of cpus, or of all CPUs if
// cpus is empty.
func onCPU(cpus []int) func(i int, f func()) error {
	return func(i int, f func()) error {
		restore, err := bind(i, cpus)
		if err != nil {
			return err
		}
		defer restore()
		f()
		return nil
	}
}
