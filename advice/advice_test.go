package advice_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/advice"
	"github.com/lockbench/lockbench/results"
)

const rounds = 12

// cell returns a workload of as many workers as CPUs.
func cell(cpus, reads int, hold, think time.Duration) results.Cell {
	return results.Cell{CPUs: cpus, Workers: cpus, Reads: reads, Hold: hold, Think: think}
}

// measured returns samples of locks in a cell, with these times for an operation and
// noise of one per cent around them, on a machine that is twice as slow in some rounds.
func measured(c results.Cell, d results.Distance, ns map[string]float64) (all []results.Sample) {
	random := rand.New(rand.NewPCG(uint64(c.CPUs), uint64(c.Reads)))
	for round := 1; round <= rounds; round++ {
		slow := 1 + float64(round%2)
		for _, lock := range slices.Sorted(func(yield func(string) bool) {
			for lock := range ns {
				if !yield(lock) {
					return
				}
			}
		}) {
			c.Lock = lock
			all = append(all, results.Sample{
				Cell: c, Round: round, Distance: d, Ops: 1000,
				Values: []results.Value{{Unit: "ns/op", Value: ns[lock] * slow * (1 + 0.01*random.NormFloat64())}, {Unit: "jain", Value: 0.99}, {Unit: "max-run", Value: 10}},
			})
		}
	}
	return all
}

// locks are what is known in the tests.
var locks = []advice.Lock{
	{Name: "sync.Mutex", Parks: true, Standard: true},
	{Name: "sync.RWMutex", Parks: true, Standard: true},
	{Name: "ticket", FIFO: true},
	{Name: "mcs", FIFO: true, Parks: true},
	{Name: "rcu", Needs: "what readers read must not be changed"},
	{Name: "none", Control: true},
}

const ns = time.Nanosecond

// ask asks about samples, and fails if there is no single answer.
func ask(t *testing.T, q advice.Question, samples []results.Sample) advice.Answer {
	t.Helper()
	q.Locks = locks
	answers, err := q.Ask(samples)
	if err != nil || len(answers) != 1 || answers[0].NoData != nil {
		t.Fatalf("%v: %d answers, error %v; want one: %+v", q.Cell, len(answers), err, answers)
	}
	return answers[0]
}

// names returns the locks of an answer: the fastest first, those that are tied by name,
// and those that are left out.
func names(a advice.Answer) (ranked, tied, out string) {
	var fastest, same, not []string
	for _, e := range a.Ranked {
		fastest = append(fastest, e.Lock)
		if e.Tied {
			same = append(same, e.Lock)
		}
	}
	slices.Sort(same)
	for _, l := range a.LeftOut {
		not = append(not, l.Lock+":"+l.Why)
	}
	return strings.Join(fastest, " "), strings.Join(same, " "), strings.Join(not, " ")
}

func near(got, want, off float64) bool { return math.Abs(got/want-1) < off }

