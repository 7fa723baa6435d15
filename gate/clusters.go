package gate

import (
	"math"
	"slices"

	"github.com/aclements/go-moremath/stats"
)

// A measure says by how much one value is worse than another. More is worse.
//
// It is a difference of logarithms, since the values are times, counts and rates, which
// a machine changes by a factor. Some units have values below 0. If one value is below
// 0, a factor makes no sense, and the measure is the difference of the values as a
// share of the absolute value of the first.
type measure struct {
	better  int
	margin  float64
	signed  bool // values below 0: by difference
	fastest bool // of several processes the fastest counts, because it was disturbed least
}

// limit returns the measure of a value that is worse by the margin.
func (m *measure) limit() float64 {
	switch {
	case m.signed:
		return m.margin
	case m.better > 0:
		return -math.Log1p(-m.margin)
	}
	return math.Log1p(m.margin)
}

// worse returns by how much b is worse than a. It is 0 if they are equal, and infinite
// if only one of them is 0.
func (m *measure) worse(a, b float64) float64 {
	switch {
	case a == b:
		return 0
	case m.signed: // b/|a| - a/|a|, since b-a may overflow
		return -float64(m.better) * (b/math.Abs(a) - math.Copysign(1, a))
	}
	return -float64(m.better) * (logarithm(b) - logarithm(a))
}

// logarithm is math.Log without its fault on amd64, where all denormal numbers have
// nearly the same logarithm (-709 for 1e-320, not -737).
func logarithm(v float64) float64 {
	if v > 0 && v < 0x1p-1022 {
		return math.Log(v*0x1p52) - 52*math.Ln2
	}
	return math.Log(v)
}

// change returns worse as a change of the value, a share.
func (m *measure) change(worse float64) float64 {
	if m.signed {
		return -float64(m.better) * worse
	}
	return math.Expm1(-float64(m.better) * worse)
}

// PairsPerBuild is how many pairs of processes a source measures with one pair of
// binaries before it goes on to the next.
const PairsPerBuild = 2

// A pair is the readings of one round in one unit.
type pair struct {
	build      int // the pair of binaries, 0 if unknown
	base, head float64
}

// negative reports whether one of the values is below 0.
func (q pair) negative() bool { return q.base < 0 || q.head < 0 }

// A cluster is the pairs of processes of one pair of binaries. They share the layout,
// whose effect more of them do not average out, so together they are one reading.
type cluster struct {
	build       int
	pairs       []pair
	differences []float64 // by how much the head is worse
}

// reading returns by how much the fastest process of the head is worse than the fastest
// of the base if fastest is set, and otherwise the median of the differences. Either is
// as likely to be x as -x if base and head are the same.
func (m *measure) reading(c *cluster) float64 {
	if !m.fastest || m.signed {
		return medianOf(c.differences)
	}
	base, head := c.pairs[0].base, c.pairs[0].head
	for _, q := range c.pairs[1:] {
		if m.better > 0 {
			base, head = max(base, q.base), max(head, q.head)
		} else {
			base, head = min(base, q.base), min(head, q.head)
		}
	}
	return m.worse(base, head)
}

// Clusters are the readings of one unit of one benchmark at one distance, in the order
// in which they were measured.
type clusters struct {
	*measure

	all          []*cluster
	bases, heads []float64 // all values
	varies       bool      // not all bases, or not all heads, are the same
}

// add adds a pair. If its binaries are not known, it is a reading by itself.
func (c *clusters) add(q pair) {
	c.bases, c.heads = append(c.bases, q.base), append(c.heads, q.head)
	c.varies = c.varies || q.base != c.bases[0] || q.head != c.heads[0]
	at := -1
	if q.build != 0 {
		at = slices.IndexFunc(c.all, func(c *cluster) bool { return c.build == q.build })
	}
	if at < 0 {
		at = len(c.all)
		c.all = append(c.all, &cluster{build: q.build})
	}
	to := c.all[at]
	to.pairs = append(to.pairs, q)
	to.differences = append(to.differences, c.worse(q.base, q.head))
}

// measureAll computes the differences of all pairs again, because the measure has
// changed.
func (c *clusters) measureAll() {
	for _, of := range c.all {
		for i, q := range of.pairs {
			of.differences[i] = c.worse(q.base, q.head)
		}
	}
}

// readings returns the readings of complete clusters: all except the last if more pairs
// of it are to come.
func (c *clusters) readings(more bool) []float64 {
	whole := c.all
	if n := len(whole); n > 0 && more && whole[n-1].build != 0 && len(whole[n-1].pairs) < PairsPerBuild {
		whole = whole[:n-1]
	}
	readings := make([]float64, len(whole))
	for i, of := range whole {
		readings[i] = c.reading(of)
	}
	return readings
}

// within returns how much the pairs of one pair of binaries differ: the median over the
// clusters of their standard deviation; NaN if no cluster has two pairs.
func (c *clusters) within() float64 {
	var all []float64
	for _, of := range c.all {
		sd := stats.StdDev(of.differences)
		if len(of.differences) > 1 && !math.IsNaN(sd) && !math.IsInf(sd, 0) {
			all = append(all, sd)
		}
	}
	return medianOf(all)
}

func medianOf(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }
