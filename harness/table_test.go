package harness

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// A sharedMap is a Table with a lock of its own. The tests give it faults: each may
// change what the n'th call returns or does.
type sharedMap struct {
	mu    sync.RWMutex
	items goMap
	calls int // of Store and Delete

	load   func(key uint64, item *Item, ok bool) (*Item, bool)
	change func(call int, key uint64) (ignore bool)
}

func (m *sharedMap) Load(key uint64) (*Item, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	item, ok := m.items.Load(key)
	if m.load != nil {
		return m.load(key, item, ok)
	}
	return item, ok
}

func (m *sharedMap) Store(key uint64, item *Item) (*Item, bool) {
	return m.replace(key, func() (*Item, bool) { return m.items.Store(key, item) })
}

func (m *sharedMap) Delete(key uint64) (*Item, bool) {
	return m.replace(key, func() (*Item, bool) { return m.items.Delete(key) })
}

func (m *sharedMap) replace(key uint64, do func() (*Item, bool)) (*Item, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls++; m.change != nil && m.change(m.calls, key) {
		return m.items.Load(key)
	}
	return do()
}

// newShared returns a Subject that is a table with a fault, or with none.
func newShared(fault func(*sharedMap)) Subject {
	return Subject{Name: "shared", NewTable: func() Table {
		m := &sharedMap{items: make(goMap)}
		fault(m)
		return m
	}}
}

func faultless(*sharedMap) {}

// map100 is a map with few keys that are not watched, so that rare cases occur.
var map100 = tableOf(100)

func TestTables(t *testing.T) {
	restoresCPUs(t)
	subjects := []Subject{newShared(faultless), mutex, rwmutex}
	for _, r := range reclaims {
		s := newFlavour(r, sound)
		s.NewTable = func() Table { return &sharedMap{items: make(goMap)} }
		subjects = append(subjects, s)
	}
	for _, l := range subjects {
		for _, workers := range []int{1, 3, 200} { // the last have two keys each
			for _, reads := range []int{0, 50, 100} {
				s := quick(l)
				s.Workload, s.Workers, s.Reads, s.Latency = map100, workers, reads, workers == 3
				sample, err := Run(context.Background(), s)
				if err != nil || sample.Ops == 0 {
					t.Errorf("%v, Reclaim %d: %d operations, %v", s.Cell(), l.Reclaim, sample.Ops, err)
				}
			}
		}
	}
}

// If a table does something wrong, the next worker that looks at the key notices.
func TestTablesFindBroken(t *testing.T) {
	other := new(Item)
	other.value.set(4, 0)
	torn := new(Item)
	torn.value.set(2, 7)
	torn.value.mirror.Set(7)
	var old *Item // of key 2
	for _, test := range []struct {
		what  string
		fault func(*sharedMap)
		want  string
	}{
		{"misses a key that is always there", func(m *sharedMap) {
			m.load = func(key uint64, item *Item, ok bool) (*Item, bool) { return item, ok && key != 2 }
		}, "looks up key 2: want an item, as always, have none"},
		{"finds another key's item", func(m *sharedMap) {
			m.load = func(key uint64, item *Item, ok bool) (*Item, bool) {
				if key == 2 {
					return other, true
				}
				return item, ok
			}
		}, "looks up key 2: want its item, whole, have key 4, change 0 and 0"},
		{"finds a torn item", func(m *sharedMap) {
			m.load = func(key uint64, item *Item, ok bool) (*Item, bool) {
				if key == 2 {
					return torn, true
				}
				return item, ok
			}
		}, "looks up key 2: want its item, whole, have key 2, change 7 and"},
		{"finds nil", func(m *sharedMap) {
			m.load = func(key uint64, item *Item, ok bool) (*Item, bool) {
				if key == 2 {
					return nil, true
				}
				return item, ok
			}
		}, "looks up key 2: want an item, have nil"},
		{"goes back to an old item", func(m *sharedMap) {
			old = nil
			loads := 0
			m.load = func(key uint64, item *Item, ok bool) (*Item, bool) {
				if key != 2 {
					return item, ok
				}
				if old == nil {
					old = item
				}
				if loads++; loads%2 == 0 {
					return old, true
				}
				return item, ok
			}
		}, "looks up key 2: want its change "},
		{"loses a store", func(m *sharedMap) {
			m.change = func(call int, key uint64) bool { return call > 200 && key == 2 }
		}, "changes key 2: want the item of its change "},
		{"loses a deletion", func(m *sharedMap) {
			m.change = func(call int, key uint64) bool { return call > 200 && key == 1 && m.items[1] != nil }
		}, "changes key 1: want it there after its change "},
		{"loses an insertion", func(m *sharedMap) {
			m.change = func(call int, key uint64) bool { return call > 200 && key == 1 && m.items[1] == nil }
		}, "changes key 1: want it there after its change "},
	} {
		m := &sharedMap{items: make(goMap)}
		k := newKeyed("map100", 100, 2, 1, m, ReclaimNone)
		run := func() {
			for range 10_000 {
				k.Write(0)
				k.Read(1)
				k.Write(1)
			}
		}
		run()
		if err := k.Verify(); err != nil {
			t.Fatalf("sound table: %v", err)
		}
		test.fault(m)
		run()
		if err := k.Verify(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("a table that %s: Verify = %v, want %s", test.what, err, test.want)
		}
	}
}

