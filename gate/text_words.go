package gate

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Tally counts results. Those that are [Result.Minor] are counted apart.
type Tally struct {
	Regressed, CannotTell, Pass int
	Improved                    int // of those that pass
	Minor                       int
	NoVerdict                   int
}

// Of returns how many results count.
func (t Tally) Of() int { return t.Regressed + t.NoVerdict + t.CannotTell + t.Pass }

// String returns the counts in words.
func (t Tally) String() string {
	s := fmt.Sprintf("%s regressed, %s cannot tell, %s pass", thousands(t.Regressed), thousands(t.CannotTell), thousands(t.Pass))
	if t.Improved > 0 {
		s += fmt.Sprintf(" (%s improved)", thousands(t.Improved))
	}
	if t.NoVerdict > 0 {
		s += fmt.Sprintf(", %s without a verdict", thousands(t.NoVerdict))
	}
	return s + " of " + plural(t.Of(), "result")
}

// Tally counts the results.
func (r *Report) Tally() (t Tally) {
	for i := range r.Results {
		res := &r.Results[i]
		switch {
		case res.Minor:
			t.Minor++
		case res.Verdict == Regressed:
			t.Regressed++
		case res.Verdict == NoVerdict:
			t.NoVerdict++
		case res.Verdict == CannotTell:
			t.CannotTell++
		default:
			t.Pass++
			if res.Improved() {
				t.Improved++
			}
		}
	}
	return t
}

// Whole reports whether something was compared, nothing kept the rest from being
// compared, and each benchmark is on both sides or declared not to be. A report
// that is not whole must not pass.
func (r *Report) Whole() bool {
	return len(r.Results)+len(r.First)+len(r.Unchanged) > 0 && len(r.OnlyBase) == 0 && len(r.OnlyHead) == 0 && len(r.Problems) == 0
}

// Outcome returns the verdict on all that there is: on the results, on the shapes,
// and on whether the report is whole.
func (r *Report) Outcome() Verdict {
	v := r.Verdict
	for i := range r.Results {
		if res := &r.Results[i]; !res.Minor {
			v = max(v, res.Verdict)
		}
	}
	if len(r.Shapes) > 0 {
		v = max(v, ShapesVerdict(r.Shapes))
	}
	if !r.Whole() {
		v = max(v, NoVerdict)
	}
	return v
}

// headline returns the verdict in a sentence.
func (r *Report) headline() string {
	t := r.Tally()
	var parts []string
	if n := len(r.Problems); n > 0 {
		parts = append(parts, firstLine(r.Problems[0]))
		if n > 1 {
			parts = append(parts, plural(n-1, "problem")+" more")
		}
	}
	switch {
	case t.Regressed > 0:
		parts = append(parts, fmt.Sprintf("%d of %s worse by more than the margin", t.Regressed, isAre(t.Of(), t.Regressed)))
	case t.NoVerdict > 0:
		parts = append(parts, fmt.Sprintf("%d of %s not judged, and none is known to be worse", t.NoVerdict, isAre(t.Of(), t.NoVerdict)))
	case t.CannotTell > 0:
		parts = append(parts, fmt.Sprintf("%d of %s too uncertain to judge, and none is known to be worse", t.CannotTell, isAre(t.Of(), t.CannotTell)))
	case t.Of() > 0:
		parts = append(parts, fmt.Sprintf("of %s none is worse by more than the margin", plural(t.Of(), "result")))
	case len(r.First) > 0:
		parts = append(parts, r.firstTally())
	case len(r.Problems) == 0:
		parts = append(parts, "nothing was compared")
	}
	if n := len(r.OnlyBase) + len(r.OnlyHead); n > 0 {
		parts = append(parts, "not whole: "+plural(n, "benchmark")+" on one side only")
	}
	if n := len(r.NotJudged); n > 0 {
		parts = append(parts, plural(n, "unit")+" not judged")
	}
	if len(r.Shapes) > 0 {
		parts = append(parts, r.shapesTally())
	}
	return r.Outcome().String() + ": " + strings.Join(parts, "; ")
}

// firstTally says that the benchmarks of the head are the first.
func (r *Report) firstTally() string {
	return fmt.Sprintf("nothing to compare: the base has no benchmarks, and the head's %s may be new", thousands(len(r.First)))
}

// shapesTally counts what became of the shapes.
func (r *Report) shapesTally() string {
	var n [Regressed + 1]int
	for _, s := range r.Shapes {
		if !s.Minor {
			n[s.Verdict]++
		}
	}
	return fmt.Sprintf("shapes: %d regressed, %d cannot tell, %d pass", n[Regressed], n[CannotTell], n[Pass])
}

// isAre says "22 results is" where one of them is meant.
func isAre(of, n int) string {
	if n == 1 {
		return plural(of, "result") + " is"
	}
	return plural(of, "result") + " are"
}

// cost says how much was measured.
func (r *Report) cost() string {
	s := plural(r.Rounds, "round")
	if r.Took > 0 {
		s += " in " + short(r.Took)
	}
	return s
}

// sides says what was compared, "" if that is not known.
func (r *Report) sides() string {
	if r.Base == "" && r.Head == "" {
		return ""
	}
	return fmt.Sprintf("base %s, head %s", clean(r.Base), clean(r.Head))
}

