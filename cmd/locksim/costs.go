package main

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/primitives"
)

// This file measures single costs of the machine that it runs on. Operations on words are
// those of sync/atomic: a build with the tag virtual asks for an engine before each of
// package primitives', which takes longer than some of them do. A sample takes some 100 µs,
// so that most samples are not interrupted.

// apart keeps the fields before and after it on cache lines of their own, also where the
// CPU fetches lines in pairs.
type apart [2 * primitives.CacheLineSize]byte

// each returns how many nanoseconds n operations took, each.
func each(began int64, n int) float64 { return float64(primitives.Nanotime()-began) / float64(n) }

// A link is a line that says where the next one is.
type link struct {
	next atomic.Pointer[link]
	_    apart
}

// ring returns a link of a ring of eight.
func ring() *link {
	var links [8]link
	for i := range links {
		links[i].next.Store(&links[(i+1)%len(links)])
	}
	return &links[0]
}

// loadNS returns what a load takes whose address is what the load before it returned: code
// that does not depend on it would hide it.
func loadNS() float64 {
	const n = 50_000
	at := ring()
	began := primitives.Nanotime()
	for range n {
		at = at.next.Load()
	}
	ns := each(began, n)
	runtime.KeepAlive(at)
	return ns
}

// release stores as primitives.StoreRelease does on amd64: by a call, because the compiler
// may merge other stores.
//
//go:noinline
func release(to *uint32, v uint32) { *to = v }

func storeNS() float64 {
	const n = 50_000
	var line struct {
		_    apart
		word uint32
		_    apart
	}
	began := primitives.Nanotime()
	for i := range uint32(n) {
		release(&line.word, i)
	}
	return each(began, n)
}

func modifyNS() float64 {
	const n = 10_000
	var line struct {
		_    apart
		word atomic.Uint32
		_    apart
	}
	began := primitives.Nanotime()
	for i := range uint32(n) {
		line.word.CompareAndSwap(i, i+1)
	}
	return each(began, n)
}

// A hoard is more memory than caches hold. Each of its lines says which is next, in an order
// that no CPU can guess.
type hoard struct {
	next []uint32 // that of line i is at 16*i
	at   uint32
}

func newHoard() *hoard {
	const lines = 2 << 20 // of 64 bytes
	order := make([]uint32, lines)
	for i := range order {
		order[i] = uint32(i)
	}
	rand.New(rand.NewPCG(1, 1)).Shuffle(lines, func(i, j int) { order[i], order[j] = order[j], order[i] })
	h := &hoard{next: make([]uint32, 16*lines)}
	for i, line := range order {
		h.next[16*line] = order[(i+1)%lines]
	}
	return h
}

func (h *hoard) loads() float64 {
	const n = 1000
	at := h.at
	began := primitives.Nanotime()
	for range n {
		at = h.next[16*at]
	}
	ns := each(began, n)
	h.at = at
	return ns
}

func clockNS() float64 {
	const n = 2000
	began := primitives.Nanotime()
	for range n {
		primitives.Nanotime()
	}
	return each(began, n)
}

// pinNS returns what one of Pin and Unpin takes, without the question for an engine.
func pinNS() float64 {
	const n = 10_000
	began := primitives.Nanotime()
	for range n {
		primitives.Pin()
		primitives.Unpin()
	}
	both := each(began, n)
	began = primitives.Nanotime()
	for range n {
		before, after := primitives.Virtual(), primitives.Virtual() // as Pin and Unpin ask
		if before || after {
			panic("calibrate runs under an engine")
		}
	}
	return max(both-each(began, n), 0) / 2
}

// The next three are about goroutines that share a CPU: GOMAXPROCS must be 1.

// switchNS returns what it takes to go on with another goroutine.
func switchNS() float64 {
	const n = 300
	var over atomic.Bool
	var other sync.WaitGroup
	other.Go(func() {
		for !over.Load() {
			runtime.Gosched()
		}
	})
	runtime.Gosched()
	began := primitives.Nanotime()
	for range n {
		runtime.Gosched() // and the other one does, too
	}
	ns := each(began, 2*n)
	over.Store(true)
	other.Wait()
	return ns
}

// wakeNS returns what an Unpark of a goroutine that sleeps takes.
func wakeNS() float64 {
	const n = 50
	var parkers [n]primitives.Parker
	var begun atomic.Int32
	var all sync.WaitGroup
	for i := range parkers {
		all.Go(func() {
			begun.Add(1)
			parkers[i].Park()
		})
	}
	for begun.Load() < n {
		runtime.Gosched()
	}
	runtime.Gosched() // the last one has gone to sleep
	began := primitives.Nanotime()
	for i := range parkers {
		parkers[i].Unpark()
	}
	ns := each(began, n)
	all.Wait()
	return ns
}

// parkNS returns what it takes to wake another goroutine, to go to sleep, and for the other
// one to go on: half of a round.
func parkNS() float64 {
	const n = 300
	var mine, others primitives.Parker
	var other sync.WaitGroup
	other.Go(func() {
		for range n {
			others.Park()
			mine.Unpark()
		}
	})
	began := primitives.Nanotime()
	for range n {
		others.Unpark()
		mine.Park()
	}
	ns := each(began, 2*n)
	other.Wait()
	return ns
}

// A pair is two CPUs, or any two if it has none.
type pair []int

