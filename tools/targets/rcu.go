package main

import (
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"
	_ "unsafe" // for linkname

	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/rwlock"
)

// fenced is package rcu's variable: whether readers execute a fence, as they must
// without membarrier. Only this command changes it.
//
//go:linkname fenced github.com/lockbench/lockbench/rcu.fenced
var fenced bool

// An object has the number that sections read.
type object struct{ n int }

// published returns a pointer to one.
func published() *rcu.Pointer[object] {
	p := alone[rcu.Pointer[object]]()
	p.Assign(&object{1})
	return p
}

// A flavour is what readers and updaters share. Sections read one object, by
// direct calls.
type flavour struct {
	name   string
	new    func() instance
	fenced bool
}

type instance struct {
	// reader returns a reader, for the caller's goroutine.
	reader func() reader
	// update publishes another object, and returns when no reader has the old one.
	update func()
	updater
}

// An updater has the methods that all flavours of RCU have. It is nil for a lock.
type updater interface {
	Synchronize()
	SynchronizeExpedited()
	Stats() rcu.Stats
	Call(func())
	Barrier()
	Close()
}

// A reader is for one goroutine. Some flavours need only a part of it.
type reader struct {
	sections func(n int) // runs n sections, and then says that it is quiet
	offline  func()      // says that it runs none until it is online
	online   func()
	done     func()
}

func nothing() {}

// unregistered returns a reader that needs no registration.
func unregistered(sections func(int)) reader { return reader{sections, nothing, nothing, nothing} }

func newDomain(cfg rcu.Config) instance {
	d, p := rcu.NewDomain(cfg), published()
	return instance{
		reader: func() reader {
			return unregistered(func(n int) {
				sum := 0
				for range n {
					s := d.ReadLock()
					sum += p.Dereference().n
					d.ReadUnlock(s)
				}
				runtime.KeepAlive(sum)
			})
		},
		update:  func() { p.Replace(&object{1}); d.Synchronize() },
		updater: d,
	}
}

func newPinned(cfg rcu.Config) instance {
	d, p := rcu.NewPinned(cfg), published()
	return instance{
		reader: func() reader {
			return unregistered(func(n int) {
				sum := 0
				for range n {
					s := d.ReadLock()
					sum += p.Dereference().n
					d.ReadUnlock(s)
				}
				runtime.KeepAlive(sum)
			})
		},
		update:  func() { p.Replace(&object{1}); d.Synchronize() },
		updater: d,
	}
}

func newRegistered(cfg rcu.Config) instance {
	d, p := rcu.NewRegistered(cfg), published()
	return instance{
		reader: func() reader {
			r := d.Register()
			return reader{offline: nothing, online: nothing, done: r.Unregister, sections: func(n int) {
				sum := 0
				for range n {
					r.ReadLock()
					sum += p.Dereference().n
					r.ReadUnlock()
				}
				runtime.KeepAlive(sum)
			}}
		},
		update:  func() { p.Replace(&object{1}); d.Synchronize() },
		updater: d,
	}
}

func newQSBR(cfg rcu.Config) instance {
	d, p := rcu.NewQSBR(cfg), published()
	return instance{
		reader: func() reader {
			r := d.Register()
			return reader{offline: r.Offline, online: r.Online, done: r.Unregister, sections: func(n int) {
				sum := 0
				for range n {
					r.ReadLock()
					sum += p.Dereference().n
					r.ReadUnlock()
				}
				r.Quiescent()
				runtime.KeepAlive(sum)
			}}
		},
		update:  func() { p.Replace(&object{1}); d.Synchronize() },
		updater: d,
	}
}

// rcuNames are the flavours of RCU, and rcuNew makes them.
var (
	rcuNames = []string{"domain", "pinned", "registered", "qsbr"}
	rcuNew   = map[string]func(rcu.Config) instance{
		"domain": newDomain, "pinned": newPinned, "registered": newRegistered, "qsbr": newQSBR,
	}
)

