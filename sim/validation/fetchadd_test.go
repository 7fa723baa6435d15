//go:build virtual

package validation_test

import (
	"math"
	"testing"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
)

// adds are additions to one word, by all CPUs.
func adds(t testing.TB) (all []*curve) {
	for _, p := range read(t, "fetchadd.csv") {
		all = add(all, p, curve{subject: "add", machine: p.machine, series: "fetch-add", unit: "ns", simulate: fetchAdd})
	}
	return all
}

func fetchAdd(t testing.TB, m *sim.Machine, n int) float64 {
	t.Helper()
	word := alone[primitives.Uint32]()
	return perOp(t, m, n, same(func() { word.Add(1) }))
}

// What an addition to one word takes rises once, from one CPU to two, and then stays below
// a hop. The residency was chosen by the Xeon's series; the others are as they come.
func TestFetchAdd(t *testing.T) {
	for _, want := range []struct {
		machine       string
		aim           float64 // half of the points are within that
		holds, rises  bool    // whether they are, and whether it rises from one CPU to two
		below, within bool    // whether all points are below a hop within a socket, and within 25 %
		flat          bool    // whether from 2 CPUs on it is as flat as what was published
	}{
		{"xeon-8176-8s", 0.25, true, true, true, false, true},
		{"milan-2s", 0.40, true, true, true, false, true},
		{"skylake-client", 0.25, false, true, true, false, true},
	} {
		c := additions(t, want.machine)
		m := machine(t, want.machine)
		var off []float64
		below, most := true, 0.0
		var values, published []float64
		for _, n := range c.cpus {
			if n > m.CPUs() || testing.Short() && n > 32 {
				continue
			}
			v := c.at(t, n)
			if n == 1 {
				continue // that is the description
			}
			off = append(off, math.Abs(v/c.published[n]-1))
			most = max(most, off[len(off)-1])
			values, published = append(values, v), append(published, c.published[n])
			below = below && (n > m.Cores*m.Clusters || v < m.Hop[sim.Cluster])
		}
		if len(off) == 0 {
			t.Fatalf("%s: nothing compared", want.machine)
		}
		holds(t, want.holds, middle(off) <= want.aim, "%s: half of %d points within %.0f %%: within %.0f %%", want.machine, len(off), 100*want.aim, 100*middle(off))
		holds(t, want.rises, c.at(t, 2) > 1.2*c.at(t, 1), "%s: rises from one CPU to two: %.1f ns, %.1f ns", want.machine, c.at(t, 1), c.at(t, 2))
		holds(t, want.below, below, "%s: below a hop within a socket", want.machine)
		holds(t, want.flat, spread(values) <= spread(published), "%s: as flat as published: most %.2f times least, published %.2f", want.machine, spread(values), spread(published))
		if !testing.Short() {
			holds(t, want.within, most <= 0.25, "%s: all points within 25 %%: within %.0f %%", want.machine, 100*most)
		}
	}
}

func additions(t testing.TB, machine string) *curve { return of(t, "add", machine, "fetch-add") }
