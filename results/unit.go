package results

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"golang.org/x/perf/benchunit"
)

// A Unit is a quantity that samples measure.
type Unit struct {
	Name   string
	Better int    // +1 if more is better, -1 if less is, 0 if neither
	Means  string // in a few words
}

// units are the units that the header of a file declares, in the order of importance.
var units = []Unit{
	{"ns/op", -1, "wall time divided by the operations of all workers"},
	{"ops/s", +1, "operations of all workers in a second"},
	{"read-ns/op", -1, "wall time divided by the operations of all readers; the whole window if they did none"},
	{"read-ops/s", +1, "operations of all readers in a second"},
	{"write-ns/op", -1, "wall time divided by the operations of all writers; the whole window if they did none"},
	{"write-ops/s", +1, "operations of all writers in a second"},
	{"offered-ops/s", 0, "operations that arrived in a second, in an open loop"},
	{"served-ops/s", +1, "operations that acquired the lock in a second, in an open loop"},
	{"capacity-ops/s", 0, "what the closed loop reached, just before, of which the load is a share"},
	{"saturated", -1, "1 if the queue grew without end: operations arrived faster than they were served"},
	{"cpu-ns/op", -1, "CPU time of the process for an operation: what waiting burns as well"},

	{"read-p50-ns", -1, "median time to acquire for reading: a service time, from the call; in an open loop from the scheduled arrival"},
	{"read-p99-ns", -1, "99th percentile of it"},
	{"read-p999-ns", -1, "99.9th percentile of it"},
	{"read-max-ns", -1, "longest wait of a reader"},
	{"write-p50-ns", -1, "median time to acquire for writing: a service time, from the call; in an open loop from the scheduled arrival"},
	{"write-p99-ns", -1, "99th percentile of it"},
	{"write-p999-ns", -1, "99.9th percentile of it"},
	{"write-max-ns", -1, "longest wait of a writer"},

	{"gp-p50-ns", -1, "median time until what an update replaced may be used again: the updater's wait, or until its callback"},
	{"gp-p99-ns", -1, "99th percentile of it"},
	{"backlog-max", -1, "most callbacks that were seen waiting for a grace period"},

	{"jain", +1, "Jain's fairness index over the workers: 1 if all did the same, 1/n if one did all"},
	{"share-min-max", +1, "operations of the worker that did the fewest over those of the one that did the most"},
	{"max-run", -1, "longest run of acquisitions by one worker"},
	{"overlap", +1, "share of time slices in which every worker finished an operation"},
	{"rtt-ns", 0, "round trip of a cache line between two CPUs, probed around the sample"},

	{"cycles/op", -1, "cycles of the CPUs for an operation, in user mode"},
	{"instructions/op", -1, "instructions for an operation, in user mode"},
	{"cache-misses/op", -1, "misses of the last cache, as the CPU counts them, for an operation"},
	{"hitm/op", -1, "loads of a line that another core had modified, for an operation (Intel)"},
	{"cache-fills/op", -1, "lines that came from the L3 or another core's cache, for an operation (AMD)"},
	{"ctx-switches/op", -1, "switches of threads by the kernel for an operation"},
	{"migrations/op", -1, "moves of a thread to another CPU for an operation"},
	{"page-faults/op", -1, "page faults for an operation"},

	{"B/op", -1, "bytes allocated for an operation"},
	{"allocs/op", -1, "allocations for an operation"},

	{"gc-cycles/s", 0, "collections of garbage in a second"},
	{"gc-pause-ns/op", -1, "time for an operation that the collector stopped all workers"},

	{"lines/op", -1, "transfers of a cache line for an operation (simulated)"},
	{"remote-lines/op", -1, "transfers between sockets for an operation (simulated)"},
	{"spin-ns/op", -1, "time spent spinning for an operation (simulated)"},
}

// others are units of go test, benchstat and the gate that lockbench does not measure.
var others = []Unit{
	{"sec/op", -1, "ns/op, in seconds, as benchstat has it"},
	{"MB/s", +1, "bytes processed in a second, in millions"},
	{"B/s", +1, "bytes processed in a second"},
}

