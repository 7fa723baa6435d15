package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/internal/golden"
	"github.com/lockbench/lockbench/results"
)

var (
	nan = math.NaN()
	inf = math.Inf(1)
)

// measured returns a result in ns/op.
func measured(name string, v gate.Verdict, why string, old, change, half, noise float64, n int) gate.Result {
	pkg, name, ok := strings.Cut(name, ".")
	if !ok {
		pkg, name = "", pkg
	}
	return gate.Result{
		Benchmark: gate.Benchmark{Pkg: "example.org/locks/" + pkg, Name: name},
		Unit:      "ns/op", Better: -1, Distance: results.Local,
		Verdict: v, Why: why, N: n, Rounds: n,
		Old: old, New: old * (1 + change), Change: change, Lo: change - half, Hi: change + half,
		Spread: noise, Within: noise, Margin: 0.03, Evidence: 1,
	}
}

// Reasons as Compare writes them.
const (
	found     = "the whole interval is beyond the margin, and was again with new binaries"
	within    = "the whole interval is within the margin"
	noisy     = "the base differs from itself by as much as the margin"
	straddles = "the margin is within the interval"
	notAgain  = "suspect at first, not so with new binaries"
)

// rich returns a report with everything that a report can have.
func rich() report.Document {
	r := document(&gate.Report{
		Base: "main (1f3c9ab)", Head: "worktree", Verdict: gate.Regressed,
		Results: []gate.Result{
			measured("mutex.Lock/cs=0-2", gate.Regressed, found, 12.31, 0.081, 0.009, 0.012, 120),
			measured("table/v2.Load/size=1000000/hit=100%/lock=phase-fair-ticket-rwlock-2", gate.Regressed, found, 1234.5, 0.043, 0.005, 0.004, 240),
			measured("mutex.Throughput-2", gate.Regressed, found, 81_234_567, -0.05, 0.008, 0.01, 160),
			measured("table/v2.Store", gate.Regressed, "the values do not vary, and the head's is worse", 0, inf, 0, 0, 10),
			measured("mutex.Lock/cs=100-2", gate.CannotTell, noisy, 340, 0.021, 0.04, 0.051, 400),
			measured("mutex.Lock/cs=100-2", gate.CannotTell, "4 pairs, want at least 10", 410, 0.01, inf, inf, 4),
			measured("mutex.Lock/cs=1000-2", gate.CannotTell, straddles, 1840, 0.028, 0.006, 0.005, 400),
			measured("table/v2.Range", gate.CannotTell, straddles, 0.0213, 0.02, 0.1, nan, 20),
			{Benchmark: gate.Benchmark{Pkg: "example.org/other/table", Name: "Gone|`x`"}, Verdict: gate.CannotTell, Why: "not measured: there was no round of it",
				Old: nan, New: nan, Change: nan, Lo: nan, Hi: nan, Spread: nan, Within: nan},
			measured("mutex.TryLock-2", gate.Pass, notAgain, 5.02, 0.011, 0.004, 0.006, 40),
			measured("table/v2.Delete", gate.Pass, "the values do not vary, and the head's is worse by no more than the margin", 100, 0.01, 0, 0, 10),
			measured("table/v2.Delete", gate.Pass, within, 88.8, 0.002, 0.07, 0.02, 40),
			measured("table/v2.Len", gate.Pass, within, 1.25, 0.0004, 0.003, 0.002, 20),
			measured("mutex.Unlock", gate.Pass, within, 2.5, -0.0001, 0.002, 0.001, 20),
			measured("table/v2.Len", gate.Pass, "the values do not vary, and are the same", 0, 0, 0, 0, 10),
			measured("mutex.Fair-2", gate.Pass, within, 0.93, 0.08, 0.02, 0.01, 40),
			measured("table/v2.Clone", gate.Pass, within, 180_000, -0.38, 0.02, 0.01, 20),
			measured("table/v2.Clone", gate.Pass, "the values do not vary, and the head's is better", 12, -0.25, 0, 0, 10),
		},
		OnlyBase:  []gate.Benchmark{{Pkg: "example.org/locks/mutex", Name: "LockSlow-2"}},
		OnlyHead:  []gate.Benchmark{{Pkg: "example.org/locks/mutex", Name: "LockFast-2"}, {Pkg: "example.org/locks/mutex", Name: "LockFaster-2"}},
		NotJudged: []string{"widgets/op", "rtt-ns"},
		Warnings: []string{
			"3 readings left out: the CPUs came nearer to each other, or went farther apart, in the middle",
			"the host took 4 % of the CPUs' time <steal> while 100 | rounds were measured",
		},
		Took: 130 * time.Second, Rounds: 412,
	})
	of := func(i int) *gate.Result { return &r.Results[i] }
	of(0).Distance, of(0).Confirmed, of(0).Rounds = results.Near, true, 160
	of(1).Confirmed, of(1).Margin = true, 0.02
	of(2).Unit, of(2).Better, of(2).Confirmed = "ops/s", +1, true
	for _, i := range []int{3, 10, 14, 17} {
		of(i).Exact, of(i).Margin = true, 0
		of(i).Lo, of(i).Hi = of(i).Change, of(i).Change
	}
	of(3).Unit, of(3).New = "allocs/op", 1
	of(4).Distance = results.Near
	of(5).Distance, of(5).Minor, of(5).Lo, of(5).Hi = results.Far, true, -1, inf
	of(7).Unpaired, of(7).Drift = true, 0.05
	of(9).Rounds = 60
	of(10).Unit, of(10).Margin = "lines/op", 0.02
	of(11).Margin = 0.1
	of(14).Unit = "allocs/op"
	of(15).Unit, of(15).Better = "jain", +1
	of(17).Unit = "allocs/op"
	return r
}

