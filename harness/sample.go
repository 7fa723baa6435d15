package harness

import (
	"math"
	"math/bits"
	"runtime"
	"slices"
	"time"

	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// sample turns what the workers noted into numbers, in the order of
// [results.Units]. All workers have returned.
func (r *run) sample(before, after pingpong.Trip, used usage) results.Sample {
	var total, sinceBegin uint64
	ops := make([]uint64, len(r.workers))
	together := ^uint64(0)
	for i, w := range r.workers {
		ops[i] = w.ops
		total += w.ops
		sinceBegin += w.read + w.written
		together &= w.slices
	}
	window := time.Duration(max(1, r.closed.wall-r.opened.wall))

	var values []results.Value
	add := func(v float64, unit string) {
		values = append(values, results.Value{Unit: unit, Value: v})
	}
	add(float64(window)/float64(total), "ns/op")
	add(float64(total)/window.Seconds(), "ops/s")
	if r.roles() {
		for _, role := range []struct {
			name string
			of   []uint64
		}{{"read", ops[:r.Readers]}, {"write", ops[r.Readers:]}} {
			if len(role.of) == 0 {
				continue
			}
			var n uint64
			for _, of := range role.of {
				n += of
			}
			add(float64(window)/float64(max(1, n)), role.name+"-ns/op")
			add(float64(n)/window.Seconds(), role.name+"-ops/s")
		}
	}
	if r.opened.known && r.closed.known {
		add(float64(r.closed.cpu-r.opened.cpu)/float64(total), "cpu-ns/op")
	}
	var waits []results.Wait
	if r.Latency {
		var percentiles []results.Value
		percentiles, waits = waited(r.workers)
		values = append(values, percentiles...)
	}
	values = append(values, gracePeriods(r.workers)...)
	if len(r.workers) > 1 {
		add(jain(ops), "jain")
		add(minMaxShare(ops), "share-min-max")
		if r.writes() && r.Workload.isBare() {
			add(float64(min(r.longestRun(), slices.Max(ops))), "max-run")
		}
		if r.Quota == 0 {
			add(float64(bits.OnesCount64(together))/windowSlices, "overlap")
		}
	}
	distance := before.And(after)
	if distance != results.Local && distance != results.Unknown {
		add((before.NS+after.NS)/2, "rtt-ns")
	}
	if r.GC != 0 && !used.unknown {
		add(float64(used.collections)/used.during.Seconds(), "gc-cycles/s")
		add(float64(used.pauses)/float64(sinceBegin), "gc-pause-ns/op")
	}
	// Allocations and the kernel's counts are those of the whole run, not only of the
	// window.
	values = append(values, used.perOp(sinceBegin)...)
	values = append(values, r.countsPerOp()...)

	return results.Sample{
		Cell:           r.Cell(),
		Distance:       distance,
		Oversubscribed: r.CPUs > r.realCPUs(),
		Ops:            int(total),
		Values:         values,
		Waits:          waits,
	}
}

// countsPerOp returns what Counts counted in the window, for an operation, and how steady the
// window was: by how much the time for an operation in its second half differs from that in
// its first, as a share of that in all of it.
func (r *run) countsPerOp() (values []results.Value) {
	if r.Counts == nil {
		return nil
	}
	perOp := func(from, to *stamp) float64 {
		return float64(to.wall-from.wall) / float64(max(1, to.ops-from.ops))
	}
	for i, v := range r.closed.counts {
		v.Value = (v.Value - r.opened.counts[i].Value) / float64(max(1, r.closed.ops-r.opened.ops))
		values = append(values, v)
	}
	first, second := perOp(&r.opened, &r.middle), perOp(&r.middle, &r.closed)
	return append(values, results.Value{Unit: "drift", Value: math.Abs(second-first) / perOp(&r.opened, &r.closed)})
}

// allocations is what the process has allocated so far, and how often and for how many
// nanoseconds the collector has stopped it.
type allocations struct {
	bytes, objects      uint64
	collections, pauses uint64
	during              time.Duration
}

// countAllocations stops the world for a moment.
func countAllocations() allocations {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return allocations{m.TotalAlloc, m.Mallocs, uint64(m.NumGC), m.PauseTotalNs, time.Duration(primitives.Nanotime())}
}

func (a allocations) minus(b allocations) allocations {
	return allocations{a.bytes - b.bytes, a.objects - b.objects, a.collections - b.collections, a.pauses - b.pauses, a.during - b.during}
}
