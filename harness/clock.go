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
	seconds, fraction := c.time(worker)
	fraction, carry := bits.Add64(fraction, tickFraction, 0)
	c.seconds.Set(seconds + tickSeconds + carry)
	c.fraction.Set(fraction)
	c.seats[worker].seen++
	c.seats[worker].writes++
}

// Read tells the time.
func (c *clock) Read(worker int) { c.time(worker) }

func (c *clock) time(worker int) (seconds, fraction uint64) {
	seconds, fraction = c.seconds.Get(), c.fraction.Get()
	s := &c.seats[worker]
	before := s.seen
	n, whole := ticks(seconds, fraction)
	if !whole {
		s.accuse(fmt.Sprintf("workload clock, as worker %d tells the time", worker),
			"whole ticks", fmt.Sprintf("a torn time, %d s and %#x", seconds, fraction))
	} else if !s.sees(n) {
		s.accuse(fmt.Sprintf("workload clock, as worker %d tells the time", worker),
			fmt.Sprintf("%d ticks or more", before), fmt.Sprint(n))
	}
	return seconds, fraction
}

// ticks returns how many ticks a time is, and whether it is a whole number.
func ticks(seconds, fraction uint64) (n uint64, whole bool) {
	n = fraction * inverseFraction
	carries, _ := bits.Mul64(n, tickFraction)
	return n, seconds == n*tickSeconds+carries
}

func (c *clock) Verify() error {
	writes, err := c.seats.verify()
	if err != nil {
		return err
	}
	switch n, whole := ticks(c.seconds.Get(), c.fraction.Get()); {
	case !whole:
		return lost("clock", "ticks:", writes, writes, "a torn time")
	case n != writes:
		return lost("clock", "ticks:", writes, writes, n)
	}
	return nil
}
