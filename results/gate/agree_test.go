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

	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/results/gate"
)

// A player is a source that has some rounds of one benchmark, all at once, and
// can build nothing afresh.
type player struct {
	rounds   []gate.Round
	declared results.Directions
	played   bool
}

func (p *player) Benchmarks() (both, onlyBase, onlyHead []gate.Benchmark) {
	return []gate.Benchmark{p.rounds[0].Benchmark}, nil, nil
}

func (p *player) Round(context.Context, []gate.Benchmark) ([]gate.Round, error) {
	if p.played {
		return nil, io.EOF
	}
	p.played = true
	return p.rounds, nil
}

func (p *player) Fresh(context.Context, []gate.Benchmark) (bool, error) { return false, nil }
func (p *player) Better(unit string) int                                { return p.declared.Better(unit) }
func (p *player) Exact(string) (float64, bool)                          { return 0, false }

// files returns the same readings as files, of one session or of two.
func (p *player) files(together bool) gate.Files {
	file := func(side gate.Side) *results.RecordFile {
		f := &results.RecordFile{Name: side.String() + ".txt", Declared: p.declared}
		session := "one"
		if !together {
			session = side.String()
		}
		f.Note("session", session)
		for _, r := range p.rounds {
			if reading := r.Readings[side]; reading != nil {
				f.Records = append(f.Records, results.Record{Pkg: r.Pkg, Name: r.Name, Round: r.Number, Ops: 1, Values: reading.Values})
			}
		}
		return f
	}
	f := gate.Files{Base: file(gate.Base), Head: file(gate.Head)}
	if p.rounds[0].Readings[gate.Again] != nil {
		f.Again = file(gate.Again)
	}
	return f
}

// play returns 40 rounds in which the base has one value in unit, the head
// another, and both have noise, as a share.
func play(unit string, declared results.Directions, base, head, noise float64, again bool) *player {
	random := rand.New(rand.NewPCG(1, 1))
	reading := func(v float64) *gate.Reading {
		v += noise * math.Abs(v) * random.NormFloat64()
		return &gate.Reading{Values: []results.Value{{Unit: "ns/op", Value: 100 * (1 + 0.002*random.NormFloat64())}, {Unit: unit, Value: v}}}
	}
	p := &player{declared: declared}
	for i := range 40 {
		r := gate.Round{Benchmark: gate.Benchmark{Pkg: "p", Name: "A"}, Number: i + 1}
		r.Readings[gate.Base], r.Readings[gate.Head] = reading(base), reading(head)
		if again {
			r.Readings[gate.Again] = reading(base)
		}
		p.rounds = append(p.rounds, r)
	}
	return p
}

// both compares what p has as a live gate does, and as files of one session. It
// fails unless the two say the same.
func both(t *testing.T, p *player) (*gate.Report, error) {
	t.Helper()
	files, err := gate.Rules{}.CompareFiles(t.Context(), p.files(true))
	live, liveErr := gate.Rules{}.Compare(t.Context(), p)
	if (err == nil) != (liveErr == nil) {
		t.Fatalf("files: %v, live: %v", err, liveErr)
	}
	if err != nil {
		return nil, liveErr
	}
	if got, want := fmt.Sprintf("%+v", files.Results), fmt.Sprintf("%+v", live.Results); got != want || files.Verdict != live.Verdict || !slices.Equal(files.NotJudged, live.NotJudged) {
		t.Errorf("files say %v, not judged %q,\n%s\nand live is %v, not judged %q,\n%s", files.Verdict, files.NotJudged, got, live.Verdict, live.NotJudged, want)
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

// Which units are judged, and in what direction, is one table for all.
func TestUnitsLiveAndInFiles(t *testing.T) {
	for _, test := range []struct {
		unit     string
		declared results.Directions
		more     gate.Verdict // if there is ten times more of it
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
		{"p99-ns", results.Directions{"p99-sec": +1}, gate.Pass, true}, // what is declared goes first
		{"score", nil, gate.Pass, false},
		{"hits/op", nil, gate.Pass, false},
		{"rtt-ns", nil, gate.Pass, false},
	} {
		for _, again := range []bool{false, true} {
			p := play(test.unit, test.declared, 10, 100, 0.002, again)
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
			if less, err := both(t, play(test.unit, test.declared, 100, 10, 0.002, again)); err != nil || judged && less.Verdict == test.more {
				t.Errorf("a tenth as many %s: %v and %v, as is ten times as many", test.unit, err, less.Verdict)
			}
			// What is not judged is said, unless neither direction is better.
			if want := !test.judged && test.unit != "rtt-ns"; slices.Contains(rep.NotJudged, test.unit) != want || slices.Contains(apart.NotJudged, test.unit) != want {
				t.Errorf("not judged: %q and, apart, %q; want %s in it: %t", rep.NotJudged, apart.NotJudged, test.unit, want)
			} else if s := text(t, rep, gate.TextOptions{}); strings.Contains(s, "; 1 unit not judged; ") != want {
				t.Errorf("the summary does not say it:\n%s", s)
			}
		}
	}
}

// What one side alone has is said, and is no pass; so is a benchmark that has
// nothing to judge.
func TestUnitsOnOneSide(t *testing.T) {
	drop := func(p *player, of gate.Side, unit string) *player {
		for i := range p.rounds {
			r := *p.rounds[i].Readings[of]
			r.Values = slices.DeleteFunc(slices.Clone(r.Values), func(v results.Value) bool { return v.Unit == unit })
			p.rounds[i].Readings[of] = &r
		}
		return p
	}
	for _, side := range []gate.Side{gate.Base, gate.Head} {
		other := gate.Base + gate.Head - side
		rep, err := both(t, drop(play("allocs/op", nil, 1, 1, 0, false), side, "allocs/op"))
		if err != nil {
			t.Fatal(err)
		}
		check(t, rep, gate.CannotTell, fmt.Sprintf("only the %v has it", other))
	}
	p := play("score", nil, 1, 1, 0, false)
	rep, err := both(t, drop(drop(p, gate.Base, "ns/op"), gate.Head, "ns/op"))
	if err != nil {
		t.Fatal(err)
	}
	check(t, rep, gate.CannotTell, "nothing to judge")
	if len(rep.NotJudged) != 1 {
		t.Errorf("not judged: %q, want score", rep.NotJudged)
	}
}
