//go:build virtual

package validation_test

import (
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/qspinlock"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
	"github.com/lockbench/lockbench/spinlock"
	"github.com/lockbench/lockbench/ticket"
)

func machine(t *testing.T, name string) *sim.Machine {
	t.Helper()
	d, err := machines.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return &d.Machine
}

// perOp runs n workers on n CPUs that each call op again and again, and returns the
// nanoseconds of a call, of all workers together: from when all have called it ten times
// until they have called it calls times more, on average.
func perOp(t *testing.T, m *sim.Machine, n, calls int, op func()) float64 {
	t.Helper()
	each := make([]int, n)
	warm, done, began, ended := 0, 0, int64(0), int64(0)
	_, err := sim.Config{Machine: m, CPUs: n, Seed: 1}.Run(func() {
		for i := range n {
			primitives.Go(func() {
				for ended == 0 {
					op()
					if each[i]++; each[i] == 10 {
						if warm++; warm == n {
							began, done = primitives.Nanotime(), 0
						}
					}
					if done++; warm == n && done == n*calls {
						ended = primitives.Nanotime()
					}
				}
			})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return float64(ended-began) / float64(n*calls)
}

// A line that goes back and forth takes what was published for it, at each distance.
func TestHops(t *testing.T) {
	for _, name := range machines.Names() {
		m := machine(t, name)
		for d := sim.Sibling; int(d) < sim.Distances; d++ {
			other := -1
			for i := m.CPUs() - 1; i > 0; i-- {
				if m.Distance(0, i) == d {
					other = i
				}
			}
			if other < 0 {
				continue
			}
			const trips = 10_000
			var word primitives.Uint32
			var ns float64
			_, err := sim.Config{Machine: m, Place: []int{0, other}}.Run(func() {
				primitives.Go(func() {
					for i := range uint32(trips) {
						for !word.CompareAndSwap(2*i+1, 2*i+2) {
						}
					}
				})
				began := int64(0)
				for i := range uint32(trips) {
					for !word.CompareAndSwap(2*i, 2*i+1) {
					}
					if i == 9 {
						began = primitives.Nanotime()
					}
				}
				ns = float64(primitives.Nanotime()-began) / (2 * (trips - 10))
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%-14s %-8v %6.1f ns, published %6.1f", name, d, ns, m.Hop[d])
			if ns < 0.95*m.Hop[d] || ns > 1.05*m.Hop[d] {
				t.Errorf("%s: %v: %.1f ns a hop, want %.1f within 5 %%", name, d, ns, m.Hop[d])
			}
		}
	}
}

// What an addition to one word takes rises once, and stays below a hop. The residency was
// chosen by the Xeon's series; the others are as they come.
func TestFetchAdd(t *testing.T) {
	f, err := os.Open("testdata/fetchadd.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	errs := make(map[string][]float64)
	for _, row := range rows[1:] {
		m := machine(t, row[0])
		n, err := strconv.Atoi(row[1])
		if err != nil {
			t.Fatal(err)
		}
		published, err := strconv.ParseFloat(row[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		if n > m.CPUs() || testing.Short() && n > 32 {
			continue
		}
		word := new(alone[primitives.Uint32])
		got := perOp(t, m, n, 100, func() { word.v.Add(1) })
		off := got/published - 1
		t.Logf("%-14s %3d CPUs: %5.1f ns, published %5.1f: %+.0f %%", row[0], n, got, published, 100*off)
		if n > 1 {
			errs[row[0]] = append(errs[row[0]], math.Abs(off))
		}
	}
	for name, within := range map[string]float64{"xeon-8176-8s": 0.25, "milan-2s": 0.40} {
		of := errs[name]
		slices.Sort(of)
		if len(of) == 0 {
			t.Fatalf("%s: nothing compared", name)
		}
		if mid := of[len(of)/2]; mid > within {
			t.Errorf("%s: half of the points are off by %.0f %% or more, want %.0f", name, 100*mid, 100*within)
		}
	}
}

// An alone is on a cache line of its own, wherever Go's allocator puts it.
type alone[T any] struct {
	_ primitives.CacheLine
	v T
	_ primitives.CacheLine
}

type locker interface {
	Lock()
	Unlock()
}

var locks = []struct {
	name string
	make func() locker
}{
	{"tas", func() locker { return &new(alone[spinlock.TAS]).v }},
	{"ttas", func() locker { return &new(alone[spinlock.TTAS]).v }},
	{"ticket", func() locker { return &new(alone[ticket.Lock]).v }},
	{"mcs", func() locker { return &new(alone[mcs.Lock]).v }},
	{"clh", func() locker { return &new(alone[mcs.CLH]).v }},
	{"qspinlock", func() locker { return &new(alone[qspinlock.Lock]).v }},
}

// Within a socket what a handover of a ticket lock takes grows with the waiters, who all
// read again, and that of a queue lock does not; at its border a queue lock takes a step.
func TestHandover(t *testing.T) {
	m := machine(t, "xeon-8176-8s")
	ns := make(map[string]map[int]float64)
	for _, l := range locks {
		ns[l.name] = make(map[int]float64)
		for _, n := range []int{1, 2, 4, 8, 12, 16, 20, 24, 28, 56} {
			lock := l.make()
			data := new(alone[primitives.Cell[int]])
			ns[l.name][n] = perOp(t, m, n, 40, func() {
				lock.Lock()
				data.v.Set(data.v.Get() + 1)
				lock.Unlock()
			})
			t.Logf("%-10s %3d CPUs: %7.1f ns", l.name, n, ns[l.name][n])
		}
	}
	inside := []int{8, 12, 16, 20, 24, 28}
	if r := correlation(inside, ns["ticket"]); r*r < 0.95 {
		t.Errorf("ticket: R² %.3f of a line, want above 0.95", r*r)
	}
	if grows := ns["ticket"][28] / ns["ticket"][8]; grows < 1.5 {
		t.Errorf("ticket: 28 CPUs take %.2f times what 8 take: want a rise", grows)
	}
	for _, name := range []string{"mcs", "clh", "qspinlock"} {
		least, most := math.Inf(1), 0.0
		for _, n := range inside[2:] {
			least, most = min(least, ns[name][n]), max(most, ns[name][n])
		}
		if most > 1.4*least { // ±20 % of the middle
			t.Errorf("%s: %.0f to %.0f ns with 16 to 28 CPUs: want it flat", name, least, most)
		}
		if ns[name][56] < 1.1*ns[name][28] {
			t.Errorf("%s: %.0f ns in one socket, %.0f in two: want a step", name, ns[name][28], ns[name][56])
		}
	}
	if ns["tas"][56] < ns["ticket"][56] || ns["ticket"][56] < ns["mcs"][56] {
		t.Errorf("56 CPUs: tas %.0f, ticket %.0f, mcs %.0f ns: want the slowest first", ns["tas"][56], ns["ticket"][56], ns["mcs"][56])
	}
}

// correlation returns Pearson's r of values over CPU counts.
func correlation(cpus []int, ns map[int]float64) float64 {
	n, mx, my := float64(len(cpus)), 0.0, 0.0
	for _, x := range cpus {
		mx += float64(x) / n
		my += ns[x] / n
	}
	var xy, xx, yy float64
	for _, x := range cpus {
		dx, dy := float64(x)-mx, ns[x]-my
		xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
	}
	return xy / math.Sqrt(xx*yy)
}
