package rcu_test

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// Under Config.Trace the end of a Section that must not be ended panics at once, and
// the panic says where the Section was begun or ended before.
func TestTracedSections(t *testing.T) {
	d, other := rcu.NewDomain(rcu.Config{Trace: true}), rcu.NewDomain(rcu.Config{Trace: true})
	s := beginIn(d)
	wantStacks(t, "rcu: ReadUnlock of a section of another Domain", "rcu_test.beginIn", func() { other.ReadUnlock(s) })
	endIn(d, s)
	wantStacks(t, "rcu: ReadUnlock of a section that has ended", "rcu_test.endIn", func() { d.ReadUnlock(s) })
	const none = "rcu: ReadUnlock of a section that no ReadLock of this Domain has returned"
	wantPanic(t, none, func() { d.ReadUnlock(rcu.Section{}) })
	plain := rcu.NewDomain(rcu.Config{})
	wantPanic(t, none, func() { d.ReadUnlock(plain.ReadLock()) })
	d.Synchronize() // the panics changed nothing
	other.Synchronize()
}

// A zero flavour panics in its caller, not in the goroutine of callbacks, and says
// which constructor to use.
func TestZeroFlavours(t *testing.T) {
	const made = ": want NewDomain, NewPinned, NewRegistered or NewQSBR"
	var (
		d rcu.Domain
		p rcu.Pinned
		r rcu.Registered
		q rcu.QSBR
	)
	for name, u := range map[string]rcu.Flavour{"Domain": &d, "Pinned": &p, "Registered": &r, "QSBR": &q} {
		for method, call := range map[string]func(){
			"Synchronize": u.Synchronize, "SynchronizeExpedited": u.SynchronizeExpedited, "Barrier": u.Barrier, "Close": u.Close,
			"Call": func() { u.Call(func() {}) }, "StartPoll": func() { u.StartPoll() },
		} {
			t.Run(name+"/"+method, func(t *testing.T) { wantPanic(t, "rcu: "+method+" of a zero value"+made, call) })
		}
	}
	wantPanic(t, "rcu: Register of a zero value"+made, func() { r.Register() })
	wantPanic(t, "rcu: Register of a zero value"+made, func() { q.Register() })
}

func beginIn(d *rcu.Domain) rcu.Section { return d.ReadLock() }

func endIn(d *rcu.Domain, s rcu.Section) { d.ReadUnlock(s) }

// Without Config.Trace the next grace period that finds more sections ended than
// begun panics, and ends nevertheless.
func TestUntracedSections(t *testing.T) {
	d := rcu.NewDomain(rcu.Config{})
	s := d.ReadLock()
	d.ReadUnlock(s)
	d.ReadUnlock(rcu.Section{})
	d.ReadUnlock(rcu.NewDomain(rcu.Config{}).ReadLock())
	const found = "rcu: 2 ReadUnlocks too many since the last grace period (Config.Trace would tell whose)"
	wantPanic(t, found, d.Synchronize)
	d.Synchronize()
	d.ReadUnlock(s)
	d.ReadUnlock(s)
	wantPanic(t, found, d.SynchronizeExpedited)
	if d.Hurried() {
		t.Error("after a panic grace periods are still expedited")
	}

	// The goroutines that shared the grace period continue, and one of them panics.
	inside := d.ReadLock()
	var group sync.WaitGroup
	var panics primitives.Uint32
	synchronize := func() {
		defer func() {
			if recover() != nil {
				panics.Add(1)
			}
		}()
		d.Synchronize()
	}
	group.Go(synchronize)
	spinUntil(d.Running)
	for range 3 {
		group.Go(synchronize)
	}
	spinUntil(func() bool { return d.Members() == 3 })
	again := d.ReadLock() // of the other set
	d.ReadUnlock(again)
	d.ReadUnlock(inside)
	d.ReadUnlock(again)
	group.Wait()
	if n := panics.Load(); n != 1 {
		t.Errorf("%d of the goroutines that waited panicked, want 1", n)
	}
	d.Synchronize()
}

// The counts of sections do not overflow.
func TestManySections(t *testing.T) {
	for _, many := range []uint64{1<<31 + 1, 1 << 32, 1<<32 + 1} {
		d := rcu.NewDomain(rcu.Config{StallAfter: time.Microsecond, Logger: slog.New(slog.DiscardHandler)})
		s := d.ReadAhead(many)
		var group sync.WaitGroup
		var over primitives.Bool
		group.Go(func() {
			d.Synchronize()
			over.Store(true)
		})
		spinUntil(func() bool { return d.Stats().Stalls > 0 || over.Load() })
		if over.Load() {
			t.Fatalf("a grace period is over with %d readers inside", many)
		}
		d.EndAhead(s, many-1)
		d.ReadUnlock(s)
		group.Wait()
	}
}

