package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/sim"
)

// acquisitions is for how many of each CPU, on average, a window is open; or of each
// worker, if there are more of them than CPUs.
const acquisitions = 1000

// quota is after how many acquisitions a window closes.
func quota(s harness.Scenario) uint64 { return uint64(acquisitions * max(s.CPUs, s.Workers)) }

// scenarios returns the scenarios of a sweep, in the order of its file, as they are
// simulated.
func (c *runCmd) scenarios(sweep harness.Sweep) []harness.Scenario {
	all := sweep.Scenarios()
	for i := range all {
		s := &all[i]
		if c.Duration == "" && s.Arrivals.Closed() {
			s.Quota = quota(*s)
		}
		// A worker that was preempted waits for the time slices of the others.
		s.Patience = 50 * time.Millisecond * time.Duration(1+s.Workers/s.CPUs)
	}
	return all
}

// simulate takes a sample of a scenario in virtual time. It is the work of a process of
// its own, since one run is possible at a time.
func (c *runCmd) simulate(_ context.Context, s harness.Scenario) (results.Sample, error) {
	if !s.Arrivals.Closed() && c.Duration == "" {
		rate := s.Arrivals.Rate
		if rate == 0 {
			closed := s
			closed.Arrivals, closed.Latency, closed.Quota = harness.Arrivals{}, false, quota(s)
			sample, err := c.sample(closed)
			if err != nil {
				return sample, err
			}
			reached, _ := sample.Value("ops/s")
			rate = s.Arrivals.Load * reached
		}
		s.Duration = time.Duration(acquisitions * float64(s.CPUs) / rate * float64(time.Second))
		s.Warmup = s.Duration / 4
	}
	return c.sample(s)
}

// sample takes a sample of a scenario whose window is known.
func (c *runCmd) sample(s harness.Scenario) (sample results.Sample, err error) {
	s.Counts = counts
	var stuck *harness.StuckError
	state := ""
	// The harness gives up earlier, if no worker makes progress.
	const limit = 24 * time.Hour
	_, ended := sim.Config{Machine: &c.machine.Machine, CPUs: s.CPUs, Seed: s.Seed, Limit: limit}.Run(func() {
		if sample, err = harness.Run(context.Background(), s); errors.As(err, &stuck) {
			state = sim.State()
			panic(stuck) // its workers would go on
		}
	})
	switch {
	case stuck != nil:
		return sample, commandline.Found(fmt.Errorf("%v\n%s", stuck, strings.TrimSuffix(state, "\n")))
	case errors.As(ended, new(*sim.HangError)):
		return sample, commandline.Found(ended)
	case ended != nil:
		return sample, ended
	}
	return sample, err
}

// counts returns what the simulator has counted so far.
func counts() []results.Value {
	c := sim.Running()
	var lines, remote uint64
	for d, n := range c.Lines {
		lines += n
		if sim.Distance(d) >= sim.Remote {
			remote += n
		}
	}
	return []results.Value{
		{Unit: "lines/op", Value: float64(lines)},
		{Unit: "remote-lines/op", Value: float64(remote)},
		{Unit: "spin-ns/op", Value: float64(c.Spin)},
	}
}

// A task is a sample to be taken.
type task struct {
	harness.Scenario
	round int
}

// tasks returns the samples of scenarios in the order of the file, round by round.
func tasks(scenarios []harness.Scenario, sweep harness.Sweep) (all []task) {
	for round := range sweep.Count {
		for _, s := range scenarios {
			s.Seed = seed(s.Cell(), sweep.Seed+uint64(round))
			all = append(all, task{s, round + 1})
		}
	}
	return all
}

// seed returns the seed of a sample: it follows from the cell and a seed alone, so that it
// is the same in whatever sweep, order and process.
func seed(of results.Cell, seed uint64) uint64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%v %d", of, seed)
	return h.Sum64()
}

// extent says how large a sweep is.
func extent(scenarios []harness.Scenario, count int) string {
	locks := make(map[string]bool)
	for _, s := range scenarios {
		locks[s.Name] = true
	}
	return fmt.Sprintf("%s in %s, %s of each",
		wording.Count(len(locks), "lock"), wording.Count(sweeping.Situations(scenarios), "situation"), wording.Count(count, "sample"))
}

// simulateAll takes the samples that are not done, in as many processes at a time as there
// are jobs, and keeps them in the order of the tasks. It ends at the first error in that
// order. Each sample has a process of its own, so that nothing that another has left, in
// memory or in the words of a package, changes it.
func simulateAll(ctx context.Context, con commandline.Console, jobs int, all []task, done map[results.Cell]int, keep func(results.Sample) error) error {
	var todo []task
	work := 0.0
	for _, t := range all {
		if done[t.Cell()] < t.round {
			todo = append(todo, t)
			work += t.work()
		}
	}
	if have := len(all) - len(todo); have > 0 {
		con.Sayf("have %d of %d", have, len(all))
	}
	var workers sync.WaitGroup
	defer workers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		sample results.Sample
		log    string
		err    error
	}
	answers := make([]chan answer, len(todo))
	for i := range answers {
		answers[i] = make(chan answer, 1)
	}
	var next atomic.Int64
	for range min(jobs, len(todo)) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(todo) {
					return
				}
				sample, log, err := inProcess(ctx, con, todo[i].Scenario)
				answers[i] <- answer{sample, log, err}
			}
		})
	}
	meter := sweeping.NewMeter(con, len(all))
	defer meter.End()
	worked := 0.0
	for i, t := range todo {
		meter.Begin(t.Cell(), "")
		var a answer
		select {
		case a = <-answers[i]:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if a.err != nil {
			fmt.Fprint(con.Err, a.log)
			return fmt.Errorf("%v: %w", t.Cell(), a.err)
		}
		a.sample.Round = t.round
		if err := keep(a.sample); err != nil {
			return err
		}
		worked += t.work()
		meter.Show(len(all)-len(todo)+i+1, worked/work)
	}
	return nil
}

// work returns about how long a task takes, in units of the others: under many locks all
// waiters look again at each release.
func (t task) work() float64 {
	cpus := float64(t.CPUs)
	return 4 + cpus + cpus*cpus/50
}

// inProcess takes a sample in a process of its own. It also returns what that has written.
func inProcess(ctx context.Context, con commandline.Console, s harness.Scenario) (sample results.Sample, log string, err error) {
	var b bytes.Buffer
	con.Err = &b
	forks, err := sweeping.StartForks(ctx, con, 1, 1)
	if err == nil {
		sample, err = forks[0].Measure(ctx, s)
	}
	sweeping.CloseForks(forks) // then all is in b
	return sample, b.String(), err
}

// steady is the largest drift of a sample that is called steady.
const steady = 0.1

// unsteady warns of samples that are not steady.
func unsteady(con commandline.Console, samples []results.Sample) {
	n := 0
	var worst results.Sample
	most := steady
	for _, s := range samples {
		drift, _ := s.Value("drift")
		if drift > steady {
			n++
		}
		if drift > most {
			worst, most = s, drift
		}
	}
	if n > 0 {
		con.Sayf("warning: %d of %s not steady: the two halves of the window differ by more than %.0f%%, most in %v, by %.0f%%: want a longer --duration",
			n, wording.Count(len(samples), "sample"), 100*steady, worst.Cell, 100*most)
	}
}
