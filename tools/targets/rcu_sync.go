package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/results"
)

// gracePeriods is how long Synchronize takes, and what shares one.
func gracePeriods(ctx context.Context, out io.Writer, rounds int) (all []results.Sample, err error) {
	for _, measure := range []measurement{barriers, busyReader, distribution, sharing} {
		samples, err := measure(ctx, out, rounds)
		all = append(all, samples...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// A situation is measured in turn with others.
type situation struct {
	name    string
	two     bool // whether it takes two CPUs, which are some distance apart
	measure func() ([]results.Value, error)
}

// turns measures each situation in every round, in random order.
func turns(ctx context.Context, what string, rounds int, all []situation) ([]results.Sample, error) {
	var samples []results.Sample
	meter := newMeter()
	for round := range rounds {
		for _, i := range rand.Perm(len(all)) {
			if ctx.Err() != nil {
				return samples, context.Cause(ctx)
			}
			s := results.Sample{
				Cell:     results.Cell{Lock: all[i].name, Workers: 1, CPUs: runtime.GOMAXPROCS(0), Workload: what},
				Round:    round + 1,
				Distance: results.Local,
			}
			probe := func() (pingpong.Trip, error) { return pingpong.Trip{Distance: results.Local}, nil }
			if all[i].two {
				s.Workers = 2
				probe = func() (pingpong.Trip, error) { return pingpong.Probe(onCPU) }
			}
			before, err := probe()
			if err != nil {
				return samples, err
			}
			if s.Values, err = all[i].measure(); err != nil {
				return samples, err
			}
			after, err := probe()
			if err != nil {
				return samples, err
			}
			s.Distance = before.And(after)
			samples = append(samples, s)
		}
		progress(meter, what, round+1, rounds)
	}
	return samples, nil
}

// beside calls f on the first CPU while the second calls reads again and again, with its
// own reader.
func beside(in instance, f func()) error {
	var stop primitives.Bool
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- onCPU(1, func() {
			r := in.reader()
			defer r.done()
			r.sections(perTurn)
			close(ready)
			for !stop.Load() {
				r.sections(1) // then it is quiet
			}
		})
	}()
	select {
	case <-ready:
	case err := <-done:
		return err
	}
	err := onCPU(0, f)
	stop.Store(true)
	return cmp.Or(<-done, err)
}

// barriers is membarrier alone, and with another thread that runs.
func barriers(ctx context.Context, _ io.Writer, rounds int) ([]results.Sample, error) {
	if !primitives.CanMembarrier() {
		return nil, nil
	}
	const calls = 500
	value := func(f func(func()) error) func() ([]results.Value, error) {
		return func() ([]results.Value, error) {
			var took int64
			err := f(func() {
				began := primitives.Nanotime()
				for range calls {
					primitives.Membarrier()
				}
				took = primitives.Nanotime() - began
			})
			return []results.Value{{Unit: "ns/op", Value: float64(took) / calls}}, err
		}
	}
	idle := instance{reader: func() reader { return unregistered(func(int) {}) }}
	return turns(ctx, "membarrier", 2*rounds, []situation{
		{"membarrier", false, value(func(f func()) error { return onCPU(0, f) })},
		{"membarrier:two-run", true, value(func(f func()) error { return beside(idle, f) })},
	})
}

// waits are the two ways to wait for a grace period.
var waits = []struct {
	name string
	wait func(updater) func()
}{
	{"Synchronize", func(u updater) func() { return u.Synchronize }},
	{"Expedited", func(u updater) func() { return u.SynchronizeExpedited }},
}

// newTimes returns a histogram of nanoseconds.
func newTimes() *hdrhistogram.Histogram { return hdrhistogram.New(1, 1e12, 2) }

// summary returns a histogram in words.
func summary(times *hdrhistogram.Histogram) []results.Value {
	return []results.Value{
		{Unit: "ns/op", Value: times.Mean()},
		{Unit: "p50-ns", Value: float64(times.ValueAtPercentile(50))},
		{Unit: "p99-ns", Value: float64(times.ValueAtPercentile(99))},
		{Unit: "max-ns", Value: float64(times.Max())},
	}
}

// timed times calls of f: so many, but not for longer than half a second.
func timed(times *hdrhistogram.Histogram, calls int, f func()) {
	until := primitives.Nanotime() + int64(500*time.Millisecond)
	for before := primitives.Nanotime(); calls > 0 && before < until; calls-- {
		f()
		after := primitives.Nanotime()
		times.RecordValue(max(1, after-before))
		before = after
	}
}

// busyReader is grace periods with one reader, which is in one section after the other,
// on another CPU.
func busyReader(ctx context.Context, _ io.Writer, rounds int) ([]results.Sample, error) {
	const calls = 50
	var all []situation
	for _, name := range rcuNames {
		for _, way := range waits {
			all = append(all, situation{name + "." + way.name, true, func() ([]results.Value, error) {
				in, times := rcuNew[name](rcu.Config{}), newTimes()
				err := beside(in, func() { timed(times, calls, way.wait(in.updater)) })
				return summary(times), err
			}})
		}
	}
	return turns(ctx, "busy-reader", rounds, all)
}

// manyReaders is how many readers there are at most. They do not all read at once: each
// runs readersStay sections, some microseconds in all, a hundred times a second.
const (
	manyReaders = 1000
	readersNap  = 10 * time.Millisecond
	readersStay = 300 // sections, each with only a load
)

// distribution is how long grace periods take without readers, and with a thousand. To
// out it writes the percentiles of all calls, which those of the rounds do not give.
func distribution(ctx context.Context, out io.Writer, rounds int) ([]results.Sample, error) {
	const calls = 100
	var all []situation
	merged := map[string]*hdrhistogram.Histogram{}
	for _, name := range rcuNames {
		for _, n := range []int{0, manyReaders} {
			for _, way := range waits {
				which := fmt.Sprintf("%s.%s:%d-readers", name, way.name, n)
				merged[which] = newTimes()
				all = append(all, situation{which, false, func() ([]results.Value, error) {
					in, times := rcuNew[name](rcu.Config{}), newTimes()
					leave := crowdOf(in, n)
					timed(times, calls, way.wait(in.updater))
					leave()
					merged[which].Merge(times)
					return summary(times), nil
				}})
			}
		}
	}
	samples, err := turns(ctx, "distribution", max(1, rounds/2), all)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "How long grace periods take, in µs, of all calls. Readers sleep most of the time\n")
	fmt.Fprintln(table, "  lock\tcalls\tp50\tp99\tp99.9\tmax")
	for _, s := range all {
		h, us := merged[s.name], func(ns int64) string { return fmt.Sprintf("%.3g", float64(ns)/1000) }
		at := func(p float64) string { return us(h.ValueAtPercentile(p)) }
		fmt.Fprintf(table, "  %s\t%d\t%s\t%s\t%s\t%s\n", s.name, h.TotalCount(), at(50), at(99), at(99.9), us(h.Max()))
	}
	fmt.Fprintln(table)
	return samples, errors.Join(err, table.Flush())
}

// crowdOf starts n readers that last until leave. Each reads a little and then sleeps,
// offline if its flavour has that.
func crowdOf(in instance, n int) (leave func()) {
	done := make(chan struct{})
	var all, ready sync.WaitGroup
	ready.Add(n)
	for range n {
		all.Go(func() {
			r := in.reader()
			defer r.done()
			nap := time.NewTimer(rand.N(readersNap))
			defer nap.Stop()
			for first := true; ; first = false {
				r.offline()
				if first {
					ready.Done()
				}
				select {
				case <-done:
					return
				case <-nap.C:
				}
				r.online()
				r.sections(readersStay)
				nap.Reset(readersNap/2 + rand.N(readersNap))
			}
		})
	}
	ready.Wait()
	return func() {
		close(done)
		all.Wait()
	}
}

// sharing measures the updates in a second by 20 updaters that share grace periods,
// against 20 that do not, with a busy reader.
func sharing(ctx context.Context, _ io.Writer, rounds int) ([]results.Sample, error) {
	const updaters, window = 20, 30 * time.Millisecond
	var all []situation
	for _, name := range rcuNames {
		for _, together := range []bool{true, false} {
			all = append(all, situation{shared(name, together), true, func() ([]results.Value, error) {
				in := rcuNew[name](rcu.Config{})
				var stop primitives.Bool
				var turn sync.Mutex
				var counts [updaters]int
				var took int64
				err := beside(in, func() {
					var group sync.WaitGroup
					began := primitives.Nanotime()
					for i := range updaters {
						group.Go(func() {
							for !stop.Load() {
								if together {
									in.Synchronize()
								} else {
									turn.Lock()
									in.Synchronize()
									turn.Unlock()
								}
								counts[i]++
							}
						})
					}
					time.Sleep(window)
					stop.Store(true)
					group.Wait()
					took = primitives.Nanotime() - began
				})
				total := 0
				for _, n := range counts {
					total += n
				}
				return []results.Value{{Unit: "updates/s", Value: 1e9 * float64(total) / float64(took)}}, err
			}})
		}
	}
	return turns(ctx, "sharing", rounds, all)
}

func shared(name string, together bool) string {
	if together {
		return name
	}
	return name + ":in-turn"
}
