package rcu_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// each runs a test for every flavour.
func each(t *testing.T, cfg rcu.Config, test func(t *testing.T, f flavour)) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			f := flavours[name](cfg)
			defer f.updater.Close()
			test(t, f)
		})
	}
}

// Synchronize waits for a reader that was there, and not for one that comes
// later; nor does it wait when there is none.
func TestSynchronizeWaits(t *testing.T) {
	noGC(t)
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		f.updater.Synchronize()

		var over, inside, leave primitives.Bool
		var group sync.WaitGroup
		group.Go(func() {
			r := f.reader()
			r.begin()
			r.read(func() {
				inside.Store(true)
				spinUntil(leave.Load)
				if over.Load() {
					t.Error("Synchronize returned before the section ended that it found")
				}
			})
			r.done()
		})
		spinUntil(inside.Load)
		group.Go(func() {
			f.updater.Synchronize()
			over.Store(true)
		})
		spinUntil(func() bool { return f.updater.Running() })
		leave.Store(true)
		group.Wait()
	})
}

// noGC keeps the collector from stopping the world until the test ends: it
// would wait for a pinned section that waits for a goroutine that it stopped.
func noGC(t *testing.T) {
	before := debug.SetGCPercent(-1)
	runtime.GC() // ends one that is under way
	t.Cleanup(func() { debug.SetGCPercent(before) })
}

// spinUntil waits for a condition without blocking.
func spinUntil(cond func() bool) {
	for !cond() {
		if !primitives.PinExcludes {
			runtime.Gosched()
		}
	}
}

// Objects are retired while readers use them, and marked when they are used
// again: by Synchronize, by Call and by polling.
func TestStress(t *testing.T) {
	type object struct{ live primitives.Cell[bool] }
	each(t, rcu.Config{Patience: time.Millisecond}, func(t *testing.T, f flavour) {
		const rounds = 300
		var p rcu.Pointer[object]
		fresh := func() *object {
			o := new(object)
			o.live.Set(true)
			return o
		}
		p.Assign(fresh())
		var stop primitives.Bool
		var readers, updaters sync.WaitGroup
		for range 4 {
			readers.Go(func() {
				r := f.reader()
				for !stop.Load() {
					r.begin()
					for range 100 {
						r.read(func() {
							if !p.Dereference().live.Get() {
								t.Error("a reader has an object that is in use again")
								stop.Store(true)
							}
						})
					}
					r.done()
					runtime.Gosched()
				}
			})
		}
		for i := range 3 {
			updaters.Go(func() {
				for n := range rounds {
					old := p.Replace(fresh())
					switch again := func() { old.live.Set(false) }; (i + n) % 4 {
					case 0:
						f.updater.Synchronize()
						again()
					case 1:
						f.updater.Call(again)
					case 2:
						f.updater.SynchronizeExpedited()
						again()
					case 3:
						for c := f.updater.StartPoll(); !f.updater.Poll(c); {
							runtime.Gosched()
						}
						again()
					}
				}
			})
		}
		updaters.Wait()
		f.updater.Barrier()
		stop.Store(true)
		readers.Wait()
		if s := f.updater.Stats(); s.Run != 3*rounds/2+1 || s.Waiting != 0 || s.GracePeriods == 0 || s.Longest > s.Total {
			t.Errorf("stats %+v, want %d callbacks run, a Barrier among them, and none waiting", s, 3*rounds/2+1)
		}
	})
}

// Callbacks run once each, in their order, and after a grace period; a Barrier
// waits for them, and Synchronize does not.
func TestCallbacks(t *testing.T) {
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		var order []int
		for i := range 100 {
			f.updater.Call(func() { order = append(order, i) })
		}
		f.updater.Barrier()
		for i, n := range order {
			if i != n {
				t.Fatalf("callbacks ran in the order %v", order)
			}
		}
		if len(order) != 100 {
			t.Fatalf("%d callbacks ran before Barrier returned, want 100", len(order))
		}

		hold, running := make(chan struct{}), make(chan struct{})
		f.updater.Call(func() { close(running); <-hold })
		barrier := make(chan struct{})
		go func() {
			f.updater.Barrier()
			close(barrier)
		}()
		<-running
		f.updater.Synchronize() // though a callback is not over
		select {
		case <-barrier:
			t.Error("Barrier returned before a callback that it found")
		default:
		}
		close(hold)
		<-barrier
	})
}

// A callback may call Call and Synchronize.
func TestCallInCallback(t *testing.T) {
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		ran := make(chan struct{})
		f.updater.Call(func() {
			f.updater.Synchronize()
			f.updater.Call(func() { close(ran) })
		})
		f.updater.Barrier()
		f.updater.Barrier()
		<-ran
	})
}

