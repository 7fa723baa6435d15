package gate

import (
	"math"
	"slices"
)

// A measure says by how much one value is worse than another, as a number of
// which more is worse.
//
// It is a difference of logarithms: the values are times, counts and rates, which
// a machine makes larger or smaller by a factor. Values of some units may be below
// 0. Where one is, a factor makes no sense, and the number is their difference, as
// a share of what the first is away from 0.
type measure struct {
	better  int
	margin  float64
	signed  bool // by difference
	fastest bool // of several processes the fastest counts: it was disturbed the least
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

// PairsPerBuild is how many pairs of processes are measured of one pair of binaries,
// before a source goes on to the next.
const PairsPerBuild = 2

// A pair is what one round has in one unit.
type pair struct {
	build      int // the pair of binaries, 0 if unknown
	base, head float64
}

// negative reports whether one of its values is below 0.
func (q pair) negative() bool { return q.base < 0 || q.head < 0 }

// A cluster is the pairs of one pair of binaries. These have the same layout and the
// same luck, which more of them do not average out, so that together they are one
// reading.
type cluster struct {
	build       int
	pairs       []pair
	differences []float64 // by how much the head is worse
}

// reading is by how much the fastest process of the head is worse than the fastest of
// the base, where that is what counts, and else the median of the differences. Either is
// as likely to be x as to be -x if base and head are the same.
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

// Clusters are what there is of one unit of one benchmark at one distance, in the
// order in which it was measured.
type clusters struct {
	*measure

	all          []*cluster
	bases, heads []float64 // all values
	varies       bool      // not all bases, or not all heads, are the same
}

// add adds a pair. Where it is not known of which binaries it is, it is a reading by
// itself.
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

// measureAll measures all pairs anew, since the measure is another.
func (c *clusters) measureAll() {
	for _, of := range c.all {
		for i, q := range of.pairs {
			of.differences[i] = c.worse(q.base, q.head)
		}
	}
}

// readings returns those of the clusters that are whole: all but the last if more of
// it is to come.
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

// within returns how far the pairs of one pair of binaries are apart: the standard
// deviation of those of a middling cluster; NaN if none has two.
func (c *clusters) within() float64 {
	var all []float64
	for _, of := range c.all {
		n, mean, squares := float64(len(of.differences)), 0.0, 0.0
		for _, d := range of.differences {
			mean += d / n
		}
		for _, d := range of.differences {
			squares += (d - mean) * (d - mean)
		}
		if n > 1 && !math.IsNaN(squares) && !math.IsInf(squares, 0) {
			all = append(all, math.Sqrt(squares/(n-1)))
		}
	}
	return medianOf(all)
}

func medianOf(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }
