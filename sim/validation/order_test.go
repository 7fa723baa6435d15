//go:build virtual

package validation_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

// The locks whose order is published, the slowest first.
var ordered = []string{"tas", "ttas", "ticket", "backoff", "mcs", "clh"}

// A shape is a machine of LiTL's data, of which no costs are published, and the machine
// here on which its CPUs are placed in the same way.
type shape struct {
	name    string
	machine string
	nodes   int
	cores   int // of a node
}

var shapes = []shape{
	{"Intel-48", "xeon-8176-8s", 4, 12}, // 4 Xeon E7-4830 v3: one node is one socket
	{"AMD-64", "milan-2s", 8, 8},        // 4 Opteron 6272, of two nodes each: one node is one cluster
}

// place returns the first n of these CPUs of m, one node after the other: each node has a
// cluster, and the sockets have as many nodes.
func (s shape) place(m *sim.Machine, n int) (place []int) {
	perSocket := min(m.Clusters, s.nodes/min(s.nodes, m.Sockets*m.Halves))
	for node := range s.nodes {
		cluster := node/perSocket*m.Clusters + node%perSocket
		for i := range s.cores {
			place = append(place, cluster*m.Cores+i)
		}
	}
	return place[:n]
}

// nodes are the critical sections of LiTL's order: as a share of the time of mcs, which the
// throughput that was published gives too.
func nodes(t testing.TB) (all []*curve) {
	rows := read(t, "litl.csv")
	for _, s := range shapes {
		for _, p := range rows {
			if p.machine != s.name {
				continue
			}
			i := slices.IndexFunc(rows, func(q published) bool { return q.machine == p.machine && q.cpus == p.cpus && q.of == "mcs" })
			p.value = rows[i].value / p.value
			lock := p.of
			all = add(all, p, curve{
				subject: "order", machine: s.machine, series: lock, unit: "of mcs",
				simulate: func(t testing.TB, m *sim.Machine, n int) float64 {
					return s.section(t, m, lock, n) / s.section(t, m, "mcs", n)
				},
			})
		}
	}
	return all
}

// between is how long a worker is outside of critical sections, on average: one node does
// not keep the lock busy, and all of them do, as in LiTL's data.
const between = 2 * time.Microsecond

// section returns the nanoseconds of a critical section of all workers together.
func (s shape) section(t testing.TB, m *sim.Machine, lock string, n int) float64 {
	t.Helper()
	return s.load(t, m, lock, n).perOp(t, m)
}

func (s shape) load(t testing.TB, m *sim.Machine, lock string, n int) load {
	t.Helper()
	op := locked(lockNamed(t, lock))
	return load{place: s.place(m, n), warm: 5, calls: calls(n), each: func(worker int) func() {
		think := rand.New(rand.NewPCG(seed, uint64(worker)))
		return func() {
			op()
			primitives.Busy(time.Duration(think.Int64N(int64(2 * between))))
		}
	}}
}

// A relation is what is published of two locks with 48 CPUs and more: the second has more
// throughput than the first. Much more, ≪, is at least twice as much; about as much, ~, is
// within a factor of 1.5.
type relation struct{ first, sign, second string }

func (r relation) String() string { return r.first + " " + r.sign + " " + r.second }

func (r relation) holds(ns func(lock string) float64) (bool, float64) {
	ratio := ns(r.first) / ns(r.second)
	switch r.sign {
	case "<":
		return ratio > 1, ratio
	case "≪":
		return ratio >= 2, ratio
	}
	return factor(ratio, 1) <= 1.5, ratio
}

var relations = []relation{
	{"tas", "<", "ttas"}, {"ttas", "<", "ticket"}, {"ticket", "≪", "backoff"}, {"backoff", "~", "mcs"}, {"mcs", "~", "clh"},
	{"ticket", "≪", "mcs"}, // follows, if ~ is the same
}

