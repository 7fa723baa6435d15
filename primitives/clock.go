package primitives

import (
	"runtime"
	"time"
)

// Nanotime returns the monotonic clock in nanoseconds since some fixed point.
// A call costs about 25 ns.
func Nanotime() int64 {
	if e := current(); e != nil {
		return e.Now()
	}
	return nanotime()
}

// Sleep pauses the calling goroutine for at least d.
func Sleep(d time.Duration) {
	if e := current(); e != nil {
		e.Sleep(d)
		return
	}
	time.Sleep(d)
}

// Busy keeps the caller's CPU busy for at least d: that much time passes, and no other
// goroutine gets the CPU. Only an engine in which steps take time lets it pass; under the
// model checker, where they take none, Busy does nothing.
func Busy(d time.Duration) {
	if e := current(); e != nil {
		e.Busy(d)
		return
	}
	for until := nanotime() + int64(d); nanotime() < until; {
	}
}

// After calls f in a goroutine of its own once d has passed, unless stop is
// called first; stop reports whether it came in time.
func After(d time.Duration, f func()) (stop func() bool) {
	if e := current(); e != nil {
		return e.After(d, f)
	}
	return time.AfterFunc(d, f).Stop
}

// Yield lets other goroutines run, if any wait for a CPU. Unlike [GiveWay] it puts the
// caller behind those of all CPUs.
func Yield() {
	if e := current(); e != nil {
		e.Yield()
		return
	}
	runtime.Gosched()
}

// Virtual reports whether an engine runs the caller: then the clock is the engine's, and
// what the operating system says about CPUs, CPU time and memory is about the process
// that runs the engine. In the default build it is false, and the compiler drops the code
// that depends on it.
func Virtual() bool { return current() != nil }

// Go starts f as a new worker.
func Go(f func()) {
	if e := current(); e != nil {
		e.Go(f)
		return
	}
	go f()
}
