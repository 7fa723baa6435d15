package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// A tape has the rounds of real gate runs on identical code.
type tape struct {
	Runs []map[string][]gate.Round // by benchmark, in order
	Of   []gate.Benchmark
}

// A taping is a source that leaves its rounds on the tape's last run.
type taping struct {
	gate.Source
	*tape
}

func (t *taping) Round(ctx context.Context, of []gate.Benchmark) ([]gate.Round, error) {
	rounds, err := t.Source.Round(ctx, of)
	run := t.Runs[len(t.Runs)-1]
	for _, r := range rounds {
		if !slices.Contains(t.Of, r.Benchmark) {
			t.Of = append(t.Of, r.Benchmark)
		}
		run[r.Benchmark.String()] = append(run[r.Benchmark.String()], r)
	}
	return rounds, err
}

func (t *tape) write(name string) error {
	data, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

func readTape(name string) (*tape, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("%w: run -part aa first", err)
	}
	t := new(tape)
	if err := json.Unmarshal(data, t); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(t.Runs) == 0 || len(t.Of) == 0 {
		return nil, fmt.Errorf("%s: empty", name)
	}
	return t, nil
}

// block is how many rounds are drawn together.
const block = 10

// A resampled source draws its rounds from a tape, in blocks of one run. Which
// of the sides is which is drawn anew for each block, since their code is the
// same.
type resampled struct {
	tape   *tape
	rng    *rand.Rand
	slower map[gate.Benchmark]float64 // by how much the head is made worse
	speed  func(round int) float64    // of the machine; nil is even
	queue  map[gate.Benchmark][]gate.Round
	rounds int // that it has
	number int
}

func newResampled(t *tape, seed uint64, rounds int) *resampled {
	return &resampled{tape: t, rng: rand.New(rand.NewPCG(seed, 1)), rounds: rounds, queue: make(map[gate.Benchmark][]gate.Round), slower: make(map[gate.Benchmark]float64)}
}

func (r *resampled) Benchmarks() (both, onlyBase, onlyHead []gate.Benchmark) {
	return slices.Clone(r.tape.Of), nil, nil
}

func (r *resampled) Round(_ context.Context, of []gate.Benchmark) ([]gate.Round, error) {
	if r.number == r.rounds {
		return nil, io.EOF
	}
	r.number++
	var rounds []gate.Round
	for _, b := range of {
		if len(r.queue[b]) == 0 {
			r.draw(b)
		}
		q := r.queue[b]
		next := q[0]
		r.queue[b] = q[1:]
		next.Number = r.number
		rounds = append(rounds, next)
	}
	return rounds, nil
}

// draw draws a block of b's rounds.
func (r *resampled) draw(b gate.Benchmark) {
	var run []gate.Round
	for len(run) == 0 {
		run = r.tape.Runs[r.rng.IntN(len(r.tape.Runs))][b.String()]
	}
	start := r.rng.IntN(max(1, len(run)-block+1))
	sides := r.rng.Perm(3)
	for _, was := range run[start:min(start+block, len(run))] {
		is := was
		for i, k := range sides {
			is.Readings[i] = r.reading(b, gate.Side(i), was.Readings[k])
		}
		r.queue[b] = append(r.queue[b], is)
	}
}

// reading returns a reading as one of a side, made slower if it is to be. The
// binaries are not known any more, since sides were exchanged.
func (r *resampled) reading(b gate.Benchmark, side gate.Side, was *gate.Reading) *gate.Reading {
	is := &gate.Reading{Values: slices.Clone(was.Values)}
	for i, v := range is.Values {
		if v.Unit != "ns/op" {
			continue
		}
		if side == gate.Head {
			v.Value *= 1 + r.slower[b]
		}
		if r.speed != nil {
			v.Value *= r.speed(r.number)
		}
		is.Values[i] = v
	}
	return is
}

func (r *resampled) Unchanged() []gate.Unchanged       { return nil }
func (r *resampled) Cost(gate.Benchmark) time.Duration { return 0 }
func (r *resampled) Apart() time.Duration              { return 0 }

func (r *resampled) Better(unit string) int { return results.Better(unit) }

func (r *resampled) Exact(string) (tolerance float64, exact bool) { return 0, false }
