package hash_test

import (
	"fmt"
	"maps"
	"math/bits"
	"runtime"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/rcu/hash"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hashes are a good hash and bad ones.
var hashes = map[string]func(int) uint64{
	"maphash": nil,
	"itself":  func(key int) uint64 { return uint64(key) },
	"high":    func(key int) uint64 { return uint64(key) << 60 },
	"one":     func(int) uint64 { return 0 },
}

// A Map behaves as a map does.
func TestAgainstMap(t *testing.T) {
	for name, h := range hashes {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			got, want := hash.New[int, int](nil), map[int]int{}
			if h != nil {
				got.Hash = h
			}
			keys, values := rapid.IntRange(0, 40), rapid.Int()
			same := func(t *rapid.T, what string, v int, ok bool, wantV int, wantOK bool) {
				t.Helper()
				if v != wantV || ok != wantOK {
					t.Fatalf("%s = %d, %v, want %d, %v", what, v, ok, wantV, wantOK)
				}
			}
			t.Repeat(map[string]func(*rapid.T){
				"Store": func(t *rapid.T) {
					k, v := keys.Draw(t, "key"), values.Draw(t, "value")
					wantOld, there := want[k]
					old, replaced := got.Store(k, v)
					same(t, "Store", old, replaced, wantOld, there)
					want[k] = v
				},
				"Insert": func(t *rapid.T) {
					k, v := keys.Draw(t, "key"), values.Draw(t, "value")
					if _, there := want[k]; !there {
						want[k] = v
						now, inserted := got.Insert(k, v)
						same(t, "Insert", now, inserted, v, true)
						return
					}
					now, inserted := got.Insert(k, v)
					same(t, "Insert of a key that is there", now, inserted, want[k], false)
				},
				"Delete": func(t *rapid.T) {
					k := keys.Draw(t, "key")
					wantOld, there := want[k]
					old, deleted := got.Delete(k)
					same(t, "Delete", old, deleted, wantOld, there)
					delete(want, k)
				},
				"Load": func(t *rapid.T) {
					k := keys.Draw(t, "key")
					wantV, there := want[k]
					v, ok := got.Load(k)
					same(t, "Load", v, ok, wantV, there)
				},
				"": func(t *rapid.T) {
					if all := maps.Collect(got.Range); !maps.Equal(all, want) {
						t.Fatalf("the Map has %v, want %v", all, want)
					}
					if got.Len() != len(want) {
						t.Fatalf("Len = %d, want %d", got.Len(), len(want))
					}
					if _, err := got.Chains(); err != nil {
						t.Fatal(err)
					}
				},
			})
		}))
	}
}

// The number of chains is the least power of two that is no less than that of the
// keys, from 8 on, and keys spread over them.
func TestGrowth(t *testing.T) {
	m := hash.New[string, int](nil)
	for i := range 5000 {
		m.Store(fmt.Sprint("key ", i), i)
		if keys := i + 1; keys < 100 || keys == 5000 {
			want := max(8, 1<<bits.Len(uint(keys-1)))
			if n, err := m.Chains(); n != want || err != nil {
				t.Errorf("%d keys in %d chains, want %d; %v", keys, n, want, err)
			}
		}
	}
	for i := range 5000 {
		if v, ok := m.Load(fmt.Sprint("key ", i)); !ok || v != i {
			t.Fatalf("Load of key %d = %d, %v", i, v, ok)
		}
	}
}

func TestRangeBreaksOff(t *testing.T) {
	m := hash.New[int, int](nil)
	for i := range 100 {
		m.Store(i, i)
	}
	n := 0
	for range m.Range {
		if n++; n == 10 {
			break
		}
	}
	if n != 10 {
		t.Errorf("Range went on to %d keys after breaking off at 10", n)
	}
}

