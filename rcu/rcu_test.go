package rcu_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

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
			defer f.Close()
			test(t, f)
		})
	}
}

// eachFenced runs a test for every flavour, with readers that execute fences and, if
// the machine has membarrier, with readers that do not.
func eachFenced(t *testing.T, cfg rcu.Config, test func(t *testing.T, f flavour)) {
	for _, fenced := range []bool{false, true} {
		t.Run(fmt.Sprintf("fenced=%v", fenced), func(t *testing.T) {
			if !fenced && !primitives.CanMembarrier() {
				t.Skip("no membarrier here")
			}
			defer rcu.SetFenced(fenced)()
			each(t, cfg, test)
		})
	}
}

// Synchronize waits for a reader that is inside, and not for one that comes later.
// Without readers it does not wait.
func TestSynchronizeWaits(t *testing.T) {
	noGC(t)
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		f.Synchronize()

		var over, inside, leave primitives.Bool
		var group sync.WaitGroup
		group.Go(func() {
			r := reader(f)
			r.Online()
			read(r, func() {
				inside.Store(true)
				spinUntil(leave.Load)
				if over.Load() {
					t.Error("Synchronize returned before the section ended that it found")
				}
			})
			r.Offline()
		})
		spinUntil(inside.Load)
		group.Go(func() {
			f.Synchronize()
			over.Store(true)
		})
		spinUntil(func() bool { return f.Running() })
		leave.Store(true)
		group.Wait()
	})
}

// noGC keeps the collector from stopping the world until the test ends. It would
// wait for a pinned section, which waits for a goroutine that the collector stopped.
func noGC(t *testing.T) {
	before := debug.SetGCPercent(-1)
	runtime.GC() // ends a collection that is running
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
	eachFenced(t, rcu.Config{Patience: time.Millisecond}, func(t *testing.T, f flavour) {
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
				r := reader(f)
				for !stop.Load() {
					r.Online()
					for range 100 {
						read(r, func() {
							if !p.Dereference().live.Get() {
								t.Error("a reader has an object that is in use again")
								stop.Store(true)
							}
						})
					}
					r.Offline()
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
						f.Synchronize()
						again()
					case 1:
						f.Call(again)
					case 2:
						f.SynchronizeExpedited()
						again()
					case 3:
						for c := f.StartPoll(); !f.Poll(c); {
							runtime.Gosched()
						}
						again()
					}
				}
			})
		}
		updaters.Wait()
		f.Barrier()
		stop.Store(true)
		readers.Wait()
		if s := f.Stats(); s.Run != 3*rounds/4 || s.Waiting != 0 || s.GracePeriods == 0 || s.Longest > s.Total {
			t.Errorf("stats %+v, want %d callbacks run, and none waiting", s, 3*rounds/4)
		}
	})
}

// Callbacks run once each, in their order, and after a grace period; a Barrier
// waits for them, and Synchronize does not.
func TestCallbacks(t *testing.T) {
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		var order []int
		for i := range 100 {
			f.Call(func() { order = append(order, i) })
		}
		f.Barrier()
		for i, n := range order {
			if i != n {
				t.Fatalf("callbacks ran in the order %v", order)
			}
		}
		if len(order) != 100 {
			t.Fatalf("%d callbacks ran before Barrier returned, want 100", len(order))
		}

		hold, running := make(chan struct{}), make(chan struct{})
		f.Call(func() { close(running); <-hold })
		barrier := make(chan struct{})
		go func() {
			f.Barrier()
			close(barrier)
		}()
		<-running
		f.Synchronize() // returns although a callback is running
		select {
		case <-barrier:
			t.Error("Barrier returned before the end of a callback that it found")
		default:
		}
		close(hold)
		<-barrier
	})
}

// A Barrier waits for callbacks, and not for readers: without callbacks it returns
// while readers are inside.
func TestBarrierWaitsForNoReader(t *testing.T) {
	noGC(t)
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		f.Call(func() {})
		f.Barrier()
		before := f.Stats().GracePeriods
		leave := holdUp(f)
		f.Barrier() // would not return if it waited for the reader
		if n := f.Stats().GracePeriods - before; n != 0 || f.Running() {
			t.Errorf("Barrier began %d grace periods for no callback, want 0", n)
		}
		leave()
	})
}

// holdUp starts a goroutine in a section. It returns a function that ends the
// section.
func holdUp(f flavour) (leave func()) {
	var inside, over primitives.Bool
	var group sync.WaitGroup
	group.Go(func() {
		h := reader(f)
		h.Online()
		read(h, func() {
			inside.Store(true)
			spinUntil(over.Load)
		})
		h.Offline()
		h.Unregister()
	})
	spinUntil(inside.Load)
	return func() {
		over.Store(true)
		group.Wait()
	}
}

