package sim

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"slices"
	"sort"
	"strings"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// A Config says how to run something.
type Config struct {
	Machine *Machine // what to simulate
	CPUs    int      // how many of the machine's are used, the first ones; 0 is all
	Place   []int    // or which of the machine's are used, in the order in which workers have them
	Seed    uint64   // of what is left to chance: which of several CPUs comes first

	// Limit is how much virtual time the run may take: one that is not over by then
	// hangs. 0 is ten seconds.
	Limit time.Duration

	Pauses []Pause         // in any order
	Slow   map[int]float64 // by CPU, how many times as long as others it takes

	// Observe, if it is not nil, is called with each event, as soon as its end is known,
	// so nearly in the order of their times. It must not use package primitives, and it
	// changes nothing about the run.
	Observe func(Event)
}

// A Pause stops a CPU for a while, whatever it runs, once that much virtual time has
// passed: a host takes a virtual CPU away, or an interrupt comes. CPU -1 is all.
type Pause struct {
	CPU        int           // its number, from 0; -1 is all
	After, For time.Duration // virtual time
}

// Counts are what a CPU has done, or all of them.
type Counts struct {
	Operations  uint64            // on words and cells
	Lines       [Distances]uint64 // that have come, by distance
	Invalidated uint64            // copies of others
	Switches    uint64            // of goroutines
	Spin        time.Duration     // spent in waits that keep the CPU
}

func (c *Counts) add(o *Counts) {
	c.Operations += o.Operations
	for d, n := range o.Lines {
		c.Lines[d] += n
	}
	c.Invalidated += o.Invalidated
	c.Switches += o.Switches
	c.Spin += o.Spin
}

// A Report says what a run has done.
type Report struct {
	Time time.Duration // how long it took, in virtual time
	CPUs []Counts      // by CPU, in the order of Config.Place
}

// Total returns the counts of all CPUs together.
func (r *Report) Total() (sum Counts) {
	for i := range r.CPUs {
		sum.add(&r.CPUs[i])
	}
	return sum
}

// A HangError says that workers are left that never go on, or not within the limit.
type HangError struct {
	Limit time.Duration // 0 if nothing could happen any more
	At    time.Duration // virtual time
	State string        // of each CPU and worker, a line each
}

// Error says when it hung and, on more lines, the State.
func (e *HangError) Error() string {
	if e.Limit == 0 {
		return fmt.Sprintf("hang: after %v nothing can happen any more:\n%s", e.At, e.State)
	}
	return fmt.Sprintf("hang: not over after %v:\n%s", e.Limit, e.State)
}

// A PanicError is the panic of a worker.
type PanicError struct {
	Value any    // what it panicked with
	Stack string // of its goroutine
}

// Error says what the panic was and, on more lines, the Stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("a worker panicked: %v\n\n%s", e.Value, e.Stack)
}

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Running returns what all CPUs have done so far in the run that the caller is a worker of,
// and nothing outside of one. A wait that goes on is not in Spin yet.
func Running() (sum Counts) {
	m, ok := engine.Current().(*machine)
	if !ok {
		return sum
	}
	for _, c := range m.cpus {
		counts := c.counts
		counts.Spin = c.spin.duration()
		sum.add(&counts)
	}
	return sum
}

// State describes each CPU that does something, and what its worker does, in the run that
// the caller is a worker of.
func State() string {
	if m, ok := engine.Current().(*machine); ok {
		return m.state()
	}
	return ""
}

func panicked(w *worker, v any) error {
	return &PanicError{Value: v, Stack: fmt.Sprintf("worker %d on CPU %d, after %v:\n%s", w.id, w.cpu.id, w.cpu.now.duration(), debug.Stack())}
}

var errVirtual = errors.New("sim: built without -tags virtual, so that primitives know no engine: go test -tags virtual")

// A machine runs workers. It is the engine of package primitives.
type machine struct {
	desc     Machine
	costs    costs
	cpus     []*cpu
	ranked   []*cpu    // by rank
	spans    []span    // by CPU and distance, the ranks up to it
	nearest  [][]int32 // by CPU, all others and itself, the nearest first
	far      []Distance
	nodes    []int // by CPU
	siblings bool  // whether two of them are threads of one core
	words    int   // of a set of CPUs
	workers  []*worker
	live     int // workers for which the run waits
	idle     int // CPUs that run nothing
	main     routine
	turn     *routine // which goroutine runs, or will next
	self     *worker
	clock    picos // of the last event
	limit    picos // on the clock
	last     picos // when the last worker ended, so far
	events   events
	seq      uint32
	rng      *rand.Rand
	lines    map[uintptr]*line
	known    []*line // by number
	timers   []*timer
	unused   []int32 // numbers of timers
	parkers  map[unsafe.Pointer]*parker
	failure  error
	exited   bool // a worker has called runtime.Goexit
	ended    bool
	observe  func(Event) // or nil
}

