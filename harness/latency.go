package harness

import (
	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// A latency is the histogram of one role's times to acquire, in nanoseconds:
// from 1 to a thousand seconds, to two digits, in 38 KB.
type latency = hdrhistogram.Histogram

func newLatency() *latency { return hdrhistogram.New(1, 1e12, 2) }

// timed does one operation and records how long it took to acquire the lock.
func (w *worker) timed() {
	read := w.nextReads()
	began := primitives.Nanotime()
	w.record(read, w.operate(read, true)-began-clockCost())
}

// waited returns what the workers measured of the waits of each role: percentiles, and
// the distribution. A role that never acquired the lock has none.
func waited(workers []*worker) (values []results.Value, waits []results.Wait) {
	for _, role := range []struct {
		name string
		of   func(*worker) *latency
	}{
		{"read", func(w *worker) *latency { return w.readTimes }},
		{"write", func(w *worker) *latency { return w.writeTimes }},
	} {
		all := newLatency()
		for _, w := range workers {
			all.Merge(role.of(w))
		}
		if all.TotalCount() == 0 {
			continue
		}
		values = append(values,
			results.Value{Unit: role.name + "-p50-ns", Value: float64(all.ValueAtPercentile(50))},
			results.Value{Unit: role.name + "-p99-ns", Value: float64(all.ValueAtPercentile(99))},
			results.Value{Unit: role.name + "-p999-ns", Value: float64(all.ValueAtPercentile(99.9))},
			results.Value{Unit: role.name + "-max-ns", Value: float64(all.Max())})
		waits = append(waits, distribution(role.name, all))
	}
	return values, waits
}

// distribution returns all times rounded to steps of 3 to 6 %, which is short enough
// for a line of a file, and fine enough for a picture.
func distribution(role string, all *latency) results.Wait {
	coarse := hdrhistogram.New(1, 1e12, 1)
	for _, bar := range all.Distribution() {
		if bar.Count > 0 {
			coarse.RecordValues(bar.To, bar.Count)
		}
	}
	w := results.Wait{Role: role}
	for _, bar := range coarse.Distribution() {
		if bar.Count > 0 {
			w.Counts = append(w.Counts, results.Count{NS: bar.To, N: bar.Count})
		}
	}
	return w
}

// gracePeriods returns what workers that update under an [RCULocker] measured of its
// grace periods. If none ended in the window there are no percentiles.
func gracePeriods(workers []*worker) []results.Value {
	if workers[0].rcu == nil || !workers[0].run.writes() || workers[0].run.Reclaim == ReclaimNone {
		return nil
	}
	all, backlog := newLatency(), 0
	for _, w := range workers {
		if w.graces.lengths != nil {
			all.Merge(w.graces.lengths)
		}
		backlog = max(backlog, w.graces.backlog)
	}
	var values []results.Value
	if all.TotalCount() > 0 {
		values = append(values,
			results.Value{Unit: "gp-p50-ns", Value: float64(all.ValueAtPercentile(50))},
			results.Value{Unit: "gp-p99-ns", Value: float64(all.ValueAtPercentile(99))})
	}
	if workers[0].run.Reclaim == ReclaimCall {
		values = append(values, results.Value{Unit: "backlog-max", Value: float64(backlog)})
	}
	return values
}
