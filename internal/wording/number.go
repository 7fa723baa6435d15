package wording

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/perf/benchunit"
)

// Number writes v to three digits, or as a whole number, or with a prefix.
func Number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return "-"
	case math.IsInf(v, 0):
		return strconv.FormatFloat(v, 'g', -1, 64)
	case a == 0:
		return "0"
	case a >= 1e15: // beyond the prefixes
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= 99_999.5:
		return benchunit.Scale(v, benchunit.Decimal)
	case a >= 99.95:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	case a >= 0.9995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case a < 0.0005:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', 3, 64)
}

// Percent writes a share: 8.1%, 0.25%, 130%.
func Percent(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case math.IsInf(v, 0):
		return "∞"
	case math.Abs(v) >= 1e4:
		return strconv.FormatFloat(100*math.Abs(v), 'g', 3, 64) + "%"
	}
	return strconv.FormatFloat(100*math.Abs(v), 'f', digits(v), 64) + "%"
}

// digits returns how many digits after the point a share in percent has.
func digits(v float64) int {
	switch p := 100 * math.Abs(v); {
	case p < 0.9995:
		return 2
	case p < 99.95:
		return 1
	}
	return 0
}

// Share writes a share that the user chose: 3%, 0.5%.
func Share(v float64) string { return strconv.FormatFloat(100*v, 'g', 4, 64) + "%" }

// Signed writes a change: +8.1%, -0.25%, ×130.
func Signed(v float64) string {
	switch s := Percent(v); {
	case math.IsNaN(v), strings.Trim(s, "0.%") == "":
		return s
	case v < 0:
		return "-" + s
	case v >= 99.5 && !math.IsInf(v, 0):
		return "×" + Number(v+1)
	default:
		return "+" + s
	}
}

// A Change is a change with its interval, as shares of the value before it.
type Change struct {
	From       float64 // the value before the change
	By, Lo, Hi float64
	Signed     bool // a difference, as a share of the absolute value of From
	Exact      bool // without an interval, since the values do not vary
}

// Value writes one of the values that the change is from or to. For an exact change it
// writes all digits.
func (c Change) Value(v float64) string {
	if c.Exact && v == math.Trunc(v) && math.Abs(v) < 1e7 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return Number(v)
}

// String writes the change: "from 0" if there is no share.
func (c Change) String() string {
	if math.IsInf(c.By, 0) && c.From == 0 {
		return "from 0"
	}
	return c.share(c.By)
}

// share writes one of the shares. A difference is never written as a factor.
func (c Change) share(v float64) string {
	if c.Signed && v >= 99.5 && !math.IsInf(v, 0) {
		return "+" + Percent(v)
	}
	return Signed(v)
}

// Interval writes the bounds. "-" means that there are none.
func (c Change) Interval() string {
	below, above := c.Bounded(c.Lo), c.Bounded(c.Hi)
	switch {
	case c.Exact:
		return "exact"
	case !below && !above:
		return "-"
	case !above:
		return "≥ " + c.share(c.Lo)
	case !below:
		return "≤ " + c.share(c.Hi)
	}
	if max(c.Lo, c.Hi) >= 99.5 {
		return "[" + c.share(c.Lo) + ", " + c.share(c.Hi) + "]"
	}
	d := digits(max(math.Abs(c.Lo), math.Abs(c.Hi)))
	if d == 1 && min(math.Abs(c.Lo), math.Abs(c.Hi)) < 0.0005 {
		d = 2 // -0.0 would be meaningless
	}
	return fmt.Sprintf("[%+.*f, %+.*f]%%", d, 100*c.Lo, d, 100*c.Hi)
}

// Bounded reports whether a bound of the change has a meaning: no value shrinks by more
// than 100 %, unless it may be below 0.
func (c Change) Bounded(v float64) bool {
	return v > -1 && v < math.Inf(1) || c.Signed && !math.IsInf(v, 0) && !math.IsNaN(v)
}
