package measure

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/results"
)

// turns lets two processes take turns: only one of them runs at any time, until it has
// printed the results of a number of slices. Then it is stopped, within the garbage
// collection that package testing makes before each slice, and the other one continues.
//
// On a system without signals that stop a process, each runs to its end in its first
// turn.
type turns struct {
	limit   time.Duration // of a turn
	length  int           // slices of a turn
	mu      sync.Mutex
	changed sync.Cond // signals that some state has changed
	free    bool      // no process is stopped any more
	takers  [2]taker
}

// A taker is a process that takes turns.
type taker struct {
	cmd     *exec.Cmd
	timer   *time.Timer   // ends it
	first   chan struct{} // closed when the process may start
	begun   bool          // first is closed
	started bool          // cmd is set
	running bool          // it is its turn
	printed int           // results since its turn began
	ended   bool
}

func newTurns(limit time.Duration, length int, free bool) *turns {
	t := &turns{limit: limit, length: length, free: free}
	t.changed.L = &t.mu
	for i := range t.takers {
		t.takers[i].first = make(chan struct{})
	}
	return t
}

// play gives the processes turns, in random order within each pair of turns, and
// returns when both have printed n results or have ended. Then both run to their ends.
func (t *turns) play(n int, rng *rand.Rand) {
	for range (n + t.length - 1) / t.length {
		i := rng.IntN(2)
		t.give(i)
		t.give(1 - i)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = true
	for i := range t.takers {
		if k := &t.takers[i]; k.started && !k.ended {
			k.timer.Reset(t.limit)
			goOn(k.cmd)
		}
	}
}

// give lets a process start or continue, and waits until it is stopped or has ended.
func (t *turns) give(i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := &t.takers[i]
	if k.ended {
		return
	}
	k.running, k.printed = true, 0
	if k.begun {
		k.timer.Reset(t.limit)
		goOn(k.cmd)
	} else {
		k.begun = true
		close(k.first)
	}
	for k.running {
		t.changed.Wait()
	}
}

// started notes that a process has started.
func (t *turns) started(i int, cmd *exec.Cmd, timer *time.Timer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := &t.takers[i]
	k.cmd, k.timer, k.started = cmd, timer, true
	t.changed.Broadcast()
}

// rest is called when a process has printed a result; it stops the process if its turn is
// over. Its time limit counts only its turns.
func (t *turns) rest(i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := &t.takers[i]
	for !k.started && !k.ended { // it printed before started was called
		t.changed.Wait()
	}
	if k.printed++; k.printed < t.length || t.free || !k.running || stop(k.cmd) != nil {
		return
	}
	k.timer.Stop()
	k.running = false
	t.changed.Broadcast()
}

// end notes that a process has ended.
func (t *turns) end(i int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.takers[i].running, t.takers[i].ended = false, true
	t.changed.Broadcast()
}

// errOther is the cause of ending a process whose other side has failed.
var errOther = errors.New("the other side failed")

// pair runs a benchmark in a process of each side, and returns what each measured.
//
// Some benchmarks cannot run twice at the same time, such as those that listen at a
// port. If that may be why one fails, one side runs after the other from then on.
func (s *Source) pair(ctx context.Context, c *cell, of *binaries) ([2]line, error) {
	began := time.Now()
	made, err := s.turn(ctx, c, of)
	if f := (*RunError)(nil); !c.apart && ctx.Err() == nil && errors.As(err, &f) {
		c.apart = true
		if again, failed := s.turn(ctx, c, of); failed == nil {
			made, err = again, nil
			s.warn("%v: fails while the other side runs, so one runs after the other", c.Benchmark)
		}
	}
	if err == nil {
		took := time.Since(began)
		c.cost += (took - c.cost) / time.Duration(min(c.pairs+1, 8))
	}
	return made, err
}

// turn runs a benchmark once in a process of each side, which take turns.
//
// With one CPU both are bound to the same, random one, so that a slow phase of that CPU
// affects both.
func (s *Source) turn(ctx context.Context, c *cell, of *binaries) (made [2]line, err error) {
	together, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	pin := s.c.Pin
	if c.cpu == 1 && len(s.cpus) > 0 {
		pin = []int{s.cpus[s.rng.IntN(len(s.cpus))]}
	}
	t := newTurns(s.c.Timeout, c.turn, c.apart)
	var outs [2]*outcome
	var errs [2]error
	var wg sync.WaitGroup
	for i, side := range sides {
		wg.Go(func() {
			defer t.end(i)
			<-t.takers[i].first
			j := s.job(c, side, of)
			j.n, j.times, j.pin, j.turns = c.n, c.warm+c.slices, pin, t
			if outs[i], errs[i] = s.exec(together, j); errs[i] != nil {
				cancel(errOther)
			}
		})
	}
	t.play(c.warm+c.slices, s.rng)
	wg.Wait()
	if ctx.Err() != nil {
		return made, context.Cause(ctx)
	}
	for i, side := range sides {
		if errs[i] != nil && !errors.Is(errs[i], errOther) {
			return made, explain(errs[i], side, c.Benchmark)
		}
	}
	for i, side := range sides {
		lines, err := find(outs[i].stdout, suffixed(c.name, c.cpu), c.warm+c.slices)
		if err != nil {
			return made, explain(err, side, c.Benchmark)
		}
		made[i] = summary(lines[c.warm:], c.cpu == 1)
		s.switches += outs[i].switches
		s.taken += len(lines)
	}
	return made, nil
}

// summary makes one line of the lines of several slices.
//
// Disturbances make code that runs alone slower, so the fastest slice is the least
// disturbed: its time and its rate count. Goroutines that affect each other may also be
// fast by chance, so for them, and for all other units, the median counts. It is the
// lower one of two middle values, since half an allocation is no count.
func summary(lines []line, alone bool) line {
	all := make(map[string][]float64)
	var units []string
	fastest, shortest := lines[0], math.Inf(1)
	for _, l := range lines {
		for _, v := range l.values {
			if all[v.Unit] == nil {
				units = append(units, v.Unit)
			}
			all[v.Unit] = append(all[v.Unit], v.Value)
		}
		if ns, ok := l.value("ns/op"); ok && ns < shortest {
			fastest, shortest = l, ns
		}
	}
	one := line{name: fastest.name, n: fastest.n}
	for _, unit := range units {
		values := all[unit]
		slices.Sort(values)
		v := values[(len(values)-1)/2]
		if alone && results.Elapsed(unit) {
			if best, ok := fastest.value(unit); ok {
				v = best
			}
		}
		one.values = append(one.values, results.Value{Unit: unit, Value: v})
	}
	return one
}
