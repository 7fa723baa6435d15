package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// fit returns what is seen on a machine that is fit in all respects.
func fit() *sight {
	return &sight{
		goos:         "linux",
		state:        fitness.State{CPUs: 4, Load: 0.5, Pressure: 0.01, Governor: "performance", Turbo: "off", Clock: "tsc", Quota: math.NaN(), Weight: 1},
		during:       fitness.Conditions{Steal: 0, Throttle: 0},
		listed:       true,
		cpus:         4,
		cores:        4,
		packages:     1,
		nodes:        1,
		clock:        clock{cost: 25, step: 1},
		late:         []time.Duration{60 * time.Microsecond, 70 * time.Microsecond, time.Millisecond},
		trips:        []pingpong.Trip{{NS: 90, Distance: results.Near}, {NS: 100, Distance: results.Near}},
		counters:     []harness.Counter{{Unit: "cycles/op"}},
		instructions: "by the CPU",
	}
}

var quiet = []Noise{{Cells: "alone", Lock: "sync.Mutex", Distance: results.Local, Pairs: 100, InTurns: 0.002, Apart: 0.03, Margin: 0.03}}

// Each fact that is not as it should be gives one finding its grade, and something to do
// if that helps.
func TestFindings(t *testing.T) {
	for _, f := range fit().findings(quiet) {
		if f.Grade != Good || f.Do != "" || f.Says == "" {
			t.Errorf("a fit machine: %+v, want it good", f)
		}
	}
	near, far, none := pingpong.Trip{NS: 90, Distance: results.Near}, pingpong.Trip{NS: 450, Distance: results.Far}, pingpong.Trip{}
	noisy := []Noise{{InTurns: 0.02}, {InTurns: 0.3}, {InTurns: 0.01}}
	for _, test := range []struct {
		name  string
		grade Grade
		says  string
		do    string
		bad   func(*sight)
		noise []Noise
	}{
		{"cpus", Poor, "4 CPUs on 2 cores", "--place scatter", func(s *sight) { s.cores = 2 }, quiet},
		{"cpus", Poor, "1 CPU", "more CPUs", func(s *sight) { s.state.CPUs, s.cpus, s.cores = 1, 1, 1 }, quiet},
		{"cpus", Good, "not known (no sysfs)", "", func(s *sight) { s.place = errors.New("no sysfs") }, quiet},
		{"host", Poor, "virtual", "one file", func(s *sight) { s.state.Virtual = true }, quiet},
		{"governor", Poor, "powersave", "cpupower", func(s *sight) { s.state.Governor = "powersave" }, quiet},
		{"governor", Unknown, "no cpufreq", "", func(s *sight) { s.state.Governor = "" }, quiet},
		{"turbo", Poor, "on", "no_turbo", func(s *sight) { s.state.Turbo = "on" }, quiet},
		{"turbo", Unknown, "does not say", "", func(s *sight) { s.state.Turbo = "" }, quiet},
		{"quota", Bad, "1.5 of 4 CPUs, used up in 20 %", "cpu.max", func(s *sight) { s.state.Quota, s.during.Stopped = 1.5, 0.2 }, quiet},
		{"quota", Poor, "3 of 4 CPUs", "--cpus 3", func(s *sight) { s.state.Quota, s.during.Stopped = 3, 0 }, quiet},
		{"quota", Poor, "0.5 of 4 CPUs", "--cpus 1", func(s *sight) { s.state.Quota, s.during.Stopped = 0.5, math.NaN() }, quiet},
		{"priority", Poor, "nice 10, 0.1 of", "nice", func(s *sight) { s.state.Nice, s.state.Weight = 10, 0.1 }, quiet},
		{"load", Poor, "2.1 threads", "wait", func(s *sight) { s.state.Load = 2.1 }, quiet},
		{"load", Poor, "4.1 threads", "wait", func(s *sight) { s.state.Load = 4.1 }, quiet}, // the noise is what counts
		{"load", Unknown, "does not say", "", func(s *sight) { s.state.Load = math.NaN() }, quiet},
		{"pressure", Poor, "20 %", "see load", func(s *sight) { s.state.Pressure = 0.2 }, quiet},
		{"steal", Poor, "2.0 %", "guest", func(s *sight) { s.during.Steal = 0.02 }, quiet},
		{"steal", Poor, "9.0 %", "guest", func(s *sight) { s.during.Steal = 0.09 }, quiet},
		{"processes", Poor, "0.70 CPUs: go (7) 0.40, a b (8) 0.10, c (9) 0.10", "stop", func(s *sight) {
			s.others = []fitness.Process{{PID: 7, Name: "go", CPUs: .4}, {PID: 8, Name: "a\nb", CPUs: .1}, {PID: 9, Name: "c", CPUs: .1}, {PID: 10, Name: "d", CPUs: .1}}
		}, quiet},
		{"processes", Poor, "0.15 CPUs: kworker/u8:0 (9, the kernel's) 0.15", "wait", func(s *sight) {
			s.others = []fitness.Process{{PID: 9, Name: "kworker/u8:0", CPUs: .15, Kernel: true}, {PID: 1, Name: "init", CPUs: .004}}
		}, quiet},
		{"processes", Unknown, "does not say", "", func(s *sight) { s.listed = false }, quiet},
		{"power", Poor, "battery", "plug", func(s *sight) { s.state.Battery = true }, quiet},
		{"heat", Poor, "3 times", "cool", func(s *sight) { s.during.Throttle = 3 }, quiet},
		{"heat", Unknown, "does not say", "", func(s *sight) { s.during.Throttle = math.NaN() }, quiet},
		{"clock", Poor, "2500 ns a reading, steps of 70.0 ns (hpet)", "available_clocksource", func(s *sight) { s.clock, s.state.Clock = clock{2500, 70}, "hpet" }, quiet},
		{"timer", Poor, "1ms longer, at most 2ms", "sleep", func(s *sight) { s.late = []time.Duration{1e6, 1e6, 2e6} }, quiet},
		{"timer", Poor, "20ms longer", "stay right", func(s *sight) { s.late = []time.Duration{20e6} }, quiet},
		{"pingpong", Poor, "near 67 % of the time, 90 ns; far 33 % of the time, 450 ns; changed 2 times", "near with near", func(s *sight) { s.trips = []pingpong.Trip{near, far, near} }, quiet},
		{"pingpong", Poor, "far 67 % of the time, 450 ns; no answer 33 %", "chiplets", func(s *sight) { s.trips = []pingpong.Trip{far, none, far} }, quiet},
		{"pingpong", Poor, "far 100 %", "numactl", func(s *sight) { s.trips, s.packages = []pingpong.Trip{far}, 2 }, quiet},
		{"pingpong", Bad, "no answer 75 %", "scheduler", func(s *sight) { s.trips = []pingpong.Trip{none, none, none, near} }, quiet},
		{"pingpong", Unknown, "one CPU", "", func(s *sight) { s.state.CPUs, s.trips = 1, nil }, quiet},
		{"noise", Bad, "30.0%", "half as long again", func(*sight) {}, noisy},
		{"noise", Poor, "25.0%", "margin of 50%", func(*sight) {}, []Noise{{InTurns: 0.25}}},
		{"noise", Poor, "2.0%", "margin of 4%", func(*sight) {}, noisy[:1]},
		{"noise", Unknown, "too few", "longer", func(*sight) {}, nil},
		{"noise", Bad, "reads: stuck", "would fail", func(s *sight) { s.sections = []section{{cells: "reads", failed: errors.New("stuck")}} }, noisy},
		{"counters", Poor, "cycles/op; not hitm/op, page-faults/op: hidden", "the others only", func(s *sight) {
			s.counters = append(s.counters, harness.Counter{Unit: "hitm/op", Err: errors.New("hidden")}, harness.Counter{Unit: "page-faults/op", Err: errors.New("no")})
		}, quiet},
		{"counters", Poor, "not cycles/op: hidden", "is refused", func(s *sight) { s.counters[0].Err = errors.New("hidden") }, quiet},
		{"instructions", Poor, "no counter, and no valgrind", "Valgrind", func(s *sight) { s.uncounted = errors.New("no counter, and no valgrind") }, quiet},
	} {
		s := fit()
		test.bad(s)
		for _, f := range s.findings(test.noise) {
			if f.Name != test.name {
				if f.Grade != Good && s.state.CPUs > 1 {
					t.Errorf("%s: %+v, want only one finding worse than good", test.name, f)
				}
				continue
			}
			if f.Grade != test.grade || !strings.Contains(f.Says, test.says) || !strings.Contains(f.Do, test.do) || test.do == "" && f.Do != "" {
				t.Errorf("%s: got %s, %q, to do %q; want %s, %q, to do %q", f.Name, f.Grade, f.Says, f.Do, test.grade, test.says, test.do)
			}
		}
	}
}

