package gate

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// Pairs are readings of head and base from the same rounds, as differences of
// logarithms: more is worse.
type pairs struct {
	limit float64 // what counts as worse

	differences []float64 // head against base
	against     []float64 // base against base, where it was measured again
	above       int       // differences above limit
	below       int       // differences below it

	bases, heads []float64 // the values themselves, in rounds' order
	varies       bool      // not all bases, or not all heads, are the same

	// How each binary did in the rounds it was in, in relation to the round.
	base, head map[int][]float64
}

// limit returns the logarithm of a change that is worse by the margin.
func limit(better int, margin float64) float64 {
	if better > 0 {
		return -math.Log1p(-margin)
	}
	return math.Log1p(margin)
}

// worse returns by how much b is worse than a, as a difference of logarithms.
// It is 0 if they are equal, and infinite if one of them is 0.
func worse(better int, a, b float64) float64 {
	if a == b {
		return 0
	}
	return -float64(better) * (math.Log(b) - math.Log(a))
}

// change returns a difference of logarithms as a change of the value.
func change(better int, difference float64) float64 {
	return math.Expm1(-float64(better) * difference)
}

// add adds a round's values; again is nil if the base was measured once.
func (p *pairs) add(better, round int, base, head value, again *value) {
	p.varies = p.varies || len(p.bases) > 0 && (base.v != p.bases[0] || head.v != p.heads[0])
	p.bases, p.heads = append(p.bases, base.v), append(p.heads, head.v)

	// The base was measured twice; which of the two the head is compared to
	// has nothing to do with what they were. To compare it to their mean would
	// use more of them, but then the sides could not be exchanged.
	reference := base.v
	if again != nil {
		p.varies = p.varies || again.v != p.bases[0]
		p.against = append(p.against, worse(better, base.v, again.v))
		if round%2 == 0 {
			reference = again.v
		}
	}
	d := worse(better, reference, head.v)
	p.differences = append(p.differences, d)
	if d > p.limit {
		p.above++
	} else if d < p.limit {
		p.below++
	}

	if again == nil || base.build == 0 {
		return
	}
	if p.base == nil {
		p.base, p.head = make(map[int][]float64), make(map[int][]float64)
	}
	// In relation to the first of the base; what is common to all cancels out.
	a, h := worse(better, base.v, again.v), worse(better, base.v, head.v)
	middle := (a + h) / 3
	p.base[base.build] = append(p.base[base.build], -middle)
	p.base[again.build] = append(p.base[again.build], a-middle)
	p.head[head.build] = append(p.head[head.build], h-middle)
}

// A value is what one reading has in one unit.
type value struct {
	v     float64
	build int
}

func (p *pairs) n() int { return len(p.differences) }

// noise returns how much worse or better the base is than itself, as far as can
// be known: the larger bound of an interval. It is NaN if it was measured once.
func (p *pairs) noise(alpha float64) float64 {
	if len(p.against) == 0 {
		return math.NaN()
	}
	lo, hi := bounds(slices.Clone(p.against), alpha)
	return max(-lo, hi)
}

// evidence returns the logarithm of the evidence that the head is worse by more
// than the limit, and by more than the noise.
func (p *pairs) evidence(alpha float64) float64 {
	n, above := p.n(), p.above
	if above < needed(n, alpha) {
		return logEvidence(above, n) // of no account: spare the rest
	}
	if noise := p.noise(alpha); noise > p.limit {
		above = 0
		for _, d := range p.differences {
			if d > noise {
				above++
			}
		}
	}
	return logEvidence(above, n)
}

// passes reports whether it can be told that the head is not worse by as much
// as the limit: the whole interval is below it, and so is the noise.
func (p *pairs) passes(alpha float64) bool {
	if p.below < needed(p.n(), alpha/2) {
		return false
	}
	noise := p.noise(alpha)
	return math.IsNaN(noise) || noise <= p.limit
}

// buildsAlpha is the chance that binaries of the same code are called different
// for their layout.
const buildsAlpha = 0.01

// betweenBuilds returns by how much the head is worse at least, if binaries are
// what one has drawn a sample of, not rounds. It is a rank test: with six a side,
// all but three or so of the 36 pairs of binaries must agree. ok is false if the
// binaries are not known, or too few to tell.
func (p *pairs) betweenBuilds() (atLeast float64, ok bool) {
	u := stats.UDist{N1: len(p.base), N2: len(p.head)}
	if u.N1 == 0 || u.N2 == 0 {
		return 0, false
	}
	i := 0 // how many of the pairs may disagree
	for u.CDF(float64(i)) <= buildsAlpha {
		i++
	}
	if i == 0 {
		return 0, false
	}
	var differences []float64
	for _, h := range p.head {
		for _, b := range p.base {
			differences = append(differences, medianOf(h)-medianOf(b))
		}
	}
	slices.Sort(differences)
	return differences[i-1], true
}

func medianOf(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }

// bootstrap returns an interval of the median difference with the confidence
// 1-alpha, the usual way: from medians of samples drawn with replacement. It
// assumes that the rounds are independent, which the other interval does not.
func (p *pairs) bootstrap(alpha float64) (lo, hi float64) {
	const draws = 1000
	n := p.n()
	if n < 10 {
		return math.NaN(), math.NaN()
	}
	random := rand.New(rand.NewPCG(1, uint64(n)))
	medians := make([]float64, draws)
	drawn := make([]float64, n)
	for i := range medians {
		for k := range drawn {
			drawn[k] = p.differences[random.IntN(n)]
		}
		slices.Sort(drawn)
		medians[i] = median(drawn)
	}
	slices.Sort(medians)
	tail := int(alpha / 2 * draws)
	return medians[tail], medians[draws-1-tail]
}
