// Package hash implements a hash table whose readers do not wait and write
// nothing, while updaters change it and it grows.
//
//	var mu sync.Mutex
//	conns := hash.New[string, *conn](&mu)
//
//	s := d.ReadLock()                      old, ok := conns.Delete(name)
//	c, ok := conns.Load(name)              if ok {
//	use(c)                                     d.Call(old.Close) // when its last reader is gone
//	d.ReadUnlock(s)                        }
//
// It needs no grace periods itself: it leaves old entries and tables to the
// collector. Sections and grace periods are for a user that must know when no
// reader has a value any more. Other users may read outside of sections.
package hash

import (
	"hash/maphash"
	"sync"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/rcu/list"
)

// A Map is a hash table from keys to values. [New] makes one. A Map must not be
// copied. It grows, and does not shrink. A chain has 8 bytes, and there are at least as
// many as keys. An entry has 24 and those of its key and its value; each Store allocates
// one, and each Insert of a new key.
//
// Load and Range may be called at any time. Store, Insert and Delete wait for
// the updaters' lock. Each takes effect at one moment between its call and its
// return, and what happened before a value was stored synchronizes before the
// return of a Load that returns it.
//
// The source of the chains is Linux include/linux/rculist.h. The kernel's growing
// tables cannot copy elements, because their users hold the elements' addresses.
// So they link each element twice, or wait for grace periods while they grow. Here
// the collector keeps the old table for as long as a reader uses it.
type Map[K comparable, V any] struct {
	// Hash returns the hash of a key; all its bits matter. [New] sets it to
	// hash/maphash's. It may be set before first use.
	Hash func(K) uint64

	lock sync.Locker // excludes updaters from each other

	// table is the current table.
	//
	// I1: an entry does not change, so its key and its hash lead to the chain that
	// it is in for as long as the table is used.
	// I2: a table that is no longer current does not change. An entry is in one
	// table only: growing copies it.
	table rcu.Pointer[table[K, V]]
	count primitives.Int64 // of the entries in the current table
}

// A table has a chain for each value that the low bits of a hash can have.
type table[K comparable, V any] struct {
	mask   uint64
	chains []list.HList[entry[K, V]]
}

// An entry is a key and its value. Both are set before it is published.
type entry[K comparable, V any] struct {
	hash  uint64
	key   K
	value V
}

// fewest is how many chains a Map begins with.
const fewest = 8

// New returns an empty Map, whose updaters take lock. If lock is nil there must
// be one updater at a time.
func New[K comparable, V any](lock sync.Locker) *Map[K, V] {
	seed := maphash.MakeSeed()
	if lock == nil {
		lock = alone{}
	}
	m := &Map[K, V]{
		Hash: func(key K) uint64 { return maphash.Comparable(seed, key) },
		lock: lock,
	}
	m.table.Assign(newTable[K, V](fewest))
	return m
}

// alone is the lock of the only updater.
type alone struct{}

func (alone) Lock()   {}
func (alone) Unlock() {}

func newTable[K comparable, V any](chains int) *table[K, V] {
	return &table[K, V]{uint64(chains - 1), make([]list.HList[entry[K, V]], chains)}
}

func (t *table[K, V]) chain(hash uint64) *list.HList[entry[K, V]] { return &t.chains[hash&t.mask] }

// find returns the element that has the key, or nil.
func (t *table[K, V]) find(hash uint64, key K) *list.HNode[entry[K, V]] {
	for n := t.chain(hash).Front(); n != nil; n = n.Next() {
		if n.Value.hash == hash && n.Value.key == key {
			return n
		}
	}
	return nil
}

// Load returns the value of a key, and whether it has one.
func (m *Map[K, V]) Load(key K) (value V, ok bool) {
	// The table may be an old one when find looks into it. By I2 it is then as it was
	// when the next table was published, which was after Load began: at that moment
	// the key had the value that find returns.
	if n := m.table.Dereference().find(m.Hash(key), key); n != nil { // acquire: pairs with grow
		return n.Value.value, true
	}
	return value, false
}

// Store sets the value of a key. It returns the value that the key had, for the
// caller to retire, and whether there was one.
func (m *Map[K, V]) Store(key K, value V) (old V, replaced bool) {
	m.lock.Lock()
	defer m.lock.Unlock()
	hash := m.Hash(key)
	t := m.table.Access()
	fresh := &list.HNode[entry[K, V]]{Value: entry[K, V]{hash, key, value}}
	if n := t.find(hash, key); n != nil {
		// In one step: after a delete readers would miss the key until the add.
		return t.chain(hash).Replace(n, fresh).Value.value, true
	}
	m.add(t, fresh)
	return old, false
}

// Insert sets the value of a key that has none, and reports whether it did. It
// returns the value that the key now has.
func (m *Map[K, V]) Insert(key K, value V) (now V, inserted bool) {
	m.lock.Lock()
	defer m.lock.Unlock()
	hash := m.Hash(key)
	t := m.table.Access()
	if n := t.find(hash, key); n != nil {
		return n.Value.value, false
	}
	m.add(t, &list.HNode[entry[K, V]]{Value: entry[K, V]{hash, key, value}})
	return value, true
}

// Delete takes out a key. It returns the value that the key had, for the caller
// to retire, and whether there was one.
func (m *Map[K, V]) Delete(key K) (old V, deleted bool) {
	m.lock.Lock()
	defer m.lock.Unlock()
	hash := m.Hash(key)
	t := m.table.Access()
	n := t.find(hash, key)
	if n == nil {
		return old, false
	}
	m.count.StoreRelease(m.count.Load() - 1)
	return t.chain(hash).Delete(n).Value.value, true
}

// Range calls yield for each key and its value until yield returns false. A key
// that is there from the beginning to the end comes once. A key that is stored,
// replaced or deleted meanwhile comes once, with one of its values, or not at all.
func (m *Map[K, V]) Range(yield func(key K, value V) bool) {
	t := m.table.Dereference() // acquire: pairs with grow
	for i := range t.chains {
		for n := t.chains[i].Front(); n != nil; n = n.Next() {
			if !yield(n.Value.key, n.Value.value) {
				return
			}
		}
	}
}

// Len returns how many keys there are.
func (m *Map[K, V]) Len() int { return int(m.count.Load()) }

// add puts in an entry whose key is not there, and makes the table grow if chains
// would have more than one entry on average.
func (m *Map[K, V]) add(t *table[K, V], n *list.HNode[entry[K, V]]) {
	count := m.count.Load() + 1
	if count > int64(len(t.chains)) {
		t = m.grow(t)
	}
	t.chain(n.Value.hash).AddFront(n)
	m.count.StoreRelease(count)
}

// grow publishes a table with twice as many chains as t, and the same entries.
func (m *Map[K, V]) grow(t *table[K, V]) *table[K, V] {
	big := newTable[K, V](2 * len(t.chains))
	for i := range t.chains {
		for n := t.chains[i].Front(); n != nil; n = n.Next() {
			// A copy, by I2: a reader may be on n, whose link it needs.
			big.chain(n.Value.hash).AddFront(&list.HNode[entry[K, V]]{Value: n.Value})
		}
	}
	m.table.Assign(big) // release: pairs with Load and Range; publishes all of it
	return big
}
