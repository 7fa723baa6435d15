package machine

import (
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/internal/engine"
)

// A VM is the virtual machine. It runs one execution after the other, one worker at a
// time, and is the workers' engine.
type VM struct {
	Execution               // the one that runs, or ran last
	Summed    bool          // whether Execution.Sum is wanted
	Cut       bool          // whether any wait or timer that may end at any time had to end
	Pinned    bool          // whether any worker was ever pinned
	Watch     Watch         // of the goroutines
	begun     atomic.Uint64 // executions so far
	gone      atomic.Bool   // whether the search was given up

	search Search
	limits Limits
	cpu    [MaxWorkers]byte
	debts  [MaxWorkers]debt

	workers []*worker // all that were ever started; the first Live of them are in use
	self    *worker   // the worker that runs, or ran last
	alone   *worker   // the only worker that takes steps, as long as it can, or nil
	starver *worker   // a worker that waits pinned to the only CPU, or nil
	next    *worker   // the worker to run next; nil while one runs, or if the execution is over
	silent  uint32    // workers that run on before the next step is chosen
	pending [MaxProcs]Op

	memory
	now      int64
	tick     time.Duration // how far the clock moves on at the next look
	read     bool          // whether any worker ever looked at the clock
	passed   bool          // whether it ever moved on
	clocked  bool          // whether a look at the clock and a change of it conflict
	turn     Proc          // the proc that had the last turn
	outcome  Outcome
	killing  bool
	recorder *recorder // nil unless the execution is recorded
}

// How far the clock moves on at a look in a long execution, at first and at most.
const (
	firstTick = time.Microsecond
	lastTick  = time.Hour
)

// Limits are those of each execution.
type Limits struct {
	Steps int // how many there may be
	Spins int // how often a wait that may end at any time continues
	CPUs  int // how many CPUs the workers share, or 0 if each has its own
	Nodes int // how many nodes their CPUs are on; 0 is one
}

// New returns a machine that has run nothing yet.
func New(limits Limits) *VM { return &VM{limits: limits} }

// Enter makes m the engine of package primitives. There must be none.
func (m *VM) Enter() { engine.Enter(m) }

// Leave ends what Enter began.
func (m *VM) Leave() { engine.Leave() }

// StepLimit returns how many steps an execution may have.
func (m *VM) StepLimit() int { return m.limits.Steps }

// Begun returns how many executions have begun. Any goroutine may call it.
func (m *VM) Begun() uint64 { return m.begun.Load() }

// GiveUp stops the worker that runs, and the search with it, once it comes back to the
// machine. Any goroutine may call it.
func (m *VM) GiveUp() { m.gone.Store(true) }

// LooksAtTime reports whether a worker has looked at the clock and the clock has moved
// on, and the order of the two did not matter so far.
func (m *VM) LooksAtTime() bool { return m.read && m.passed && !m.clocked }

// OrderTime has a look at the clock and a change of it conflict from now on. In most
// programs no worker looks at it, or none waits for time to pass.
func (m *VM) OrderTime() { m.clocked = true }

// Name returns the name of a worker.
func (m *VM) Name(worker int) string { return m.workers[worker].String() }

// Names returns the names of the workers of the execution.
func (m *VM) Names() (names []string) {
	for i := range m.Live {
		names = append(names, m.Name(i))
	}
	return names
}

// An Execution is what is known of an execution, so far.
type Execution struct {
	Steps  int    // how many there were
	Sum    uint64 // of what they were, if that is wanted
	Script Script // the decisions
	Live   int    // how many workers there are
	Long   bool   // whether all take turns, in the second half of a long execution
	Fault  *Fault // nil if it did not fail
}

// An Outcome says how an execution ended.
type Outcome uint8

// How an execution ends.
const (
	running Outcome = iota
	Complete
	Failed
	Abandoned // by the search, or because it is equivalent to another one
)

// A Kind is a kind of failure.
type Kind string

// The kinds of failure.
const (
	Assertion Kind = "assertion"
	Panic     Kind = "panic"
	DataRace  Kind = "data race"
	Deadlock  Kind = "deadlock"
	Livelock  Kind = "livelock"
	Misuse    Kind = "misuse"
)

// A Fault says what went wrong in an execution.
type Fault struct {
	Kind    Kind
	Message string
	Worker  int     // that it went wrong in
	Other   int     // of a data race: the worker that made the earlier access
	At      Place   // where, if it is no step
	Stack   []Place // of a panic or a misuse: the calls that led there
	Exited  bool    // whether a worker has left by runtime.Goexit, and is lost
}

// A debt is the stores that a worker that was pinned to a CPU has left in its store
// buffer: they are written to memory before another worker runs there.
type debt struct {
	worker *worker
	stores int // how many the worker had put in its buffer, ever
}

// open reports whether w must wait for the debt.
func (d *debt) open(w *worker) bool {
	return d.worker != nil && d.worker != w && d.worker.issued-len(d.worker.stores) < d.stores
}
