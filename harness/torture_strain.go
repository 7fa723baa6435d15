package harness

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A strain is what a tight bout puts on the readers of a flavour of RCU: what
// makes an instant long in which a reader has half begun its section.
type strain int

const (
	unstrained strain = iota

	// clogged: a reader begins while what its CPU stored just before waits for
	// lines that are in no cache. What it announces waits behind that, for half
	// a microsecond, and meanwhile it reads: whoever counts on seeing it in time
	// needs a fence.
	clogged

	// interrupted: the kernel takes the readers' CPUs away from them, some
	// thousand times a second, at any instruction, and gives them back when
	// several grace periods are over. A reader that was away while it began its
	// section stays there for a while.
	interrupted
)

const (
	volley   = 64                     // sections in an act
	clogs    = 4                      // stores; many more wait in front of the store buffer
	mostHold = 2 * time.Microsecond   // of a section then
	longAway = 2                      // as many grace periods
	stays    = 100 * time.Microsecond // for how long a reader stays that was away
	mostHogs = 8
)

// A farLine is one of so many lines that caches do not hold them.
type farLine struct {
	word    primitives.Uint64
	touched bool
	_       [farStride - 16]byte
}

const (
	farStride = 2 * primitives.CacheLineSize
	farSize   = 64 << 20 // several times what CPUs here cache
	pageSize  = 4 << 10  // at least
)

// far has them. Their pages are there before anybody needs them: on a virtual
// machine that may take a second, when it is asked for the first time.
var far = sync.OnceValue(func() []farLine {
	lines := make([]farLine, farSize/farStride)
	for i := 0; i < len(lines); i += pageSize / farStride {
		lines[i].touched = true
	}
	return lines
})

// clog fills the store buffer of the caller's CPU.
func (v *rcuVictim) clog(lines []farLine) {
	for range clogs {
		v.sink = work(1, v.sink)
		lines[v.sink>>32%uint64(len(lines))].word.StoreRelease(1) // not Store, which waits until it is seen
	}
}

// volley is many short sections.
func (v *rcuVictim) volley(a act) {
	var lines []farLine
	if v.bout.strain == clogged {
		lines = far()
	}
	for n := 0; n == 0 || n < volley && phase(v.bout.word.Load()) < stopping; n++ {
		if v.bout.strain == clogged {
			v.reader.Offline()
			v.clog(lines)
			v.reader.Online()
		}
		before := v.periods.Load()
		v.reader.ReadLock()
		f := v.find()
		if v.bout.strain == clogged {
			v.sink = work(Registers.steps(mostHold)*int(a.choice%64)/64, v.sink) // without a store
		} else if v.periods.Load()-before >= longAway {
			v.tally.Long++
			for until := primitives.Nanotime() + int64(stays); primitives.Nanotime() < until; {
			}
		}
		v.ages[v.look(f)]++
		v.reader.ReadUnlock()
		v.read++
		v.reader.Quiescent()
	}
}

// hogs is how many there are in an interrupted bout: one for each CPU but that of
// the updater.
func (b *bout) hogs() int {
	if b.strain != interrupted {
		return 0
	}
	return min(max(1, b.cpus-1), mostHogs)
}

// hog takes a CPU away from whoever has it, again and again.
func (b *bout) hog(cpu int, rng *rand.Rand) {
	defer b.settle(cpu)()
	var bed standby
	for !b.over() {
		// Longer away than there, or the kernel would think that it has had its
		// share, and not let it go first.
		if d := between(rng, 20*time.Microsecond, 200*time.Microsecond); canStandBy {
			bed.wait(d)
		} else {
			time.Sleep(d)
		}
		there := int64(between(rng, 20*time.Microsecond, 100*time.Microsecond))
		for until := primitives.Nanotime() + there; primitives.Nanotime() < until; {
		}
	}
}

// settle keeps the caller on a CPU, where that can be.
func (b *bout) settle(cpu int) (leave func()) {
	leave, err := bind(cpu, nil)
	if err != nil {
		return func() {}
	}
	return leave
}
