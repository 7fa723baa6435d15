package harness

import (
	"slices"
	"sync"

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
	took := max(1, w.operate(read)-began-clockCost())
	if read {
		w.readTimes.RecordValue(took)
	} else {
		w.writeTimes.RecordValue(took)
	}
}

// operate does one operation and returns when it had acquired the lock: if
// readers retry, when the try began that no writer disturbed; of an [RCULocker]
// when the read-side critical section began.
func (w *worker) operate(read bool) (acquired int64) {
	switch {
	case !read:
		w.doing = waitsToWrite
		w.lock.Lock()
		acquired = primitives.Nanotime()
		w.writeInside()
		w.lock.Unlock()
		w.settle()
		w.doing = thinking
		w.written++
		return acquired
	case w.seq != nil:
		return w.readOpen(true)
	case w.rcu != nil:
		return w.readCopy(true)
	}
	w.doing = waitsToRead
	if w.rw != nil {
		w.rw.RLock()
	} else {
		w.lock.Lock()
	}
	acquired = primitives.Nanotime()
	w.readInside()
	if w.rw != nil {
		w.rw.RUnlock()
	} else {
		w.lock.Unlock()
	}
	w.doing = thinking
	w.read++
	return acquired
}

// clockCost is what two looks at the clock are apart, in nanoseconds, if
// nothing is between them: the part of a measured time that the measuring
// itself took.
var clockCost = sync.OnceValue(func() int64 {
	apart := make([]int64, 101)
	for i := range apart {
		began := primitives.Nanotime()
		apart[i] = primitives.Nanotime() - began
	}
	slices.Sort(apart)
	return apart[len(apart)/2]
})

// percentiles returns the values of one role, "read" or "write": the merged
// histograms of all workers. A role that never acquired has none.
func percentiles(role string, workers []*worker, of func(*worker) *latency) []results.Value {
	all := newLatency()
	for _, w := range workers {
		all.Merge(of(w))
	}
	if all.TotalCount() == 0 {
		return nil
	}
	return []results.Value{
		{Unit: role + "-p50-ns", Value: float64(all.ValueAtPercentile(50))},
		{Unit: role + "-p99-ns", Value: float64(all.ValueAtPercentile(99))},
		{Unit: role + "-p999-ns", Value: float64(all.ValueAtPercentile(99.9))},
		{Unit: role + "-max-ns", Value: float64(all.Max())},
	}
}

// gracePeriods returns what workers that update under an [RCULocker] learnt of
// its grace periods. If none was over in time there are no percentiles.
func gracePeriods(workers []*worker) []results.Value {
	if workers[0].rcu == nil || workers[0].run.Reads == 100 || workers[0].run.Reclaim == ReclaimNone {
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
