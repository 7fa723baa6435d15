package shape_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/results"
)

// A madeSweep has samples whose law is known.
type madeSweep struct {
	random *rand.Rand
	file   results.File
}

func newSweep(seed uint64) *madeSweep {
	return &madeSweep{rand.New(rand.NewPCG(seed, 1)), results.File{Name: "sweep.txt", Facts: results.Facts{Machine: "host"}}}
}

// add adds a sample of a round.
func (m *madeSweep) add(round int, c results.Cell, unit string, v float64, d results.Distance) {
	m.file.Samples = append(m.file.Samples, results.Sample{Cell: c, Round: round, Distance: d, Ops: 1000, Values: []results.Value{{Unit: unit, Value: v}}})
}

// scaling adds rounds of a lock that scales by the law, on a machine whose speed
// drifts by 10 % from round to round.
func (m *madeSweep) scaling(lock string, rounds int, cpus []int, sigma, kappa, noise float64) *madeSweep {
	for r := range rounds {
		drift := math.Exp(0.1 * m.random.NormFloat64())
		for _, n := range cpus {
			x := float64(n)
			v := 1e7 * x / (1 + sigma*(x-1) + kappa*x*(x-1)) * drift * math.Exp(noise*m.random.NormFloat64())
			d := results.Near
			if n == 1 {
				d = results.Local
			}
			m.add(r+1, results.Cell{Lock: lock, Workers: n, Think: 100 * time.Nanosecond, CPUs: n}, "ops/s", v, d)
		}
	}
	return m
}

// judge judges head by the shapes of a configuration.
func judge(t *testing.T, text string, head, base *results.File) ([]shape.Finding, error) {
	t.Helper()
	c := read(t, text)
	return shape.Judge(c.Shapes, c.Confidence, head, base)
}

