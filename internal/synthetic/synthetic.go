// Package synthetic makes up rounds of benchmarks, for whoever wants to know how
// often the gate is wrong: here it is known what is slower.
package synthetic

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// A Benchmark is what is known of one.
type Benchmark struct {
	Change float64    // of the head, as a share: 0.05 is 5 % slower
	Noise  float64    // standard deviation of the logarithm of a reading
	Tail   float64    // share of readings that take up to twice as long
	Memory float64    // how much of the noise of a reading stays in the next, 0 to 1
	Allocs [2]float64 // of base and head; not measured if both are 0
}

// A Source is a [gate.Source] of made-up rounds.
type Source struct {
	Of     []Benchmark
	Rounds int // that it has, before and after it was built anew; 0 is without end

	// Layout is the standard deviation of what the layout of a binary does, as
	// a share. There are two of each side, and six once it was built anew.
	Layout float64

	// Drift is by what the i'th reading is longer, for the machine's speed.
	Drift func(i int) float64

	random  *rand.Rand
	number  int // of the round
	reading int
	stage   int
	builds  int
	bias    map[binary]float64
	stays   []float64 // of the noise of the reading before
}

type binary struct {
	benchmark   int
	head        bool
	stage, name int
}

// New returns a source that makes up the same each time.
func New(seed uint64, of ...Benchmark) *Source {
	return &Source{Of: of, random: rand.New(rand.NewPCG(seed, 0)), builds: 2, bias: make(map[binary]float64), stays: make([]float64, len(of))}
}

func name(i int) gate.Benchmark {
	return gate.Benchmark{Pkg: "example.org/p", Name: fmt.Sprintf("B%04d", i)}
}

// Index returns which of the source's benchmarks b is.
func Index(b gate.Benchmark) (i int) {
	if _, err := fmt.Sscanf(b.Name, "B%d", &i); err != nil {
		panic(err)
	}
	return i
}

// Benchmarks implements [gate.Source].
func (s *Source) Benchmarks() (both, onlyBase, onlyHead []gate.Benchmark) {
	for i := range s.Of {
		both = append(both, name(i))
	}
	return both, nil, nil
}

// Round implements [gate.Source].
func (s *Source) Round(_ context.Context, of []gate.Benchmark) ([]gate.Round, error) {
	if s.Rounds > 0 && s.number == s.Rounds*(s.stage+1) {
		return nil, io.EOF
	}
	s.number++
	rounds := make([]gate.Round, len(of))
	for k, b := range of {
		r := &rounds[k]
		*r = gate.Round{Benchmark: b, Number: s.number, Distance: results.Local}
		for _, side := range s.random.Perm(len(r.Readings)) {
			r.Readings[side] = s.read(Index(b), gate.Side(side))
		}
	}
	return rounds, nil
}

// read returns what one run of the i'th benchmark measures.
func (s *Source) read(i int, side gate.Side) *gate.Reading {
	b := &s.Of[i]
	v, allocs := 100.0, b.Allocs[0]
	if side == gate.Head {
		v *= 1 + b.Change
		allocs = b.Allocs[1]
	}
	// Half of the base's binaries are for either run of it.
	build := 1 + s.random.IntN(s.builds/2)
	switch side {
	case gate.Again:
		build += s.builds / 2
	case gate.Head:
		build = 1 + s.random.IntN(s.builds)
	}
	if s.Layout > 0 {
		k := binary{i, side == gate.Head, s.stage, build}
		if _, ok := s.bias[k]; !ok {
			s.bias[k] = s.Layout * s.random.NormFloat64()
		}
		v *= math.Exp(s.bias[k])
	}
	s.stays[i] = b.Memory*s.stays[i] + math.Sqrt(1-b.Memory*b.Memory)*s.random.NormFloat64()
	v *= math.Exp(b.Noise * s.stays[i])
	if s.random.Float64() < b.Tail {
		v *= 1 + s.random.Float64()
	}
	if s.Drift != nil {
		v *= s.Drift(s.reading)
	}
	s.reading++
	r := &gate.Reading{Build: build, Values: []results.Value{{Unit: "ns/op", Value: v}}}
	if b.Allocs != [2]float64{} {
		r.Values = append(r.Values, results.Value{Unit: "allocs/op", Value: allocs})
	}
	return r
}

// Fresh implements [gate.Source].
func (s *Source) Fresh(context.Context, []gate.Benchmark) (bool, error) {
	s.stage++
	s.number = s.Rounds * s.stage
	s.builds = 6
	return true, nil
}

// Better implements [gate.Source].
func (s *Source) Better(unit string) int { return results.Better(unit) }

// Exact implements [gate.Source].
func (s *Source) Exact(string) (tolerance float64, exact bool) { return 0, false }
