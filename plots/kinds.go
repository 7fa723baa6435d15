package plots

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/results"
)

// A kind is a row of the table of kinds of figures.
type kind struct {
	draw func([]results.Summary, Options) ([]*Figure, []Skipped)

	// of returns what draw is to draw, and whether it is asked to. What a kind is not
	// asked for it does not lack.
	of func(parts) (sums []results.Summary, asked bool)

	// beside is set if the figures only put others side by side: they come last, and
	// another row says what they lack.
	beside bool

	// questions are those that figures of this kind answer at the top of the page, by
	// what the names of these figures begin with.
	questions map[string]string
}

// kinds are all kinds of figures, in the order in which to look at them.
var kinds = []kind{
	{draw: Alone, of: parts.forAlone, questions: map[string]string{"alone": "What does a lock cost alone?"}},
	{draw: Throughput, of: parts.forEnds, questions: map[string]string{"throughput": "What happens with more CPUs?"}},
	{draw: Reads, of: parts.forRest, questions: map[string]string{"reads": "What happens with reads?"}},
	{draw: Latency, of: parts.forEnds},
	{draw: Fairness, of: parts.forEnds},
	{draw: Roles, of: parts.forRoles, questions: map[string]string{"roles": "Do readers let writers in?"}},
	{draw: Latency, of: parts.forRoles},
	{draw: Load, of: parts.forScheduled, questions: map[string]string{
		"load-writers": "How long do writers wait as the load grows?",
		"rate-writers": "How long do writers wait as more arrives?",
	}},
	{draw: Distribution, of: parts.forWaits},
	{draw: Latency, of: parts.forScheduled},
	{draw: ThroughputBeside, of: parts.forEnds, beside: true},
	{draw: ReadsBeside, of: parts.forRest, beside: true},
}

// questions returns the questions of all kinds.
func questions() map[string]string {
	all := make(map[string]string)
	for _, k := range kinds {
		maps.Copy(all, k.questions)
	}
	return all
}

// draw draws the figures of all kinds of the parts of a file, and says what they lack.
func (p parts) draw(o Options) (figures []*Figure, skipped []Skipped) {
	var first [][]*Figure // by row
	var beside []*Figure
	for _, k := range kinds {
		sums, asked := k.of(p)
		if !asked {
			continue
		}
		drawn, lacking := k.draw(sums, o)
		if k.beside {
			beside = append(beside, drawn...)
			continue
		}
		first = append(first, drawn)
		skipped = append(skipped, lacking...)
	}
	return append(inTurn(first), beside...), append(skipped, p.between...)
}

// inTurn returns the first figure of each row of kinds, then the second of each, and so
// on.
func inTurn(rows [][]*Figure) (all []*Figure) {
	for i := 0; ; i++ {
		more := false
		for _, figures := range rows {
			if i < len(figures) {
				all, more = append(all, figures[i]), true
			}
		}
		if !more {
			return all
		}
	}
}

// The parts are the summaries of a file, by what figures can show of them.
type parts struct {
	scheduled []results.Summary // their operations arrive on a schedule, so their throughput means nothing
	others    []results.Summary // all but those
	roles     []results.Summary // of others, those of workers with one role each
	rest      []results.Summary // of others, those without roles, except those that Alone draws and no other kind
	ends      []results.Summary // of rest, those of the lowest and the highest share of reads, or all
	between   []Skipped         // what ends leaves out
}

// partsOf divides the summaries of a file.
func partsOf(sums []results.Summary, o Options) (p parts) {
	p.scheduled, p.others = divided(sums, func(s results.Summary) bool { return s.Open() })
	roles, rest := divided(p.others, func(s results.Summary) bool { return s.Roles() })
	p.roles, p.rest = roles, withoutAlone(rest)
	if p.ends = p.rest; !o.Everything {
		p.ends, p.between = endsOf(p.rest)
	}
	return p
}

// divided returns those of sums of which is says true, and the others.
func divided(sums []results.Summary, is func(results.Summary) bool) (those, others []results.Summary) {
	for _, s := range sums {
		if is(s) {
			those = append(those, s)
		} else {
			others = append(others, s)
		}
	}
	return those, others
}

func (p parts) forAlone() ([]results.Summary, bool) {
	return p.others, slices.ContainsFunc(p.others, func(s results.Summary) bool { return s.Alone() })
}

func (p parts) forEnds() ([]results.Summary, bool)      { return p.ends, p.usual() }
func (p parts) forRest() ([]results.Summary, bool)      { return p.rest, p.usual() }
func (p parts) forRoles() ([]results.Summary, bool)     { return p.roles, len(p.roles) > 0 }
func (p parts) forScheduled() ([]results.Summary, bool) { return p.scheduled, len(p.scheduled) > 0 }

func (p parts) forWaits() ([]results.Summary, bool) {
	return slices.Concat(p.ends, p.roles, p.scheduled), true
}

// usual reports whether the usual kinds are asked for: also of an empty file, so that
// they say what they lack.
func (p parts) usual() bool { return len(p.rest) > 0 || len(p.others)+len(p.scheduled) == 0 }

// group returns what summaries share that differ only in reads, CPUs and workers.
func group(s results.Summary) results.Cell {
	c := s.Scenario()
	c.Reads, c.CPUs, c.Workers = 0, 0, 0
	return c
}

// endsOf returns the summaries of the lowest and the highest share of reads, in each
// group; and what the others are, if there are any.
func endsOf(sums []results.Summary) (ends []results.Summary, between []Skipped) {
	type span struct{ lo, hi int }
	spans := make(map[results.Cell]span)
	for _, s := range sums {
		at, ok := spans[group(s)]
		if !ok {
			at = span{s.Reads, s.Reads}
		}
		spans[group(s)] = span{min(at.lo, s.Reads), max(at.hi, s.Reads)}
	}
	var left []int
	for _, s := range sums {
		if at := spans[group(s)]; s.Reads == at.lo || s.Reads == at.hi {
			ends = append(ends, s)
		} else {
			left = append(left, s.Reads)
		}
	}
	if len(left) == 0 {
		return ends, nil
	}
	slices.Sort(left)
	var shares []string
	for _, reads := range slices.Compact(left) {
		shares = append(shares, fmt.Sprint(reads))
	}
	return ends, skip("all but throughput over reads at "+strings.Join(shares, ", ")+noBreak+"% reads",
		"between the lowest and the highest share: draw them with --all")
}
