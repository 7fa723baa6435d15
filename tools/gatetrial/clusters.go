package main

import (
	"context"
	"io"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// clusters is a [gate.Source] of rounds that cost nothing: of a tape, recombined or
// made up.
type clusters struct {
	of []gate.Benchmark

	// next returns the rounds of the next pair of binaries of a benchmark, the number'th
	// from 1; none if there are no more.
	next func(b gate.Benchmark, number int) []gate.Round

	at map[gate.Benchmark]*position
}

type position struct {
	queue         []gate.Round
	build, number int
}

func (c *clusters) Benchmarks() (both, onlyBase, onlyHead []gate.Benchmark) { return c.of, nil, nil }

func (c *clusters) Round(ctx context.Context, of []gate.Benchmark) ([]gate.Round, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if c.at == nil {
		c.at = make(map[gate.Benchmark]*position)
	}
	var rounds []gate.Round
	for _, b := range of {
		p := c.at[b]
		if p == nil {
			p = new(position)
			c.at[b] = p
		}
		if len(p.queue) == 0 {
			p.build++
			p.queue = c.next(b, p.build)
		}
		if len(p.queue) == 0 {
			continue
		}
		r := p.queue[0]
		p.queue = p.queue[1:]
		p.number++
		r.Number = p.number
		for side, reading := range r.Readings { // the pairs of binaries get numbers of this run
			is := *reading
			is.Build = p.build
			r.Readings[side] = &is
		}
		rounds = append(rounds, r)
	}
	if len(rounds) == 0 {
		return nil, io.EOF
	}
	return rounds, nil
}

func (c *clusters) Unchanged() []gate.Unchanged                              { return nil }
func (c *clusters) Cost(gate.Benchmark) time.Duration                        { return 0 }
func (c *clusters) Apart() time.Duration                                     { return 0 }
func (c *clusters) Better(unit string) int                                   { return results.Better(unit) }
func (c *clusters) Exact(gate.Benchmark, string) (tolerance float64, _ bool) { return 0, false }

// source returns the rounds of the tape as they were.
func (t *tape) source() *clusters {
	return &clusters{of: t.of, next: func(b gate.Benchmark, number int) []gate.Round {
		if of := t.clusters[b]; number <= len(of) {
			return of[number-1].rounds
		}
		return nil
	}}
}
