//go:build virtual

package validation_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/rwlock"
	"github.com/lockbench/lockbench/seqlock"
	"github.com/lockbench/lockbench/sim"
)

type rlocker interface {
	RLock()
	RUnlock()
}

var flavours = []struct {
	name string
	make func() rcu.Flavour
}{
	{"rcu-domain", func() rcu.Flavour { return rcu.NewDomain(rcu.Config{}) }},
	{"rcu-pinned", func() rcu.Flavour { return rcu.NewPinned(rcu.Config{}) }},
	{"rcu-registered", func() rcu.Flavour { return rcu.NewRegistered(rcu.Config{}) }},
	{"rcu-qsbr", func() rcu.Flavour { return rcu.NewQSBR(rcu.Config{}) }},
}

// A reading makes what the workers of a run do: read-side critical sections in which each
// loads a word that none writes.
type reading func() (each func(worker int) (op func()))

func reads(fresh func() rlocker) reading {
	return func() func(int) func() {
		l, data := fresh(), alone[primitives.Uint64]()
		return same(func() {
			l.RLock()
			data.Load()
			l.RUnlock()
		})
	}
}

// readsRCU has a quiescent state after each section, of which only a QSBR takes note.
func readsRCU(fresh func() rcu.Flavour) reading {
	return func() func(int) func() {
		f, data := fresh(), alone[primitives.Uint64]()
		return func(int) func() {
			r := f.NewHandle()
			return func() {
				r.ReadLock()
				data.Load()
				r.ReadUnlock()
				r.Quiescent()
			}
		}
	}
}

func readsSequence() func(int) func() {
	lock, data := alone[seqlock.Lock](), alone[primitives.Uint64]()
	return same(func() {
		for seq := lock.Begin(); ; seq = lock.Begin() {
			data.Load()
			if !lock.Retry(seq) {
				return
			}
		}
	})
}

// readings are all kinds of readers.
func readings() map[string]reading {
	all := map[string]reading{
		"rw-readerpref":  reads(func() rlocker { return alone[rwlock.ReaderPref]() }),
		"rw-queued":      reads(func() rlocker { return alone[rwlock.Queued]() }),
		"rw-phasefair":   reads(func() rlocker { return alone[rwlock.PhaseFair]() }),
		"rw-distributed": reads(func() rlocker { return alone[rwlock.Distributed]() }),
		"rw-biased":      reads(func() rlocker { return alone[rwlock.Biased]() }),
		"rwsem":          reads(func() rlocker { return alone[blocking.RWSem]() }),
		"seqlock":        readsSequence,
	}
	for _, f := range flavours {
		all[f.name] = readsRCU(f.make)
	}
	return all
}

// shared are those readers that write to one line, scalable those that do not.
var (
	shared   = []string{"rw-readerpref", "rw-queued", "rw-phasefair", "rwsem"}
	scalable = []string{"rw-distributed", "rw-biased", "seqlock", "rcu-domain", "rcu-pinned", "rcu-registered", "rcu-qsbr"}
)

// sections are what a read-side critical section takes, as its reader sees it, while all
// CPUs read.
func sections() (all []*curve) {
	often := func(name string, n int) int {
		if slices.Contains(scalable, name) {
			return 100 * n // they are short
		}
		return calls(n)
	}
	for _, of := range []struct {
		machine string
		cpus    []int
	}{
		{"xeon-8176-8s", []int{1, 2, 4, 8, 12, 16, 20, 24, 28, 56, 112, 224}},
		{"milan-2s", []int{1, 2, 4, 8, 16, 32, 48, 96}},
		{"icelake-2s", []int{1, 2, 4, 8, 16, 32, 64}},
	} {
		for _, name := range append(shared[:len(shared):len(shared)], scalable...) {
			all = append(all, &curve{subject: "readers", machine: of.machine, series: name, unit: "ns", cpus: of.cpus,
				simulate: func(t testing.TB, m *sim.Machine, n int) float64 {
					return float64(n) * load{place: first(n), warm: 50, calls: often(name, n), each: readings()[name]()}.perOp(t, m)
				}})
		}
	}
	return all
}

