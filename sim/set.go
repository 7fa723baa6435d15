package sim

import "math/bits"

// A set is a set of small numbers.
type set []uint64

func (s set) has(i int) bool { return s[i/64]>>(i%64)&1 != 0 }
func (s set) add(i int)      { s[i/64] |= 1 << (i % 64) }
func (s set) remove(i int)   { s[i/64] &^= 1 << (i % 64) }

// A span is the numbers from one to another, without the latter.
type span struct{ from, to int }

// within returns the w'th word of s, without what is not in r.
func (s set) within(w int, r span) uint64 {
	word := s[w]
	if low := r.from - 64*w; low > 0 {
		word &= ^uint64(0) << low
	}
	if high := r.to - 64*w; high < 64 {
		word &= 1<<high - 1
	}
	return word
}

// count returns how many members are in r.
func (s set) count(r span) (n int) {
	for w := r.from / 64; 64*w < r.to; w++ {
		n += bits.OnesCount64(s.within(w, r))
	}
	return n
}

// nth returns the n'th member in r, from 0. There must be one.
func (s set) nth(r span, n int) int {
	for w := r.from / 64; ; w++ {
		word := s.within(w, r)
		if here := bits.OnesCount64(word); n >= here {
			n -= here
			continue
		}
		for ; n > 0; n-- {
			word &= word - 1
		}
		return 64*w + bits.TrailingZeros64(word)
	}
}

// Ranks number the CPUs so that those that are near each other are next to each other: those
// up to any distance from a CPU have the ranks of a span.

// upTo returns the ranks of the CPUs at most that far from c.
func (m *machine) upTo(d Distance, c *cpu) span { return m.spans[int(c.id)*Distances+int(d)] }

// reaches returns how far the nearest and the farthest other than c are of a set of ranks.
// If there are none, nearest is Distances.
func (m *machine) reaches(s set, c *cpu) (nearest, farthest Distance) {
	nearest = Distance(Distances)
	nearer := s.count(m.upTo(Self, c))
	for d := Sibling; int(d) < Distances; d++ {
		n := s.count(m.upTo(d, c))
		if n > nearer {
			nearest, farthest = min(nearest, d), d
		}
		nearer = n
	}
	return nearest, farthest
}
