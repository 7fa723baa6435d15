package history_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/history"
	"github.com/lockbench/lockbench/internal/golden"
	"github.com/lockbench/lockbench/results"
)

// day returns the date of the i'th run.
func day(i int) time.Time { return time.Date(2026, 10, 1+i, 12, 0, 0, 0, time.UTC) }

// writeHistory writes runs as go test -count 6 prints them: Sum, which is 5 % slower
// from run 25 on; Mul, which does not change except for a spike; Div, which allocates
// once more from run 15 on; and New, which exists for 4 runs only.
func writeHistory(t *testing.T, dir string, runs int) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range runs {
		var b strings.Builder
		fmt.Fprintf(&b, "# date: %s\n# commit: %07x%033d\ngoos: linux\ngoarch: amd64\npkg: example.org/p\ncpu: AMD EPYC\n", day(i).Format(time.RFC3339), 0xabc0de0+i, 0)
		sum, mul, allocs := 100.0, 50.0, 1
		if i >= 25 {
			sum *= 1.05
		}
		if i == 20 {
			mul *= 2
		}
		if i >= 15 {
			allocs = 2
		}
		drift := 1 + 0.01*random.NormFloat64()
		for range 6 {
			noise := func() float64 { return drift * (1 + 0.003*random.NormFloat64()) }
			fmt.Fprintf(&b, "BenchmarkSum/n=10-2\t1000\t%.2f ns/op\n", sum*noise())
			fmt.Fprintf(&b, "BenchmarkMul-2\t1000\t%.2f ns/op\t%.1f MB/s\n", mul*noise(), 4e3/mul*noise())
			fmt.Fprintf(&b, "BenchmarkDiv-2\t1000\t%d allocs/op\n", allocs)
			if i >= runs-4 {
				fmt.Fprintf(&b, "BenchmarkNew-2\t1000\t%.2f ns/op\n", 10*noise())
			}
		}
		b.WriteString("PASS\n")
		// The names have another order than the dates.
		name := filepath.Join(dir, fmt.Sprintf("%02d.txt", (i*7+3)%runs))
		if err := os.WriteFile(name, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	// Files that are no runs are skipped.
	for _, name := range []string{"README.md", ".run-123.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("# not a run\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func readHistory(t *testing.T, dir string) *history.History {
	t.Helper()
	h, err := history.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHistory(t *testing.T) {
	dir := t.TempDir()
	writeHistory(t, dir, 40)
	h := readHistory(t, dir)
	if len(h.Runs) != 40 || !slices.IsSortedFunc(h.Runs, func(a, b history.Run) int { return a.Date.Compare(b.Date) }) {
		t.Fatalf("got runs %v", h.Runs)
	}
	h.Find(0.05)
	found := h.Found()
	if len(found) != 2 {
		t.Fatalf("got %d change points, want 2: %+v", len(found), found)
	}
	div, sum := found[0], found[1]
	if div.Name != "Div-2" || div.Run != 15 || div.From != 1 || div.To != 2 || div.Change != 1 || !div.Regression(div.ChangePoint) {
		t.Errorf("got %+v %+v", div.Trend, div.ChangePoint)
	}
	if sum.Name != "Sum/n=10-2" || sum.Run != 25 || math.Abs(sum.Change-0.05) > 0.01 || !(sum.Lo < 0.05 && 0.05 < sum.Hi) || sum.Before != 25 || sum.After != 15 || sum.P > 1e-4 {
		t.Errorf("got %+v %+v", sum.Trend, sum.ChangePoint)
	}
	for last, want := range map[int]int{10: 0, 15: 1, 25: 2} {
		if got := h.Regressed(last); len(got) != want {
			t.Errorf("regressed in the last %d runs: %d, want %d", last, len(got), want)
		}
	}

	h.Dir = "results/history"
	var b strings.Builder
	if err := h.WriteText(&b, 0); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "history.text", b.String())
	b.Reset()
	if err := h.WriteMarkdown(&b); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "history.md", b.String())
	b.Reset()
	if err := h.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Version int `json:"schema_version"`
		Runs    []struct{ Date, Commit string }
		Changes []struct {
			Name       string
			Run        int
			Change, Lo float64
			Regression bool
		} `json:"change_points"`
		Trends []struct {
			Name string
			Few  bool `json:"too_few"`
		}
	}
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil {
		t.Fatal(err)
	}
	if back.Version != history.JSONVersion || len(back.Runs) != 40 || len(back.Changes) != 2 || back.Changes[1].Run != 25 || !back.Changes[1].Regression || back.Changes[1].Change != sum.Change || len(back.Trends) != 5 {
		t.Errorf("got %+v", back)
	}
}

