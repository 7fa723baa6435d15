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
	Name   string // as in files, such as "ns/op"
	Better int    // +1 if more is better, -1 if less is, 0 if neither
	Kind   Kind   // where its values come from
	Means  string // in a few words
}

// A Kind says where the values of a unit come from.
type Kind string

// The kinds of units.
const (
	KindTime   Kind = "time"   // a clock: a duration, or a rate, which varies with the speed of the machine
	KindEvents Kind = "events" // a count by the CPU, the kernel or the workers, which varies from run to run
	KindMemory Kind = "memory" // go test's count of what is allocated: see [Counted]
	KindIndex  Kind = "index"  // a computation: a share, or yes or no
)

// Instructions is the unit of counted instructions, which the gate judges like a count
// of allocations if Callgrind counts them.
const Instructions = "instructions/op"

// neither is the direction of a unit that only says under which conditions others were
// measured.
const neither = 0

// units are the units that the header of a file declares, in the order of importance.
var units = []Unit{
	{"ns/op", -1, KindTime, "wall time divided by the operations of all workers"},
	{"ops/s", +1, KindTime, "operations of all workers in a second"},
	{"read-ns/op", -1, KindTime, "wall time divided by the operations of all readers; the whole window if they did none"},
	{"read-ops/s", +1, KindTime, "operations of all readers in a second"},
	{"write-ns/op", -1, KindTime, "wall time divided by the operations of all writers; the whole window if they did none"},
	{"write-ops/s", +1, KindTime, "operations of all writers in a second"},
	{"offered-ops/s", neither, KindTime, "operations that arrived in a second, in an open loop"},
	{"served-ops/s", +1, KindTime, "operations that acquired the lock in a second, in an open loop"},
	{"capacity-ops/s", neither, KindTime, "what the closed loop reached, just before, of which the load is a share"},
	{"saturated", -1, KindIndex, "1 if the queue grew without end: operations arrived faster than they were served"},
	{"cpu-ns/op", -1, KindTime, "CPU time of the process for an operation: what waiting burns as well"},

	{"read-p50-ns", -1, KindTime, "median time to acquire for reading: a service time, from the call; in an open loop from the scheduled arrival"},
	{"read-p99-ns", -1, KindTime, "99th percentile of it"},
	{"read-p999-ns", -1, KindTime, "99.9th percentile of it"},
	{"read-max-ns", -1, KindTime, "longest wait of a reader"},
	{"write-p50-ns", -1, KindTime, "median time to acquire for writing: a service time, from the call; in an open loop from the scheduled arrival"},
	{"write-p99-ns", -1, KindTime, "99th percentile of it"},
	{"write-p999-ns", -1, KindTime, "99.9th percentile of it"},
	{"write-max-ns", -1, KindTime, "longest wait of a writer"},

	{"gp-p50-ns", -1, KindTime, "median time until what an update replaced may be used again: the updater's wait, or until its callback"},
	{"gp-p99-ns", -1, KindTime, "99th percentile of it"},
	{"backlog-max", -1, KindEvents, "most callbacks that were seen waiting for a grace period"},

	{"jain", +1, KindIndex, "Jain's fairness index over the workers: 1 if all did the same, 1/n if one did all"},
	{"share-min-max", +1, KindIndex, "operations of the worker that did the fewest over those of the one that did the most"},
	{"max-run", -1, KindEvents, "longest run of acquisitions by one worker"},
	{"overlap", +1, KindIndex, "share of time slices in which every worker finished an operation"},
	{"rtt-ns", neither, KindTime, "round trip of a cache line between two CPUs, probed around the sample"},

	{"cycles/op", -1, KindEvents, "cycles of the CPUs for an operation, in user mode"},
	{Instructions, -1, KindEvents, "instructions for an operation, in user mode"},
	{"cache-misses/op", -1, KindEvents, "misses of the last cache, as the CPU counts them, for an operation"},
	{"hitm/op", -1, KindEvents, "loads of a line that another core had modified, for an operation (Intel)"},
	{"cache-fills/op", -1, KindEvents, "lines that came from the L3 or another core's cache, for an operation (AMD)"},
	{"ctx-switches/op", -1, KindEvents, "switches of threads by the kernel for an operation"},
	{"migrations/op", -1, KindEvents, "moves of a thread to another CPU for an operation"},
	{"page-faults/op", -1, KindEvents, "page faults for an operation"},

	{"B/op", -1, KindMemory, "bytes allocated for an operation"},
	{"allocs/op", -1, KindMemory, "allocations for an operation"},

	{"gc-cycles/s", neither, KindTime, "collections of garbage in a second"},
	{"gc-pause-ns/op", -1, KindTime, "time for an operation that the collector stopped all workers"},

	{"lines/op", -1, KindEvents, "transfers of a cache line for an operation (simulated)"},
	{"remote-lines/op", -1, KindEvents, "transfers between sockets for an operation (simulated)"},
	{"spin-ns/op", -1, KindTime, "time spent spinning for an operation (simulated)"},
	{"drift", neither, KindIndex, "by how much the time for an operation in the second half of the window differs from that in its first, as a share of it (simulated)"},
}

// others are units of go test, benchstat and the gate that lockbench does not measure.
var others = []Unit{
	{"sec/op", -1, KindTime, "ns/op, in seconds, as benchstat has it"},
	{"MB/s", +1, KindTime, "bytes processed in a second, in millions"},
	{"B/s", +1, KindTime, "bytes processed in a second"},
}

// Counted reports whether go test counts the unit and does not measure it, so that any
// increase is a regression if it does not vary.
func Counted(unit string) bool { return KindOf(unit) == KindMemory }

// Elapsed reports whether the unit is one in which go test says how long a benchmark
// took.
func Elapsed(unit string) bool { return unit == "ns/op" || unit == "MB/s" }

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
	better, _ := byName(unit)
	return better
}

// KindOf returns the kind of a unit, "" if that is not known. It is known for [Units]
// and for those of go test; other units are times if [Better] takes them for times or
// throughputs.
func KindOf(unit string) Kind {
	if u, ok := known(unit); ok {
		return u.Kind
	}
	_, kind := byName(unit)
	return kind
}

// byName returns what the name of an unknown unit says about it.
func byName(unit string) (better int, kind Kind) {
	counted, per, _ := strings.Cut(unit, "/")
	counted = counted[strings.LastIndexAny(counted, "-_.")+1:]
	switch memory := slices.Contains(memoryWords, counted); {
	case slices.Contains(timeWords, per):
		if memory || counted == "op" || counted == "ops" {
			return +1, KindTime
		}
	case memory:
		return -1, ""
	case slices.Contains(timeWords, counted):
		return -1, KindTime
	}
	return 0, ""
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

// Direction returns the word for a direction in files and in JSON: "higher" for +1,
// "lower" for -1, and "" for 0.
func Direction(better int) string {
	switch better {
	case +1:
		return "higher"
	case -1:
		return "lower"
	}
	return ""
}

// ParseDirection returns the direction that word is for, and whether it is "higher" or
// "lower".
func ParseDirection(word string) (better int, ok bool) {
	for _, better := range []int{+1, -1} {
		if word == Direction(better) {
			return better, true
		}
	}
	return 0, false
}

// Declare returns the line of a file that declares a unit for benchstat, with its
// direction if it has one.
func Declare(unit string, better int) string {
	line := "Unit " + unit + " assume=nothing"
	if word := Direction(better); word != "" {
		line += " better=" + word
	}
	return line + "\n"
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
