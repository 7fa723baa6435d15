package rwlock

import (
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A counts says how many readers there are, by a count for each CPU, each on
// lines of its own. A reader counts itself in on the CPU where it finds itself
// and out on the one where it then is; only the sum means anything.
//
// It belongs to a lock with a word that turns readers away, the gate, and they
// follow this protocol, which relies on SC: a reader counts itself in and then
// looks at the gate, a writer shuts the gate and then looks at the counts. If
// each looked first, or if a store could pass a load, neither would see the
// other. A reader that finds the gate shut counts itself out on the CPU where
// it counted itself in.
//
// To leave takes no such order, only release: all that the reader did must be
// seen before its departure is. So the count of departures needs no locked
// instruction where nobody else can change it, as while pinned; a writer then
// sees a departure a little later, and waits for as long.
//
// I1: while the gate is shut, a sum of 0 says that nobody reads. Readers that
// got past the gate had counted themselves in before it was shut, so the sum
// has all of them, and each that it has out it has in, too. A reader that is
// turned away meets one CPU's counts only, of which we read departed first, and
// it wrote departed last: it adds 1 or nothing.
//
// I2: therefore the sum is not negative, save by an RUnlock too many.
type counts struct {
	// cpus is how many CPUs have been seen. It grows before a new one counts.
	cpus primitives.Uint32
	on   primitives.PerCPU[tally]
}

// A tally is what one CPU counted. One word for the difference
// would not do: readers come by a locked instruction and leave without one, and
// the two must not change the same word. With two we also know how many reads
// there were.
type tally struct {
	// arrived changes by Add alone, departed by AddOwn alone, on its own CPU.
	arrived, departed primitives.Uint64

	// returned is when a reader of this CPU last came back from a shut gate, in
	// ns modulo 2³², stay for how long it had stayed away, in ns, and travel how
	// far the gate's line travels. They may lose updates: any value is right.
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

// enter counts the caller in, and out again if gate is not what open says, and
// reports whether it was.
func (c *counts) enter(gate *primitives.Uint32, open uint32) bool {
	cpu := primitives.Pin()
	if uint32(cpu) >= c.cpus.Load() {
		c.grow(uint32(cpu))
	}
	here := c.on.At(cpu)
	here.arrived.Add(1)      // full: relies on SC, see counts
	if gate.Load() != open { // acquire: pairs with who opened it
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

// sum returns how many readers came, ever, and how many of them have not left.
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

// drain waits, the gate being shut, until nobody reads, and returns how many
// reads there were, ever. It reports false if more readers left than came, and
// mends the counts.
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

// Writes are frequent if readers that came back are turned away again within
// this: what it takes to fetch a few lines, and a dozen reads.
const (
	nearSoon = 1 * time.Microsecond
	farSoon  = 8 * time.Microsecond
)

// stayAway is for a reader that met a shut gate, before it gets in line. The
// lines that a writer has fetched are with its CPU, and each look of ours takes
// some back. Where writes are frequent the CPUs would do nothing but that. So
// readers who are turned away soon after they came back stay away for longer
// each time, some microseconds at most, and the writer's CPU gets on: it writes
// and reads what it has at hand.
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
	if isOpen { // so the line has changed, and this look fetched it
		here.travel.Learn(time.Duration(now - began))
	}
	here.returned.StoreRelease(uint32(now))
}
