package harness

import (
	"fmt"
	"math/bits"

	"github.com/lockbench/lockbench/primitives"
)

// A clock is a time of 128 bits, too wide to be read at once: the timekeeper of a
// kernel, and what seqlocks were made for. Like FreeBSD's struct bintime it is a number
// of seconds and a fraction, in units of 2⁻⁶⁴ s.
//
// A time must be a whole number of ticks, and never before one that the same worker has
// seen; in the end it must be the number of all ticks. Each tick changes both words,
// and each word follows from the other, so a time made of the words of two ticks is
// always noticed.
type clock struct {
	_        pad
	seconds  primitives.Cell[uint64]
	fraction primitives.Cell[uint64]
	_        pad
	slots    slots
}

// A tick is 1.001 s. Its fraction is odd, so a number modulo 2⁶⁴ can be divided by it:
// multiply by inverseFraction.
const (
	tickSeconds     = 1
	tickFraction    = 1<<64/1000 | 1
	inverseFraction = 0x69f959c427e5670f
)

func newClock(workers int, seed uint64) Data {
	return &clock{slots: newSlots(workers, seed)}
}

// Write advances the clock by a tick.
func (c *clock) Write(worker int) {
	seconds, fraction := c.seconds.Get(), c.fraction.Get()
	c.slots.told(worker, seconds, fraction)
	seconds, fraction = tick(seconds, fraction)
	c.seconds.Set(seconds)
	c.fraction.Set(fraction)
	c.slots.ticked(worker)
}

// Read reads the time.
func (c *clock) Read(worker int) { c.slots.told(worker, c.seconds.Get(), c.fraction.Get()) }

func (c *clock) Verify() error { return c.slots.verifyTime(c.seconds.Get(), c.fraction.Get()) }

// An openClock is a clock that can be read while it ticks.
type openClock struct {
	_        pad
	seconds  primitives.Uint64
	fraction primitives.Uint64
	_        pad
	slots    slots
	glances  []glance
}

// A glance is a time that a worker saw.
type glance struct {
	_                 pad
	seconds, fraction uint64
	_                 pad
}

func newOpenClock(workers int, seed uint64) OpenData {
	return &openClock{slots: newSlots(workers, seed), glances: make([]glance, workers)}
}

// Write advances the clock by a tick.
func (c *openClock) Write(worker int) {
	seconds, fraction := c.seconds.Load(), c.fraction.Load()
	c.slots.told(worker, seconds, fraction)
	seconds, fraction = tick(seconds, fraction)
	c.seconds.StoreRelease(seconds)
	c.fraction.StoreRelease(fraction)
	c.slots.ticked(worker)
}

// Look notes the time.
func (c *openClock) Look(worker int) {
	g := &c.glances[worker]
	g.seconds, g.fraction = c.seconds.Load(), c.fraction.Load()
}

// Check checks the time that Look noted.
func (c *openClock) Check(worker int) {
	g := &c.glances[worker]
	c.slots.told(worker, g.seconds, g.fraction)
}

func (c *openClock) Verify() error { return c.slots.verifyTime(c.seconds.Load(), c.fraction.Load()) }

// tick returns the time after another.
func tick(seconds, fraction uint64) (uint64, uint64) {
	fraction, carry := bits.Add64(fraction, tickFraction, 0)
	return seconds + tickSeconds + carry, fraction
}

// ticked notes that a worker advanced the clock.
func (s slots) ticked(worker int) {
	s[worker].seen++
	s[worker].writes++
}

// told notes which time a worker read, and reports the lock as broken if that cannot
// be.
func (s slots) told(worker int, seconds, fraction uint64) {
	slot := &s[worker]
	before := slot.seen
	n, whole := ticks(seconds, fraction)
	if !whole {
		slot.fail(fmt.Sprintf("workload clock, as worker %d tells the time", worker),
			"whole ticks", fmt.Sprintf("a torn time, %d s and %#x", seconds, fraction))
	} else if !slot.sees(n) {
		slot.fail(fmt.Sprintf("workload clock, as worker %d tells the time", worker),
			fmt.Sprintf("%d ticks or more", before), fmt.Sprint(n))
	}
}

// ticks returns how many ticks a time is, and whether that is a whole number.
func ticks(seconds, fraction uint64) (n uint64, whole bool) {
	n = fraction * inverseFraction
	carries, _ := bits.Mul64(n, tickFraction)
	return n, seconds == n*tickSeconds+carries
}

// verifyTime reports what is wrong with the time at the end.
func (s slots) verifyTime(seconds, fraction uint64) error {
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
