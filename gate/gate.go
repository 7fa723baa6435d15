package gate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/results"
)

// A Benchmark names what is compared.
type Benchmark struct {
	Pkg  string // import path; "" if unknown
	Name string // as go test prints it, without the word Benchmark: Sum/n=10-2
}

// String returns the package, a dot and the name.
func (b Benchmark) String() string {
	if b.Pkg == "" {
		return b.Name
	}
	if b.Name == "" {
		return b.Pkg // the whole package
	}
	return b.Pkg + "." + b.Name
}

// A Side says of which side a reading is.
type Side int

// The sides of a round.
const (
	Base Side = iota
	Head
	sides
)

// String returns "base" or "head".
func (s Side) String() string { return [...]string{"base", "head"}[s] }

// A Reading is what one run of a benchmark measured.
type Reading struct {
	// Build is the number of the pair of binaries, from 1: base and head with the same
	// layout. Each pair has the same code in another layout. 0 means unknown.
	Build  int
	Values []results.Value // each unit once
	Where  string          // file:line, "" if it was measured now
}

// value returns what r measured in unit, and whether it did.
func (r *Reading) value(unit string) (float64, bool) {
	if r == nil {
		return 0, false
	}
	for _, v := range r.Values {
		if v.Unit == unit {
			return v.Value, true
		}
	}
	return 0, false
}

// A Round is a reading of each side, both taken at the same moment and in random order.
type Round struct {
	Benchmark
	Number   int // from 1
	Distance results.Distance
	Readings [sides]*Reading

	// Failed, if it is not nil, is why there are no readings, now or later.
	Failed *Failure
}

// A Failure is why a benchmark cannot be measured.
type Failure struct {
	Why    string // in one line, with the side that failed
	Output string // the last lines that it printed
}

// A Source has rounds of readings: it measures them, or reads them from files.
type Source interface {
	// Benchmarks returns the benchmarks that both sides have, and those that only one
	// has.
	Benchmarks() (both, onlyBase, onlyHead []Benchmark)

	// Round returns one more reading of each side of each of the benchmarks, or of some
	// of them if it has no more of the others. A benchmark that cannot be measured has
	// a round that says so. The error is io.EOF if there are no more rounds. After
	// [PairsPerBuild] rounds of a benchmark the next is of new binaries.
	Round(ctx context.Context, of []Benchmark) ([]Round, error)

	// Unchanged returns the packages that are not measured because both sides are the
	// same.
	Unchanged() []Unchanged

	// Cost returns about how long a round of b takes; 0 if it takes no time.
	Cost(b Benchmark) time.Duration

	// Apart returns how much of the time so far was not measuring but, for example,
	// building; the budget does not count it.
	Apart() time.Duration

	// Better returns +1 if more of unit is better, -1 if less is, and 0 if
	// that is not known.
	Better(unit string) int

	// Exact reports whether values of the unit do not vary, like the counts of a
	// simulator, so that one reading of b is as good as many. They are compared
	// directly. If two readings of the same code may still differ, tolerance, a share,
	// says by how much at most.
	Exact(b Benchmark, unit string) (tolerance float64, exact bool)
}

// An Unchanged is a package that need not be measured.
type Unchanged struct {
	Pkg string // import path
	Why string // what is the same, in a few words
}

// Rules say what is a regression. The zero value has the defaults.
type Rules struct {
	// Margin is by how much a benchmark must be worse to have regressed: 0.03 is 3 %,
	// the default. One that passes is worse by less than twice that, with the
	// confidence below.
	Margin float64

	// FDR is the share of the regressions reported that may be false, on
	// average: 0.01 is the default.
	FDR float64

	// Confidence is that of the intervals, and so of a pass: 0.99 is the default.
	Confidence float64

	// MinRounds is how many readings a verdict needs at least: pairs of binaries or,
	// for values that do not vary, pairs of processes. 10 is the default.
	MinRounds int

	// Budget is how long all rounds together may take: 0 means without limit. A
	// benchmark that is undecided then is CannotTell.
	Budget time.Duration

	// Units are the units that are judged; if there are none, all units with a known
	// direction are.
	Units []string

	// For, if it is not nil, returns the exception for one unit of one benchmark, and
	// whether there is one.
	For func(b Benchmark, unit string) (Exception, bool)

	// Declared reports whether it is allowed that only that side has b. If Declared is
	// nil, it is allowed for the head, whose benchmarks may be new, and not for the
	// base.
	Declared func(b Benchmark, only Side) bool

	// Progress, if it is not nil, is called after each round.
	Progress func(Progress)

	toEnd bool // use all rounds, also of benchmarks that are decided
}

