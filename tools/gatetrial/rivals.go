package main

import (
	"cmp"
	"context"
	"math"
	"slices"

	"golang.org/x/perf/benchmath"
	"gonum.org/v1/gonum/stat"

	"github.com/lockbench/lockbench/gate"
)

// A rule judges readings: it gives the verdict on the time of each benchmark.
type rule struct {
	name  string
	judge func(context.Context, *clusters) (map[gate.Benchmark]gate.Verdict, error)
}

// rules are the gate's and its rivals.
var rules = []rule{
	{"the gate", byGate},
	{"benchstat: p < 0.05 and 3 %, n = 10", byBenchstat},
	{"10 % between means, n = 10", byThreshold},
	{"the gate before: signs beyond 3 %, confirmed", bySigns},
}

func byGate(ctx context.Context, c *clusters) (map[gate.Benchmark]gate.Verdict, error) {
	rep, err := gate.Rules{Units: []string{unit}}.Compare(ctx, c)
	if err != nil {
		return nil, err
	}
	verdicts := make(map[gate.Benchmark]gate.Verdict)
	for _, r := range rep.Results {
		was, judged := verdicts[r.Benchmark]
		switch {
		case r.Minor: // there is more of it at another distance
		case !judged, r.Verdict > was:
			verdicts[r.Benchmark] = r.Verdict
		}
	}
	return verdicts, nil
}

// unit is what is judged.
const unit = "ns/op"

func nsPerOp(r *gate.Reading) float64 {
	for _, v := range r.Values {
		if v.Unit == unit {
			return v.Value
		}
	}
	return math.NaN()
}

// times returns all times of a benchmark, up to so many rounds; 0 is all.
func (c *clusters) times(b gate.Benchmark, most int) (base, head []float64) {
	for number := 1; ; number++ {
		rounds := c.next(b, number)
		if len(rounds) == 0 {
			return base, head
		}
		for _, r := range rounds {
			if most > 0 && len(base) == most {
				return base, head
			}
			base, head = append(base, nsPerOp(r.Readings[gate.Base])), append(head, nsPerOp(r.Readings[gate.Head]))
		}
	}
}

// each judges the benchmarks one by one. These rules know two verdicts.
func each(most int, worse func(base, head []float64) bool) func(context.Context, *clusters) (map[gate.Benchmark]gate.Verdict, error) {
	return func(_ context.Context, c *clusters) (map[gate.Benchmark]gate.Verdict, error) {
		verdicts := make(map[gate.Benchmark]gate.Verdict)
		for _, b := range c.of {
			base, head := c.times(b, most)
			switch {
			case len(base) < most:
				verdicts[b] = gate.CannotTell
			case worse(base, head):
				verdicts[b] = gate.Regressed
			default:
				verdicts[b] = gate.Pass
			}
		}
		return verdicts, nil
	}
}

// byBenchstat is the gate that people build from benchstat: a significant difference,
// and medians more than 3 % apart.
var byBenchstat = each(10, func(base, head []float64) bool {
	b, h := benchmath.NewSample(base, &benchmath.DefaultThresholds), benchmath.NewSample(head, &benchmath.DefaultThresholds)
	p := benchmath.AssumeNothing.Compare(b, h).P
	mb, mh := benchmath.AssumeNothing.Summary(b, 0.95).Center, benchmath.AssumeNothing.Summary(h, 0.95).Center
	return p < 0.05 && mh/mb > 1.03
})

// byThreshold is what many actions do.
var byThreshold = each(10, func(base, head []float64) bool { return stat.Mean(head, nil)/stat.Mean(base, nil) > 1.10 })

// bySigns is the core of the rule that this gate had before (version 624f3fe): a
// sequential test of signs, for all times at once, that the median ratio of the pairs
// of processes is beyond the margin; by the first 60 % of them, and again by the others
// alone. It passes what is below the margin for sure. That it wanted its noise below
// the margin as well, and 33 of 36 pairs of binaries to agree, is left out, since the
// tapes have neither: so this rule decides more than that one did.
func bySigns(_ context.Context, c *clusters) (map[gate.Benchmark]gate.Verdict, error) {
	const (
		fdr   = gate.DefaultFDR
		alpha = 1 - gate.DefaultConfidence
	)
	limit := math.Log1p(gate.DefaultMargin)
	verdicts := make(map[gate.Benchmark]gate.Verdict)
	evidence := make(map[gate.Benchmark]float64)
	for _, b := range c.of {
		base, head := c.times(b, 0)
		var beyond []int // how many of the first so many are
		n, below := 0, 0
		for i := range base {
			d := math.Log(head[i] / base[i])
			if d > limit {
				n++
			} else if d < limit {
				below++
			}
			beyond = append(beyond, n)
		}
		verdicts[b] = gate.CannotTell
		if logSigns(below, len(base)) >= -math.Log(alpha/2) {
			verdicts[b] = gate.Pass
		}
		// It could look after each round, so that the most that it ever was counts.
		split := len(base) * 6 / 10
		first, second := math.Inf(-1), math.Inf(-1)
		for i := range base {
			if i < split {
				first = max(first, logSigns(beyond[i], i+1))
			} else {
				second = max(second, logSigns(beyond[i]-beyond[max(0, split-1)], i+1-split))
			}
		}
		evidence[b] = min(first, second)
	}
	// The procedure of Benjamini and Hochberg, with evidence.
	order := slices.SortedFunc(slices.Values(c.of), func(a, b gate.Benchmark) int { return -cmp.Compare(evidence[a], evidence[b]) })
	for k := len(order); k > 0; k-- {
		if evidence[order[k-1]] >= math.Log(float64(len(order))/(fdr*float64(k))) {
			for _, b := range order[:k] {
				verdicts[b] = gate.Regressed
			}
			break
		}
	}
	return verdicts, nil
}

// logSigns is the logarithm of ∫ 2 (2p)^s (2(1-p))^(n-s) dp, p from 1/2 to 1: a wager,
// on more than half of the signs being positive, when s of n are. See Howard and
// Ramdas 2022, "Sequential estimation of quantiles".
func logSigns(s, n int) float64 {
	sum, term, f := 1.0, 1.0, float64(n-s)
	for j := range s {
		term *= float64(s-j) / (f + 2 + float64(j))
		sum += term
	}
	return math.Log(sum) - math.Log(f+1)
}