// What may disturb is bad only if the noise does not show that it did little.
func TestDisturbance(t *testing.T) {
	grades := func(noise []Noise, trips ...pingpong.Trip) string {
		s := fit()
		s.trips = append(trips, s.trips...)
		s.state.Load, s.state.Pressure, s.during.Steal = 9, 0.9, 0.2
		s.others = []fitness.Process{{PID: 7, Name: "go", CPUs: 2}}
		var all []string
		for _, f := range s.findings(noise) {
			if f.Grade != Good && f.Name != "noise" && f.Name != "pingpong" {
				all = append(all, f.Name+" "+string(f.Grade))
			}
		}
		return strings.Join(all, ", ")
	}
	const poor, bad = "load poor, pressure poor, steal poor, processes poor", "load bad, pressure bad, steal bad, processes bad"
	for _, test := range []struct {
		noise []Noise
		want  string
	}{{quiet, poor}, {[]Noise{{InTurns: 0.053}}, poor}, {[]Noise{{InTurns: 0.3}}, bad}, {nil, bad}} {
		if got := grades(test.noise); got != test.want {
			t.Errorf("noise %+v: %s; want %s", test.noise, got, test.want)
		}
	}
	var apart [9]pingpong.Trip // CPUs that do not run at the same time compare well, but not what they should
	if got := grades(quiet, apart[:]...); got != bad {
		t.Errorf("CPUs that do not answer: %s; want %s", got, bad)
	}
}