// A Reader can be in MostSections sections, one inside the other, and not in one
// more.
func TestNestingLimit(t *testing.T) {
	for _, trace := range []bool{false, true} {
		r := rcu.NewRegistered(rcu.Config{Trace: trace}).Register()
		r.ReadLock()
		r.InSections(rcu.MostSections - 1)
		r.ReadLock()
		wantPanic(t, "rcu: ReadLock in 2147483647 sections, one inside the other", r.ReadLock)
		r.ReadUnlock()
		r.ReadLock()
		wantBegins(t, "rcu: Synchronize in a read-side critical section waits for itself", r.Synchronize)
		r.InSections(1)
		r.ReadUnlock()
		r.Synchronize()
		r.Unregister()
	}
}

// wantBegins is wantPanic for the first line of the panic only.
func wantBegins(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		if got, _, _ := strings.Cut(fmt.Sprint(recover()), "\n"); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}()
	f()
}

// A Reader that has unregistered can begin no section, traced or not.
func TestGoneReaders(t *testing.T) {
	for _, trace := range []bool{false, true} {
		for _, fenced := range []bool{!primitives.CanMembarrier(), true} {
			undo := rcu.SetFenced(fenced)
			cfg := rcu.Config{Trace: trace}
			r, q := rcu.NewRegistered(cfg).Register(), rcu.NewQSBR(cfg).Register()
			r.Unregister()
			q.Unregister()
			wantBegins(t, "rcu: ReadLock of a reader that is not registered", r.ReadLock)
			wantBegins(t, "rcu: Unregister of a reader that is not registered", r.Unregister)
			for name, call := range map[string]func(){"Unregister": q.Unregister, "Online": q.Online, "Offline": q.Offline,
				"Quiescent": q.Quiescent, "Synchronize": q.Synchronize} {
				wantBegins(t, "rcu: "+name+" of a reader that is not registered", call)
			}
			undo()
		}
	}
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		h := f.NewHandle()
		h.Unregister()
		wantPanic(t, "rcu: Unregister of a reader that is not registered", h.Unregister)
		if _, ok := f.(*rcu.QSBR); !ok { // its sections do nothing
			wantPanic(t, "rcu: ReadLock of a reader that is not registered", h.ReadLock)
		}
	})
}

// Under Config.Trace misuse of a reader, by its own or another goroutine, panics at
// once, and the panic shows the section or the call that it clashes with.
func TestTracedReaders(t *testing.T) {
	elsewhere := func(f func()) func() {
		return func() {
			var group sync.WaitGroup
			var says any
			group.Go(func() {
				defer func() { says = recover() }()
				f()
			})
			group.Wait()
			if says == nil {
				t.Error("no panic in another goroutine")
				return
			}
			panic(strings.Replace(fmt.Sprint(says), "sync.(*WaitGroup)", "rcu_test.wantStacks", 1)) // it is not a frame of that goroutine
		}
	}
	r := rcu.NewRegistered(rcu.Config{Trace: true}).Register()
	lockIn(r)
	wantStacks(t, "rcu: ReadLock by another goroutine than the reader's", "rcu_test.lockIn", elsewhere(r.ReadLock))
	wantStacks(t, "rcu: Unregister in a read-side critical section", "rcu_test.lockIn", r.Unregister)
	r.ReadUnlock()
	wantPanic(t, "rcu: ReadUnlock without ReadLock", r.ReadUnlock)

	q := rcu.NewQSBR(rcu.Config{Trace: true})
	online := q.Register()
	goOffline(online)
	wantStacks(t, "rcu: ReadLock of a reader that is offline", "rcu_test.goOffline", online.ReadLock)
	online.Quiescent()
	if online.IsOnline() {
		t.Error("Quiescent brought a reader online")
	}
	online.Online()
	lockIn(online)
	for name, call := range map[string]func(){
		"Quiescent": online.Quiescent, "Offline": online.Offline, "Online": online.Online, "Unregister": online.Unregister,
		"Synchronize": online.Synchronize, "SynchronizeExpedited": online.SynchronizeExpedited, "Barrier": online.Barrier,
	} {
		wantStacks(t, "rcu: "+name+" in a read-side critical section", "rcu_test.lockIn", call)
	}
	wantStacks(t, "rcu: ReadLock by another goroutine than the reader's", "rcu_test.lockIn", elsewhere(online.ReadLock))
	wantStacks(t, "rcu: ReadUnlock by another goroutine than the reader's", "rcu_test.lockIn", elsewhere(online.ReadUnlock))
	online.ReadLock()
	online.ReadUnlock()
	online.ReadUnlock()
	wantPanic(t, "rcu: ReadUnlock without ReadLock", online.ReadUnlock)
	online.Quiescent()
	online.Unregister()
	q.Synchronize()
}

func lockIn(r interface{ ReadLock() }) { r.ReadLock() }

