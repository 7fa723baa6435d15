package hash_test

import (
	containerlist "container/list"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/rcu/hash"
	"github.com/lockbench/lockbench/rcu/list"
)

// A subject is a table or list that goroutines read while another changes it.
type subject struct {
	name string
	// reader returns, for one goroutine, a loop of n reads, and a function to call
	// when the goroutine is done with it.
	reader func() (loop func(n int), end func())
	// update makes the i'th change.
	update func(i int)
	close  func()
}

func nothing() {}

const keys = 1024

// key is the i'th key to look up. The keys come in an order that a prefetcher does
// not know.
func key(i int) int { return i * 389 % keys }

// sum keeps the compiler from dropping the reads.
var sum primitives.Int64

// flavours are the flavours of RCU. A reader says after each section that it is
// quiet.
var flavours = []struct {
	name  string
	fresh func() rcu.Flavour
}{
	{"domain", func() rcu.Flavour { return rcu.NewDomain(rcu.Config{}) }},
	{"pinned", func() rcu.Flavour { return rcu.NewPinned(rcu.Config{}) }},
	{"registered", func() rcu.Flavour { return rcu.NewRegistered(rcu.Config{}) }},
	{"qsbr", func() rcu.Flavour { return rcu.NewQSBR(rcu.Config{}) }},
}

// lookups are tables of keys whose values an updater replaces; those of an
// rcu/hash Map are used again after a grace period.
func lookups() []subject {
	var all []subject
	for _, f := range flavours {
		u := f.fresh()
		m := hash.New[int, *int](nil)
		for k := range keys {
			m.Store(k, new(int))
		}
		pool := rcu.Pool[int]{Updater: u, New: func() *int { return new(int) }}
		all = append(all, subject{"map=rcu.hash/rcu=" + f.name, func() (func(int), func()) {
			r := u.NewHandle()
			return func(n int) {
				total := 0
				for i := range n {
					r.ReadLock()
					v, _ := m.Load(key(i))
					total += *v
					r.ReadUnlock()
					r.Quiescent()
				}
				sum.Add(int64(total))
			}, r.Unregister
		}, func(i int) {
			v := pool.Get()
			*v = i
			old, _ := m.Store(key(i), v)
			pool.Retire(old)
		}, u.Close})
	}
	// other makes a subject of a table that leaves old values to the collector.
	other := func(name string, load func(k int) *int, store func(k int, v *int)) subject {
		for k := range keys {
			store(k, new(int))
		}
		return subject{"map=" + name + "/rcu=none", func() (func(int), func()) {
			return func(n int) {
				total := 0
				for i := range n {
					total += *load(key(i))
				}
				sum.Add(int64(total))
			}, nothing
		}, func(i int) { store(key(i), &i) }, nothing}
	}
	var (
		alone   = hash.New[int, *int](nil)
		mu      sync.RWMutex
		guarded = map[int]*int{}
		std     sync.Map
		xs      = xsync.NewMap[int, *int]()
	)
	return append(all,
		other("rcu.hash", func(k int) *int { v, _ := alone.Load(k); return v }, func(k int, v *int) { alone.Store(k, v) }),
		other("sync.RWMutex", func(k int) *int {
			mu.RLock()
			v := guarded[k]
			mu.RUnlock()
			return v
		}, func(k int, v *int) {
			mu.Lock()
			guarded[k] = v
			mu.Unlock()
		}),
		other("sync.Map", func(k int) *int { v, _ := std.Load(k); return v.(*int) }, func(k int, v *int) { std.Store(k, v) }),
		other("xsync.Map", func(k int) *int { v, _ := xs.Load(k); return v }, func(k int, v *int) { xs.Store(k, v) }),
	)
}

const elements = 100

