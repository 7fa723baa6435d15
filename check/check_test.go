//go:build virtual

package check_test

import (
	"context"
	"fmt"
	"maps"
	"math/bits"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// The number of schedules is known for these programs, and the search runs no
// schedule too many.
func TestExactCounts(t *testing.T) {
	expect := func(name string, want int, body func(m *check.Machine)) {
		t.Helper()
		r := check.Explore(t, check.Config{}, body)
		if r.Schedules != want || r.Abandoned != 0 || !r.Ended {
			t.Errorf("%s: %d schedules and %d abandoned, want %d and 0", name, r.Schedules, r.Abandoned, want)
		}
	}
	factorial := 1
	for k := 1; k <= 7; k++ {
		factorial *= k
		expect(fmt.Sprintf("%d workers add to one word", k), factorial, func(m *check.Machine) {
			var word primitives.Uint32
			for range k {
				m.Go(func() { word.Add(1) })
			}
			m.Wait()
			m.Assert(word.Load() == uint32(k))
		})
		expect(fmt.Sprintf("%d workers, all alike, add to one word", k), 1, func(m *check.Machine) {
			var word primitives.Uint32
			m.GoAlike(k, func() { word.Add(1) })
			m.Wait()
			m.Assert(word.Load() == uint32(k))
		})
		expect(fmt.Sprintf("a writer and %d readers", k), 1<<k, func(m *check.Machine) {
			var word primitives.Uint32
			m.Go(func() { word.Store(1) })
			for range k {
				m.Go(func() { word.Load() })
			}
		})
		expect(fmt.Sprintf("%d workers, a word each", k), 1, func(m *check.Machine) {
			words := make([]primitives.Uint64, k)
			for i := range words {
				m.Go(func() { words[i].Store(1); words[i].Add(1) })
			}
		})
		// Loads of the worker's own latest store see the same in the store buffer and
		// in memory, also if others wrote before that.
		expect(fmt.Sprintf("%d loads of the own store", k), 1, func(m *check.Machine) {
			var word primitives.Uint32
			m.Go(func() {
				word.StoreRelease(1)
				for range k {
					word.Load()
				}
			})
		})
		expect(fmt.Sprintf("%d loads of the own store, and another's", k), k+2, func(m *check.Machine) {
			var word primitives.Uint32
			m.Go(func() {
				word.StoreRelease(1)
				for range k {
					word.Load()
				}
			})
			m.Go(func() { word.Store(2) })
		})
	}
}

// litmus runs two workers that share x and y, and returns what they can have
// read: "01" if the first read 0 and the second 1.
func litmus(t *testing.T, first, second func(x, y *primitives.Uint32) uint32) []string {
	seen := map[string]bool{}
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		var x, y primitives.Uint32
		var a, b uint32
		m.Go(func() { a = first(&x, &y) })
		m.Go(func() { b = second(&x, &y) })
		m.Wait()
		seen[fmt.Sprint(a, b)] = true
	})
	return slices.Sorted(maps.Keys(seen))
}