// document returns a document without shapes.
func document(r *gate.Report) report.Document { return report.Document{Report: r} }

// plain returns a report with one result that passes.
func plain() report.Document {
	return document(&gate.Report{
		Base: "v1.2.0", Head: "v1.2.1",
		Results: []gate.Result{measured("mutex.Unlock", gate.Pass, within, 2.5, -0.0001, 0.002, 0.001, 20)},
		Took:    812 * time.Millisecond, Rounds: 20,
	})
}

// alone returns a report with benchmarks of one side only.
func alone() report.Document {
	return document(&gate.Report{OnlyBase: []gate.Benchmark{{Name: "A"}, {Pkg: "p/q", Name: "A"}}})
}

// many returns a report with n results, of which 1 in 50 cannot be told, and one
// regressed.
func many(n int) report.Document {
	r := document(&gate.Report{Base: "a", Head: "b", Verdict: gate.Regressed, Took: 290 * time.Second, Rounds: 5000})
	for i := range n {
		name := fmt.Sprintf("p%02d.Benchmark/size=%d/kind=%s-2", i%20, i, []string{"read", "write", "mixed"}[i%3])
		res := measured(name, gate.Pass, within, 1+float64(i%977), 0.01*math.Sin(float64(i)), 0.005, 0.004, 40)
		if i%50 == 7 {
			res.Verdict, res.Why, res.Hi, res.Spread = gate.CannotTell, noisy, 0.05, 0.06
		}
		if i == 3 {
			res = measured(name, gate.Regressed, found, 100, 0.08, 0.01, 0.004, 120)
		}
		r.Results = append(r.Results, res)
	}
	slices.SortStableFunc(r.Results, func(a, b gate.Result) int { return int(b.Verdict) - int(a.Verdict) })
	return r
}

