package results

import (
	"cmp"
	"strconv"
	"strings"
)

// perSecond ends the Load of a cell that is a rate: "100k-per-s".
const perSecond = "-per-s"

// Open reports whether operations arrive on a schedule, independent of when earlier
// ones end.
func (c Cell) Open() bool { return c.Load != "" }

// Arrivals returns the number in c's Load: a share of what the lock reaches, or
// operations in a second. ok is false if it has none, as in a closed loop.
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

// rankings returns the units by which locks are ranked in c, one for each role if
// workers have roles: ns/op or, in an open loop, where ns/op only says how fast
// operations arrive, the 99th percentile of the time to acquire, that of the writers if
// there are any.
func (c Cell) rankings() []string {
	unit := "ns/op"
	if c.Open() {
		unit = "p99-ns"
	}
	var units []string
	switch {
	case c.Roles():
		if c.Readers > 0 {
			units = append(units, "read-"+unit)
		}
		if c.Writers > 0 {
			units = append(units, "write-"+unit)
		}
	case !c.Open():
		units = []string{unit}
	case c.Reads == 100:
		units = []string{"read-" + unit}
	default:
		units = []string{"write-" + unit}
	}
	return units
}

// Saturated reports whether, in at least half of the samples of an open loop,
// operations arrived faster than they were served.
func (s Summary) Saturated() bool { return s.Unit == "saturated" && s.Median >= .5 }
