package primitives

import (
	"runtime"
	"time"
)

// A Spin paces one wait. The zero Spin is ready for use, for one wait:
//
//	var spin primitives.Spin
//	for word.Load() != mine {
//		spin.Once()
//	}
//
// It pauses in growing bursts for as long as that can pay, and lets others run when it
// cannot: when goroutines wait to run on this CPU, when no other CPU runs a goroutine
// that could release the lock, or when the wait has outlasted the cost of a reschedule.
// In the last case, if no goroutine wants this CPU, it offers the CPU to other threads:
// the thread of the holder, or of the next in line, may wait for a CPU that waiters
// keep.
type Spin struct {
	// Pinned says that the waiter holds [Pin]: it pauses, and never yields.
	Pinned bool

	// InLine says that the waiter has a place in line, which it keeps while others
	// run. It then yields only to the goroutines of its CPU, which is several times
	// quicker. For a lock that any waiter may take, that would starve waiters on other
	// CPUs, and some on this one.
	InLine bool

	burst int32 // length of the next burst, in ns; 0 at first
	spent int32 // length of all bursts so far, in ns
}

const (
	firstBurst = 25  // ns: one PAUSE on most chips
	lastBurst  = 200 // ns: a longer one would notice the release too late
)

// Once waits a little: it pauses if that can pay, and yields otherwise. A waiter that is
// not in line also yields at the beginning of one wait in 64: a CPU whose goroutines do
// not yield does not take goroutines from other CPUs.
func (s *Spin) Once() {
	if e := current(); e != nil {
		e.Wait(s.Pinned, s.next())
		return
	}
	if s.burst == 0 && !s.InLine && !s.Pinned && oneIn64() {
		runtime.Gosched()
	}
	if !s.Try() {
		s.yield()
	}
}

// yieldThread is osYield, except in tests, which count the calls.
var yieldThread = osYield

func (s *Spin) yield() {
	if s.InLine {
		yieldHere()
	} else {
		runtime.Gosched()
	}
	if s.spent > budget && canSpin() { // long, and no goroutine wants this CPU
		yieldThread()
	}
}

// Try pauses if that can pay, and reports whether it did. A waiter that can
// park does so when Try says false.
func (s *Spin) Try() bool {
	return s.TryFor(s.next())
}

// next returns how long the next burst is.
func (s *Spin) next() time.Duration {
	s.burst = min(max(2*s.burst, firstBurst), lastBurst)
	return time.Duration(s.burst)
}

// OnceFor is [Spin.Once] with a pause of about d, for a waiter that knows how
// long it should stay away from the lock.
func (s *Spin) OnceFor(d time.Duration) {
	if e := current(); e != nil {
		e.Wait(s.Pinned, d)
		return
	}
	if !s.TryFor(d) {
		s.yield()
	}
}

// TryFor is [Spin.Try] with a pause of about d, but of at most 10 ms.
func (s *Spin) TryFor(d time.Duration) bool {
	if e := current(); e != nil {
		if s.Pinned {
			e.Wait(true, d)
			return true
		}
		s.spent++ // counts the tries: an engine adds up the nanoseconds
		return e.Try(int(s.spent-1), d)
	}
	d = min(max(d, 0), time.Duration(stalls)) // spent has room for it
	if s.Pinned && PinExcludes {
		pause(pauses(d))
		if s.spent += int32(d); s.spent > stalls {
			s.spent = 0
			noteStall()
		}
		return true
	}
	if s.spent > budget || !canSpin() {
		return false
	}
	pause(pauses(d))
	s.spent += int32(d)
	return true
}

// Doze is [Spin.Once] for long waits that no wake-up ends: it pauses if that can pay,
// and sleeps for about d otherwise.
func (s *Spin) Doze(d time.Duration) {
	if e := current(); e != nil {
		e.Wait(s.Pinned, s.next())
		return
	}
	if !s.Try() {
		time.Sleep(d)
	}
}

// Delay is [Spin.OnceFor] for a caller that only waits for time to pass. Under an engine
// in which steps take no time it does nothing.
func (s *Spin) Delay(d time.Duration) {
	if e := current(); e != nil {
		e.Pause(d)
		return
	}
	s.OnceFor(d)
}

// Pause pauses for about d, whatever happens meanwhile, if spinning can pay: another CPU
// runs a goroutine, and no goroutine waits to run on this one. It reports whether that is
// so; a d of 0 asks without a pause. It is for a fixed number of pauses: a caller that
// waits for a word to change has a [Spin].
func Pause(d time.Duration) bool {
	if e := current(); e != nil {
		return e.Pause(d)
	}
	if !canSpin() {
		return false
	}
	if d > 0 {
		pause(pauses(d))
	}
	return true
}

// GiveWay lets the goroutines that wait to run on this CPU go first, if there are any. A
// releaser that knows of waiters calls it when it cannot hand the CPU to them directly.
// Otherwise it would come back, find the lock held by a goroutine that waits for this
// CPU, and join the queue, which would not drain.
func GiveWay() {
	if e := current(); e != nil {
		e.Yield()
		return
	}
	if !canSpin() {
		yieldHere()
	}
}

// pausesPerBlock is how many pauses take 1,024 ns, or 0 until measured.
var pausesPerBlock Uint32

// pauses returns the number of pauses, at least one, that take about d.
func pauses(d time.Duration) uint32 {
	n := pausesPerBlock.Load()
	if n == 0 {
		n = calibrate()
	}
	return uint32(int64(d)*int64(n)>>10) + 1
}

// calibrate measures what a pause costs (4 to 140 cycles by chip), in some
// 15 µs. The fastest of a few runs is the one that was not interrupted.
func calibrate() uint32 {
	best := int64(1 << 40)
	for range 8 {
		began := nanotime()
		pause(calibrationPauses)
		best = min(best, nanotime()-began)
	}
	n := max(1, uint32(calibrationPauses<<10/max(best, 1)))
	pausesPerBlock.Store(n)
	return n
}