func TestHistoryOfFew(t *testing.T) {
	dir := t.TempDir()
	writeHistory(t, dir, 9)
	h := readHistory(t, dir)
	h.Dir = "results/history"
	h.Find(0.05)
	var b strings.Builder
	if err := h.WriteText(&b, 0); err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "history-few.text", b.String())
}

func TestSelect(t *testing.T) {
	dir := t.TempDir()
	writeHistory(t, dir, 10)
	for _, test := range []struct {
		bench string
		units []string
		left  int
		err   string
	}{
		{".", nil, 5, ""},
		{`p\.Mul`, nil, 2, ""},
		{`.`, []string{"ns/op"}, 3, ""},
		{"BenchmarkMul", nil, 0, "'BenchmarkMul' matches no benchmark in " + dir + " (names are without the word Benchmark)"},
		{"Mul", []string{"B/op", "x"}, 0, "no benchmark with B/op, x in " + dir + " (known: MB/s, allocs/op, ns/op)"},
	} {
		h := readHistory(t, dir)
		err := h.Select(regexp.MustCompile(test.bench), test.units)
		if test.err == "" && err != nil || err != nil && err.Error() != test.err || len(h.Trends) != test.left {
			t.Errorf("%s %v: got %d, %v, want %d, %s", test.bench, test.units, len(h.Trends), err, test.left, test.err)
		}
	}
}

func TestHistoryErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := history.Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("directory that is not there: %v", err)
	}
	if _, err := history.Read(dir); err == nil || !strings.Contains(err.Error(), "no runs: want files in the Go benchmark format, *.txt or *.bench") {
		t.Errorf("empty directory: %v", err)
	}
	for name, text := range map[string]string{
		"a.txt": "BenchmarkA 1 1 ns/op\nBenchmarkB 1 fast ns/op\n",
		"b.txt": "",
		"c.txt": "# date: yesterday\nBenchmarkA 1 1 ns/op\n",
		"d.txt": "BenchmarkA 1 1 ns/op",
		"e.txt": "BenchmarkA 1 1 ns/op\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, err := history.Read(dir)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"a.txt:2: ", "b.txt:1: empty file", `c.txt: date: want one such as 2026-11-21T22:08:00Z, have "yesterday"`, "d.txt:"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
	if strings.Contains(err.Error(), "e.txt") {
		t.Errorf("got %v, and nothing is wrong with e.txt", err)
	}
}

// Runs without dates are in the order of their names, and so are all runs if one has no
// date.
func TestHistoryOrder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, date string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(date+"BenchmarkA 1 1 ns/op\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	order := func() string {
		var names []string
		for _, r := range readHistory(t, dir).Runs {
			names = append(names, r.File)
		}
		return strings.Join(names, " ")
	}
	write("b.txt", "")
	write("a.bench", "")
	if got := order(); got != "a.bench b.txt" || readHistory(t, dir).Warnings != nil {
		t.Errorf("without dates: got %s", got)
	}
	write("b.txt", "# date: 2026-01-01\n")
	if h := readHistory(t, dir); order() != "a.bench b.txt" || len(h.Warnings) != 1 {
		t.Errorf("with one date: got %s, %v", order(), h.Warnings)
	}
	write("a.bench", "# date: 2026-01-02\ndistance: mixed\nBenchmarkA 1 9 ns/op\ndistance:\n")
	if got := order(); got != "b.txt a.bench" {
		t.Errorf("with dates: got %s", got)
	}
	// A reading during which the distance changed does not count.
	if h := readHistory(t, dir); len(h.Trends) != 1 || h.Trends[0].Points[1].N != 1 || h.Trends[0].Points[1].Median != 1 {
		t.Errorf("got %+v", h.Trends)
	}
}

// Values without sense are left out with a warning, and are an error if there are no
// others.
func TestHistoryOddValues(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const odd = "BenchmarkA 1 NaN ns/op -1 B/op -3 score\nBenchmarkB 1 +Inf score\n"
	write(odd)
	want := "left out what makes no sense: " + filepath.Join(dir, "a.txt") + ":1: NaN ns/op: must be finite (and 2 more)"
	h := readHistory(t, dir)
	if len(h.Trends) != 1 || h.Trends[0].Unit != "score" || h.Trends[0].Points[0].Median != -3 || len(h.Warnings) != 1 || h.Warnings[0] != want {
		t.Errorf("got %+v, %q, want -3 score, and %q", h.Trends, h.Warnings, want)
	}
	write("BenchmarkA 1 NaN ns/op\n")
	if _, err := history.Read(dir); !errors.Is(err, gate.ErrNothing) {
		t.Errorf("NaN alone: error %v, want %v", err, gate.ErrNothing)
	}
}

