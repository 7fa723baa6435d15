//go:build virtual

package sim_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

func machine(t testing.TB, name string) *sim.Machine {
	t.Helper()
	d, err := machines.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return &d.Machine
}

func run(t testing.TB, c sim.Config, body func()) *sim.Report {
	t.Helper()
	r, err := c.Run(body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The same seed gives the same run, another one another.
func TestDeterministic(t *testing.T) {
	of := func(seed uint64) time.Duration {
		var word primitives.Uint32
		return run(t, sim.Config{Machine: machine(t, "milan-2s"), CPUs: 16, Seed: seed}, func() {
			for range 16 {
				primitives.Go(func() {
					for range 200 {
						word.Add(1)
					}
				})
			}
		}).Time
	}
	a, b := of(1), of(1)
	if a != b {
		t.Errorf("one seed: %v and %v", a, b)
	}
	for seed := uint64(2); of(seed) == a; seed++ {
		if seed == 10 {
			t.Error("nine seeds give the same run")
		}
	}
}

// Running tells what has been done so far: a part of what the report tells.
func TestRunning(t *testing.T) {
	if got := sim.Running(); got != (sim.Counts{}) || sim.State() != "" {
		t.Errorf("outside of a run: %+v, %q", got, sim.State())
	}
	var word primitives.Uint32
	var before, after sim.Counts
	report := run(t, sim.Config{Machine: machine(t, "milan-2s"), CPUs: 2}, func() {
		primitives.Go(func() { word.Add(1) })
		primitives.Busy(time.Millisecond) // the other CPU takes it meanwhile
		before = sim.Running()
		for range 10 {
			word.Add(1)
		}
		after = sim.Running()
		word.Add(1)
		if got := sim.State(); !strings.HasPrefix(got, "CPU 0 at ") || !strings.HasSuffix(got, "worker 0 runs\n") {
			t.Errorf("state %q, want that of the worker alone", got)
		}
	})
	if n := after.Operations - before.Operations; n != 10 {
		t.Errorf("%d operations, want 10", n)
	}
	if n := lines(after) - lines(before); n != 1 {
		t.Errorf("%d lines came, want the one of the word", n)
	}
	if total := report.Total(); after.Operations >= total.Operations || lines(after) > lines(total) {
		t.Errorf("%+v, and in all %+v: want less", after, total)
	}
}

// lines returns how many lines have come.
func lines(c sim.Counts) (sum uint64) {
	for _, n := range c.Lines {
		sum += n
	}
	return sum
}

// A CPU may want a line that it has for its store buffer, behind another store, and for a
// load at the same time: neither request is forgotten.
func TestTwoRequestsOfACPU(t *testing.T) {
	type line struct {
		a, b primitives.Uint32
		_    [2]primitives.CacheLine
	}
	lines := new([8]line) // large, so that it begins a cache line
	for seed := range uint64(100) {
		run(t, sim.Config{Machine: machine(t, "milan-2s"), CPUs: 2, Seed: seed}, func() {
			random := rand.New(rand.NewPCG(seed, 0))
			for i := range 2 {
				primitives.Go(func() {
					for n := range uint32(100) {
						lines[0].a.StoreRelease(n)
						lines[1+i].a.StoreRelease(n)
						lines[0].a.StoreRelease(n)
						for range random.IntN(60) {
							primitives.Busy(time.Nanosecond)
						}
						lines[0].b.Load()
					}
				})
			}
		})
	}
}

// The node of a CPU is its socket, whichever of its threads it is, and of whichever half.
func TestNode(t *testing.T) {
	m := machine(t, "xeon-8176-8s") // 28 cores a socket, 4 sockets a half, two threads a core
	for cpu, want := range map[int]int{0: 0, 27: 0, 28: 1, 111: 3, 112: 4, 223: 7, 224: 0, 447: 7} {
		if got := m.Node(cpu); got != want {
			t.Errorf("CPU %d is on node %d, want %d", cpu, got, want)
		}
	}
	place := []int{30, 2, 223}
	var got []int
	run(t, sim.Config{Machine: m, Place: place}, func() {
		for range place {
			primitives.Go(func() {
				primitives.Pin()
				got = append(got, primitives.Node())
				primitives.Busy(time.Millisecond) // so that each CPU gets one
				primitives.Unpin()
			})
		}
	})
	slices.Sort(got)
	if want := []int{0, 1, 7}; !slices.Equal(got, want) {
		t.Errorf("workers on CPUs %v are on nodes %v, want %v", place, got, want)
	}
}

// Atomic operations are atomic, whatever the order in which they come.
func TestAdds(t *testing.T) {
	var word primitives.Uint64
	r := run(t, sim.Config{Machine: machine(t, "xeon-8176-8s"), CPUs: 64}, func() {
		for range 100 {
			primitives.Go(func() {
				for range 50 {
					word.Add(1)
				}
			})
		}
	})
	if got := word.Load(); got != 5000 {
		t.Errorf("%d adds, want 5000", got)
	}
	if total := r.Total(); total.Operations < 5000 || total.Lines[sim.Cluster] == 0 || total.Lines[sim.Remote] == 0 {
		t.Errorf("%+v: want 5000 operations, and lines from near and far", total)
	}
}

// Words on one line disturb each other, words on two do not.
func TestFalseSharing(t *testing.T) {
	var of struct {
		_         primitives.CacheLine
		one, same primitives.Uint32
		_         [2]primitives.CacheLine
		other     primitives.Uint32
		_         primitives.CacheLine
	}
	took := func(second *primitives.Uint32) time.Duration {
		return run(t, sim.Config{Machine: machine(t, "milan-2s"), CPUs: 2}, func() {
			for _, word := range []*primitives.Uint32{&of.one, second} {
				primitives.Go(func() {
					for range 10_000 {
						word.Add(1)
					}
				})
			}
		}).Time
	}
	if same, other := took(&of.same), took(&of.other); same < 2*other*9/10 {
		t.Errorf("%v on one line, %v on two: want much more on one", same, other)
	}
}

// A CPU that is stopped in a section stops those that wait for it, and no others.
func TestPauses(t *testing.T) {
	const stop = 100 * time.Microsecond
	for _, cpu := range []int{0, 1, -1} {
		var word primitives.Uint32
		c := sim.Config{Machine: machine(t, "graviton2"), CPUs: 2, Pauses: []sim.Pause{{CPU: cpu, After: time.Microsecond, For: stop}}}
		took := run(t, c, func() {
			for range 1000 {
				word.Add(1)
			}
		}).Time
		if stopped := took >= stop; stopped != (cpu <= 0) {
			t.Errorf("CPU %d stopped for %v: took %v on CPU 0", cpu, stop, took)
		}
	}
	slow := run(t, sim.Config{Machine: machine(t, "graviton2"), CPUs: 1, Slow: map[int]float64{0: 3}}, func() {
		for range 1000 {
			new(primitives.Uint32).Add(1)
		}
	}).Time
	fast := run(t, sim.Config{Machine: machine(t, "graviton2"), CPUs: 1}, func() {
		for range 1000 {
			new(primitives.Uint32).Add(1)
		}
	}).Time
	if slow < fast*28/10 || slow > fast*32/10 {
		t.Errorf("a CPU that is slow by 3: %v, others %v", slow, fast)
	}
}

// A pause takes its time where another CPU runs a worker, counts as spinning, and is none on
// a CPU that is alone or that another worker wants, unless the worker is pinned.
func TestPause(t *testing.T) {
	const pause = time.Microsecond
	for _, of := range []struct {
		name       string
		cpus, busy int
		pinned     bool
		want       bool
	}{
		{"another runs", 2, 1, false, true},
		{"alone", 2, 0, false, false},
		{"wanted", 2, 2, false, false},
		{"pinned", 1, 0, true, true},
	} {
		var paused bool
		var took int64
		r := run(t, sim.Config{Machine: machine(t, "graviton2"), CPUs: of.cpus}, func() {
			for range of.busy {
				primitives.Go(func() { primitives.Busy(100 * time.Microsecond) })
			}
			if of.cpus > 1 {
				primitives.Busy(50 * time.Microsecond) // until the other CPU has begun
			}
			if of.pinned {
				primitives.Pin()
				defer primitives.Unpin()
			}
			began := primitives.Nanotime()
			paused = primitives.Pause(pause)
			took = primitives.Nanotime() - began
		})
		if spun := r.Total().Spin; paused != of.want || (took >= int64(pause)) != of.want || (spun == pause) != of.want {
			t.Errorf("%s: paused %v in %d ns, spun %v; want %v", of.name, paused, took, spun, of.want)
		}
	}
}

// A Travel learns from the time that looks take, as on the host: a backoff lock's waiters
// touch its line less where it comes from far.
func TestTravel(t *testing.T) {
	for other, far := range map[int]bool{1: false, 112: true} {
		var learned bool
		var line struct {
			_      primitives.CacheLine
			word   primitives.Uint32
			_      primitives.CacheLine
			travel primitives.Travel
			_      primitives.CacheLine
		}
		run(t, sim.Config{Machine: machine(t, "xeon-8176-8s"), Place: []int{0, other}}, func() {
			primitives.Go(func() { line.word.Store(1) })
			for line.word.Load() == 0 {
				var s primitives.Spin
				s.Once()
			}
			primitives.Go(func() { line.word.Store(2) })
			primitives.Busy(100 * time.Microsecond)
			began := primitives.Nanotime()
			line.word.Load()
			line.travel.Learn(time.Duration(primitives.Nanotime() - began))
			learned = line.travel.Far()
		})
		if learned != far {
			t.Errorf("CPUs 0 and %d: far %v, want %v", other, learned, far)
		}
	}
}

// Parked workers leave their CPU to others, come back when they are woken, and give up in
// time.
func TestPark(t *testing.T) {
	var p primitives.Parker
	var order []string
	r := run(t, sim.Config{Machine: machine(t, "graviton2"), CPUs: 1}, func() {
		primitives.Go(func() {
			order = append(order, "wakes")
			p.Unpark()
		})
		order = append(order, "parks")
		p.Park()
		order = append(order, "woken")
		if p.ParkTimeout(time.Millisecond) {
			t.Error("a Park without a wake-up was woken")
		}
		order = append(order, "late")
	})
	if got := strings.Join(order, " "); got != "parks wakes woken late" || r.Time < time.Millisecond || r.Time > 2*time.Millisecond {
		t.Errorf("%s in %v, want parks wakes woken late in a millisecond", got, r.Time)
	}
}

// A sleep may be over before the sleeper's stores are in memory, or before it has come to
// rest, and another CPU may be quick to look for it: it goes on all the same.
func TestShortSleeps(t *testing.T) {
	m := *machine(t, "xeon-8176-8s")
	m.Start = 1
	var line struct {
		_    primitives.CacheLine
		word primitives.Uint32
		_    primitives.CacheLine
	}
	for name, rest := range map[string]func(){
		"sleep": func() { primitives.Sleep(time.Nanosecond) },
		"park":  func() { new(primitives.Parker).ParkTimeout(time.Nanosecond) },
	} {
		ended := 0
		r := run(t, sim.Config{Machine: &m, Place: []int{0, 112, 1}, Limit: time.Millisecond}, func() {
			for range 2 { // on CPUs that are far from each other, and the third is idle
				primitives.Go(func() {
					for i := range uint32(20) {
						line.word.StoreRelease(i)
						rest()
					}
					ended++
				})
			}
		})
		if ended != 2 || r.Time < 20*time.Nanosecond {
			t.Errorf("%s: %d workers ended, after %v", name, ended, r.Time)
		}
	}
}

// Times that no clock holds are as long as one can be, and not negative.
func TestLongTimes(t *testing.T) {
	var p primitives.Parker
	c := sim.Config{Machine: machine(t, "graviton2"), CPUs: 2, Limit: 1<<63 - 1, Slow: map[int]float64{1: 1e6}}
	run(t, c, func() {
		primitives.Go(func() {
			primitives.Sleep(time.Microsecond)
			p.Unpark()
		})
		if !p.ParkTimeout(1<<63 - 1) {
			t.Error("a deadline in 292 years came before the wake-up")
		}
	})
	_, err := sim.Config{Machine: c.Machine, CPUs: 1}.Run(func() { primitives.Sleep(1<<63 - 1) })
	if hang := (*sim.HangError)(nil); !errors.As(err, &hang) {
		t.Errorf("error %v, want a hang", err)
	}
}

// A run in which nothing can happen any more, or not in time, says so, and where it hangs.
func TestHang(t *testing.T) {
	var word primitives.Uint32
	var p primitives.Parker
	for _, of := range []struct {
		want string
		body func()
	}{
		{"nothing can happen any more:\nCPU 0 at", func() {
			for word.Load() == 0 {
				var s primitives.Spin
				s.Once()
			}
		}},
		{"1 workers sleep", func() { p.Park() }},
		{"not over after 1ms:\nCPU 0 at", func() {
			for {
				word.Add(1)
			}
		}},
	} {
		_, err := sim.Config{Machine: machine(t, "graviton2"), CPUs: 2, Limit: time.Millisecond}.Run(of.body)
		var hang *sim.HangError
		if !errors.As(err, &hang) || !strings.Contains(err.Error(), of.want) {
			t.Errorf("error %v, want a hang with %q", err, of.want)
		}
	}
}

func TestPanic(t *testing.T) {
	broken := errors.New("broken")
	_, err := sim.Config{Machine: machine(t, "graviton2"), CPUs: 2}.Run(func() {
		primitives.Go(func() { panic(broken) })
		for {
			primitives.Sleep(time.Millisecond)
		}
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "TestPanic") {
		t.Errorf("error %v, want the panic with its stack", err)
	}
}

// Values of a pool share no line with others, and each begins where the others do in
// theirs, whatever was allocated before.
func TestPool(t *testing.T) {
	type node struct {
		next *node
		word [5]primitives.Uint64 // 48 bytes in all: not a line
	}
	var pool primitives.Pool[node]
	var all []*node
	for round := range 2 {
		run(t, sim.Config{Machine: machine(t, "graviton2"), CPUs: 1}, func() {
			for range 20 {
				all = append(all, pool.Get())
			}
		})
		for range round + 1 {
			all[0].next = new(node)
		}
	}
	lines := make(map[uintptr]bool)
	for _, n := range all {
		address := uintptr(unsafe.Pointer(n))
		if address%64 != uintptr(unsafe.Pointer(all[0]))%64 || lines[address/64] || lines[(address+47)/64] {
			t.Fatalf("%#x: not where others begin in their lines, or on the line of another", address)
		}
		lines[address/64], lines[(address+47)/64] = true, true
	}
}
