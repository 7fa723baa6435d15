package plots_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// forestOf returns a report with n results that pass unless change changes them.
func forestOf(n int, change func(i int, r *gate.Result)) *gate.Report {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	rep := &gate.Report{Base: "main (1f3c9ab)", Head: "worktree", Took: 130 * time.Second, Rounds: 412}
	locks := []string{"mutex.Lock", "mutex.TryLock", "ticket.Lock/cs=0", "ticket.Lock/cs=100", "mcs.Lock/cs=0", "rwlock.RLock/reads=99", "seqlock.Read", "rcu/hash.Lookup/size=1000"}
	for i := range n {
		pkg, name, _ := strings.Cut(locks[i%len(locks)], ".")
		if i >= len(locks) {
			name += fmt.Sprintf("/n=%d", i/len(locks))
		}
		d, half := .008*random.NormFloat64(), .002+.006*random.Float64()
		r := gate.Result{
			Benchmark: gate.Benchmark{Pkg: "example.org/locks/" + pkg, Name: name + "-2"},
			Unit:      "ns/op", Better: -1, Distance: results.Local, Margin: .03, N: 20 + 20*random.IntN(6),
			Old: 10, New: 10 * (1 + d), Change: d, Lo: d - half, Hi: d + half, Spread: half * .8,
		}
		if change != nil {
			change(i, &r)
		}
		rep.Results = append(rep.Results, r)
		rep.Verdict = max(rep.Verdict, r.Verdict)
	}
	slices.SortStableFunc(rep.Results, func(a, b gate.Result) int {
		if a.Verdict != b.Verdict {
			return int(b.Verdict - a.Verdict)
		}
		if -float64(a.Better)*a.Change > -float64(b.Better)*b.Change {
			return -1
		}
		return 1
	})
	return rep
}

// More instructions are no time, so they are not called slower.
func TestForestOfInstructions(t *testing.T) {
	for unit, want := range map[string]string{"instructions/op": "1 of 3 benchmarks is worse: ", "cpu-ns/op": "1 of 3 benchmarks is slower: "} {
		rep := forestOf(3, func(i int, r *gate.Result) {
			if r.Unit = unit; i == 1 {
				set(r, gate.Regressed, .2, .01, .01)
			}
		})
		if got := plain(plots.Forest(rep, plots.ForestOptions{}).Title); !strings.HasPrefix(got, want) {
			t.Errorf("%s: title %q, want %q", unit, got, want)
		}
	}
}

func set(r *gate.Result, v gate.Verdict, change, half, noise float64) {
	r.Verdict, r.Change, r.Lo, r.Hi, r.Spread, r.New = v, change, change-half, change+half, noise, r.Old*(1+change)
}