// An Exception is a rule for one unit of one benchmark.
type Exception struct {
	Margin float64 // in place of that of the rules: a share, such as 0.03
	Ignore bool    // do not judge it
}

// Defaults for [Rules].
const (
	DefaultMargin     = 0.03
	DefaultFDR        = 0.01
	DefaultConfidence = 0.99
	DefaultMinRounds  = 10
)

// Progress says how far a comparison has come.
type Progress struct {
	Stage   string // "screening" or "confirming"
	Rounds  int    // of the benchmark with the most rounds
	Open    int    // benchmarks that are not decided
	Suspect int    // benchmarks that seem to be worse
	Of      int    // all benchmarks
}

// A Verdict is the judgement of a change.
type Verdict int

// The verdicts, from the best to the worst.
const (
	Pass Verdict = iota
	CannotTell
	NoVerdict // it cannot be judged: it failed, is on one side only, or a reading makes no sense
	Regressed
)

// String returns the verdict in words, such as "cannot tell".
func (v Verdict) String() string {
	return [...]string{"pass", "cannot tell", "no verdict", "regressed"}[v]
}

// MarshalText returns what String does.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (v *Verdict) UnmarshalText(text []byte) error {
	for w := Pass; w <= Regressed; w++ {
		if w.String() == string(text) {
			*v = w
			return nil
		}
	}
	return fmt.Errorf("verdict %q: want pass, cannot tell, no verdict or regressed", text)
}

// A Result is the outcome for one unit of one benchmark at one distance.
type Result struct {
	Benchmark
	Unit     string // of Old and New, such as "ns/op"
	Better   int    // +1 if more is better, -1 if less is
	Distance results.Distance

	Verdict Verdict
	Why     string // for people: what the verdict rests on, or what it lacks
	Output  string // the last lines that it printed, if it failed

	N        int     // readings that it is based on: pairs of binaries, or, if values do not vary, pairs of processes
	Rounds   int     // pairs of processes
	Old, New float64 // medians of the base and of the head; see Becomes

	// Change is the centre of New/Old, minus 1, and Lo and Hi bound it: at all times
	// together, with the confidence of the rules.
	Change, Lo, Hi float64

	// Spread is the standard deviation of the changes of single pairs of binaries, and
	// Within that of pairs of processes of the same binaries, as shares: if Spread is
	// much larger, layout makes the difference. They are NaN if unknown.
	Spread, Within float64

	Margin   float64 // a share: the greatest Change for the worse that passes
	Drift    float64 // by how much the sides may differ in addition, if they were not measured together
	Evidence float64 // natural logarithm of the evidence for a regression

	Exact     bool // the values do not vary: no statistics needed
	Signed    bool // one is below 0: the changes are differences, as shares of what the base is away from 0
	Unpaired  bool // the sides were not measured together: judged more weakly
	Confirmed bool // after it had been suspect, new binaries alone showed it once more
	Minor     bool // there are more readings at another distance, which decides
}

// Improved reports whether the change is an improvement by more than the margin, and
// the whole interval is better.
func (r *Result) Improved() bool {
	lo, hi := r.bad(r.Lo), r.bad(r.Hi)
	return r.bad(r.Change) < -r.Margin-r.Drift && max(lo, hi) < -r.Drift
}

// bad returns a change, a share, with the sign that makes more worse.
func (r *Result) bad(change float64) float64 { return -float64(r.Better) * change }

