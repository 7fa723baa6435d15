package gate_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// A recorded source has some rounds of one benchmark.
type recorded struct {
	rounds   []gate.Round
	declared results.Directions
	played   int
}

func (p *recorded) Benchmarks() (both, onlyBase, onlyHead []gate.Benchmark) {
	return []gate.Benchmark{p.rounds[0].Benchmark}, nil, nil
}

func (p *recorded) Round(context.Context, []gate.Benchmark) ([]gate.Round, error) {
	if p.played == len(p.rounds) {
		return nil, io.EOF
	}
	p.played++
	return p.rounds[p.played-1 : p.played], nil
}

func (p *recorded) Unchanged() []gate.Unchanged                  { return nil }
func (p *recorded) Cost(gate.Benchmark) time.Duration            { return 0 }
func (p *recorded) Apart() time.Duration                         { return 0 }
func (p *recorded) Better(unit string) int                       { return p.declared.Better(unit) }
func (p *recorded) Exact(gate.Benchmark, string) (float64, bool) { return 0, false }

// files returns the same readings as files, of one session or of two.
func (p *recorded) files(together bool) gate.Files {
	file := func(side gate.Side) *results.RecordFile {
		f := &results.RecordFile{Name: side.String() + ".txt", Declared: p.declared}
		session := "one"
		if !together {
			session = side.String()
		}
		f.Note("session", session)
		for _, r := range p.rounds {
			if reading := r.Readings[side]; reading != nil {
				f.Records = append(f.Records, results.Record{Pkg: r.Pkg, Name: r.Name, Round: r.Number, Build: reading.Build, Ops: 1, Values: reading.Values})
			}
		}
		return f
	}
	return gate.Files{Base: file(gate.Base), Head: file(gate.Head)}
}

// madeRounds returns rounds of 20 pairs of binaries in which the base has one value in
// unit, the head another, and both have noise, as a share.
func madeRounds(unit string, declared results.Directions, base, head, noise float64) *recorded {
	random := rand.New(rand.NewPCG(1, 1))
	build := 0
	reading := func(v float64) *gate.Reading {
		v += noise * math.Abs(v) * random.NormFloat64()
		return &gate.Reading{Build: build, Values: []results.Value{{Unit: "ns/op", Value: 100 * (1 + 0.002*random.NormFloat64())}, {Unit: unit, Value: v}}}
	}
	p := &recorded{declared: declared}
	for i := range 20 * gate.PairsPerBuild {
		build = 1 + i/gate.PairsPerBuild
		r := gate.Round{Benchmark: gate.Benchmark{Pkg: "p", Name: "A"}, Number: i + 1}
		r.Readings[gate.Base], r.Readings[gate.Head] = reading(base), reading(head)
		p.rounds = append(p.rounds, r)
	}
	return p
}

// both compares the rounds of p as a live gate does, and as files of one session. It
// fails unless both give the same verdicts.
func both(t *testing.T, p *recorded) (*gate.Report, error) {
	t.Helper()
	files, err := gate.Rules{}.CompareFiles(t.Context(), p.files(true))
	live, liveErr := gate.Rules{}.Compare(t.Context(), p)
	if (err == nil) != (liveErr == nil) {
		t.Fatalf("files: %v, live: %v", err, liveErr)
	}
	if err != nil {
		return nil, liveErr
	}
	for _, rep := range []*gate.Report{files, live} { // the place of a reading has another form
		for i := range rep.Results {
			if r := &rep.Results[i]; r.Verdict == gate.NoVerdict {
				_, r.Why, _ = strings.Cut(r.Why, ": ")
				r.Why, _, _ = strings.Cut(r.Why, " (and ") // and so has their number
			}
		}
	}
	// A live comparison stops when it is decided.
	for _, l := range live.Results {
		i := slices.IndexFunc(files.Results, func(f gate.Result) bool { return f.Unit == l.Unit && f.Distance == l.Distance })
		if i < 0 || files.Results[i].Verdict != l.Verdict || files.Results[i].Why != l.Why || files.Results[i].N < l.N {
			t.Errorf("live is %#v, and the files say %#v", l, files.Results)
		}
	}
	if files.Verdict != live.Verdict || len(files.Results) != len(live.Results) || !slices.Equal(files.NotJudged, live.NotJudged) {
		t.Errorf("files say %v, not judged %q, and live is %v, not judged %q", files.Verdict, files.NotJudged, live.Verdict, live.NotJudged)
	}
	return live, nil
}

