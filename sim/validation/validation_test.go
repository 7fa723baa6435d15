//go:build virtual

package validation_test

import (
	"cmp"
	"encoding/csv"
	"flag"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

// seed is that of all runs here.
const seed = 1

func machine(t testing.TB, name string) *sim.Machine {
	t.Helper()
	d, err := machines.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return &d.Machine
}

// first returns the first n CPUs of a machine.
func first(n int) []int {
	place := make([]int, n)
	for i := range place {
		place[i] = i
	}
	return place
}

// A load is workers that call an operation again and again.
type load struct {
	place   []int                        // the CPUs that are used
	workers int                          // 0 is one for each CPU
	warm    int                          // how many calls each worker makes before the clock starts
	calls   int                          // how many are timed, of all workers together
	limit   time.Duration                // of the simulated time; 0 is the simulator's
	each    func(worker int) (op func()) // is called by each worker, and returns its operation
}

// perOp returns the nanoseconds of a call, of all workers together.
func (l load) perOp(t testing.TB, m *sim.Machine) float64 {
	t.Helper()
	ns, err := l.run(m)
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

// run is perOp, except that it returns the simulator's error.
func (l load) run(m *sim.Machine) (ns float64, err error) {
	workers := cmp.Or(l.workers, len(l.place))
	each := make([]int, workers)
	warm, done, began, ended := 0, 0, int64(0), int64(0)
	_, err = sim.Config{Machine: m, Place: l.place, Seed: seed, Limit: l.limit}.Run(func() {
		for i := range workers {
			primitives.Go(func() {
				op := l.each(i)
				for ended == 0 {
					op()
					if began > 0 {
						if done++; done == l.calls {
							ended = primitives.Nanotime()
						}
					}
					if each[i]++; each[i] == l.warm {
						if warm++; warm == workers {
							began = primitives.Nanotime()
						}
					}
				}
			})
		}
	})
	return (float64(ended-began) - m.Clock) / float64(l.calls), err
}

// same is the each of workers that all have the same operation.
func same(op func()) func(int) func() { return func(int) func() { return op } }

// perOp is the nanoseconds of a call, of one worker on each of the first n CPUs.
func perOp(t testing.TB, m *sim.Machine, n int, each func(worker int) (op func())) float64 {
	t.Helper()
	return load{place: first(n), warm: 10, calls: calls(n), each: each}.perOp(t, m)
}

// calls is how many calls of n workers are timed.
func calls(n int) int { return max(20*n, 2000) }

// alone returns a new T that begins a cache line, and has its lines for itself. Where Go's
// allocator puts a T depends on what was allocated before.
func alone[T any]() *T {
	type padded struct {
		_ primitives.CacheLine
		v T
		_ primitives.CacheLine
	}
	var elsewhere []*padded // kept, so that the next one is at another place
	defer func() { runtime.KeepAlive(elsewhere) }()
	for {
		p := new(padded)
		if uintptr(unsafe.Pointer(&p.v))%64 == 0 {
			return &p.v
		}
		elsewhere = append(elsewhere, p)
	}
}

// Locks share the places where their waiters wait. These are made when a CPU first needs
// one, and their number decides which lines they straddle: so all are made before the first
// test.
func TestMain(m *testing.M) {
	flag.Parse()
	if d, err := machines.Find("xeon-8176-8s"); err == nil {
		load{place: first(d.Machine.CPUs()), warm: 1, calls: 1, each: same(locked(new(mcs.Lock)))}.run(&d.Machine)
	}
	os.Exit(m.Run())
}

// A published is a row of testdata: what a source says of a machine, or of a loop or lock
// on it, with so many CPUs.
type published struct {
	machine, of string
	cpus        int
	value       float64
}

// read returns the rows of a file in testdata.
func read(t testing.TB, name string) (rows []published) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] { // machine, CPUs, perhaps what it is of, value, source
		row := published{machine: line[0]}
		if len(line) == 5 {
			row.of = line[2]
		}
		if row.cpus, err = strconv.Atoi(line[1]); err != nil {
			t.Fatal(err)
		}
		if row.value, err = strconv.ParseFloat(line[len(line)-2], 64); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, row)
	}
	return rows
}

// line fits a straight line to values over CPU counts: it returns its slope, and R².
func line(cpus []int, value func(cpus int) float64) (slope, r2 float64) {
	n, mx, my := float64(len(cpus)), 0.0, 0.0
	for _, x := range cpus {
		mx += float64(x) / n
		my += value(x) / n
	}
	var xy, xx, yy float64
	for _, x := range cpus {
		dx, dy := float64(x)-mx, value(x)-my
		xy, xx, yy = xy+dx*dy, xx+dx*dx, yy+dy*dy
	}
	return xy / xx, xy * xy / (xx * yy)
}

// middle returns the median.
func middle(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[len(of)/2]
}

// spread is how many times the least the most is.
func spread(of []float64) float64 { return slices.Max(of) / slices.Min(of) }

// factor is how many times as large a is as b, or b as a: 1 is the same.
func factor(a, b float64) float64 { return math.Exp(math.Abs(math.Log(a / b))) }

// holds fails the test unless whether something holds is as it is known to be. What is
// known not to hold is said in docs/simulator.md.
func holds(t *testing.T, known, does bool, format string, args ...any) {
	t.Helper()
	switch {
	case known && !does:
		t.Errorf("does not hold: "+format, args...)
	case !known && does:
		t.Errorf("holds now, and did not before; say so, also in docs/simulator.md: "+format, args...)
	default:
		t.Logf(map[bool]string{true: "holds: ", false: "does not hold, as is known: "}[does]+format, args...)
	}
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
			_, err := sim.Config{Machine: m, Place: []int{0, other}, Seed: seed}.Run(func() {
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