// Becomes returns the base's median, changed by Change. That is not the head's median:
// the change is the median of ratios within the rounds, and the speed of the machine
// differs between rounds. Reports show this number, so that theirs agree. If Change is
// no share of the base's median, it is the head's median.
func (r *Result) Becomes() float64 { return Becomes(r.Old, r.New, r.Change, r.Signed) }

// Becomes returns from, changed by a share, or, if signed is set, by a share of its
// absolute value. It returns to if the change is no share of from.
func Becomes(from, to, change float64, signed bool) float64 {
	by := from * change
	if signed {
		by = math.Abs(from) * change
	}
	if v := from + by; !math.IsNaN(v) && !math.IsInf(v, 0) {
		return v
	}
	return to
}

// A Report is the result of a comparison.
type Report struct {
	Base, Head string // what was compared, for people
	Rules      Rules  `json:"-"`

	Verdict Verdict  // on the results; see [Report.Outcome]
	Results []Result // the worst first

	// Problems is why a part of the comparison has no verdict, apart from reasons of
	// single results: a build that fails, a missing file.
	Problems []string

	// OnlyBase and OnlyHead are benchmarks that only one side has although that is not
	// allowed. A comparison with any is not whole, and must not pass.
	OnlyBase, OnlyHead []Benchmark

	// New are benchmarks that only the head has, which is allowed: there is nothing to
	// compare them to.
	New []Benchmark

	// Unchanged are packages that were not measured because both sides are the same:
	// they pass.
	Unchanged []Unchanged

	// Interrupted says that the comparison was ended early: what was undecided then is
	// CannotTell.
	Interrupted bool

	// NotJudged are units without a known direction.
	NotJudged []string

	// Warnings is what a reader of the verdict should know.
	Warnings []string

	Took   time.Duration // wall time
	Rounds int           // of the benchmark that has the most
}

// Whole reports whether something was compared, no part could not be compared, and each
// benchmark is on both sides or may be on one. A report that is not whole must not
// pass.
func (r *Report) Whole() bool {
	return len(r.Results)+len(r.New)+len(r.Unchanged) > 0 && len(r.OnlyBase) == 0 && len(r.OnlyHead) == 0 && len(r.Problems) == 0
}

// only notes the benchmarks that only one side has.
func (r *Report) only(rules Rules, base, head []Benchmark) {
	declared := rules.Declared
	if declared == nil {
		declared = func(_ Benchmark, only Side) bool { return only == Head }
	}
	for _, b := range base {
		if !declared(b, Base) {
			r.OnlyBase = append(r.OnlyBase, b)
		}
	}
	for _, b := range head {
		if declared(b, Head) {
			r.New = append(r.New, b)
		} else {
			r.OnlyHead = append(r.OnlyHead, b)
		}
	}
}

// Outcome returns the verdict on the whole report: on the results, and on whether it is
// whole.
func (r *Report) Outcome() Verdict {
	v := r.Verdict
	for i := range r.Results {
		if res := &r.Results[i]; !res.Minor {
			v = max(v, res.Verdict)
		}
	}
	if !r.Whole() {
		v = max(v, NoVerdict)
	}
	return v
}

// Names returns a short name for each benchmark in the report; see [Names].
func (r *Report) Names() map[Benchmark]string {
	all := slices.Concat(r.OnlyBase, r.OnlyHead, r.New)
	for i := range r.Results {
		all = append(all, r.Results[i].Benchmark)
	}
	return Names(all)
}

// ErrNothing is the error of a comparison without benchmarks: a gate that compares
// nothing must not pass.
var ErrNothing = errors.New("nothing to compare")

// cpus returns the number of CPUs in a benchmark's name: 1 if it has none.
func (b Benchmark) cpus() int {
	i := strings.LastIndexByte(b.Name, '-')
	if i < 0 {
		return 1
	}
	n := 0
	for _, c := range b.Name[i+1:] {
		if c < '0' || c > '9' || n > 1<<20 {
			return 1
		}
		n = 10*n + int(c-'0')
	}
	return max(n, 1)
}
