package shape

import (
	"fmt"
	"math"
	"slices"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"

	"gonum.org/v1/gonum/optimize"
)

// A law is Gunther's Universal Scalability Law: throughput on N CPUs is
//
//	X(N) = λN / (1 + σ(N-1) + κN(N-1))
//
// Sigma is the serial part, as a share of the time on one CPU, and kappa is the cost of
// each pair of CPUs: without kappa throughput only levels off, with it there is a peak.
type law struct{ lambda, sigma, kappa float64 }

// logThroughput returns the logarithm of X(n).
func (l law) logThroughput(n float64) float64 {
	return math.Log(l.lambda*n) - math.Log(1+l.sigma*(n-1)+l.kappa*n*(n-1))
}

// peak returns the number of CPUs beyond which more CPUs do not help.
func (l law) peak() float64 {
	switch {
	case l.sigma >= 1:
		return 1
	case l.kappa == 0:
		return math.Inf(+1)
	}
	return max(1, math.Sqrt((1-l.sigma)/l.kappa))
}

// misfit returns the largest deviation of a throughput from the law, as a share.
func (l law) misfit(ns, logs []float64) (worst float64) {
	for i, n := range ns {
		worst = max(worst, math.Expm1(math.Abs(logs[i]-l.logThroughput(n))))
	}
	return worst
}

// cost returns the sum of squares of the law's errors, in logarithms.
func (l law) cost(ns, logs []float64) (sum float64) {
	for i, n := range ns {
		d := logs[i] - l.logThroughput(n)
		sum += d * d
	}
	return sum
}

// fitLaw returns the law that fits throughputs best, given their logarithms, by least
// squares of logarithms; no parameter is negative. With two CPU counts kappa is 0.
func fitLaw(ns, logs []float64) law {
	start := solveLaw(ns, logs)
	squares := func(x []float64) law {
		l := law{math.Exp(x[0]), x[1] * x[1], 0}
		if len(x) > 2 {
			l.kappa = x[2] * x[2]
		}
		return l
	}
	x := []float64{math.Log(start.lambda), math.Sqrt(start.sigma), math.Sqrt(start.kappa)}
	if len(ns) < 3 {
		x = x[:2]
	}
	problem := optimize.Problem{Func: func(x []float64) float64 { return squares(x).cost(ns, logs) }}
	settings := &optimize.Settings{Converger: &optimize.FunctionConverge{Absolute: 1e-14, Iterations: 60}}
	found, err := optimize.Minimize(problem, x, settings, &optimize.NelderMead{SimplexSize: 0.02})
	if err != nil || !(found.F < start.cost(ns, logs)) {
		return start // which is close to the optimum anyway
	}
	return squares(found.X)
}

// solveLaw is fitLaw without a search, for the thousands of fits of a bootstrap: N/X is
// linear in 1/λ, σ/λ and κ/λ, and with suitable weights its least squares are, to first
// order, those of logarithms; a few repetitions with the weights of the last solution
// correct the second order.
func solveLaw(ns, logs []float64) law {
	y := make([]float64, len(ns))
	w := make([]float64, len(ns))
	scale := math.Inf(-1) // of N/X, so that nothing overflows
	for i, n := range ns {
		scale = max(scale, math.Log(n)-logs[i])
	}
	for i, n := range ns {
		y[i] = math.Exp(math.Log(n) - logs[i] - scale)
		w[i] = 1 / (y[i] * y[i])
	}
	var best [3]float64
	for range 4 {
		best = nonNegative(ns, y, w)
		for i, n := range ns {
			w[i] = 1 / (y[i] * (best[0] + best[1]*(n-1) + best[2]*n*(n-1)))
		}
	}
	return law{math.Exp(-scale) / best[0], best[1] / best[0], best[2] / best[0]}
}

