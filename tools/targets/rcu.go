package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
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
func readCosts(ctx context.Context, j *judge, rounds int) error {
	if err := sectionCosts(ctx, j, 3*rounds); err != nil {
		return err
	}
	return scaling(ctx, j, rounds)
}

// overLoop is the unit of the cost of a section beyond the loop around it.
const overLoop = "ns over a loop"

func sectionCosts(ctx context.Context, j *judge, rounds int) error {
	loops := []loop{
		{"loop", func() func(int) {
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
	samples, err := inTurn(ctx, j, loops, rounds)
	if err != nil {
		return err
	}
	empty := map[int]float64{}
	for _, s := range samples {
		if s.Lock == "loop" {
			empty[s.Round], _ = s.Value("ns/op")
		}
	}
	for i, s := range samples {
		ns, _ := s.Value("ns/op")
		samples[i].Values = append(s.Values, results.Value{Unit: overLoop, Value: ns - empty[s.Round]})
	}
	j.title("A read-side critical section that reads a pointer and what it points to, on one CPU, over an empty loop%s", ifFenced())
	limits := map[string]float64{"qsbr": 0.6, "registered": 3, "pinned": 5.5, "domain": 9, "domain-fenced": 15}
	var claims []claim
	for _, name := range []string{"qsbr", "registered", "pinned", "domain", "domain-fenced", "qsbr-quiescent", "rw-readerpref"} {
		claims = append(claims, claim{lock: name, against: "sync.RWMutex", unit: overLoop, distance: results.Local, limit: limits[name], absolute: true})
	}
	j.claims(samples, claims)

	j.title("The textbook's ×10: what a lock's section costs on one CPU, with the loop, against one of RCU")
	claims = nil
	for _, against := range []string{"pinned", "qsbr"} {
		for _, lock := range []string{"rw-readerpref", "sync.RWMutex"} {
			claims = append(claims, claim{lock: lock, against: against, unit: "ns/op", distance: results.Local})
		}
	}
	j.claims(samples, claims)
	j.title("The same over an empty loop")
	claims = nil
	for _, lock := range []string{"rw-readerpref", "sync.RWMutex"} {
		claims = append(claims, claim{lock: lock, against: "pinned", unit: overLoop, distance: results.Local})
	}
	j.claims(samples, claims) // a ratio to QSBR's would divide by almost 0
	return nil
}

// fence has readers as the flavour has them, until restore.
func (f flavour) fence() (restore func()) {
	was := fenced
	fenced = f.fenced
	return func() { fenced = was }
}

func ifFenced() string {
	if fenced {
		return " (no membarrier here: all readers are fenced)"
	}
	return ""
}

// scaling is sections on two CPUs and on one, while an updater replaces what
// they read a thousand times a second.
func scaling(ctx context.Context, j *judge, rounds int) error {
	all := slices.DeleteFunc(flavours(), func(f flavour) bool { return f.name == "rw-readerpref" })
	var samples []results.Sample
	seen := map[results.Distance]int{}
	for round := range rounds {
		for _, i := range rand.Perm(2 * len(all)) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			f, cpus := all[i/2], 1+i%2
			s, err := f.underUpdater(cpus)
			if err != nil {
				return err
			}
			s.Round = round + 1
			if err := j.sample(s); err != nil {
				return err
			}
			// Readers share no memory, but near CPUs may share other resources.
			if s.Distance == results.Unknown {
				continue // the two CPUs did not run at the same time
			}
			if s.Lock = onOne(f.name); cpus == 2 {
				s.Lock = onTwo(f.name, s.Distance)
				seen[s.Distance]++
			}
			s.CPUs, s.Workers, s.Distance = 1, 1, results.Local
			samples = append(samples, s)
		}
		progress("rcu-read, scaling", round+1, rounds)
	}
	for _, d := range slices.Sorted(maps.Keys(seen)) {
		if seen[d] < len(all) {
			continue
		}
		j.title(fmt.Sprintf("Sections a second on 2 CPUs, %s, against one CPU, with an updater at 1 kHz", d))
		var claims []claim
		for _, f := range all {
			c := claim{lock: onTwo(f.name, d), against: onOne(f.name), unit: "ops/s", distance: results.Local, limit: 1.9, atLeast: true}
			if f.name == "sync.RWMutex" {
				c.limit = 0
			}
			claims = append(claims, c)
		}
		j.claims(samples, claims)
		j.title("Updates a second meanwhile")
		for i := range claims {
			claims[i].unit, claims[i].limit, claims[i].absolute = "updates/s", 0, true
		}
		j.claims(samples, claims)
	}
	return nil
}

func onOne(name string) string                     { return name + ", one CPU" }
func onTwo(name string, d results.Distance) string { return fmt.Sprintf("%s, 2 CPUs, %s", name, d) }

func progress(what string, done, total int) {
	if done%max(1, total/5) == 0 {
		fmt.Fprintf(os.Stderr, "targets: %s: %d of %d rounds\n", what, done, total)
	}
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