// Updaters exclude each other by the lock they brought.
func TestUpdatersLock(t *testing.T) {
	const updaters, times = 4, 2000
	var mu sync.Mutex
	m := hash.New[int, int](&mu)
	var wg sync.WaitGroup
	for u := range updaters {
		wg.Go(func() {
			for i := range times {
				m.Store(u*times+i, i)
				m.Insert(u*times+i, -1)
				if i%2 == 1 {
					m.Delete(u*times + i)
				}
			}
		})
	}
	wg.Wait()
	if got, want := m.Len(), updaters*times/2; got != want {
		t.Errorf("Len = %d, want %d", got, want)
	}
	if _, err := m.Chains(); err != nil {
		t.Error(err)
	}
	if !mu.TryLock() {
		t.Error("an updater left the lock locked")
	}
}

// The hash of a key that cannot be compared panics, and leaves no lock locked.
func TestPanicOfHashUnlocks(t *testing.T) {
	var mu sync.Mutex
	m := hash.New[any, int](&mu)
	key := any([]int{1})
	for name, update := range map[string]func(){
		"Store":  func() { m.Store(key, 1) },
		"Insert": func() { m.Insert(key, 1) },
		"Delete": func() { m.Delete(key) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of a key that cannot be compared did not panic", name)
				}
			}()
			update()
		}()
		if !mu.TryLock() {
			t.Fatalf("%s left the lock locked when it panicked", name)
		}
		mu.Unlock()
	}
}

// A value is plain memory that is used again after a grace period.
type value struct{ key, version int }

// Readers look up keys, half of which are there throughout, while an updater
// replaces, deletes and inserts them, and new ones make the table grow. If a reader
// has a value too late, the race detector sees it, or the value has another key.
func TestStress(t *testing.T) {
	const keys, updates, readers = 64, 20_000, 3
	m := hash.New[int, *value](nil)
	d := rcu.NewDomain(rcu.Config{})
	defer d.Close()
	pool := rcu.Pool[value]{Updater: &d.Updater, New: func() *value { return new(value) }}
	fresh := func(key, version int) *value {
		v := pool.Get()
		*v = value{key, version}
		return v
	}
	for key := range keys {
		m.Store(key, fresh(key, 0))
	}
	var over primitives.Bool
	var wg sync.WaitGroup
	for r := range readers {
		wg.Go(func() {
			for i := r; !over.Load(); i++ {
				key := i % keys
				s := d.ReadLock()
				v, ok := m.Load(key)
				switch {
				case ok && v.key != key:
					t.Errorf("Load of key %d has key %d", key, v.key)
				case !ok && key%2 == 0:
					t.Errorf("Load of key %d, which is there throughout, finds nothing", key)
				}
				d.ReadUnlock(s)
				if key == 0 {
					s := d.ReadLock()
					fixed := 0
					for key := range m.Range {
						if key < keys && key%2 == 0 {
							fixed++
						}
					}
					d.ReadUnlock(s)
					if fixed != keys/2 {
						t.Errorf("Range has %d keys that are there throughout, want %d", fixed, keys/2)
					}
					runtime.Gosched()
				}
			}
		})
	}
	for i := range updates {
		key := i * 7 % keys
		var old *value
		var had bool
		if key%2 == 0 || i/keys%2 == 0 {
			old, had = m.Store(key, fresh(key, i))
		} else {
			old, had = m.Delete(key)
		}
		if had {
			pool.Retire(old)
		}
		if i%10 == 0 {
			m.Store(keys+i, fresh(keys+i, i))
		}
		if i%100 == 0 {
			runtime.Gosched()
		}
	}
	over.Store(true)
	wg.Wait()
	if _, err := m.Chains(); err != nil {
		t.Error(err)
	}
}

func TestLoadAllocatesNothing(t *testing.T) {
	if !primitives.PinExcludes {
		t.Skip("hash/maphash allocates under the tag purego")
	}
	m := hash.New[string, int](nil)
	m.Store("key", 1)
	if n := testing.AllocsPerRun(100, func() { m.Load("key") }); n != 0 {
		t.Errorf("Load allocates %v times, want 0", n)
	}
}
