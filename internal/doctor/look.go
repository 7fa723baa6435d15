package doctor

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/gate/measure"
	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// Options say how to look.
type Options struct {
	For      time.Duration            // how long to measure locks against themselves; most of the time that Look takes
	Progress func(took time.Duration) // called now and then; may be nil
}

// Look looks at this machine. The error is that of ctx: what cannot be found out is a
// finding.
func Look(ctx context.Context, o Options) (*Report, error) {
	host := results.Host()
	seen := &sight{goos: runtime.GOOS, sections: sections()}
	seen.state = fitness.Look(ctx)
	seen.cpus, seen.cores, seen.packages, seen.nodes, seen.place = harness.CountCPUs()
	seen.clock = readClock()
	seen.late = oversleep(ctx)
	seen.counters = harness.Counters()
	seen.instructions, seen.uncounted = measure.FindCounter(ctx)

	before, began := fitness.Running(), fitness.Count()
	seen.measure(ctx, o)
	seen.during = fitness.Count().Since(began)
	after := fitness.Running()
	seen.listed, seen.others = after.Known(), after.Since(before)
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}

	noise := seen.noise()
	findings := seen.findings(noise)
	return &Report{
		Schema: 1, GOOS: host.GOOS, GOARCH: host.GOARCH, CPU: host.CPU,
		Grade: overall(findings), Findings: findings, Noise: noise,
	}, nil
}

// A sight is all that was seen, not judged yet.
type sight struct {
	goos string

	state  fitness.State      // at the beginning
	during fitness.Conditions // while locks were measured
	listed bool               // the system lists processes
	others []fitness.Process  // that ran meanwhile

	cpus, cores, packages, nodes int
	place                        error // why these are not known

	clock clock
	late  []time.Duration // how much longer than asked each sleep took

	trips    []pingpong.Trip
	tripped  error
	sections []section

	counters     []harness.Counter
	instructions string // how the gate counts them
	uncounted    error  // why it cannot
}

// A clock is what reading it costs, and how fine it is, in nanoseconds.
type clock struct{ cost, step float64 }

// readClock reads the clock for some milliseconds. The cost is the median of many short
// stretches, so that an interruption does not count.
func readClock() clock {
	const stretches, times = 101, 1000
	c := clock{step: math.NaN()}
	costs := make([]float64, stretches)
	for i := range costs {
		first := primitives.Nanotime()
		last := first
		for range times {
			now := primitives.Nanotime()
			if apart := float64(now - last); apart > 0 && !(c.step <= apart) {
				c.step = apart
			}
			last = now
		}
		costs[i] = float64(last-first) / times
	}
	c.cost = median(costs)
	return c
}

// nap is how long oversleep sleeps at a time.
const nap = time.Millisecond

// oversleep returns how much longer than a nap some naps take, the shortest first.
func oversleep(ctx context.Context) (late []time.Duration) {
	for range 50 {
		if ctx.Err() != nil {
			break
		}
		began := time.Now()
		time.Sleep(nap)
		late = append(late, time.Since(began)-nap)
	}
	slices.Sort(late)
	return late
}

// A section is a kind of cell in which a lock is measured against itself.
type section struct {
	cells string
	harness.Scenario
	samples []results.Sample // in the order of time
	failed  error
}

// sections returns what is measured: those that need a second CPU only if there is one.
func sections() []section {
	all := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	mutex := harness.Subject{Name: "sync.Mutex", New: func() sync.Locker { return new(sync.Mutex) }}
	rw := harness.Subject{Name: "sync.RWMutex", New: func() sync.Locker { return new(sync.RWMutex) }}
	const think = 100 * time.Nanosecond
	list := []section{{cells: "alone", Scenario: harness.Scenario{Subject: mutex, CPUs: 1, Workers: 1}}}
	if all > 1 {
		list = append(list,
			section{cells: "contended", Scenario: harness.Scenario{Subject: mutex, CPUs: all, Workers: all, Think: think}},
			section{cells: "reads", Scenario: harness.Scenario{Subject: rw, CPUs: all, Workers: all, Reads: 90, Think: think}},
		)
	}
	return list
}

// measure measures each lock against itself and, in between, the distance of two CPUs,
// until the time is over, but at least twice.
func (s *sight) measure(ctx context.Context, o Options) {
	began := time.Now()
	for round := uint64(0); ctx.Err() == nil; round++ {
		took := time.Since(began)
		if took >= o.For && round >= 2 {
			return
		}
		if o.Progress != nil {
			o.Progress(took)
		}
		if runtime.NumCPU() > 1 && s.tripped == nil {
			trip, err := pingpong.Probe(nil)
			s.tripped = err
			s.trips = append(s.trips, trip)
		}
		for i := range s.sections {
			of := &s.sections[i]
			if of.failed != nil {
				continue
			}
			of.Seed = round
			sample, err := harness.Run(ctx, of.Scenario)
			if err != nil {
				of.failed = err
				continue
			}
			of.samples = append(of.samples, sample)
		}
	}
}