func TestLitmus(t *testing.T) {
	for _, test := range []struct {
		name          string
		first, second func(x, y *primitives.Uint32) uint32
		want          string
	}{
		{"store buffering, Store", // Dekker: at least one worker sees the other
			func(x, y *primitives.Uint32) uint32 { x.Store(1); return y.Load() },
			func(x, y *primitives.Uint32) uint32 { y.Store(1); return x.Load() },
			"0 1, 1 0, 1 1"},
		{"store buffering, StoreRelease", // neither need see the other
			func(x, y *primitives.Uint32) uint32 { x.StoreRelease(1); return y.Load() },
			func(x, y *primitives.Uint32) uint32 { y.StoreRelease(1); return x.Load() },
			"0 0, 0 1, 1 0, 1 1"},
		{"store buffering, one fence is not enough",
			func(x, y *primitives.Uint32) uint32 { x.StoreRelease(1); return y.Load() },
			func(x, y *primitives.Uint32) uint32 { y.Store(1); return x.Load() },
			"0 0, 0 1, 1 0, 1 1"},
		{"store buffering, an Add is a fence",
			func(x, y *primitives.Uint32) uint32 { x.StoreRelease(1); y.Add(0); return y.Load() },
			func(x, y *primitives.Uint32) uint32 { y.StoreRelease(1); x.Add(0); return x.Load() },
			"0 1, 1 0, 1 1"},
		{"message passing", // stores keep their order
			func(x, y *primitives.Uint32) uint32 { x.StoreRelease(1); y.StoreRelease(1); return 0 },
			func(x, y *primitives.Uint32) uint32 { flag := y.Load(); return 2*flag + x.Load() },
			"0 0, 0 1, 0 3"},
		{"load buffering", // loads do not pass later stores
			func(x, y *primitives.Uint32) uint32 { r := x.Load(); y.StoreRelease(1); return r },
			func(x, y *primitives.Uint32) uint32 { r := y.Load(); x.StoreRelease(1); return r },
			"0 0, 0 1, 1 0"},
		{"a CPU sees its own stores", // before the others do
			func(x, y *primitives.Uint32) uint32 { x.StoreRelease(1); r := x.Load(); return 2*r + y.Load() },
			func(x, y *primitives.Uint32) uint32 { y.StoreRelease(1); r := y.Load(); return 2*r + x.Load() },
			"2 2, 2 3, 3 2, 3 3"},
		{"a byte's store waits for a load of the word",
			func(x, y *primitives.Uint32) uint32 { x.Store(0x101); x.ClearLowByteRelease(); return x.Load() },
			func(x, y *primitives.Uint32) uint32 { return x.Or(0) },
			"256 0, 256 256, 256 257"},
	} {
		if got := strings.Join(litmus(t, test.first, test.second), ", "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// Independent reads of independent writes: two readers agree on which of two words
// was written first, even if the stores were in buffers, because a store leaves its
// buffer for all workers at once.
func TestIRIW(t *testing.T) {
	type store = func(*primitives.Uint32, uint32)
	for name, store := range map[string]store{"Store": (*primitives.Uint32).Store, "StoreRelease": (*primitives.Uint32).StoreRelease} {
		seen := make(map[string]bool)
		check.Explore(t, check.Config{}, func(m *check.Machine) {
			var x, y primitives.Uint32
			var a, b, c, d uint32
			m.Go(func() { store(&x, 1) })
			m.Go(func() { store(&y, 1) })
			m.Go(func() { a, b = x.Load(), y.Load() })
			m.Go(func() { c, d = y.Load(), x.Load() })
			m.Wait()
			seen[fmt.Sprint(a, b, c, d)] = true
		})
		if seen["1 0 1 0"] || len(seen) != 15 {
			t.Errorf("%s: %d outcomes, %v; want all 16 but 1 0 1 0", name, len(seen), slices.Sorted(maps.Keys(seen)))
		}
	}
}

// Exclusion by loads and stores alone relies on loads that come after stores: Store
// keeps that order, StoreRelease does not.
func TestMutualExclusionByWords(t *testing.T) {
	type store = func(*primitives.Uint32, uint32)
	wait := func(cond func() bool) {
		var spin primitives.Spin
		for !cond() {
			spin.Once()
		}
	}
	// Each returns what worker me does to acquire and to release.
	algorithms := map[string]func(store store) (lock, unlock func(me int)){
		"Dekker": func(store store) (lock, unlock func(me int)) {
			var wants [2]primitives.Uint32
			var turn primitives.Uint32
			lock = func(me int) {
				other := 1 - me
				store(&wants[me], 1)
				for wants[other].Load() != 0 {
					if turn.Load() == uint32(me) {
						wait(func() bool { return wants[other].Load() == 0 })
						return
					}
					store(&wants[me], 0)
					wait(func() bool { return turn.Load() == uint32(me) })
					store(&wants[me], 1)
				}
			}
			return lock, func(me int) {
				store(&turn, uint32(1-me))
				store(&wants[me], 0)
			}
		},
		"Peterson": func(store store) (lock, unlock func(me int)) {
			var wants [2]primitives.Uint32
			var turn primitives.Uint32
			lock = func(me int) {
				other := 1 - me
				store(&wants[me], 1)
				store(&turn, uint32(other))
				wait(func() bool { return wants[other].Load() == 0 || turn.Load() == uint32(me) })
			}
			return lock, func(me int) { store(&wants[me], 0) }
		},
	}
	for name, fresh := range algorithms {
		body := func(store store) func(m *check.Machine) {
			return func(m *check.Machine) {
				lock, unlock := fresh(store)
				var n primitives.Cell[int] // guarded by the lock
				for me := range 2 {
					m.Go(func() {
						for range 2 {
							lock(me)
							n.Set(n.Get() + 1)
							unlock(me)
						}
					})
				}
				m.Wait()
				m.Assert(n.Get() == 4)
			}
		}
		check.Explore(t, check.Config{}, body((*primitives.Uint32).Store))
		if f := fails(t, check.Config{}, body((*primitives.Uint32).StoreRelease)); f.Kind != check.DataRace {
			t.Errorf("%s with StoreRelease: a %s, %s; want a data race", name, f.Kind, f.Message)
		}
	}
}

// fails runs a body that must fail, and returns how.
func fails(t *testing.T, cfg check.Config, body func(m *check.Machine)) *check.Failure {
	t.Helper()
	r, err := check.Run(cfg, body)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failure == nil {
		t.Fatalf("no failure in %v", r)
	}
	return r.Failure
}

func TestFailures(t *testing.T) {
	for _, test := range []struct {
		want check.Kind
		body func(m *check.Machine)
	}{
		{check.Assertion, func(m *check.Machine) { // a lost update
			var word primitives.Uint32
			for range 2 {
				m.Go(func() { word.Store(word.Load() + 1) })
			}
			m.Wait()
			m.Assert(word.Load() == 2)
		}},
		{check.Panic, func(m *check.Machine) {
			var words [2]primitives.Uint32
			m.Go(func() { words[words[0].Load()].Load(); _ = words[words[0].Load()+words[1].Load()] })
			m.Go(func() { words[0].Store(1); words[1].Store(1) })
		}},
		{check.DataRace, func(m *check.Machine) {
			var data primitives.Cell[int]
			var ready primitives.Bool
			m.Go(func() { ready.Store(true); data.Set(1) })
			m.Go(func() {
				if ready.Load() {
					data.Get()
				}
			})
		}},
		{check.Deadlock, func(m *check.Machine) { // AB-BA
			var a, b primitives.Uint32
			lock := func(word *primitives.Uint32) {
				var spin primitives.Spin
				for !word.CompareAndSwap(0, 1) {
					spin.Once()
				}
			}
			m.Go(func() { lock(&a); lock(&b); b.Store(0); a.Store(0) })
			m.Go(func() { lock(&b); lock(&a); a.Store(0); b.Store(0) })
		}},
		{check.Deadlock, func(m *check.Machine) { // a worker's own store ends no wait when it comes to memory
			var word primitives.Uint32
			m.Go(func() {
				var spin primitives.Spin
				word.StoreRelease(1)
				word.Load()
				spin.Once()
				m.Failf("the wait has ended")
			})
		}},
		{check.Deadlock, func(m *check.Machine) { // the same for a wait for one of two words
			var a, b primitives.Uint32
			m.Go(func() {
				var spin primitives.Spin
				a.StoreRelease(1)
				a.Load()
				b.Load()
				spin.Once()
				m.Failf("the wait has ended")
			})
		}},
		{check.Deadlock, func(m *check.Machine) { // a lost wake-up
			var parker primitives.Parker
			var sleeps primitives.Bool
			m.Go(func() { sleeps.Store(true); parker.Park() })
			m.Go(func() {
				if sleeps.Load() {
					parker.Unpark()
				}
			})
		}},
		{check.Deadlock, func(m *check.Machine) { // only a cancellation would help, and it need not come
			var parker primitives.Parker
			ctx := m.Context()
			m.Go(func() { parker.ParkContext(ctx) })
		}},
		{check.Livelock, func(m *check.Machine) {
			var word primitives.Uint32
			m.Go(func() {
				for word.Add(1) > 0 {
				}
			})
		}},
		{check.Misuse, func(m *check.Machine) {
			var parker primitives.Parker
			m.Go(func() { parker.Park() })
			m.Go(func() { parker.Park() })
		}},
		{check.Misuse, func(*check.Machine) { primitives.Unpin() }},
	} {
		f := fails(t, check.Config{Steps: 500}, test.body)
		if f.Kind != test.want {
			t.Errorf("have a %s, %s; want a %s", f.Kind, f.Message, test.want)
		}
		again := fails(t, check.Config{Steps: 500, Replay: f.Token}, test.body)
		if again.String() != f.String() {
			t.Errorf("replay of %s:\n%vwant\n%v", f.Token, again, f)
		}
	}
}

// None of these fails.
func TestSound(t *testing.T) {
	for name, body := range map[string]func(m *check.Machine){
		"message passing orders data": func(m *check.Machine) {
			var data primitives.Cell[int]
			var ready primitives.Bool
			m.Go(func() { data.Set(1); ready.StoreRelease(true) })
			m.Go(func() {
				if ready.Load() {
					m.Assert(data.Get() == 1)
				}
			})
		},
		"Go and Wait order data": func(m *check.Machine) {
			var data primitives.Cell[int]
			data.Set(1)
			m.Go(func() { data.Set(data.Get() + 1) })
			m.Wait()
			m.Assert(data.Get() == 2)
		},
		"Unpark orders data": func(m *check.Machine) {
			var data primitives.Cell[int]
			var parker primitives.Parker
			m.Go(func() { parker.Park(); m.Assert(data.Get() == 1) })
			m.Go(func() { data.Set(1); parker.Unpark() })
		},
		"a timeout ends a wait": func(m *check.Machine) {
			var parker primitives.Parker
			m.Assert(!parker.ParkTimeout(time.Second))
		},
		"a bounded spin ends": func(m *check.Machine) {
			var word primitives.Uint32
			var spin primitives.Spin
			for word.Load() == 0 && spin.Try() {
			}
		},
		"a spinner sees what it waits for among several": func(m *check.Machine) {
			var words [3]primitives.Uint32
			for i := range words {
				m.Go(func() { words[i].Store(1) })
			}
			var spin primitives.Spin
			for words[0].Load()+words[1].Load()+words[2].Load() < 3 {
				spin.Once()
			}
		},
		"Membarrier drains the buffers of all": func(m *check.Machine) {
			// The asymmetric form of Dekker: the rare side pays for both.
			var x, y primitives.Uint32
			var a, b uint32
			m.Go(func() { x.StoreRelease(1); a = y.Load() })
			m.Go(func() { y.Store(1); m.Membarrier(); b = x.Load() })
			m.Wait()
			m.Assert(a+b > 0)
		},
		"a loop ends when another worker gets a turn": addsUntilStopped,
		"spinners wake each other until another worker gets a turn": func(m *check.Machine) {
			var word primitives.Uint32
			var stop primitives.Bool
			m.GoAlike(2, func() {
				var spin primitives.Spin
				for !stop.Load() {
					word.Add(1)
					word.Load()
					spin.Once()
				}
			})
			m.Go(func() { stop.Store(true) })
		},
	} {
		if r, err := check.Run(check.Config{Steps: 40, Schedules: 10_000}, body); err != nil || r.Failure != nil {
			t.Errorf("%s: %v\n%v %v", name, r, r.Failure, err)
		}
	}
}

func addsUntilStopped(m *check.Machine) {
	var word primitives.Uint32
	var stop primitives.Bool
	m.Go(func() {
		for !stop.Load() {
			word.Add(1)
		}
	})
	m.Go(func() { stop.Store(true) })
}

// A loop that another worker could end may last until the steps run out. The report
// counts the executions that were cut short so, and the search includes all numbers
// of rounds before that.
func TestLongSchedules(t *testing.T) {
	rounds := make(map[uint32]bool)
	const steps = 40
	r := check.Explore(t, check.Config{Steps: steps}, func(m *check.Machine) {
		var word primitives.Uint32
		var stop primitives.Bool
		m.Go(func() {
			for !stop.Load() {
				word.Add(1)
			}
		})
		m.Go(func() { stop.Store(true) })
		m.Wait()
		rounds[word.Load()] = true
	})
	if !r.Ended || r.Long == 0 || !strings.Contains(r.String(), "every schedule of at most 20 steps") {
		t.Errorf("%v, of which %d were long; want it to end and to name the bound", r, r.Long)
	}
	for n := range uint32(steps/4 - 1) {
		if !rounds[n] {
			t.Errorf("no schedule has %d rounds: %v", n, rounds)
		}
	}
	// A failure within the limit is still found.
	f := fails(t, check.Config{Steps: steps}, func(m *check.Machine) {
		var word primitives.Uint32
		var stop primitives.Bool
		m.Go(func() {
			for !stop.Load() {
				word.Add(1)
			}
		})
		m.Go(func() { m.Assert(word.Load() != 3); stop.Store(true) })
	})
	if f.Kind != check.Assertion {
		t.Errorf("have a %s, %s; want an assertion", f.Kind, f.Message)
	}
}

// The clock shows that a timeout is over, and that two workers sleep at the same
// time; and a loop until it is late ends.
func TestClock(t *testing.T) {
	const second = int64(time.Second)
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		var parker primitives.Parker
		began := primitives.Nanotime()
		m.Assert(!parker.ParkTimeout(time.Second))
		m.Assert(primitives.Nanotime()-began == second)
		primitives.Sleep(time.Second)
		m.Assert(primitives.Nanotime()-began == 2*second)
	})
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		began := primitives.Nanotime()
		m.GoAlike(2, func() { primitives.Sleep(time.Second) })
		m.Wait()
		took := primitives.Nanotime() - began
		m.Assert(took >= second && took <= 2*second)
	})
	// At the same time, or one after the other; a worker that looks sees it or not.
	seen := make(map[string]bool)
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		var looked int64
		m.GoNamed("first", func() { primitives.Sleep(time.Second) })
		m.GoNamed("second", func() { primitives.Sleep(time.Second) })
		m.GoNamed("looks", func() { looked = primitives.Nanotime() })
		m.Wait()
		seen[fmt.Sprint(looked/second, primitives.Nanotime()/second)] = true
	})
	if got, want := slices.Sorted(maps.Keys(seen)), []string{"0 1", "0 2", "1 1", "1 2", "2 2"}; !slices.Equal(got, want) {
		t.Errorf("seconds seen, and in all: %v, want %v", got, want)
	}
	r := check.Explore(t, check.Config{Steps: 200}, func(*check.Machine) {
		for began := primitives.Nanotime(); primitives.Nanotime()-began < second; {
		}
	})
	if r.Schedules != 1 || r.Long != 1 {
		t.Errorf("a loop until it is late: %v, of which %d are long; want 1 of 1", r, r.Long)
	}
}

