//go:build virtual

package hash_test

import (
	"fmt"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/rcu/hash"
)

func itself(key int) uint64 { return uint64(key) }

// finds checks that a reader finds keys that are there throughout, while others
// come, change and go, and the table grows from 1 chain to 4.
func finds(read func(m *check.Machine, t *hash.Map[int, int])) func(m *check.Machine) {
	return func(m *check.Machine) {
		t := hash.NewSmall[int, int](itself)
		t.Store(2, 2)
		m.GoAlike(2, func() {
			read(m, t)
			read(m, t)
		})
		m.GoNamed("updater", func() {
			t.Store(0, 0)
			t.Insert(4, 4)
			t.Store(2, 12)
			t.Delete(0)
			t.Store(6, 6)
		})
		m.Wait()
		if n, err := t.Chains(); err != nil || n != 4 {
			m.Failf("%d chains, want 4: %v", n, err)
		}
	}
}

func TestModelGrowth(t *testing.T) {
	property.Every(t, "Load", finds(func(m *check.Machine, t *hash.Map[int, int]) {
		if v, ok := t.Load(2); !ok || v != 2 && v != 12 {
			m.Failf("Load of a key that is there throughout = %d, %v", v, ok)
		}
	}))
	property.Every(t, "Range", finds(func(m *check.Machine, t *hash.Map[int, int]) {
		seen := map[int]int{}
		for key := range t.Range {
			seen[key]++
			if seen[key] > 1 {
				m.Failf("Range has key %d twice", key)
			}
		}
		if seen[2] == 0 {
			m.Failf("Range misses a key that is there throughout")
		}
	}))
}

// A mutex is the updaters' lock, as simple as can be.
type mutex struct{ held primitives.Bool }

func (l *mutex) Lock() {
	for spin := (primitives.Spin{}); !l.held.CompareAndSwap(false, true); {
		spin.Once()
	}
}

func (l *mutex) Unlock() { l.held.StoreRelease(false) }

// Updaters exclude each other by the lock that New was given: of what they do to
// one chain nothing is lost.
func TestModelUpdaters(t *testing.T) {
	updates := map[string]func(t *hash.Map[int, int], key int){
		"Store":  func(t *hash.Map[int, int], key int) { t.Store(key, 1) },
		"Insert": func(t *hash.Map[int, int], key int) { t.Insert(key+64, 1) },
		"Delete": func(t *hash.Map[int, int], key int) { t.Delete(key - 64) },
	}
	for name, update := range updates {
		property.Every(t, name, func(m *check.Machine) {
			t := hash.New[int, int](new(mutex))
			t.Hash = itself
			for _, key := range []int{0, 64} { // all are in chain 0
				t.Store(key, 0)
			}
			next := 0
			m.GoAlike(2, func() {
				next += 64
				update(t, next)
			})
			m.Wait()
			if _, err := t.Chains(); err != nil {
				m.Failf("%v", err)
			}
		})
	}
}

// reused checks that a value that was replaced or deleted can be used again after a
// grace period, whichever table readers have found it in.
func reused(gracePeriod func(*rcu.Registered), update func(t *hash.Map[int, *primitives.Cell[int]]) (old *primitives.Cell[int])) func(m *check.Machine) {
	return func(m *check.Machine) {
		t := hash.NewSmall[int, *primitives.Cell[int]](itself)
		d := rcu.NewRegistered(rcu.Config{})
		t.Store(0, new(primitives.Cell[int]))
		handles, next := []*rcu.Reader{d.Register(), d.Register()}, 0
		m.GoAlike(len(handles), func() {
			r := handles[next]
			next++
			r.ReadLock()
			if v, ok := t.Load(0); ok && v.Get() != 0 {
				m.Failf("read a value that is in use again")
			}
			r.ReadUnlock()
		})
		m.GoNamed("updater", func() {
			old := update(t)
			gracePeriod(d)
			old.Set(-1)
		})
		m.Wait()
	}
}

