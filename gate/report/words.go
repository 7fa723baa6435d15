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

// A tally counts results. Results that are [gate.Result.Minor] are counted separately.
type tally struct {
	regressed, cannotTell, pass int
	improved                    int // of those that pass
	minor                       int
	noVerdict                   int
}

// of returns how many results count.
func (t tally) of() int { return t.regressed + t.noVerdict + t.cannotTell + t.pass }

// words writes the counts of results that are called noun: "12 times: 11 pass, 1
// regressed", or "12 times pass".
func (t tally) words(noun string) string {
	of := t.of()
	s := wording.Plural(of, noun)
	verb := func(one, more string) string {
		if of == 1 {
			return " " + one
		}
		return " " + more
	}
	improved := ""
	if t.improved > 0 {
		improved = fmt.Sprintf(" (%s improved)", wording.Thousands(t.improved))
	}
	switch of {
	case t.pass:
		return s + verb("passes", "pass") + improved
	case t.regressed:
		return s + " regressed"
	case t.cannotTell:
		return s + " cannot be told"
	case t.noVerdict:
		return s + " without a verdict"
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{t.pass, "pass" + improved}, {t.regressed, "regressed"}, {t.cannotTell, "cannot be told"}, {t.noVerdict, "without a verdict"}} {
		if p.n > 0 {
			parts = append(parts, wording.Thousands(p.n)+" "+p.what)
		}
	}
	return s + ": " + strings.Join(parts, ", ")
}

// tally counts the results for which of returns true.
func (d Document) tally(of func(row) bool) (t tally) {
	for i := range d.Results {
		res := row{&d.Results[i]}
		switch {
		case !of(res):
		case res.Minor:
			t.minor++
		case res.Verdict == gate.Regressed:
			t.regressed++
		case res.Verdict == gate.NoVerdict:
			t.noVerdict++
		case res.Verdict == gate.CannotTell:
			t.cannotTell++
		default:
			t.pass++
			if res.Improved() {
				t.improved++
			}
		}
	}
	return t
}

// all counts all results.
func (d Document) all() tally { return d.tally(func(row) bool { return true }) }

// nouns are the names of kinds of results, in the order in which they are counted.
var nouns = []string{"time", "allocation", "instruction count", "other metric", "benchmark"}

// noun returns the kind of a result, by its unit.
func (r row) noun() string {
	switch unit := r.Unit; {
	case unit == "":
		return "benchmark" // the whole benchmark: it failed, or was not measured
	case results.Counted(unit):
		return "allocation"
	case unit == results.Instructions:
		return "instruction count"
	case results.KindOf(unit) == results.KindTime:
		return "time"
	}
	return "other metric"
}

// counts writes the counts of the results, times and allocations separately, since
// readers judge their regressions differently. It is "" if there are none.
func (d Document) counts() string {
	var parts []string
	for _, noun := range nouns {
		if t := d.tally(func(r row) bool { return r.noun() == noun }); t.of() > 0 {
			parts = append(parts, t.words(noun))
		}
	}
	return strings.Join(parts, "; ")
}

// summary writes the result without the verdict.
func (d Document) summary() string {
	var parts []string
	if n := len(d.Problems); n > 0 {
		parts = append(parts, wording.FirstLine(d.Problems[0]))
		if n > 1 {
			parts = append(parts, wording.Plural(n-1, "problem")+" more")
		}
	}
	if s := d.counts(); s != "" {
		parts = append(parts, s)
	} else if len(d.Problems)+len(d.New)+len(d.Unchanged) == 0 && !d.alone() {
		parts = append(parts, "nothing was compared")
	}
	if n := len(d.New); n > 0 {
		s := wording.Plural(n, "new benchmark")
		if len(d.Results)+len(d.Unchanged) == 0 {
			s = "nothing to compare: the base has no benchmarks, and the head's " + wording.Thousands(n) + " may be new"
		}
		parts = append(parts, s)
	}
	if n := len(d.Unchanged); n > 0 {
		s := wording.Plural(n, "package")
		if d.counts() != "" {
			s = wording.Plural(n, "more package")
		}
		parts = append(parts, s+" the same on both sides, and not measured")
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
	if d.Interrupted {
		parts = append(parts, "ended before its time")
	}
	return strings.Join(parts, "; ")
}

// shapesTally counts the findings on the shapes.
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
	if paired, apart := d.kinds(); apart && !paired {
		s = wording.Plural(d.Rounds, "sample") + " a side"
	}
	if d.Took > 0 {
		s += " in " + wording.Duration(d.Took)
	}
	return s
}

// kinds reports whether there are results of pairs, and of samples, whose sides were not
// measured together.
func (d Document) kinds() (paired, apart bool) {
	for _, res := range d.Results {
		if !res.Exact && res.N > 0 {
			paired, apart = paired || !res.Unpaired, apart || res.Unpaired
		}
	}
	return paired, apart
}

// sides says what was compared, "" if that is not known.
func (d Document) sides() string {
	switch {
	case d.Base == "" && d.Head == "":
		return ""
	case d.Base == "": // only shapes are judged
		return wording.Clean(d.Head)
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

// apart writes how much the changes of pairs of binaries differ.
func (r row) apart() string {
	if r.Exact {
		return ""
	}
	if math.IsNaN(r.Spread) || math.IsInf(r.Spread, 0) {
		return "-"
	}
	return "±" + wording.Percent(r.Spread)
}

// margin writes the margin of a result, "" if it is that of the rules or there is none.
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
		return fmt.Sprintf("the sides were not measured together, and may have drifted apart: %s is allowed for that, in addition to the margin", wording.Share(drift))
	}
	return "the sides were not measured together: a drift between them would look like a change"
}

// pairs writes how many pairs there are, or how many samples of the smaller side, with a
// mark.
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
	return r.Verdict == gate.Pass && !r.Improved() && !(r.Exact && r.bad(r.Change) > 0)
}

// explained reports whether the report must give the reason of the verdict.
func (r row) explained() bool {
	return r.Verdict != gate.Pass || !r.plain() && !r.Improved()
}

// worst returns how much worse r may be, by its interval; -1 if the interval is
// infinite.
func (r row) worst() float64 {
	b := max(r.bad(r.Lo), r.bad(r.Hi))
	if !r.bounded(r.Lo) || !r.bounded(r.Hi) {
		return -1
	}
	return b
}

// same says which packages were not measured, and why, a line for each reason. A line
// names at most most of them.
func (d Document) same(most int) (lines []string) {
	packages := make(map[string][]string) // by reason
	var reasons []string
	for _, u := range d.Unchanged {
		why := wording.Clean(u.Why)
		if packages[why] == nil {
			reasons = append(reasons, why)
		}
		packages[why] = append(packages[why], wording.Clean(u.Pkg))
	}
	for _, why := range reasons {
		names := packages[why]
		more := ""
		if n := len(names) - most; n > 0 {
			names, more = names[:most], fmt.Sprintf(" and %s more", wording.Thousands(n))
		}
		lines = append(lines, fmt.Sprintf("not measured, since %s: %s%s", wording.Elide(why, 200), wording.Elide(strings.Join(names, ", "), 2000), more))
	}
	return lines
}

// advice says what is wrong with benchmarks that only one side has, and what to do, a
// line each, at most most lines.
func (d Document) advice(names map[gate.Benchmark]string, most int) (lines []string) {
	for i, b := range d.New {
		if i == most {
			lines = append(lines, fmt.Sprintf("new: %s more", wording.Thousands(len(d.New)-most)))
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