func TestCallbackPanics(t *testing.T) {
	var log strings.Builder
	d := rcu.NewDomain(rcu.Config{Name: "demo", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ran := false
	d.Call(func() { panic("oops") })
	d.Call(func() { panic(errors.New("again")) })
	d.Call(func() { ran = true })
	d.Close()
	if s := d.Stats(); !ran || s.Panicked != 2 || s.Run != 4 {
		t.Errorf("after two panics: the third ran: %v, stats %+v", ran, s)
	}
	if got := log.String(); strings.Count(got, "a callback panicked") != 2 || !strings.Contains(got, "rcu=demo panic=oops") {
		t.Errorf("log:\n%s", got)
	}
}

// Callbacks that are few wait for more to come, five times; those of a batch do
// not.
func TestPatience(t *testing.T) {
	d := rcu.NewDomain(rcu.Config{Patience: time.Millisecond})
	began := time.Now()
	ran := make(chan time.Duration)
	d.Call(func() { ran <- time.Since(began) })
	if took := <-ran; took < 5*time.Millisecond {
		t.Errorf("one callback ran after %v, want 5 ms or more", took)
	}
	d.Close()

	d = rcu.NewDomain(rcu.Config{Batch: 10, Patience: time.Hour})
	var group sync.WaitGroup
	group.Add(10)
	for range 10 {
		d.Call(group.Done)
	}
	group.Wait()
	d.Call(func() {})
	d.Close() // does not wait for an hour either
}

func TestClose(t *testing.T) {
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		n := 0
		for range 100 {
			f.updater.Call(func() { n++ })
		}
		f.updater.Close()
		f.updater.Close()
		if n != 100 {
			t.Errorf("%d callbacks ran before Close returned, want 100", n)
		}
		f.updater.Synchronize()
		wantPanic(t, "rcu: Call after Close", func() { f.updater.Call(func() {}) })
		wantPanic(t, "rcu: Call after Close", f.updater.Barrier)
	})
	rcu.NewDomain(rcu.Config{}).Close() // though there was no Call
}

func wantPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		if got := fmt.Sprint(recover()); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	f()
}

func TestMisuse(t *testing.T) {
	r := rcu.NewRegistered(rcu.Config{})
	reader := r.Register()
	wantPanic(t, "rcu: ReadUnlock without ReadLock", reader.ReadUnlock)
	reader.ReadLock()
	reader.ReadLock()
	reader.ReadUnlock()
	wantPanic(t, "rcu: Synchronize in a read-side critical section waits for itself", reader.Synchronize)
	wantPanic(t, "rcu: Barrier in a read-side critical section waits for itself", reader.Barrier)
	wantPanic(t, "rcu: Unregister in a read-side critical section", reader.Unregister)
	reader.ReadUnlock()
	reader.Synchronize()
	reader.Unregister()
	wantPanic(t, "rcu: Unregister of a reader that is not registered", reader.Unregister)
}

// A pinned section that waits for itself ends the program, with a message:
// nobody could recover from it.
func TestPinnedSelfDeadlock(t *testing.T) {
	if !primitives.PinExcludes {
		t.Skip("two goroutines may be pinned to one CPU in this build")
	}
	if os.Getenv("RCU_SELF_DEADLOCK") != "" {
		p := rcu.NewPinned(rcu.Config{})
		p.ReadLock()
		p.Synchronize()
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestPinnedSelfDeadlock$")
	cmd.Env = append(os.Environ(), "RCU_SELF_DEADLOCK=1")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Synchronize in a read-side critical section waits for itself") {
		t.Errorf("%v: %.2000s", err, out)
	}
}

