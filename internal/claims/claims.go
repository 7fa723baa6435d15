// Package claims has what textbooks say of locks, as experiments. Each has a verdict: it
// holds here, it does not, or that cannot be told; and the number on which that rests.
//
// Some experiments run on the host, the others on a simulated machine, in a build with the
// tag virtual. claims.go says what a claim is, host.go and simulated.go have them.
package claims

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Verdict says what became of a claim.
type Verdict string

// The verdicts.
const (
	Holds       Verdict = "holds"
	DoesNotHold Verdict = "does not hold"
	CannotTell  Verdict = "cannot tell"
)

// A Claim is what a textbook says.
type Claim struct {
	Name      string // a word or two
	Says      string // one sentence
	Simulated bool   // whether it is tried on a simulated machine
	Measured  bool   // whether times are measured, so that a busy machine may not tell

	// Try makes the experiment. It says in a sentence what it saw.
	Try func(context.Context) (Outcome, error)
}

// An Outcome is what an experiment saw.
type Outcome struct {
	Verdict Verdict `json:"verdict"`
	Saw     string  `json:"saw"`   // one sentence, with the number on which the verdict rests
	Asked   string  `json:"asked"` // what would have had to be seen
	On      string  `json:"on"`    // the machine, and how many samples or which seed
	Unit    string  `json:"unit"`  // of the bars
	Bars    []Bar   `json:"bars"`  // of the figure
}

// A Bar is a value with its interval; if it has none, Lo and Hi are equal to it.
type Bar struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"`
}

// exact returns a bar of what was counted.
func exact(name string, v float64) Bar { return Bar{name, v, v, v} }

// measuredBar returns a bar of the median of values, and its 95 % interval.
func measuredBar(name string, values []float64) Bar {
	s := summary(values)
	if math.IsInf(s.Lo, 0) || math.IsInf(s.Hi, 0) { // too few
		return Bar{name, s.Median, s.Min, s.Max}
	}
	return Bar{name, s.Median, s.Lo, s.Hi}
}

// summary returns the statistics of values.
func summary(values []float64) results.Summary {
	var samples []results.Sample
	for _, v := range values {
		samples = append(samples, results.Sample{Values: []results.Value{{Unit: "x", Value: v}}})
	}
	return results.Summarize(samples)[0]
}

// least decides whether values, one a round, are at least a limit: by the 95 % interval of
// their median.
func least(values []float64, limit float64) Verdict {
	s := summary(values)
	switch {
	case s.Lo >= limit:
		return Holds
	case s.Hi < limit:
		return DoesNotHold
	}
	return CannotTell
}

// both is the verdict of a claim that says two things.
func both(a, b Verdict) Verdict {
	switch {
	case a == DoesNotHold || b == DoesNotHold:
		return DoesNotHold
	case a == CannotTell || b == CannotTell:
		return CannotTell
	}
	return Holds
}

// sure is the verdict of an exact experiment.
func sure(holds bool) Verdict {
	if holds {
		return Holds
	}
	return DoesNotHold
}

// between writes a median and its interval, if it has one.
func between(b Bar) string {
	if b.Lo == b.Hi {
		return written(b)
	}
	return fmt.Sprintf("%s (%s to %s)", written(b), wording.Number(b.Lo), wording.Number(b.Hi))
}

// written writes a value without its interval: what was counted is whole.
func written(b Bar) string {
	if b.Lo == b.Hi && b.Value == math.Trunc(b.Value) && math.Abs(b.Value) < 1e6 {
		return strconv.FormatFloat(b.Value, 'f', 0, 64)
	}
	return wording.Number(b.Value)
}

// All returns all claims, those that are tried on the host first.
func All() []Claim { return slices.Concat(onHost(), simulated()) }

// Names returns the names of all claims, in their order.
func Names() (all []string) {
	for _, c := range All() {
		all = append(all, c.Name)
	}
	return all
}
