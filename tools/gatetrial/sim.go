package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// A noise is what makes readings of the same code differ. All standard deviations are
// shares.
type noise struct {
	name    string
	pair    float64 // of a pair's ratio
	student float64 // degrees of freedom of that; 0 is a normal distribution
	memory  float64 // how much of it stays from one pair of a pair of binaries to the next
	layout  float64 // of what layout does to each side of a pair of binaries
	drift   float64 // by how much the machine is slower at the end
	regimes bool    // the machine is at times 1.5 times as slow, for some readings in a row
}

var noises = []noise{
	{name: "quiet: pairs 1.5 %", pair: 0.015},
	{name: "layout 1 % a side", pair: 0.015, layout: 0.01},
	{name: "layout 2 % a side", pair: 0.015, layout: 0.02},
	{name: "layout 4 % a side", pair: 0.015, layout: 0.04},
	{name: "heavy tails (Student, 2 degrees), layout 1 % a side", pair: 0.015, student: 2, layout: 0.01},
	{name: "pairs 3 % of which 0.9 stays, layout 1 % a side", pair: 0.03, memory: 0.9, layout: 0.01},
	{name: "30 % slower bit by bit, layout 1 % a side", pair: 0.015, drift: 0.30, layout: 0.01},
	{name: "regimes 1.5 times as slow, layout 1 % a side", pair: 0.015, regimes: true, layout: 0.01},
	{name: "all of it: tails, 0.9, drift, regimes, layout 2 % a side", pair: 0.015, student: 2, memory: 0.9, drift: 0.30, regimes: true, layout: 0.02},
}

// simulate judges made-up runs, of which it is known what is slower.
func simulate(ctx context.Context, out, stderr io.Writer, sizes []int, runs, builds int) error {
	fmt.Fprintf(out, "Made-up readings, %d pairs of binaries of each benchmark at most, %d pairs of processes of each of those; a tenth of the benchmarks, or the only one, is slower in the runs that say so:\n\n", builds, gate.PairsPerBuild)
	fmt.Fprintln(out, "| benchmarks | noise | same code: runs with an alarm | same code: pass | found of +5 % | found of +10 % | alarms among what is the same, in those | passed though slower |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|")
	for _, n := range sizes {
		for _, noise := range noises {
			o, err := noise.try(ctx, n, max(2, min(runs, 20*runs/n)), builds)
			if err != nil {
				return err
			}
			fmt.Fprintf(stderr, "gatetrial: %d benchmarks, %s\n", n, noise.name)
			fmt.Fprintf(out, "| %d | %s | %v | %v | %v | %v | %v | %v |\n", n, noise.name, o.Alarms, o.Told, o.Found5, o.Found10, o.Comparisons, o.Missed)
		}
	}
	return nil
}

// try judges runs of n benchmarks: of the same code, and of some that are slower.
func (x noise) try(ctx context.Context, n, runs, builds int) (outcome, error) {
	var (
		o  outcome
		mu sync.Mutex // guards o
	)
	jobs, ctx := errgroup.WithContext(ctx)
	jobs.SetLimit(runtime.GOMAXPROCS(0))
	for i := range runs {
		for _, change := range []float64{0, 0.05, 0.10} {
			jobs.Go(func() error {
				verdicts, err := byGate(ctx, x.run(uint64(i), n, change, builds))
				if err != nil {
					return err
				}
				mu.Lock()
				defer mu.Unlock()
				o.addMadeUp(n, change, verdicts)
				return nil
			})
		}
	}
	return o, jobs.Wait()
}

// slower returns how many of n benchmarks are slower, the first of them.
func slower(n int) int { return (n + 9) / 10 }

// addMadeUp counts what became of a made-up run.
func (o *outcome) addMadeUp(n int, change float64, verdicts map[gate.Benchmark]gate.Verdict) {
	alarm := false
	for i := range n {
		v := verdicts[madeUp(i)]
		switch {
		case change > 0 && i < slower(n):
			found := &o.Found5
			if change > 0.05 {
				found = &o.Found10
			}
			found.add(v == gate.Regressed)
			o.Missed.add(v == gate.Pass)
		case change > 0:
			o.Comparisons.add(v == gate.Regressed)
		default:
			alarm = alarm || v == gate.Regressed
			o.Told.add(v == gate.Pass)
		}
	}
	if change == 0 {
		o.Alarms.add(alarm)
	}
}

func madeUp(i int) gate.Benchmark {
	return gate.Benchmark{Pkg: "example.org/p", Name: fmt.Sprintf("B%04d", i)}
}

// run makes up the readings of n benchmarks.
func (x noise) run(seed uint64, n int, change float64, builds int) *clusters {
	random := rand.New(rand.NewPCG(seed, math.Float64bits(change)+uint64(n)))
	deviate := random.NormFloat64
	if x.student > 0 {
		deviate = distuv.StudentsT{Mu: 0, Sigma: 1, Nu: x.student, Src: random}.Rand
	}
	c := new(clusters)
	slow := make(map[gate.Benchmark]float64)
	for i := range n {
		b := madeUp(i)
		c.of = append(c.of, b)
		if change > 0 && i < slower(n) {
			slow[b] = math.Log1p(change)
		}
	}
	regime, readings := 0.0, 0
	machine := func() (log float64) { // what it does to all that it runs now
		readings++
		if x.regimes && random.Float64() < 0.1 { // some ten readings in a row
			regime = math.Log(1.5) - regime
		}
		return regime + x.drift*float64(readings)/float64(2*n*builds*gate.PairsPerBuild)
	}
	c.next = func(b gate.Benchmark, number int) []gate.Round {
		if number > builds {
			return nil
		}
		layout := [2]float64{x.layout * random.NormFloat64(), x.layout * random.NormFloat64()}
		rounds := make([]gate.Round, gate.PairsPerBuild)
		stays := deviate()
		for i := range rounds {
			rounds[i] = gate.Round{Benchmark: b, Distance: results.Local}
			if i > 0 {
				stays = x.memory*stays + math.Sqrt(1-x.memory*x.memory)*deviate()
			}
			var logs [2]float64
			for _, side := range random.Perm(2) {
				logs[side] = layout[side] + machine()
			}
			logs[gate.Head] += slow[b] + x.pair*stays
			for side, log := range logs {
				rounds[i].Readings[side] = &gate.Reading{Values: []results.Value{{Unit: unit, Value: 100 * math.Exp(log)}}}
			}
		}
		return rounds
	}
	return c
}
