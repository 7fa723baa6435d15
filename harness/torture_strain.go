package harness

import (
	"math/rand/v2"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A strain is what a tight round does to the readers of a flavour of RCU: it prolongs
// the moment in which a reader has begun its section only in part.
type strain int

const (
	unstrained strain = iota

	// clogged: a reader begins while earlier stores of its CPU wait for lines that are
	// in no cache. The store that announces the reader waits behind them for half a
	// microsecond, and meanwhile it reads: an updater that must see the announcement in
	// time needs a fence.
	clogged

	// interrupted: the kernel preempts the readers' threads some thousand times a
	// second, at any instruction, and lets them continue when several grace periods are
	// over. A reader that was preempted while it began its section stays in it for a
	// while.
	interrupted
)

const (
	volley   = 64                     // sections in an act
	clogs    = 4                      // stores; with many more, the last ones wait in front of the store buffer
	mostHold = 2 * time.Microsecond   // of a section then
	longAway = 2                      // grace periods during which a reader was preempted
	stays    = 100 * time.Microsecond // for how long such a reader stays
	mostHogs = 8
)

// A farLine is one of more lines than the caches hold.
type farLine struct {
	word    primitives.Uint64
	touched bool
	_       [farStride - 16]byte
}

const (
	farStride = 2 * primitives.CacheLineSize
	farSize   = 64 << 20 // several times the caches of today's CPUs
	pageSize  = 4 << 10  // at least
)

// farLines are made by the first round that needs them. They are guarded by machine.
var farLines []farLine

// far returns the lines, with their pages mapped. On a virtual machine the first call
// may take a second.
func far() []farLine {
	if farLines == nil {
		lines := make([]farLine, farSize/farStride)
		for i := 0; i < len(lines); i += pageSize / farStride {
			lines[i].touched = true
		}
		farLines = lines
	}
	return farLines
}

// clog fills the store buffer of the caller's CPU.
func (w *rcuWorker) clog(lines []farLine) {
	for range clogs {
		w.sink = work(1, w.sink)
		lines[w.sink>>32%uint64(len(lines))].word.StoreRelease(1) // not Store, which waits until other CPUs can see it
	}
}

// volley runs many short sections.
func (w *rcuWorker) volley(a act) {
	var lines []farLine
	if w.round.strain == clogged {
		lines = far()
	}
	for n := 0; n == 0 || n < volley && phase(w.round.word.Load()) < stopping; n++ {
		if w.round.strain == clogged {
			w.reader.Offline()
			w.clog(lines)
			w.reader.Online()
		}
		before := w.periods.Load()
		w.reader.ReadLock()
		f := w.find()
		if w.round.strain == clogged {
			w.sink = work(Registers.steps(mostHold)*int(a.choice%64)/64, w.sink) // without a store
		} else if w.periods.Load()-before >= longAway {
			w.tally.Long++
			primitives.Busy(stays)
		}
		w.ages[w.look(f)]++
		w.reader.ReadUnlock()
		w.read++
		w.reader.Quiescent()
	}
}

// hogs returns how many hogs an interrupted round has: one for each CPU except that of
// the updater.
func (r *round) hogs() int {
	if r.strain != interrupted {
		return 0
	}
	return min(max(1, r.cpus-1), mostHogs)
}

// hog takes a CPU away from the thread that runs on it, again and again.
func (r *round) hog(cpu int, rng *rand.Rand) {
	defer r.settle(cpu)()
	var sleeper standby
	for !r.over() {
		// It must sleep longer than it runs, or the kernel would count that it has had
		// its share, and not let it preempt the reader.
		if d := between(rng, 20*time.Microsecond, 200*time.Microsecond); canStandBy {
			sleeper.wait(d)
		} else {
			primitives.Sleep(d)
		}
		primitives.Busy(between(rng, 20*time.Microsecond, 100*time.Microsecond))
	}
}

// settle binds the caller to a CPU, where that is possible.
func (r *round) settle(cpu int) (leave func()) {
	leave, err := bind(cpu, nil)
	if err != nil {
		return func() {}
	}
	return leave
}