func goOffline(r interface{ Offline() }) { r.Offline() }

// Ending a pinned section wrongly panics, too. A child process does it, because a
// panic with preemption off ends the program.
func TestPinnedMisuse(t *testing.T) {
	misuses := map[string]struct {
		want string
		do   func(p *rcu.Pinned)
	}{
		"twice": {"ReadUnlock of a section that is not of this goroutine, or has ended", func(p *rcu.Pinned) {
			s := p.ReadLock()
			p.ReadUnlock(s)
			p.ReadUnlock(s)
		}},
		"another": {"ReadUnlock of a section that is not of this goroutine, or has ended", func(p *rcu.Pinned) {
			rcu.NewPinned(rcu.Config{Trace: true}).ReadUnlock(p.ReadLock())
		}},
		"zero": {"ReadUnlock of a PinnedSection that no ReadLock has returned", func(p *rcu.Pinned) {
			p.ReadUnlock(rcu.PinnedSection{})
		}},
	}
	if m, ok := misuses[os.Getenv("RCU_PINNED_MISUSE")]; ok {
		m.do(rcu.NewPinned(rcu.Config{Trace: true}))
		return // it did not panic
	}
	for name, m := range misuses {
		if !primitives.PinExcludes && name != "zero" {
			continue // the other section may be of another goroutine, pinned to the same CPU
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestPinnedMisuse$")
		cmd.Env = append(os.Environ(), "RCU_PINNED_MISUSE="+name)
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), m.want) {
			t.Errorf("%s: %v, want %q: %.2000s", name, err, m.want, out)
		}
	}
}

// A wait that cannot end panics: one in the report of a stall, because the grace
// period waits for the report. So does Poll of a Cookie that StartPoll has not
// returned.
func TestUpdaterMisuse(t *testing.T) {
	noGC(t)
	each(t, rcu.Config{}, func(t *testing.T, f flavour) {
		wantPanic(t, "rcu: Call of nil", func() { f.Call(nil) })
		const stray = "rcu: Poll of a Cookie that StartPoll has not returned"
		wantPanic(t, stray, func() { f.Poll(0) })
		wantPanic(t, stray, func() { f.Poll(f.StartPoll() + 100) })
	})
	var f flavour
	var reported primitives.Bool
	cfg := rcu.Config{StallAfter: time.Microsecond, Logger: slog.New(slog.DiscardHandler), OnStall: func(rcu.Stall) {
		for name, wait := range waits(f) {
			wantPanic(t, "rcu: "+name+" in a stall's report waits for itself", wait)
		}
		reported.Store(true)
	}}
	for _, name := range names {
		f = flavours[name](cfg)
		reported.Store(false)
		leave := holdUp(f)
		var group sync.WaitGroup
		group.Go(f.Synchronize)
		spinUntil(reported.Load)
		leave()
		group.Wait()
		f.Close()
	}
}

// A flavour that has run callbacks and is dropped without Close is collected, and
// leaves no goroutine behind.
func TestDropped(t *testing.T) {
	for _, name := range names {
		var gone, ran primitives.Bool
		func() {
			f := flavours[name](rcu.Config{Patience: time.Microsecond})
			runtime.AddCleanup(f.Itself(), func(int) { gone.Store(true) }, 0)
			for range 3 {
				ran.Store(false)
				f.Call(func() { ran.Store(true) })
				spinUntil(func() bool { return ran.Load() && !f.Started() })
			}
		}()
		for tries := 300; !gone.Load() && tries > 0; tries-- { // one or two would do
			runtime.GC()
			runtime.Gosched()
		}
		if !gone.Load() {
			t.Errorf("a %s that was dropped is kept in memory", name)
		}
	}
}

// The end of one hurry does not end another one, nor that of the callbacks.
func TestHurries(t *testing.T) {
	q := rcu.NewQSBR(rcu.Config{HighWater: 1, Patience: time.Hour})
	r := q.Register()
	var first, second sync.WaitGroup
	first.Go(q.SynchronizeExpedited)
	spinUntil(func() bool { return q.Now() == 4 }) // the first grace period looks at its readers
	second.Go(q.SynchronizeExpedited)
	spinUntil(func() bool { return q.Members() == 1 })
	r.Quiescent()
	first.Wait()
	if !q.Hurried() {
		t.Error("the end of one SynchronizeExpedited ended the hurry of another, which waits")
	}
	spinUntil(func() bool { return q.Now() == 6 })
	later := q.Register() // the running grace period does not wait for it, that of the callbacks does
	for range 2 {
		q.Call(func() {})
	}
	r.Unregister()
	second.Wait()
	if !q.Hurried() {
		t.Error("the end of a SynchronizeExpedited ended the hurry of too many callbacks")
	}
	later.Unregister()
	q.Close()
	if q.Hurried() {
		t.Error("no goroutine waits, and grace periods are still expedited")
	}
}
