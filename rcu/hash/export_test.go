package hash

import "fmt"

// NewSmall returns a Map that begins with one chain, and has no lock.
func NewSmall[K comparable, V any](hash func(K) uint64) *Map[K, V] {
	m := New[K, V](nil)
	m.Hash = hash
	m.table.Assign(newTable[K, V](1))
	return m
}

// Chains returns how many chains m has, and what is wrong with them: I1, and
// that chains have an entry at most on average.
func (m *Map[K, V]) Chains() (n int, err error) {
	t, count := m.table.Access(), 0
	for i := range t.chains {
		for n := t.chains[i].Front(); n != nil; n = n.Next() {
			count++
			if at := m.Hash(n.Value.key) & t.mask; at != uint64(i) {
				err = fmt.Errorf("key %v is in chain %d, want %d", n.Value.key, i, at)
			}
		}
	}
	if count != m.Len() || count > len(t.chains) {
		err = fmt.Errorf("%d entries in %d chains, Len %d", count, len(t.chains), m.Len())
	}
	return len(t.chains), err
}
