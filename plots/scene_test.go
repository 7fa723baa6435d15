package plots_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// One sample of a simulated machine is exact, so figures rank by it, and say of how many
// seeds it is. One that was measured, and two seeds, do not suffice.
func TestOneSeed(t *testing.T) {
	samples := func(n int) (sums []results.Summary) {
		add := func(c results.Cell, unit string, median float64) {
			d := results.Unknown
			if c.CPUs == 1 {
				d = results.Local
			}
			s := summary(c, d, unit, median)
			s.N, s.Lo, s.Hi = n, math.Inf(-1), math.Inf(1)
			sums = append(sums, s)
		}
		for i, lock := range []string{"mcs", "ticket", "ttas"} {
			alone := results.Cell{Lock: lock, Workers: 1, CPUs: 1}
			add(alone, "ns/op", float64(10+i))
			for _, reads := range []int{0, 90} {
				c := results.Cell{Lock: lock, Workers: 8, Think: time.Microsecond, CPUs: 8, Reads: reads}
				add(c, "ops/s", float64(9-i)*1e6)
				add(c, "share-min-max", 1-float64(i)/10)
			}
			roles := results.Cell{Lock: lock, Workers: 4, Readers: 3, Writers: 1, Think: time.Microsecond, CPUs: 4}
			add(roles, "write-ops/s", float64(9-i)*1e5)
			add(roles, "read-ops/s", float64(9-i)*1e5)
		}
		return sums
	}
	for _, test := range []struct {
		machine string
		seeds   int
		want    bool // to rank
	}{{"sim:milan-2s", 1, true}, {"sim:milan-2s", 2, false}, {"host", 1, false}} {
		figures, _ := plots.All(samples(test.seeds), plots.Options{Facts: results.Facts{Machine: test.machine}})
		if len(figures) < 5 {
			t.Fatalf("%d figures", len(figures))
		}
		for _, f := range figures {
			if got := !strings.Contains(f.Title, "too few samples"); got != test.want {
				t.Errorf("%s, %d samples: title %q", test.machine, test.seeds, f.Title)
			}
			if got := strings.Contains(strings.Join(f.Subtitle, " "), "one seed: exact for it"); got != test.want {
				t.Errorf("%s, %d samples: subtitle %q", test.machine, test.seeds, f.Subtitle)
			}
		}
	}
}