// A callback may call Call and Synchronize.
func TestCallInCallback(t *testing.T) {
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		ran := make(chan struct{})
		f.Call(func() {
			f.Synchronize()
			f.Call(func() { close(ran) })
		})
		f.Barrier()
		f.Barrier()
		<-ran
	})
}

// Callbacks that panic, or end their goroutine as t.FailNow does, do not keep
// others from running.
func TestCallbackPanics(t *testing.T) {
	var log strings.Builder
	d := rcu.NewDomain(rcu.Config{Name: "demo", Logger: slog.New(slog.NewTextHandler(&log, nil))})
	ran := false
	d.Call(func() { panic("oops") })
	d.Call(func() { panic(errors.New("again")) })
	d.Call(runtime.Goexit)
	d.Call(func() { ran = true })
	d.Barrier()
	d.Call(runtime.Goexit) // the last of its batch
	d.Barrier()
	d.Close()
	if s := d.Stats(); !ran || s.Panicked != 4 || s.Run != 5 || s.Waiting != 0 {
		t.Errorf("after two panics and two Goexits: the other ran: %v, stats %+v", ran, s)
	}
	got := log.String()
	if strings.Count(got, "a callback panicked") != 2 || strings.Count(got, "a callback called runtime.Goexit") != 2 ||
		!strings.Contains(got, "rcu=demo panic=oops") {
		t.Errorf("log:\n%s", got)
	}
}

// A few callbacks wait for more to come, five times; a batch of them does not.
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
	defer d.Close() // does not wait for the hour either
	for _, isPatient := range []bool{false, true} {
		call := func(f func(), times int) {
			for i := range times {
				d.Call(f)
				if i == 0 && isPatient {
					spinUntil(waitsForMore)
				}
			}
		}
		var group sync.WaitGroup
		group.Add(10)
		call(group.Done, 10)
		group.Wait()
		call(func() {}, 1)
		d.Barrier() // nor does this
	}
}

// waitsForMore reports whether a callback goroutine waits for more callbacks.
func waitsForMore() bool {
	stacks := make([]byte, 1<<20)
	for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		state, _, _ := strings.Cut(stack, "\n")
		if strings.Contains(stack, "rcu.(*Updater).take(") && !strings.Contains(state, "run") { // running, runnable
			return true
		}
	}
	return false
}

func TestClose(t *testing.T) {
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		n := 0
		for range 100 {
			f.Call(func() { n++ })
		}
		f.Call(func() { // a callback of a callback is not lost either
			n++
			f.Call(func() {
				n++
				f.Call(func() { n++ })
			})
		})
		var group sync.WaitGroup
		for range 3 {
			group.Go(func() {
				f.Close()
				if n != 103 {
					t.Errorf("%d callbacks ran before Close returned, want 103", n)
				}
			})
		}
		group.Wait()
		f.Close()
		f.Synchronize()
		f.Barrier()
		wantPanic(t, "rcu: Call after Close", func() { f.Call(func() {}) })
		wantPanic(t, "rcu: StartPoll after Close", func() { f.StartPoll() })
		if n := f.Stats().Waiting; n != 0 {
			t.Errorf("%d callbacks wait after Close and a Call that panicked, want 0", n)
		}
	})
	rcu.NewDomain(rcu.Config{}).Close() // also without a Call
}