// A worker that leaves by runtime.Goexit, as t.Fatal does, fails on a schedule that
// replays.
func TestGoexit(t *testing.T) {
	for name, body := range map[string]func(m *check.Machine){
		"body": func(m *check.Machine) {
			if m.Choose(2) == 1 {
				runtime.Goexit()
			}
		},
		"worker": func(m *check.Machine) {
			var word primitives.Uint32
			m.GoAlike(2, func() {
				if word.Add(1) == 2 {
					runtime.Goexit()
				}
			})
			m.Wait()
		},
	} {
		f := fails(t, check.Config{}, body)
		if f.Kind != check.Misuse || !strings.Contains(f.Message, "runtime.Goexit") || f.Token == "" {
			t.Errorf("%s: a %s, %s; want a misuse that says runtime.Goexit", name, f.Kind, f.Message)
		}
		if again := fails(t, check.Config{Replay: f.Token}, body); again.String() != f.String() {
			t.Errorf("%s: replay of %s:\n%vwant\n%v", name, f.Token, again, f)
		}
	}
}

// A call that could give up the CPU in a pinned section ends the program on the host.
// Here it fails, and the failure says which worker made it, where, and what to do
// instead.
func TestPinnedMustNotBlock(t *testing.T) {
	var parker primitives.Parker
	var word primitives.Uint32
	pinned := func(f func()) func(*check.Machine) {
		return func(m *check.Machine) {
			m.GoNamed("pinned", func() { primitives.Pin(); f(); primitives.Unpin() })
			m.Go(func() { word.Store(1); parker.Unpark() })
		}
	}
	spin := func(wait func(*primitives.Spin)) func() {
		return func() {
			var s primitives.Spin
			for word.Load() == 0 {
				wait(&s)
			}
		}
	}
	once := spin((*primitives.Spin).Once)
	pinnedOnce := func() { s := primitives.Spin{Pinned: true}; spin(func(*primitives.Spin) { s.Once() })() }
	pinnedAwait := func() { parker.Await(primitives.Spin{Pinned: true}) }
	for name, test := range map[string]struct {
		body func(*check.Machine)
		want string
	}{
		"Park":              {pinned(parker.Park), "parks in a pinned section"},
		"ParkTimeout":       {pinned(func() { parker.ParkTimeout(time.Second) }), "want Park after Unpin"},
		"ParkContext":       {pinned(func() { parker.ParkContext(context.Background()) }), "parks in a pinned section"},
		"Await":             {pinned(func() { parker.Await(primitives.Spin{}) }), "waits for a wake-up with a Spin that may yield"},
		"Sleep":             {pinned(func() { primitives.Sleep(time.Second) }), "sleeps in a pinned section"},
		"GiveWay":           {pinned(primitives.GiveWay), "gives way in a pinned section"},
		"Once":              {pinned(once), "want Spin.Pinned"},
		"Once in line":      {pinned(func() { s := primitives.Spin{InLine: true}; s.Once() }), "waits with a Spin that may yield"},
		"OnceFor":           {pinned(spin(func(s *primitives.Spin) { s.OnceFor(time.Microsecond) })), "waits with a Spin that may yield"},
		"Doze":              {pinned(spin(func(s *primitives.Spin) { s.Doze(time.Microsecond) })), "waits with a Spin that may yield"},
		"nested":            {pinned(func() { primitives.Pin(); primitives.Unpin(); once() }), "waits with a Spin that may yield"},
		"Get":               {pinned(func() { new(primitives.Pool[int]).Get() }), "takes from a Pool in a pinned section"},
		"Put":               {pinned(func() { new(primitives.Pool[int]).Put(new(int)) }), "gives to a Pool in a pinned section"},
		"Wait":              {func(m *check.Machine) { primitives.Pin(); m.Wait(); primitives.Unpin() }, "waits for other workers in a pinned section"},
		"an Unpin too many": {pinned(primitives.Unpin), "pinned calls Unpin without a Pin before it"},
		"an Unpin too few":  {pinned(func() { primitives.Pin() }), "pinned has ended and is still pinned"},
		"the body":          {func(*check.Machine) { primitives.Pin() }, "body has ended and is still pinned"},
		"a false Spin":      {pinned(func() { primitives.Unpin(); pinnedOnce(); primitives.Pin() }), "waits with a Spin that says Pinned, and is not"},
		"a false Await":     {pinned(func() { primitives.Unpin(); pinnedAwait(); primitives.Pin() }), "waits for a wake-up with a Spin that says Pinned, and is not"},
	} {
		for _, cpus := range []int{0, 2} {
			f := fails(t, check.Config{CPUs: cpus}, test.body)
			if f.Kind != check.Misuse || !strings.Contains(f.Message, test.want) {
				t.Errorf("%s, %d CPUs: a %s, %s; want a misuse, %s", name, cpus, f.Kind, f.Message, test.want)
			}
			last := f.Steps[len(f.Steps)-1]
			if !last.Failed || !strings.HasSuffix(last.File, "check_test.go") {
				t.Errorf("%s, %d CPUs: %+v, want a place in this file", name, cpus, last)
			}
		}
	}
	for name, body := range map[string]func(*check.Machine){
		"pinned Spin":  pinned(pinnedOnce),
		"pinned Await": pinned(pinnedAwait),
		"Until": func(m *check.Machine) {
			until := func() { m.Until(func() bool { return word.Load() == 1 }) }
			m.Go(func() { primitives.Pin(); until(); primitives.Unpin(); until() })
			m.Go(func() { word.Store(1) })
		},
		"tries":       pinned(spin(func(s *primitives.Spin) { s.TryFor(time.Microsecond); word.Store(1) })),
		"wakes":       pinned(parker.Handoff),
		"nested":      pinned(func() { primitives.Pin(); primitives.Unpin() }),
		"after Unpin": pinned(func() { primitives.Unpin(); once(); primitives.Pin() }),
	} {
		for _, cpus := range []int{0, 2} {
			if r, err := check.Run(check.Config{CPUs: cpus}, body); err != nil || r.Failure != nil {
				t.Errorf("%s, %d CPUs: %v %v\n%v", name, cpus, err, r, r.Failure)
			}
		}
	}
}

