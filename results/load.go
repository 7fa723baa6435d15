package results

import (
	"cmp"
	"strconv"
	"strings"
)

// perSecond ends the Load of a cell that is a rate: "100k-per-s".
const perSecond = "-per-s"

// Open reports whether operations arrive on a schedule, and do not wait for
// those before them to end.
func (c Cell) Open() bool { return c.Load != "" }

// Arrivals returns the number that c's Load says: a share of what the lock
// reaches, or operations in a second. ok is false if it says none, as that of a
// closed loop.
func (c Cell) Arrivals() (number float64, rate, ok bool) {
	text, rate := strings.CutSuffix(c.Load, perSecond)
	times := 1.0
	if rate {
		if t, ok := strings.CutSuffix(text, "k"); ok {
			text, times = t, 1e3
		} else if t, ok := strings.CutSuffix(text, "M"); ok {
			text, times = t, 1e6
		}
	}
	number, err := strconv.ParseFloat(text, 64)
	return number * times, rate, err == nil && number > 0
}

// LoadWords returns how operations arrive, in words; "" if the loop is closed.
func (c Cell) LoadWords() string {
	switch text, rate := strings.CutSuffix(c.Load, perSecond); {
	case rate:
		return text + " arrivals/s"
	case c.Open():
		return "load " + c.Load
	}
	return ""
}

// compareLoads orders loads by their numbers, shares before rates.
func compareLoads(c, d Cell) int {
	a, aRate, _ := c.Arrivals()
	b, bRate, _ := d.Arrivals()
	return cmp.Or(compareBool(aRate, bRate), cmp.Compare(a, b), cmp.Compare(c.Load, d.Load))
}

// ranking returns the unit by which locks are ranked in c: ns/op, or in an open
// loop, where that only says how fast operations arrive, the 99th percentile of
// the writers' time to acquire; of the readers' if there are no writers.
func (c Cell) ranking() string {
	switch {
	case !c.Open():
		return "ns/op"
	case c.Reads == 100:
		return "read-p99-ns"
	}
	return "write-p99-ns"
}

// Saturated reports whether s says that in an open loop operations arrived faster
// than they were served, in at least half of the samples.
func (s Summary) Saturated() bool { return s.Unit == "saturated" && s.Median >= .5 }
