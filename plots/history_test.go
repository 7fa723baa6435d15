package plots_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/history"
	"github.com/lockbench/lockbench/plots"
)

// someHistory returns a history of trends in a unit, of which the i'th changes by
// steps[i] from its 20th run of 40 on.
func someHistory(unit string, better int, steps ...float64) *history.History {
	random := rand.New(rand.NewPCG(1, 2))
	h := &history.History{Dir: "results/history"}
	for r := range 40 {
		h.Runs = append(h.Runs, history.Run{File: fmt.Sprintf("%02d.txt", r), Date: time.Date(2026, 10, 1+r, 0, 0, 0, 0, time.UTC), Commit: "0123456789abcdef"})
	}
	for _, step := range steps {
		t := &history.Trend{Benchmark: gate.Benchmark{Pkg: "example.org/p", Name: "Sum/n=10-2"}, Unit: unit, Better: better}
		for r := range h.Runs {
			v := 100 * (1 + 0.005*random.NormFloat64())
			if r >= 20 {
				v *= 1 + step
			}
			t.Points = append(t.Points, history.Point{Run: r, N: 6, Median: v, Lo: v * .995, Hi: v * 1.005})
		}
		h.Trends = append(h.Trends, t)
	}
	h.Find(0.05)
	return h
}

func TestHistory(t *testing.T) {
	for _, test := range []struct {
		unit   string
		better int
		step   float64
		want   []string
	}{
		{"ns/op", -1, 0.1, []string{"Sum/n=10-2: 10", "% slower since 2026-10-21 0123456789, 110 ns instead of "}},
		{"ns/op", -1, -0.1, []string{"% faster since"}},
		{"MB/s", +1, -0.1, []string{"% less MB/s since", " instead of 100"}},
		{"ns/op", -1, 0, []string{"no change in 40 runs"}},
	} {
		h := someHistory(test.unit, test.better, test.step)
		f := plots.History(h, h.Trends[0])
		title := strings.ReplaceAll(f.Title, "\u00a0", " ")
		for _, want := range test.want {
			if !strings.Contains(title, want) {
				t.Errorf("title %q, want %q in it", title, want)
			}
		}
		if len(f.Notes) != len(h.Trends[0].Changes) {
			t.Errorf("notes %q", f.Notes)
		}
	}
}

// Only trends with a change are drawn, each in a file of its own.
func TestWriteHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pictures")
	files, err := plots.WriteHistory(dir, someHistory("ns/op", -1, 0.1, 0, 0.2), plots.Options{Formats: []string{"svg"}})
	if err != nil || len(files) != 2 {
		t.Fatalf("got %v, %v, want two", files, err)
	}
	for i, want := range []string{"history_Sum-n-10-2_ns-op.svg", "history_Sum-n-10-2_ns-op_2.svg"} {
		if filepath.Base(files[i].Path) != want {
			t.Errorf("file %s, want %s", files[i].Path, want)
		}
		data, err := os.ReadFile(files[i].Path)
		if err != nil || !strings.Contains(string(data), "</svg>") {
			t.Errorf("%s: %v", files[i].Path, err)
		}
	}
	if files, err := plots.WriteHistory(dir, someHistory("ns/op", -1, 0), plots.Options{}); err != nil || len(files) > 0 {
		t.Errorf("no change: got %v, %v", files, err)
	}
}

// A trend with any values can be drawn.
func TestHistoryOfOddities(t *testing.T) {
	for name, odd := range map[string]func(h *history.History){
		"no date":   func(h *history.History) { h.Runs[0].Date, h.Runs[20].Date = time.Time{}, time.Time{} },
		"from 0":    func(h *history.History) { setAll(h, func(r int) float64 { return float64(r / 20) }) },
		"all 0":     func(h *history.History) { setAll(h, func(int) float64 { return 0 }) },
		"huge":      func(h *history.History) { setAll(h, func(r int) float64 { return 1e300 * float64(1+r/20) }) },
		"one point": func(h *history.History) { h.Trends[0].Points = h.Trends[0].Points[:1] },
		"no bounds": func(h *history.History) { h.Trends[0].Points[3].Lo = math.Inf(-1) },
	} {
		h := someHistory("ns/op", -1, 0.1)
		odd(h)
		h.Find(0.05)
		for _, format := range []string{"svg", "png"} {
			if data, err := plots.History(h, h.Trends[0]).Encode(format); err != nil || strings.Contains(string(data), "NaN") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

func setAll(h *history.History, v func(r int) float64) {
	for i := range h.Trends[0].Points {
		p := &h.Trends[0].Points[i]
		p.Median, p.Lo, p.Hi = v(i), v(i), v(i)
	}
}