// A worker that waits pinned to the only CPU keeps it from the worker it waits for,
// if that is not pinned. With more CPUs, or where the worker before it is pinned until
// its release, no wait is without end.
func TestPinnedToTheOnlyCPU(t *testing.T) {
	var word primitives.Uint32
	var parker primitives.Parker
	lock := func() {
		primitives.Pin()
		spin := primitives.Spin{Pinned: true}
		for !word.CompareAndSwap(0, 1) {
			spin.Once()
		}
	}
	good := func() { lock(); word.StoreRelease(0); primitives.Unpin() }
	early := func() { lock(); primitives.Unpin(); word.StoreRelease(0) }
	pause := func() {
		primitives.Pin()
		spin := primitives.Spin{Pinned: true}
		spin.Once() // before it has looked at anything
		primitives.Unpin()
	}
	awaits := func() {
		primitives.Pin()
		parker.Await(primitives.Spin{Pinned: true})
		primitives.Unpin()
	}
	for _, test := range []struct {
		name string
		cpus int
		body func(*check.Machine)
		want string
	}{
		{"an early Unpin", 1, func(m *check.Machine) { m.GoAlike(2, early) }, "worker 2 is pinned to the only CPU"},
		{"an early Unpin", 2, func(m *check.Machine) { m.GoAlike(2, early) }, ""},
		{"an early Unpin", 0, func(m *check.Machine) { m.GoAlike(2, early) }, ""},
		{"Unpin in time", 1, func(m *check.Machine) { m.GoAlike(3, good) }, ""},
		{"a pause", 1, func(m *check.Machine) { m.GoAlike(2, pause) }, ""},
		{"Await", 1, func(m *check.Machine) { m.GoNamed("waiter", awaits); m.Go(parker.Unpark) }, "waiter is pinned to the only CPU"},
		{"Until", 1, func(m *check.Machine) {
			m.GoNamed("waiter", func() {
				primitives.Pin()
				m.Until(func() bool { return word.Load() == 1 })
				primitives.Unpin()
			})
			m.Go(func() { word.Store(1) })
		}, "waiter is pinned to the only CPU"},
		{"Await", 2, func(m *check.Machine) { m.GoNamed("waiter", awaits); m.Go(parker.Unpark) }, ""},
		{"Await of a wake-up that has come", 1, func(m *check.Machine) { parker.Unpark(); m.Go(awaits) }, ""},
	} {
		r, err := check.Run(check.Config{CPUs: test.cpus}, test.body)
		switch f := r.Failure; {
		case err != nil:
			t.Fatal(err)
		case f == nil:
			if test.want != "" {
				t.Errorf("%s, %d CPUs: %v, want a deadlock", test.name, test.cpus, r)
			}
		case f.Kind != check.Deadlock || test.want == "" || !strings.Contains(f.Message, test.want):
			t.Errorf("%s, %d CPUs: want %q, have %v", test.name, test.cpus, test.want, f)
		default:
			t.Logf("%v", f)
		}
	}
}