// confidence returns the confidence of the intervals: "99%".
func (r *Report) confidence() string {
	return strconv.FormatFloat(100*r.Rules.withDefaults().Confidence, 'g', 6, 64) + "%"
}

// Names returns a short name for each benchmark in the report; see [Names].
func (r *Report) Names() map[Benchmark]string {
	all := slices.Concat(r.OnlyBase, r.OnlyHead, r.First)
	for i := range r.Results {
		all = append(all, r.Results[i].Benchmark)
	}
	return Names(all)
}

// label returns the name of the benchmark, with the distance if that matters.
func (r *Result) label(names map[Benchmark]string) string {
	name := names[r.Benchmark]
	if r.Distance != results.Local && r.Distance != results.Unknown {
		name += " " + clean(string(r.Distance))
	}
	return name
}

// wording returns the change as reports write it.
func (r *Result) wording() wording.Change {
	return wording.Change{From: r.Old, By: r.Change, Lo: r.Lo, Hi: r.Hi, Signed: r.Signed, Exact: r.Exact}
}

func (r *Result) value(v float64) string { return r.wording().Value(v) }
func (r *Result) change() string         { return r.wording().String() }
func (r *Result) interval() string       { return r.wording().Interval() }
func (r *Result) bounded(v float64) bool { return r.wording().Bounded(v) }

// apart writes how far the changes of pairs of binaries are apart.
func (r *Result) apart() string {
	if r.Exact {
		return ""
	}
	if math.IsNaN(r.Spread) || math.IsInf(r.Spread, 0) {
		return "-"
	}
	return "±" + percent(r.Spread)
}

// margin writes the margin, "" if it is that of the rules, or if there is none.
func (r *Report) margin(res *Result) string {
	if res.Margin == r.Rules.withDefaults().Margin || res.Margin == 0 {
		return ""
	}
	return round(res.Margin)
}

// unpaired explains the mark of results whose sides were not measured together, ""
// if there are none.
func unpaired(rows []*Result) string {
	drift, any := 0.0, false
	for _, res := range rows {
		if res.Unpaired {
			drift, any = max(drift, res.Drift), true
		}
	}
	switch {
	case !any:
		return ""
	case drift > 0:
		return fmt.Sprintf("the sides were not measured together, and may have drifted apart: %s is allowed for that, beside the margin", round(drift))
	}
	return "the sides were not measured together: a drift between them would look like a change"
}

// pairs writes how many pairs there are, with a mark if they are none.
func (r *Result) pairs() string {
	if r.Unpaired {
		return strconv.Itoa(r.N) + "?"
	}
	return strconv.Itoa(r.N)
}

// word returns the verdict, or that the result passes and is better.
func (r *Result) word() string {
	if r.Verdict == Pass && r.Improved() {
		return "improved"
	}
	return r.Verdict.String()
}

// plain reports whether r passes, and there is nothing to say about it.
func (r *Result) plain() bool {
	return r.Verdict == Pass && !r.Improved() && !r.again() && !(r.Exact && r.bad(r.Change) > 0)
}

// again reports whether r was suspect at first, and has been measured afresh.
func (r *Result) again() bool { return r.Rounds > r.N }

// explained reports whether it has to be said why the verdict is what it is.
func (r *Result) explained() bool {
	return r.Verdict != Pass || !r.plain() && !r.Improved()
}

// worst returns how much worse r may be, as far as its interval goes; -1 if the
// interval does not end.
func (r *Result) worst() float64 {
	b := max(r.bad(r.Lo), r.bad(r.Hi))
	if !r.bounded(r.Lo) || !r.bounded(r.Hi) {
		return -1
	}
	return b
}

// advice says what is wrong with benchmarks that one side alone has, and what
// to do, a line each, no more than most of them.
func (r *Report) advice(names map[Benchmark]string, most int) (lines []string) {
	for i, b := range r.First {
		if i == most {
			lines = append(lines, fmt.Sprintf("new: %s more", thousands(len(r.First)-most)))
			break
		}
		lines = append(lines, fmt.Sprintf("new: %s: nothing to compare it to yet", elide(names[b], 200)))
	}
	for _, side := range []struct {
		what, why, flag string
		of              []Benchmark
	}{
		{"vanished", "only the base has it", "--removed", r.OnlyBase},
		{"new", "only the head has it", "--new", r.OnlyHead},
	} {
		for i, b := range side.of {
			if i == most {
				lines = append(lines, fmt.Sprintf("%s: %s more", side.what, thousands(len(side.of)-most)))
				break
			}
			lines = append(lines, fmt.Sprintf("%s: %s: %s", side.what, elide(names[b], 200), side.why))
		}
		if len(side.of) > 0 {
			lines = append(lines, fmt.Sprintf("if that is right, declare it with %s RE or in the configuration", side.flag))
		}
	}
	return lines
}

// notJudged says which units were left out, and what to do.
func (r *Report) notJudged() string {
	if len(r.NotJudged) == 0 {
		return ""
	}
	return fmt.Sprintf("not judged, since it is not known whether more is better: %s; a line \"Unit %s better=lower\" (or higher) in the benchmark's output says so",
		elide(clean(strings.Join(r.NotJudged, ", ")), 500), elide(clean(r.NotJudged[0]), 100))
}
