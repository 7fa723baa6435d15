package gate

import (
	"math"
	"slices"
)

// This file bets on one question: is the centre of the readings above θ? A reading
// comes from one pair of binaries (see cluster), and is a logarithm. If nothing
// changed, the base and the head could be exchanged, so a reading is as likely x as -x,
// whatever the earlier ones were; if the head is slower by θ, it is symmetric about θ.
// Nothing else is assumed: no distribution, no variance, and no independence of the
// readings.
//
// With σ(t) = 1/(1+e^-t), σ(t)+σ(-t) = 1. So the factor 2σ(2λz) is 1 on average for any
// λ, if z is symmetric about 0. A bet that the readings lie above θ has, after n of
// them, the stake
//
//	E(θ) = mean over λ of Π 2σ(2λz), z = (x-θ)/limit, but never beyond ±4
//
// which does not grow on average if the bet is wrong. So the probability that it
// reaches 1/α at any time is at most α (Ville 1939): one may look after each reading
// and stop at any of them. A small z wins or loses little; a large one counts as a
// sign, however large it is, so a disturbed reading cannot lose more than others. With
// only a large λ this is the sign test; with a small λ it is close to Student's t-test.
// Betting: Shafer 2021; Waudby-Smith and Ramdas 2024; symmetry: Ramdas, Ruf, Larsson
// and Koolen 2022.

// stakes are the λ of the mean.
var stakes = [...]float64{0.25, 1, 4}

// farthest is the bound of z.
const farthest = 4

// logEvidence returns the natural logarithm of E(θ) for the readings, the evidence that
// their centre is above θ.
func logEvidence(readings []float64, theta, limit float64) float64 {
	var logs [len(stakes)]float64
	most := math.Inf(-1)
	for i, lambda := range stakes {
		for _, x := range readings {
			z := max(-farthest, min(farthest, (x-theta)/limit))
			logs[i] += math.Ln2 - math.Log1p(math.Exp(-2*lambda*z))
		}
		most = max(most, logs[i])
	}
	sum := 0.0
	for _, l := range logs {
		sum += math.Exp(l - most)
	}
	return most + math.Log(sum/float64(len(logs)))
}

// bounds returns an interval that contains the centre of the readings, at all times,
// with a probability of at least 1-alpha: all θ that neither the bet on more nor the
// bet on less refutes. The bounds are infinite while there are too few readings.
func bounds(readings []float64, limit, alpha float64) (lo, hi float64) {
	lo = below(readings, limit, alpha/2) // each side is a separate bet
	mirrored := make([]float64, len(readings))
	for i, x := range readings {
		mirrored[i] = -x
	}
	return lo, -below(mirrored, limit, alpha/2)
}

// below returns the largest θ that the bet on more refutes.
func below(readings []float64, limit, alpha float64) float64 {
	finite := slices.DeleteFunc(slices.Clone(readings), func(x float64) bool { return math.IsInf(x, 0) })
	need := -math.Log(alpha)
	if len(finite) == 0 {
		finite = []float64{0}
	}
	// The evidence no longer changes for θ this far below all readings, or above them.
	lo, hi := slices.Min(finite)-farthest*limit, slices.Max(finite)+farthest*limit
	if logEvidence(readings, lo, limit) < need {
		return math.Inf(-1)
	}
	for range 60 {
		middle := lo + (hi-lo)/2
		if logEvidence(readings, middle, limit) >= need {
			lo = middle
		} else {
			hi = middle
		}
	}
	return lo
}

// centre returns the middle of the readings: the median of the means of any two of them
// (Hodges and Lehmann 1963), which a few disturbed readings hardly move, and which is
// nearly as exact as the mean if none is disturbed.
func centre(readings []float64) float64 {
	sorted := slices.Sorted(slices.Values(readings))
	if n := len(sorted); n == 0 || math.IsInf(sorted[0], 0) || math.IsInf(sorted[n-1], 0) {
		return median(sorted)
	}
	var means []float64
	for i, a := range sorted {
		for _, b := range sorted[i:] {
			means = append(means, a/2+b/2)
		}
	}
	slices.Sort(means)
	return median(means)
}

// spread estimates the standard deviation of the readings by their median distance from
// their median, which outliers hardly move; NaN if there are fewer than two.
func spread(readings []float64) float64 {
	if len(readings) < 2 {
		return math.NaN()
	}
	middle := median(slices.Sorted(slices.Values(readings)))
	var away []float64
	for _, x := range readings {
		away = append(away, math.Abs(x-middle))
	}
	slices.Sort(away)
	return 1.4826 * median(away)
}

// median returns the median of ordered values, and NaN if there are none. Values may be
// infinite, or so large that their sum is, which no library's median allows for.
func median(ordered []float64) float64 {
	n := len(ordered)
	switch {
	case n == 0:
		return math.NaN()
	case n%2 == 1:
		return ordered[n/2]
	}
	a, b := ordered[n/2-1], ordered[n/2]
	if a == b {
		return a // also if both are infinite
	}
	return a/2 + b/2
}

// discoveries says which of the hypotheses are refuted, given the logarithm of the
// evidence against each. On average, at most a share fdr of those is refuted wrongly.
//
// It is the procedure of Benjamini and Hochberg with 1/E for p. With evidence of this
// kind it needs no assumption on how the hypotheses depend on each other (e-BH: Wang
// and Ramdas 2022), and they do depend: a disturbance of the machine affects many
// benchmarks at once. With p-values that would need Benjamini and Yekutieli's
// correction, a factor of ln(m); and p-values are not valid if each benchmark stops at
// a time that depends on the data.
//
// of is the number of hypotheses; those that are not in logs have no evidence.
func discoveries(logs []float64, of int, fdr float64) []bool {
	order := make([]int, len(logs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case logs[a] > logs[b]:
			return -1
		case logs[a] < logs[b]:
			return +1
		}
		return 0
	})
	found := make([]bool, len(logs))
	for k := len(order); k > 0; k-- {
		if logs[order[k-1]] >= math.Log(float64(of)/(fdr*float64(k))) {
			for _, i := range order[:k] {
				found[i] = true
			}
			break
		}
	}
	return found
}