// A worker gets back from a Pool what it gave up, unchanged. Another worker does not
// get it, nor does the next schedule.
func TestPool(t *testing.T) {
	var pool, other primitives.Pool[int]
	for range 2 {
		check.Explore(t, check.Config{}, func(m *check.Machine) {
			m.GoAlike(2, func() {
				v, w := pool.Get(), pool.Get()
				m.Assert(*v == 0 && *w == 0)
				*v, *w = 1, 2
				pool.Put(v)
				pool.Put(w)
				m.Assert(*other.Get() == 0)
				m.Assert(*pool.Get() == 2)
				m.Assert(*pool.Get() == 1)
				m.Assert(*pool.Get() == 0)
			})
			m.Wait()
			m.Assert(*pool.Get() == 0)
		})
	}
}

// A node is read after its waiter was woken: by then the node can be in use for
// something else. Only a pool that gives it out again shows that.
func TestPoolShowsUseAfterPut(t *testing.T) {
	type node struct {
		told primitives.Bool
		next primitives.Uint32
	}
	body := func(early bool) func(m *check.Machine) {
		return func(m *check.Machine) {
			var pool primitives.Pool[node]
			var line primitives.Pointer[node]
			wait := func(next uint32) {
				n := pool.Get()
				n.told.Store(false)
				n.next.Store(next)
				line.Store(n)
				var spin primitives.Spin
				for !n.told.Load() {
					spin.Once()
				}
				pool.Put(n)
			}
			m.GoNamed("waits", func() { wait(1); wait(2) })
			m.GoNamed("tells", func() {
				for i := range uint32(2) {
					var spin primitives.Spin
					for line.Load() == nil {
						spin.Once()
					}
					n := line.Swap(nil)
					if early {
						m.Assert(n.next.Load() == i+1)
					}
					n.told.Store(true)
					if !early {
						m.Assert(n.next.Load() == i+1)
					}
				}
			})
		}
	}
	check.Explore(t, check.Config{}, body(true))
	if f := fails(t, check.Config{}, body(false)); f.Kind != check.Assertion {
		t.Errorf("a node that is read after it was told: a %s, %s; want an assertion", f.Kind, f.Message)
	}
}