func (m *machine) over() bool { return m.ended || m.exited || m.failure != nil }

// all returns the ranks of all CPUs.
func (m *machine) all() span { return span{0, len(m.cpus)} }

func (m *machine) distance(a, b int32) Distance { return m.far[int(a)*len(m.cpus)+int(b)] }

// Run runs body in virtual time: as a worker on CPU 0, which starts others with
// [primitives.Go]. It returns when they all have ended; those that After has started are
// not waited for. The same body, machine and seed give the same report, on any host.
//
// One run at a time is possible in a process. The error is a [*HangError], a
// [*PanicError], or says what is wrong with the configuration.
func (c Config) Run(body func()) (*Report, error) {
	if !engine.Virtual {
		return nil, errVirtual
	}
	m, err := c.machine()
	if err != nil {
		return nil, err
	}
	// Which words share a line depends on where they are, so nothing may move into
	// the place of something else.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	engine.Enter(m)
	defer engine.Leave()
	w := m.start(body, m.cpus[0], false)
	m.idle = len(m.cpus) - 1
	m.cpus[0].run(w)
	m.limit = picosOf(c.limit())
	m.run()
	if m.failure != nil {
		return nil, m.failure
	}
	r := &Report{Time: m.last.duration()}
	for _, c := range m.cpus {
		c.counts.Spin = c.spin.duration()
		r.CPUs = append(r.CPUs, c.counts)
	}
	return r, nil
}

func (c *Config) limit() time.Duration {
	if c.Limit <= 0 {
		return 10 * time.Second
	}
	return c.Limit
}

// place returns which CPUs of the machine are used.
func (c *Config) place() ([]int, error) {
	all := c.Machine.CPUs()
	if len(c.Place) > 0 {
		if c.CPUs != 0 && c.CPUs != len(c.Place) {
			return nil, fmt.Errorf("sim: %d CPUs, and places for %d", c.CPUs, len(c.Place))
		}
		seen := make(map[int]bool)
		for _, i := range c.Place {
			if i < 0 || i >= all || seen[i] {
				return nil, fmt.Errorf("sim: place %v: want CPUs of 0 to %d, each once", c.Place, all-1)
			}
			seen[i] = true
		}
		return c.Place, nil
	}
	n := c.CPUs
	if n == 0 {
		n = all
	}
	if n < 1 || n > all {
		return nil, fmt.Errorf("sim: %d CPUs: machine %s has %d", c.CPUs, c.Machine.Name, all)
	}
	place := make([]int, n)
	for i := range place {
		place[i] = i
	}
	return place, nil
}

// machine returns a machine at rest.
func (c *Config) machine() (*machine, error) {
	if c.Machine == nil {
		return nil, errors.New("sim: no machine")
	}
	if err := c.Machine.Validate(); err != nil {
		return nil, fmt.Errorf("sim: machine %s: %w", c.Machine.Name, err)
	}
	place, err := c.place()
	if err != nil {
		return nil, err
	}
	n := len(place)
	m := &machine{
		desc: *c.Machine, costs: c.Machine.costs(), observe: c.Observe,
		rng:   rand.New(rand.NewPCG(c.Seed, 0x6c6f636b)),
		lines: make(map[uintptr]*line), parkers: make(map[unsafe.Pointer]*parker),
	}
	for i := range n {
		m.cpus = append(m.cpus, &cpu{m: m, id: int32(i), pace: 1, free: make(map[unsafe.Pointer][]unsafe.Pointer)})
		m.nodes = append(m.nodes, c.Machine.Node(place[i]))
		for j := range n {
			d := c.Machine.Distance(place[i], place[j])
			m.far = append(m.far, d)
			m.siblings = m.siblings || d == Sibling
		}
	}
	m.rank(place)
	for i := range n {
		order := make([]int32, n)
		for j := range order {
			order[j] = int32(j)
		}
		sort.SliceStable(order, func(a, b int) bool { return m.distance(int32(i), order[a]) < m.distance(int32(i), order[b]) })
		m.nearest = append(m.nearest, order)
	}
	for _, p := range c.Pauses {
		if p.CPU < -1 || p.CPU >= n || p.After < 0 || p.For < 0 {
			return nil, fmt.Errorf("sim: a pause of CPU %d after %v for %v: want a CPU of 0 to %d, or -1, and no negative time", p.CPU, p.After, p.For, n-1)
		}
		for i, cpu := range m.cpus {
			if p.CPU == i || p.CPU < 0 {
				cpu.pauses = append(cpu.pauses, p)
			}
		}
	}
	for _, cpu := range m.cpus {
		slices.SortStableFunc(cpu.pauses, func(a, b Pause) int { return cmp.Compare(a.After, b.After) })
	}
	for i, pace := range c.Slow {
		if i < 0 || i >= n || !(pace >= 1 && pace <= 1e6) {
			return nil, fmt.Errorf("sim: CPU %d %v times as slow: want a CPU of 0 to %d, and 1 to 1e6", i, pace, n-1)
		}
		m.cpus[i].pace = pace
	}
	return m, nil
}

