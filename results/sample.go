package results

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Sample is one measurement of one cell: one benchmark line of a file, together with
// the state of the machine.
type Sample struct {
	Cell

	// Round counts the passes over the sweep, from 1. Samples of one round
	// were measured near each other in time, so they make fair pairs; see
	// [Ratios]. 0 is unknown: the output of go test has no rounds.
	Round int

	// Fork says which process measured it, from 1: see [Spreads]. 0 is the one that
	// wrote the file.
	Fork int

	// Distance says how far apart the CPUs were while the sample was taken.
	Distance Distance

	// Oversubscribed is set if the machine has fewer CPUs than the cell.
	Oversubscribed bool

	Ops    int // operations of all workers
	Values []Value
	Waits  []Wait // at most one of each role
}

// A Value is one number that a sample measured.
type Value struct {
	Unit  string // such as "ns/op"; see [Units]
	Value float64
}

// A Distance says how far apart the CPUs of a sample were, by the round trip
// of a cache line between them just before and just after it.
type Distance string

// The distances, in the order in which tables show them.
const (
	Local Distance = "local" // one CPU: nothing travels
	Near  Distance = "near"  // the round trip was short both times
	Far   Distance = "far"   // the round trip was long both times
	Mixed Distance = "mixed" // the distance changed in between
	// Unknown means that the distance was not measured: the file does not
	// say, or the probe got no answer because the machine was busy.
	Unknown Distance = ""
)

var distances = []Distance{Local, Near, Far, Mixed, Unknown}

func (d Distance) valid() bool { return slices.Contains(distances, d) }

// compare orders distances as [distances] does.
func (d Distance) compare(e Distance) int {
	return slices.Index(distances, d) - slices.Index(distances, e)
}

// Value returns the value of s in unit, and whether it has one.
func (s Sample) Value(unit string) (v float64, ok bool) {
	for _, v := range s.Values {
		if v.Unit == unit {
			return v.Value, true
		}
	}
	return 0, false
}

// String returns s as a benchmark line, without the newline.
func (s Sample) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Benchmark%v\t%d", s.Cell, s.Ops)
	for _, v := range s.Values {
		fmt.Fprintf(&b, "\t%s %s", formatValue(v.Value), v.Unit)
	}
	return b.String()
}

// Validate reports everything that keeps s from being written to a file and
// read back the same.
func (s Sample) Validate() error {
	var wrong problems
	if err := s.Cell.Validate(); err != nil {
		wrong.add("%v", err)
	}
	if s.Round < 0 {
		wrong.add("round %d: must not be negative", s.Round)
	}
	if s.Fork < 0 {
		wrong.add("fork %d: must not be negative", s.Fork)
	}
	if !s.Distance.valid() {
		wrong.add("distance %q: must be local, near, far or mixed", string(s.Distance))
	}
	if s.Ops < 0 {
		wrong.add("%d operations: must not be negative", s.Ops)
	}
	if len(s.Values) == 0 {
		wrong.add("no values")
	}
	seen := make(map[string]bool)
	for _, v := range s.Values {
		if v.Unit == "" || strings.ContainsFunc(v.Unit, notUnitRune) {
			wrong.add("unit %q: must be printable, without spaces", v.Unit)
		}
		if seen[v.Unit] {
			wrong.add("unit %s twice", v.Unit)
		}
		seen[v.Unit] = true
		if err := v.Validate(); err != nil {
			wrong.add("%v", err)
		}
	}
	roles := make(map[string]bool)
	for _, w := range s.Waits {
		if err := w.Validate(); err != nil {
			wrong.add("waits: %v", err)
		}
		if roles[w.Role] {
			wrong.add("waits: role %s twice", w.Role)
		}
		roles[w.Role] = true
	}
	return wrong.err()
}

func notUnitRune(r rune) bool {
	return r != '/' && notNameRune(r)
}

// formatValue writes v to six significant digits, far finer than any measurement here,
// and always with all digits of its whole part.
func formatValue(v float64) string {
	if math.Abs(v) >= 999_999.5 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 6, 64)
}