// The lock to take is the fastest, or what is as good for want of a difference, or within
// the margin: first one of package sync, then one that asks for nothing.
func TestChoice(t *testing.T) {
	c := cell(2, 0, 0, 100*ns)
	for _, test := range []struct {
		name   string
		ns     map[string]float64
		margin float64
		take   string
		tied   string
		surely bool
	}{
		{"one is faster", map[string]float64{"sync.Mutex": 100, "ticket": 50, "mcs": 70}, 0.05, "ticket", "ticket", true},
		{"two are faster", map[string]float64{"sync.Mutex": 100, "ticket": 50, "mcs": 51.5}, 0.05, "ticket", "mcs ticket", true},
		{"none is faster", map[string]float64{"sync.Mutex": 100, "ticket": 99.9}, 0, "sync.Mutex", "sync.Mutex ticket", false},
		{"within the margin", map[string]float64{"sync.Mutex": 100, "ticket": 96}, 0.05, "sync.Mutex", "sync.Mutex ticket", false},
		{"beyond the margin", map[string]float64{"sync.Mutex": 100, "ticket": 90}, 0.05, "ticket", "ticket", true},
		{"both of sync", map[string]float64{"sync.Mutex": 100, "sync.RWMutex": 99, "ticket": 98}, 0.05, "sync.Mutex", "sync.Mutex sync.RWMutex ticket", false},
		{"sync is the fastest", map[string]float64{"sync.Mutex": 50, "ticket": 90}, 0.05, "sync.Mutex", "sync.Mutex", false},
		{"the fastest needs something", map[string]float64{"sync.Mutex": 100, "rcu": 50, "ticket": 51}, 0.05, "ticket", "rcu ticket", true},
		{"it is worth it", map[string]float64{"sync.Mutex": 100, "rcu": 50, "ticket": 80}, 0.05, "rcu", "rcu", true},
		{"no lock of sync", map[string]float64{"ticket": 50, "mcs": 80}, 0.05, "ticket", "ticket", false},
		{"an unknown lock", map[string]float64{"mine": 50, "sync.Mutex": 80}, 0.05, "mine", "mine", true},
		{"no lock at all is no answer", map[string]float64{"none": 5, "sync.Mutex": 80, "ticket": 100}, 0.05, "sync.Mutex", "sync.Mutex", false},
	} {
		a := ask(t, advice.Question{Cell: c, Margin: test.margin}, measured(c, results.Near, test.ns))
		_, tied, out := names(a)
		if a.Take != test.take || tied != test.tied || a.Surely != test.surely || out != "" || a.Distance != results.Near {
			t.Errorf("%s: take %s (surely: %t), tied %q, left out %q, %s; want %s (%t), %q, none, near", test.name, a.Take, a.Surely, tied, out, a.Distance, test.take, test.surely, test.tied)
		}
		for _, e := range a.Ranked {
			of := test.ns[e.Lock]
			if ratio := of / test.ns[a.Take]; !near(e.Times, ratio, 0.02) || e.TimesLo > e.Times || e.TimesHi < e.Times || e.TimesHi > 1.05*ratio {
				t.Errorf("%s: %s: times %v [%v, %v], want %v", test.name, e.Lock, e.Times, e.TimesLo, e.TimesHi, ratio)
			}
			// Of fast and slow rounds, the median is in between.
			if e.Lo > e.NS || e.Hi < e.NS || e.NS < 0.9*of || e.NS > 2.2*of || e.Jain != 0.99 || !math.IsNaN(e.CPUNS) {
				t.Errorf("%s: %+v, want about %v ns", test.name, e, 1.5*of)
			}
		}
	}
}

