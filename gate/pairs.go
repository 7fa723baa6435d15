package gate

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// A measure says by how much one value is worse than another, as a number of
// which more is worse.
//
// It is a difference of logarithms: the values are times, counts and rates, which
// a machine makes larger or smaller by a factor. Values of some units may be below
// 0. Where one is, a factor makes no sense, and the number is their difference, as
// a share of what the first is away from 0.
type measure struct {
	better int
	margin float64
	signed bool // by difference
}

// limit returns what is worse by the margin.
func (m *measure) limit() float64 {
	switch {
	case m.signed:
		return m.margin
	case m.better > 0:
		return -math.Log1p(-m.margin)
	}
	return math.Log1p(m.margin)
}

// worse returns by how much b is worse than a. It is 0 if they are equal, and
// infinite if only one of them is 0 and that is no difference to be a share of.
func (m *measure) worse(a, b float64) float64 {
	switch {
	case a == b:
		return 0
	case m.signed: // b/|a| - a/|a|, since b-a may overflow
		return -float64(m.better) * (b/math.Abs(a) - math.Copysign(1, a))
	}
	return -float64(m.better) * (logarithm(b) - logarithm(a))
}

// logarithm is math.Log, which on amd64 takes all denormal numbers for nearly the
// same (-709 for 1e-320, and not -737).
func logarithm(v float64) float64 {
	if v > 0 && v < 0x1p-1022 {
		return math.Log(v*0x1p52) - 52*math.Ln2
	}
	return math.Log(v)
}

// change returns what worse does as a change of the value, a share.
func (m *measure) change(worse float64) float64 {
	if m.signed {
		return -float64(m.better) * worse
	}
	return math.Expm1(-float64(m.better) * worse)
}

// Pairs are readings of head and base from the same rounds, and by how much the
// one is worse than the other.
type pairs struct {
	*measure

	differences []float64 // head against base
	against     []float64 // base against base, where it was measured again
	above       int       // differences above limit
	below       int       // differences below it

	all          []pair    // in rounds' order
	bases, heads []float64 // the values of them
	varies       bool      // not all bases, or not all heads, are the same

	// How each binary did in the rounds it was in, in relation to the round.
	base, head map[int][]float64
}

// A pair is what one round has in one unit; again is nil if the base was measured
// once.
type pair struct {
	round             int
	base, again, head *value
}

// negative reports whether one of its values is below 0.
func (q pair) negative() bool {
	return q.base.v < 0 || q.head.v < 0 || q.again != nil && q.again.v < 0
}

// add adds a pair.
func (p *pairs) add(q pair) {
	p.all = append(p.all, q)
	p.varies = p.varies || q.base.v != p.all[0].base.v || q.head.v != p.all[0].head.v || q.again != nil && q.again.v != p.all[0].base.v
	p.bases, p.heads = append(p.bases, q.base.v), append(p.heads, q.head.v)
	p.measureOne(q)
}

// measureAll measures all pairs anew, since the measure is another.
func (p *pairs) measureAll() {
	p.differences, p.against, p.above, p.below, p.base, p.head = nil, nil, 0, 0, nil, nil
	for _, q := range p.all {
		p.measureOne(q)
	}
}

func (p *pairs) measureOne(q pair) {
	// The base was measured twice; which of the two the head is compared to
	// has nothing to do with what they were. To compare it to their mean would
	// use more of them, but then the sides could not be exchanged.
	reference := q.base.v
	if q.again != nil {
		p.against = append(p.against, p.worse(q.base.v, q.again.v))
		if q.round%2 == 0 {
			reference = q.again.v
		}
	}
	d := p.worse(reference, q.head.v)
	p.differences = append(p.differences, d)
	if d > p.limit() {
		p.above++
	} else if d < p.limit() {
		p.below++
	}

	if q.again == nil || q.base.build == 0 {
		return
	}
	if p.base == nil {
		p.base, p.head = make(map[int][]float64), make(map[int][]float64)
	}
	// In relation to the first of the base; what is common to all cancels out.
	a, h := p.ranked(q.base.v, q.again.v), p.ranked(q.base.v, q.head.v)
	middle := (a + h) / 3
	p.base[q.base.build] = append(p.base[q.base.build], -middle)
	p.base[q.again.build] = append(p.base[q.again.build], a-middle)
	p.head[q.head.build] = append(p.head[q.head.build], h-middle)
}

// ranked is worse for a rank test: it is finite, so that one can subtract, and
// farther off than any other if worse is infinite.
func (m *measure) ranked(a, b float64) float64 {
	const far = 1e9
	return max(-far, min(far, m.worse(a, b)))
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
	if noise := p.noise(alpha); noise > p.limit() {
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
	return math.IsNaN(noise) || noise <= p.limit()
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
