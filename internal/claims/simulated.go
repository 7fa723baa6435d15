package claims

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/rwlock"
	"github.com/lockbench/lockbench/seqlock"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
	"github.com/lockbench/lockbench/spinlock"
	"github.com/lockbench/lockbench/ticket"
)

// machineName is the machine of the simulated claims: two sockets, of which 16 CPUs are in
// one.
const machineName = "xeon-8176-8s"

func simulated() []Claim {
	return []Claim{
		{
			Name: "unfair", Says: "A compare-and-swap lock is unfair, and a ticket lock is not.", Simulated: true,
			Try: func(context.Context) (Outcome, error) { return unfair(newTAS, newTicket) },
		},
		{
			Name: "reload", Says: "All waiters of a ticket lock reload its line at each release, and of an MCS lock only the next.", Simulated: true,
			Try: func(context.Context) (Outcome, error) { return reload(newTicket, newMCS) },
		},
		{
			Name: "starves", Says: "A reader-preferring lock starves its writers.", Simulated: true,
			Try: func(context.Context) (Outcome, error) { return starves(new(alone[rwlock.ReaderPref])) },
		},
		{
			Name: "retries", Says: "Readers of a sequence lock retry while others write, and long readers retry for as long as they do.", Simulated: true,
			Try: func(context.Context) (Outcome, error) { return retries(new(seqReader)) },
		},
		{
			Name: "readers-16", Says: "On 16 CPUs a read section of RCU costs almost a hundredth of that of a reader-preferring lock.", Simulated: true,
			Try: func(context.Context) (Outcome, error) { return scales(newReaderPref, flavours()) },
		},
		{
			Name: "preempted", Says: "Waiters of a spinlock whose holder is preempted wait for all of the preemption.", Simulated: true,
			Try: func(context.Context) (Outcome, error) { return preempted(newTTAS) },
		},
	}
}

// An alone is on cache lines of its own, wherever Go's allocator puts it.
type alone[T any] struct {
	_ primitives.CacheLine
	v T
	_ primitives.CacheLine
}

func newTAS() sync.Locker    { return &new(alone[spinlock.TAS]).v }
func newTicket() sync.Locker { return &new(alone[ticket.Lock]).v }
func newMCS() sync.Locker    { return &new(alone[mcs.Lock]).v }
func newTTAS() sync.Locker   { return &new(alone[spinlock.TTAS]).v }

// run runs workers on so many CPUs of the machine, each a body.
func run(cpus int, pauses []sim.Pause, bodies ...func()) (*sim.Report, error) {
	d, err := machines.Find(machineName)
	if err != nil {
		return nil, err
	}
	return sim.Config{Machine: &d.Machine, CPUs: cpus, Seed: 1, Pauses: pauses}.Run(func() {
		for _, body := range bodies {
			primitives.Go(body)
		}
	})
}

// on says which machine it was.
func on(cpus int) string {
	return fmt.Sprintf("%s of %s, simulated, seed 1", wording.Count(cpus, "CPU"), machineName)
}

// unfair counts how many acquisitions of others a worker waits for at most.
func unfair(cas, fair func() sync.Locker) (Outcome, error) {
	const cpus, length = 16, 300 * time.Microsecond
	longest := func(lock sync.Locker) (float64, error) {
		all, most := 0, 0
		last := make([]int, cpus)
		over := false
		bodies := make([]func(), cpus)
		for i := range bodies {
			bodies[i] = func() {
				for !over {
					lock.Lock()
					if last[i] > 0 { // not the first time: workers do not begin together
						most = max(most, all-last[i])
					}
					all++
					last[i] = all
					over = over || primitives.Nanotime() > int64(length)
					lock.Unlock()
					primitives.Busy(50 * time.Nanosecond)
				}
			}
		}
		_, err := run(cpus, nil, bodies...)
		for _, at := range last { // who got nothing more waits still
			most = max(most, all-at)
		}
		return float64(most), err
	}
	a, err := longest(cas())
	if err != nil {
		return Outcome{}, err
	}
	b, err := longest(fair())
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{
		Verdict: both(sure(a >= 5*cpus), sure(b <= 2*cpus)),
		Saw: fmt.Sprintf("In %v one of %d workers had to wait for %s acquisitions of others with the compare-and-swap lock, and for %s with the ticket lock.",
			length, cpus, written(exact("", a)), written(exact("", b))),
		Asked: fmt.Sprintf("at least %d, five turns of all, and at most %d, two turns", 5*cpus, 2*cpus), On: on(cpus), Unit: "acquisitions of others in one wait",
		Bars: []Bar{exact("compare-and-swap", a), exact("ticket", b)},
	}, nil
}

// reload counts the transfers of cache lines of an acquisition.
func reload(all, next func() sync.Locker) (Outcome, error) {
	const few, many, each = 8, 24, 200
	lines := func(lock sync.Locker, cpus int) (float64, error) {
		data := new(alone[primitives.Cell[int]])
		bodies := make([]func(), cpus)
		for i := range bodies {
			bodies[i] = func() {
				for range each {
					lock.Lock()
					data.v.Set(data.v.Get() + 1)
					lock.Unlock()
				}
			}
		}
		r, err := run(cpus, nil, bodies...)
		if err != nil {
			return 0, err
		}
		sum := uint64(0)
		total := r.Total()
		for _, n := range total.Lines {
			sum += n
		}
		return float64(sum) / float64(cpus*each), nil
	}
	var of [4]float64
	for i, fresh := range []func() sync.Locker{all, all, next, next} {
		v, err := lines(fresh(), []int{few, many, few, many}[i])
		if err != nil {
			return Outcome{}, err
		}
		of[i] = v
	}
	return Outcome{
		Verdict: both(sure(of[1] >= 2*of[0]), sure(of[3] <= 1.3*of[2])),
		Saw: fmt.Sprintf("With %d and with %d CPUs, %s and %s lines travel for each acquisition of the ticket lock, and %s and %s for each of the MCS lock.",
			few, many, wording.Number(of[0]), wording.Number(of[1]), wording.Number(of[2]), wording.Number(of[3])),
		Asked: "twice as many with three times the CPUs, and no more than 1.3 times",
		On:    on(many), Unit: "lines/op",
		Bars: []Bar{
			exact(fmt.Sprintf("ticket, %d CPUs", few), of[0]), exact(fmt.Sprintf("ticket, %d CPUs", many), of[1]),
			exact(fmt.Sprintf("mcs, %d CPUs", few), of[2]), exact(fmt.Sprintf("mcs, %d CPUs", many), of[3]),
		},
	}, nil
}

// A shared is a reader-writer lock on lines of its own.
type shared interface {
	sync.Locker
	RLock()
	RUnlock()
}

func (a *alone[T]) lock() shared { return any(&a.v).(shared) }

// starves has seven readers and a writer that all want a lock again and again.
func starves(of interface{ lock() shared }) (Outcome, error) {
	const cpus, length = 8, 300 * time.Microsecond
	lock := of.lock()
	reads, writes := 0, 0
	over := false
	bodies := []func(){func() {
		for !over {
			lock.Lock()
			writes++
			primitives.Busy(200 * time.Nanosecond)
			lock.Unlock()
			primitives.Busy(100 * time.Nanosecond)
		}
	}}
	for range cpus - 1 {
		bodies = append(bodies, func() {
			for !over {
				lock.RLock()
				reads++
				primitives.Busy(200 * time.Nanosecond)
				lock.RUnlock()
				primitives.Busy(20 * time.Nanosecond)
				over = over || primitives.Nanotime() > int64(length)
			}
		})
	}
	if _, err := run(cpus, nil, bodies...); err != nil {
		return Outcome{}, err
	}
	share := float64(writes) / (float64(reads) / (cpus - 1))
	return Outcome{
		Verdict: sure(share < 0.05),
		Saw:     fmt.Sprintf("In %v the writer had the lock %s, and each of 7 readers %s times: %s of a reader's.", length, times(writes), wording.Number(float64(reads)/(cpus-1)), wording.Percent(share)),
		Asked:   "less than 5 % of a reader's", On: on(cpus), Unit: "acquisitions",
		Bars: []Bar{exact("the writer", float64(writes)), exact("a reader", float64(reads)/(cpus-1))},
	}, nil
}

// times says how often.
func times(n int) string {
	switch n {
	case 0:
		return "never"
	case 1:
		return "once"
	}
	return fmt.Sprint(n, " times")
}

// A reader reads something while others write it.
type reader interface {
	write(d time.Duration)     // once
	read(d time.Duration) bool // tries once, and reports whether it did
}

type seqReader struct{ alone[seqlock.Lock] }

func (s *seqReader) write(d time.Duration) {
	s.v.Lock()
	primitives.Busy(d)
	s.v.Unlock()
}

func (s *seqReader) read(d time.Duration) bool {
	seq := s.v.Begin()
	primitives.Busy(d)
	return !s.v.Retry(seq)
}

// retries has short and long reads beside a writer that writes every two microseconds.
func retries(of reader) (Outcome, error) {
	const length, short, long = 400 * time.Microsecond, 100 * time.Nanosecond, 5 * time.Microsecond
	over := false
	tried, done := make(map[time.Duration]int), make(map[time.Duration]int)
	reads := func(d time.Duration) func() {
		return func() {
			for !over {
				tried[d]++
				if of.read(d) {
					done[d]++
				}
			}
		}
	}
	_, err := run(3, nil, func() {
		for primitives.Nanotime() < int64(length) {
			of.write(100 * time.Nanosecond)
			primitives.Busy(2 * time.Microsecond)
		}
		over = true
	}, reads(short), reads(long))
	if err != nil {
		return Outcome{}, err
	}
	again := float64(tried[short]-done[short]) / float64(max(1, done[short]))
	long1 := done[long]
	return Outcome{
		Verdict: both(sure(again > 0.01 && again < 1), sure(long1 <= 1)), // the last may end after the writer
		Saw: fmt.Sprintf("Beside a writer every 2 µs, a read of %v is tried again %s times on average; of %d tries of %v, %d succeeded.",
			short, wording.Number(again), tried[long], long, long1),
		Asked: "short ones now and then, and long ones always, except for one that ends after the last write", On: on(3), Unit: "tries of a read that succeed, of 1",
		Bars: []Bar{exact("short", float64(done[short])/float64(max(1, tried[short]))), exact("long", float64(long1)/float64(max(1, tried[long])))},
	}, nil
}

// A shareable is what readers use, each by a handle of its own.
type shareable struct {
	name   string
	handle func() (enter, leave, end func())
}

func newReaderPref() shareable {
	l := new(alone[rwlock.ReaderPref])
	return shareable{"lock", func() (enter, leave, end func()) { return l.v.RLock, l.v.RUnlock, func() {} }}
}

// flavours returns all flavours of RCU.
func flavours() []func() shareable {
	of := func(name string, f func() rcu.Flavour) func() shareable {
		return func() shareable {
			flavour := f()
			return shareable{name, func() (enter, leave, end func()) {
				h := flavour.NewHandle()
				h.Online()
				return h.ReadLock, h.ReadUnlock, h.Unregister
			}}
		}
	}
	return []func() shareable{
		of("rcu-domain", func() rcu.Flavour { return rcu.NewDomain(rcu.Config{}) }),
		of("rcu-registered", func() rcu.Flavour { return rcu.NewRegistered(rcu.Config{}) }),
		of("rcu-pinned", func() rcu.Flavour { return rcu.NewPinned(rcu.Config{}) }),
		of("rcu-qsbr", func() rcu.Flavour { return rcu.NewQSBR(rcu.Config{}) }),
	}
}