// A late loss is found at the end if no worker uses the key again.
func TestTableLosesLast(t *testing.T) {
	for key, want := range map[uint64]string{
		2: "in the end looks at key 2: want the item of its change 1, have that of its change 0: an update was lost",
		1: "in the end looks at key 1: want it there after its change 1: false, have true: an update was lost",
		3: "in the end looks at key 3: want it there after its change 2: true, have false: an update was lost",
	} {
		m := &sharedMap{items: make(goMap)}
		k := newKeyed("map100", 100, 1, 1, m, ReclaimNone)
		m.change = func(int, uint64) bool { return true }
		change, fresh := k.owners[0].changes[key], new(version[itemWords])
		if !isThere(key, change+1) {
			fresh = nil
		}
		k.change(0, key, fresh)
		if err := k.Verify(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Verify after a lost change of key %d: %v, want %s", key, err, want)
		}
	}
}

// Under RCU a reader that has an item beyond its grace period finds it spoilt, and an
// item that is never given back is missed.
func TestTableSpoilt(t *testing.T) {
	fresh := func() *keyed { return newKeyed("map100", 100, 1, 1, make(goMap), ReclaimSync) }
	k := fresh()
	item, _ := k.table.Load(2)
	(*version[itemWords])(item).reclaim()
	for range 1000 {
		k.Read(0)
	}
	if err := k.Verify(); err == nil || !strings.Contains(err.Error(), "looks up key 2: want its item, have it in use for something else: reclaimed too early") {
		t.Errorf("Verify after an item was reclaimed that is still in the table: %v", err)
	}

	k = fresh()
	for range 1000 {
		if reclaim := k.Update(0); reclaim != nil {
			reclaim()
		}
	}
	if err := k.Verify(); err != nil {
		t.Errorf("Verify of a sound table: %v", err)
	}
	for k.Update(0) == nil {
	}
	if err := k.Verify(); err == nil || !strings.Contains(err.Error(), "to be used again") {
		t.Errorf("Verify after an item was never reclaimed: %v", err)
	}
}

// If a worker finds its table broken, Run returns the error.
func TestBrokenTable(t *testing.T) {
	s := quick(newShared(func(m *sharedMap) {
		m.load = func(key uint64, item *Item, ok bool) (*Item, bool) { return item, ok && key != 0 }
	}))
	s.Workload, s.Reads = map100, 50
	wrong(t, s, `lock "shared" is broken: workload map100, as worker`)
}

// Tables are refused for workloads that are no maps, and RCU without a table for those
// that are.
func TestTableUnsuited(t *testing.T) {
	table, flavour := newShared(faultless), newFlavour(ReclaimCall, sound)
	for _, test := range []struct {
		subject  Subject
		workload Workload
		want     string
	}{
		{table, map100, ""},
		{table, Workload{}, `lock "shared": is a map and no lock, want a lock for workload bare`},
		{table, workloadNamed(t, "record"), `lock "shared": is a map and no lock, want a lock for workload record`},
		{table, workloadNamed(t, "pool"), `lock "shared": is a map and no lock, want a lock for workload pool`},
		{flavour, map100, `lock "flavour": its readers keep no writer out, want a lock for workload map100: its data cannot be read while it is changed`},
		{subject[sequential]("sequential"), map100, `lock "sequential": its readers look at what is half written, want another lock for workload map100: they would follow a link that leads anywhere`},
		{Subject{Name: "neither"}, map100, `lock "neither": New is nil, want a function that returns a lock`},
	} {
		s := quick(test.subject)
		s.Workload = test.workload
		if got := fmt.Sprint(s.Validate()); got != test.want && (got != "<nil>" || test.want != "") {
			t.Errorf("Validate of %s with workload %q = %s, want %s", s.Name, s.Workload.Name, got, test.want)
		}
	}

	// A sweep reports it once.
	sweep := smallSweep()
	sweep.Subjects = []Subject{table}
	sweep.Extra = []Scenario{{Subject: table, CPUs: 1, Workers: 1}, {Subject: table, CPUs: 1, Workers: 1, Reads: 100}}
	const want = `lock "shared": is a map and no lock, want a lock for workload bare`
	if got := fmt.Sprint(sweep.Validate()); got != want {
		t.Errorf("Validate of a sweep = %s, want %s", got, want)
	}
}
