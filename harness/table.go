package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A Table is a map from keys to items, for the workloads that are maps: see [Subject].
// Its methods return the item that the key had, and whether it had one.
//
// A Load may run at the same time as any other call: under an [RCULocker] it is in a
// read-side critical section. So may a Store and a Delete if the Table is a Subject of
// its own; otherwise the caller holds the updaters' lock.
type Table interface {
	Load(key uint64) (item *Item, ok bool)
	Store(key uint64, item *Item) (old *Item, replaced bool)
	Delete(key uint64) (old *Item, deleted bool)
}

// An Item is what a [Table] has for a key. Its contents belong to the workload.
type Item version[itemWords]

// The itemWords of an Item say which key it is for, and which change of the key made
// it. They do not change while the item is in a table.
type itemWords struct {
	key    primitives.Cell[uint64]
	change primitives.Cell[uint64]
	mirror primitives.Cell[uint64] // ^change
}

func (w *itemWords) set(key, change uint64) {
	w.key.Set(key)
	w.change.Set(change)
	w.mirror.Set(^change)
}

func (w *itemWords) spoil() { w.set(spoilt, spoilt) }

// TableData is data in a [Table]: CopyData if workers see it under an [RCULocker], and
// Data if the table needs no lock. Then Write, too, may run at the same time as any
// other call.
type TableData interface {
	CopyData
	Write(worker int)
}

// A keyed is a table of items by number. Readers look up any key; a writer changes one
// of its own keys, so that it knows what must be there. Even keys are always there, and
// get another item; odd ones come and go.
//
//	key is even or change is even: the key is there
//	key is odd and change is odd:  the key is not there
//
// A worker that looks up an even key must find it. Any item that it finds must be
// whole; that of one of the first keys must not be older than what the worker has seen.
// A worker that changes a key must find it as its last change left it, and at the end
// it must be like that.
type keyed struct {
	name   string
	table  Table
	size   uint64
	slots  slots
	owners []ownKeys
	stock[itemWords]
}

// The ownKeys of a worker are what it knows about keys, on cache lines of its own.
type ownKeys struct {
	_       pad
	first   uint64          // of its own keys
	changes []uint64        // of each
	seen    [watched]uint64 // the newest changes of the first keys that it has seen
	_       pad
}

// watched is how many keys all workers look at for changes: few enough not to disturb
// the caches.
const watched = 64

// tableOf returns the workload of maps with size keys.
func tableOf(size int) Workload {
	name := fmt.Sprintf("map%d", size)
	about := fmt.Sprintf("a map of %d keys: replace, delete or insert one; look one up", size)
	return Workload{Name: name, About: about, Linked: true,
		New: func(workers int, seed uint64) Data {
			table := make(goMap, size)
			return &lockedTable{keyed: newKeyed(name, size, workers, seed, table, ReclaimNone)} // what is used again is not in the stock
		},
		NewIn: func(workers int, seed uint64, table Table, reclaim Reclaim) TableData {
			return newKeyed(name, size, workers, seed, table, reclaim)
		},
	}
}

func newKeyed(name string, size, workers int, seed uint64, table Table, reclaim Reclaim) *keyed {
	k := &keyed{
		name:   name,
		table:  table,
		size:   uint64(max(size, 2*workers)), // each worker has an even key and an odd one
		slots:  newSlots(workers, seed),
		owners: make([]ownKeys, workers),
	}
	k.setUp(reclaim, (*itemWords).spoil)
	for worker := range k.owners {
		o := &k.owners[worker]
		o.first = k.firstOf(worker)
		o.changes = apart[uint64](int(k.firstOf(worker+1) - o.first))
		for i := range o.changes {
			key := o.first + uint64(i)
			if key%4 == 3 {
				o.changes[i] = 1 // half of the odd ones are not there
				continue
			}
			v := k.take()
			v.value.set(key, 0)
			table.Store(key, (*Item)(v))
		}
	}
	return k
}

// firstOf returns the first of a worker's keys.
func (k *keyed) firstOf(worker int) uint64 { return uint64(worker) * k.size / uint64(len(k.owners)) }

// isThere reports whether a key is in the table after so many changes.
func isThere(key, changes uint64) bool { return key%2 == 0 || changes%2 == 0 }

// Read looks up a key.
func (k *keyed) Read(worker int) {
	slot := &k.slots[worker]
	key := slot.draw(k.size)
	item, ok := k.table.Load(key)
	switch {
	case !ok && key%2 == 0:
		slot.fail(k.when(worker, "looks up", key), "an item, as always", "none")
	case ok && k.sound(worker, "looks up", key, item) && key < watched:
		seen := &k.owners[worker].seen[key]
		change := item.value.change.Get()
		if change < *seen {
			slot.fail(k.when(worker, "looks up", key), fmt.Sprintf("its change %d or later", *seen), fmt.Sprint(change))
		}
		*seen = change
	}
}

