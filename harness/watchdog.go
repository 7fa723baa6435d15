package harness

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// supervise returns when all workers have returned, or gives them up as stuck.
// If ctx is done it stops them first; then it returns the cause.
//
// Time is kept by the workers: a supervisor would wait for a CPU until one of
// them is preempted. It is for when they do not look at the clock, because an
// operation takes them much longer than the last ones did: some time after a
// phase should have ended, it makes all of them look after their current
// operation.
func (r *run) supervise(ctx context.Context) error {
	const late = 10 * time.Millisecond
	tick := min(max(r.Patience/10, time.Millisecond), time.Second)
	ended := r.began + int64(r.Warmup+r.Duration)

	dog := newWatchdog(r)
	cancelled := ctx.Done()
	for {
		wait := max(time.Duration(ended-primitives.Nanotime()), 0) + late
		switch r.await(cancelled, min(wait, tick)) {
		case allReturned:
			return context.Cause(ctx)
		case wasCancelled:
			cancelled = nil
			r.stop()
		}
		now := primitives.Nanotime()
		if now > ended {
			r.hurry(now)
		}
		if err := dog.look(now); err != nil {
			return err
		}
	}
}

type event int

const (
	allReturned event = iota
	wasCancelled
	timeIsUp
)

// await waits for the first of three.
func (r *run) await(cancelled <-chan struct{}, d time.Duration) event {
	if r.pins() && canStandBy {
		r.over.wait(d)
		select {
		case <-r.done:
			return allReturned
		default:
		}
		select {
		case <-cancelled:
			return wasCancelled
		default:
			return timeIsUp
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-r.done:
		return allReturned
	case <-cancelled:
		return wasCancelled
	case <-timer.C:
		return timeIsUp
	}
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
		if now-r.closed.wall >= int64(straggle) {
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

// look returns a [*StuckError] if nobody has moved for too long.
func (d *watchdog) look(now int64) error {
	for i, w := range d.run.workers {
		if ops, _ := w.peek(); ops != d.ops[i] {
			d.ops[i], d.since[i], d.moved = ops, now, now
		}
	}
	if time.Duration(now-d.moved) < d.run.Patience {
		return nil
	}
	return d.report(now)
}

// report says who is stuck where. What needs the workers' cooperation comes
// last, and only if they can give it.
func (d *watchdog) report(now int64) *StuckError {
	e := &StuckError{
		Lock: d.run.Name,
		For:  time.Duration(now - d.moved),
	}
	if l, ok := d.run.lock.(fmt.Stringer); ok {
		e.State = l.String()
	}
	for i, w := range d.run.workers {
		ops, doing := w.peek()
		e.Workers = append(e.Workers, WorkerState{
			ID:    i,
			Doing: doings[doing],
			For:   time.Duration(now - d.since[i]),
			Ops:   ops,
		})
	}
	if !d.run.pins() {
		// This stops the world, so it would never return if a waiter spun
		// with preemption off.
		stacks := make([]byte, 1<<20)
		e.Stacks = string(stacks[:runtime.Stack(stacks, true)])
	}
	return e
}

// peek returns how many operations w has done, and what it is doing. It reads
// w's words while w writes them: to publish them properly would cost every
// operation more than an empty lock does. A word that was seen torn (on a
// 32-bit CPU) or late still differs from what it was if w has moved since.
//
//go:norace
func (w *worker) peek() (ops uint64, doing uint32) {
	return w.read + w.written, w.doing
}
