package harness

import (
	"fmt"
	"math/bits"

	"github.com/lockbench/lockbench/primitives"
)

// A clock is a time of 128 bits, too wide to be read at once, that ticks: the
// timekeeper of a kernel, and what seqlocks were made for. Like FreeBSD's
// struct bintime it is a number of seconds and a fraction, in units of 2⁻⁶⁴ s.
//
// A time must be a whole number of ticks, never before one that the same
// worker has seen, and in the end that of all ticks. Each tick changes both
// words, and from either follows the other, so a time that is put together
// from two is noticed wherever it was torn.
type clock struct {
	_        pad
	seconds  primitives.Cell[uint64]
	fraction primitives.Cell[uint64]
	_        pad
	seats    seats
}

// A tick is 1.001 s. Its fraction is odd, so that one modulo 2⁶⁴ can be divided
// by it: times inverseFraction.
const (
	tickSeconds     = 1
	tickFraction    = 1<<64/1000 | 1
	inverseFraction = 0x69f959c427e5670f
)

func newClock(workers int, seed uint64) Data {
	return &clock{seats: newSeats(workers, seed)}
}

// Write ticks.
func (c *clock) Write(worker int) {
	seconds, fraction := c.seconds.Get(), c.fraction.Get()
	c.seats.told(worker, seconds, fraction)
	seconds, fraction = tick(seconds, fraction)
	c.seconds.Set(seconds)
	c.fraction.Set(fraction)
	c.seats.ticked(worker)
}

// Read tells the time.
func (c *clock) Read(worker int) { c.seats.told(worker, c.seconds.Get(), c.fraction.Get()) }

func (c *clock) Verify() error { return c.seats.verifyTime(c.seconds.Get(), c.fraction.Get()) }

// An openClock is a clock that can be read while it ticks.
type openClock struct {
	_        pad
	seconds  primitives.Uint64
	fraction primitives.Uint64
	_        pad
	seats    seats
	glances  []glance
}

// A glance is a time that a worker saw.
type glance struct {
	_                 pad
	seconds, fraction uint64
	_                 pad
}

func newOpenClock(workers int, seed uint64) OpenData {
	return &openClock{seats: newSeats(workers, seed), glances: make([]glance, workers)}
}

// Write ticks.
func (c *openClock) Write(worker int) {
	seconds, fraction := c.seconds.Load(), c.fraction.Load()
	c.seats.told(worker, seconds, fraction)
	seconds, fraction = tick(seconds, fraction)
	c.seconds.StoreRelease(seconds)
	c.fraction.StoreRelease(fraction)
	c.seats.ticked(worker)
}

// Look looks at the time.
func (c *openClock) Look(worker int) {
	g := &c.glances[worker]
	g.seconds, g.fraction = c.seconds.Load(), c.fraction.Load()
}

// Check tells the time.
func (c *openClock) Check(worker int) {
	g := &c.glances[worker]
	c.seats.told(worker, g.seconds, g.fraction)
}

func (c *openClock) Verify() error { return c.seats.verifyTime(c.seconds.Load(), c.fraction.Load()) }

// tick returns the time after another.
func tick(seconds, fraction uint64) (uint64, uint64) {
	fraction, carry := bits.Add64(fraction, tickFraction, 0)
	return seconds + tickSeconds + carry, fraction
}

// ticked notes that a worker did.
func (s seats) ticked(worker int) {
	s[worker].seen++
	s[worker].writes++
}

// told notes that a worker told the time, and accuses the lock if it is none.
func (s seats) told(worker int, seconds, fraction uint64) {
	seat := &s[worker]
	before := seat.seen
	n, whole := ticks(seconds, fraction)
	if !whole {
		seat.accuse(fmt.Sprintf("workload clock, as worker %d tells the time", worker),
			"whole ticks", fmt.Sprintf("a torn time, %d s and %#x", seconds, fraction))
	} else if !seat.sees(n) {
		seat.accuse(fmt.Sprintf("workload clock, as worker %d tells the time", worker),
			fmt.Sprintf("%d ticks or more", before), fmt.Sprint(n))
	}
}

// ticks returns how many ticks a time is, and whether it is a whole number.
func ticks(seconds, fraction uint64) (n uint64, whole bool) {
	n = fraction * inverseFraction
	carries, _ := bits.Mul64(n, tickFraction)
	return n, seconds == n*tickSeconds+carries
}

// verifyTime reports what is wrong with the time in the end.
func (s seats) verifyTime(seconds, fraction uint64) error {
	writes, err := s.verify()
	if err != nil {
		return err
	}
	switch n, whole := ticks(seconds, fraction); {
	case !whole:
		return lost("clock", "ticks:", writes, writes, "a torn time")
	case n != writes:
		return lost("clock", "ticks:", writes, writes, n)
	}
	return nil
}