// flavours are the flavours of RCU, and the locks that they are compared with.
func flavours() []flavour {
	var all []flavour
	for _, name := range rcuNames {
		all = append(all, flavour{name: name, new: func() instance { return rcuNew[name](rcu.Config{}) }, fenced: fenced})
	}
	return append(all,
		flavour{name: "domain-fenced", new: all[0].new, fenced: true},
		flavour{name: "sync.RWMutex", new: newRWMutex},
		flavour{name: "rw-readerpref", new: newReaderPref})
}

func newRWMutex() instance {
	l, p := alone[sync.RWMutex](), published()
	return instance{
		reader: func() reader {
			return unregistered(func(n int) {
				sum := 0
				for range n {
					l.RLock()
					sum += p.Dereference().n
					l.RUnlock()
				}
				runtime.KeepAlive(sum)
			})
		},
		update: func() { l.Lock(); p.Assign(&object{1}); l.Unlock() },
	}
}

func newReaderPref() instance {
	l, p := alone[rwlock.ReaderPref](), published()
	return instance{
		reader: func() reader {
			return unregistered(func(n int) {
				sum := 0
				for range n {
					l.RLock()
					sum += p.Dereference().n
					l.RUnlock()
				}
				runtime.KeepAlive(sum)
			})
		},
		update: func() { l.Lock(); p.Assign(&object{1}); l.Unlock() },
	}
}

// readCosts is what sections cost alone, and how they scale under an updater.
func readCosts(ctx context.Context, _ io.Writer, rounds int) ([]results.Sample, error) {
	costs, err := sectionCosts(ctx, 3*rounds)
	if err != nil {
		return costs, err
	}
	scaled, err := scaling(ctx, rounds)
	return append(over(costs, results.Empty), scaled...), err
}

// sectionCosts measures sections on one CPU by direct calls, and an empty loop.
func sectionCosts(ctx context.Context, rounds int) ([]results.Sample, error) {
	loops := []loop{
		{results.Empty, func() func(int) {
			return func(n int) {
				sum := 0
				for i := range n {
					sum += i
				}
				runtime.KeepAlive(sum)
			}
		}},
		{"qsbr-quiescent", func() func(int) { // after each section
			r, p := rcu.NewQSBR(rcu.Config{}).Register(), published()
			return func(n int) {
				sum := 0
				for range n {
					sum += p.Dereference().n
					r.Quiescent()
				}
				runtime.KeepAlive(sum)
			}
		}},
	}
	for _, f := range flavours() {
		loops = append(loops, loop{f.name, func() func(int) {
			defer f.fence()()
			r := f.new().reader()
			r.sections(perTurn)
			return func(n int) {
				defer f.fence()()
				r.sections(n)
			}
		}})
	}
	return inTurn(ctx, loops, rounds)
}

// A loop runs sections. It knows the type of the lock, so calls inline as they do for a
// user.
type loop struct {
	lock string
	new  func() (sections func(n int)) // on a fresh lock
}

// inTurn measures each loop in every round, in random order, on one CPU. A sample is
// about half a millisecond: short enough that the clock does not change within a round.
func inTurn(ctx context.Context, loops []loop, rounds int) (samples []results.Sample, err error) {
	const sections = 50_000
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for round := range rounds {
		for _, i := range rand.Perm(len(loops)) {
			if ctx.Err() != nil {
				return samples, context.Cause(ctx)
			}
			run := loops[i].new()
			began := primitives.Nanotime()
			run(sections)
			took := primitives.Nanotime() - began
			samples = append(samples, results.Sample{
				Cell:     results.Cell{Lock: loops[i].lock, Reads: 100, Workers: 1, CPUs: 1, Workload: "direct"},
				Round:    round + 1,
				Distance: results.Local,
				Ops:      sections,
				Values:   []results.Value{{Unit: "ns/op", Value: float64(took) / sections}},
			})
		}
	}
	return samples, nil
}

// alone returns a T with no neighbour on its cache lines.
func alone[T any]() *T {
	padded := new(struct {
		_ [2]primitives.CacheLine
		v T
		_ [2]primitives.CacheLine
	})
	return &padded.v
}