// A value that its own worker uses after Put fails also if no other worker gets it.
func TestUseAfterPut(t *testing.T) {
	type node struct {
		word   primitives.Uint32
		cell   primitives.Cell[int]
		parker primitives.Parker
	}
	uses := []struct {
		name string
		use  func(*node)
	}{
		{"Load", func(n *node) { n.word.Load() }},
		{"Add", func(n *node) { n.word.Add(1) }},
		{"StoreRelease", func(n *node) { n.word.StoreRelease(1) }},
		{"Get", func(n *node) { n.cell.Get() }},
		{"Set", func(n *node) { n.cell.Set(1) }},
		{"Park", func(n *node) { n.parker.Unpark(); n.parker.Park() }},
		{"Unpark", func(n *node) { n.parker.Unpark() }},
	}
	for _, u := range uses {
		for _, late := range []bool{false, true} {
			r, err := check.Run(check.Config{}, func(m *check.Machine) {
				var pool primitives.Pool[node]
				var beside primitives.Uint32
				m.Go(func() {
					n := pool.Get()
					for _, first := range uses { // what has not been met is not known to be part of it
						first.use(n)
					}
					n.parker.Unpark()
					n.parker.Park()
					pool.Put(n)
					if late {
						u.use(n)
					} else {
						beside.Store(1)
						again := pool.Get()
						m.Assert(again == n)
						u.use(again)
					}
				})
			})
			switch f := r.Failure; {
			case err != nil:
				t.Fatal(err)
			case late && (f == nil || f.Kind != check.Misuse || !strings.Contains(f.Message, "worker 1 uses a value after it was Put")):
				t.Errorf("%s after Put: %v, want a misuse", u.name, f)
			case !late && f != nil:
				t.Errorf("%s after another Get: %v", u.name, f)
			}
		}
	}
}

// A body that checks nothing does not pass.
func TestNothingToCheck(t *testing.T) {
	for name, body := range map[string]func(*check.Machine){
		"an empty body":  func(*check.Machine) {},
		"it waits":       func(m *check.Machine) { m.Wait() },
		"a native mutex": func(*check.Machine) { var mu sync.Mutex; mu.Lock(); mu.Unlock() },
	} {
		if f := fails(t, check.Config{}, body); f.Kind != check.Misuse || !strings.Contains(f.Message, "nothing was checked") {
			t.Errorf("%s: a %s, %s; want a misuse, nothing was checked", name, f.Kind, f.Message)
		}
	}
}

// A correct lock that is not written against package primitives orders nothing that
// the checker knows of: the message of the race says why.
func TestRaceOfNativeLock(t *testing.T) {
	const hint = "no step of package primitives was seen"
	f := fails(t, check.Config{}, func(m *check.Machine) {
		var mu sync.Mutex
		var n primitives.Cell[int]
		m.GoAlike(2, func() { mu.Lock(); n.Set(n.Get() + 1); mu.Unlock() })
	})
	if f.Kind != check.DataRace || !strings.Contains(f.Message, hint) {
		t.Errorf("a sync.Mutex: a %s, %s; want a data race, %s", f.Kind, f.Message, hint)
	}
	f = fails(t, check.Config{}, func(m *check.Machine) {
		var word primitives.Uint32
		var n primitives.Cell[int]
		m.GoAlike(2, func() { word.Add(1); n.Set(n.Get() + 1) })
	})
	if strings.Contains(f.Message, hint) {
		t.Errorf("a lock that takes steps: %s", f.Message)
	}
}

// A logged is a test whose log is kept.
type logged struct {
	testing.TB
	log string
}

func (l *logged) Log(args ...any) { l.log += fmt.Sprint(args...) }

// A search that finds nothing says how much it searched.
func TestPassSaysHowMuch(t *testing.T) {
	l := &logged{TB: t}
	check.Explore(l, check.Config{}, func(m *check.Machine) {
		var word primitives.Uint32
		for range 3 {
			m.Go(func() { word.Add(1) })
		}
	})
	if !strings.HasPrefix(l.log, "every schedule: 6 schedules (0 abandoned, ") {
		t.Errorf("the log of 6 schedules is %q", l.log)
	}
}