// scales compares what a read section costs a reader when all CPUs read.
func scales(lock func() shareable, rcus []func() shareable) (Outcome, error) {
	const each = 300
	cost := func(of shareable, cpus int) (float64, error) {
		sum := int64(0)
		data := new(alone[primitives.Pointer[alone[primitives.Cell[int]]]]) // what readers look at
		data.v.Store(new(alone[primitives.Cell[int]]))
		bodies := make([]func(), cpus)
		for i := range bodies {
			bodies[i] = func() {
				enter, leave, end := of.handle()
				began := primitives.Nanotime()
				for range each {
					enter()
					data.v.Load().v.Get()
					leave()
				}
				sum += primitives.Nanotime() - began
				end()
			}
		}
		_, err := run(cpus, nil, bodies...)
		return float64(sum) / float64(cpus*each), err
	}
	o := Outcome{On: on(16), Unit: "ns of a read section"}
	costs := make(map[string][2]float64)
	var names []string
	for _, fresh := range append([]func() shareable{lock}, rcus...) {
		var of [2]float64
		var name string
		for i, cpus := range []int{1, 16} {
			shared := fresh()
			name = shared.name
			v, err := cost(shared, cpus)
			if err != nil {
				return Outcome{}, err
			}
			of[i] = v
			o.Bars = append(o.Bars, exact(fmt.Sprintf("%s, %s", name, wording.Count(cpus, "CPU")), v))
		}
		costs[name], names = of, append(names, name)
	}
	const limit = 50 // "almost two orders of magnitude"
	base := costs[names[0]]
	best := 0.0
	var parts []string
	for _, name := range names[1:] {
		of := costs[name]
		best = max(best, base[1]/of[1])
		parts = append(parts, fmt.Sprintf("%s (%s)", wording.Number(base[1]/of[1]), name))
	}
	o.Verdict = sure(best >= limit)
	o.Saw = fmt.Sprintf("A read section of the lock costs each of 16 CPUs %s ns: as much as those of RCU times %s. On one CPU it costs %s ns.",
		wording.Number(base[1]), strings.Join(parts, ", "), wording.Number(base[0]))
	o.Asked = fmt.Sprintf("at least %d times, for one flavour", limit)
	return o, nil
}

// preempted stops the CPU of a lock's holder for a while.
func preempted(fresh func() sync.Locker) (Outcome, error) {
	const cpus, stop = 4, time.Millisecond
	// at runs it all, and returns where and when the lock was taken first, and when next.
	at := func(pauses ...sim.Pause) (cpu int, taken, next time.Duration, err error) {
		lock := fresh()
		holds := new(alone[primitives.Bool])
		bodies := []func(){func() {
			lock.Lock()
			cpu = primitives.Pin()
			primitives.Unpin()
			taken = time.Duration(primitives.Nanotime())
			holds.v.Store(true)
			primitives.Busy(20 * time.Microsecond)
			lock.Unlock()
		}}
		for range cpus - 1 {
			bodies = append(bodies, func() {
				for !holds.v.Load() {
					primitives.Busy(100 * time.Nanosecond)
				}
				lock.Lock()
				if next == 0 {
					next = time.Duration(primitives.Nanotime())
				}
				lock.Unlock()
			})
		}
		_, err = run(cpus, pauses, bodies...)
		return cpu, taken, next, err
	}
	cpu, taken, before, err := at()
	if err != nil {
		return Outcome{}, err
	}
	_, _, after, err := at(sim.Pause{CPU: cpu, After: taken + 5*time.Microsecond, For: stop})
	if err != nil {
		return Outcome{}, err
	}
	us := func(d time.Duration) float64 { return float64((d - taken).Nanoseconds()) / 1000 }
	return Outcome{
		Verdict: sure(after-before >= stop*9/10),
		Saw: fmt.Sprintf("The first of 3 waiters has the lock %s µs after its holder took it, and %s µs if the holder is stopped for %v meanwhile.",
			wording.Number(us(before)), wording.Number(us(after)), stop),
		Asked: "that the pause is added to the wait", On: on(cpus), Unit: "µs until the next has the lock",
		Bars: []Bar{exact("undisturbed", us(before)), exact("its holder stopped", us(after))},
	}, nil
}