// Between cells, times follow a power law, but are linear in reads; the cells are named.
func TestInterpolates(t *testing.T) {
	steady := func(c results.Cell, d results.Distance, ns map[string]float64) []results.Sample {
		all := measured(c, d, ns)
		for i := range all {
			all[i].Values[0].Value = ns[all[i].Lock]
		}
		return all
	}
	var samples []results.Sample
	for _, reads := range []int{90, 99} {
		for _, cpus := range []int{1, 4} {
			d := results.Near
			if cpus == 1 {
				d = results.Local
			}
			grows := float64(cpus)
			samples = append(samples, steady(cell(cpus, reads, 0, 100*ns), d, map[string]float64{
				"sync.Mutex": 50 * grows, // 50, 200
				"ticket":     30 * grows * float64(100-reads) / 10,
			})...)
		}
	}
	for _, test := range []struct {
		cell   results.Cell
		mutex  float64
		ticket float64
		cells  int
	}{
		{cell(4, 99, 0, 100*ns), 200, 12, 1},
		{cell(2, 90, 0, 100*ns), 100, 60, 2},
		{cell(4, 96, 0, 100*ns), 200, 48, 2},
		{cell(2, 96, 0, 100*ns), 100, 24, 4},
	} {
		a := ask(t, advice.Question{Cell: test.cell}, samples)
		got := make(map[string]advice.Estimate)
		for _, e := range a.Ranked {
			got[e.Lock] = e
		}
		if !near(got["sync.Mutex"].NS, test.mutex, 1e-9) || !near(got["ticket"].NS, test.ticket, 1e-9) || len(a.Cells) != test.cells {
			t.Errorf("%v: %+v of %v, want %v and %v of %d cells", test.cell, a.Ranked, a.Cells, test.mutex, test.ticket, test.cells)
		}
		if got["ticket"].Lo != got["ticket"].NS {
			t.Errorf("%v: %+v, want an interval of one value", test.cell, got["ticket"])
		}
		for _, c := range a.Cells {
			if c.Lock != "" {
				t.Errorf("%v: cell %v, want a scenario", test.cell, c)
			}
		}
	}

	// On a logarithmic scale of durations, to which 10 ns are added: 20 ns is in the middle
	// between 0 and 80.
	samples = append(steady(cell(1, 0, 0, 0), results.Local, map[string]float64{"mcs": 10, "ticket": 20}),
		steady(cell(1, 0, 80*ns, 0), results.Local, map[string]float64{"mcs": 90, "ticket": 80})...)
	a := ask(t, advice.Question{Cell: cell(1, 0, 20*ns, 0)}, samples)
	if ranked, tied, _ := names(a); ranked != "mcs ticket" || tied != "mcs ticket" || !near(a.Ranked[0].NS, 30, 1e-9) || !near(a.Ranked[1].NS, 40, 1e-9) {
		t.Errorf("%+v, want 30 and 40 ns, and a tie, since the order changes in between", a.Ranked)
	}
	if e := a.Ranked[1]; e.TimesLo != 80.0/90 || e.TimesHi != 2 || !near(e.Times, math.Sqrt(2*80.0/90), 1e-9) {
		t.Errorf("%+v, want the interval of both cells' ratios", e)
	}
}

// A lock that is tied with the fastest, and asks for nothing, is not taken if it is not
// surely faster than that of package sync, either.
func TestChoiceOfThree(t *testing.T) {
	samples := slices.Concat(
		measured(cell(1, 0, 0, 0), results.Local, map[string]float64{"rcu": 50, "ticket": 49, "sync.Mutex": 100}),
		measured(cell(1, 0, 80*ns, 0), results.Local, map[string]float64{"rcu": 50, "ticket": 110, "sync.Mutex": 100}),
	)
	a := ask(t, advice.Question{Cell: cell(1, 0, 20*ns, 0), Margin: 0.05}, samples)
	if _, tied, _ := names(a); a.Take != "rcu" || !a.Surely || tied != "rcu ticket" {
		t.Errorf("take %s (surely: %t), tied %q; want rcu, surely, tied with ticket", a.Take, a.Surely, tied)
	}
}

// Cells need not be a grid: the nearest ones that surround the workload count.
func TestNoGrid(t *testing.T) {
	both := map[string]float64{"sync.Mutex": 100, "ticket": 50}
	samples := slices.Concat(
		measured(cell(2, 0, 0, 100*ns), results.Near, both),
		measured(cell(2, 0, 0, 1000*ns), results.Near, both),
		measured(cell(1, 0, 0, 300*ns), results.Local, both),
		measured(cell(2, 0, 0, 500*ns), results.Near, map[string]float64{"ticket": 1}), // of one lock alone
	)
	a := ask(t, advice.Question{Cell: cell(2, 0, 0, 400*ns)}, samples)
	if len(a.Cells) != 2 || a.Cells[0].Think != 100 || a.Cells[1].Think != 1000 {
		t.Errorf("answer from %v, want 100 ns and 1 µs", a.Cells)
	}
}