// traversals are lists whose elements an updater replaces, one after the other;
// those of an rcu/list are used again after a grace period.
func traversals() []subject {
	var all []subject
	for _, f := range flavours {
		u := f.fresh()
		var l list.List[int]
		for i := range elements {
			l.AddBack(&list.Node[int]{Value: i})
		}
		pool := rcu.Pool[list.Node[int]]{Updater: u, New: func() *list.Node[int] { return new(list.Node[int]) }}
		all = append(all, subject{"list=rcu.list/rcu=" + f.name, func() (func(int), func()) {
			r := u.NewHandle()
			return func(n int) {
				total := 0
				for range n {
					r.ReadLock()
					for e := range l.All() {
						total += e.Value
					}
					r.ReadUnlock()
					r.Quiescent()
				}
				sum.Add(int64(total))
			}, r.Unregister
		}, func(i int) {
			n := pool.Get()
			n.Value = i
			l.AddBack(n)
			pool.Retire(l.Delete(l.Front()))
		}, u.Close})
	}
	var mu sync.RWMutex
	guarded := containerlist.New()
	for i := range elements {
		guarded.PushBack(i)
	}
	return append(all, subject{"list=sync.RWMutex/rcu=none", func() (func(int), func()) {
		return func(n int) {
			total := 0
			for range n {
				mu.RLock()
				for e := guarded.Front(); e != nil; e = e.Next() {
					total += e.Value.(int)
				}
				mu.RUnlock()
			}
			sum.Add(int64(total))
		}, nothing
	}, func(i int) {
		mu.Lock()
		guarded.PushBack(i)
		guarded.Remove(guarded.Front())
		mu.Unlock()
	}, nothing})
}

// read lets goroutines on all CPUs read n times in all, and returns how long that
// takes, by the clock.
func read(s *subject, n int) time.Duration {
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	var start sync.WaitGroup
	start.Add(1)
	for range workers {
		wg.Go(func() {
			loop, end := s.reader()
			defer end()
			start.Wait()
			loop(n/workers + 1)
		})
	}
	began := time.Now()
	start.Done()
	wg.Wait()
	return time.Since(began)
}

// updated runs f while the subject that is current is updated 1,000 times a
// second.
func updated(current *primitives.Pointer[subject], f func()) {
	var over primitives.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for i := 0; !over.Load(); i++ {
			<-tick.C
			if s := current.Load(); s != nil {
				s.update(i)
			}
		}
	})
	f()
	over.Store(true)
	wg.Wait()
}

func each(b *testing.B, fresh func() []subject) {
	all := fresh()
	for i := range all {
		s := &all[i]
		for _, updates := range []int{0, 1000} {
			b.Run(fmt.Sprintf("%s/updates=%d", s.name, updates), func(b *testing.B) {
				if updates == 0 {
					read(s, b.N)
					return
				}
				var current primitives.Pointer[subject]
				current.Store(s)
				updated(&current, func() {
					b.ResetTimer()
					read(s, b.N)
					b.StopTimer()
				})
			})
		}
		s.close()
	}
}

// paired runs all subjects in turn, b.N rounds of some milliseconds each. It reports
// the medians of the time of a read, and of its ratio to that of the last subject in
// the same round.
func paired(b *testing.B, fresh func() []subject, reads int) {
	all := fresh()
	times, ratios := make([][]float64, len(all)), make([][]float64, len(all))
	var current primitives.Pointer[subject]
	updated(&current, func() {
		for b.Loop() {
			round := make([]float64, len(all))
			for i := range all {
				current.Store(&all[i])
				round[i] = float64(read(&all[i], reads).Nanoseconds()) / float64(reads)
				times[i] = append(times[i], round[i])
			}
			for i := range all {
				ratios[i] = append(ratios[i], round[i]/round[len(all)-1])
			}
		}
	})
	b.ReportMetric(0, "ns/op") // has no meaning here
	for i := range all {
		b.ReportMetric(median(times[i]), all[i].name+"-ns")
		b.ReportMetric(median(ratios[i]), all[i].name+"-ratio")
		all[i].close()
	}
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// BenchmarkLookup looks up keys on all CPUs at once.
func BenchmarkLookup(b *testing.B) { each(b, lookups) }

// BenchmarkTraversal is the same for a walk along a list of 100 elements.
func BenchmarkTraversal(b *testing.B) { each(b, traversals) }

// BenchmarkLookupPaired is BenchmarkLookup with 1,000 updates a second, in turns
// of 100,000 lookups; the ratios are to xsync.Map.
//
//	go test -run - -bench LookupPaired -cpu 1,2 -benchtime 100x ./rcu/hash
func BenchmarkLookupPaired(b *testing.B) { paired(b, lookups, 100_000) }

// BenchmarkTraversalPaired is BenchmarkTraversal in the same way; the ratios are to a
// container/list and a sync.RWMutex.
func BenchmarkTraversalPaired(b *testing.B) { paired(b, traversals, 10_000) }