// forests returns reports of all kinds.
func forests() map[string]*gate.Report {
	nan, inf := math.NaN(), math.Inf(1)
	m := map[string]*gate.Report{
		"one": forestOf(1, nil),
		"five": forestOf(5, func(i int, r *gate.Result) {
			if i == 2 {
				set(r, gate.Pass, -.12, .01, .006)
			}
		}),
		"typical": forestOf(22, func(i int, r *gate.Result) {
			switch i {
			case 0:
				set(r, gate.Regressed, .081, .009, .012)
			case 4:
				set(r, gate.CannotTell, .012, .04, .045)
			}
		}),
		"all": forestOf(24, func(i int, r *gate.Result) {
			switch i {
			case 0:
				set(r, gate.Regressed, .081, .009, .012)
				r.Distance = results.Near
			case 1:
				set(r, gate.Regressed, 4.2, .3, .012)
			case 2:
				set(r, gate.Regressed, -.055, .008, .004)
				r.Unit, r.Better = "ops/s", +1
			case 3:
				set(r, gate.Regressed, inf, 0, 0)
				r.Unit, r.Exact, r.Old, r.New, r.Margin = "allocs/op", true, 0, 1, 0
			case 4:
				set(r, gate.CannotTell, .012, .2, .25)
			case 5:
				set(r, gate.CannotTell, .02, inf, inf)
				r.Lo, r.Hi, r.N = -1, inf, 4
				r.Distance, r.Minor = results.Far, true
			case 6:
				set(r, gate.CannotTell, .02, .03, nan)
				r.Unpaired, r.Drift = true, .05
			case 7:
				r.Name = "Lookup/keys=1000000/distribution=zipf/buckets=4096/phase=steady-2"
				r.Margin = .06
			case 8:
				set(r, gate.Pass, -.25, 0, 0)
				r.Unit, r.Exact, r.Old, r.New, r.Margin = "B/op", true, 64, 48, 0
			case 9:
				set(r, gate.Pass, .08, .02, .01)
				r.Unit, r.Better = "jain", +1
			case 10:
				*r = gate.Result{Benchmark: r.Benchmark, Verdict: gate.CannotTell, Old: nan, New: nan, Change: nan, Lo: nan, Hi: nan, Spread: nan}
			case 11:
				r.Margin = .01
			}
		}),
		"many": forestOf(120, func(i int, r *gate.Result) {
			switch {
			case i == 3:
				set(r, gate.Regressed, .062, .008, .004)
			case i%30 == 5:
				set(r, gate.CannotTell, .02, .025, .035)
			case i%40 == 9:
				set(r, gate.Pass, -.09, .01, .005)
			}
		}),
		"worse": forestOf(60, func(_ int, r *gate.Result) { set(r, gate.Regressed, .05+r.Change, .01, .004) }),
		"empty": {OnlyBase: []gate.Benchmark{{Name: "A"}}},
	}
	m["all"].OnlyBase = []gate.Benchmark{{Name: "A"}}
	m["all"].Warnings = []string{"3 readings left out: the CPUs came nearer to each other, or went farther apart, in the middle"}
	return m
}

