// Package shape says whether a sweep of locks has the shape that it must have: how
// throughput scales over CPUs, where one lock becomes better than another, how many
// times another's value a lock reaches, and which values are reached at least or at
// most.
//
// A demand is a [Spec], and [Judge] says for each what it found in a sweep that
// `lockbench run` wrote: a [Finding] for each lock in each scenario. An interval
// decides, as for a benchmark: pass if all of it is within the limit, regressed if all
// of it is beyond, and cannot tell otherwise.
package shape

import (
	"fmt"
	"strings"
	"time"

	"github.com/lockbench/lockbench/results"
)

// A Spec says what a sweep must look like. It selects cells by lock and by the fields
// of its filter that are set. Its kind is one of
//
//   - scaling: throughput over CPUs, of each lock that matches, follows the
//     Universal Scalability Law with MaxSigma, MaxKappa and MinPeakCPUs; the
//     efficiency at AtCPUs is MinEfficiency; and at the most CPUs it is not
//     worse than the base's by more than Margin;
//   - crossover: the share of reads, or the number of workers or CPUs, from which
//     on Lock is better than the lock Than, in Unit, is from Min to Max;
//   - ratio: in Unit, each lock that matches, except Than, has from Min to Max times
//     what the lock Than has in the same round;
//   - floor: in Unit, each lock that matches has at least Min;
//   - ceiling: in Unit, each lock that matches has at most Max.
type Spec struct {
	Name string // for people; if it is "", String makes one from the rest
	Kind string

	Lock   string // for a crossover a name, otherwise a regular expression for names
	Than   string // a name
	Along  string // of a crossover: reads, workers or cpus
	Unit   string // such as "ns/op"
	Filter Filter // which cells it is about

	Min, Max *float64 // in Unit; of a crossover along its axis; of a ratio a number. nil means no limit

	// Of a scaling; nil means no limit. MaxSigma and MaxKappa bound the coefficients of
	// the law, of contention and of coherence; MinPeakCPUs the CPU count with the most
	// throughput; MinEfficiency the throughput at AtCPUs, as a share of so many times
	// that of one CPU.
	MaxSigma, MaxKappa, MinPeakCPUs, MinEfficiency *float64
	AtCPUs                                         int
	Margin                                         float64 // a share, such as 0.05

	File string // where it is written, for people
	Line int    // in File, from 1
}

// A Filter selects cells by everything except their locks. Nil selects any.
type Filter struct {
	Reads, Workers, CPUs *int // percent of the operations; in total; how many
	Readers, Writers     *int // in total; cells with these are not selected by reads and workers
	Hold, Think          *time.Duration

	Workload, Mode, Load *string           // as in the names of benchmarks
	Distance             *results.Distance // of the CPUs
}

// The kinds of a [Spec].
const (
	Scaling   = "scaling"
	Crossover = "crossover"
	Ratio     = "ratio"
	Floor     = "floor"
	Ceiling   = "ceiling"
)

// String returns the name, or what the spec says.
func (s *Spec) String() string {
	if s.Name != "" {
		return s.Name
	}
	switch s.Kind {
	case Crossover:
		return fmt.Sprintf("%s better than %s along %s", s.Lock, s.Than, s.Along)
	case Ratio:
		return fmt.Sprintf("%s of %s against %s", s.Unit, s.Lock, s.Than)
	}
	words := []string{s.Kind}
	if s.Kind != Scaling {
		words = append(words, s.Unit)
	}
	if s.Lock != "." {
		words = append(words, s.Lock)
	}
	return strings.Join(words, " ")
}

// Place returns where the spec is written: file, colon, line.
func (s *Spec) Place() string { return fmt.Sprintf("%s:%d", s.File, s.Line) }
