package claims

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/rwlock"
)

// rounds is how many samples there are of each scenario: enough for an interval that one
// disturbed sample in six does not widen.
const rounds = 24

func onHost() []Claim {
	return []Claim{
		{Name: "bytes", Says: "An MCS lock takes two to three times the bytes of a ticket lock, and qspinlock takes four.", Try: func(context.Context) (Outcome, error) { return sizes("ticket", "mcs-queue", "qspinlock") }},
		{
			Name: "burns", Says: "A waiter of a mutex burns no CPU, and one of a spinlock burns a whole one.", Measured: true,
			Try: func(ctx context.Context) (Outcome, error) { return burns(ctx, "mutex", "ttas") },
		},
		{Name: "semaphore", Says: "A semaphore may be released by a goroutine that did not acquire it.", Try: func(context.Context) (Outcome, error) { return semaphore(blocking.NewSemaphore(1)) }},
		{
			Name: "readers-1", Says: "On one CPU a read section of the cheapest RCU costs a tenth of that of a reader-preferring lock.", Measured: true,
			Try: func(ctx context.Context) (Outcome, error) {
				return cheaper(ctx, "rw-readerpref", []string{"rcu-domain", "rcu-registered", "rcu-pinned", "rcu-qsbr"})
			},
		},
		{Name: "grace", Says: "Synchronize waits for readers that began before it, and for no others.", Try: func(context.Context) (Outcome, error) { return grace(newGrace()) }},
	}
}