// in returns the result in unit; there is one for each unit that is judged.
func in(rep *gate.Report, unit string) (gate.Result, bool) {
	i := slices.IndexFunc(rep.Results, func(r gate.Result) bool { return r.Unit == unit })
	if i < 0 {
		return gate.Result{}, false
	}
	return rep.Results[i], true
}

// A live comparison and one of files judge the same units, in the same direction.
func TestUnitsLiveAndInFiles(t *testing.T) {
	for _, test := range []struct {
		unit     string
		declared results.Directions
		more     gate.Verdict // if the head has ten times the value
		judged   bool
	}{
		{"p99-ns", nil, gate.Regressed, true},
		{"sec/op", nil, gate.Regressed, true},
		{"stw-ns/GC", nil, gate.Regressed, true},
		{"heap-bytes", nil, gate.Regressed, true},
		{"instructions/op", nil, gate.Regressed, true},
		{"B/s", nil, gate.Pass, true},
		{"MB/s", nil, gate.Pass, true},
		{"jain", nil, gate.Pass, true},
		{"score", results.Directions{"score": -1}, gate.Regressed, true},
		{"score", results.Directions{"score": +1}, gate.Pass, true},
		{"p99-ns", results.Directions{"p99-sec": +1}, gate.Pass, true}, // a declaration takes precedence
		{"score", nil, gate.Pass, false},
		{"hits/op", nil, gate.Pass, false},
		{"rtt-ns", nil, gate.Pass, false},
	} {
		p := madeRounds(test.unit, test.declared, 10, 100, 0.002)
		rep, err := both(t, p)
		if err != nil {
			t.Errorf("%s: %v", test.unit, err)
			continue
		}
		r, judged := in(rep, test.unit)
		if judged != test.judged || rep.Verdict != test.more || judged && r.Verdict != test.more {
			t.Errorf("ten times as many %s: judged %t, %v: %s; want %v", test.unit, judged, rep.Verdict, r.Why, test.more)
		}
		apart := compareFiles(t, gate.Rules{}, p.files(false))
		if r, judged := in(apart, test.unit); judged != test.judged || judged && r.Verdict != test.more {
			t.Errorf("ten times as many %s, not measured together: judged %t, %v: %s; want %v", test.unit, judged, r.Verdict, r.Why, test.more)
		}
		if less, err := both(t, madeRounds(test.unit, test.declared, 100, 10, 0.002)); err != nil || judged && less.Verdict == test.more {
			t.Errorf("a tenth as many %s: %v and %v, as is ten times as many", test.unit, err, less.Verdict)
		}
		// A unit that is not judged is reported, unless neither direction is better.
		if want := !test.judged && test.unit != "rtt-ns"; slices.Contains(rep.NotJudged, test.unit) != want || slices.Contains(apart.NotJudged, test.unit) != want {
			t.Errorf("not judged: %q and, apart, %q; want %s in it: %t", rep.NotJudged, apart.NotJudged, test.unit, want)
		}
	}
}

