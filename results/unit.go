package results

import "slices"

// A Unit is a quantity that samples measure.
type Unit struct {
	Name   string
	Better int    // +1 if more is better, -1 if less is, 0 if neither
	Means  string // in a few words
}

// units is what the header of a file declares, in the order of importance.
var units = []Unit{
	{"ns/op", -1, "wall time divided by the operations of all workers"},
	{"ops/s", +1, "operations of all workers in a second"},
	{"cpu-ns/op", -1, "CPU time of the process for an operation: what waiting burns as well"},

	{"read-p50-ns", -1, "median time to acquire for reading"},
	{"read-p99-ns", -1, "99th percentile of it"},
	{"read-p999-ns", -1, "99.9th percentile of it"},
	{"read-max-ns", -1, "longest wait of a reader"},
	{"write-p50-ns", -1, "median time to acquire for writing"},
	{"write-p99-ns", -1, "99th percentile of it"},
	{"write-p999-ns", -1, "99.9th percentile of it"},
	{"write-max-ns", -1, "longest wait of a writer"},

	{"jain", +1, "Jain's fairness index over the workers: 1 if all did the same, 1/n if one did all"},
	{"share-min-max", +1, "operations of the worker that did the fewest over those of the one that did the most"},
	{"max-run", -1, "longest run of acquisitions by one worker"},
	{"overlap", +1, "share of time slices in which every worker finished an operation"},
	{"rtt-ns", 0, "round trip of a cache line between two CPUs, probed around the sample"},

	{"B/op", -1, "bytes allocated for an operation"},
	{"allocs/op", -1, "allocations for an operation"},

	{"lines/op", -1, "transfers of a cache line for an operation (simulated)"},
	{"remote-lines/op", -1, "transfers between sockets for an operation (simulated)"},
	{"spin-ns/op", -1, "time spent spinning for an operation (simulated)"},
}

// Units returns the units that lockbench measures, the most important first.
// A sample may have others.
func Units() []Unit {
	return slices.Clone(units)
}

// Better returns +1 if more of unit is better, -1 if less is, and 0 if
// neither is or if unit is not one of [Units].
func Better(unit string) int {
	if i := unitRank(unit); i < len(units) {
		return units[i].Better
	}
	return 0
}

// unitRank returns the place of unit in units, or len(units).
func unitRank(unit string) int {
	if i := slices.IndexFunc(units, func(u Unit) bool { return u.Name == unit }); i >= 0 {
		return i
	}
	return len(units)
}
