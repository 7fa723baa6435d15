package harness

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// Arrivals say how operations arrive. The zero Arrivals are a closed loop: a
// worker begins its next operation when it is done with the last one.
//
// Otherwise the loop is open: operations arrive on a schedule, whatever the lock does.
// Each worker has a schedule of its own, by the seed: a Poisson process, so that all of
// them together are one too. The workers share no queue, since they would contend for
// that as well. A worker that is behind its schedule begins the next operation at once,
// and latencies count from the time for which the operation was scheduled.
type Arrivals struct {
	Load float64 // arrivals as a share of what a closed loop reaches in the same situation; above 0 and below 1
	Rate float64 // arrivals for all workers in a second
}

// Closed reports whether a are those of a closed loop.
func (a Arrivals) Closed() bool { return a == Arrivals{} }

// String returns the word for a in a results file: "" if the loop is closed,
// "0.95" for a load, "100k-per-s" for a rate.
func (a Arrivals) String() string {
	number := func(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
	switch {
	case a.Closed():
		return ""
	case a.Rate == 0:
		return number(a.Load)
	case a.Rate >= 1e6:
		return number(a.Rate/1e6) + "M-per-s"
	case a.Rate >= 1e3:
		return number(a.Rate/1e3) + "k-per-s"
	}
	return number(a.Rate) + "-per-s"
}

// The most arrivals in a second, and the fewest in a window: fewer say nothing about a
// 99th percentile.
const (
	maxRate     = 1e9
	minArrivals = 100
)

// validate reports what is wrong with a, for a window.
func (a Arrivals) validate(window time.Duration) error {
	switch {
	case a.Closed():
		return nil
	case a.Load != 0 && a.Rate != 0:
		return fmt.Errorf("load %v and rate %v: want one of them", a.Load, a.Rate)
	case a.Rate == 0 && a.Load >= 1:
		return fmt.Errorf("load %v: must be below 1: what arrives as fast as it can be served, or faster, waits in a queue that grows without end", a.Load)
	case a.Rate == 0 && !(a.Load > 0):
		return fmt.Errorf("load %v: must be above 0 and below 1", a.Load)
	case a.Load == 0 && !(a.Rate > 0 && a.Rate <= maxRate):
		return fmt.Errorf("rate %v: must be above 0 and at most %v a second", a.Rate, maxRate)
	case a.Load == 0 && a.Rate*window.Seconds() < minArrivals:
		return fmt.Errorf("rate %v: fewer than %d arrivals in a window of %v: want more, or a longer window", a.Rate, minArrivals, window)
	}
	return nil
}

// A schedule says when the operations of one worker are due.
type schedule struct {
	gap     float64 // on average, between two arrivals, ns; 0: an operation is always due
	start   int64
	elapsed float64 // from start to the next arrival
	due     int64   // the next arrival

	arrived uint64 // operations that were due in the window
}

// nextArrival goes on to the next arrival.
func (w *worker) nextArrival() {
	s := &w.schedule
	s.elapsed += w.rng.ExpFloat64() * s.gap
	s.due = s.start + int64(s.elapsed)
}

// serve is the body of a worker in an open loop. All operations are timed. It reads the
// clock within each critical section, and repeatedly while no operation is due.
func (w *worker) serve() {
	if w.run.Work == Serialized {
		w.fence()
	}
	now := primitives.Nanotime()
	w.schedule.start = now
	w.nextArrival()
	for w.follow(now) {
		if now < w.schedule.due {
			now = w.idle(now)
			continue
		}
		read := w.nextReads()
		now = w.operate(read, true)
		w.arrive(read, now)
		w.nextArrival()
		if w.think != 0 {
			w.pause()
		}
	}
	w.giveUp()
}

// follow follows the phases of the run, and begins the next one when it is time to. It
// reports whether to go on.
func (w *worker) follow(now int64) bool {
	r := w.run
	if w.rcu != nil && now-w.lookedAt >= lookAfter {
		w.quiet()
		w.lookedAt = now
	}
	switch p := phase(r.word.Load()); {
	case p <= opening:
		if !w.warm {
			w.warm = true
			r.warm.Add(1)
		}
		if p == warming && r.mayOpen(now) {
			r.open()
		}
	case p <= closing:
		w.begun = true
		if p == measuring && r.mayClose(now, w) {
			r.close()
		}
	case p == draining:
		// What was due in the window counts, however late it is served, but the worker
		// does not wait for a queue that grows without bound to drain.
		if end := r.end(); w.schedule.due >= end || w.schedule.gap == 0 || now-end >= int64(min(r.Duration, patience()/2)) {
			w.noteEnd()
		}
	default:
		return false
	}
	return true
}

// end returns when the window closes.
func (r *run) end() int64 { return r.opened.wall + int64(r.Duration) }

// arrive notes that the operation that was due acquired the lock.
func (w *worker) arrive(read bool, acquired int64) {
	r := w.run
	p := phase(r.word.Load())
	if p < measuring {
		return
	}
	w.begun = true
	if r.opened.wall <= acquired && (acquired < r.end() || w.schedule.gap == 0 && p == measuring) {
		w.ops++
	}
	w.wait(read, acquired)
}

// wait notes how long the operation that was due has waited, if it was due in the
// window.
func (w *worker) wait(read bool, until int64) {
	due := w.schedule.due
	if due < w.run.opened.wall || due >= w.run.end() {
		return
	}
	w.schedule.arrived++
	w.record(read, until-due)
}

// giveUp notes the operations that were due in the window and have not been served:
// each has waited at least until now.
func (w *worker) giveUp() {
	if w.schedule.gap == 0 || !w.begun {
		return
	}
	for now := primitives.Nanotime(); w.schedule.due < min(now, w.run.end()); w.nextArrival() {
		w.wait(w.nextReads(), now)
	}
}

// idle waits for the next arrival, or for a while. It returns the time.
//
// If every worker has a CPU, it only looks at the clock. Otherwise it sleeps, so that
// other workers can use its CPU, and the goroutines of keepAwake make sure that it is
// woken in time.
func (w *worker) idle(now int64) int64 {
	if w.run.crowded() {
		const short = 1000 // ns: too short to sleep and wake up
		if wait := time.Duration(w.schedule.due - primitives.Nanotime()); wait < short {
			primitives.Yield()
		} else {
			if w.rcu != nil {
				w.rcu.Offline()
			}
			primitives.Sleep(min(wait, max(time.Millisecond, w.run.Duration/8)))
			if w.rcu != nil {
				w.rcu.Online()
			}
		}
	}
	return primitives.Nanotime()
}

// crowded reports whether workers outnumber the CPUs.
func (s Scenario) crowded() bool { return s.Workers > s.realCPUs() }

// keepAwake keeps the CPUs from sleeping during a run in which workers may sleep, which is
// one with arrivals: an idle CPU takes about 50 µs to notice that it must wake a worker.
// It starts goroutines that do nothing but yield.
func (r *run) keepAwake() {
	if r.Arrivals.Closed() || !r.crowded() {
		return
	}
	for range r.realCPUs() {
		primitives.Go(func() {
			for phase(r.word.Load()) < stopping {
				primitives.Yield()
			}
		})
	}
}

// takeOpen measures s, whose loop is open and whose lock has passed the
// preflight, once.
//
// The capacity is measured just before, by the same loop, in which an operation
// is always due: so what it costs to read the clock does not count as load.
func takeOpen(ctx context.Context, s Scenario) (sample results.Sample, err error) {
	before, err := probe(s)
	if err != nil {
		return sample, err
	}
	probed := func() error {
		if before.Distance == results.Unknown {
			return nil // the distance is known already
		}
		after, err := probe(s)
		if after.Distance != results.Local {
			after.NS = (before.NS + after.NS) / 2
		}
		after.Distance = before.And(after)
		before = after
		return err
	}
	capacity := 0.0
	rates := slices.Repeat([]float64{s.Arrivals.Rate / float64(s.Workers)}, s.Workers)
	if s.Arrivals.Rate == 0 {
		alike := s
		alike.Warmup, alike.Duration = s.Warmup/capacityShare, s.Duration/capacityShare
		r, _, err := once(ctx, alike, (*worker).serve, func(*run) error { return nil })
		if err != nil {
			return sample, err
		}
		if err := probed(); err != nil {
			return sample, err
		}
		// The window ends with an operation, so there is at least one.
		window := time.Duration(r.closed.wall - r.opened.wall).Seconds()
		capacity = float64(r.total()) / window
		reached := make([]float64, s.Workers)
		for i, w := range r.workers {
			reached[i] = float64(w.ops) / window
		}
		rates = s.asked(reached)
	}
	r, used, err := once(ctx, s, (*worker).serve, func(r *run) error {
		for i, w := range r.workers {
			w.schedule.gap = 1e9 / max(rates[i], 1e-3)
		}
		return nil
	})
	if err != nil {
		return sample, err
	}
	if err := probed(); err != nil {
		return sample, err
	}
	return r.openSample(capacity, before, used), nil
}

// asked returns how many arrivals in a second each worker gets, given how many
// operations each completed in a closed loop. Workers that do the same get the same.
func (s Scenario) asked(reached []float64) (rates []float64) {
	alike := [][]float64{reached}
	if s.roles() {
		alike = [][]float64{reached[:s.Readers], reached[s.Readers:]}
	}
	for _, role := range alike {
		sum := 0.0
		for _, v := range role {
			sum += v
		}
		for range role {
			rates = append(rates, s.Arrivals.Load*sum/float64(len(role)))
		}
	}
	return rates
}

// capacityShare is how many times shorter the window is in which the capacity is
// measured.
const capacityShare = 4

// total returns how many operations acquired the lock in the window.
func (r *run) total() (ops uint64) {
	for _, w := range r.workers {
		ops += w.ops
	}
	return ops
}

// saturated reports whether the queue grew without bound: more of the operations that
// arrived in a window were not served than chance explains, that is more than 3
// standard deviations of the number of arrivals, and more than one in a hundred.
func saturated(arrived, served uint64) bool {
	left := float64(arrived) - float64(served)
	return left > float64(arrived)/100+3*math.Sqrt(float64(arrived))
}

// openSample is sample for an open loop. It has no ns/op and nothing else that
// only says how fast operations arrived.
func (r *run) openSample(capacity float64, at pingpong.Trip, used usage) results.Sample {
	served, sinceBegin, arrived := r.total(), uint64(0), uint64(0)
	for _, w := range r.workers {
		sinceBegin += w.read + w.written
		arrived += w.schedule.arrived
	}
	var values []results.Value
	add := func(v float64, unit string) {
		values = append(values, results.Value{Unit: unit, Value: v})
	}
	add(float64(arrived)/r.Duration.Seconds(), "offered-ops/s")
	add(float64(served)/r.Duration.Seconds(), "served-ops/s")
	if capacity > 0 {
		add(capacity, "capacity-ops/s")
	}
	if saturated(arrived, served) {
		add(1, "saturated")
	} else {
		add(0, "saturated")
	}
	percentiles, waits := waited(r.workers)
	values = append(values, percentiles...)
	values = append(values, gracePeriods(r.workers)...)
	if at.Distance != results.Local && at.Distance != results.Unknown {
		add(at.NS, "rtt-ns")
	}
	values = append(values, used.perOp(sinceBegin)...)
	values = append(values, r.countsPerOp()...)
	return results.Sample{
		Cell:           r.Cell(),
		Distance:       at.Distance,
		Oversubscribed: r.CPUs > r.realCPUs(),
		Ops:            int(served),
		Values:         values,
		Waits:          waits,
	}
}
