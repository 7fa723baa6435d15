// Package results reads and writes the results of benchmark runs, and computes
// statistics of them.
//
// A file is in the Go benchmark format, so that benchstat reads it, and this
// package reads what go test -bench prints:
//
//	goos: linux
//	goarch: amd64
//	cpu: AMD EPYC
//	machine: host
//	# date: 2026-11-21T22:08:00Z
//	# go: go1.26.8
//	Unit ns/op assume=nothing better=lower
//	# round: 1
//	distance: near
//	BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns/work=registers-2	49176	61.0 ns/op	0.99 jain
//	BenchmarkLock/lock=sync.Mutex/reads=0/workers=2/hold=0s/think=100ns/work=registers-2	29702	101 ns/op	0.97 jain
//	distance: far
//	BenchmarkLock/lock=mcs/reads=0/workers=2/hold=0s/think=100ns/work=registers-2	5312	564 ns/op	1 jain
//
// Each benchmark line is a [Sample] of the [Cell] that its name spells out. A line
// "key: value" holds for the samples below it, and benchstat compares only samples that
// agree on all keys. So facts that may differ between two runs worth comparing, such as
// the date, are comments; the distance of the CPUs, which makes a contended lock
// several times slower, is a key. The comment "# round: n" says which samples were
// measured near each other in time.
//
// A [Writer] makes such files, and [Resume] continues one whose writer was
// killed. [Read], [ReadAll] and [ReadFile] read them. [Summarize] gives medians
// with intervals, [Ratios] compares locks by the samples of one round, and a
// [Table] shows both on a terminal.
//
// # The files, in the order of the data
//
//   - sample.go, cell.go, load.go, unit.go and wait.go: what a sample is, its name, the
//     units of its values, and the distribution of its waits.
//   - facts.go and facts_*.go: facts about the machine.
//   - writer.go writes a file, and continues one.
//   - lines.go and dress.go remove what other software has added to a text;
//     gotest.go knows what go test prints when it fails.
//   - reader.go reads samples of locks, record.go any Go benchmarks; problems.go collects
//     their errors.
//   - summary.go, ratio.go and forks.go are the statistics.
//   - table.go and digest.go show them on a terminal; export.go writes CSV and JSON.
package results