// A quiet virtual machine, as there are many, is of use: with which margins is said.
func TestVirtualMachine(t *testing.T) {
	s := fit()
	s.state.Virtual, s.state.Load = true, 0.7
	s.trips = []pingpong.Trip{{NS: 458, Distance: results.Far}}
	noise := []Noise{{Cells: "alone", InTurns: 0.025, Margin: 0.06}, {Cells: "contended", InTurns: 0.04, Margin: 0.10}, {Cells: "reads", InTurns: 0.053, Margin: 0.12}, {Cells: "few", InTurns: wording.JSONNumber(math.NaN()), Margin: wording.JSONNumber(math.NaN())}}
	r := &Report{Findings: s.findings(noise), Noise: noise}
	r.Grade = overall(r.Findings)
	var b strings.Builder
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(b.String()), " ")
	for _, want := range []string{"margin of 12%", "only the host can", " poor: usable, with margins of 6% to 12% for a gate; 3 findings above, marked poor,"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	if strings.Contains(text, "taskset") {
		t.Errorf("a socket to bind to, of one socket:\n%s", &b)
	}
}

// On other systems each probe says that it looks on Linux only.
func TestElsewhere(t *testing.T) {
	nan := math.NaN()
	s := fit()
	s.goos, s.listed, s.place = "plan9", false, errors.ErrUnsupported
	s.state = fitness.State{CPUs: 4, Load: nan, Pressure: nan, Steal: nan, Quota: nan, Weight: nan}
	s.during = fitness.Conditions{Steal: nan, Pressure: nan, Throttle: nan, Stopped: nan}
	unknown := 0
	for _, f := range s.findings(quiet) {
		if f.Grade == Unknown {
			unknown++
			if !strings.Contains(f.Says, "on Linux only") {
				t.Errorf("%s: %q, want it to say that it looks on Linux only", f.Name, f.Says)
			}
		}
	}
	if unknown != 11 {
		t.Errorf("%d findings are unknown, want 11", unknown)
	}
	if got := overall(s.findings(quiet)); got != Good {
		t.Errorf("overall %s: what is not known makes no machine worse, want good", got)
	}
}

