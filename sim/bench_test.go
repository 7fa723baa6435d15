//go:build virtual

package sim_test

import (
	"testing"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
)

// BenchmarkOperations measures operations on words by 64 CPUs, each its own or all the same.
func BenchmarkOperations(b *testing.B) {
	const cpus = 64
	m := machine(b, "xeon-8176-8s")
	for _, of := range []struct {
		name string
		op   func(mine, all *primitives.Uint64)
	}{
		{"lines=own", func(mine, _ *primitives.Uint64) { mine.Add(1) }},
		{"lines=one", func(_, all *primitives.Uint64) { all.Add(1) }},
	} {
		b.Run(of.name, func(b *testing.B) {
			var all primitives.Uint64
			var own [cpus]struct {
				word primitives.Uint64
				_    [2]primitives.CacheLine
			}
			b.ReportAllocs()
			run(b, sim.Config{Machine: m, CPUs: cpus, Limit: 1 << 50}, func() {
				for i := range cpus {
					primitives.Go(func() {
						for range b.N/cpus + 1 {
							of.op(&own[i].word, &all)
						}
					})
				}
			})
			b.ReportMetric(1e3*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "Mops/s")
		})
	}
}