var updates = []struct {
	name string
	do   func(t *hash.Map[int, *primitives.Cell[int]]) (old *primitives.Cell[int])
}{
	{"StoreGrow", func(t *hash.Map[int, *primitives.Cell[int]]) *primitives.Cell[int] {
		old, _ := t.Store(0, new(primitives.Cell[int]))
		t.Store(1, nil)
		return old
	}},
	{"GrowStore", func(t *hash.Map[int, *primitives.Cell[int]]) *primitives.Cell[int] {
		t.Store(1, nil)
		old, _ := t.Store(0, new(primitives.Cell[int]))
		return old
	}},
	{"GrowDelete", func(t *hash.Map[int, *primitives.Cell[int]]) *primitives.Cell[int] {
		t.Store(1, nil)
		old, _ := t.Delete(0)
		return old
	}},
}

func TestModelReuse(t *testing.T) {
	for _, u := range updates {
		property.Every(t, u.name, reused(func(d *rcu.Registered) { d.Synchronize() }, u.do))
	}
}

// Without a grace period the model must notice the reuse; otherwise it shows nothing.
func TestModelReuseTooEarly(t *testing.T) {
	for _, u := range updates {
		r, err := check.Run(check.Config{}, reused(func(*rcu.Registered) {}, u.do))
		if err != nil || r.Failure == nil || r.Failure.Kind != check.DataRace {
			t.Errorf("%s, and reuse at once: %v (error %v), want a data race", u.name, r, err)
		}
	}
}

// An op is an operation on a key.
type op struct {
	name       string
	key, value int
}

// A state is the value of a key: 0 if it has none.
type state int

// answer is what an operation returned.
type answer struct {
	value int
	ok    bool
}

var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		var parts [3][]porcupine.Operation
		for _, o := range history {
			key := o.Input.(op).key
			parts[key] = append(parts[key], o)
		}
		return parts[:]
	},
	Init: func() any { return state(0) },
	Step: func(s, input, output any) (bool, any) {
		in, was := input.(op), s.(state)
		there := answer{int(was), was != 0}
		switch in.name {
		case "Load":
			return output == there, was
		case "Store":
			return output == there, state(in.value)
		case "Delete":
			return output == there, state(0)
		}
		if there.ok {
			return output == answer{int(was), false}, was
		}
		return output == answer{in.value, true}, state(in.value)
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v = %+v", input, output) },
}

// Each operation takes effect between its call and its return, also when the
// table grows meanwhile. All keys are in one chain until then.
func TestModelLinearizable(t *testing.T) {
	scripts := map[string][]op{
		"Replaced": {{"Store", 0, 2}, {"Store", 1, 3}, {"Store", 0, 4}},
		"Deleted":  {{"Delete", 0, 0}, {"Insert", 1, 5}, {"Insert", 0, 6}},
		"Moved":    {{"Insert", 1, 7}, {"Insert", 2, 8}, {"Delete", 0, 0}, {"Store", 0, 9}},
	}
	for name, script := range scripts {
		for _, keys := range [][]int{{0, 0}, {0, 1}, {1, 0}} {
			property.Every(t, fmt.Sprintf("%s/reads=%v", name, keys), func(m *check.Machine) {
				t := hash.NewSmall[int, int](itself)
				var h property.History
				do := func(worker int, o op) {
					done := h.Call(worker, o)
					var a answer
					switch o.name {
					case "Load":
						a.value, a.ok = t.Load(o.key)
					case "Store":
						a.value, a.ok = t.Store(o.key, o.value)
					case "Insert":
						a.value, a.ok = t.Insert(o.key, o.value)
					case "Delete":
						a.value, a.ok = t.Delete(o.key)
					}
					done(a)
				}
				do(0, op{"Store", 0, 1})
				m.GoNamed("updater", func() {
					for _, o := range script {
						do(1, o)
					}
				})
				m.GoNamed("reader", func() {
					for _, key := range keys {
						do(2, op{"Load", key, 0})
					}
				})
				m.Wait()
				h.Linearizable(m, register)
			})
		}
	}
}