func TestForestIsTidy(t *testing.T) {
	for name, r := range forests() {
		f := plots.Forest(r, plots.ForestOptions{})
		pic := look(t, f)
		pic.tidy(t, name)
		if pic.size > 128<<10 {
			t.Errorf("%s: %d bytes, want at most 128 KiB", name, pic.size)
		}
		if dir := os.Getenv("FOREST"); dir != "" {
			if err := f.WriteFile(filepath.Join(dir, name+".png")); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestForestTitle(t *testing.T) {
	for name, want := range map[string]string{
		"one":     "Lock-2 is not slower by more than the margin: by 1.5 % at most",
		"five":    "None of 5 benchmarks is slower by more than the margin: by 1.2 % at most; 1 is faster",
		"typical": "1 of 22 benchmarks is slower: mutex.Lock-2 +8.1 % [7.2, 9.0]",
		"all":     "4 of 23 benchmarks are worse: most of all ticket.Lock/cs=100-2 from 0 to 1 allocs/op; 2 are better",
		"empty":   "Nothing was compared",
	} {
		if got := plain(plots.Forest(forests()[name], plots.ForestOptions{}).Title); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// Notes say what is not drawn, and regressions are drawn before all others.
func TestForestRows(t *testing.T) {
	rows := func(p picture) (n int) {
		for _, tx := range p.texts {
			if strings.HasSuffix(tx.s, "-2") {
				n++
			}
		}
		return n
	}
	many := forests()["many"]
	for _, most := range []int{0, 1, 3, 10, 119, 120, 200} {
		f := plots.Forest(many, plots.ForestOptions{Rows: most})
		pic := look(t, f)
		pic.tidy(t, fmt.Sprint(most))
		want := min(most, 120)
		if most == 0 {
			want = 40
		}
		if got := rows(pic); got != want {
			t.Errorf("at most %d: %d rows, want %d", most, got, want)
		}
		if says := strings.Contains(strings.Join(f.Notes, " "), "Not drawn"); says != (want < 120) {
			t.Errorf("at most %d: says that some are not drawn: %t", most, says)
		}
		if !pic.has("regressed") {
			t.Errorf("at most %d: what regressed is not drawn", most)
		}
	}
	notes := plain(strings.Join(plots.Forest(forests()["worse"], plots.ForestOptions{}).Notes, " "))
	if want := "Not drawn: 20 more that regressed."; notes != want {
		t.Errorf("notes %q, want %q", notes, want)
	}
}

func TestWriteForest(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	files, err := plots.WriteForest(dir, forests()["typical"], plots.ForestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range []string{"forest.svg", "forest.png"} {
		if want := filepath.Join(dir, name); len(files) != 2 || files[i].Path != want {
			t.Errorf("files %v, want %s", files, want)
		} else if _, err := os.Stat(want); err != nil {
			t.Error(err)
		}
	}
	if _, err := plots.WriteForest(dir, forests()["typical"], plots.ForestOptions{Formats: []string{"gif"}}); err == nil {
		t.Error("format gif: no error")
	}
}

// Strange numbers have a picture as well, and it is tidy.
func TestForestOfStrangeNumbers(t *testing.T) {
	strange := []float64{0, math.NaN(), math.Inf(1), math.Inf(-1), -1, 1, 1e300, -1e300, 1e-300, -.5}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func() float64 { return strange[random.IntN(len(strange))] }
	for range 60 {
		r := forestOf(1+random.IntN(12), func(_ int, r *gate.Result) {
			r.Old, r.New, r.Change, r.Lo, r.Hi, r.Spread, r.Margin = pick(), pick(), pick(), pick(), pick(), pick(), pick()
			r.Verdict, r.Better = gate.Verdict(random.IntN(3)), random.IntN(3)-1
			r.Exact, r.Unpaired, r.Minor = random.IntN(2) == 0, random.IntN(2) == 0, random.IntN(2) == 0
			r.Unit = []string{"", "ns/op", "a unit whose name is far too long for any picture <&>"}[random.IntN(3)]
			r.Name += strings.Repeat("/x", random.IntN(100))
		})
		look(t, plots.Forest(r, plots.ForestOptions{})).tidy(t, "strange")
	}
}

// The figure says of what the interval is, as it was measured.
func TestForestSaysWhatIsCompared(t *testing.T) {
	one := gate.Result{Benchmark: gate.Benchmark{Pkg: "p", Name: "A"}, Unit: "ns/op", Better: -1, N: 12, Change: 0.01, Lo: 0, Hi: 0.02, Margin: 0.03}
	apart := one
	apart.Unpaired = true
	for want, of := range map[string]gate.Result{"pairs of binaries": one, "samples a side": apart} {
		f := plots.Forest(&gate.Report{Results: []gate.Result{of}}, plots.ForestOptions{})
		if s := strings.Join(f.Subtitle, " "); !strings.Contains(s, "12\u00a0"+want) {
			t.Errorf("subtitle %q, want 12 %s", s, want)
		}
	}
}

// Up to twice the margin there is a band, for changes that may pass there: not for counts
// that do not vary, nor for sides that were not measured together.
func TestForestHasTheLimit(t *testing.T) {
	for name, test := range map[string]struct {
		change func(int, *gate.Result)
		want   bool
	}{
		"times":  {nil, true},
		"exact":  {func(_ int, r *gate.Result) { r.Exact = true }, false},
		"files":  {func(_ int, r *gate.Result) { r.Unpaired = true }, false},
		"rates":  {func(_ int, r *gate.Result) { r.Unit, r.Better = "MB/s", +1 }, true},
		"signed": {func(_ int, r *gate.Result) { r.Signed = true }, true},
	} {
		svg, err := plots.Forest(forestOf(3, test.change), plots.ForestOptions{}).Encode("svg")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(svg), "intervals of what passes end"); got != test.want {
			t.Errorf("%s: the legend has the limit: %t, want %t", name, got, test.want)
		}
		if got := strings.Contains(strings.ToUpper(string(svg)), "#F4F8F4"); got != test.want {
			t.Errorf("%s: the band is there: %t, want %t", name, got, test.want)
		}
	}
}
