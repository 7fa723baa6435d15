package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Lock is what is known of a lock without measuring it.
type Lock struct {
	Name    string `json:"name"`              // as in the files
	Family  string `json:"family,omitempty"`  // such as "ticket"
	Order   string `json:"order,omitempty"`   // which waiter is next, in words
	Waits   string `json:"waits,omitempty"`   // what a waiter does
	Source  string `json:"source,omitempty"`  // the paper or the kernel that it is from
	Bytes   int    `json:"bytes"`             // of the lock
	Waiter  int    `json:"waiter"`            // bytes that each waiter adds
	Control bool   `json:"control,omitempty"` // it is no lock, but what one is compared to

	Known bool `json:"known"` // whether the fields above are, beside the name; Page sets it
}

// data is what the page draws, as JSON.
type data struct {
	Machines   []machine   `json:"machines"`
	Locks      []Lock      `json:"locks"`
	Units      []unit      `json:"units"`
	Situations []situation `json:"situations"`
	Cells      []cell      `json:"cells"`
	Shares     []float64   `json:"shares"` // of the operations that waited least, for waits
}

type machine struct {
	Label     string `json:"label"`
	Simulated bool   `json:"simulated"`
}

type unit struct {
	Name   string `json:"name"`
	Better int    `json:"better"`
	Means  string `json:"means,omitempty"`
}

// A situation is what must be the same for locks to be compared, except the CPUs and the
// share of reads, over which the page draws.
type situation struct {
	Label string `json:"label"`
	Cells int    `json:"cells"`
}

// A cell is what was measured of a lock in a scenario, at one distance of its CPUs.
// Machines, situations, locks and units are indexes.
type cell struct {
	Machine        int        `json:"m"`
	Situation      int        `json:"s"`
	Lock           int        `json:"l"`
	CPUs           int        `json:"c"`
	Reads          int        `json:"r"` // percent; -1 if workers have roles
	Distance       string     `json:"d"`
	Oversubscribed bool       `json:"o,omitempty"`
	Samples        int        `json:"n"`
	Values         [][]number `json:"v"` // unit, median, and its interval if it has one

	Waits map[string][]int64 `json:"w,omitempty"` // nanoseconds by role, for each of the shares
}

// A number has five significant digits in JSON: more than any measurement.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if v := float64(n); math.IsNaN(v) || math.IsInf(v, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', 5, 64), nil
}

// shares are those of operations whose longest wait is drawn: from none to all but one in
// a hundred thousand, four in each power of ten.
func shares() (all []float64) {
	for k := range 21 {
		all = append(all, 1-math.Pow(10, -float64(k)/4))
	}
	return all
}

// A gatherer turns samples into data.
type gatherer struct {
	data
	locks, units, situations map[string]int // indexes
	mixed                    int            // samples during which the distance changed
}

// gather returns what to draw of sources, and how many samples it leaves out.
func gather(sources []Source, locks []Lock) (d *data, mixed int) {
	g := &gatherer{locks: make(map[string]int), units: make(map[string]int), situations: make(map[string]int)}
	g.Shares = shares()
	by := make(map[string][]results.Sample)
	for _, s := range sources {
		label, simulated := labelOf(s.File.Facts)
		if _, ok := by[label]; !ok {
			g.Machines = append(g.Machines, machine{label, simulated})
		}
		by[label] = append(by[label], s.File.Samples...)
	}
	known := make(map[string]Lock)
	for _, l := range locks {
		l.Known = true
		known[l.Name] = l
	}
	for i, m := range g.Machines {
		g.machine(i, by[m.Label], known)
	}
	return &g.data, g.mixed
}

// labelOf says which machine it was.
func labelOf(f results.Facts) (label string, simulated bool) {
	if name, ok := f.Simulated(); ok {
		return "simulated " + name, true
	}
	label = cmp.Or(f.CPU, strings.Trim(f.GOOS+"/"+f.GOARCH, "/"), "a machine that the file does not name")
	if f.Machine != "host" && f.Machine != "" {
		label = f.Machine + " " + label
	}
	return label, false
}

