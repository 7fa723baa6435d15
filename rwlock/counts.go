package rwlock

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A counts says how many readers there are, by a count for each CPU, each on its
// own cache lines. A reader counts itself in on the CPU where it runs, and later
// out on the CPU where it then runs; only the sum means anything.
//
// It belongs to a lock with a gate: a word that turns readers away. They follow
// this protocol, which relies on SC: a reader counts itself in and then looks at
// the gate, a writer shuts the gate and then looks at the counts. If each looked
// first, or if a load could overtake a store, neither would see the other. A
// reader that finds the gate shut counts itself out on the CPU where it counted
// itself in.
//
// A departure needs no such order, only release: the reader's accesses must be
// visible before its departure is. So it needs no locked instruction either: the
// reader is pinned, and no other goroutine changes its CPU's count meanwhile. A
// writer then sees the departure a little later, and waits for as long.
//
// I1: while the gate is shut, a sum of 0 says that no reader is inside. A reader
// that got past the gate had counted itself in before the gate was shut, so the
// sum has its arrival, whether or not it has its departure. A reader that is
// turned away changes the counts of one CPU only. It writes departed last, and the
// sum reads departed first: so such a reader adds 1 or 0.
//
// I2: therefore the sum is not negative, except after an RUnlock too many.
type counts struct {
	// cpus is how many CPUs have been seen. It grows before a new one counts.
	cpus primitives.Uint32
	on   primitives.PerCPU[tally]
}

// A tally is the counts of one CPU. One word for the difference would not do:
// an arrival is a locked instruction and a departure is not, so the two must not
// change the same word. Two words also tell how many reads there were.
type tally struct {
	// arrived changes by Add alone, departed by AddOwn alone, on its own CPU.
	arrived, departed primitives.Uint64

	// returned is when a reader of this CPU last came back from a shut gate, in
	// ns modulo 2³². stay is how long that reader had stayed away, in ns. travel is
	// how far the gate's line travels. They may lose updates: any value is correct.
	returned, stay primitives.Uint32
	travel         primitives.Travel
}

// pin pins the caller and returns the tally of its CPU.
func (c *counts) pin() *tally {
	cpu := primitives.Pin()
	if uint32(cpu) >= c.cpus.Load() {
		c.grow(uint32(cpu))
	}
	return c.on.At(cpu)
}

func (c *counts) grow(cpu uint32) {
	for n := c.cpus.Load(); n <= cpu; n = c.cpus.Load() {
		c.cpus.CompareAndSwap(n, cpu+1)
	}
}

// enter counts the caller in, and out again if gate is not open. It reports
// whether gate was open.
func (c *counts) enter(gate *primitives.Uint32, open uint32) bool {
	cpu := primitives.Pin()
	if uint32(cpu) >= c.cpus.Load() {
		c.grow(uint32(cpu))
	}
	here := c.on.At(cpu)
	here.arrived.Add(1)      // full: relies on SC, see counts
	if gate.Load() != open { // acquire: pairs with the writer that opened it
		here.departed.AddOwn(1) // release: after arrived, for I1
		primitives.Unpin()
		return false
	}
	primitives.Unpin()
	return true
}

// arrive counts in a caller that need not look at the gate.
func (c *counts) arrive() {
	c.pin().arrived.Add(1)
	primitives.Unpin()
}

// depart counts the caller out.
func (c *counts) depart() {
	cpu := primitives.Pin()
	if uint32(cpu) >= c.cpus.Load() {
		c.grow(uint32(cpu))
	}
	c.on.At(cpu).departed.AddOwn(1) // release (departure)
	primitives.Unpin()
}

// sum returns how many readers have ever come, and how many of them have not left.
// It walks over all CPUs.
func (c *counts) sum() (arrived uint64, inside int64) {
	for cpu := range int(c.cpus.Load()) {
		t := c.on.At(cpu)
		departed := t.departed.Load() // acquire: pairs with departure; before arrived: I1
		a := t.arrived.Load()
		arrived += a
		inside += int64(a - departed)
	}
	return arrived, inside
}

// drain waits until no reader is inside, and returns how many readers have ever
// come. The gate is shut. If more readers left than came, drain corrects the
// counts and returns false.
func (c *counts) drain(spin primitives.Spin) (arrived uint64, ok bool) {
	for {
		arrived, inside := c.sum()
		switch {
		case inside == 0:
			return arrived, true
		case inside < 0: // I2
			c.pin().arrived.Add(uint64(-inside))
			primitives.Unpin()
			return arrived, false
		}
		spin.Once()
	}
}

// Writes are frequent if a reader that came back is turned away again within this
// time: that of fetching a few cache lines and making a dozen reads.
const (
	nearSoon = 1 * time.Microsecond
	farSoon  = 8 * time.Microsecond
)

// stayAway lets a reader that met a shut gate wait before it looks again or gets
// in line. The writer's CPU has fetched the lock's cache lines, and each look of a
// reader takes some of them back; where writes are frequent the CPUs would do
// little else. So a reader that is turned away soon after it came back stays away
// for longer each time, some microseconds at most, while the writer's CPU works
// with the lines that it has.
func (c *counts) stayAway(gate *primitives.Uint32, open uint32, pinned bool) {
	here := c.pin()
	stay, soon, longest := primitives.NearStay, nearSoon, primitives.FarStay
	if here.travel.Far() {
		soon, longest = farSoon, primitives.LongestStay
	}
	if uint32(primitives.Nanotime())-here.returned.Load() < uint32(soon) {
		stay = min(2*time.Duration(here.stay.Load()), longest)
	}
	here.stay.StoreRelease(uint32(stay))
	primitives.Unpin()

	spin := primitives.Spin{Pinned: pinned}
	spin.Delay(stay)
	began := primitives.Nanotime()
	isOpen := gate.Load() == open
	now := primitives.Nanotime()
	if isOpen { // the line has changed, so this look fetched it
		here.travel.Learn(time.Duration(now - began))
	}
	here.returned.StoreRelease(uint32(now))
}