// on calls f for side i of the pair on its CPU.
func (p pair) on(i int, f func()) error {
	if p != nil {
		return harness.OnCPU(p[i], f)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f()
	return nil
}

// both calls one and other at the same time, on the two CPUs.
func (p pair) both(one, other func()) error {
	failed := make(chan error)
	go func() { failed <- p.on(1, other) }()
	err := p.on(0, one)
	if err2 := <-failed; err == nil {
		err = err2
	}
	return err
}

// answer is how long one side waits for the other, which may have lost its CPU.
const answer = 6 * time.Millisecond

// within calls condition until it is true, but not for longer than answer. It reports
// whether it was.
func within(condition func() bool) bool {
	for until := primitives.Nanotime() + int64(answer); !condition(); {
		if primitives.Nanotime() > until {
			return false
		}
	}
	return true
}

// A wire is a word that two CPUs write in turn.
type wire struct {
	_     apart
	word  atomic.Uint32
	_     apart
	until int64
}

// turn waits until the word is v, and reports whether it has come to that in time.
func (w *wire) turn(v uint32) bool {
	for n := 1; w.word.Load() != v; n++ {
		if n%1024 == 0 && primitives.Nanotime() > w.until {
			return false
		}
	}
	return true
}

// A page has one line that is used: what CPUs fetch in advance is not on other pages.
type page struct {
	_    apart
	word atomic.Uint32
	_    [4096]byte
}

// pages is how many are used one after the other, so that it takes longer than the clock
// can tell.
const pages = 8

// zero is 0, which the compiler does not know.
var zero uint32

// add adds 1 to the words, in an order that no CPU guesses, each when the one before it has
// been added to.
func add(words *[pages]page) {
	next := [pages]uint32{3, 6, 5, 1, 7, 0, 4, 2} // 0 3 1 6 4 7 2 5
	at := uint32(0)
	for range pages {
		at = next[at] + words[at].word.Add(1)&zero
	}
}

// transfers returns what an addition to a word takes that the other CPU has written last; or,
// if copied is true, that the other CPU has written and this one has read. ok is false if
// the other side did not answer.
func (p pair) transfers(copied bool) (ns float64, ok bool, err error) {
	const rounds = 20
	words := new([pages]page)
	w := &wire{until: primitives.Nanotime() + int64(answer)}
	var times []float64
	err = p.both(func() {
		for i := range uint32(rounds) {
			if !w.turn(2*i + 1) {
				return
			}
			if copied {
				for k := range words {
					words[k].word.Load()
				}
			}
			// What the clock takes is measured with it.
			before := primitives.Nanotime()
			began := primitives.Nanotime()
			add(words)
			took := primitives.Nanotime() - began
			times = append(times, float64(took-(began-before))/pages)
			w.word.Store(2*i + 2)
		}
	}, func() {
		for i := range uint32(rounds) {
			if !w.turn(2 * i) {
				return
			}
			for k := range words {
				words[k].word.Store(i)
			}
			w.word.Store(2*i + 1)
		}
	})
	if err != nil || len(times) < rounds {
		return 0, false, err
	}
	return quantile(times, 0.5), true, nil
}

// additions returns the time of an addition to one word, of two CPUs that both do nothing
// else. ok is false if they hardly ever did it at the same time.
func (p pair) additions() (ns float64, ok bool, err error) {
	const chunks, n = 40, 100
	line := new(wire)
	var begun, over atomic.Bool
	var times []float64
	err = p.both(func() {
		defer over.Store(true)
		if !within(begun.Load) {
			return
		}
		for range chunks {
			began, first := primitives.Nanotime(), line.word.Add(1)
			for range n - 1 {
				line.word.Add(1)
			}
			// How many of both there were.
			all := line.word.Load() - first + 1
			if ns := each(began, int(all)); all > n*5/4 && all < 5*n {
				times = append(times, ns)
			}
		}
	}, func() {
		begun.Store(true)
		within(func() bool {
			for range n {
				line.word.Add(1)
			}
			return over.Load()
		})
	})
	if err != nil || len(times) < chunks/4 {
		return 0, false, err
	}
	return quantile(times, 0.5), true, nil
}

// startNS returns how long it takes from when a goroutine is to be woken until it runs on a
// CPU that was idle. ok is false if it did not run there in time.
func startNS() (ns float64, ok bool) {
	var sleeper primitives.Parker
	var ran atomic.Int64
	go func() {
		sleeper.Park()
		ran.Store(primitives.Nanotime())
	}()
	time.Sleep(200 * time.Microsecond) // it sleeps, and so does the CPU
	began := primitives.Nanotime()
	sleeper.Unpark()
	ok = within(func() bool { return ran.Load() != 0 })
	return float64(ran.Load() - began), ok
}

// membarriers returns what a Membarrier takes while the other CPU runs.
func (p pair) membarriers() (ns float64, ok bool, err error) {
	const n = 5
	var begun, over atomic.Bool
	err = p.both(func() {
		defer over.Store(true)
		if !within(begun.Load) {
			return
		}
		began := primitives.Nanotime()
		for range n {
			primitives.Membarrier()
		}
		ns, ok = each(began, n), true
	}, func() {
		begun.Store(true)
		within(over.Load)
	})
	return ns, ok, err
}

// quantile returns the value below which that share of the values is.
func quantile(values []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[int(share*float64(len(sorted)-1)+0.5)]
}