// A grace period that is overdue is reported after a while, after three times
// that and after nine, with who holds it up and where its section began.
func TestStall(t *testing.T) {
	const after = 10 * time.Millisecond
	var log strings.Builder
	var stalls []rcu.Stall
	third := make(chan struct{})
	d := rcu.NewDomain(rcu.Config{
		Name: "demo", StallAfter: after, Trace: true,
		OnStall: func(s rcu.Stall) {
			if stalls = append(stalls, s); len(stalls) == 3 {
				close(third)
			}
		},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	s := holdsUp(d)
	var group sync.WaitGroup
	group.Go(d.Synchronize)
	<-third
	d.ReadUnlock(s)
	group.Wait()
	for i, age := range []time.Duration{after, 3 * after, 9 * after} {
		s := stalls[i]
		if s.Age < age || s.Name != "demo" || s.Period != 1 {
			t.Errorf("report %d: age %v, name %q, period %d; want %v or more, demo, 1", i, s.Age, s.Name, s.Period, age)
		}
		if len(s.Holdups) != 1 || !strings.Contains(s.Holdups[0].Stack, "rcu_test.holdsUp") || s.Holdups[0].Since < age {
			t.Errorf("report %d: holdups %+v, want one that began in holdsUp, %v ago or more", i, s.Holdups, age)
		}
		if !strings.Contains(s.Stacks, "TestStall") {
			t.Errorf("report %d has no stacks", i)
		}
	}
	if got := strings.Count(log.String(), "a grace period is stalled"); got < 3 || d.Stats().Stalls != uint64(got) {
		t.Errorf("%d log entries and %d counted, want 3 or more:\n%s", got, d.Stats().Stalls, &log)
	}
	if !strings.Contains(log.String(), `"look for"=`) {
		t.Errorf("the log does not say what to look for:\n%s", &log)
	}
}

func holdsUp(d *rcu.Domain) rcu.Section { return d.ReadLock() }

// Each flavour says who holds a grace period up.
func TestHoldups(t *testing.T) {
	noGC(t)
	for name, want := range map[string]string{
		"domain": "1 sections", "pinned": "CPU ", "registered": "reader 1", "qsbr": "reader 1, without a quiescent state",
	} {
		for _, trace := range []bool{false, true} {
			stalled := make(chan rcu.Stall, 10)
			f := flavours[name](rcu.Config{
				StallAfter: time.Millisecond, Trace: trace, Logger: slog.New(slog.DiscardHandler),
				OnStall: func(s rcu.Stall) {
					select {
					case stalled <- s:
					default:
					}
				},
			})
			var inside, leave primitives.Bool
			var group sync.WaitGroup
			group.Go(func() {
				r := f.reader()
				r.begin()
				r.read(func() {
					inside.Store(true)
					spinUntil(leave.Load)
				})
				r.done()
			})
			spinUntil(inside.Load)
			group.Go(f.updater.Synchronize)
			s := <-stalled
			leave.Store(true)
			group.Wait()
			if trace && name == "domain" {
				want = "section 1"
			}
			if len(s.Holdups) != 1 || !strings.HasPrefix(s.Holdups[0].Reader, want) {
				t.Errorf("%s: holdups %+v, want %q", name, s.Holdups, want)
			} else if trace && name != "pinned" && s.Holdups[0].Stack == "" {
				t.Errorf("%s: no stack", name)
			}
		}
	}
}

// Past the high-water mark Call slows its caller down, and does not stop it: it
// may be a reader, for whose end the callbacks wait.
func TestBackPressure(t *testing.T) {
	d := rcu.NewDomain(rcu.Config{HighWater: 10})
	s := d.ReadLock()
	began := time.Now()
	for range 10 + 30 {
		d.Call(func() {})
	}
	if took := time.Since(began); took < 3*time.Millisecond {
		t.Errorf("30 calls above the mark were delayed by %v in all, want 3 ms or more", took)
	}
	d.ReadUnlock(s)
	d.Close()
}

// Updaters that come together share grace periods.
func TestSharing(t *testing.T) {
	noGC(t)
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		var inside, leave primitives.Bool
		var readers, group sync.WaitGroup
		readers.Go(func() {
			r := f.reader()
			r.begin()
			r.read(func() {
				inside.Store(true)
				spinUntil(leave.Load)
			})
			r.done()
		})
		spinUntil(inside.Load)
		const updaters = 20
		for range updaters {
			group.Go(f.updater.Synchronize)
		}
		spinUntil(func() bool { return f.updater.Members() >= updaters-1 })
		leave.Store(true)
		readers.Wait()
		group.Wait()
		if n := f.updater.Stats().GracePeriods; n > 3 {
			t.Errorf("%d grace periods for %d updaters who came in the first one, want 2", n, updaters)
		}
	})
}

func TestPool(t *testing.T) {
	d := rcu.NewDomain(rcu.Config{})
	made := 0
	pool := rcu.Pool[[]byte]{Updater: &d.Updater, New: func() *[]byte { made++; return new([]byte) }}
	a := pool.Get()
	s := d.ReadLock()
	pool.Retire(a)
	if b := pool.Get(); b == a {
		t.Error("Get returned an object that a reader may have")
	}
	d.ReadUnlock(s)
	d.Close()
	if b := pool.Get(); b != a || made != 2 {
		t.Errorf("after the reader is gone: another object, %d made; want the same and 2", made)
	}
}

// Readers allocate nothing.
func TestAllocations(t *testing.T) {
	d, p := rcu.NewDomain(rcu.Config{}), rcu.NewPinned(rcu.Config{})
	r, q := rcu.NewRegistered(rcu.Config{}).Register(), rcu.NewQSBR(rcu.Config{}).Register()
	for name, f := range map[string]func(){
		"domain":     func() { d.ReadUnlock(d.ReadLock()) },
		"pinned":     func() { p.ReadUnlock(p.ReadLock()) },
		"registered": func() { r.ReadLock(); r.ReadUnlock() },
		"qsbr":       func() { q.ReadLock(); q.ReadUnlock(); q.Quiescent() },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations a section, want 0", name, n)
		}
	}
}