// nonNegative returns the weighted least squares of y = a + b(n-1) + cn(n-1) with
// a, b and c not negative. It tries which of b and c are 0.
func nonNegative(ns, y, w []float64) (best [3]float64) {
	var gram [3][4]float64 // normal equations
	for i, n := range ns {
		f := [4]float64{1, n - 1, n * (n - 1), y[i]}
		for r := range 3 {
			for c := range 4 {
				gram[r][c] += w[i] * f[r] * f[c]
			}
		}
	}
	least := math.Inf(+1)
	for _, free := range [][]int{{0}, {0, 1}, {0, 2}, {0, 1, 2}} {
		if len(free) > len(ns) || len(ns) < 3 && slices.Contains(free, 2) {
			continue
		}
		x, ok := solve(gram, free)
		if !ok || x[0] <= 0 || x[1] < 0 || x[2] < 0 {
			continue
		}
		sum := 0.0
		for i, n := range ns {
			d := y[i] - x[0] - x[1]*(n-1) - x[2]*n*(n-1)
			sum += w[i] * d * d
		}
		if sum < least {
			least, best = sum, x
		}
	}
	return best
}

// solve solves those of the equations, for those of the unknowns, that are free.
func solve(m [3][4]float64, free []int) (x [3]float64, ok bool) {
	for i, p := range free { // positive definite: no pivoting
		if m[p][p] <= 1e-12*math.Abs(m[0][0]) {
			return x, false
		}
		for _, r := range free[i+1:] {
			f := m[r][p] / m[p][p]
			for c := range 4 {
				m[r][c] -= f * m[p][c]
			}
		}
	}
	for i := len(free) - 1; i >= 0; i-- {
		p := free[i]
		x[p] = m[p][3]
		for _, c := range free[i+1:] {
			x[p] -= m[p][c] * x[c]
		}
		x[p] /= m[p][p]
	}
	return x, true
}

// badMisfit is the deviation of a median from which on the law does not describe the
// lock.
const badMisfit = 0.25

// scaling judges how a lock's throughput changes over CPUs.
func (j *judge) scaling(s *sweep, bases map[place]*sweep) (all []Finding) {
	g := s.grid()
	ns, medians := g.medians(g.all())
	logs := logarithms(medians)
	if j.MaxSigma != nil || j.MaxKappa != nil || j.MinPeakCPUs != nil {
		all = append(all, j.fit(s, g, ns, logs)...)
	}
	if j.MinEfficiency != nil {
		all = append(all, j.efficient(s))
	}
	if j.Margin > 0 {
		all = append(all, j.notWorse(s, bases))
	}
	return all
}

// fit judges the parameters of the law.
func (j *judge) fit(s *sweep, g *grid, ns, logs []float64) (all []Finding) {
	var estimates []estimate
	why := ""
	switch {
	case len(ns) == 0:
		why = fmt.Sprintf("%s left out: the CPUs' distance changed meanwhile, or the machine has too few", wording.Plural(s.left, "sample"))
	case len(ns) == 1:
		why = fmt.Sprintf("measured at %s alone: want 3 CPU counts or more", wording.Plural(int(ns[0]), "CPU"))
	default:
		l := fitLaw(ns, logs)
		if m := l.misfit(ns, logs); m > badMisfit {
			why = fmt.Sprintf("the scalability law does not describe it: it misses a median by %s", wording.Percent(m))
			break
		}
		estimates = j.bootstrap(g.rounds, []float64{l.sigma, l.kappa, l.peak()}, func(drawn []int) []float64 {
			ns, medians := g.medians(drawn)
			if len(ns) < min(3, len(s.at)) {
				return nil
			}
			l := solveLaw(ns, logarithms(medians))
			return []float64{l.sigma, l.kappa, l.peak()}
		})
	}
	most := 0.0
	if len(ns) > 0 {
		most = ns[len(ns)-1]
	}
	for i, d := range []struct {
		name     string
		min, max *float64
	}{{name: "sigma", max: j.MaxSigma}, {name: "kappa", max: j.MaxKappa}, {name: "peak", min: j.MinPeakCPUs}} {
		if d.min == nil && d.max == nil {
			continue
		}
		lo, hi := math.Inf(-1), math.Inf(+1)
		demand := ""
		if d.max != nil {
			hi, demand = *d.max, fmt.Sprintf("%s ≤ %v", d.name, *d.max)
		} else {
			lo, demand = *d.min, fmt.Sprintf("%s ≥ %v CPUs", d.name, *d.min)
		}
		r := j.result(s, demand)
		switch {
		case why != "":
			r = r.cannot("%s", why)
		case len(ns) < 3 && d.name != "sigma":
			r = r.cannot("measured at %s alone, which is enough for sigma only: want 3 CPU counts or more", counts(ns))
		default:
			r = r.within(estimates[i], lo, hi)
			if d.name == "peak" && r.Verdict == gate.Pass && lo > most {
				r = r.cannot("measured at up to %v CPUs: what is beyond is not known", most)
			}
			if len(ns) < 3 && r.Verdict != gate.CannotTell {
				r.Why += "; from 2 CPU counts, which cannot tell sigma from kappa"
			}
		}
		all = append(all, r)
	}
	return all
}

