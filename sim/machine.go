package sim

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Distance is how far a cache line travels between two CPUs.
type Distance uint8

// The distances.
const (
	Self    Distance = iota // the CPU has the line
	Sibling                 // another thread of the same core
	Cluster                 // another core with the same last-level cache
	Socket                  // another cluster of the same socket
	Remote                  // another socket of the same half
	Far                     // a socket of the other half

	Distances = int(Far) + 1
)

var distanceNames = [Distances]string{"self", "sibling", "cluster", "socket", "remote", "far"}

// String returns the distance in a word, such as "socket".
func (d Distance) String() string {
	if int(d) < len(distanceNames) {
		return distanceNames[d]
	}
	return fmt.Sprintf("Distance(%d)", uint8(d))
}

// A Machine is a computer: what it is made of, and what its operations cost. All costs
// are in nanoseconds.
//
// Its CPUs are numbered as Linux numbers them on most machines: first one thread of each
// core, cluster by cluster and socket by socket, then the second threads in the same
// order.
type Machine struct {
	Name string // as in results: "sim:" and this

	Threads  int // of a core
	Cores    int // of a cluster: they share the last-level cache
	Clusters int // of a socket
	Sockets  int // of a half
	Halves   int // of the machine

	// Load, Store and Modify are the costs of an operation on a line that the CPU has
	// as it needs it. Memory is that of a line that no cache has.
	Load, Store, Modify, Memory float64

	// Hop is what a line takes that another CPU has modified, to a CPU that wants to
	// write it: the one-way time of a ping-pong with a blind CAS, by distance.
	Hop [Distances]float64

	// Upgrade is what it takes to invalidate the copies of a line that the CPU has for
	// reading, by the distance of the farthest: a CAS after a load is a hop and this.
	Upgrade [Distances]float64

	// Invalidate is what each copy but the first adds to an Upgrade.
	Invalidate float64

	// ReadShare is the share of a hop for which a line is occupied by the reading of a
	// copy.
	ReadShare float64

	// Residency is how long, on average, a CPU keeps a line that has come for writing
	// while others wait for it: what it can do meanwhile it does first. It is a part of
	// each hop.
	Residency float64

	// Nearest is the probability that, of the CPUs that wait for a line, a nearest one
	// has it next; otherwise it is any of them.
	Nearest float64

	Clock      float64 // to read the clock, or ask for the node
	Pin        float64 // to disable preemption, or enable it
	Switch     float64 // from one goroutine to the next
	Park       float64 // to go to sleep, without the switch
	Wake       float64 // to wake a goroutine, for the one that wakes it
	Start      float64 // until an idle CPU runs a goroutine that there is for it
	Slice      float64 // after which a goroutine is preempted, if others want its CPU
	Budget     float64 // how long a goroutine spins before it parks: that of primitives.Spin
	Membarrier float64 // beside what the store buffers of all CPUs take
}

// CPUs returns how many CPUs the machine has.
func (m *Machine) CPUs() int { return m.Threads * m.cores() }

func (m *Machine) cores() int { return m.Cores * m.Clusters * m.Sockets * m.Halves }

// Distance returns how far two CPUs are from each other.
func (m *Machine) Distance(a, b int) Distance {
	if a == b {
		return Self
	}
	n := m.cores()
	a, b = a%n, b%n
	if a == b {
		return Sibling
	}
	if a, b = a/m.Cores, b/m.Cores; a == b {
		return Cluster
	}
	if a, b = a/m.Clusters, b/m.Clusters; a == b {
		return Socket
	}
	if a, b = a/m.Sockets, b/m.Sockets; a == b {
		return Remote
	}
	return Far
}

// Node returns the node of a CPU: the number of its socket.
func (m *Machine) Node(cpu int) int { return cpu % m.cores() / (m.Cores * m.Clusters) }

// has reports whether two CPUs of the machine can be that far from each other.
func (m *Machine) has(d Distance) bool {
	switch d {
	case Sibling:
		return m.Threads > 1
	case Cluster:
		return m.Cores > 1
	case Socket:
		return m.Clusters > 1
	case Remote:
		return m.Sockets > 1
	case Far:
		return m.Halves > 1
	}
	return true
}