// A workload beyond what was measured has no answer, and the error says on which axis.
func TestNoData(t *testing.T) {
	both := map[string]float64{"sync.Mutex": 100, "ticket": 50}
	var samples []results.Sample
	for _, cpus := range []int{1, 2} {
		for _, reads := range []int{0, 90} {
			samples = append(samples, measured(cell(cpus, reads, 0, 100*ns), results.Unknown, both)...)
		}
	}
	crowd := measured(cell(8, 0, 0, 100*ns), results.Unknown, both)
	for i := range crowd {
		crowd[i].Oversubscribed = true
	}
	few := measured(cell(2, 95, 0, 100*ns), results.Unknown, both)[:10] // five of each
	samples = slices.Concat(samples, crowd, few)
	other := cell(2, 0, 0, 100*ns)
	other.Workload = "log"
	crowded := cell(2, 0, 0, 100*ns)
	crowded.Workers = 16
	for _, test := range []struct {
		cell results.Cell
		want string
	}{
		{cell(8, 0, 0, 100*ns), "no samples around cpus 8: have 1, 2 (24 with more CPUs than their machine were left out)"},
		{cell(2, 95, 0, 100*ns), "no samples around reads 95%: have 0%, 90% (24 "},
		{cell(2, 0, 1000*ns, 100*ns), "no samples around hold 1µs: have 0s (24 "},
		{cell(2, 0, 0, 50*ns), "no samples around think 50ns: have 100ns (24 "},
		{crowded, "no samples around workers 8 per CPU: have 1 per CPU (24 "},
		{other, "no samples of two locks in such cells (130 of another workload, work, mode, gc or place, "},
	} {
		answers, err := advice.Question{Cell: test.cell}.Ask(samples)
		if no := (*advice.NoDataError)(nil); !errors.As(err, &no) || !strings.HasPrefix(err.Error(), test.want) || answers != nil {
			t.Errorf("%v: %v, %v; want %s", test.cell, answers, err, test.want)
		}
	}
	if _, err := (advice.Question{Cell: cell(2, 0, 0, 100*ns)}).Ask(nil); err == nil {
		t.Error("no samples: no error")
	}
}

// Fair and MayBlock leave out what does not suit, and say why.
func TestLeftOut(t *testing.T) {
	c := cell(2, 0, 0, 100*ns)
	samples := measured(c, results.Near, map[string]float64{"sync.Mutex": 100, "ticket": 50, "mcs": 70, "mine": 10, "none": 1})
	for i := range samples {
		if samples[i].Lock == "mcs" {
			samples[i].Values[2].Value = 600 // of 1000
		}
	}
	starves := measured(c, results.Near, map[string]float64{"ticket": 50})
	for i := range starves {
		starves[i].Values[1].Value = 0.8
	}
	few := measured(c, results.Near, map[string]float64{"rcu": 5})[:5]
	for _, test := range []struct {
		q       advice.Question
		samples []results.Sample
		ranked  string
		out     string
	}{
		{advice.Question{}, samples, "mine ticket mcs sync.Mutex", ""},
		{advice.Question{Fair: true}, samples, "ticket", "mcs:one worker did far more than others mine:not known to serve in order sync.Mutex:does not serve in order"},
		{advice.Question{MayBlock: true}, samples, "mcs sync.Mutex", "mine:not known to park its waiters ticket:its waiters spin, or its holder must not block"},
		{advice.Question{}, slices.Concat(samples, few), "mine ticket mcs sync.Mutex", "rcu:too few samples there"},
	} {
		test.q.Cell = c
		a := ask(t, test.q, test.samples)
		if ranked, _, out := names(a); ranked != test.ranked || out != test.out {
			t.Errorf("fair %t, may block %t: ranked %q, left out %q; want %q, %q", test.q.Fair, test.q.MayBlock, ranked, out, test.ranked, test.out)
		}
	}
	// If the samples leave nothing, there is no data either.
	if _, err := (advice.Question{Cell: c, Fair: true, Locks: locks}).Ask(starves); err == nil {
		t.Error("only an unfair lock: no error")
	}
}

