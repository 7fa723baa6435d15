//go:build virtual

package validation_test

import (
	"fmt"
	"testing"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

// BenchmarkHandover tells what an acquisition of a lock for which all CPUs of a machine wait
// takes on the host.
func BenchmarkHandover(b *testing.B) {
	d, err := machines.Find("xeon-8176-8s")
	if err != nil {
		b.Fatal(err)
	}
	for _, l := range locks {
		for _, n := range []int{16, 64, 224} {
			b.Run(fmt.Sprintf("lock=%s/cpus=%d", l.name, n), func(b *testing.B) {
				lock, data := l.make(), alone[primitives.Cell[int]]()
				left := b.N
				_, err := sim.Config{Machine: &d.Machine, CPUs: n, Seed: 1, Limit: 1 << 50}.Run(func() {
					for range n {
						primitives.Go(func() {
							for left > 0 {
								lock.Lock()
								data.Set(data.Get() + 1)
								left--
								lock.Unlock()
							}
						})
					}
				})
				if err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