// Too many workers are the test's fault, not the lock's.
func TestTooManyWorkers(t *testing.T) {
	for name, body := range map[string]func(m *check.Machine){
		"one by one": func(m *check.Machine) {
			for range 10 {
				m.Go(func() {})
			}
		},
		"alike": func(m *check.Machine) {
			m.Go(func() {})
			m.GoAlike(9, func() {})
		},
		"beside those alike": func(m *check.Machine) {
			m.GoAlike(9, func() {})
			m.Go(func() {})
		},
	} {
		if f := fails(t, check.Config{}, body); f.Kind != check.Misuse || f.Message != "more than 9 workers besides the body" {
			t.Errorf("%s: a %s, %s; want a misuse", name, f.Kind, f.Message)
		}
	}
	check.Explore(t, check.Config{}, func(m *check.Machine) { m.GoAlike(9, func() {}) })
}

// A report says what was searched, with its bounds.
func TestScope(t *testing.T) {
	pins := func(m *check.Machine) {
		m.GoAlike(2, func() { primitives.Pin(); primitives.Unpin() })
	}
	adds := func(m *check.Machine) {
		var word primitives.Uint32
		for range 3 {
			m.Go(func() { word.Add(1); word.Add(1) })
		}
	}
	for _, test := range []struct {
		cfg  check.Config
		body func(m *check.Machine)
		want string
	}{
		{check.Config{}, adds, "every schedule of it"},
		{check.Config{}, pins, "every schedule of it, each worker on a CPU of its own"},
		{check.Config{CPUs: 2}, pins, "every schedule of it, on 2 CPUs"},
		{check.Config{Nodes: 2}, adds, "every schedule of it, on 2 nodes"},
		{check.Config{Mode: check.Bounded, Bound: 1}, pins, "every schedule of it with at most 1 preemption, each worker on a CPU of its own"},
		{check.Config{Mode: check.PCT, Bound: 2, Seed: 7, Schedules: 1000}, adds, "schedules of it with random priorities and 2 changes of them, seed 7: what 3 steps in order show " +
			"is found with a probability of at least 0.99 (n = 4 that have a priority, k = 7 steps)"},
	} {
		if got := check.Explore(t, test.cfg, test.body).Scope("it"); got != test.want {
			t.Errorf("%+v:\n%s\nwant\n%s", test.cfg, got, test.want)
		}
	}
}

// A running search prints a line now and then.
func TestProgress(t *testing.T) {
	var out strings.Builder
	check.Explore(t, check.Config{Budget: 1500 * time.Millisecond, Progress: &out}, func(m *check.Machine) {
		var word primitives.Uint32
		for range 9 {
			m.Go(func() { word.Add(1) })
		}
	})
	if !regexp.MustCompile(`^(check: \d+ schedules, \d+ steps, \d+s\n)+$`).MatchString(out.String()) {
		t.Errorf("progress: %q", out.String())
	}
}

// A worker can be on any node, and on another one at its next look.
func TestNodes(t *testing.T) {
	for nodes, want := range map[int]int{0: 1, 1: 1, 2: 2 * 2 * 2, 3: 3 * 3 * 3} {
		seen := make(map[[3]int]bool)
		check.Explore(t, check.Config{Nodes: nodes}, func(m *check.Machine) {
			var at [3]int
			m.Go(func() { at[0] = primitives.Node() })
			m.Go(func() { at[1], at[2] = primitives.Node(), primitives.Node() })
			m.Wait()
			seen[at] = true
		})
		if len(seen) != want {
			t.Errorf("%d nodes: two workers see %v: want %d ways", nodes, seen, want)
		}
	}
	for _, nodes := range []int{-1, 128} {
		if _, err := check.Run(check.Config{Nodes: nodes}, func(*check.Machine) {}); err == nil || !strings.Contains(err.Error(), "nodes, want 0 to 127") {
			t.Errorf("%d nodes: %v, want an error", nodes, err)
		}
	}
}

// A word for each CPU needs no atomic operation while its user is pinned, and needs
// one otherwise.
func TestPin(t *testing.T) {
	body := func(pinned bool) func(m *check.Machine) {
		return func(m *check.Machine) {
			var counts [2]primitives.Uint32
			for range 3 {
				m.Go(func() {
					n := &counts[primitives.Pin()]
					if !pinned {
						primitives.Unpin()
					}
					n.StoreRelease(n.Load() + 1)
					if pinned {
						primitives.Unpin()
					}
				})
			}
			m.Wait()
			m.Assert(counts[0].Load()+counts[1].Load() == 3)
		}
	}
	check.Explore(t, check.Config{CPUs: 2}, body(true))
	fails(t, check.Config{CPUs: 2}, body(false))
}

// If a wake-up and a timeout come together, one of them wins, and a wake-up that lost
// is there for the next Park.
func TestTimeoutRacesWakeUp(t *testing.T) {
	var woken, late int
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		var parker primitives.Parker
		m.Go(func() {
			if parker.ParkTimeout(time.Second) {
				woken++
				return
			}
			parker.Park()
			late++
		})
		m.Go(parker.Unpark)
	})
	if woken == 0 || late == 0 {
		t.Errorf("woken %d times, late %d times, want each at least once", woken, late)
	}
}

// A timer that starts itself while a lock is held could end again and again: the
// search bounds that, and says so.
func TestTimerStartsItself(t *testing.T) {
	rings := map[int]bool{}
	r := check.Explore(t, check.Config{Spins: 2}, func(m *check.Machine) {
		var held primitives.Bool
		n := 0
		var again func()
		again = func() {
			n++
			if held.Load() {
				primitives.After(time.Millisecond, again)
			}
		}
		held.Store(true)
		primitives.After(time.Millisecond, again)
		m.Go(func() { held.Store(false) })
		m.Wait()
		rings[n] = true
	})
	if want := map[int]bool{0: true, 1: true, 2: true, 3: true}; !maps.Equal(rings, want) {
		t.Errorf("the timer rang so often: %v, want %v", rings, want)
	}
	if !r.Cut {
		t.Errorf("report of bounded timers: %v, want it to name the bound", r)
	}
}