// However many goroutines poll for a grace period, one callback makes it run.
func TestPollsShare(t *testing.T) {
	noGC(t)
	each(t, rcu.Config{Patience: time.Millisecond}, func(t *testing.T, f flavour) {
		leave := holdUp(f)
		first := f.StartPoll()
		spinUntil(f.Running)
		second := f.StartPoll()
		for range 1000 {
			if c := f.StartPoll(); c != second || c == first {
				t.Fatalf("cookie %d, want %d, which the grace period after the one that runs is for, and not %d", c, second, first)
			}
		}
		if f.Poll(first) {
			t.Error("a grace period is over, with a reader inside that it found")
		}
		if s := f.Stats(); s.Waiting != 0 {
			t.Errorf("%d callbacks wait, want 0: those of StartPoll do not count", s.Waiting)
		}
		leave()
		for !f.Poll(second) {
			runtime.Gosched()
		}
		if n := f.Stats().GracePeriods; n != 2 {
			t.Errorf("%d grace periods, want 2", n)
		}
	})
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

// wantStacks is wantPanic under Config.Trace: the panic says want, and has two
// stacks; one of them goes through the function before.
func wantStacks(t *testing.T, want, before string, f func()) {
	t.Helper()
	defer func() {
		got := fmt.Sprint(recover())
		first, rest, _ := strings.Cut(got, "\n\n")
		then, now, _ := strings.Cut(rest, "\nand this is at\n")
		if first != want || !strings.Contains(then, before) || !strings.Contains(now, "rcu_test.wantStacks") {
			t.Errorf("panic %q, want %q, a stack through %s and another through here", got, want, before)
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
	wantPanic(t, "rcu: SynchronizeExpedited in a read-side critical section waits for itself", reader.SynchronizeExpedited)
	wantPanic(t, "rcu: Barrier in a read-side critical section waits for itself", reader.Barrier)
	wantPanic(t, "rcu: Unregister in a read-side critical section", reader.Unregister)
	reader.ReadUnlock()
	reader.Synchronize()
	reader.SynchronizeExpedited()
	reader.Barrier()
	reader.Unregister()
	wantPanic(t, "rcu: Unregister of a reader that is not registered", reader.Unregister)
}

// A pinned section that waits for itself ends the program, with a message: a panic
// while pinned cannot be recovered.
func TestPinnedSelfDeadlock(t *testing.T) {
	if !primitives.PinExcludes {
		t.Skip("two goroutines may be pinned to one CPU in this build")
	}
	p := rcu.NewPinned(rcu.Config{})
	if wait := waits(p)[os.Getenv("RCU_SELF_DEADLOCK")]; wait != nil {
		s := p.ReadLock()
		wait()
		p.ReadUnlock(s)
		return // it did not panic, and a child must not start one
	}
	for name := range waits(p) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestPinnedSelfDeadlock$")
		cmd.Env = append(os.Environ(), "RCU_SELF_DEADLOCK="+name)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), name+" in a read-side critical section waits for itself") {
			t.Errorf("%s: %v: %.2000s", name, err, out)
		}
	}
}

// waits are the methods that wait for readers.
func waits(f rcu.Flavour) map[string]func() {
	return map[string]func(){
		"Synchronize": f.Synchronize, "SynchronizeExpedited": f.SynchronizeExpedited, "Barrier": f.Barrier, "Close": f.Close,
	}
}

// With Config.Trace each flavour knows which goroutines are in a section.
func TestTracedSelfDeadlock(t *testing.T) {
	each(t, rcu.Config{Trace: true}, func(t *testing.T, f flavour) {
		if _, pinned := f.(*rcu.Pinned); pinned {
			t.Skip("ends the program")
		}
		h := reader(f)
		defer h.Unregister()
		defer h.Offline()
		h.Online()
		h.ReadLock()
		for name, wait := range waits(f) {
			wantStacks(t, "rcu: "+name+" in a read-side critical section waits for itself", "rcu_test.TestTracedSelfDeadlock", wait)
		}
		h.ReadUnlock()
		h.Offline()
		for _, wait := range waits(f) {
			wait()
		}
		h.Online()
		h.ReadLock()
		var group sync.WaitGroup
		group.Go(f.Barrier) // another goroutine is in no section
		group.Wait()
		h.ReadUnlock()
	})
}

func TestWaitsInCallback(t *testing.T) {
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		other := rcu.NewDomain(rcu.Config{})
		f.Call(func() {
			wantPanic(t, "rcu: Barrier in a callback waits for itself", f.Barrier)
			wantPanic(t, "rcu: Close in a callback waits for itself", f.Close)
			other.Call(func() {})
			other.Barrier()
			other.Close()
		})
		f.Barrier()
	})
}

// An online reader of a QSBR is offline while it waits, and online afterwards.
func TestQuiescentReaderWaits(t *testing.T) {
	q := rcu.NewQSBR(rcu.Config{})
	r := q.Register()
	for _, wait := range []func(){r.Synchronize, r.SynchronizeExpedited, r.Barrier} {
		q.Call(func() {})
		wait() // would not return if it waited for the reader
		if !r.IsOnline() {
			t.Error("the reader is offline after it waited")
		}
	}
	r.Offline()
	r.Barrier()
	q.Synchronize() // it is offline still
	r.Unregister()
	q.Close()
}

