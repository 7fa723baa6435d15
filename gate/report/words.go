package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Tally counts results. Those that are [gate.Result.Minor] are counted apart.
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
	s := fmt.Sprintf("%s regressed, %s cannot tell, %s pass", wording.Thousands(t.Regressed), wording.Thousands(t.CannotTell), wording.Thousands(t.Pass))
	if t.Improved > 0 {
		s += fmt.Sprintf(" (%s improved)", wording.Thousands(t.Improved))
	}
	if t.NoVerdict > 0 {
		s += fmt.Sprintf(", %s without a verdict", wording.Thousands(t.NoVerdict))
	}
	return s + " of " + wording.Plural(t.Of(), "result")
}

// Tally counts the results.
func (d Document) Tally() (t Tally) {
	for i := range d.Results {
		res := row{&d.Results[i]}
		switch {
		case res.Minor:
			t.Minor++
		case res.Verdict == gate.Regressed:
			t.Regressed++
		case res.Verdict == gate.NoVerdict:
			t.NoVerdict++
		case res.Verdict == gate.CannotTell:
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

// headline returns the verdict in a sentence.
func (d Document) headline() string {
	t := d.Tally()
	var parts []string
	if n := len(d.Problems); n > 0 {
		parts = append(parts, wording.FirstLine(d.Problems[0]))
		if n > 1 {
			parts = append(parts, wording.Plural(n-1, "problem")+" more")
		}
	}
	switch {
	case t.Regressed > 0:
		parts = append(parts, fmt.Sprintf("%d of %s worse by more than the margin", t.Regressed, wording.IsAre(t.Of(), t.Regressed)))
	case t.NoVerdict > 0:
		parts = append(parts, fmt.Sprintf("%d of %s not judged, and none is known to be worse", t.NoVerdict, wording.IsAre(t.Of(), t.NoVerdict)))
	case t.CannotTell > 0:
		parts = append(parts, fmt.Sprintf("%d of %s too uncertain to judge, and none is known to be worse", t.CannotTell, wording.IsAre(t.Of(), t.CannotTell)))
	case t.Of() > 0:
		parts = append(parts, fmt.Sprintf("of %s none is worse by more than the margin", wording.Plural(t.Of(), "result")))
	case len(d.First) > 0:
		parts = append(parts, d.firstTally())
	case len(d.Problems) == 0:
		parts = append(parts, "nothing was compared")
	}
	if n := len(d.OnlyBase) + len(d.OnlyHead); n > 0 {
		parts = append(parts, "not whole: "+wording.Plural(n, "benchmark")+" on one side only")
	}
	if n := len(d.NotJudged); n > 0 {
		parts = append(parts, wording.Plural(n, "unit")+" not judged")
	}
	if len(d.Shapes) > 0 {
		parts = append(parts, d.shapesTally())
	}
	return d.Outcome().String() + ": " + strings.Join(parts, "; ")
}

// firstTally says that the benchmarks of the head are the first.
func (d Document) firstTally() string {
	return fmt.Sprintf("nothing to compare: the base has no benchmarks, and the head's %s may be new", wording.Thousands(len(d.First)))
}

// shapesTally counts what became of the shapes.
func (d Document) shapesTally() string {
	var n [gate.Regressed + 1]int
	for _, s := range d.Shapes {
		if !s.Minor {
			n[s.Verdict]++
		}
	}
	return fmt.Sprintf("shapes: %d regressed, %d cannot tell, %d pass", n[gate.Regressed], n[gate.CannotTell], n[gate.Pass])
}

// cost says how much was measured.
func (d Document) cost() string {
	s := wording.Plural(d.Rounds, "round")
	if d.Took > 0 {
		s += " in " + wording.Duration(d.Took)
	}
	return s
}

// sides says what was compared, "" if that is not known.
func (d Document) sides() string {
	if d.Base == "" && d.Head == "" {
		return ""
	}
	return fmt.Sprintf("base %s, head %s", wording.Clean(d.Base), wording.Clean(d.Head))
}

// confidence returns the confidence of the intervals: "99%".
func (d Document) confidence() string {
	return strconv.FormatFloat(100*d.Rules.WithDefaults().Confidence, 'g', 6, 64) + "%"
}

// label returns the name of the benchmark, with the distance if that matters.
func (r row) label(names map[gate.Benchmark]string) string {
	name := names[r.Benchmark]
	if r.Distance != results.Local && r.Distance != results.Unknown {
		name += " " + wording.Clean(string(r.Distance))
	}
	return name
}

// wording returns the change as reports write it.
func (r row) wording() wording.Change {
	return wording.Change{From: r.Old, By: r.Change, Lo: r.Lo, Hi: r.Hi, Signed: r.Signed, Exact: r.Exact}
}

func (r row) value(v float64) string { return r.wording().Value(v) }
func (r row) change() string         { return r.wording().String() }
func (r row) interval() string       { return r.wording().Interval() }
func (r row) bounded(v float64) bool { return r.wording().Bounded(v) }

// apart writes how far the changes of pairs of binaries are apart.
func (r row) apart() string {
	if r.Exact {
		return ""
	}
	if math.IsNaN(r.Spread) || math.IsInf(r.Spread, 0) {
		return "-"
	}
	return "±" + wording.Percent(r.Spread)
}

// margin writes the margin, "" if it is that of the rules, or if there is none.
func (d Document) margin(res row) string {
	if res.Margin == d.Rules.WithDefaults().Margin || res.Margin == 0 {
		return ""
	}
	return wording.Share(res.Margin)
}

// unpaired explains the mark of results whose sides were not measured together, ""
// if there are none.
func unpaired(rows []row) string {
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
		return fmt.Sprintf("the sides were not measured together, and may have drifted apart: %s is allowed for that, beside the margin", wording.Share(drift))
	}
	return "the sides were not measured together: a drift between them would look like a change"
}

// pairs writes how many pairs there are, with a mark if they are none.
func (r row) pairs() string {
	if r.Unpaired {
		return strconv.Itoa(r.N) + "?"
	}
	return strconv.Itoa(r.N)
}

// word returns the verdict, or that the result passes and is better.
func (r row) word() string {
	if r.Verdict == gate.Pass && r.Improved() {
		return "improved"
	}
	return r.Verdict.String()
}

// plain reports whether r passes, and there is nothing to say about it.
func (r row) plain() bool {
	return r.Verdict == gate.Pass && !r.Improved() && !r.again() && !(r.Exact && r.bad(r.Change) > 0)
}

// again reports whether r was suspect at first, and has been measured afresh.
func (r row) again() bool { return r.Rounds > r.N }

// explained reports whether it has to be said why the verdict is what it is.
func (r row) explained() bool {
	return r.Verdict != gate.Pass || !r.plain() && !r.Improved()
}

// worst returns how much worse r may be, as far as its interval goes; -1 if the
// interval does not end.
func (r row) worst() float64 {
	b := max(r.bad(r.Lo), r.bad(r.Hi))
	if !r.bounded(r.Lo) || !r.bounded(r.Hi) {
		return -1
	}
	return b
}

// advice says what is wrong with benchmarks that one side alone has, and what
// to do, a line each, no more than most of them.
func (d Document) advice(names map[gate.Benchmark]string, most int) (lines []string) {
	for i, b := range d.First {
		if i == most {
			lines = append(lines, fmt.Sprintf("new: %s more", wording.Thousands(len(d.First)-most)))
			break
		}
		lines = append(lines, fmt.Sprintf("new: %s: nothing to compare it to yet", wording.Elide(names[b], 200)))
	}
	for _, side := range []struct {
		what, why, flag string
		of              []gate.Benchmark
	}{
		{"vanished", "only the base has it", "--removed", d.OnlyBase},
		{"new", "only the head has it", "--new", d.OnlyHead},
	} {
		for i, b := range side.of {
			if i == most {
				lines = append(lines, fmt.Sprintf("%s: %s more", side.what, wording.Thousands(len(side.of)-most)))
				break
			}
			lines = append(lines, fmt.Sprintf("%s: %s: %s", side.what, wording.Elide(names[b], 200), side.why))
		}
		if len(side.of) > 0 {
			lines = append(lines, fmt.Sprintf("if that is right, declare it with %s RE or in the configuration", side.flag))
		}
	}
	return lines
}

// notJudged says which units were left out, and what to do.
func (d Document) notJudged() string {
	if len(d.NotJudged) == 0 {
		return ""
	}
	return fmt.Sprintf("not judged, since it is not known whether more is better: %s; a line \"Unit %s better=lower\" (or higher) in the benchmark's output says so",
		wording.Elide(wording.Clean(strings.Join(d.NotJudged, ", ")), 500), wording.Elide(wording.Clean(d.NotJudged[0]), 100))
}