// counts writes CPU counts: "1 and 2 CPUs".
func counts(ns []float64) string {
	return fmt.Sprintf("%v and %v CPUs", ns[0], ns[len(ns)-1])
}

// logarithms replaces values by their logarithms.
func logarithms(values []float64) []float64 {
	for i, v := range values {
		values[i] = math.Log(v)
	}
	return values
}

// efficiency returns the throughput of n CPUs as a share of n times that of one, from
// the rounds in which both were measured. ok is false if there are none.
func (j *judge) efficiency(s *sweep, n int) (e estimate, rounds int, ok bool) {
	var shares []float64
	for r, v := range s.at[n] {
		if one, ok := s.at[1][r]; ok {
			shares = append(shares, v/(float64(n)*one))
		}
	}
	return j.median(shares), len(shares), len(shares) > 0
}

// efficient judges the efficiency at some CPU count, as it was measured.
func (j *judge) efficient(s *sweep) Finding {
	r := j.result(s, fmt.Sprintf("efficiency at %d CPUs ≥ %v", j.AtCPUs, *j.MinEfficiency))
	e, rounds, ok := j.efficiency(s, j.AtCPUs)
	if r.N = rounds; !ok {
		return r.cannot("want samples of one round at 1 and at %d CPUs", j.AtCPUs)
	}
	return r.within(e, *j.MinEfficiency, math.Inf(+1))
}

// notWorse judges the efficiency at the most CPUs that base has as well.
func (j *judge) notWorse(s *sweep, bases map[place]*sweep) Finding {
	r := j.result(s, "efficiency, of the base's")
	base := bases[s.place]
	if base == nil {
		return r.cannot("the base has no such samples")
	}
	for _, n := range slices.Backward(s.xs()) {
		after, afters, ok := j.efficiency(s, n)
		before, befores, has := j.efficiency(base, n)
		if !ok || !has || n == 1 {
			continue
		}
		r.N = min(afters, befores)
		r.Demand = fmt.Sprintf("efficiency at %d CPUs, of the base's, ≥ %v", n, 1-j.Margin)
		// If each is within its interval, the quotient is within this one.
		return r.within(estimate{after.v / before.v, after.lo / before.hi, after.hi / before.lo}.bounded(), 1-j.Margin, math.Inf(+1))
	}
	return r.cannot("want samples of one round at 1 and at more CPUs, in the base as well")
}

// bounded makes an interval infinite if its bounds are NaN or not in order.
func (e estimate) bounded() estimate {
	if math.IsNaN(e.lo) || math.IsNaN(e.hi) || e.lo > e.hi {
		e.lo, e.hi = math.Inf(-1), math.Inf(+1)
	}
	return e
}
