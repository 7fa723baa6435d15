package harness

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// supervise returns when all workers have returned, or gives them up as stuck. If ctx
// is done it stops them first; then it returns the cause. If there are so many workers
// that it takes long for each to get its turn, it does not wait for them: they end by
// themselves.
//
// The workers keep the time themselves, because a supervisor would wait for a CPU until
// one of them is preempted. The supervisor is for workers that do not look at the clock
// because an operation takes much longer than the last ones did: some time after a
// phase should have ended, it makes all of them look after their current operation.
//
// wait returns when all workers have returned or ctx is done, and at the latest after d.
func (r *run) supervise(ctx context.Context, wait func(d time.Duration)) error {
	const late = 10 * time.Millisecond
	tick := min(max(r.Patience/10, time.Millisecond), time.Second)
	ended := r.began + int64(r.Warmup+r.Duration)

	dog := newWatchdog(r)
	cancelled := ctx.Done()
	var stopped int64 // when the workers were told to return, if they were
	for {
		rest := max(time.Duration(ended-primitives.Nanotime()), 0) + late
		wait(min(rest, tick))
		if r.left.over() {
			return context.Cause(ctx)
		}
		select {
		case <-cancelled:
			cancelled = nil
			r.stop()
			stopped = primitives.Nanotime()
			ended = min(ended, stopped) // look often
		default:
		}
		now := primitives.Nanotime()
		if now > ended {
			r.hurry(now)
		}
		if dog.expired(now) {
			stuck := dog.report(now)
			r.stop() // for workers that get free after all
			if broken := r.failed.Load(); broken != nil {
				return errors.Join(broken, stuck)
			}
			return stuck
		}
		if stopped != 0 && now-stopped >= int64(patience()) && now-dog.moved < int64(patience())/2 {
			return context.Cause(ctx)
		}
	}
}

// superviseStandingBy starts the workers and supervises them from a CPU of its own,
// which it keeps until they have returned. A goroutine that waits with preemption off
// keeps its CPU even if the wait never ends; if all CPUs were kept like that, no
// goroutine could report it.
//
// If the workers are stuck, and there are more of them than CPUs, those that do not run
// yet would take this CPU as well. So superviseStandingBy does not give it up: it then
// returns with preemption off.
func (r *run) superviseStandingBy(ctx context.Context) error {
	// A goroutine that is woken is queued on the CPU of the goroutine that woke it, which
	// must not be the CPU that is kept.
	var elsewhere, onDuty primitives.Bool
	primitives.Go(func() {
		elsewhere.Store(true)
		for !onDuty.Load() {
		}
		r.start()
	})
	for !elsewhere.Load() {
		primitives.Yield()
	}
	primitives.Pin()
	onDuty.Store(true)
	err := r.supervise(ctx, r.over.wait)
	if stuck := (*StuckError)(nil); errors.As(err, &stuck) && stuck.Unpreemptible {
		return err
	}
	primitives.Unpin()
	return err
}

// hurry makes the workers look at the clock if a phase should have ended, and
// ends the run itself if a worker, starved by the others, does not get to note
// that the window has closed.
func (r *run) hurry(now int64) {
	switch phase(r.word.Load()) {
	case warming:
		r.word.Add(nudge)
	case measuring:
		if now-r.opened.wall >= int64(r.Duration) {
			r.word.Add(nudge)
		}
	case draining:
		if now-r.closed.wall >= int64(patience()) {
			r.stop()
		}
	}
}

// A watchdog notices that no worker makes progress.
type watchdog struct {
	run   *run
	ops   []uint64 // of each worker
	since []int64  // when it was first seen to have done as many
	moved int64    // when any worker was last seen to have moved
}

func newWatchdog(r *run) *watchdog {
	d := &watchdog{
		run:   r,
		ops:   make([]uint64, len(r.workers)),
		since: make([]int64, len(r.workers)),
		moved: r.began,
	}
	for i := range d.since {
		d.since[i] = r.began
	}
	return d
}

// expired reports whether no worker has made progress for too long.
func (d *watchdog) expired(now int64) bool {
	for i, w := range d.run.workers {
		if ops, _ := w.peek(); ops != d.ops[i] {
			d.ops[i], d.since[i], d.moved = ops, now, now
		}
	}
	r := d.run
	limit := r.Patience
	if r.failed.Load() != nil { // they may wait for the worker that panicked
		limit = min(limit, patience())
	}
	return time.Duration(now-d.moved) >= limit+r.Hold+r.Think
}

// report says which workers are stuck, and where.
func (d *watchdog) report(at int64) *StuckError {
	e := &StuckError{
		Kind: d.run.kind,
		Lock: d.run.Name,
		For:  time.Duration(at - d.moved),
	}
	for _, l := range []any{d.run.lock, d.run.state} {
		if l, ok := l.(fmt.Stringer); ok {
			e.State = l.String()
		}
	}
	var doing []uint32
	for i, w := range d.run.workers {
		ops, now := w.peek()
		doing = append(doing, now)
		e.Workers = append(e.Workers, WorkerState{
			ID:    i,
			Doing: doings[now],
			For:   time.Duration(at - d.since[i]),
			Ops:   ops,
		})
	}
	if d.run.pins() {
		// Taking stacks stops the world first, which would not return.
		e.Unpreemptible = len(e.Workers) > d.run.CPUs
	} else {
		stacks := make([]byte, 1<<20)
		e.Stacks = string(stacks[:runtime.Stack(stacks, true)])
	}
	e.Cause = d.run.cause(doing, d.moved, e.Stacks)
	return e
}

// peek returns how many operations a worker has done, and what it is doing. It reads the
// words while the worker writes them: publishing them properly would cost each operation
// more than an empty lock does. A word that was seen torn (on a 32-bit CPU) or late still
// differs from what it was if the worker has moved since.
//
//go:norace
func (p *progress) peek() (ops uint64, doing uint32) {
	return p.read + p.written, p.doing
}