// locks returns entries of the catalogue by their names.
func locks(names ...string) ([]catalog.Entry, error) {
	var all []catalog.Entry
	for _, name := range names {
		of, err := catalog.Match(name)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

// measure takes samples of a sweep, in rounds.
func measure(ctx context.Context, sweep harness.Sweep) (samples []results.Sample, err error) {
	sweep.Count, sweep.Seed = rounds, 17
	err = sweep.Run(ctx, func(p harness.Progress) error {
		samples = append(samples, p.Sample)
		return nil
	})
	return samples, err
}

// subjects returns the subjects of entries.
func subjects(entries []catalog.Entry) (all []harness.Subject) {
	for _, e := range entries {
		all = append(all, e.Subject)
	}
	return all
}

// byRound returns the values of a lock in a unit, by round.
func byRound(samples []results.Sample, lock, unit string) map[int]float64 {
	of := make(map[int]float64)
	for _, s := range samples {
		if v, ok := s.Value(unit); ok && s.Lock == lock {
			of[s.Round] = v
		}
	}
	return of
}

// listed returns the values of all rounds, in order.
func listed(of map[int]float64) (values []float64) {
	for round := range rounds {
		if v, ok := of[round+1]; ok {
			values = append(values, v)
		}
	}
	return values
}

// host says which machine it was, and how many samples.
func host() string {
	return fmt.Sprintf("this machine, %s; %s of each", wording.Count(runtime.NumCPU(), "CPU"), wording.Count(rounds, "sample"))
}

// fewCPUs is the outcome of an experiment that this machine has too few CPUs for.
func fewCPUs() Outcome {
	return Outcome{Verdict: CannotTell, Saw: "This machine has one CPU.", Asked: "two CPUs", On: host()}
}

// sizes compares what a ticket lock takes, an MCS lock whose caller brings the node, with
// one node, and a lock of one word.
func sizes(ticket, queue, word string) (Outcome, error) {
	entries, err := locks(ticket, queue, word)
	if err != nil {
		return Outcome{}, err
	}
	t, m, q := float64(entries[0].Bytes), float64(entries[1].Bytes+entries[1].WaiterBytes), float64(entries[2].Bytes)
	return Outcome{
		Verdict: both(sure(m >= 2*t && m <= 3*t), sure(q == 4)),
		Saw: fmt.Sprintf("%s has %d bytes; %s has %d, and a node %d: %s times as many. %s has %d.",
			ticket, entries[0].Bytes, queue, entries[1].Bytes, entries[1].WaiterBytes, wording.Number(m/t), word, entries[2].Bytes),
		Asked: "2 to 3 times, and 4 bytes", On: "this build", Unit: "bytes",
		Bars: []Bar{exact(ticket, t), exact(queue+" and a node", m), exact(word, q)},
	}, nil
}

// burns compares how much CPU time two workers use that want the same lock all the time,
// as a share of what they use without a lock: on a busy machine that is less than two CPUs.
func burns(ctx context.Context, sleeps, spins string) (Outcome, error) {
	if runtime.NumCPU() < 2 {
		return fewCPUs(), nil
	}
	entries, err := locks(results.Empty, sleeps, spins)
	if err != nil {
		return Outcome{}, err
	}
	samples, err := measure(ctx, harness.Sweep{
		Subjects: subjects(entries), CPUs: []int{2}, WorkersPerCPU: []int{1}, Reads: []int{0},
		Hold: []time.Duration{500 * time.Microsecond}, Think: []time.Duration{0}, Duration: 30 * time.Millisecond,
	})
	if err != nil {
		return Outcome{}, err
	}
	busy := func(lock string) map[int]float64 { // CPUs in use
		of, wall := byRound(samples, lock, "cpu-ns/op"), byRound(samples, lock, "ns/op")
		for round := range of {
			of[round] /= wall[round]
		}
		return of
	}
	free := busy(results.Empty)
	shares := func(lock string) (values []float64) {
		of := busy(lock)
		for round := range rounds {
			if f := free[round+1]; f > 0 {
				values = append(values, of[round+1]/f)
			}
		}
		return values
	}
	a, b := shares(sleeps), shares(spins)
	if len(a) == 0 || len(b) == 0 {
		return Outcome{Verdict: CannotTell, Saw: "This machine does not say how much CPU time a process uses.", Asked: "that it does", On: host()}, nil
	}
	if cpus := measuredBar("", listed(free)); cpus.Value < 1.8 {
		return Outcome{
			Verdict: CannotTell, On: host(), Asked: "two CPUs that are free",
			Saw: fmt.Sprintf("The machine is busy: two workers without a lock use %s CPUs.", between(cpus)),
		}, nil
	}
	return Outcome{
		On: host(), Unit: "CPU time of two workers, as a share of what they use without a lock",
		Saw:   fmt.Sprintf("Two workers that hold a lock in turns use %s of the CPU time that they use without one if it is %s, and %s if it is %s.", between(measuredBar("", a)), sleeps, between(measuredBar("", b)), spins),
		Asked: "at most 0.65, for one of two works at a time, and at least 0.9",
		Bars:  []Bar{measuredBar(sleeps, a), measuredBar(spins, b)},
	}.decided(both(most(a, 0.65), least(b, 0.9))), nil
}

// decided returns o with a verdict.
func (o Outcome) decided(v Verdict) Outcome {
	o.Verdict = v
	return o
}

// most decides whether values are at most a limit.
func most(values []float64, limit float64) Verdict {
	negative := make([]float64, len(values))
	for i, v := range values {
		negative[i] = -v
	}
	return least(negative, -limit)
}

// A permit is a semaphore.
type permit interface {
	Down()
	Up()
	TryDown() bool
}

// semaphore has one goroutine acquire and another release.
func semaphore(s permit) (Outcome, error) {
	s.Down()
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		s.Up()
	}()
	panicked := <-done
	again := s.TryDown()
	return Outcome{
		Verdict: sure(panicked == nil && again),
		Saw:     "One goroutine took the only permit, and another gave it back: " + map[bool]string{true: "it could be taken again.", false: "it could not be taken again."}[panicked == nil && again],
		Asked:   "no panic, and a permit that is free", On: "this machine, once",
		Unit: "permits", Bars: []Bar{exact("free afterwards", float64(map[bool]int{true: 1}[again]))},
	}, nil
}

// cheaper compares what read sections cost one worker alone, beyond what the harness
// costs.
func cheaper(ctx context.Context, lock string, flavours []string) (Outcome, error) {
	entries, err := locks(append([]string{results.Empty, lock}, flavours...)...)
	if err != nil {
		return Outcome{}, err
	}
	samples, err := measure(ctx, harness.Sweep{
		Subjects: subjects(entries), CPUs: []int{1}, WorkersPerCPU: []int{1}, Reads: []int{100},
		Hold: []time.Duration{0}, Think: []time.Duration{0},
	})
	if err != nil {
		return Outcome{}, err
	}
	empty := byRound(samples, results.Empty, "ns/op")
	costs := func(name string) map[int]float64 {
		of := byRound(samples, name, "ns/op")
		for round := range of {
			of[round] -= empty[round]
		}
		return of
	}
	rw := costs(lock)
	o := Outcome{
		On: host(), Unit: "ns of a read section, beyond an empty one", Asked: "a tenth, of at least one flavour",
		Bars: []Bar{measuredBar(lock, listed(rw))}, Verdict: DoesNotHold,
	}
	const times = 10
	var each []string
	by := make(map[Verdict][]string)
	for _, name := range flavours {
		of := costs(name)
		var spare []float64 // above 0 if the lock costs more than so many times
		for round, v := range of {
			spare = append(spare, rw[round]-times*v)
		}
		bar := measuredBar(name, listed(of))
		o.Bars = append(o.Bars, bar)
		each = append(each, fmt.Sprintf("%s (%s)", wording.Number(bar.Value), name))
		v := least(spare, 0)
		by[v] = append(by[v], name)
		switch {
		case v == Holds:
			o.Verdict = Holds
		case v == CannotTell && o.Verdict == DoesNotHold:
			o.Verdict = CannotTell
		}
	}
	o.Saw = fmt.Sprintf("A read section of %s costs %s ns, and one of RCU %s.", lock, between(o.Bars[0]), strings.Join(each, ", "))
	for _, part := range []struct {
		Verdict
		says string
	}{{Holds, "At most a tenth"}, {DoesNotHold, "More than a tenth"}, {CannotTell, "Cannot be told"}} {
		if names := by[part.Verdict]; len(names) > 0 {
			o.Saw += fmt.Sprintf(" %s: %s.", part.says, strings.Join(names, ", "))
		}
	}
	return o, nil
}

// A graceful is something that readers are in and that a writer waits for.
type graceful struct {
	name  string
	enter func() (leave func())
	wait  func() // as a writer
}

func newGrace() graceful {
	d := rcu.NewDomain(rcu.Config{})
	return graceful{"Synchronize", func() func() {
		s := d.ReadLock()
		return func() { d.ReadUnlock(s) }
	}, d.Synchronize}
}

// newGraceTwin is a lock in place of RCU: its writer waits for later readers, too.
func newGraceTwin() graceful {
	l := new(rwlock.ReaderPref)
	return graceful{"a reader-preferring lock", func() func() {
		l.RLock()
		return l.RUnlock
	}, func() {
		l.Lock()
		l.Unlock()
	}}
}

// grace has a reader that is in before a writer begins to wait, and one that comes later
// and stays. The wait may begin late on a busy machine, after both readers, and then has
// to wait for both; so grace tries several times.
func grace(of graceful) (Outcome, error) {
	const patience, tries = 200 * time.Millisecond, 5
	var took time.Duration
	early, late := false, true
	for try := 0; try < tries && late && !early; try++ {
		var begun, over atomic.Bool
		var group sync.WaitGroup
		leaveOld := of.enter()
		group.Go(func() {
			begun.Store(true)
			of.wait()
			over.Store(true)
		})
		for !begun.Load() {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(patience / 10)
		leaveNew := of.enter()
		time.Sleep(patience / 10)
		early = over.Load()
		leaveOld()
		began := time.Now()
		for !over.Load() && time.Since(began) < patience {
			time.Sleep(time.Millisecond)
		}
		took, late = time.Since(began), !over.Load()
		leaveNew()
		group.Wait()
	}
	saw := fmt.Sprintf("%s returned %s after the reader before it had ended, while a later one was still in its section.", of.name, took.Round(time.Millisecond))
	switch {
	case early:
		saw = of.name + " returned while the reader before it was still in its section."
	case late:
		saw = fmt.Sprintf("%s did not return for %v after the reader before it had ended, %d times, for a later one was still in its section.", of.name, patience, tries)
	}
	return Outcome{
		Verdict: sure(!early && !late), Saw: saw,
		Asked: "not before the old reader ends, and then without the new one", On: "this machine",
		Unit: "ms after the old reader's end", Bars: []Bar{exact(of.name, float64(took.Milliseconds()))},
	}, nil
}
