package sim

import (
	"math/rand/v2"
	"testing"
)

// A set counts and lists its members in any span.
func TestSet(t *testing.T) {
	const most = 200
	rng := rand.New(rand.NewPCG(1, 2))
	s, is := make(set, (most+63)/64), make(map[int]bool)
	for range 2 * most {
		if i := rng.IntN(most); rng.IntN(3) > 0 {
			s.add(i)
			is[i] = true
		} else {
			s.remove(i)
			delete(is, i)
		}
		r := span{rng.IntN(most), rng.IntN(most + 1)}
		n := 0
		for i := r.from; i < r.to; i++ {
			if s.has(i) != is[i] {
				t.Fatalf("has(%d) = %v, want %v", i, s.has(i), is[i])
			}
			if is[i] {
				if got := s.nth(r, n); got != i {
					t.Fatalf("nth(%v, %d) = %d, want %d", r, n, got, i)
				}
				n++
			}
		}
		if got := s.count(r); got != n {
			t.Fatalf("count(%v) = %d, want %d", r, got, n)
		}
	}
}

// The ranks up to each distance from a CPU are those of the CPUs that are up to that far,
// wherever the CPUs are.
func TestRanks(t *testing.T) {
	m := Machine{Threads: 2, Cores: 3, Clusters: 2, Sockets: 2, Halves: 2, Slice: 1000, Load: 1, Store: 1, Modify: 1, Memory: 1}
	for d := Sibling; int(d) < Distances; d++ {
		m.Hop[d], m.Upgrade[d] = 1, 1
	}
	for seed := range int32(5) {
		place := rand.New(rand.NewPCG(uint64(seed), 0)).Perm(m.CPUs())[:m.CPUs()-int(7*seed)]
		on, err := (&Config{Machine: &m, Place: place}).machine()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range on.cpus {
			for d := range Distances {
				s := on.upTo(Distance(d), a)
				for _, b := range on.cpus {
					near := m.Distance(place[a.id], place[b.id]) <= Distance(d)
					if in := s.from <= b.rank && b.rank < s.to; in != near {
						t.Fatalf("CPUs at %d and %d of rank %d: up to %v %v, in %v %v", place[a.id], place[b.id], b.rank, Distance(d), near, s, in)
					}
				}
			}
			others := make(set, on.words)
			for _, b := range on.cpus {
				if b.id%5 == seed%5 {
					others.add(b.rank)
				}
			}
			nearest, farthest := Distance(Distances), Self
			for _, b := range on.cpus {
				if d := on.distance(a.id, b.id); d != Self && others.has(b.rank) {
					nearest, farthest = min(nearest, d), max(farthest, d)
				}
			}
			if n, f := on.reaches(others, a); n != nearest || f != farthest {
				t.Fatalf("CPU %d: others are %v to %v away, want %v to %v", a.id, n, f, nearest, farthest)
			}
		}
	}
}
