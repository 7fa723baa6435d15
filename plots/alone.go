package plots

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"

	"github.com/lockbench/lockbench/results"
)

// Alone draws what a lock costs a single worker without hold or think time: for the
// lowest share of reads, and for the highest. The cheapest lock is on top, and a rule
// shows the cost of one locked instruction.
//
// These are the figures of cells with one worker, hold 0 and think 0. In other cells a
// CPU that executes out of order hides most of a lock's cost behind the think time.
func Alone(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	const kind = "what a lock costs alone"
	all := slices.DeleteFunc(cells(sums, o.Facts), func(c cell) bool { return !c.Alone() })
	if len(all) == 0 {
		return nil, skip(kind, "no cells of one worker with hold 0 and think 0: run with --cpus 1 --think 0s")
	}
	return drawShots(kind, shots(all, readsScene), func(s shot) ([]*Figure, []Skipped) {
		fig := s.alone(o)
		if fig == nil {
			return nil, skipShot(kind, s, "no lock has a time (ns/op or ops/s) above zero")
		}
		return []*Figure{fig}, nil
	})
}

// withoutAlone returns the summaries without those that are in the figures of Alone and
// would be alone in any other figure.
func withoutAlone(sums []results.Summary) []results.Summary {
	more := make(map[results.Cell]bool) // groups that have other cells
	for _, s := range sums {
		if !s.Alone() {
			more[group(s)] = true
		}
	}
	var rest []results.Summary
	for _, s := range sums {
		if !s.Alone() || more[group(s)] {
			rest = append(rest, s)
		}
	}
	return rest
}

// cost returns the time that an operation of the cell takes.
func (c cell) cost() (p point, ok bool) {
	if p, ok := c.in("ns/op", false); ok {
		return p, true
	}
	p, ok = c.throughput()
	return point{Y: 1e9 / p.Y, Lo: 1e9 / p.Hi, Hi: 1e9 / p.Lo}, ok
}

// A price is what a lock costs for the lowest share of reads and for the highest.
type price struct {
	name string
	at   []point
}

// prices returns the prices of a shot, the cheapest first.
func (s shot) prices() (shares []int, prices []price) {
	for _, c := range s.cells {
		shares = append(shares, c.Reads)
	}
	slices.Sort(shares)
	shares = slices.Compact(shares)
	if len(shares) > 2 {
		shares = []int{shares[0], shares[len(shares)-1]}
	}
	for _, c := range s.cells {
		p, ok := c.cost()
		at := slices.Index(shares, c.Reads)
		if !ok || at < 0 {
			continue
		}
		i := slices.IndexFunc(prices, func(p price) bool { return p.name == c.Lock })
		if i < 0 {
			i = len(prices)
			prices = append(prices, price{c.Lock, slices.Repeat([]point{unmeasured}, len(shares))})
		}
		prices[i].at[at] = p
	}
	slices.SortStableFunc(prices, func(a, b price) int {
		return cmp.Or(cmp.Compare(a.at[0].Y, b.at[0].Y), cmp.Compare(a.name, b.name))
	})
	return shares, prices
}

// alone draws one figure, or nil if no lock has a price.
func (s shot) alone(o Options) *Figure {
	shares, prices := s.prices()
	take := func(name string) *price {
		i := slices.IndexFunc(prices, func(p price) bool { return p.name == name })
		if i < 0 {
			return nil
		}
		p := prices[i]
		prices = slices.Delete(prices, i, i+1)
		return &p
	}
	limit, empty := take(results.Limit), take(o.empty())
	if len(prices) == 0 {
		return nil
	}
	title, loud := pricesTitle(prices, limit, o)
	fig := &Figure{Name: s.name("alone"), Title: title, Width: figureWidth, Subtitle: s.subtitle(o), blind: s.blind}

	ch := rowChart{names: true, joined: true, xLabel: "time for a pair", xUnit: "ns", tick: short,
		log: apart(prices)}
	for i, share := range shares {
		m := mark{name: fmt.Sprintf("%d %% reads", share), shape: circle, radius: 4}
		if i > 0 {
			m.hollow, m.radius, m.slim = true, 3.2, true
		}
		ch.marks = append(ch.marks, m)
	}
	for _, p := range prices {
		ch.rows = append(ch.rows, row{name: p.name, emphasis: emphasisOf(p.name, loud, o), dots: p.at})
	}
	for i, share := range shares {
		col := column{head: fmt.Sprintf("%d %%", share)}
		for _, p := range prices {
			col.cells = append(col.cells, number(p.at[i].Y))
		}
		ch.columns = append(ch.columns, col)
	}
	if limit != nil && finite(limit.at[0].Y) {
		ch.limit, ch.limited = limit.at[0].Y, "one locked instruction"
	}
	if empty != nil && finite(empty.at[0].Y) {
		fig.Notes = append(fig.Notes, fmt.Sprintf("%s, an empty lock, takes %s ns: that much of every number is the harness's own loop.", empty.name, number(empty.at[0].Y)))
	}
	fig.Panels = []*plot.Plot{ch.plot()}
	fig.Body = rowsHeight(len(ch.rows))
	return fig
}

// apart reports whether prices differ so much that on a linear axis the cheap ones
// could not be distinguished, such as locks of 10 ns next to an update of RCU.
func apart(prices []price) bool {
	lo, hi := math.Inf(1), 0.0
	for _, p := range prices {
		for _, at := range p.at {
			if finite(at.Y) {
				lo, hi = min(lo, at.Y), max(hi, at.Y)
			}
		}
	}
	return hi > 10*lo
}

// pricesTitle says which locks are the cheapest, compared with the reference and the
// limit. It returns their names, the cheapest first.
func pricesTitle(prices []price, limit *price, o Options) (title string, loud []string) {
	first := prices[0].at[0]
	ns := func(p point) string { return number(p.Y) + noBreak + "ns" }
	switch {
	case len(prices) == 1:
		title = fmt.Sprintf("%s costs %s alone", prices[0].name, ns(first))
	case !first.hasInterval():
		title = "What a lock costs alone; too few samples to tell which costs least"
	default:
		for _, p := range prices {
			if p.name == prices[0].name || p.at[0].overlaps(first) {
				loud = append(loud, p.name)
			}
		}
		if most(len(loud), len(prices)) {
			title, loud = fmt.Sprintf("Alone, %d of %d locks cannot be told apart: %s", len(loud), len(prices), ns(first)), nil
			break
		}
		verb := "costs"
		if len(loud) > 1 {
			verb = "cost"
		}
		title = fmt.Sprintf("Alone, %s %s least: %s", list(loud), verb, ns(first))
		if i := slices.IndexFunc(prices, func(p price) bool { return p.name == o.reference() }); i >= 0 && !slices.Contains(loud, o.reference()) {
			title += fmt.Sprintf("; %s %s", o.reference(), ns(prices[i].at[0]))
		}
	}
	if limit != nil && finite(limit.at[0].Y) {
		title += "; one locked instruction " + ns(limit.at[0])
	}
	return title, loud
}