func TestHandleMisuse(t *testing.T) {
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		switch f.(type) {
		case *rcu.QSBR:
			t.Skip("sections do nothing")
		case *rcu.Pinned:
			t.Skip("a panic in a section ends the program")
		}
		h := f.NewHandle()
		wantPanic(t, "rcu: ReadUnlock without ReadLock", h.ReadUnlock)
		h.ReadLock()
		h.ReadLock()
		h.ReadUnlock()
		wantPanic(t, "rcu: Unregister in a read-side critical section", h.Unregister)
		h.ReadUnlock()
		h.Unregister()
	})
}

// Above the high-water mark Call slows its caller down, more the further above, and
// does not stop it: the callbacks may wait for the caller, if it is a reader.
func TestBackPressure(t *testing.T) {
	for _, traced := range []bool{false, true} { // then it is known that the caller is a reader
		d := rcu.NewDomain(rcu.Config{HighWater: 10, Trace: traced})
		s := d.ReadLock()
		began := time.Now()
		for range 10 + 30 {
			d.Call(func() {})
		}
		if took := time.Since(began); took < 7*time.Millisecond {
			t.Errorf("30 calls above the mark were delayed by %v in all, want 10×100 µs, 10×200 µs and 10×400 µs or more", took)
		}
		d.ReadUnlock(s)
		d.Close()
		if d.Hurried() {
			t.Error("no callback waits, and grace periods are still expedited")
		}
	}
}

// However far above the mark, Call delays its caller, and no longer than callbacks are
// too many.
func TestBackPressureEnds(t *testing.T) {
	d := rcu.NewDomain(rcu.Config{HighWater: 1})
	var called, goOn, returned primitives.Bool
	d.Call(func() {
		for range 70 { // 2⁶⁹ × 100 µs are no time.Duration
			d.Call(func() {})
		}
		called.Store(true)
		spinUntil(goOn.Load)
	})
	spinUntil(called.Load)
	var group sync.WaitGroup
	group.Go(func() {
		d.Call(func() {})
		returned.Store(true)
	})
	spinUntil(func() bool { return d.Stats().Waiting == 72 })
	for range 20 {
		time.Sleep(time.Millisecond)
		if returned.Load() {
			t.Fatal("Call of the 72nd callback has returned, and none has run")
		}
	}
	goOn.Store(true)
	group.Wait() // not for 2³⁰ × 100 µs, which are 30 hours
	d.Close()
}

// While a reader holds up a grace period that was not expedited, callers that call
// as fast as they can get no further than Config.HighWater says, and the grace
// period is expedited.
func TestBackPressureBound(t *testing.T) {
	noGC(t)
	const mark, callers, long = 10, 8, 300 * time.Millisecond
	each(t, rcu.Config{HighWater: mark}, func(t *testing.T, f flavour) {
		leave := holdUp(f)
		f.Call(func() {})
		spinUntil(f.Running)
		if n := f.Stats().Expedited; n != 0 {
			t.Errorf("%d grace periods expedited so far, want 0", n)
		}
		began := time.Now()
		var group sync.WaitGroup
		for range callers {
			group.Go(func() {
				for time.Since(began) < long {
					f.Call(func() {})
				}
			})
		}
		for time.Since(began) < long {
			runtime.Gosched()
		}
		waiting, took := f.Stats().Waiting, time.Since(began)
		most := mark*(2+math.Log2(1+callers*float64(took)/(mark*float64(100*time.Microsecond)))) + callers
		if waiting < mark || float64(waiting) > most {
			t.Errorf("%d callbacks wait after %v, want %d to %.0f", waiting, took, mark, most)
		}
		spinUntil(func() bool { return f.Stats().Expedited == 1 })
		leave()
		group.Wait()
	})
}

// In a section of a Pinned Call does not sleep.
func TestBackPressurePinned(t *testing.T) {
	noGC(t)
	p := rcu.NewPinned(rcu.Config{HighWater: 10})
	pool := rcu.Pool[int]{Updater: &p.Updater, New: func() *int { return new(int) }}
	old := pool.Get()
	for range 2 {
		s := p.ReadLock()
		inner := p.ReadLock()
		began := primitives.Nanotime()
		for range 100 {
			p.Call(func() {})
		}
		took := time.Duration(primitives.Nanotime() - began)
		pool.Retire(old)
		c := p.StartPoll()
		p.ReadUnlock(inner)
		p.Call(func() {})
		p.ReadUnlock(s)
		if took < 2*time.Millisecond && primitives.PinExcludes {
			t.Errorf("90 calls above the mark were delayed by %v in all, want 90×50 µs or so", took)
		}
		for !p.Poll(c) {
			runtime.Gosched()
		}
		p.Barrier()
	}
	p.Close()
}

