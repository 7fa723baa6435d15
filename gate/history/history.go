// Package history keeps the results of benchmarks, one run in each file of a directory,
// and finds the runs at which a benchmark became faster or slower.
package history

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchmath"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/results"
)

// A History is the contents of a directory of files in the benchmark format, one run in
// each, in the order of the runs.
type History struct {
	Dir    string   // as it was opened
	Runs   []Run    // the oldest first
	Trends []*Trend // by benchmark, unit and distance
	FDR    float64  // of the change points, once [History.Find] was called

	// Warnings is what a reader should know.
	Warnings []string
}

// A Run is one file of a history.
type Run struct {
	File   string    // its name, without the directory
	Date   time.Time // "# date: ..."; zero if there is none
	Commit string    // "# commit: ..."; "" if there is none
}

// String returns the day and the commit, or the name of the file.
func (r Run) String() string {
	if r.Date.IsZero() {
		return r.File
	}
	s := r.Date.UTC().Format(time.DateOnly)
	if r.Commit != "" {
		s += " " + r.Commit[:min(len(r.Commit), 10)]
	}
	return s
}

// A Trend is one unit of one benchmark over the runs, on one machine and at one
// distance of the CPUs.
type Trend struct {
	gate.Benchmark
	Unit     string
	Better   int // +1 if more is better, -1 if less is, 0 if that is not known
	Distance results.Distance
	Machine  string // as the files describe it

	Points  []Point       // in the order of the runs; one that lacks the benchmark has none
	Changes []ChangePoint // in the order of the runs, once [History.Find] was called

	// Correlation is the correlation of a run with the one before, from -1 to 1. If it
	// is far from 0, the machine drifts from run to run, and some changes are the
	// machine's.
	Correlation float64
}

// A Point is the result of one run: a median and, with six samples or more, its 95 %
// interval. With fewer the bounds are infinite.
type Point struct {
	Run            int     // index in [History.Runs]
	N              int     // samples
	Median, Lo, Hi float64 // in the unit of the trend
}

// A ChangePoint is a run at which a benchmark became faster or slower.
type ChangePoint struct {
	Point         int     // index in [Trend.Points] of the first after the change
	Run           int     // and in [History.Runs]
	Before, After int     // points back to the previous change, and up to the next
	From, To      float64 // their medians
	P             float64 // probability of such a change in random order

	// Change is To/From-1, as the median over all pairs of points, and Lo and
	// Hi are its 95 % interval, if this is a change at all.
	Change, Lo, Hi float64

	Signed bool // as in [gate.Result]
}

// Becomes returns the median before the change, changed by it, which is what reports
// show. It need not be the median after the change; see [gate.Result.Becomes].
func (c ChangePoint) Becomes() float64 { return gate.Becomes(c.From, c.To, c.Change, c.Signed) }

// Regression reports whether c is a change of t for the worse.
func (t *Trend) Regression(c ChangePoint) bool { return float64(t.Better)*c.Change < 0 }

// LeastRuns is how many runs a trend needs before change points are searched for: twice
// as many as there must be on either side.
const LeastRuns = 2 * leastSegment

// Few reports whether t has too few points to look for a change.
func (t *Trend) Few() bool { return len(t.Points) < LeastRuns }

// Drifts reports whether neighbouring runs are more alike than chance explains, in
// which case a change point may be a drift of the machine.
func (t *Trend) Drifts() bool {
	n := float64(len(t.Points))
	return n >= 20 && t.Correlation > max(0.3, 3.5/math.Sqrt(n))
}

// isRun reports whether a file with that name is a run.
func isRun(name string) bool {
	ext := filepath.Ext(name)
	return !strings.HasPrefix(name, ".") && (ext == ".txt" || ext == ".bench")
}

