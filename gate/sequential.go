package gate

import (
	"math"
	"slices"
	"sync"
)

// What follows is one test, for one question: is the median of the differences
// above θ? Of n differences, S are. If the answer is no, each is with a
// probability of at most 1/2 whatever came before, since the order of the sides
// within a round is random; nothing else is assumed, neither a distribution nor
// independence of the rounds.
//
// The evidence is a wager on the answer yes. It bets on p, the probability of a
// difference above θ, being anywhere in (1/2, 1), all of it alike:
//
//	E = ∫ 2 (2p)^S (2(1-p))^(n-S) dp, p from 1/2 to 1
//
// If the answer is no the stake does not grow on average (E is a
// supermartingale that begins with 1), so the probability that it ever reaches
// 1/α is at most α (Ville 1939). Ever: one may look after each round and stop
// when one likes. Robbins 1970; Howard and Ramdas 2022, "Sequential estimation
// of quantiles"; Wang and Ramdas 2022 for what becomes of many.

// logEvidence returns the natural logarithm of E for above of n differences.
//
// With p = (1+x)/2 the integral is that of (1+x)^S (1-x)^(n-S) over x from 0 to
// 1, which integration by parts turns into a sum without a difference in it:
//
//	E = 1/(n-S+1) Σ t(j), j from 0 to S, where t(0) = 1, t(j+1) = t(j) (S-j)/(n-S+2+j)
//
// so that it is exact to the last digits wherever E is, even where E is too
// small or too large for a float.
func logEvidence(above, n int) float64 {
	s, f := float64(above), float64(n-above)
	sum, term, scale := 1.0, 1.0, 0.0
	for j := 0.0; j < s; j++ {
		ratio := (s - j) / (f + 2 + j)
		term *= ratio
		sum += term
		// The ratios fall, so that what is left is less than a geometric series.
		if ratio < 1 && term*ratio < 0x1p-60*(1-ratio)*sum {
			break
		}
		if sum > 0x1p512 {
			sum, term, scale = sum*0x1p-512, term*0x1p-512, scale+512*math.Ln2
		}
	}
	return scale + math.Log(sum) - math.Log(f+1)
}

// needed returns how many of n differences must be above θ for an evidence of
// at least 1/alpha, or n+1 if all of them would not do.
func needed(n int, alpha float64) int {
	table := needs(alpha)
	table.Lock()
	defer table.Unlock()
	for have := len(table.of); have <= n; have++ {
		// One difference more asks for at most one more above.
		s := 0
		if have > 0 {
			s = table.of[have-1]
		}
		for s <= have && logEvidence(s, have) < -math.Log(alpha) {
			s++
		}
		table.of = append(table.of, s)
	}
	return table.of[n]
}

// A needsTable has the results of needed for n from 0, up to the largest n asked for.
type needsTable struct {
	sync.Mutex
	of []int
}

var tables sync.Map // by alpha

func needs(alpha float64) *needsTable {
	t, _ := tables.LoadOrStore(alpha, new(needsTable))
	return t.(*needsTable)
}

// bounds returns an interval that has the median of the differences in it, at
// all times, with a probability of at least 1-alpha. It orders them. The bounds
// are infinite while there are too few.
func bounds(differences []float64, alpha float64) (lo, hi float64) {
	slices.Sort(differences)
	n := len(differences)
	s := needed(n, alpha/2) // each side is a test of its own
	if s > n {
		return math.Inf(-1), math.Inf(+1)
	}
	// Every θ below the s'th largest has at least s above it.
	return differences[n-s], differences[s-1]
}

// median returns the median of ordered values, and NaN if there are none.
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
		return a // infinite ones too
	}
	return a/2 + b/2
}

// discoveries says which of the hypotheses are refuted, given the logarithm of
// the evidence against each. At most a share fdr of them is refuted wrongly, on
// average.
//
// It is the procedure of Benjamini and Hochberg with 1/E for p. With evidence of
// this kind it needs no assumption on how the hypotheses depend on each other
// (e-BH: Wang and Ramdas 2022), and here they do: a disturbance of the machine
// meets many benchmarks at once. With p-values that would take Benjamini and
// Yekutieli's correction, a factor of ln(m); and p-values would not survive that
// each benchmark stops when it likes.
//
// Of is how many hypotheses there are; those that logs leaves out have none.
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
