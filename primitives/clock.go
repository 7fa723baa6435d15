package primitives

import "time"

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

// After calls f in a goroutine of its own once d has passed, unless stop is
// called first; stop reports whether it came in time.
func After(d time.Duration, f func()) (stop func() bool) {
	if e := current(); e != nil {
		return e.After(d, f)
	}
	return time.AfterFunc(d, f).Stop
}

// Go starts f as a new worker.
func Go(f func()) {
	if e := current(); e != nil {
		e.Go(f)
		return
	}
	go f()
}