// Counted reports whether go test counts the unit and does not measure it, so that any
// increase is a regression if it does not vary.
func Counted(unit string) bool { return unit == "allocs/op" || unit == "B/op" }

// Units returns the units that lockbench measures, the most important first.
// A sample may have others.
func Units() []Unit {
	return slices.Clone(units)
}

// known returns what is known about a unit, measured by lockbench or not.
func known(unit string) (Unit, bool) {
	for _, of := range [][]Unit{units, others} {
		if i := slices.IndexFunc(of, func(u Unit) bool { return u.Name == unit }); i >= 0 {
			return of[i], true
		}
	}
	return Unit{}, false
}

// Better returns +1 if more of unit is better, -1 if less is, and 0 if neither is or if
// that is not known. It is known for [Units] and for those of go test; some other units
// say it by what they count, before a slash, and by what they count it for, after the
// slash:
//
//   - less time is better, as in sec/op, p99-ns or ns/GC: the last word of what
//     is counted is ns, us, µs, ms, s, sec or seconds;
//   - less memory is better, as in heap-bytes or MB/op: it is B, kB, KB, MB, GB,
//     KiB, MiB, GiB or bytes;
//   - more throughput is better, as in MiB/s or read-ops/sec: it is memory, op
//     or ops, for a time.
//
// For all others nothing is assumed: more hits/op are better, and more misses/op are
// worse. The declaration of a file takes precedence: see [Directions].
func Better(unit string) int {
	if u, ok := known(unit); ok {
		return u.Better
	}
	counted, per, _ := strings.Cut(unit, "/")
	counted = counted[strings.LastIndexAny(counted, "-_.")+1:]
	switch memory := slices.Contains(memoryWords, counted); {
	case slices.Contains(timeWords, per):
		if memory || counted == "op" || counted == "ops" {
			return +1
		}
	case memory || slices.Contains(timeWords, counted):
		return -1
	}
	return 0
}

var (
	timeWords   = []string{"ns", "us", "µs", "ms", "s", "sec", "seconds"}
	memoryWords = []string{"B", "kB", "KB", "MB", "GB", "KiB", "MiB", "GiB", "bytes"}
)

// Neutral reports whether it is known that neither more nor less of unit is better, as
// for the distance of two CPUs.
func Neutral(unit string) bool {
	u, ok := known(unit)
	return ok && u.Better == 0
}

// Signed reports whether values of unit may be below 0. Those of a known unit
// cannot: they are times, counts, rates and shares.
func Signed(unit string) bool {
	_, ok := known(unit)
	return !ok
}

// Validate reports why v is no measurement: it is not finite, or it is below 0 although
// its unit cannot be.
func (v Value) Validate() error {
	switch {
	case math.IsNaN(v.Value) || math.IsInf(v.Value, 0):
		return fmt.Errorf("%v %s: must be finite", v.Value, v.Unit)
	case v.Value < 0 && !Signed(v.Unit):
		return fmt.Errorf("%v %s: must not be negative", v.Value, v.Unit)
	}
	return nil
}

// Directions are what lines such as "Unit score better=higher" declare about units: +1
// if more is better, -1 if less is, and 0 if they contradict each other.
type Directions map[string]int

// declared returns the direction that d has for unit, and whether it has one.
func (d Directions) declared(unit string) (better int, ok bool) {
	if better, ok = d[unit]; ok {
		return better, true
	}
	// A declaration of sec/op applies to ns/op, as in benchstat.
	_, tidy := benchunit.Tidy(1, unit)
	for _, u := range slices.Sorted(maps.Keys(d)) {
		if _, t := benchunit.Tidy(1, u); t == tidy {
			return d[u], true
		}
	}
	return 0, false
}

// Better returns the direction that d has for unit or, if it has none, that of
// [Better].
func (d Directions) Better(unit string) int {
	if better, ok := d.declared(unit); ok {
		return better
	}
	return Better(unit)
}

// unitRank returns the place of unit in units, or len(units).
func unitRank(unit string) int {
	if i := slices.IndexFunc(units, func(u Unit) bool { return u.Name == unit }); i >= 0 {
		return i
	}
	return len(units)
}