// Readers that write to one line pay for each CPU that reads; those of RCU and of a seqlock
// do not.
func TestReaders(t *testing.T) {
	for _, want := range []struct {
		machine       string
		inside        []int // CPU counts within a socket
		linear, slope bool
		most          int // CPUs of the curve
	}{
		{"xeon-8176-8s", []int{4, 8, 12, 16, 20, 24, 28}, true, true, 224},
		{"milan-2s", []int{4, 8, 16, 32, 48}, true, true, 96},
		{"icelake-2s", []int{4, 8, 16, 32}, true, true, 64},
	} {
		if testing.Short() && want.machine != "xeon-8176-8s" {
			continue
		}
		m := machine(t, want.machine)
		rw := of(t, "readers", want.machine, "rw-readerpref")
		slope, r2 := line(want.inside, func(n int) float64 { return rw.at(t, n) })
		one, _ := line(want.inside, func(n int) float64 { return float64(n) * fetchAdd(t, m, n) })
		holds(t, want.linear, r2 > 0.95, "%s: rw-readerpref grows on a line within a socket: %.1f ns a CPU, R² %.3f, aim above 0.95", want.machine, slope, r2)
		holds(t, want.slope, slope >= 1.5*one && slope <= 2.5*one, "%s: rw-readerpref 1.5 to 2.5 times a fetch-add: %.2f, %.1f ns a CPU and %.1f", want.machine, slope/one, slope, one)
		last := want.inside[len(want.inside)-1]

		sem := of(t, "readers", want.machine, "rwsem")
		ratio := sem.at(t, last) / rw.at(t, last)
		holds(t, false, ratio >= 1.5 && ratio <= 2.5, "%s: rwsem 1.5 to 2.5 times rw-readerpref: %.2f", want.machine, ratio)

		for _, name := range scalable {
			c := of(t, "readers", want.machine, name)
			most := want.most
			if testing.Short() {
				most = last
			}
			flat := c.at(t, most) / c.at(t, 1)
			holds(t, true, flat < 1.1, "%s: %s flat from 1 CPU to %d: %.1f ns, %.2f times that", want.machine, name, most, c.at(t, 1), flat)
		}
	}
}

// The claim of the textbooks is: on 16 CPUs a reader-writer lock costs its readers almost two
// orders of magnitude more than RCU does, on one CPU one order. Here a factor of 30 and more
// is two orders, and of 3 and more one.
func TestOrders(t *testing.T) {
	orders := func(factor float64) int {
		switch {
		case factor >= 30:
			return 2
		case factor >= 3:
			return 1
		}
		return 0
	}
	for _, want := range []struct {
		machine string
		one     map[string]int // orders of magnitude on one CPU, by flavour
		sixteen map[string]int
	}{
		{"xeon-8176-8s", map[string]int{"rcu-domain": 0, "rcu-pinned": 0, "rcu-registered": 0, "rcu-qsbr": 1}, map[string]int{"rcu-domain": 2, "rcu-pinned": 2, "rcu-registered": 2, "rcu-qsbr": 2}},
		{"milan-2s", map[string]int{"rcu-domain": 0, "rcu-pinned": 0, "rcu-registered": 0, "rcu-qsbr": 0}, map[string]int{"rcu-domain": 1, "rcu-pinned": 2, "rcu-registered": 2, "rcu-qsbr": 2}},
		{"icelake-2s", map[string]int{"rcu-domain": 0, "rcu-pinned": 0, "rcu-registered": 0, "rcu-qsbr": 1}, map[string]int{"rcu-domain": 2, "rcu-pinned": 2, "rcu-registered": 2, "rcu-qsbr": 2}},
	} {
		for _, f := range flavours {
			for _, n := range []int{1, 16} {
				rw, r := of(t, "readers", want.machine, "rw-readerpref").at(t, n), of(t, "readers", want.machine, f.name).at(t, n)
				known := want.one[f.name]
				if n == 16 {
					known = want.sixteen[f.name]
				}
				says := fmt.Sprintf("%s: %d CPUs: rw-readerpref takes %.1f times as long as %s", want.machine, n, rw/r, f.name)
				if got := orders(rw / r); got != known {
					t.Errorf("%s: %d orders of magnitude, want %d", says, got, known)
				} else {
					t.Logf("%s: %d orders of magnitude", says, got)
				}
			}
		}
	}
}

// A glibcReader has what a reader does in pthread_rwlock_rdlock and pthread_rwlock_unlock of
// glibc, if there is no writer: all its words are on one line.
type glibcReader struct{ writer, readers primitives.Uint32 }

func (l *glibcReader) RLock() {
	l.writer.Load() // whether it is the caller
	l.readers.Add(8)
}

func (l *glibcReader) RUnlock() {
	l.writer.Load()
	for old := l.readers.Load(); !l.readers.CompareAndSwap(old, old-8); old = l.readers.Load() {
	}
}

// glibc is the read-side critical sections for which perfbook has the scaling on the Xeon.
func glibc(t testing.TB) *curve {
	var all []*curve
	for _, p := range read(t, "rwlockscale.csv") {
		all = add(all, p, curve{
			subject: "rwlockscale", machine: p.machine, series: "pthread_rwlock", unit: "ns",
			simulate: func(t testing.TB, m *sim.Machine, n int) float64 {
				return float64(n) * perOp(t, m, n, reads(func() rlocker { return alone[glibcReader]() })())
			},
		})
	}
	return all[0]
}

// What a reader of glibc's lock takes on the Xeon was published in nanoseconds.
func TestRWLockScale(t *testing.T) {
	c := of(t, "rwlockscale", "xeon-8176-8s", "pthread_rwlock")
	var off []float64
	for _, n := range c.cpus {
		if n > 1 {
			off = append(off, factor(c.at(t, n), c.published[n]))
		}
	}
	holds(t, true, middle(off) < 1.5, "pthread_rwlock: half of %d points within a factor of 1.5: within %.2f", len(off), middle(off))
}