// Update changes a key of the worker's.
func (k *keyed) Update(worker int) (reclaim func()) {
	i, deletes := k.next(worker)
	var fresh *version[itemWords]
	if !deletes {
		fresh = k.take()
	}
	if old := k.change(worker, i, fresh); old != nil {
		return old.reclaim
	}
	return nil
}

// Write changes a key of the worker's in a table that needs no lock.
func (k *keyed) Write(worker int) {
	i, deletes := k.next(worker)
	var fresh *version[itemWords]
	if !deletes {
		fresh = new(version[itemWords])
	}
	k.change(worker, i, fresh)
}

// A lockedTable is a keyed whose writers keep readers out.
type lockedTable struct {
	*keyed
	spare *version[itemWords] // what a writer uses next
}

// Write changes a key of the worker's.
func (l *lockedTable) Write(worker int) {
	i, deletes := l.next(worker)
	var fresh *version[itemWords]
	switch {
	case deletes:
	case l.spare == nil:
		fresh = new(version[itemWords])
	default:
		fresh = l.spare
		l.spare = fresh.next
	}
	if old := l.change(worker, i, fresh); old != nil {
		old.value.spoil()
		old.next = l.spare
		l.spare = old
	}
}

// next returns which of its keys a worker changes next, and whether it deletes it.
func (k *keyed) next(worker int) (i uint64, deletes bool) {
	o := &k.owners[worker]
	i = k.slots[worker].draw(uint64(len(o.changes)))
	return i, !isThere(o.first+i, o.changes[i]+1)
}

// change gives a worker's i'th key a fresh item, or deletes the key if fresh is nil. It
// returns the item that the key had, nil if it had none.
func (k *keyed) change(worker int, i uint64, fresh *version[itemWords]) (old *version[itemWords]) {
	o := &k.owners[worker]
	key, change := o.first+i, o.changes[i]
	o.changes[i]++
	k.slots[worker].writes++
	var item *Item
	var had bool
	if fresh == nil {
		item, had = k.table.Delete(key)
	} else {
		fresh.value.set(key, change+1)
		item, had = k.table.Store(key, (*Item)(fresh))
	}
	k.isAsLeft(worker, "changes", key, change, item, had)
	if !had {
		return nil
	}
	return (*version[itemWords])(item)
}

// isAsLeft reports the lock as broken if a key has not what its last change left.
func (k *keyed) isAsLeft(worker int, does string, key, change uint64, item *Item, have bool) {
	switch want := isThere(key, change); {
	case have != want:
		k.slots[worker].fail(k.when(worker, does, key),
			fmt.Sprintf("it there after its change %d: %t", change, want), fmt.Sprintf("%t: an update was lost", have))
	case have && k.sound(worker, does, key, item) && item.value.change.Get() != change:
		k.slots[worker].fail(k.when(worker, does, key),
			fmt.Sprintf("the item of its change %d", change), fmt.Sprintf("that of its change %d: an update was lost", item.value.change.Get()))
	}
}

// sound reports whether item is whole and belongs to a key. If it does not, it reports
// the lock as broken.
func (k *keyed) sound(worker int, does string, key uint64, item *Item) bool {
	switch {
	case item == nil:
		k.slots[worker].fail(k.when(worker, does, key), "an item", "nil")
	case item.value.key.Get() == spoilt:
		k.slots[worker].fail(k.when(worker, does, key), "its item", usedAgain)
	case item.value.key.Get() != key || item.value.mirror.Get() != ^item.value.change.Get():
		k.slots[worker].fail(k.when(worker, does, key), "its item, whole",
			fmt.Sprintf("key %d, change %d and %d", item.value.key.Get(), item.value.change.Get(), ^item.value.mirror.Get()))
	default:
		return true
	}
	return false
}

// when says what a worker was doing with a key.
func (k *keyed) when(worker int, does string, key uint64) string {
	return fmt.Sprintf("workload %s, as worker %d %s key %d", k.name, worker, does, key)
}

func (k *keyed) Verify() error {
	if _, err := k.slots.verify(); err != nil {
		return err
	}
	there := 0
	for worker := range k.owners {
		o := &k.owners[worker]
		for i, change := range o.changes {
			key := o.first + uint64(i)
			item, ok := k.table.Load(key)
			k.isAsLeft(worker, "in the end looks at", key, change, item, ok)
			if ok {
				there++
			}
		}
	}
	if _, err := k.slots.verify(); err != nil {
		return err
	}
	return k.stock.verify("workload "+k.name, there)
}

// A goMap is Go's own map, for workloads under a lock.
type goMap map[uint64]*Item

func (m goMap) Load(key uint64) (item *Item, ok bool) {
	item, ok = m[key]
	return item, ok
}

func (m goMap) Store(key uint64, item *Item) (old *Item, replaced bool) {
	old, replaced = m[key]
	m[key] = item
	return old, replaced
}

func (m goMap) Delete(key uint64) (old *Item, deleted bool) {
	old, deleted = m[key]
	delete(m, key)
	return old, deleted
}
