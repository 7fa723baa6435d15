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
		return b.Pkg // all that it has
	}
	return b.Pkg + "." + b.Name
}

// A Side says whose a reading is.
type Side int

// The sides of a round.
const (
	Base Side = iota
	Head
	sides
)

func (s Side) String() string { return [...]string{"base", "head"}[s] }

// A Reading is what one run of a benchmark measured.
type Reading struct {
	// Build is the number of the pair of binaries, from 1: base and head laid out in
	// the same way. Each pair has the same code in another layout. 0 is unknown.
	Build  int
	Values []results.Value
	Where  string // file:line, "" if it was measured now
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

// A Round is a reading of each side, both within a moment and in random order.
type Round struct {
	Benchmark
	Number   int // from 1
	Distance results.Distance
	Readings [sides]*Reading

	// Failed, if it is not nil, is why there are no readings, and none to come.
	Failed *Failure
}

// A Failure is why a benchmark cannot be measured.
type Failure struct {
	Why    string // in a line, with whose fault it is
	Output string // the last lines that it printed
}

// A Source has rounds of readings: it measures them, or reads them from files.
type Source interface {
	// Benchmarks returns what both sides have, and what only one has.
	Benchmarks() (both, onlyBase, onlyHead []Benchmark)

	// Round returns one more reading of each side of each of the benchmarks,
	// or of some of them, if it has no more of the others. One that cannot be
	// measured has a round that says so. The error is io.EOF if it has none of any.
	// After [PairsPerBuild] rounds of a benchmark the next is of new binaries.
	Round(ctx context.Context, of []Benchmark) ([]Round, error)

	// Unchanged returns the packages of which nothing is measured, since both sides
	// are the same.
	Unchanged() []Unchanged

	// Cost returns about how long a round of b takes; 0 if it takes no time.
	Cost(b Benchmark) time.Duration

	// Apart returns how much of the time so far was no measuring, such as building;
	// no budget counts it.
	Apart() time.Duration

	// Better returns +1 if more of unit is better, -1 if less is, and 0 if
	// that is not known.
	Better(unit string) int

	// Exact reports whether values of the unit do not vary, as the counts of a
	// simulator, so that one reading of b is as good as many. They are compared as
	// they are. Where two readings of the same may be apart all the same, the
	// tolerance, a share, says by how much at most.
	Exact(b Benchmark, unit string) (tolerance float64, exact bool)
}

// An Unchanged is a package that need not be measured.
type Unchanged struct {
	Pkg string // import path
	Why string // what is the same, in a few words
}

// Rules say what is a regression. The zero value has the defaults.
type Rules struct {
	// Margin is by how much something must be worse to be called so: 0.03
	// is 3 %, the default. What passes is worse by less than twice that, with the
	// confidence below.
	Margin float64

	// FDR is the share of the regressions reported that may be false, on
	// average: 0.01 is the default.
	FDR float64

	// Confidence is that of the intervals, and so of a pass: 0.99 is the default.
	Confidence float64

	// MinRounds is how many readings a verdict rests on at least: pairs of binaries,
	// or pairs of processes of what does not vary. 10 is the default.
	MinRounds int

	// Budget is how long rounds may take, all together: 0 is for as long as
	// it takes. What is undecided then cannot be told.
	Budget time.Duration

	// Units are those that are judged; if there are none, all are of which it
	// is known whether more is better.
	Units []string

	// For, if it is not nil, returns what holds for one unit of one benchmark
	// alone, and whether anything does.
	For func(b Benchmark, unit string) (Exception, bool)

	// Declared reports whether it is right that only that side has b. If it is
	// nil, it is for the head, whose benchmarks may be new, and not for the base.
	Declared func(b Benchmark, only Side) bool

	// Progress, if it is not nil, is told after each round.
	Progress func(Progress)

	toEnd bool // use all that there is, also of what is decided
}

// An Exception is what holds for one unit of one benchmark.
type Exception struct {
	Margin float64
	Ignore bool // do not judge it
}

// Defaults for [Rules].
const (
	DefaultMargin     = 0.03
	DefaultFDR        = 0.01
	DefaultConfidence = 0.99
	DefaultMinRounds  = 10
)

// Progress is how far a comparison is.
type Progress struct {
	Stage   string // "screening" or "confirming"
	Rounds  int    // of the benchmark that has most
	Open    int    // benchmarks that are not decided
	Suspect int    // benchmarks that seem to be worse
	Of      int    // all benchmarks
}

// A Verdict is what is said of a change.
type Verdict int

// The verdicts, in the order of how bad they are.
const (
	Pass Verdict = iota
	CannotTell
	NoVerdict // something kept it from being judged: it failed, is on one side alone, or a reading makes no sense
	Regressed
)

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

// A Result is what became of one unit of one benchmark at one distance.
type Result struct {
	Benchmark
	Unit     string
	Better   int // +1 if more is better, -1 if less is
	Distance results.Distance

	Verdict Verdict
	Why     string // for people: what the verdict rests on, or what it lacks
	Output  string // the last lines that it printed, if it failed

	N        int     // readings that it rests on: pairs of binaries; of what does not vary, pairs of processes
	Rounds   int     // pairs of processes
	Old, New float64 // medians of the base and of the head; see Becomes

	// Change is the middle of New/Old, less 1, and Lo and Hi bound it: for all n at
	// once, with the confidence of the rules.
	Change, Lo, Hi float64

	// Spread is the standard deviation of the changes of single pairs of binaries, and
	// Within that of pairs of processes of the same binaries, as shares: where Spread is
	// much the larger, it is layout that makes the difference. They are NaN if unknown.
	Spread, Within float64

	Margin   float64
	Drift    float64 // what the sides may differ by besides, if they were not measured together
	Evidence float64 // natural logarithm of the evidence for a regression

	Exact     bool // the values do not vary: no statistics needed
	Signed    bool // one is below 0: the changes are differences, as shares of what the base is away from 0
	Unpaired  bool // the sides were not measured together: judged more weakly
	Confirmed bool // shown once more, by new binaries alone, after it had been suspect
	Minor     bool // there is more of it at another distance, which decides
}

// Improved reports whether the change is for the better by more than the margin, and
// for the better for sure.
func (r *Result) Improved() bool {
	lo, hi := r.bad(r.Lo), r.bad(r.Hi)
	return r.bad(r.Change) < -r.Margin-r.Drift && max(lo, hi) < -r.Drift || r.Exact && r.bad(r.Change) < 0
}

// bad turns a change, a share, so that more of it is worse.
func (r *Result) bad(change float64) float64 { return -float64(r.Better) * change }

// Becomes returns what the base's median becomes by the change. That is not the
// head's median: the change is the median of ratios within the rounds, and the
// machine's pace is another in each. Reports show this, so that their numbers agree.
// It is the head's median where no share says what became of the base's.
func (r *Result) Becomes() float64 { return Becomes(r.Old, r.New, r.Change, r.Signed) }

// Becomes returns what from becomes by a change, which is a difference, as a share of
// what from is away from 0, if it is signed. It is to where no share says so.
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

// A Report is what came of a comparison.
type Report struct {
	Base, Head string // what was compared, for people
	Rules      Rules  `json:"-"`

	Verdict Verdict  // on the results; see [Report.Outcome]
	Results []Result // the worst first

	// Problems is why there is no verdict on what was to be compared, apart from
	// what is said of single results: a build that fails, a file that is not there.
	Problems []string

	// OnlyBase and OnlyHead are benchmarks that only one side has, and that
	// may not be on that side only. A comparison that has such is not whole, and must
	// not pass.
	OnlyBase, OnlyHead []Benchmark

	// New are benchmarks that only the head has, and may have: there is nothing to
	// compare them to, which is no fault.
	New []Benchmark

	// Unchanged are packages of which nothing was measured, since both sides are the
	// same: they pass.
	Unchanged []Unchanged

	// Interrupted says that it was ended before its time: what was undecided then
	// cannot be told.
	Interrupted bool

	// NotJudged are units of which it is not known whether more is better.
	NotJudged []string

	// Warnings is what a reader of the verdict should know.
	Warnings []string

	Took   time.Duration
	Rounds int
}

// Whole reports whether something was compared, nothing kept the rest from being
// compared, and each benchmark is on both sides or may be on one. A report
// that is not whole must not pass.
func (r *Report) Whole() bool {
	return len(r.Results)+len(r.New)+len(r.Unchanged) > 0 && len(r.OnlyBase) == 0 && len(r.OnlyHead) == 0 && len(r.Problems) == 0
}

// only takes note of the benchmarks that one side alone has.
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

// Outcome returns the verdict on all that there is: on the results, and on whether
// the report is whole.
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

// ErrNothing is returned where no verdict can be: a gate that compares nothing
// must not pass.
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