// Of all change points found in many trends, a share no larger than the FDR is false:
// 100 of 1,000 have a step of 3 % in noise of 1 %.
func TestHistoryFDR(t *testing.T) {
	const trends, changed, runs, times = 200, 20, 40, 10
	random := rand.New(rand.NewPCG(5, 6))
	wrong, right, missed := 0, 0, 0
	for range times {
		h := new(history.History)
		for i := range trends {
			tr := &history.Trend{Benchmark: gate.Benchmark{Name: fmt.Sprint(i)}, Unit: "ns/op", Better: -1}
			for r := range runs {
				v := 100 * (1 + 0.01*random.NormFloat64())
				if i < changed && r >= 20 {
					v *= 1.03
				}
				tr.Points = append(tr.Points, history.Point{Run: r, N: 1, Median: v, Lo: math.Inf(-1), Hi: math.Inf(+1)})
			}
			h.Trends = append(h.Trends, tr)
		}
		h.Find(0.05)
		for i, tr := range h.Trends {
			hit := false
			for _, c := range tr.Changes {
				if i < changed && c.Run >= 17 && c.Run <= 23 {
					hit = true
				} else {
					wrong++
				}
			}
			if hit {
				right++
			} else if i < changed {
				missed++
			}
		}
	}
	fdr := float64(wrong) / float64(max(1, wrong+right))
	t.Logf("%d of %d change points false: %.3f; %d missed", wrong, wrong+right, fdr, missed)
	if fdr > 0.08 || missed > changed*times/20 {
		t.Errorf("%.3f of change points false, want 0.05; %d of %d missed", fdr, missed, changed*times)
	}
}

func TestRecord(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "results", "history")
	facts := results.Facts{GOOS: "linux", GOARCH: "amd64", CPU: "AMD EPYC", Machine: "host", Notes: []results.Note{{Key: "date", Text: "no"}, {Key: "go", Text: "go1.26"}}}
	report := &gate.Report{Results: []gate.Result{
		{Benchmark: gate.Benchmark{Pkg: "example.org/p", Name: "B-2"}, Unit: "ns/op", Better: -1, Distance: results.Near, N: 10, New: 61.25},
		{Benchmark: gate.Benchmark{Pkg: "example.org/p", Name: "A-2"}, Unit: "widgets", Better: +1, N: 12, New: 3},
		{Benchmark: gate.Benchmark{Pkg: "example.org/p", Name: "A-2"}, Unit: "ns/op", Better: -1, N: 12, New: 1e-3},
		{Benchmark: gate.Benchmark{Pkg: "example.org/p", Name: "None"}, New: math.NaN()},
	}}
	var names []string
	for range 2 {
		name, err := history.Record(dir, day(0), "0123456789abcdef/x", facts, report)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, filepath.Base(name))
	}
	if got := strings.Join(names, " "); got != "20261001T120000Z-0123456789ab.txt 20261001T120000Z-0123456789ab-2.txt" {
		t.Errorf("got %s", got)
	}
	h := readHistory(t, dir)
	if len(h.Runs) != 2 || !h.Runs[0].Date.Equal(day(0)) || h.Runs[0].Commit != "0123456789abcdef/x" || len(h.Trends) != 3 {
		t.Fatalf("got %+v", h)
	}
	for i, want := range []struct {
		name, unit string
		better     int
		v          float64
	}{{"A-2", "ns/op", -1, 1e-3}, {"A-2", "widgets", +1, 3}, {"B-2", "ns/op", -1, 61.25}} {
		tr := h.Trends[i]
		if tr.Name != want.name || tr.Unit != want.unit || tr.Better != want.better || len(tr.Points) != 2 || tr.Points[1].Median != want.v {
			t.Errorf("got %+v, want %+v", tr, want)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("left in the directory: %v, %v", left, err)
	}
	if _, err := history.Record(dir, day(0), "", facts, &gate.Report{}); !errors.Is(err, gate.ErrNothing) {
		t.Errorf("report of nothing: %v", err)
	}
}
