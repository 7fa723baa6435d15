package harness

import (
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// What is in this file is about the process and the machine that it runs on, and is the
// same for all runs. It uses package sync, which no engine knows: under an engine the
// calibrations are not used, and nothing waits for the mutex, because one run is measured
// at a time.

// machine is held while a run or a torture uses the machine.
var machine sync.Mutex

// setUp gives the process the CPUs that s asks for. restore takes them back.
//
// If sections are pinned there is one CPU more, for the supervisor, and the collector
// is off, since it would have to wait for pinned workers.
func setUp(s Scenario) (restore func(error)) {
	cpus, collect := s.CPUs, 0
	restoreGC := func() {}
	if !s.pins() {
		restoreGC = s.GC.set()
	}
	if s.pins() {
		collect = debug.SetGCPercent(-1)
		if canStandBy {
			cpus++
		}
	}
	cpus = runtime.GOMAXPROCS(cpus)
	return func(err error) {
		if !s.pins() {
			restoreGC()
			runtime.GOMAXPROCS(cpus)
			return
		}
		if stuck := (*StuckError)(nil); errors.As(err, &stuck) {
			return // both would wait for the workers that are stuck
		}
		debug.SetGCPercent(collect)
		runtime.GOMAXPROCS(cpus)
	}
}

// realCPUs returns how many CPUs there are for s. An engine has as many as s asks for.
func (s Scenario) realCPUs() int {
	if primitives.Virtual() {
		return s.CPUs
	}
	return min(s.CPUs, runtime.NumCPU())
}

// usedCPU returns the CPU time of the process so far. Under an engine it says nothing
// about the workers, and is not known.
func usedCPU() (t time.Duration, ok bool) {
	if primitives.Virtual() {
		return 0, false
	}
	return cpuTime()
}

// clockCost is the time between two consecutive reads of the clock, in nanoseconds: the
// part of a measured time that the measuring itself took.
func clockCost() int64 {
	if primitives.Virtual() {
		return timeClock(1)
	}
	return hostClockCost()
}

var hostClockCost = sync.OnceValue(func() int64 { return timeClock(101) })

// timeClock returns the median of so many times between two reads of the clock.
func timeClock(times int) int64 {
	apart := make([]int64, times)
	for i := range apart {
		began := primitives.Nanotime()
		apart[i] = primitives.Nanotime() - began
	}
	slices.Sort(apart)
	return apart[len(apart)/2]
}

// stepsPerNanosecond is measured once in a process for each kind of work, in about half
// a millisecond, or a few. The fastest of many runs is the one that nothing interrupted.
var stepsPerNanosecond = [...]func() float64{
	Registers:  sync.OnceValue(func() float64 { return pace(nil) }),
	MemoryL1:   sync.OnceValue(func() float64 { return pace(MemoryL1.newBuffer()) }),
	MemoryL2:   sync.OnceValue(func() float64 { return pace(MemoryL2.newBuffer()) }),
	Serialized: sync.OnceValue(func() float64 { return pace(nil) }),
}

func pace(buffer []uint64) float64 {
	const n = 10_000
	best := int64(math.MaxInt64)
	x := uint64(1)
	for range 50 {
		began := primitives.Nanotime()
		if buffer == nil {
			x = work(n, x)
		} else {
			x = workIn(buffer, n, x)
		}
		best = min(best, primitives.Nanotime()-began)
	}
	if x == 0 { // keeps x alive; a full-period generator does get there, but not today
		best++
	}
	return n / float64(max(best, 1))
}