// Call does not delay the callback goroutine: the other callbacks would wait for it,
// and their number would not shrink.
func TestBackPressureInCallback(t *testing.T) {
	d := rcu.NewDomain(rcu.Config{HighWater: 1})
	n := 0
	d.Call(func() {
		for range 100 { // with the delays it would not end
			d.Call(func() { n++ })
		}
	})
	d.Close()
	if n != 100 {
		t.Errorf("%d callbacks, want 100", n)
	}
}

// SynchronizeExpedited expedites the grace periods of the goroutines that wait
// already, and that of the group it joins.
func TestHurry(t *testing.T) {
	noGC(t)
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		leave := holdUp(f)
		var group sync.WaitGroup
		group.Go(f.Synchronize)
		spinUntil(f.Running)
		group.Go(f.Synchronize) // leads the next group
		spinUntil(func() bool { return f.Members() == 1 })
		if n := f.Stats().Expedited; n != 0 || f.Hurried() {
			t.Errorf("%d grace periods expedited before SynchronizeExpedited, want 0", n)
		}
		group.Go(f.SynchronizeExpedited)
		spinUntil(func() bool { return f.Members() == 2 && f.Stats().Expedited == 1 })
		leave()
		group.Wait()
		f.Synchronize()
		if s := f.Stats(); s.Expedited != 2 || s.GracePeriods != 3 || f.Hurried() {
			t.Errorf("stats %+v, want 3 grace periods, the last of them not expedited", s)
		}
	})
}

// Updaters that come together share grace periods.
func TestSharing(t *testing.T) {
	noGC(t)
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		var inside, leave primitives.Bool
		var readers, group sync.WaitGroup
		readers.Go(func() {
			r := reader(f)
			r.Online()
			read(r, func() {
				inside.Store(true)
				spinUntil(leave.Load)
			})
			r.Offline()
		})
		spinUntil(inside.Load)
		const updaters = 20
		for range updaters {
			group.Go(f.Synchronize)
		}
		spinUntil(func() bool { return f.Members() >= updaters-1 })
		leave.Store(true)
		readers.Wait()
		group.Wait()
		if n := f.Stats().GracePeriods; n > 3 {
			t.Errorf("%d grace periods for %d updaters that came in the first one, want 2", n, updaters)
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

// Readers allocate nothing, fenced or not.
func TestAllocations(t *testing.T) {
	for _, fenced := range []bool{false, true} {
		undo := rcu.SetFenced(fenced)
		d, p := rcu.NewDomain(rcu.Config{}), rcu.NewPinned(rcu.Config{})
		r, q := rcu.NewRegistered(rcu.Config{}).Register(), rcu.NewQSBR(rcu.Config{}).Register()
		sections := map[string]func(){
			"domain":     func() { d.ReadUnlock(d.ReadLock()) },
			"pinned":     func() { p.ReadUnlock(p.ReadLock()) },
			"registered": func() { r.ReadLock(); r.ReadUnlock() },
			"qsbr":       func() { q.ReadLock(); q.ReadUnlock(); q.Quiescent() },
		}
		for name, fresh := range flavours {
			h := fresh(rcu.Config{}).NewHandle()
			sections[name+", by a Handle"] = func() { h.ReadLock(); h.ReadUnlock(); h.Quiescent() }
		}
		for name, f := range sections {
			if n := testing.AllocsPerRun(100, f); n != 0 {
				t.Errorf("%s, fenced %v: %v allocations a section, want 0", name, fenced, n)
			}
		}
		undo()
	}
}

// docs/rcu.md has these sizes, too.
func TestSizes(t *testing.T) {
	if primitives.CacheLineSize != 64 || unsafe.Sizeof(uintptr(0)) != 8 || !primitives.PinExcludes {
		t.Skip("the sizes are of the usual build")
	}
	for name, sizes := range map[string][2]uintptr{
		"Domain":          {unsafe.Sizeof(rcu.Domain{}), 360},
		"Pinned":          {unsafe.Sizeof(rcu.Pinned{}), 536},
		"Registered":      {unsafe.Sizeof(rcu.Registered{}), 368},
		"QSBR":            {unsafe.Sizeof(rcu.QSBR{}), 368},
		"Reader":          {unsafe.Sizeof(rcu.Reader{}), 448},
		"QuiescentReader": {unsafe.Sizeof(rcu.QuiescentReader{}), 760},
	} {
		if sizes[0] != sizes[1] {
			t.Errorf("a %s has %d bytes, want %d", name, sizes[0], sizes[1])
		}
	}
}