// read reads a configuration, from a file whose name has no directory.
func read(t *testing.T, text string) *config.File {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("gate.toml", []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := config.Read("gate.toml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func shapes(t *testing.T, config string, head, base *results.File) []shape.Finding {
	t.Helper()
	got, err := judge(t, config, head, base)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// one returns the only result.
func one(t *testing.T, config string, head, base *results.File) shape.Finding {
	t.Helper()
	got := shapes(t, config, head, base)
	if len(got) != 1 {
		t.Fatalf("%d results, want one: %+v", len(got), got)
	}
	return got[0]
}

const fitShape = "[[shape]]\nkind = 'scaling'\nlock = 'mcs'\nmax_sigma = 0.1\nmax_kappa = 0.001\nmin_peak_cpus = 8\n"

// The intervals contain the true parameters, and are narrow enough to be useful.
func TestLawIsRecovered(t *testing.T) {
	const trials = 60
	for _, law := range []struct{ sigma, kappa float64 }{{0.05, 0.001}, {0.3, 0.02}, {0.02, 0}, {0, 0}} {
		in := make(map[string]int)
		width := 0.0
		for trial := range trials {
			file := &newSweep(uint64(trial)).scaling("mcs", 12, []int{1, 2, 4, 8, 16}, law.sigma, law.kappa, 0.02).file
			peak := math.Inf(+1)
			if law.kappa > 0 {
				peak = math.Sqrt((1 - law.sigma) / law.kappa)
			}
			for _, r := range shapes(t, fitShape, file, nil) {
				name, _, _ := strings.Cut(r.Demand, " ")
				truth := map[string]float64{"sigma": law.sigma, "kappa": law.kappa, "peak": peak}[name]
				if r.Lo <= truth+1e-9 && truth-1e-9 <= r.Hi {
					in[name]++
				}
				if name == "sigma" {
					width += (r.Hi - r.Lo) / trials
				}
				if !(r.Lo <= r.Value && r.Value <= r.Hi) || r.N != 12 || r.Points != 5 {
					t.Fatalf("got %+v", r)
				}
			}
		}
		t.Logf("σ=%v κ=%v: of %d trials in the interval: %v; that of σ is %.3f wide", law.sigma, law.kappa, trials, in, width)
		for name, n := range in {
			if n < trials*95/100 {
				t.Errorf("σ=%v κ=%v: %s was in its interval in %d of %d trials", law.sigma, law.kappa, name, n, trials)
			}
		}
		if len(in) != 3 || width > 0.15 {
			t.Errorf("σ=%v κ=%v: intervals of σ are %.3f wide on average", law.sigma, law.kappa, width)
		}
	}
}

func TestScaling(t *testing.T) {
	at := []int{1, 2, 4, 8, 16}
	good := &newSweep(1).scaling("mcs", 12, at, 0.03, 0.0003, 0.01).file
	bad := &newSweep(1).scaling("mcs", 12, at, 0.3, 0.02, 0.01).file
	pair := &newSweep(1).scaling("mcs", 12, []int{1, 2}, 0.03, 0, 0.01).file
	single := &newSweep(1).scaling("mcs", 12, []int{1}, 0.03, 0, 0.01).file
	few := &newSweep(1).scaling("mcs", 5, at, 0.03, 0.0003, 0.01).file
	odd := &newSweep(1).scaling("mcs", 12, at, 0.03, 0.0003, 0.01).file
	for i := range odd.Samples { // no law has a dip
		if odd.Samples[i].CPUs == 4 {
			odd.Samples[i].Values[0].Value /= 3
		}
	}
	const efficiency = "[[shape]]\nkind = 'scaling'\nlock = 'mcs'\nmin_efficiency = '60%'\nat_cpus = 8\n"
	const relative = "[[shape]]\nkind = 'scaling'\nlock = 'mcs'\nmargin = '10%'\n"
	for _, test := range []struct {
		name, config string
		head, base   *results.File
		want         string // verdicts, and a part of why
		why          string
	}{
		{"good", fitShape, good, nil, "pass pass pass", "within the limit"},
		{"bad", fitShape, bad, nil, "regressed regressed regressed", "beyond the limit"},
		{"two CPU counts", fitShape, pair, nil, "cannot tell cannot tell pass", "enough for sigma only"},
		{"one CPU count", fitShape, single, nil, "cannot tell cannot tell cannot tell", "measured at 1 CPU alone"},
		{"few rounds", fitShape, few, nil, "cannot tell cannot tell cannot tell", "5 rounds: too few"},
		{"no law", fitShape, odd, nil, "cannot tell cannot tell cannot tell", "does not describe it"},
		{"peak beyond", "[[shape]]\nkind = 'scaling'\nlock = '.'\nmin_peak_cpus = 20\n", good, nil, "cannot tell", "up to 16 CPUs"},
		{"efficient", efficiency, good, nil, "pass", "within"},
		{"inefficient", efficiency, bad, nil, "regressed", "beyond"},
		{"efficiency not measured", efficiency, pair, nil, "cannot tell", "at 1 and at 8 CPUs"},
		{"same as base", relative, good, good, "pass", ""},
		{"worse than base", relative, bad, good, "regressed", ""},
		{"better than base", relative, good, bad, "pass", ""},
		{"base without it", relative, good, &newSweep(1).scaling("ticket", 12, at, 0.1, 0, 0.01).file, "cannot tell", "the base has no such samples"},
		{"base of one CPU", relative, good, single, "cannot tell", "the base has no such samples"},
	} {
		var verdicts []string
		why := ""
		got := shapes(t, test.config, test.head, test.base)
		for _, r := range got {
			verdicts = append(verdicts, r.Verdict.String())
			why += r.Why + "\n"
		}
		if s := strings.Join(verdicts, " "); s != test.want || !strings.Contains(why, test.why) {
			t.Errorf("%s: got %s, want %s with %q: %+v", test.name, s, test.want, test.why, got)
		}
	}
}

// Near and far are judged separately; the one with more samples decides.
func TestShapesByDistance(t *testing.T) {
	m := newSweep(1).scaling("mcs", 12, []int{1, 2, 4, 8}, 0.03, 0.0003, 0.01)
	far := newSweep(2).scaling("mcs", 8, []int{1, 2, 4, 8}, 0.03, 0.0003, 0.4)
	for _, s := range far.file.Samples {
		if s.CPUs > 1 {
			s.Distance = results.Far
			m.file.Samples = append(m.file.Samples, s)
		}
	}
	mixed := far.file.Samples[1]
	mixed.Distance = results.Mixed
	unknown := far.file.Samples[1]
	unknown.Distance = results.Unknown
	over := far.file.Samples[3]
	over.Oversubscribed = true
	m.file.Samples = append(m.file.Samples, mixed, unknown, over)

	const sigma = "[[shape]]\nkind = 'scaling'\nlock = 'mcs'\nmax_sigma = 0.1\n"
	got := shapes(t, sigma, &m.file, nil)
	if len(got) != 2 || got[0].Minor == got[1].Minor || shape.Verdict(got) != gate.Pass {
		t.Errorf("got %+v", got)
	}
	for _, r := range got {
		if r.Left != 3 {
			t.Errorf("%d samples left out, want 3: %+v", r.Left, r)
		}
		if r.Minor == strings.HasPrefix(r.Where, "near") {
			t.Errorf("minor: %v: %+v", r.Minor, r)
		}
	}
	if r := one(t, sigma+"distance = 'near'\n", &m.file, nil); r.Verdict != gate.Pass || r.Points != 4 {
		t.Errorf("near alone: got %+v", r)
	}
}

// A regression counts, however few samples its distance has.
func TestShapeRegressedAtOneDistance(t *testing.T) {
	m := newSweep(1)
	c := results.Cell{Lock: "ticket", Workers: 2, CPUs: 2}
	for r := range 20 {
		m.add(r+1, c, "jain", 0.99, results.Near)
		if r%2 == 0 {
			m.add(r+1, c, "jain", 0.6, results.Far)
		}
	}
	got := shapes(t, "[[shape]]\nkind = 'floor'\nlock = 'ticket'\nunit = 'jain'\nmin = 0.9\n", &m.file, nil)
	if len(got) != 2 || got[0].Verdict != gate.Regressed || got[0].Minor || shape.Verdict(got) != gate.Regressed {
		t.Errorf("got %+v", got)
	}
}

// crossing adds rounds of two locks, of which a is the better one from x = at on.
func (m *madeSweep) crossing(rounds int, at float64, reads []int, noise float64) *madeSweep {
	for r := range rounds {
		drift := math.Exp(0.1 * m.random.NormFloat64())
		for _, x := range reads {
			gain := math.Exp(0.01 * (float64(x) - at))
			for i, lock := range []string{"a", "b"} {
				c := results.Cell{Lock: lock, Reads: x, Workers: 2, CPUs: 2}
				v := []float64{100 / gain, 100}[i]
				m.add(r+1, c, "ns/op", v*drift*math.Exp(noise*m.random.NormFloat64()), results.Near)
			}
		}
	}
	return m
}

func crossShape(lo, hi string) string {
	s := "[[shape]]\nkind = 'crossover'\nlock = 'a'\nthan = 'b'\nalong = 'reads'\n"
	if lo != "" {
		s += "min = " + lo + "\n"
	}
	if hi != "" {
		s += "max = " + hi + "\n"
	}
	return s
}

func TestCrossover(t *testing.T) {
	reads := []int{0, 50, 90, 99, 100}
	for _, test := range []struct {
		name   string
		at     float64
		lo, hi string
		want   gate.Verdict
		why    string
	}{
		{"within", 70, "60", "80", gate.Pass, "within the limit"},
		{"too late", 70, "20", "60", gate.Regressed, "beyond the limit"},
		{"too early", 70, "80", "", gate.Regressed, "beyond the limit"},
		{"at the limit", 70, "", "70", gate.CannotTell, "within the interval"},
		{"everywhere", -50, "", "10", gate.Pass, "a is the better one everywhere from 0"},
		{"everywhere, but should not", -50, "10", "", gate.Regressed, "everywhere from 0"},
		{"nowhere", 150, "", "90", gate.Regressed, "a is not the better one anywhere up to 100"},
		{"nowhere, as it should", 150, "50", "", gate.Pass, "anywhere up to 100"},
	} {
		r := one(t, crossShape(test.lo, test.hi), &newSweep(1).crossing(12, test.at, reads, 0.02).file, nil)
		if r.Verdict != test.want || !strings.Contains(r.Why, test.why) {
			t.Errorf("%s: got %v (%s), want %v with %q: %+v", test.name, r.Verdict, r.Why, test.want, test.why, r)
		}
		if test.at > 0 && test.at < 100 && !(r.Lo <= test.at && test.at <= r.Hi && r.Hi-r.Lo < 12) {
			t.Errorf("%s: interval [%v, %v], want one around %v", test.name, r.Lo, r.Hi, test.at)
		}
	}
	r := one(t, crossShape("0", "100"), &newSweep(1).crossing(12, 70, []int{50}, 0.02).file, nil)
	if r.Verdict != gate.CannotTell || !strings.Contains(r.Why, "at 1 of the values along reads") {
		t.Errorf("one share of reads: got %+v", r)
	}
	r = one(t, crossShape("1", "99"), &newSweep(1).crossing(3, 70, reads, 0.02).file, nil)
	if r.Verdict != gate.CannotTell {
		t.Errorf("three rounds: got %+v", r)
	}
}

// The interval of a crossover contains it.
func TestCrossoverIsRecovered(t *testing.T) {
	const trials = 200
	in := 0
	for trial := range trials {
		r := one(t, crossShape("0", "100"), &newSweep(uint64(trial)).crossing(10, 66, []int{0, 50, 90, 100}, 0.05).file, nil)
		if r.Lo <= 66 && 66 <= r.Hi {
			in++
		}
	}
	t.Logf("in the interval in %d of %d trials", in, trials)
	if in < trials*95/100 {
		t.Errorf("in the interval in %d of %d trials", in, trials)
	}
}

// More of the unit may be better, and the axis may be a number of workers.
func TestCrossoverOverWorkers(t *testing.T) {
	m := newSweep(1)
	for r := range 12 {
		for i, workers := range []int{1, 2, 8} {
			for lock, v := range map[string]float64{"a": []float64{50, 100, 200}[i], "b": 100 * math.Sqrt2} {
				m.add(r+1, results.Cell{Lock: lock, Workers: workers, CPUs: 2}, "ops/s", v, results.Near)
			}
		}
	}
	config := strings.Replace(crossShape("3", "5"), "reads", "workers", 1) + "unit = 'ops/s'\n"
	if r := one(t, config, &m.file, nil); r.Verdict != gate.Pass || math.Abs(r.Value-4) > 1e-9 || r.Unit != "workers" {
		t.Errorf("got %+v", r)
	}
}

// Which distance of a crossover decides depends on the samples of both locks: most of a
// may be near, and most of b far.
func TestCrossoverOfDifferentDistances(t *testing.T) {
	m := newSweep(1)
	for r := range 30 {
		for lock, d := range map[string]results.Distance{"a": results.Near, "b": results.Far} {
			if r < 5 {
				d = results.Near
			} else if r < 8 {
				d = results.Far
			}
			for _, reads := range []int{0, 100} {
				m.add(r+1, results.Cell{Lock: lock, Reads: reads, Workers: 2, CPUs: 2}, "ns/op", 100-float64(reads)/10+float64(r%2), d)
			}
		}
	}
	got := shapes(t, crossShape("0", "100"), &m.file, nil)
	if len(got) != 2 || shape.Verdict(got) != gate.CannotTell {
		t.Fatalf("got %v, want cannot tell, since there are 5 pairs and 3: %+v", shape.Verdict(got), got)
	}
	for _, r := range got {
		if near := strings.Contains(r.Where, "near"); r.Minor == near {
			t.Errorf("minor %v, want far, of which there are fewer pairs: %+v", r.Minor, r)
		}
	}
}

// both adds a sample of each of two locks in a round.
func (m *madeSweep) both(round int, unit string, a, b float64, d results.Distance) {
	m.add(round, results.Cell{Lock: "mine", Workers: 2, CPUs: 2}, unit, a, d)
	m.add(round, results.Cell{Lock: "sync.Mutex", Workers: 2, CPUs: 2}, unit, b, d)
}

const ratioShape = "[[shape]]\nkind = 'ratio'\nlock = '.'\nthan = 'sync.Mutex'\n"

func TestRatio(t *testing.T) {
	// The machine's speed changes by as much as a factor of 8 from round to round.
	m := newSweep(1)
	for r := range 12 {
		drift := 50 * math.Exp2(float64(r%4))
		m.both(r+1, "ns/op", drift*(0.6+0.01*float64(r%5)), drift, results.Near)
		m.add(r+1, results.Cell{Lock: "sync.Mutex", Workers: 1, CPUs: 1}, "ns/op", 1, results.Local) // is no reference for 2 CPUs
	}
	for _, test := range []struct {
		limits string
		want   gate.Verdict
		why    string
	}{
		{"at_most = 0.7", gate.Pass, "within the limit"},
		{"at_most = 0.62", gate.CannotTell, "the limit is within the interval"},
		{"at_most = 0.5", gate.Regressed, "beyond the limit"},
		{"at_least = 0.5", gate.Pass, "within the limit"},
		{"at_least = 0.7", gate.Regressed, "beyond the limit"},
		{"at_least = 0.5\nat_most = 0.7", gate.Pass, "within the limit"},
		{"at_least = 0.65\nat_most = 0.7", gate.Regressed, "beyond the limit"},
		{"at_least = 1.5\nunit = 'ops/s'", gate.Pass, "within the limit"}, // follows from ns/op
		{"at_most = 0.7\ncpus = 2\nworkers = 2\nreads = 0", gate.Pass, "within the limit"},
		{"at_most = 0.7\ndistance = 'near'", gate.Pass, "within the limit"},
	} {
		r := one(t, ratioShape+test.limits+"\n", &m.file, nil)
		if r.Verdict != test.want || !strings.Contains(r.Why, test.why) {
			t.Errorf("%s: got %v (%s), want %v with %q: %+v", test.limits, r.Verdict, r.Why, test.want, test.why, r)
		}
		if r.Lock != "mine" || r.N != 12 || r.Unit != "" {
			t.Errorf("%s: got %+v, want mine, of 12 pairs, a plain number", test.limits, r)
		}
	}
	r := one(t, ratioShape+"at_most = 0.7\n", &m.file, nil)
	if r.Demand != "ns/op / sync.Mutex ≤ 0.7" || math.Abs(r.Value-0.615) > 1e-9 || r.Lo < 0.6-1e-9 || r.Hi > 0.64+1e-9 || !strings.Contains(r.Where, "2 CPUs near, 2 workers") {
		t.Errorf("got %+v, want 0.615 in [0.6, 0.64]", r)
	}
	if r := one(t, ratioShape+"at_least = 0.5\nat_most = 0.7\n", &m.file, nil); r.Demand != "0.5 ≤ ns/op / sync.Mutex ≤ 0.7" {
		t.Errorf("demand %q", r.Demand)
	}
}

// Without a number for each pair there is no verdict: what is left would stand for all.
func TestRatioThatCannotBeTold(t *testing.T) {
	for _, test := range []struct {
		name string
		add  func(m *madeSweep)
		want string
	}{
		{"few", func(m *madeSweep) {
			for r := range 5 {
				m.both(r+1, "lines", 1, 10, results.Near)
			}
		}, "5 rounds: too few"},
		{"other rounds", func(m *madeSweep) {
			for r := range 12 {
				m.add(r+1, results.Cell{Lock: "mine", Workers: 2, CPUs: 2}, "lines", 1, results.Near)
				m.add(r+50, results.Cell{Lock: "sync.Mutex", Workers: 2, CPUs: 2}, "lines", 10, results.Near)
			}
		}, "no samples of one round"},
		{"the other is 0 once", func(m *madeSweep) {
			for r := range 12 {
				m.both(r+1, "lines", 1, float64(10*min(r, 1)), results.Near)
			}
		}, "there is no ratio in 1 round of 12: sync.Mutex is 0"},
		{"both are 0", func(m *madeSweep) {
			for r := range 12 {
				m.both(r+1, "lines", 0, 0, results.Near)
			}
		}, "there is no ratio in 12 rounds of 12"},
		{"negative", func(m *madeSweep) {
			for r := range 12 {
				m.both(r+1, "lines", float64(1-2*(r/11)), 10, results.Near)
			}
		}, "there is no ratio in 1 round of 12"},
		{"both negative", func(m *madeSweep) {
			for r := range 12 {
				m.both(r+1, "lines", -1, -10, results.Near)
			}
		}, "there is no ratio in 12 rounds of 12"},
		{"the other elsewhere", func(m *madeSweep) {
			for r := range 12 {
				m.add(r+1, results.Cell{Lock: "mine", Workers: 2, CPUs: 2}, "lines", 1, results.Near)
				m.add(r+1, results.Cell{Lock: "sync.Mutex", Workers: 4, CPUs: 2}, "lines", 10, results.Near)
			}
		}, "sync.Mutex was not measured there"},
		{"mixed", func(m *madeSweep) {
			for r := range 12 {
				m.both(r+1, "lines", 1, 10, results.Mixed)
			}
		}, "24 samples left out"},
	} {
		m := newSweep(1)
		test.add(m)
		r := one(t, ratioShape+"unit = 'lines'\nat_most = 1\n", &m.file, nil)
		if r.Verdict != gate.CannotTell || !strings.Contains(r.Why, test.want) {
			t.Errorf("%s: got %v (%s), want cannot tell with %q", test.name, r.Verdict, r.Why, test.want)
		}
	}

	// 0 of something is a ratio.
	m := newSweep(1)
	for r := range 12 {
		m.both(r+1, "lines", 0, 10, results.Near)
	}
	if r := one(t, ratioShape+"unit = 'lines'\nat_most = 0\n", &m.file, nil); r.Verdict != gate.Pass {
		t.Errorf("0 against 10: got %+v", r)
	}
}

// Each lock that matches is judged by itself, in each scenario.
func TestRatioOfManyLocks(t *testing.T) {
	m := newSweep(1)
	for r := range 12 {
		for _, workers := range []int{1, 4} {
			for lock, v := range map[string]float64{"a": 0.5, "b": 1, "c": 2, "sync.Mutex": 1} {
				m.add(r+1, results.Cell{Lock: lock, Workers: workers, CPUs: 4}, "ns/op", v*float64(workers), results.Near)
			}
		}
	}
	got := shapes(t, ratioShape+"at_most = 1.5\n", &m.file, nil)
	verdicts := make(map[string]string)
	for _, r := range got {
		verdicts[r.Lock] += r.Verdict.String() + " "
	}
	want := map[string]string{"a": "pass pass ", "b": "pass pass ", "c": "regressed regressed "}
	if len(got) != 6 || verdicts["a"] != want["a"] || verdicts["b"] != want["b"] || verdicts["c"] != want["c"] {
		t.Errorf("got %v, want %v", verdicts, want)
	}
}

// Near and far are judged separately. The distance with the most pairs decides, although
// most of mine are near and most of sync.Mutex's are far; a regression counts anyway.
func TestRatioByDistance(t *testing.T) {
	for _, test := range []struct {
		near, far           float64
		nears, fars         int // pairs
		want                gate.Verdict
		nearMinor, farMinor bool
	}{
		{0.5, 0.5, 12, 9, gate.Pass, false, true},
		{0.5, 0.5, 9, 12, gate.Pass, true, false},
		{0.5, 2, 12, 9, gate.Regressed, false, false},
		{2, 0.5, 12, 9, gate.Regressed, false, true},
		{0.5, 0.5, 12, 4, gate.Pass, false, true}, // of the 4 it cannot be told
		{0.5, 0.5, 4, 12, gate.Pass, true, false},
	} {
		m := newSweep(1)
		for r := range test.nears {
			m.both(r+1, "ns/op", 100*test.near, 100, results.Near)
		}
		for r := range test.fars {
			m.both(r+21, "ns/op", 100*test.far, 100, results.Far)
		}
		for r := range 20 { // pairs of different distances are none
			m.add(r+41, results.Cell{Lock: "mine", Workers: 2, CPUs: 2}, "ns/op", 1, results.Near)
			m.add(r+41, results.Cell{Lock: "sync.Mutex", Workers: 2, CPUs: 2}, "ns/op", 1000, results.Far)
		}
		got := shapes(t, ratioShape+"at_most = 1\n", &m.file, nil)
		if len(got) != 2 || shape.Verdict(got) != test.want {
			t.Fatalf("%+v: got %v, want %v: %+v", test, shape.Verdict(got), test.want, got)
		}
		for _, r := range got {
			minor, n := test.nearMinor, test.nears
			if strings.Contains(r.Where, "far") {
				minor, n = test.farMinor, test.fars
			}
			if r.Minor != minor || r.N != n {
				t.Errorf("%+v: got %+v", test, r)
			}
		}
	}
}

func TestFloorAndCeiling(t *testing.T) {
	m := newSweep(1)
	for r := range 12 {
		c := results.Cell{Lock: "ticket", Workers: 2, CPUs: 2}
		m.add(r+1, c, "jain", 0.9+0.01*float64(r%5), results.Near)
		m.add(r+1, c, "write-p99-ns", 1000+10*float64(r%5), results.Near)
	}
	for r := range 4 {
		m.add(r+1, results.Cell{Lock: "few", Workers: 2, CPUs: 2}, "jain", 1, results.Near)
		m.add(r+1, results.Cell{Lock: "mixed", Workers: 2, CPUs: 2}, "jain", 1, results.Mixed)
	}
	for _, test := range []struct {
		config string
		want   gate.Verdict
		why    string
	}{
		{"kind = 'floor'\nlock = 'ticket'\nunit = 'jain'\nmin = 0.9", gate.Pass, ""}, // a value at the limit passes
		{"kind = 'floor'\nlock = 'ticket'\nunit = 'jain'\nmin = 0.92", gate.CannotTell, "the limit is within the interval"},
		{"kind = 'floor'\nlock = 'ticket'\nunit = 'jain'\nmin = 0.95", gate.Regressed, ""},
		{"kind = 'ceiling'\nlock = 'ticket'\nunit = 'write-p99-ns'\nmax = 1040", gate.Pass, ""},
		{"kind = 'ceiling'\nlock = 'ticket'\nunit = 'write-p99-ns'\nmax = 1020", gate.CannotTell, ""},
		{"kind = 'ceiling'\nlock = 'ticket'\nunit = 'write-p99-ns'\nmax = 900", gate.Regressed, ""},
		{"kind = 'floor'\nlock = 'few'\nunit = 'jain'\nmin = 0.5", gate.CannotTell, "4 rounds: too few"},
		{"kind = 'floor'\nlock = 'mixed'\nunit = 'jain'\nmin = 0.5", gate.CannotTell, "4 samples left out"},
	} {
		r := one(t, "[[shape]]\n"+test.config+"\n", &m.file, nil)
		if r.Verdict != test.want || !strings.Contains(r.Why, test.why) {
			t.Errorf("%s: got %v (%s), want %v", test.config, r.Verdict, r.Why, test.want)
		}
	}

	// One sample of a simulator is as good as many.
	m.file.Machine = "sim:xeon-8176-8s"
	if r := one(t, "[[shape]]\nkind = 'floor'\nlock = 'few'\nunit = 'jain'\nmin = 1\n", &m.file, nil); r.Verdict != gate.Pass || r.Lo != 1 {
		t.Errorf("simulated: got %+v", r)
	}
}

// Each role is judged separately, and not together with workers that read and write.
func TestShapesOfRoles(t *testing.T) {
	m := newSweep(1)
	for r := range 12 {
		m.add(r+1, results.Cell{Lock: "rwsem", Readers: 7, Writers: 1, Workers: 8, CPUs: 2}, "write-ops/s", 1000, results.Near)
		m.add(r+1, results.Cell{Lock: "rwsem", Workers: 8, CPUs: 2}, "write-ops/s", 10, results.Near)
	}
	const floor = "[[shape]]\nkind = 'floor'\nlock = 'rwsem'\nunit = 'write-ops/s'\nmin = 100\n"
	if r := one(t, floor+"readers = 7\nwriters = 1\n", &m.file, nil); r.Verdict != gate.Pass || !strings.Contains(r.Where, "7 readers, 1 writer") {
		t.Errorf("of the role: got %v %q, want pass", r.Verdict, r.Where)
	}
	for _, of := range []string{"reads = 0\n", "workers = 8\n"} {
		if r := one(t, floor+of, &m.file, nil); r.Verdict != gate.Regressed {
			t.Errorf("of workers without a role: got %v, want regressed", r.Verdict)
		}
	}
	if _, err := judge(t, floor+"readers = 0\n", &m.file, nil); err == nil {
		t.Error("0 readers: no error, want one that it selects nothing")
	}
}

// A shape that selects nothing must not pass: each is an error.
func TestShapesThatSelectNothing(t *testing.T) {
	head := &newSweep(1).scaling("mcs", 8, []int{1, 2, 4}, 0.1, 0, 0.01).file
	for _, test := range []struct{ config, want string }{
		{"kind = 'scaling'\nlock = 'msc'\nmax_sigma = 1", `gate.toml:1: shape "scaling msc": it selects no samples of sweep.txt, which has the locks mcs`},
		{"kind = 'scaling'\nlock = 'mcs'\nmax_sigma = 1\nreads = 50", `gate.toml:1: shape "scaling mcs": it selects no samples of sweep.txt, which has the locks mcs`},
		{"kind = 'floor'\nlock = 'mcs'\nunit = 'jane'\nmin = 1", `gate.toml:1: shape "floor jane mcs": none of the samples it selects has jane`},
		{"kind = 'crossover'\nlock = 'mcs'\nthan = 'ticket'\nalong = 'cpus'\nmax = 1", `gate.toml:1: shape "mcs better than ticket along cpus": lock ticket: it selects no samples of sweep.txt, which has the locks mcs`},
		{"kind = 'ratio'\nlock = 'mcs'\nthan = 'ticket'\nat_most = 1", `gate.toml:1: shape "ns/op of mcs against ticket": than ticket: it selects no samples of sweep.txt, which has the locks mcs`},
		{"kind = 'ratio'\nlock = 'ticket'\nthan = 'mcs'\nat_most = 1", `gate.toml:1: shape "ns/op of ticket against mcs": it selects no samples of sweep.txt, which has the locks mcs`},
		{"kind = 'ratio'\nlock = '^mcs$'\nthan = 'mcs'\nat_most = 1", `gate.toml:1: shape "ns/op of ^mcs$ against mcs": it selects no samples of sweep.txt, which has the locks mcs`},
		{"kind = 'ratio'\nlock = '.'\nthan = 'mcs'\nunit = 'jane'\nat_most = 1", `gate.toml:1: shape "jane of . against mcs": it selects no samples of sweep.txt, which has the locks mcs`},
		{"kind = 'scaling'\nlock = 'mcs'\nmargin = '3%'", `gate.toml:1: shape "scaling mcs": margin: there is no base to compare to`},
	} {
		got, err := judge(t, "[[shape]]\n"+test.config+"\n", head, nil)
		if err == nil || err.Error() != test.want {
			t.Errorf("got %v, %v\nwant %s", got, err, test.want)
		}
	}
	if v := shape.Verdict(nil); v != gate.CannotTell {
		t.Errorf("verdict on nothing: %v, want cannot tell", v)
	}
}

// Whatever the samples are, the verdict agrees with the interval, and the interval
// contains the value.
func TestShapesOfAnything(t *testing.T) {
	c := read(t, fitShape+"min_efficiency = 0.5\nat_cpus = 2\n"+strings.NewReplacer("'a'", "'mcs'", "'b'", "'ticket'", "reads", "cpus").Replace(crossShape("2", "3"))+
		"[[shape]]\nkind = 'floor'\nlock = '.'\nunit = 'ops/s'\nmin = 100\n"+
		"[[shape]]\nkind = 'ratio'\nlock = 'mcs'\nthan = 'ticket'\nat_least = 0.5\nat_most = 2\n")
	rapid.Check(t, func(t *rapid.T) {
		m := newSweep(1)
		for _, lock := range []string{"mcs", "ticket"} {
			for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(1, 8), 1, 5, rapid.ID).Draw(t, "CPUs of "+lock) {
				for r, v := range rapid.SliceOfN(rapid.Float64Range(1, 1e9), 1, 12).Draw(t, fmt.Sprint("values at ", n)) {
					d := rapid.SampledFrom([]results.Distance{results.Near, results.Near, results.Far, results.Mixed}).Draw(t, "distance")
					m.add(r%7, results.Cell{Lock: lock, Workers: n, CPUs: n}, "ops/s", v, d)
				}
			}
		}
		rs, err := shape.Judge(c.Shapes, 0, &m.file, nil)
		if err != nil && !strings.Contains(err.Error(), "not measured in the same scenario") {
			t.Fatal(err)
		}
		for _, r := range rs {
			if r.Why == "" || r.Lo > r.Hi || !math.IsNaN(r.Value) && (r.Value < r.Lo || r.Value > r.Hi) && !math.IsInf(r.Value, 0) {
				t.Fatalf("got %+v", r)
			}
		}
	})
}

// A sample without throughput is an error, and not left out: the others would pass for
// all.
func TestShapesOfNoThroughput(t *testing.T) {
	for _, kind := range []string{
		"kind = 'floor'\nlock = '.'\nunit = 'ops/s'\nmin = 1",
		"kind = 'ceiling'\nlock = '.'\nunit = 'ns/op'\nmax = 1e9",
		"kind = 'scaling'\nlock = '.'\nmax_sigma = 1",
		"kind = 'crossover'\nlock = 'mcs'\nthan = 'other'\nalong = 'cpus'\nmin = 1",
		"kind = 'ratio'\nlock = 'mcs'\nthan = 'other'\nat_most = 1e9",
		"kind = 'ratio'\nlock = 'other'\nthan = 'mcs'\nunit = 'ops/s'\nat_most = 1e9",
	} {
		for _, odd := range []results.Value{{Unit: "ops/s", Value: 0}, {Unit: "ns/op", Value: 0}, {Unit: "ops/s", Value: math.NaN()}, {Unit: "ops/s", Value: -5}} {
			m := newSweep(1).scaling("mcs", 12, []int{1, 2, 4, 8}, 0, 0, 0.01).scaling("other", 12, []int{1, 2, 4, 8}, 0.1, 0, 0.01)
			m.add(13, results.Cell{Lock: "mcs", Workers: 2, Think: 100 * time.Nanosecond, CPUs: 2}, odd.Unit, odd.Value, results.Near)
			_, err := judge(t, "[[shape]]\n"+kind+"\n", &m.file, nil)
			if err == nil || !strings.Contains(err.Error(), odd.Unit+": want a number above 0") {
				t.Errorf("%s, %v %s: %v, want an error", kind, odd.Value, odd.Unit, err)
			}
		}
	}
}
