package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/timeline"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
)

// A scene is what is traced: workers that use a lock, on CPUs of a machine.
type scene struct {
	name    string // of the lock
	fresh   func() sync.Locker
	kind    timeline.Readers
	reclaim harness.Reclaim

	machine     *sim.Machine
	cpus        int
	workers     int
	roles       bool // whether the first workers, readers of them, only read, and others only write
	readers     int
	reads       int // share of the operations that only read, in percent, otherwise
	ops         int // of each worker
	hold, think time.Duration
	seed        uint64
	limit       time.Duration // on the virtual time
	from, to    time.Duration // what is shown of it; to the end, if to is 0
}

// take makes e the lock of the scene.
func (s *scene) take(e catalog.Entry) {
	s.name, s.fresh, s.reclaim = e.Name, e.New, e.Reclaim
	switch viewOf(e.New()).(type) {
	case harness.RCULocker:
		s.kind = timeline.Copied
	case harness.SeqLocker:
		s.kind = timeline.Retried
	case harness.RWLocker:
		s.kind = timeline.Shared
	}
}

// viewOf returns a worker's view of l, if l has views, or l.
func viewOf(l sync.Locker) sync.Locker {
	if v, ok := l.(interface{ Worker() sync.Locker }); ok {
		return v.Worker()
	}
	return l
}

// A recording is what happened in a scene.
type recording struct {
	events     []sim.Event
	lock, size uintptr // where the lock is
	broken     error   // if two workers were in sections that exclude each other
}

// record lets the workers run. The error is of a lock that does not work, or says that
// too much happened.
func (s *scene) record() (*recording, error) {
	// Memory per CPU is made for that many CPUs at once, so that which of its words share
	// a line does not depend on the host.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(s.cpus))
	lock, kept := aligned(s.fresh)
	r := new(recording)
	r.lock, r.size = spanOf(lock)
	views := make([]sync.Locker, s.workers)
	for i := range views {
		views[i] = viewOf(lock)
	}
	in := &occupants{kind: s.kind}
	m := s.machine
	start := int64(2*(m.Start+m.Switch)) + int64(s.workers)*int64(2*(m.Wake+m.Clock)+100)
	tooMany := false
	c := sim.Config{Machine: m, CPUs: s.cpus, Seed: s.seed, Limit: s.limit, Observe: func(e sim.Event) {
		if tooMany = len(r.events) == mostEvents; !tooMany {
			r.events = append(r.events, e)
		}
	}}
	_, err := c.Run(func() {
		for i, view := range views {
			primitives.Go(func() { s.work(i, view, in, start) })
		}
	})
	runtime.KeepAlive(kept)
	switch {
	case err != nil:
		return nil, commandline.Found(fmt.Errorf("lock %q: %w", s.name, err))
	case tooMany:
		return nil, commandline.Problems{fmt.Errorf("more than %d events: want fewer --cpus or --ops", mostEvents)}
	case in.broken != nil:
		r.broken = commandline.Found(fmt.Errorf("lock %q: %w", s.name, in.broken))
	}
	return r, nil
}

// aligned returns a new lock at the beginning of a cache line, and others that must be
// kept meanwhile, because they keep words that are in use elsewhere off its lines.
func aligned(fresh func() sync.Locker) (lock sync.Locker, kept []sync.Locker) {
	const most = 1000
	for range most {
		lock = fresh()
		kept = append(kept, lock)
		if address, _ := spanOf(lock); address%64 == 0 {
			break
		}
	}
	for range 64 { // behind it
		kept = append(kept, fresh())
	}
	return lock, kept
}

// spanOf returns where l is, and its size; 0 if l is not behind a pointer.
func spanOf(l sync.Locker) (address, size uintptr) {
	if v := reflect.ValueOf(l); v.Kind() == reflect.Pointer {
		return v.Pointer(), v.Type().Elem().Size()
	}
	return 0, 0
}

// Occupants counts the workers that are in sections. The simulator runs one worker at a
// time, so that takes no steps.
type occupants struct {
	kind             timeline.Readers
	readers, writers int
	broken           error
}

// enter counts a worker in.
func (o *occupants) enter(read bool) {
	if read {
		o.readers++
	} else {
		o.writers++
	}
	if o.broken == nil && (o.writers > 1 || o.writers > 0 && o.readers > 0 && o.kind == timeline.Shared) {
		o.broken = errors.New("two workers were in the section at once")
	}
}

// leave counts a worker out.
func (o *occupants) leave(read bool) {
	if read {
		o.readers--
	} else {
		o.writers--
	}
}

// work is worker i. All begin at the same time, which is start.
func (s *scene) work(i int, l sync.Locker, in *occupants, start int64) {
	rng := rand.New(rand.NewPCG(s.seed, uint64(i)))
	rcu, _ := l.(harness.RCULocker)
	if rcu != nil {
		rcu.Online()
	}
	primitives.Busy(time.Duration(start - primitives.Nanotime()))
	sim.Mark(timeline.Thinks)
	primitives.Busy(time.Duration(rng.Int64N(int64(s.think) + 1))) // they do not come in step
	for n := range s.ops {
		if n > 0 {
			primitives.Busy(s.think)
		}
		if s.roles && i < s.readers || !s.roles && rng.IntN(100) < s.reads {
			s.read(l, in)
		} else {
			s.write(l, in)
		}
		sim.Mark(timeline.Thinks)
		if rcu != nil {
			rcu.Quiescent()
		}
	}
	if rcu != nil {
		rcu.Offline()
	}
}

func (s *scene) write(l sync.Locker, in *occupants) {
	sim.Mark(timeline.Waits)
	l.Lock()
	s.section(timeline.Writes, in, false)
	l.Unlock()
	if rcu, ok := l.(harness.RCULocker); ok {
		switch s.reclaim {
		case harness.ReclaimSync:
			sim.Mark(timeline.Graces)
			rcu.Synchronize()
		case harness.ReclaimCall:
			sim.Mark(timeline.Calls)
			rcu.Call(func() {})
		}
	}
}

func (s *scene) read(l sync.Locker, in *occupants) {
	switch l := l.(type) {
	case harness.RCULocker: // has nothing to wait for
		l.ReadLock()
		s.section(timeline.Reads, in, true)
		l.ReadUnlock()
	case harness.SeqLocker:
		for again := true; again; {
			sim.Mark(timeline.Waits)
			seq := l.Begin()
			s.section(timeline.Reads, in, true)
			again = l.Retry(seq)
		}
	case harness.RWLocker:
		sim.Mark(timeline.Waits)
		l.RLock()
		s.section(timeline.Reads, in, true)
		l.RUnlock()
	}
}

// section is a critical section, up to the call that releases the lock.
func (s *scene) section(what string, in *occupants, read bool) {
	sim.Mark(what)
	in.enter(read)
	primitives.Busy(s.hold)
	in.leave(read)
	sim.Mark(timeline.Releases)
}
