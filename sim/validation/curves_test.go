//go:build virtual

package validation_test

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
)

var record = flag.Bool("record", false, "write docs/data/sim.csv: what is simulated, beside what was published")

// recorded has the points of all curves. The figures and tables of docs/simulator.md are made
// from it, by go run ./tools/figures.
const (
	recorded = "../../docs/data/sim.csv"
	command  = "go test -tags virtual ./sim/validation -run TestRecorded -record"
)

// A curve is a time over CPU counts.
type curve struct {
	subject  string // what the curves of a figure have in common
	machine  string
	series   string
	unit     string
	cpus     []int
	simulate func(t testing.TB, m *sim.Machine, n int) float64

	published map[int]float64 // by CPU count
	values    map[int]float64 // that were simulated already
}

// at returns the value with n CPUs.
func (c *curve) at(t testing.TB, n int) float64 {
	t.Helper()
	v, ok := c.values[n]
	if !ok {
		v = c.simulate(t, machine(t, c.machine), n)
		c.values[n] = v
		t.Logf("%-12s %-14s %-14s %3d CPUs: %9.1f %s%s", c.subject, c.machine, c.series, n, v, c.unit, c.off(n, v))
	}
	return v
}

// off says how far a value is from the published one, if there is one.
func (c *curve) off(n int, v float64) string {
	p, ok := c.published[n]
	if !ok {
		return ""
	}
	return fmt.Sprintf(", published %9.1f: %+.0f %%", p, 100*(v/p-1))
}

// curves are all curves, once they have been asked for.
var curves []*curve

// all returns all curves.
func all(t testing.TB) []*curve {
	t.Helper()
	if curves == nil {
		curves = append(curves, adds(t)...)
		curves = append(curves, handovers()...)
		curves = append(curves, loops(t)...)
		curves = append(curves, sections()...)
		curves = append(curves, glibc(t))
		curves = append(curves, gracePeriods()...)
		curves = append(curves, nodes(t)...)
		for _, c := range curves {
			c.values = make(map[int]float64)
		}
	}
	return curves
}

// of returns the curve of a subject, a machine and a series.
func of(t testing.TB, subject, machine, series string) *curve {
	t.Helper()
	for _, c := range all(t) {
		if c.subject == subject && c.machine == machine && c.series == series {
			return c
		}
	}
	t.Fatalf("no curve %s, %s, %s", subject, machine, series)
	return nil
}

// add puts a published point on its curve, among curves that are being made, or begins a
// curve like first.
func add(to []*curve, p published, first curve) []*curve {
	for _, c := range to {
		if c.machine == first.machine && c.series == first.series {
			c.cpus = append(c.cpus, p.cpus)
			c.published[p.cpus] = p.value
			return to
		}
	}
	first.cpus, first.published = []int{p.cpus}, map[int]float64{p.cpus: p.value}
	return append(to, &first)
}

// The recorded points are those that the simulator gives, within a tenth: a change of the
// model shows here, and the figures have to be drawn again. They are not the same to the
// last digit: an earlier lock may have left a place in line in use.
func TestRecorded(t *testing.T) {
	if !primitives.CanMembarrier() {
		t.Skip("readers of RCU have other fences on this system")
	}
	if *record {
		write(t)
	}
	f, err := os.Open(recorded)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	points := 0
	for _, c := range all(t) {
		points += len(c.cpus)
	}
	if len(rows)-1 != points {
		t.Errorf("%d points recorded, want %d: %s", len(rows)-1, points, command)
	}
	for _, row := range rows[1:] {
		n, err := strconv.Atoi(row[3])
		if err != nil {
			t.Fatal(err)
		}
		if testing.Short() && n > 16 {
			continue
		}
		was, err := strconv.ParseFloat(row[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		if is := of(t, row[0], row[1], row[2]).at(t, n); factor(is, was) > 1.1 {
			t.Errorf("%s, %s, %s, %d CPUs: %.1f, recorded %.1f: %s", row[0], row[1], row[2], n, is, was, command)
		}
	}
}

// write records all points.
func write(t *testing.T) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# What the simulator gives, with seed %d, beside what was published, by\n# %s\n", seed, command)
	w := csv.NewWriter(&b)
	rows := [][]string{{"subject", "machine", "series", "cpus", "simulated", "published", "unit"}}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }
	for _, c := range all(t) {
		for _, n := range c.cpus {
			row := []string{c.subject, c.machine, c.series, strconv.Itoa(n), number(c.at(t, n)), "", c.unit}
			if p, ok := c.published[n]; ok {
				row[5] = number(p)
			}
			rows = append(rows, row)
		}
	}
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recorded, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}