func TestCancellation(t *testing.T) {
	var ended, woken int
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		var parker primitives.Parker
		ctx, cancel := m.WithCancel()
		m.Go(cancel)
		m.Go(parker.Unpark)
		switch err := parker.ParkContext(ctx); err {
		case nil:
			woken++
		case context.Canceled:
			ended++
		default:
			m.Failf("error %v, want %v", err, context.Canceled)
		}
	})
	if woken == 0 || ended == 0 {
		t.Errorf("woken %d times, ended %d times, want each at least once", woken, ended)
	}
}

func TestChoose(t *testing.T) {
	var seen uint
	r := check.Explore(t, check.Config{}, func(m *check.Machine) { seen |= 1 << (3*m.Choose(3) + m.Choose(3)) })
	if bits.OnesCount(seen) != 9 || r.Schedules != 9 {
		t.Errorf("%d of 9 pairs in %d schedules", bits.OnesCount(seen), r.Schedules)
	}
}

// lostUpdate fails on some schedules: its workers add without excluding each
// other, and only if both are interrupted is the sum 1.
func lostUpdate(m *check.Machine) {
	var word primitives.Uint32
	for range 3 {
		m.Go(func() { word.Store(word.Load() + 1) })
	}
	m.Wait()
	m.Assert(word.Load() > 1)
}

// A search with GoAlike finds what one without it finds.
func TestAlike(t *testing.T) {
	found := func(start func(m *check.Machine, f func())) []string {
		seen := map[string]bool{}
		check.Explore(t, check.Config{}, func(m *check.Machine) {
			var words [2]primitives.Uint32
			var log primitives.Uint64
			start(m, func() {
				n := words[0].Load()
				words[1].StoreRelease(n + 1)
				words[0].Add(words[1].Load() + 1)
				log.Add(1 << (8 * n))
			})
			m.Wait()
			seen[fmt.Sprint(words[0].Load(), words[1].Load(), log.Load())] = true
		})
		return slices.Sorted(maps.Keys(seen))
	}
	alike := found(func(m *check.Machine, f func()) { m.GoAlike(3, f) })
	named := found(func(m *check.Machine, f func()) {
		for range 3 {
			m.Go(f)
		}
	})
	if !slices.Equal(alike, named) {
		t.Errorf("alike: %v\nnamed: %v", alike, named)
	}
	fails(t, check.Config{}, func(m *check.Machine) { // it also finds races
		var data primitives.Cell[int]
		var word primitives.Uint32
		m.GoAlike(2, func() { word.Load(); data.Set(1) })
	})
	fails(t, check.Config{}, func(m *check.Machine) {
		var data primitives.Cell[int]
		m.GoAlike(2, func() { data.Set(1) })
	})
}

func TestModes(t *testing.T) {
	for _, cfg := range []check.Config{
		{Mode: check.Exhaustive},
		{Mode: check.Bounded, Bound: 2},
		{Mode: check.Random, Seed: 1},
		{Mode: check.PCT, Bound: 3, Seed: 1},
	} {
		fails(t, cfg, lostUpdate)
	}
	// Without a preemption each worker adds undisturbed.
	if r := check.Explore(t, check.Config{Mode: check.Bounded}, lostUpdate); !r.Ended || r.Schedules != 6 {
		t.Errorf("without preemptions: %v, want 6 schedules", r)
	}
	// The same seed takes the same schedules.
	a := fails(t, check.Config{Mode: check.Random, Seed: 7}, lostUpdate)
	b := fails(t, check.Config{Mode: check.Random, Seed: 7}, lostUpdate)
	if a.Token != b.Token {
		t.Errorf("seed 7 finds %s and then %s", a.Token, b.Token)
	}
}

// A search that ends early does not claim to be whole.
func TestBudget(t *testing.T) {
	body := func(m *check.Machine) {
		var word primitives.Uint32
		for range 8 {
			m.Go(func() { word.Add(1) })
		}
	}
	r := check.Explore(t, check.Config{Schedules: 100}, body)
	if r.Ended || r.Schedules != 100 || !strings.Contains(r.String(), "not every schedule") {
		t.Errorf("after 100 of 40,320 schedules: %v", r)
	}
	r = check.Explore(t, check.Config{Budget: time.Nanosecond}, body)
	if r.Ended {
		t.Errorf("after a budget of 1 ns: %v", r)
	}
}

func TestBadConfig(t *testing.T) {
	for _, cfg := range []check.Config{{Mode: 9}, {Bound: -1}, {Steps: -1}, {Steps: 1 << 16}, {Replay: "a?"}, {Replay: "bbbb"}} {
		if _, err := check.Run(cfg, func(*check.Machine) {}); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
}

// Words that outlive an execution have their old values again after it, so that all
// executions begin in the same way. After a search, also one that a panic ended,
// primitives run on the host again.
func TestLeavesNoTrace(t *testing.T) {
	var outside primitives.Uint32
	outside.Store(7)
	r := check.Explore(t, check.Config{}, func(m *check.Machine) {
		m.Go(func() { outside.Add(1) })
		m.Go(func() { outside.StoreRelease(2) })
		m.Wait()
		m.Assert(outside.Load() != 7)
	})
	if r.Schedules != 2 || outside.Load() != 7 {
		t.Errorf("%d schedules and then %d, want 2 and 7", r.Schedules, outside.Load())
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a panic of Progress did not get out")
			}
		}()
		check.Run(check.Config{Budget: time.Hour, Progress: panics{}}, func(m *check.Machine) {
			var word primitives.Uint32
			for range 10 - 1 {
				m.Go(func() { word.Add(1) })
			}
		})
	}()
	outside.Add(1)
	if outside.Load() != 8 {
		t.Errorf("%d, want 8", outside.Load())
	}
}

type panics struct{}

func (panics) Write([]byte) (int, error) { panic("written to") }