// series returns times around mean(i), at a distance that depends on i.
func series(n int, mean func(i int) float64, at func(i int) results.Distance) (all []timed) {
	random := rand.New(rand.NewPCG(1, 2))
	for i := range n {
		all = append(all, timed{mean(i) * (1 + 0.01*random.NormFloat64()), at(i)})
	}
	return all
}

// In turns, a machine that drifts compares as one that does not; apart, it does not. Pairs
// of different distances are not compared.
func TestNoise(t *testing.T) {
	near := func(int) results.Distance { return results.Near }
	steady := series(400, func(int) float64 { return 50 }, near)
	drifts := series(400, func(i int) float64 { return 50 * math.Exp(float64(i)/200) }, near)
	farTimes := func(i int) results.Distance {
		if i%9 > 5 {
			return results.Far
		}
		return results.Near
	}
	flips := series(400, func(i int) float64 {
		if farTimes(i) == results.Far {
			return 400
		}
		return 50
	}, farTimes)
	for _, test := range []struct {
		name               string
		of                 []timed
		turnsLo, turnsHi   float64
		apartLo, apartHi   float64
		marginLo, marginHi float64
	}{
		// Of pairs with a standard deviation of 1.4 %, medians of 20 have 0.4 %, so that 95 %
		// are within 0.8 %; of samples with 1 %, two medians differ by 0.4 %.
		{"steady", steady, 0.003, 0.012, 0.003, 0.012, 0.03, 0.03},
		{"drifts", drifts, 0.003, 0.02, 0.09, 0.13, 0.03, 0.04},
		{"flips", flips, 0.003, 0.015, 0, 8, 0.03, 0.03},
	} {
		pairs := pairs(test.of, results.Near)
		turns, apart := inTurns(pairs), apart(test.of)
		m := margin(turns)
		if turns < test.turnsLo || turns > test.turnsHi || apart < test.apartLo || apart > test.apartHi || m < test.marginLo || m > test.marginHi {
			t.Errorf("%s: in turns %.4f, apart %.4f, margin %v; want [%v, %v], [%v, %v], [%v, %v]", test.name, turns, apart, m, test.turnsLo, test.turnsHi, test.apartLo, test.apartHi, test.marginLo, test.marginHi)
		}
	}
	// Every other pair is turned around, so that a drift favours neither side.
	for i := range drifts {
		drifts[i].ns = math.Exp(float64(i) / 200)
	}
	if got := inTurns(pairs(drifts, results.Near)); got > 1e-3 {
		t.Errorf("a drift of half a per cent from sample to sample, and nothing else: %v in turns, want next to nothing", got)
	}
	if n := len(pairs(flips, results.Far)); n == 0 || n >= len(pairs(flips, results.Near)) {
		t.Errorf("%d far pairs, want some, and fewer than near ones", n)
	}
	for _, r := range pairs(flips, results.Near) {
		if r > 2 || r < 0.5 {
			t.Fatalf("a pair's ratio is %v: of two distances", r)
		}
	}
	if got := inTurns(make([]float64, each-1)); !math.IsNaN(got) || !math.IsNaN(margin(got)) {
		t.Errorf("%d pairs: noise %v, margin %v, want none", each-1, got, margin(got))
	}
	if got := apart(steady[:2*each-1]); !math.IsNaN(got) {
		t.Errorf("too few samples: %v, want none", got)
	}
}

