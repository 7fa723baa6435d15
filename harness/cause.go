package harness

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/primitives"
)

// cause says why no worker makes progress, as far as that follows from what the workers
// were seen doing and from the stacks of all goroutines, if there are any.
//
// A worker notes that it holds the lock once Lock has returned, and that it does not
// once Unlock has. The harness cannot see what an operation of the lock does in
// between; but a worker that is alone can wait for no other.
func (r *run) cause(doing []uint32, since int64, stacks string) string {
	waiting, rereading, grace := 0, 0, 0
	for id, now := range doing {
		switch now {
		case waitsToRead, waitsToWrite:
			waiting++
		case beginning, looking, lookingAtData:
			rereading++
		case inSection:
			return fmt.Sprintf("worker %d does not leave its read-side critical section", id)
		case waitsForGrace, waitsForCallbacks:
			grace++
		case triesToRead, triesToWrite:
			return fmt.Sprintf("AA deadlock: worker %d holds the lock, and its %s waits for it", id, r.workers[id].operation(now))
		case readingData, writingData:
			method, isInLock := r.workers[id].isInLock(stacks)
			switch {
			case isInLock && now == readingData && r.workers[id].rw != nil && strings.HasPrefix(method, "Lock"):
				return fmt.Sprintf("AA deadlock: worker %d holds the lock for reading, and locks it for writing in %s", id, operations[now])
			case isInLock, r.pins() && r.allWait(doing, since):
				return fmt.Sprintf("AA deadlock: worker %d holds the lock, and locks it again in %s", id, operations[now])
			}
			return fmt.Sprintf("worker %d holds the lock, and does not return from %s", id, operations[now])
		case reading, writing:
			return fmt.Sprintf("worker %d holds the lock, and does not return from its %s", id, r.workers[id].operation(now))
		}
	}
	if r.failed.Load() == nil && waiting == 0 && rereading > 0 {
		return "no worker writes, and " + wording.Count(rereading, "reader") + " wait for a writer's end, or read again and again"
	}
	switch {
	case grace > 0 && r.failed.Load() == nil:
		return "no worker is in a read-side critical section, and " + wording.Count(grace, "worker") + " wait for a grace period, or for callbacks"
	case waiting == 0 || r.failed.Load() != nil: // no worker is at the lock, or the one that panicked may hold it
		return ""
	case r.isFree():
		return "lost wake-up: the lock is free, and " + wording.Count(waiting, "worker") + " wait for it"
	case len(doing) == 1:
		ops, now := r.workers[0].peek()
		if ops == 0 {
			return "AA deadlock: worker 0 is alone with a new lock, so its " + r.workers[0].operation(now) + " waits for itself"
		}
		return "AA deadlock: worker 0 waits for the lock that no other worker has held: it has not been released"
	}
	cause := "no worker holds the lock, and " + wording.Count(waiting, "worker") + " wait for it"
	if last := r.lastWriter(); last >= 0 {
		cause += fmt.Sprintf(": worker %d, which held it last, has not released it (an AA deadlock), or a wake-up was lost", last)
	}
	return cause
}

// operation returns the method that w is in, or that comes next, while it does what
// doing says.
func (w *worker) operation(doing uint32) string {
	if w.rw == nil {
		switch doing {
		case waitsToRead, reading:
			return strings.TrimPrefix(operations[doing], "R")
		}
	}
	return operations[doing]
}

// lastWriter returns the worker that was inside last, or -1 if that is not known.
//
//go:norace
func (r *run) lastWriter() int {
	if !r.Workload.isBare() || r.Unlocked {
		return -1
	}
	for _, w := range r.workers {
		if w.read > 0 {
			return -1 // it may have been a reader
		}
	}
	return r.turns().writer.Get()
}

// isFree reports whether a TryLock of the lock succeeds. It does not try where holders
// are pinned: if TryLock waited after all, the goroutine could not be abandoned.
func (r *run) isFree() bool {
	const atOnce = 100 * time.Millisecond
	lock := viewOf(r.lock)
	l, ok := lock.(tryLocker)
	if !ok || r.pins() {
		return false
	}
	r.stop() // the release below may let a worker go on
	var free primitives.Bool
	var trying countdown
	trying.add(1)
	primitives.Go(func() {
		defer trying.done()
		defer func() { recover() }() // a broken lock may panic
		if l.TryLock() {
			lock.Unlock()
			free.Store(true)
		}
	})
	trying.waitFor(atOnce)
	return free.Load()
}

// allWait reports whether on each CPU that unfinished workers have a worker waits with
// preemption off: then the worker inside waits, too, since it keeps its CPU. It sees
// the workers that wait by a [primitives.Spin].
func (r *run) allWait(doing []uint32, since int64) bool {
	const toNotice = 2 * time.Second
	cpus := 0
	for _, now := range doing {
		if now != finished && cpus < r.CPUs {
			cpus++
		}
	}
	until := primitives.Nanotime() + int64(toNotice)
	for primitives.Stalled(r.CPUs+1, since) < cpus { // one is the supervisor's
		if primitives.Nanotime() > until {
			return false
		}
		r.over.wait(toNotice / 100)
	}
	return true
}

// isInLock reports whether stacks show w inside a method of its lock other than
// Unlock: in a function whose first argument points into the lock. It also
// returns that method, such as "RLock", if it is one of those that lock.
func (w *worker) isInLock(stacks string) (method string, inLock bool) {
	const ours = "harness.(*worker)."
	me := fmt.Sprintf("(%p", w)
	for stack := range strings.SplitSeq(stacks, "\n\n") {
		method, inLock = "", false
		for line := range strings.Lines(stack) { // from the innermost frame outwards
			function, argument, ok := strings.Cut(line, "(0x")
			if strings.Contains(line, ours) && strings.Contains(line, me) {
				return method, inLock
			}
			if inlined, _, isInlined := strings.Cut(line, "(...)"); isInlined {
				function = inlined
			}
			// The outermost method is the one that was called; the inner ones are its
			// parts.
			name := function[strings.LastIndexByte(function, '.')+1:]
			if strings.HasPrefix(name, "Lock") || strings.HasPrefix(name, "RLock") {
				method = name
			}
			if !ok || strings.Contains(function, "Unlock") || strings.Contains(function, ours) {
				continue
			}
			// An argument with a "?" may be out of date; it fails to parse.
			if end := strings.IndexAny(argument, ",)"); end >= 0 {
				argument = argument[:end]
			}
			if p, err := strconv.ParseUint(argument, 16, 64); err == nil {
				inLock = inLock || points(uintptr(p), w.run.lock) || points(uintptr(p), w.lock)
			}
		}
	}
	return "", false
}

// points reports whether p points into l, or into what l points to.
func points(p uintptr, l sync.Locker) bool {
	into := func(v reflect.Value) bool {
		return v.Kind() == reflect.Pointer && p >= v.Pointer() && p-v.Pointer() < v.Type().Elem().Size()
	}
	v := reflect.ValueOf(l)
	if into(v) {
		return true
	}
	if v = reflect.Indirect(v); v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			if into(v.Field(i)) {
				return true
			}
		}
	}
	return false
}
