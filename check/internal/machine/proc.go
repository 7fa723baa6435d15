package machine

import "math/bits"

// A Proc is what can take a step: a worker, a worker's store buffer when it
// writes its oldest store to memory, or a worker's alarm, which ends its Park.
// Worker n is proc 3n, its store buffer 3n+1, and its alarm 3n+2.
type Proc int

// The most workers there can be, with the body, and the most procs.
const (
	MaxWorkers = 10
	MaxProcs   = 3 * MaxWorkers
)

// Worker returns the number of the worker that p is, or is a part of.
func (p Proc) Worker() int { return int(p) / 3 }

func (p Proc) IsWorker() bool { return p%3 == 0 }
func (p Proc) IsBuffer() bool { return p%3 == 1 }

// Procs is a set of procs.
type Procs uint32

func (s Procs) Has(p Proc) bool { return s>>p&1 != 0 }
func (s Procs) Count() int      { return bits.OnesCount32(uint32(s)) }
func (s Procs) First() Proc     { return Proc(bits.TrailingZeros32(uint32(s))) }

// One returns the set of p alone.
func One(p Proc) Procs { return 1 << p }

// after returns the next proc of a set after p; after the last comes the first.
func (s Procs) after(p Proc) Proc {
	if rest := s &^ (1<<(p+1) - 1); rest != 0 {
		return rest.First()
	}
	return s.First()
}

// Buffers are the procs that are store buffers.
const Buffers = Procs(0x12492492)
