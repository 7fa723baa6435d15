// Package doctor says how fit this machine is to measure on: what is known about it, how
// busy it is, how much the same code varies, and what to do about each.
//
//   - look.go measures: the clock, the timer, the distance of two CPUs, locks against
//     themselves.
//   - findings.go judges what was measured.
//   - noise.go says how much the same code varies.
//   - text.go writes the report for people.
package doctor

import (
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Grade says what a finding means for measurements.
type Grade string

// The grades, from the best to the worst.
const (
	Good    Grade = "good"
	Unknown Grade = "unknown" // this machine does not say
	Poor    Grade = "poor"    // numbers are worse for it, or of less use
	Bad     Grade = "bad"     // locks cannot be compared, or not by a gate, before that is mended
)

// worse orders grades from the best to the worst.
var worse = map[Grade]int{Good: 0, Unknown: 1, Poor: 2, Bad: 3}

// A Finding is one fact about the machine.
type Finding struct {
	Name   string  `json:"name"` // a word, such as "clock"
	Grade  Grade   `json:"grade"`
	Says   string  `json:"says"`             // what was found, for people
	Values []Value `json:"values,omitempty"` // the numbers in it
	Do     string  `json:"do,omitempty"`     // what to do about it; "" if nothing
}

// A Value is a number that was found.
type Value struct {
	Name  string             `json:"name"`
	Value wording.JSONNumber `json:"value"`
	Unit  string             `json:"unit"` // "" for a plain number; "share" is between 0 and 1
}

// A Noise is how much one lock differs from itself in one kind of cell.
type Noise struct {
	Cells    string           `json:"cells"` // "alone", "contended" or "reads"
	Lock     string           `json:"lock"`
	Distance results.Distance `json:"distance"`
	Pairs    int              `json:"pairs"` // of samples, one after the other

	// InTurns and Apart are shares, 0.02 for 2 %. Of comparisons of the lock with itself
	// that take 20 samples of each side, 95 of 100 differ by less: InTurns if the two
	// sides take turns, Apart if one follows the other, at whatever distance of the CPUs.
	// NaN if there are too few samples.
	InTurns wording.JSONNumber `json:"in_turns"`
	Apart   wording.JSONNumber `json:"apart"`

	// Margin is the least margin that a gate should have here; see [margin].
	Margin wording.JSONNumber `json:"margin"`
}

// A Report is all that was found.
type Report struct {
	Schema   int       `json:"schema"` // 1
	GOOS     string    `json:"goos"`
	GOARCH   string    `json:"goarch"`
	CPU      string    `json:"cpu"`   // model; "" if unknown
	Grade    Grade     `json:"grade"` // the worst of the findings'; Good if only unknown ones are worse
	Findings []Finding `json:"findings"`
	Noise    []Noise   `json:"noise"`
}

// overall returns the grade of the worst finding.
func overall(findings []Finding) Grade {
	worst := Good
	for _, f := range findings {
		if f.Grade != Unknown && worse[f.Grade] > worse[worst] {
			worst = f.Grade
		}
	}
	return worst
}
