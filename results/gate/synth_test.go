package gate_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/results/gate"
)

// A synth is a source of made-up rounds.
type synth struct {
	random *rand.Rand
	of     []cell
	rounds int // that it has; 0 is without end
	number int
	stage  int

	layout float64             // standard deviation of what a binary's layout does, as a share
	builds int                 // binaries of the head; the base has as many
	drift  func(i int) float64 // the machine's speed in the i'th reading
	i      int
	bias   map[string]float64
}

// A cell is a benchmark of a synth.
type cell struct {
	change float64 // of the head, as a share: 0.05 is 5 % slower
	noise  float64 // standard deviation of the logarithm of a reading
	tail   float64 // share of readings that take up to twice as long
	allocs [2]float64
}

func newSynth(seed uint64, of ...cell) *synth {
	return &synth{random: rand.New(rand.NewPCG(seed, 0)), of: of, builds: 2, bias: make(map[string]float64)}
}

func (s *synth) name(i int) gate.Benchmark {
	return gate.Benchmark{Pkg: "example.org/p", Name: fmt.Sprintf("B%04d", i)}
}

func (s *synth) Benchmarks() (both, onlyBase, onlyHead []gate.Benchmark) {
	for i := range s.of {
		both = append(both, s.name(i))
	}
	return both, nil, nil
}

func (s *synth) index(b gate.Benchmark) (i int) {
	fmt.Sscanf(b.Name, "B%d", &i)
	return i
}

func (s *synth) Round(_ context.Context, of []gate.Benchmark) ([]gate.Round, error) {
	if s.rounds > 0 && s.number == s.rounds {
		return nil, io.EOF
	}
	s.number++
	var rounds []gate.Round
	for _, b := range of {
		i := s.index(b)
		r := gate.Round{Benchmark: b, Number: s.number, Distance: results.Local}
		for _, k := range s.random.Perm(3) {
			r.Readings[k] = s.reading(i, gate.Side(k))
		}
		rounds = append(rounds, r)
	}
	return rounds, nil
}

// reading returns what one run of the i'th benchmark measures.
func (s *synth) reading(i int, side gate.Side) *gate.Reading {
	c := s.of[i]
	v := 100.0
	allocs := c.allocs[0]
	if side == gate.Head {
		v *= 1 + c.change
		allocs = c.allocs[1]
	}
	// Half of the base's binaries are for either run of it.
	build := 1 + s.random.IntN(max(1, s.builds/2))
	switch side {
	case gate.Again:
		build += s.builds / 2
	case gate.Head:
		build = 1 + s.random.IntN(s.builds)
	}
	if s.layout > 0 {
		k := fmt.Sprint(i, side == gate.Head, s.stage, build)
		if _, ok := s.bias[k]; !ok {
			s.bias[k] = s.layout * s.random.NormFloat64()
		}
		v *= math.Exp(s.bias[k])
	}
	v *= math.Exp(c.noise * s.random.NormFloat64())
	if s.random.Float64() < c.tail {
		v *= 1 + s.random.Float64()
	}
	if s.drift != nil {
		v *= s.drift(s.i)
	}
	s.i++
	r := &gate.Reading{Build: build, Values: []results.Value{{Unit: "ns/op", Value: v}}}
	if c.allocs != [2]float64{} {
		r.Values = append(r.Values, results.Value{Unit: "allocs/op", Value: allocs})
	}
	return r
}

func (s *synth) Fresh(context.Context, []gate.Benchmark) (bool, error) {
	s.stage++
	s.builds = 6
	return true, nil
}

func (s *synth) Better(unit string) int                       { return results.Better(unit) }
func (s *synth) Exact(string) (tolerance float64, exact bool) { return 0, false }