// Near and far have answers of their own; one CPU has one, and so has a file whose
// distances are not known.
func TestDistances(t *testing.T) {
	c := cell(2, 0, 0, 100*ns)
	samples := slices.Concat(
		measured(c, results.Near, map[string]float64{"sync.Mutex": 100, "ticket": 50}),
		measured(c, results.Far, map[string]float64{"sync.Mutex": 150, "ticket": 300}),
		measured(c, results.Mixed, map[string]float64{"sync.Mutex": 1, "ticket": 1}),
		measured(c, results.Unknown, map[string]float64{"sync.Mutex": 1, "ticket": 1}),
		measured(cell(1, 0, 0, 100*ns), results.Local, map[string]float64{"sync.Mutex": 20, "ticket": 10}),
	)
	got := func(q advice.Question, samples []results.Sample) (all string) {
		q.Locks = locks
		answers, err := q.Ask(samples)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range answers {
			all += string(a.Distance) + ":" + a.Take
			if a.NoData != nil {
				all += "-"
			}
			all += " "
		}
		return all
	}
	for _, test := range []struct {
		cell    results.Cell
		samples []results.Sample
		want    string
	}{
		{c, samples, "near:ticket far:sync.Mutex "},
		{cell(1, 0, 0, 100*ns), samples, "local:ticket "},
		{c, measured(c, results.Unknown, map[string]float64{"sync.Mutex": 50, "ticket": 100}), ":sync.Mutex "},
		{c, slices.Concat(samples[:24], samples[24:26]), "near:ticket far:- "},
		{c, slices.Concat(samples[:2], samples[24:26], measured(c, results.Unknown, map[string]float64{"sync.Mutex": 50, "ticket": 100})), "near:- far:- :sync.Mutex "},
	} {
		if have := got(advice.Question{Cell: test.cell}, test.samples); have != test.want {
			t.Errorf("%v: %q, want %q", test.cell, have, test.want)
		}
	}
}

// A flip is the nearest place of an axis where another lock is surely faster, by more
// than the margin.
func TestFlips(t *testing.T) {
	var samples []results.Sample
	for reads, rw := range map[int]float64{0: 150, 50: 110, 90: 98, 99: 60, 100: 40} {
		samples = append(samples, measured(cell(2, reads, 0, 100*ns), results.Near, map[string]float64{"sync.Mutex": 100, "sync.RWMutex": rw, "ticket": 130})...)
	}
	samples = append(samples, measured(cell(1, 50, 0, 100*ns), results.Local, map[string]float64{"sync.Mutex": 20, "ticket": 10, "mcs": 12})...)
	samples = append(samples, measured(cell(4, 50, 0, 100*ns), results.Near, map[string]float64{"sync.Mutex": 200, "ticket": 300, "mcs": 220})...)
	a := ask(t, advice.Question{Cell: cell(2, 50, 0, 100*ns), Margin: 0.05}, samples)
	if a.Take != "sync.Mutex" || len(a.Flips) != 2 {
		t.Fatalf("take %s, flips %+v; want sync.Mutex, and two", a.Take, a.Flips)
	}
	for i, want := range []struct {
		axis  string
		cell  results.Cell
		lock  string
		times float64
	}{
		{"cpus", cell(1, 50, 0, 100*ns), "ticket", 0.5},
		{"reads", cell(2, 99, 0, 100*ns), "sync.RWMutex", 0.6},
	} {
		f := a.Flips[i]
		if f.Axis != want.axis || f.Cell != want.cell || f.Lock != want.lock || !near(f.Times, want.times, 0.03) || f.TimesHi >= 1 || f.TimesLo > f.Times {
			t.Errorf("flip %+v, want %+v", f, want)
		}
	}
}

// A simulation needs one sample: nothing varies.
func TestExact(t *testing.T) {
	c := cell(64, 0, 0, 100*ns)
	samples := measured(c, results.Far, map[string]float64{"sync.Mutex": 100, "ticket": 300, "mcs": 101})[:3]
	if _, err := (advice.Question{Cell: c, Locks: locks}).Ask(samples); err == nil {
		t.Error("one measured sample: no error, want one")
	}
	a := ask(t, advice.Question{Cell: c, Margin: 0.05, Exact: true}, samples)
	if _, tied, _ := names(a); a.Take != "sync.Mutex" || tied != "mcs sync.Mutex" || a.Ranked[0].Lo != a.Ranked[0].Hi {
		t.Errorf("take %s, tied %q, %+v; want sync.Mutex, tied with mcs, without an interval", a.Take, tied, a.Ranked[0])
	}
}

