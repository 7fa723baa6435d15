// Package gatetest makes up rounds of benchmarks, to measure how often the gate is
// wrong: here it is known which benchmarks are slower. It also has a module whose locks
// are made up, for the gate in the simulator.
package gatetest

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// A Benchmark says how one benchmark behaves.
type Benchmark struct {
	Change float64    // of the head, as a share: 0.05 is 5 % slower
	Noise  float64    // standard deviation of the logarithm of a reading
	Tail   float64    // share of readings that take up to twice as long
	Memory float64    // how much of the noise of a reading remains in the next, 0 to 1
	Allocs [2]float64 // of base and head; not measured if both are 0
}

// A Source is a [gate.Source] of made-up rounds.
type Source struct {
	Of     []Benchmark
	Builds int // pairs of binaries that it has; 0 means no limit

	// Layout is the standard deviation of the effect of a binary's layout, as a share.
	Layout float64

	// Drift is the factor of the i'th reading from the machine's speed.
	Drift func(i int) float64

	random  *rand.Rand
	reading int
	rounds  []int        // of each benchmark
	bias    [][2]float64 // of its binaries now
	stays   []float64    // the noise that remains from the reading before
}

// New returns a source that makes up the same rounds each time.
func New(seed uint64, of ...Benchmark) *Source {
	s := &Source{random: rand.New(rand.NewPCG(seed, 0))}
	s.Of = of
	return s
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
	if s.rounds == nil {
		s.rounds, s.bias, s.stays = make([]int, len(s.Of)), make([][2]float64, len(s.Of)), make([]float64, len(s.Of))
	}
	var rounds []gate.Round
	for _, b := range of {
		i := Index(b)
		if s.Builds > 0 && s.rounds[i] == s.Builds*gate.PairsPerBuild {
			continue
		}
		build := 1 + s.rounds[i]/gate.PairsPerBuild
		if s.rounds[i]%gate.PairsPerBuild == 0 {
			for side := range s.bias[i] {
				s.bias[i][side] = s.Layout * s.random.NormFloat64()
			}
		}
		s.rounds[i]++
		r := gate.Round{Benchmark: b, Number: s.rounds[i], Distance: results.Local}
		for _, side := range s.random.Perm(len(r.Readings)) {
			r.Readings[side] = s.read(i, gate.Side(side), build)
		}
		rounds = append(rounds, r)
	}
	if len(rounds) == 0 {
		return nil, io.EOF
	}
	return rounds, nil
}

// read returns what one run of the i'th benchmark measures.
func (s *Source) read(i int, side gate.Side, build int) *gate.Reading {
	b := &s.Of[i]
	v, allocs := 100.0, b.Allocs[0]
	if side == gate.Head {
		v *= 1 + b.Change
		allocs = b.Allocs[1]
	}
	v *= math.Exp(s.bias[i][side])
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

// Unchanged, Cost and Apart implement [gate.Source].
func (s *Source) Unchanged() []gate.Unchanged       { return nil }
func (s *Source) Cost(gate.Benchmark) time.Duration { return 0 }
func (s *Source) Apart() time.Duration              { return 0 }

// Better implements [gate.Source].
func (s *Source) Better(unit string) int { return results.Better(unit) }

// Exact implements [gate.Source].
func (s *Source) Exact(gate.Benchmark, string) (tolerance float64, exact bool) { return 0, false }