// fence has readers as the flavour has them, until restore.
func (f flavour) fence() (restore func()) {
	was := fenced
	fenced = f.fenced
	return func() { fenced = was }
}

// scaling is sections on two CPUs and on one, while an updater replaces what
// they read a thousand times a second.
func scaling(ctx context.Context, rounds int) (samples []results.Sample, err error) {
	all := slices.DeleteFunc(flavours(), func(f flavour) bool { return f.name == "rw-readerpref" })
	meter := newMeter()
	for round := range rounds {
		for _, i := range rand.Perm(2 * len(all)) {
			if ctx.Err() != nil {
				return samples, context.Cause(ctx)
			}
			s, err := all[i/2].underUpdater(1 + i%2)
			if err != nil {
				return samples, err
			}
			s.Round = round + 1
			samples = append(samples, s)
		}
		progress(meter, "rcu-read, scaling", round+1, rounds)
	}
	return samples, nil
}

const (
	perTurn    = 1000 // sections between two looks at the clock, and quiescent states
	underLoad  = 20 * time.Millisecond
	updatesGap = time.Millisecond
)

// underUpdater measures sections by one reader on each of so many CPUs. The updater is
// on the first of them and interrupts the reader there, so it costs as much with one
// reader as with two.
func (f flavour) underUpdater(cpus int) (results.Sample, error) {
	s := results.Sample{
		Cell:     results.Cell{Lock: f.name, Reads: 100, Workers: cpus, CPUs: cpus, Workload: "updated"},
		Distance: results.Local,
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus + 1)) // one for the updater
	defer f.fence()()
	in := f.new()

	probe := func() pingpong.Trip { return pingpong.Trip{Distance: results.Local} }
	var failed error
	if cpus > 1 {
		probe = func() pingpong.Trip {
			t, err := pingpong.Probe(onCPU)
			failed = err
			return t
		}
	}
	before := probe()
	var stop primitives.Bool
	var ready, readers, updating sync.WaitGroup
	begin := make(chan struct{})
	errs := make([]error, cpus+1)
	rates, counts := make([]float64, cpus), make([]int, cpus)
	ready.Add(cpus)
	for i := range cpus {
		readers.Go(func() {
			errs[i] = onCPU(i, func() {
				r := in.reader()
				defer r.done()
				r.sections(10 * perTurn)
				ready.Done()
				<-begin
				n, began := 0, primitives.Nanotime()
				for !stop.Load() {
					r.sections(perTurn)
					n += perTurn
				}
				rates[i], counts[i] = float64(n)/float64(primitives.Nanotime()-began), n
			})
		})
	}
	updates, took := 0, int64(0)
	updating.Go(func() {
		errs[cpus] = onCPU(0, func() {
			<-begin
			began := primitives.Nanotime()
			for next := began; !stop.Load(); {
				in.update()
				updates++
				next += int64(updatesGap)
				time.Sleep(time.Duration(next - primitives.Nanotime()))
			}
			took = primitives.Nanotime() - began
		})
	})
	waitOr(&ready, &readers) // a reader that cannot be bound does not get ready
	close(begin)
	time.Sleep(underLoad)
	stop.Store(true)
	readers.Wait()
	updating.Wait()
	if s.Distance = before.Distance; failed == nil && cpus > 1 {
		s.Distance = before.And(probe())
	}
	for _, err := range append(errs, failed) {
		if err != nil {
			return s, err
		}
	}
	total := 0.0
	for i := range cpus {
		total += rates[i]
		s.Ops += counts[i]
	}
	s.Values = []results.Value{
		{Unit: "ns/op", Value: 1 / total},
		{Unit: "ops/s", Value: 1e9 * total},
		{Unit: "updates/s", Value: 1e9 * float64(updates) / float64(took)},
	}
	return s, nil
}

// waitOr returns when all are ready, or gone.
func waitOr(ready, gone *sync.WaitGroup) {
	either := make(chan struct{}, 2)
	for _, g := range []*sync.WaitGroup{ready, gone} {
		go func() {
			g.Wait()
			either <- struct{}{}
		}()
	}
	<-either
}
