package harness

import (
	"runtime"
	"testing"
)

// Bench measures s as a benchmark of go test: until b.N operations are done
// instead of for s.Duration, and otherwise as [Run] does, with the same units.
// CPUs and Workers, if 0, are GOMAXPROCS, which -cpu sets.
//
// To have names like those in a results file, run it as
//
//	b.Run(s.Cell().Params(), func(b *testing.B) { harness.Bench(b, s) })
//
// with s.Workers set, and s.CPUs left to -cpu.
func Bench(b *testing.B, s Scenario) {
	b.Helper()
	if s.CPUs == 0 {
		s.CPUs = runtime.GOMAXPROCS(0)
	}
	if s.Workers == 0 && !s.roles() {
		s.Workers = s.CPUs
	}
	if err := s.Validate(); err != nil {
		b.Fatal(err)
	}
	if !s.Arrivals.Closed() {
		b.Fatalf("%v: a benchmark that ends after so many operations has no arrivals: want a closed loop", s.Arrivals)
	}
	s.Quota = uint64(b.N)
	sample, err := take(b.Context(), s.withDefaults())
	if err != nil {
		b.Fatal(err)
	}
	for _, v := range sample.Values {
		b.ReportMetric(v.Value, v.Unit)
	}
}