func text(t *testing.T, r report.Document, o report.TextOptions) string {
	t.Helper()
	var b strings.Builder
	if err := report.Text(&b, r, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestText(t *testing.T) {
	golden.Check(t, "rich.text", text(t, rich(), report.TextOptions{}))
	golden.Check(t, "narrow.text", text(t, rich(), report.TextOptions{Width: 80}))
	golden.Check(t, "wide.text", text(t, rich(), report.TextOptions{Width: 160, Passes: 2}))
	golden.Check(t, "color.text", text(t, rich(), report.TextOptions{Width: 160, Color: true}))
	golden.Check(t, "compare.text", text(t, rich(), report.TextOptions{Width: 130, NoVerdict: true}))
	golden.Check(t, "plain.text", text(t, plain(), report.TextOptions{}))
	golden.Check(t, "alone.text", text(t, alone(), report.TextOptions{}))
	golden.Check(t, "empty.text", text(t, document(new(gate.Report)), report.TextOptions{}))
	golden.Check(t, "many.text", text(t, many(2000), report.TextOptions{}))
}

func TestTextIsNoWiderThanAsked(t *testing.T) {
	for _, width := range []int{80, 100, 120, 200} {
		for _, line := range strings.Split(text(t, rich(), report.TextOptions{Width: width}), "\n") {
			// A long name is not broken.
			if n := utf8.RuneCountInString(line); n > width && !strings.Contains(line, "phase-fair") {
				t.Errorf("width %d: %d characters: %s", width, n, line)
			}
		}
	}
}

func TestTextShows(t *testing.T) {
	r := many(2000)
	rows := func(o report.TextOptions) int {
		return strings.Count(text(t, r, o), "ns/op") + strings.Count(text(t, r, o), "/size=")
	}
	for _, test := range []struct {
		o    report.TextOptions
		want int
	}{
		{report.TextOptions{}, 1 + 1 + 40 + 10}, // the title, regressed, cannot tell, pass
		{report.TextOptions{Passes: 3}, 1 + 1 + 40 + 3},
		{report.TextOptions{Passes: -1}, 1 + 1 + 40},
		{report.TextOptions{Verbose: true}, 1 + 2000},
	} {
		if got := rows(test.o); got != test.want {
			t.Errorf("%+v: %d lines, want %d", test.o, got, test.want)
		}
	}
}

// A report that compares nothing, or only a part, never says that it passes.
func TestNotWholeIsNoPass(t *testing.T) {
	one := plain()
	one.OnlyHead = []gate.Benchmark{{Name: "New"}}
	for _, r := range []report.Document{alone(), document(new(gate.Report)), one} {
		s := text(t, r, report.TextOptions{})
		if r.Whole() || strings.Contains(s, "\npass:") || strings.HasPrefix(s, "pass:") {
			t.Errorf("whole: %t\n%s", r.Whole(), s)
		}
	}
	if !plain().Whole() {
		t.Error("not whole, want whole")
	}
}

// A limited is a writer with room for a number of bytes.
type limited struct{ room int }

var errFull = errors.New("full")

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.room {
		n := l.room
		l.room = 0
		return n, errFull
	}
	l.room -= len(p)
	return len(p), nil
}

func TestWriteErrors(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"text":     func(w io.Writer) error { return report.Text(w, rich(), report.TextOptions{}) },
		"markdown": func(w io.Writer) error { return report.Markdown(w, rich(), report.MarkdownOptions{}) },
		"github":   func(w io.Writer) error { return report.GitHub(w, rich(), report.GitHubOptions{}) },
		"json":     func(w io.Writer) error { return report.JSON(w, rich()) },
		"junit":    func(w io.Writer) error { return report.JUnit(w, rich(), report.JUnitOptions{}) },
	} {
		var whole bytes.Buffer
		if err := write(&whole); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, room := range []int{0, 1, whole.Len() / 2, whole.Len() - 1} {
			if err := write(&limited{room}); !errors.Is(err, errFull) {
				t.Errorf("%s, room for %d bytes: error %v, want %v", name, room, err, errFull)
			}
		}
	}
}

// In each format the new value is the base with the change: the ratio of the medians of
// the two sides may be another, if the speed of the machine changes between rounds.
func TestNumbersAgree(t *testing.T) {
	r := plain()
	res := measured("mutex.Lock", gate.Regressed, found, 305, 0.299, 0.004, 0.002, 40)
	res.New = 455
	r.Results, r.Verdict = []gate.Result{res}, gate.Regressed
	var md, gh, ju, js strings.Builder
	for _, err := range []error{
		report.Markdown(&md, r, report.MarkdownOptions{}), report.GitHub(&gh, r, report.GitHubOptions{}),
		report.JUnit(&ju, r, report.JUnitOptions{}), report.JSON(&js, r),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for format, of := range map[string]struct{ text, want string }{
		"text":     {text(t, r, report.TextOptions{}), "305  396  +29.9%"},
		"markdown": {md.String(), "| 305 | 396 | +29.9% |"},
		"github":   {gh.String(), "+29.9%25, from 305 to 396 ns/op"},
		"junit":    {ju.String(), "+29.9%, from 305 to 396 ns/op"},
		"json":     {js.String(), "\"old\": 305,\n\t\t\t\"new\": 396.195,\n\t\t\t\"head_median\": 455,"},
	} {
		if !strings.Contains(of.text, of.want) || strings.Contains(of.text, "455 ns") {
			t.Errorf("%s: want %q in\n%s", format, of.want, of.text)
		}
	}
	back, err := report.ReadJSON(strings.NewReader(js.String()))
	if err != nil || back.Results[0].New != 455 {
		t.Errorf("from JSON: %v, want the head's median", err)
	}
	for _, test := range []struct{ from, to, change, want float64 }{
		{-5, 100, 21, 100}, {-100, 7, 0.95, -5}, {100, 7, -2, -100}, {0, 5, inf, 5}, {0, -5, -inf, -5}, {3, 4, nan, 4},
	} {
		r := gate.Result{Old: test.from, New: test.to, Change: test.change, Signed: true}
		if got := r.Becomes(); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%g with a change of %g becomes %g, want %g", test.from, test.change, got, test.want)
		}
	}
}