// A unit that only one side has is reported, and is no pass; so is a benchmark without
// a unit to judge.
func TestUnitsOnOneSide(t *testing.T) {
	drop := func(p *recorded, of gate.Side, unit string) *recorded {
		for i := range p.rounds {
			r := *p.rounds[i].Readings[of]
			r.Values = slices.DeleteFunc(slices.Clone(r.Values), func(v results.Value) bool { return v.Unit == unit })
			p.rounds[i].Readings[of] = &r
		}
		return p
	}
	for _, side := range []gate.Side{gate.Base, gate.Head} {
		other := gate.Base + gate.Head - side
		rep, err := both(t, drop(madeRounds("allocs/op", nil, 1, 1, 0), side, "allocs/op"))
		if err != nil {
			t.Fatal(err)
		}
		check(t, rep, gate.CannotTell, fmt.Sprintf("only the %v has it", other))
	}
	p := madeRounds("score", nil, 1, 1, 0)
	rep, err := both(t, drop(drop(p, gate.Base, "ns/op"), gate.Head, "ns/op"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, rep, gate.CannotTell, "nothing to judge")
	if len(rep.NotJudged) != 1 {
		t.Errorf("not judged: %q, want score", rep.NotJudged)
	}
}

// Values around 0 have no ratio, and some have no meaning: a regression in them does
// not pass, live or in files.
func TestOddValues(t *testing.T) {
	const (
		pass      = gate.Pass
		regressed = gate.Regressed
		wrong     = gate.NoVerdict
	)
	inf, nan := math.Inf(+1), math.NaN()
	lower, higher := results.Directions{"score": -1}, results.Directions{"score": +1}
	for _, test := range []struct {
		unit       string
		declared   results.Directions
		base, head float64
		want       gate.Verdict
		change     float64 // without noise; NaN means any
	}{
		{"score", lower, -5, 100, regressed, 21},
		{"score", lower, -100, -5, regressed, 0.95},
		{"score", lower, -5, 0, regressed, 1},
		{"score", lower, 0, 5, regressed, inf},
		{"score", lower, 0, -5, pass, -inf},
		{"score", lower, 100, -100, pass, -2},
		{"score", lower, -100, -90, regressed, 0.1},
		{"score", lower, -100, -99.5, pass, 0.005},
		{"score", lower, -100, -200, pass, -1},
		{"score", lower, -5, -5, pass, 0},
		{"score", lower, 0, 0, pass, 0},
		{"score", lower, -1e307, 1e307, regressed, 2},
		{"score", lower, 1e307, -1e307, pass, -2},
		{"score", lower, -1.7e308, 1.7e308, regressed, nan},
		{"score", lower, 5e-324, 1, regressed, nan},
		{"score", lower, 1e-320, 2e-320, regressed, 1},
		{"score", lower, 2e-320, 1e-320, pass, -0.5},
		{"score", lower, -5e-324, 1, regressed, inf},
		{"score", higher, 100, -100, regressed, -2},
		{"score", higher, 5, 0, regressed, -1},
		{"score", higher, 0, -5, regressed, -inf},
		{"score", higher, -5, -100, regressed, -19},
		{"score", higher, -100, -5, pass, 0.95},
		{"score", higher, -5, 0, pass, 1},
		{"score", higher, 0, 5, pass, inf},
		{"allocs/op", nil, 0, 1, regressed, inf},
		{"allocs/op", nil, 1, 0, pass, -1},
		{"p99-ns", nil, 0, 5, regressed, inf},
		{"p99-ns", nil, 5, 0, pass, -1},
		{"p99-ns", nil, -5, 5, regressed, 2}, // a difference of two clocks may be negative
		{"MB/s", nil, 5, 0, regressed, -1},
		{"MB/s", nil, 0, 5, pass, inf},

		{"MB/s", nil, 100, -3, wrong, 0},
		{"MB/s", nil, -3, 100, wrong, 0},
		{"allocs/op", nil, 1, -1, wrong, 0},
		{"jain", nil, 1, -1, wrong, 0},
		{"score", lower, nan, 5, wrong, 0},
		{"score", lower, 5, nan, wrong, 0},
		{"score", lower, nan, nan, wrong, 0},
		{"score", lower, 5, -inf, wrong, 0},
		{"score", lower, 5, inf, wrong, 0},
		{"score", higher, inf, inf, wrong, 0},
		{"score", higher, -inf, 1, wrong, 0},
	} {
		for _, noise := range []float64{0, 0.001} {
			what := fmt.Sprintf("%s from %g to %g, declared %v, noise %g", test.unit, test.base, test.head, test.declared, noise)
			p := madeRounds(test.unit, test.declared, test.base, test.head, noise)
			live, err := both(t, p)
			apart, apartErr := gate.Rules{}.CompareFiles(t.Context(), p.files(false))
			if err != nil || apartErr != nil {
				t.Errorf("%s: %v and, apart, %v", what, err, apartErr)
				continue
			}
			for _, rep := range []*gate.Report{live, apart} {
				r, _ := in(rep, test.unit)
				if r.Verdict != test.want || rep.Verdict != test.want {
					t.Errorf("%s: %v (%s), want %v", what, r.Verdict, r.Why, test.want)
				}
				if test.want == wrong {
					if other, ok := in(rep, "ns/op"); !ok || other.Verdict != pass {
						t.Errorf("%s: ns/op beside it: %v (%s), want pass", what, other.Verdict, other.Why)
					}
					continue
				}
				if want := test.base < 0 || test.head < 0; r.Signed != want {
					t.Errorf("%s: signed %t, want %t", what, r.Signed, want)
				}
				if noise == 0 && !(r.Change == test.change || math.IsNaN(test.change) || math.Abs(r.Change-test.change) < 1e-9) {
					t.Errorf("%s: a change of %g, want %g", what, r.Change, test.change)
				}
			}
		}
	}
	// A unit that an exception ignores may have any value.
	p := madeRounds("score", lower, nan, 5, 0)
	ignore := gate.Rules{For: func(_ gate.Benchmark, unit string) (gate.Exception, bool) {
		return gate.Exception{Ignore: true}, unit == "score"
	}}
	for _, together := range []bool{true, false} {
		if rep, err := ignore.CompareFiles(t.Context(), p.files(together)); err != nil || rep.Verdict != pass {
			t.Errorf("an ignored NaN: %v", err)
		}
	}
	if rep, err := ignore.Compare(t.Context(), p); err != nil || rep.Verdict != pass {
		t.Errorf("an ignored NaN: %v", err)
	}
}

// A builder always has more rounds, each of new binaries.
type builder struct {
	recorded
	random *rand.Rand
	value  func(side gate.Side, build int, random *rand.Rand) float64
}

func (b *builder) Round(context.Context, []gate.Benchmark) ([]gate.Round, error) {
	r := b.rounds[0]
	if b.rounds[0].Number++; r.Number > 1000 {
		return nil, io.EOF // undecided
	}
	build := 1 + (r.Number-1)/gate.PairsPerBuild
	for _, side := range []gate.Side{gate.Base, gate.Head} {
		r.Readings[side] = &gate.Reading{Build: build, Values: []results.Value{{Unit: b.unit(), Value: b.value(side, build, b.random)}}}
	}
	return []gate.Round{r}, nil
}

func (b *builder) unit() string {
	for unit := range b.declared {
		return unit
	}
	return "p99-ns"
}

// A value that is worse than 0, or changes its sign, is confirmed with new binaries:
// the bet needs no ratio, either.
func TestOddValuesAreConfirmed(t *testing.T) {
	for what, test := range map[string]struct {
		declared results.Directions
		value    func(gate.Side, int, *rand.Rand) float64
	}{
		"from 0": {nil, func(side gate.Side, build int, random *rand.Rand) float64 {
			return float64(int(side) / int(gate.Head) * (1 + random.IntN(2)))
		}},
		"to 0": {results.Directions{"score": +1}, func(side gate.Side, build int, random *rand.Rand) float64 {
			return float64((1 - int(side)/int(gate.Head)) * (1 + random.IntN(2)))
		}},
		"from below 0": {results.Directions{"score": -1}, func(side gate.Side, build int, random *rand.Rand) float64 {
			return -5 - random.Float64() + float64(int(side)/int(gate.Head)*10)
		}},
		"to below 0, late": {results.Directions{"score": +1}, func(side gate.Side, build int, random *rand.Rand) float64 {
			return 5 + random.Float64() - float64(int(side)/int(gate.Head)*random.IntN(3)*4)
		}},
	} {
		b := &builder{recorded: recorded{rounds: []gate.Round{{Benchmark: gate.Benchmark{Name: "A"}, Number: 1}}, declared: test.declared}, random: rand.New(rand.NewPCG(3, 1)), value: test.value}
		rep := compare(t, gate.Rules{}, b)
		if r := rep.Results[0]; r.Verdict != gate.Regressed || !r.Confirmed {
			t.Errorf("%s: %v (%s), confirmed %t; want it to have regressed", what, r.Verdict, r.Why, r.Confirmed)
		}
	}
}

// One value below 0 makes all changes differences, those of the rounds before it,
// too: 110 is 10 % more than 100, of which the logarithm is 9.5 %.
func TestSignChangesLate(t *testing.T) {
	lower := results.Directions{"score": -1}
	p := madeRounds("score", lower, 100, 110, 0.001)
	p.rounds[10*gate.PairsPerBuild].Readings[gate.Head].Values[1].Value = -1
	screened, err := both(t, p)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	b := &builder{recorded: recorded{rounds: []gate.Round{{Benchmark: gate.Benchmark{Name: "A"}, Number: 1}}, declared: lower}, random: rand.New(rand.NewPCG(3, 1))}
	b.value = func(side gate.Side, build int, random *rand.Rand) float64 {
		v := 100 + 10*float64(int(side)/int(gate.Head)) + 0.1*random.NormFloat64()
		if side == gate.Head && build > 12 {
			if n++; n == 9 {
				return -1
			}
		}
		return v
	}
	confirmed := compare(t, gate.Rules{}, b)
	if n < 9 {
		t.Fatalf("%d rounds of new binaries, want at least 9", n)
	}
	for what, rep := range map[string]*gate.Report{"at the end": screened, "with new binaries": confirmed} {
		if r, _ := in(rep, "score"); !r.Signed || math.Abs(r.Change-0.1) > 0.002 {
			t.Errorf("below 0 %s: signed %t, a change of %g, want 0.1", what, r.Signed, r.Change)
		}
	}
}