// All that is wrong with a question is reported at once.
func TestWrongQuestions(t *testing.T) {
	c := results.Cell{Lock: "ticket", Load: "0.5", Readers: 1, Reads: 101}
	_, err := advice.Question{Cell: c, Margin: math.NaN()}.Ask(nil)
	for _, want := range []string{`lock "ticket"`, "readers and writers", "load 0.5", "margin NaN", "reads 101", "cpus 0"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// What is asked for may be the tail of the wait, which ranks locks in another order; no
// answer says that it was not measured.
func TestUnit(t *testing.T) {
	c := cell(2, 0, 0, 100*ns)
	samples := measured(c, results.Near, map[string]float64{"sync.Mutex": 100, "ticket": 150, "mcs": 120})
	for i := range samples {
		if tail, ok := map[string]float64{"sync.Mutex": 9000, "ticket": 300}[samples[i].Lock]; ok {
			samples[i].Values = append(samples[i].Values, results.Value{Unit: "write-p99-ns", Value: tail})
		}
	}
	if a := ask(t, advice.Question{Cell: c}, samples); a.Take != "sync.Mutex" || a.Scenarios != 1 {
		t.Errorf("by time: take %s of %d scenarios, want sync.Mutex of 1", a.Take, a.Scenarios)
	}
	a := ask(t, advice.Question{Cell: c, Unit: "write-p99-ns"}, samples)
	if ranked, _, _ := names(a); a.Take != "ticket" || !a.Surely || ranked != "ticket sync.Mutex" || a.Ranked[1].NS != 9000 || a.Ranked[1].Times != 30 {
		t.Errorf("by the tail: take %s, ranked %+v; want ticket, then sync.Mutex with 9000 ns, 30 times as much", a.Take, a.Ranked)
	}
	_, err := advice.Question{Cell: c, Unit: "read-p99-ns"}.Ask(samples)
	if no := (*advice.NoDataError)(nil); !errors.As(err, &no) || no.Unit != "read-p99-ns" || no.Without != 3*rounds || !strings.Contains(err.Error(), "36 without read-p99-ns") {
		t.Errorf("error %v, want that 36 samples have no read-p99-ns", err)
	}
	for _, unit := range []string{"jain", "ops/s", "B/op"} {
		if _, err := (advice.Question{Cell: c, Unit: unit}).Ask(samples); err == nil || !strings.Contains(err.Error(), "unit "+unit) {
			t.Errorf("%s: error %v, want that it is no time", unit, err)
		}
	}
}

// A lock that takes more bytes than there are is left out, and so is one of which that is
// not known.
func TestMaxBytes(t *testing.T) {
	c := cell(2, 0, 0, 100*ns)
	q := advice.Question{Cell: c, MaxBytes: 8, Locks: []advice.Lock{
		{Name: "sync.Mutex", Standard: true, Bytes: 8}, {Name: "mcs", Bytes: 24}, {Name: "none", Control: true},
	}}
	answers, err := q.Ask(measured(c, results.Near, map[string]float64{"sync.Mutex": 100, "mcs": 50, "mine": 40, "none": 5}))
	if err != nil {
		t.Fatal(err)
	}
	if ranked, _, out := names(answers[0]); ranked != "sync.Mutex" || out != "mcs:takes 24 bytes mine:its size is not known" {
		t.Errorf("ranked %q, left out %q", ranked, out)
	}
	q.MaxBytes = -1
	if _, err := q.Ask(nil); err == nil || !strings.Contains(err.Error(), "-1 bytes") {
		t.Errorf("-1 bytes: error %v", err)
	}
}