// machine gathers the samples of a machine.
func (g *gatherer) machine(i int, samples []results.Sample, known map[string]Lock) {
	type key struct {
		results.Cell
		distance       results.Distance
		oversubscribed bool
	}
	at := make(map[key]int) // indexes of cells
	for _, s := range results.Summarize(samples) {
		if s.Distance == results.Mixed {
			if s.Unit == "ns/op" {
				g.mixed += s.N
			}
			continue
		}
		k := key{s.Cell, s.Distance, s.Oversubscribed}
		c, ok := at[k]
		if !ok {
			c = len(g.Cells)
			at[k] = c
			g.Cells = append(g.Cells, g.cell(i, s, known))
		}
		v := []number{number(g.unit(s.Unit)), number(s.Median)}
		if !math.IsInf(s.Lo, 0) && !math.IsInf(s.Hi, 0) {
			v = append(v, number(s.Lo), number(s.Hi))
		}
		g.Cells[c].Values = append(g.Cells[c].Values, v)
	}
	for _, d := range results.Distributions(samples) {
		c, ok := at[key{d.Cell, d.Distance, d.Oversubscribed}]
		if !ok {
			continue // mixed
		}
		waits := make([]int64, len(g.Shares))
		for i, p := range g.Shares {
			waits[i] = d.Quantile(p)
		}
		if g.Cells[c].Waits == nil {
			g.Cells[c].Waits = make(map[string][]int64)
		}
		g.Cells[c].Waits[d.Role] = waits
	}
}

// cell returns the cell of a summary, without values.
func (g *gatherer) cell(machine int, s results.Summary, known map[string]Lock) cell {
	l, ok := g.locks[s.Lock]
	if !ok {
		l = len(g.Locks)
		g.locks[s.Lock] = l
		lock := known[s.Lock]
		lock.Name = s.Lock
		g.Locks = append(g.Locks, lock)
	}
	label := words(s.Cell)
	situated, ok := g.situations[label]
	if !ok {
		situated = len(g.Situations)
		g.situations[label] = situated
		g.Situations = append(g.Situations, situation{Label: label})
	}
	g.Situations[situated].Cells++
	c := cell{
		Machine: machine, Situation: situated, Lock: l, CPUs: s.CPUs, Reads: s.Reads,
		Distance: string(s.Distance), Oversubscribed: s.Oversubscribed, Samples: s.N,
	}
	if s.Roles() {
		c.Reads = -1
	}
	return c
}

// unit returns the index of a unit.
func (g *gatherer) unit(name string) int {
	i, ok := g.units[name]
	if !ok {
		i = len(g.Units)
		g.units[name] = i
		u := unit{Name: name, Better: results.Better(name)}
		if at := slices.IndexFunc(results.Units(), func(u results.Unit) bool { return u.Name == name }); at >= 0 {
			u.Means = results.Units()[at].Means
		}
		g.Units = append(g.Units, u)
	}
	return i
}

// words says in words what must be the same for locks to be compared.
func words(c results.Cell) string {
	if c.Alone() && c.CPUs == 1 && c.Workload == "" && c.Mode == "" {
		return join("one worker alone, no think time", c)
	}
	var workers string
	switch {
	case c.Roles():
		workers = wording.Count(c.Readers, "reader") + ", " + wording.Count(c.Writers, "writer")
	case c.Workers == c.CPUs:
		workers = "a worker per CPU"
	case c.CPUs > 0 && c.Workers%c.CPUs == 0:
		workers = fmt.Sprintf("%d workers per CPU", c.Workers/c.CPUs)
	default:
		workers = wording.Count(c.Workers, "worker")
	}
	return join(fmt.Sprintf("%s, hold %v, think %v", workers, c.Hold, c.Think), c)
}

// join adds the settings of c that are not the default.
func join(text string, c results.Cell) string {
	for _, s := range []struct{ key, value string }{
		{"workload", c.Workload}, {"work", c.Work}, {"mode", c.Mode}, {"GC", c.GC}, {"place", c.Place},
	} {
		if s.value != "" {
			text += ", " + s.key + " " + s.value
		}
	}
	if c.Open() {
		text += ", " + c.LoadWords()
	}
	return text
}