// run lets workers run until the last one has ended, and then ends those that are left.
func (m *machine) run() {
	defer func() {
		m.ended = true
		engine.Rests()
		for _, w := range m.workers {
			if w.state != done {
				m.hand(&m.main, &w.routine)
			}
		}
	}()
	m.hand(&m.main, m.next())
	if m.exited {
		runtime.Goexit()
	}
}

// rank numbers the CPUs, which are at these places of the machine, by what they are near.
func (m *machine) rank(place []int) {
	m.ranked = slices.Clone(m.cpus)
	cores := m.desc.cores()
	slices.SortFunc(m.ranked, func(a, b *cpu) int {
		a1, b1 := place[a.id], place[b.id]
		return cmp.Or(cmp.Compare(a1%cores, b1%cores), cmp.Compare(a1, b1)) // a core's number says where it is, see Machine
	})
	for i, c := range m.ranked {
		c.rank = i
	}
	for _, c := range m.cpus {
		for d := range Distances {
			s := span{c.rank, c.rank + 1}
			for s.from > 0 && m.distance(c.id, m.ranked[s.from-1].id) <= Distance(d) {
				s.from--
			}
			for s.to < len(m.ranked) && m.distance(c.id, m.ranked[s.to].id) <= Distance(d) {
				s.to++
			}
			m.spans = append(m.spans, s)
		}
	}
	m.words = (len(m.cpus) + 63) / 64
}

// next lets one event after the other happen until a worker goes on: it returns that, or
// main if the run is over.
func (m *machine) next() *routine {
	for m.live > 0 && !m.over() {
		if len(m.events) == 0 {
			m.failure = &HangError{At: m.clock.duration(), State: m.state()}
			break
		}
		e := m.events.pop()
		switch {
		case e.kind == resumes && (e.turn != m.workers[e.what].turn || m.workers[e.what].state == done),
			e.kind == isGranted && e.turn != m.known[e.what].turn:
			continue
		}
		if e.at > m.limit {
			m.failure = &HangError{Limit: m.limit.duration(), At: m.clock.duration(), State: m.state()}
			break
		}
		m.clock = e.at
		switch e.kind {
		case resumes:
			w := m.workers[e.what]
			w.cpu.now = e.at
			if !m.again(w) {
				return &w.routine
			}
		case storeArrives:
			m.cpus[e.what].arrive()
		case isGranted:
			m.grant(m.known[e.what], e.at)
		case looksForWork:
			m.cpus[e.what].look(e.at)
		case timerFires:
			t := m.timers[e.what]
			m.timers[e.what] = nil
			m.unused = append(m.unused, e.what)
			if !t.stopped {
				t.stopped = true
				t.f()
			}
		}
	}
	return &m.main
}

// state describes each CPU that does something and each worker that is left.
func (m *machine) state() string {
	var b strings.Builder
	for _, c := range m.cpus {
		if c.runs == nil && len(c.queue) == 0 {
			continue
		}
		fmt.Fprintf(&b, "CPU %d at %v:", c.id, c.now.duration())
		if w := c.runs; w != nil {
			fmt.Fprintf(&b, " worker %d %s", w.id, stateNames[w.state])
			if w.pins > 0 {
				b.WriteString(", pinned")
			}
		} else {
			b.WriteString(" idle")
		}
		if n := len(c.queue); n > 0 {
			fmt.Fprintf(&b, "; %d more want it", n)
		}
		b.WriteByte('\n')
	}
	n := 0
	for _, w := range m.workers {
		if w.state == asleep {
			n++
		}
	}
	if n > 0 {
		fmt.Fprintf(&b, "%d workers sleep\n", n)
	}
	return b.String()
}
