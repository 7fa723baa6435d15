//go:build virtual

package validation_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/sim"
)

// gracePeriods are what Synchronize takes on one CPU, while all others read.
func gracePeriods() (all []*curve) {
	for _, f := range flavours {
		all = append(all, &curve{
			subject: "grace", machine: "xeon-8176-8s", series: f.name, unit: "ns",
			cpus: []int{1, 2, 4, 8, 16, 28, 56, 112, 224},
			simulate: func(t testing.TB, m *sim.Machine, n int) float64 {
				ns, _, _ := gracePeriod(t, m, n, 100*time.Nanosecond, f.make())
				return ns
			},
		})
	}
	return all
}

// gracePeriod returns the mean time of a grace period with readers on all CPUs except one,
// how many sections had begun before one, and how many of these had not ended with it.
// Sections take as long as hold, and a reader is outside of them for a microsecond on average.
func gracePeriod(t testing.TB, m *sim.Machine, n int, hold time.Duration, f rcu.Flavour) (ns float64, met, missed int) {
	t.Helper()
	const warm, count = 1, 4
	over, readers := false, 0
	entered := make([]int, n) // sections that each reader has begun
	inside := make([]bool, n)
	_, err := sim.Config{Machine: m, Place: first(n), Seed: seed}.Run(func() {
		for i := range n - 1 {
			primitives.Go(func() {
				r, data, think := f.NewHandle(), alone[primitives.Uint64](), rand.New(rand.NewPCG(seed, uint64(i)))
				for readers++; !over; {
					r.ReadLock()
					entered[i]++
					inside[i] = true
					data.Load()
					primitives.Busy(hold)
					inside[i] = false
					r.ReadUnlock()
					r.Quiescent()
					primitives.Busy(time.Duration(think.Int64N(2000)))
				}
				r.Offline()
			})
		}
		for readers < n-1 {
			primitives.Busy(time.Microsecond)
		}
		took := int64(0)
		for i := range warm + count {
			were := make(map[int]int)
			for r, in := range inside {
				if in {
					were[r] = entered[r]
				}
			}
			met += len(were)
			began := primitives.Nanotime()
			f.Synchronize()
			if i >= warm {
				took += primitives.Nanotime() - began
			}
			for r, section := range were {
				if inside[r] && entered[r] == section {
					missed++
				}
			}
		}
		over = true
		ns = float64(took) / count
	})
	if err != nil {
		t.Fatal(err)
	}
	return ns, met, missed
}

// A grace period waits for the readers that are in a section when it begins, and takes longer
// the more CPUs there are to look at.
func TestGracePeriods(t *testing.T) {
	most := 224
	if testing.Short() {
		most = 28
	}
	for _, f := range flavours {
		if _, met, missed := gracePeriod(t, machine(t, "xeon-8176-8s"), 28, 100*time.Microsecond, f.make()); met == 0 || missed > 0 {
			t.Errorf("%s: of %d sections that had begun %d had not ended", f.name, met, missed)
		}
		c := of(t, "grace", "xeon-8176-8s", f.name)
		few, many := c.at(t, 2), c.at(t, most)
		holds(t, true, many > 1.2*few, "%s: a grace period takes longer, by 1.2 at least, with %d CPUs than with 2: %.1f µs, %.1f µs", f.name, most, many/1000, few/1000)
	}
}