// The published order holds of the published numbers, and of what is simulated only in part.
func TestOrder(t *testing.T) {
	for _, want := range []struct {
		shape  string
		cpus   int
		broken []string // relations that do not hold here
	}{
		{"Intel-48", 48, []string{"ttas < ticket", "ticket ≪ backoff", "backoff ~ mcs"}},
		{"AMD-64", 64, []string{"ttas < ticket", "ticket ≪ backoff", "backoff ~ mcs"}},
	} {
		s := shapes[slices.IndexFunc(shapes, func(s shape) bool { return s.name == want.shape })]
		for _, r := range relations {
			at := func(lock string) *curve { return of(t, "order", s.machine, lock) }
			was, published := r.holds(func(lock string) float64 { return at(lock).published[want.cpus] })
			if !was {
				t.Errorf("%s, %d CPUs: %v does not hold of the published numbers: %.2f", s.name, want.cpus, r, published)
			}
			does, ratio := r.holds(func(lock string) float64 { return at(lock).at(t, want.cpus) })
			holds(t, !slices.Contains(want.broken, r.String()), does, "%s on %s, %d CPUs: %v: %.2f times the throughput, published %.2f", s.name, s.machine, want.cpus, r, ratio, published)
		}
	}
	// The same without a pause between sections, with all CPUs of two sockets of the Xeon.
	for _, r := range relations {
		does, ratio := r.holds(func(lock string) float64 { return of(t, "handover", "xeon-8176-8s", lock).at(t, 56) })
		holds(t, !slices.Contains([]string{"ttas < ticket", "backoff ~ mcs", "ticket ≪ mcs"}, r.String()), does, "xeon-8176-8s, 56 CPUs, no pause: %v: %.2f times the throughput", r, ratio)
	}
}

// What was assumed of a machine may be as far off as its range says. The order of the locks
// does not depend on most of it; this says on which.
func TestAssumed(t *testing.T) {
	if testing.Short() {
		t.Skip("simulates six locks for each end of each range")
	}
	const name, cpus = "xeon-8176-8s", 48
	s := shapes[0]
	d, err := machines.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	judge := func(m *sim.Machine) (does []bool, says string) {
		ns := make(map[string]float64)
		for _, lock := range ordered {
			l := s.load(t, m, lock, cpus)
			l.limit = 50 * time.Millisecond
			var err error
			if ns[lock], err = l.run(m); err != nil {
				ns[lock] = math.NaN() // then no relation holds
				says += fmt.Sprintf("; %s: some worker is not warm after %v", lock, l.limit)
			}
		}
		for _, r := range relations {
			yes, ratio := r.holds(func(lock string) float64 { return ns[lock] })
			does = append(does, yes)
			says += fmt.Sprintf("; %v: %t, %.2f", r, yes, ratio)
		}
		return does, says
	}
	usual, says := judge(&d.Machine)
	t.Logf("as described%s", says)
	var change []string
	for _, v := range d.Values {
		if v.Source != "" {
			continue
		}
		for _, end := range v.Assumed {
			if end == v.Value {
				continue
			}
			does, says := judge(with(t, name, v.Key, end))
			t.Logf("%s = %v%s", v.Key, end, says)
			for i, r := range relations {
				if does[i] != usual[i] {
					change = append(change, fmt.Sprintf("%s = %v: %v", v.Key, end, r))
				}
			}
		}
	}
	want := []string{
		"cost.switch = 400: backoff ~ mcs", "cost.wake = 1000: backoff ~ mcs", "cost.wake = 1000: ticket ≪ mcs",
		"share.nearest = 1: tas < ttas",
	}
	if !slices.Equal(change, want) {
		t.Errorf("other relations hold with %q, want %q", change, want)
	}
}

// with returns a machine with one value changed.
func with(t testing.TB, name, key string, value float64) *sim.Machine {
	t.Helper()
	text, err := os.ReadFile("../machines/" + name + ".toml")
	if err != nil {
		t.Fatal(err)
	}
	table := regexp.MustCompile(`(?m)^(\[` + regexp.QuoteMeta(key) + `\]\n\w+ = ).*$`)
	if n := len(table.FindAll(text, -1)); n != 1 {
		t.Fatalf("%s: %d tables [%s], want one", name, n, key)
	}
	d, err := machines.Parse(name, table.ReplaceAllString(string(text), fmt.Sprintf("${1}%v", value)))
	if err != nil {
		t.Fatal(err)
	}
	return &d.Machine
}