// Read reads the files in dir whose names end in .txt or .bench. They are in
// the order of their dates, or of their names if one has none. The error joins all
// that is wrong with any of them.
func Read(dir string) (*History, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	h := &History{Dir: dir}
	var files []*results.RecordFile
	var errs []error
	var undated []string
	for _, e := range entries {
		if !isRun(e.Name()) {
			continue
		}
		f, err := results.ReadRecordFile(filepath.Join(dir, e.Name()))
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r := Run{File: e.Name(), Commit: f.Noted("commit")}
		if text := f.Noted("date"); text != "" {
			if r.Date, err = parseDate(text); err != nil {
				errs = append(errs, fmt.Errorf("%s: date: want one such as 2026-11-21T22:08:00Z, have %q", f.Name, text))
			}
		} else {
			undated = append(undated, e.Name())
		}
		h.Runs, files = append(h.Runs, r), append(files, f)
	}
	if len(h.Runs) == 0 && len(errs) == 0 {
		errs = append(errs, fmt.Errorf("%s: no runs: want files in the Go benchmark format, *.txt or *.bench", dir))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}

	order := make([]int, len(files)) // by name so far
	for i := range order {
		order[i] = i
	}
	switch len(undated) {
	case 0:
		slices.SortStableFunc(order, func(a, b int) int { return h.Runs[a].Date.Compare(h.Runs[b].Date) })
	case len(files):
	default:
		h.Warnings = append(h.Warnings, fmt.Sprintf("the runs are in the order of their names, since %s no \"# date:\"", have(undated)))
	}
	runs := h.Runs
	h.Runs = nil
	of := make(map[key]*Trend)
	var odd []string // values that make no sense
	for i, k := range order {
		h.Runs = append(h.Runs, runs[k])
		h.add(i, files[k], of, &odd)
	}
	if len(odd) > 0 {
		what := odd[0]
		if n := len(odd); n > 1 {
			what += fmt.Sprintf(" (and %d more)", n-1)
		}
		if len(of) == 0 {
			return nil, fmt.Errorf("%w: no reading makes sense: %s", gate.ErrNothing, what)
		}
		h.Warnings = append(h.Warnings, "left out what makes no sense: "+what)
	}
	h.Trends = slices.SortedFunc(maps.Values(of), func(a, b *Trend) int {
		return cmp.Or(cmp.Compare(a.Pkg, b.Pkg), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Unit, b.Unit),
			cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Machine, b.Machine))
	})
	return h, nil
}

// have returns the words that some files have.
func have(names []string) string {
	if len(names) == 1 {
		return names[0] + " has"
	}
	return fmt.Sprintf("%s and %d more have", names[0], len(names)-1)
}

func parseDate(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New("no date")
}

type key struct {
	gate.Benchmark
	unit     string
	distance results.Distance
	machine  string
}

// add adds the i'th run. It skips readings during which the distance changed, and
// appends values that make no sense to odd.
func (h *History) add(i int, f *results.RecordFile, of map[key]*Trend, odd *[]string) {
	var machine []string
	for _, s := range []string{f.Machine, f.CPU, f.GOOS, f.GOARCH} {
		if s != "" && s != "host" {
			machine = append(machine, s)
		}
	}
	values := make(map[key][]float64)
	for _, r := range f.Records {
		if r.Distance == results.Mixed {
			continue
		}
		for _, v := range r.Values {
			if err := v.Validate(); err != nil {
				*odd = append(*odd, fmt.Sprintf("%s:%d: %v", f.Name, r.Line, err))
				continue
			}
			k := key{gate.Benchmark{Pkg: r.Pkg, Name: r.Name}, v.Unit, r.Distance, strings.Join(machine, ", ")}
			values[k] = append(values[k], v.Value)
		}
	}
	for k, vs := range values {
		t := of[k]
		if t == nil {
			t = &Trend{Benchmark: k.Benchmark, Unit: k.unit, Distance: k.distance, Machine: k.machine}
			of[k] = t
		}
		// The last file that declares it counts.
		t.Better = cmp.Or(f.Declared.Better(k.unit), t.Better)
		m := benchmath.AssumeNothing.Summary(benchmath.NewSample(vs, &benchmath.DefaultThresholds), 0.95)
		if math.IsInf(m.Lo, 0) || math.IsInf(m.Hi, 0) {
			m.Lo, m.Hi = math.Inf(-1), math.Inf(+1)
		}
		t.Points = append(t.Points, Point{Run: i, N: len(vs), Median: m.Center, Lo: m.Lo, Hi: m.Hi})
	}
}

// Select keeps only the benchmarks that bench matches (package, dot, name without
// Benchmark), and only units; nil means all. It is an error if nothing is left.
func (h *History) Select(bench *regexp.Regexp, units []string) error {
	all := h.Trends
	h.Trends = nil
	have := make(map[string]bool)
	var named []*Trend
	for _, t := range all {
		have[t.Unit] = true
		if bench == nil || bench.MatchString(t.Benchmark.String()) {
			named = append(named, t)
		}
	}
	for _, t := range named {
		if units == nil || slices.Contains(units, t.Unit) {
			h.Trends = append(h.Trends, t)
		}
	}
	switch {
	case len(named) == 0:
		hint := ""
		if strings.Contains(bench.String(), "Benchmark") {
			hint = " (names are without the word Benchmark)"
		}
		return fmt.Errorf("'%v' matches no benchmark in %s%s", bench, h.Dir, hint)
	case len(h.Trends) == 0:
		return fmt.Errorf("no benchmark with %s in %s (known: %s)", strings.Join(units, ", "), h.Dir, strings.Join(slices.Sorted(maps.Keys(have)), ", "))
	}
	return nil
}