func TestMargin(t *testing.T) {
	for noise, want := range map[float64]float64{0: 0.03, 0.015: 0.03, 0.0151: 0.04, 0.05: 0.10, 0.051: 0.12, 0.5: 1, 0.6: math.Inf(1)} {
		if got := margin(noise); got != want {
			t.Errorf("noise %v: margin %v, want %v", noise, got, want)
		}
	}
}

// All of a report is in its text, which fits a terminal, and in its JSON, which has null
// for what is not known.
func TestReport(t *testing.T) {
	s := fit()
	s.state.Virtual, s.state.Load, s.during.Throttle = true, 9, math.NaN()
	s.uncounted = errors.New(strings.Repeat("a long reason ", 20))
	nan, inf := wording.JSONNumber(math.NaN()), wording.JSONNumber(math.Inf(1))
	noise := append(slices.Clone(quiet), Noise{Cells: "reads", Lock: "sync.RWMutex", Distance: results.Unknown, Pairs: 3, InTurns: nan, Apart: nan, Margin: nan},
		Noise{Cells: "contended", Lock: "sync.Mutex", Distance: results.Far, Pairs: 300, InTurns: 0.7, Apart: 3, Margin: inf})
	r := &Report{Schema: 1, GOOS: "linux", GOARCH: "amd64", CPU: "AMD EPYC", Findings: s.findings(noise), Noise: noise}
	r.Grade = overall(r.Findings)
	var b strings.Builder
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(b.String(), "\n") {
		if n := utf8.RuneCountInString(line); n > width {
			t.Errorf("line %d has %d characters, want at most %d: %s", i+1, n, width, line)
		}
	}
	for _, want := range []string{
		"AMD EPYC, linux/amd64\n", "\nbad      load          9.0 threads ran", "\nunknown  heat", "\npoor     host          a virtual machine\n                       → its host",
		"\nalone      sync.Mutex    one        100", "\nreads      sync.RWMutex  unknown      3       few    few       -\n", "70.0%   300%    none",
		"\nbad: not fit to measure on; 2 findings above, marked bad, are to be mended first\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	text, err := json.Marshal(r)
	var back Report
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil || len(back.Findings) != len(r.Findings) || back.Findings[0].Name != "cpus" || !math.IsNaN(float64(back.Noise[1].Margin)) || !strings.Contains(string(text), `"in_turns":null`) {
		t.Errorf("JSON: %v\n%s", err, text)
	}
}

// Look finds something about everything, here too, within about the time that it is
// given, and ends with its context.
func TestLook(t *testing.T) {
	calls := 0
	r, err := Look(context.Background(), Options{For: 150 * time.Millisecond, Progress: func(time.Duration) { calls++ }})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.Findings {
		names = append(names, f.Name)
		if f.Says == "" || f.Grade == "" {
			t.Errorf("%+v: says nothing", f)
		}
	}
	if want := "cpus host governor turbo quota priority load pressure steal processes power heat clock timer pingpong noise counters instructions"; strings.Join(names, " ") != want {
		t.Errorf("findings %q, want %s", names, want)
	}
	if len(r.Noise) == 0 || r.Noise[0].Cells != "alone" || r.Noise[0].Pairs == 0 || calls == 0 {
		t.Errorf("noise %+v after %d calls of Progress, want that of a lock alone", r.Noise, calls)
	}

	ctx, cancel := context.WithCancelCause(context.Background())
	stop := errors.New("stop")
	cancel(stop)
	if _, err := Look(ctx, Options{For: time.Hour}); !errors.Is(err, stop) {
		t.Errorf("error %v, want that of the context", err)
	}
}