// Validate returns an error that names all that makes no sense.
func (m *Machine) Validate() error {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	for _, n := range []struct {
		name string
		n    int
	}{{"threads", m.Threads}, {"cores", m.Cores}, {"clusters", m.Clusters}, {"sockets", m.Sockets}, {"halves", m.Halves}} {
		if n.n < 1 || n.n > MaxCPUs {
			bad("%s: %d: want 1 to %d", n.name, n.n, MaxCPUs)
		}
	}
	if len(wrong) == 0 && m.CPUs() > MaxCPUs {
		bad("%d CPUs: want at most %d", m.CPUs(), MaxCPUs)
	}
	const most = 1e9 // a second
	cost := func(name string, ns float64, least float64) {
		if !(ns >= least && ns <= most) { // also if it is not a number
			bad("%s: %v ns: want %v to %v", name, ns, least, most)
		}
	}
	share := func(name string, x, least float64) {
		if !(x >= least && x <= 1) {
			bad("%s: %v: want a share of %v to 1", name, x, least)
		}
	}
	const some = 0.001 // a picosecond
	cost("load", m.Load, some)
	cost("store", m.Store, some)
	cost("modify", m.Modify, some)
	cost("memory", m.Memory, some)
	for d := Sibling; int(d) < Distances; d++ {
		if len(wrong) == 0 && m.has(d) {
			cost("hop."+d.String(), m.Hop[d], some)
			cost("upgrade."+d.String(), m.Upgrade[d], some)
		}
	}
	for _, of := range []struct {
		name string
		ns   float64
	}{
		{"invalidate", m.Invalidate}, {"residency", m.Residency}, {"clock", m.Clock}, {"pin", m.Pin}, {"switch", m.Switch},
		{"park", m.Park}, {"wake", m.Wake}, {"start", m.Start}, {"budget", m.Budget}, {"membarrier", m.Membarrier},
	} {
		cost(of.name, of.ns, 0)
	}
	cost("slice", m.Slice, 1000)
	share("read_share", m.ReadShare, 0)
	share("nearest", m.Nearest, 0)
	return errors.Join(wrong...)
}

// picos is virtual time, or a part of it, in picoseconds.
type picos int64

const never = picos(math.MaxInt64)

// picosOf returns d, of at most a quarter of what picos hold, so that a sum of two or three
// does not run over; 0 if it is negative.
func picosOf(d time.Duration) picos { return picos(min(max(d, 0), time.Duration(never/4000))) * 1000 }

// duration returns d as a duration, rounded down.
func (d picos) duration() time.Duration { return time.Duration(d / 1000) }

func ns(x float64) picos { return picos(math.Round(1000 * x)) }

// costs are a machine's costs as the engine wants them.
type costs struct {
	load, store, modify, memory      picos
	ask, follow, upgrade             [Distances]picos // ask and follow are the two parts of a hop
	reading                          [Distances]picos
	invalidate, residency            picos
	clock, pin, change, park, wake   picos
	start, slice, budget, membarrier picos
}

func (m *Machine) costs() costs {
	c := costs{
		load: ns(m.Load), store: ns(m.Store), modify: ns(m.Modify), memory: ns(m.Memory),
		invalidate: ns(m.Invalidate), residency: ns(m.Residency),
		clock: ns(m.Clock), pin: ns(m.Pin), change: ns(m.Switch), park: ns(m.Park), wake: ns(m.Wake),
		start: ns(m.Start), slice: ns(m.Slice), budget: ns(m.Budget), membarrier: ns(m.Membarrier),
	}
	for d := range Distances {
		c.upgrade[d] = ns(m.Upgrade[d])
		if Distance(d) > Sibling { // threads of a core share its cache
			c.ask[d] = min(c.residency, ns(m.Hop[d]))
		}
		c.follow[d] = ns(m.Hop[d]) - c.ask[d]
		c.reading[d] = ns(m.Hop[d] * m.ReadShare)
	}
	return c
}