// Find searches all trends for change points. On average at most a share fdr of them is
// false, as long as runs are independent (see [Trend.Drifts]).
//
// Each test of a trend, and of a part of a trend, counts as one of those among which
// Benjamini and Hochberg's procedure controls that share; a part is tested only if the
// whole was cut.
func (h *History) Find(fdr float64) {
	h.FDR = fdr
	s := new(segmenter)
	found := make([][]cut, len(h.Trends))
	var ps []float64
	for i, t := range h.Trends {
		values := t.medians()
		t.Correlation, t.Changes = correlation(values), nil
		if t.Few() {
			continue
		}
		found[i] = s.cuts(values, fdr)
		for _, c := range found[i] {
			ps = append(ps, c.p)
		}
	}
	limit := benjaminiHochberg(ps, s.tests, fdr)
	for i, t := range h.Trends {
		values := t.medians()
		cuts := slices.DeleteFunc(found[i], func(c cut) bool { return c.p > limit })
		for k, c := range cuts {
			before, after := neighbours(values, cuts, k)
			change, lo, hi, signed := gate.Shift(before, after, 0.05)
			t.Changes = append(t.Changes, ChangePoint{
				Point: c.at, Run: t.Points[c.at].Run,
				Before: len(before), After: len(after),
				From: gate.Median(before), To: gate.Median(after), P: c.p,
				Change: change, Lo: lo, Hi: hi, Signed: signed,
			})
		}
	}
}

func (t *Trend) medians() []float64 {
	values := make([]float64, len(t.Points))
	for i, p := range t.Points {
		values[i] = p.Median
	}
	return values
}

// A Found is a change point with its trend.
type Found struct {
	*Trend
	ChangePoint
}

// Found returns all change points, from the largest regression to the largest
// improvement; then those in units without a known direction.
func (h *History) Found() (all []Found) {
	for _, t := range h.Trends {
		for _, c := range t.Changes {
			all = append(all, Found{t, c})
		}
	}
	size := func(f Found) float64 {
		if f.Signed {
			return math.Abs(f.Change)
		}
		return math.Abs(math.Log1p(f.Change))
	}
	class := func(f Found) int {
		switch change := float64(f.Better) * f.Change; {
		case change < 0:
			return 0
		case change > 0:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b Found) int {
		return cmp.Or(cmp.Compare(class(a), class(b)), -cmp.Compare(size(a), size(b)), cmp.Compare(b.Run, a.Run))
	})
	return all
}

// Regressed returns the trends whose last change point is a regression within the
// last runs of the history.
func (h *History) Regressed(last int) (of []Found) {
	for _, f := range h.Found() {
		latest := f.Changes[len(f.Changes)-1]
		if f.ChangePoint == latest && f.Regression(latest) && latest.Run >= len(h.Runs)-last {
			of = append(of, f)
		}
	}
	return of
}

// Record adds a run to the history in dir, which it makes if needed: the head's medians
// of a report. It returns the name of the file, which is written completely or not at
// all.
func Record(dir string, date time.Time, commit string, facts results.Facts, r *gate.Report) (name string, err error) {
	facts.Notes = slices.DeleteFunc(slices.Clone(facts.Notes), func(n results.Note) bool { return n.Key == "date" || n.Key == "commit" })
	facts.Note("date", date.UTC().Format(time.RFC3339))
	facts.Note("commit", commit)
	f := &results.RecordFile{Facts: facts, Declared: make(results.Directions)}
	at := make(map[key]int)
	for _, res := range r.Results {
		if res.N == 0 || (results.Value{Unit: res.Unit, Value: res.New}).Validate() != nil {
			continue
		}
		k := key{Benchmark: res.Benchmark, distance: res.Distance}
		i, ok := at[k]
		if !ok {
			i = len(f.Records)
			at[k] = i
			f.Records = append(f.Records, results.Record{Pkg: res.Pkg, Name: res.Name, Distance: res.Distance, Ops: res.N})
		}
		f.Records[i].Values = append(f.Records[i].Values, results.Value{Unit: res.Unit, Value: res.New})
		if res.Better != 0 {
			f.Declared[res.Unit] = res.Better
		}
	}
	if len(f.Records) == 0 {
		return "", fmt.Errorf("history: %w", gate.ErrNothing)
	}
	slices.SortStableFunc(f.Records, func(a, b results.Record) int {
		return cmp.Or(cmp.Compare(a.Pkg, b.Pkg), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Distance, b.Distance))
	})
	for i := range f.Records {
		slices.SortFunc(f.Records[i].Values, func(a, b results.Value) int { return cmp.Compare(a.Unit, b.Unit) })
	}

	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	base := date.UTC().Format("20060102T150405Z")
	if word := word(commit); word != "" {
		base += "-" + word
	}
	for i := 1; ; i++ {
		name = filepath.Join(dir, base+".txt")
		if i > 1 {
			name = filepath.Join(dir, fmt.Sprintf("%s-%d.txt", base, i))
		}
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, atomicfile.Write(name, f.Write)
		} else if err != nil {
			return "", err
		}
	}
}

// word returns the beginning of a commit for use in a file's name.
func word(commit string) string {
	word := strings.Map(func(r rune) rune {
		if r < 0x80 && (r == '.' || r == '_' || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z') {
			return r
		}
		return '-'
	}, commit)
	return word[:min(len(word), 12)]
}
