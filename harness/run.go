package harness

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// Run measures s once.
//
// First it checks the lock with one worker and with holders that dawdle; then the
// workers run, warm up, and are measured over one common window; then it verifies what
// the lock protected. If the lock fails a check, or panics, the error is a
// [*BrokenError]. If no worker makes progress, it is a [*StuckError]; if that is
// because a worker panicked, it is both. A panic while preemption is off is not caught:
// the runtime ends the process. Other errors are what [Scenario.Validate] says and the
// cause of ctx.
//
// When ctx is done, Run returns within seconds. Workers that wait in a line too long for
// that go on until each has had its turn: measure nothing after it.
//
// Run sets GOMAXPROCS for as long as it measures. Only one Run measures at a time;
// others wait for it. After a StuckError, the goroutines that are stuck stay so: report
// it, and let the process end. If critical sections are pinned, nothing else in the
// process may stop the world meanwhile, as [runtime.GC] and [runtime.ReadMemStats] do:
// the stop would wait for Run, and the workers for the stop.
func Run(ctx context.Context, s Scenario) (results.Sample, error) {
	if err := s.Validate(); err != nil {
		return results.Sample{}, err
	}
	return take(ctx, s.withDefaults())
}

// Cost measures the harness itself: the wall time of one operation with an
// empty lock, one worker, nothing to hold and nothing to think about, and that
// share of reads in percent, in nanoseconds. Every ns/op contains it. It takes about 40 ms.
func Cost(ctx context.Context, reads int) (ns float64, err error) {
	var costs []float64
	for range 31 {
		s, err := Run(ctx, Scenario{
			Subject:  Subject{Name: "none", New: func() sync.Locker { return none{} }, Unlocked: true},
			CPUs:     1,
			Workers:  1,
			Reads:    reads,
			Duration: time.Millisecond,
			Warmup:   200 * time.Microsecond,
		})
		if err != nil {
			return 0, err
		}
		ns, _ := s.Value("ns/op")
		costs = append(costs, ns)
	}
	slices.Sort(costs)
	return costs[len(costs)/2], nil
}

// none is an empty lock.
type none struct{}

func (none) Lock()   {}
func (none) Unlock() {}

// take measures s, which is valid and has its defaults, once.
func take(ctx context.Context, s Scenario) (sample results.Sample, err error) {
	machine.Lock()
	defer machine.Unlock()
	if err := context.Cause(ctx); err != nil {
		return sample, err
	}
	restore := setUp(s)
	defer func() { restore(err) }()

	if err := preflight(ctx, s); err != nil {
		return sample, err
	}
	if !s.Arrivals.Closed() {
		return takeOpen(ctx, s)
	}
	var before pingpong.Trip
	r, used, err := once(ctx, s, (*worker).measure, func(r *run) (err error) {
		before, err = probe(s)
		return err
	})
	if err != nil {
		return sample, err
	}
	after := before
	if before.Distance != results.Unknown { // otherwise it would tell nothing new
		if after, err = probe(s); err != nil {
			return sample, err
		}
	}
	if s.Trace != nil {
		s.Trace(r.timeline())
	}
	return r.sample(before, after, used), nil
}

// once runs workers on a fresh lock until they have been measured, and verifies what the
// lock protects. prepare is called before the workers are made to begin.
func once(ctx context.Context, s Scenario, body func(*worker), prepare func(*run) error) (r *run, used usage, err error) {
	lock, neighbours := isolate(s.newLock)
	r = newRun(s, lock, s.Workers)
	r.neighbours = neighbours
	if err := prepare(r); err != nil {
		return nil, used, err
	}
	meter, err := newMeter(s)
	if err != nil {
		return nil, used, err
	}
	defer meter.close()
	if err := r.checkIn(body); err != nil {
		return nil, used, err
	}
	r.keepAwake()
	meter.begin()
	if err := r.release(ctx); err != nil {
		return nil, used, err
	}
	return r, meter.end(), r.verify()
}

// pins reports whether critical sections run with preemption off.
func (s Scenario) pins() bool { return s.Mode == Pinned || s.Pins }

// newLock returns a fresh lock in the form that the mode and the workload ask
// for.
func (s Scenario) newLock() sync.Locker {
	switch {
	case s.Workload.Permits != nil:
		return s.Counting(s.Workload.Permits(s.Workers))
	case s.Mode == Pinned:
		return s.Subject.Pinned()
	case s.isTable():
		return none{} // the table needs none
	}
	return s.New()
}

// The phases of a run, in order. The phase is the low byte of course.word; the
// rest counts how often the supervisor asked all workers to look at the clock.
//
//	warming    all run; nothing counts
//	opening    a worker is stamping the beginning of the window
//	measuring  the window is open
//	closing    a worker is stamping its end
//	draining   it is closed, but not every worker has noted that: all run on
//	stopping   all return
const (
	warming uint32 = iota
	opening
	measuring
	closing
	draining
	stopping

	nudge = 1 << 8
)

func phase(word uint32) uint32 { return word % nudge }

// A run is one measurement in progress. It is made of parts, each of which has one
// purpose.
type run struct {
	Scenario
	specimen
	protected // what the lock protects
	workers   []*worker

	course
	rollCall
	window
	barrier
	bursts []burst // nil unless a trace is asked for

	failed primitives.Pointer[BrokenError] // the first panic of the lock, or another fault that ended the run
}

// A specimen is the fresh lock that a run uses, or what it uses that is no lock.
type specimen struct {
	lock       sync.Locker
	neighbours []sync.Locker // of lock, and unused; see isolate

	kind  string // of the subject, if it is not a lock
	state any    // its String tells the state, if the lock's does not
}

// A course is how far a run has come.
type course struct {
	_    pad
	word primitives.Uint32 // read after each operation, written a few times
	_    pad
}

// A rollCall counts workers.
type rollCall struct {
	warm    primitives.Int64 // that have done something
	noted   primitives.Int64 // that know that the window has closed
	present primitives.Int64 // that are at the lock; for the preflight
}

// A window is the time that is measured. opened is set before the window opens, so a
// worker that sees it open may read it.
type window struct {
	began                  int64 // when the workers were started
	opened, middle, closed stamp // the middle only if there are Counts

	counted    primitives.Uint64 // operations in the window, if there is a quota
	countedNow int64             // the same, under an engine
}

// A stamp is a point in time.
type stamp struct {
	wall  int64         // ns
	cpu   time.Duration // used by the process so far
	known bool          // whether cpu is

	counts []results.Value // of Scenario.Counts so far
	ops    uint64          // of all workers so far, if there are Counts
}

func newRun(s Scenario, lock sync.Locker, workers int) *run {
	r := &run{Scenario: s, specimen: specimen{lock: lock}}
	r.barrier.setUp(workers)
	if s.Trace != nil {
		r.bursts = newBursts(s, workers)
	}
	for id := range workers {
		w := newWorker(r, id, lock)
		if id == 0 || s.Unlocked { // then nothing is shared
			r.protected = r.protect(workers, w)
		}
		w.protected = r.protected
		if w.openSection == nil && w.openData == nil {
			w.seq = nil
		}
		r.workers = append(r.workers, w)
	}
	return r
}

// checkIn starts the workers and returns when all are about to begin.
func (r *run) checkIn(body func(*worker)) error {
	errs := make([]error, len(r.workers))
	for _, w := range r.workers {
		primitives.Go(func() {
			defer r.leave(w)
			if r.Mode == Thread {
				restore, err := bind(w.id%r.CPUs, r.order)
				if errs[w.id] = err; err == nil {
					defer restore()
				}
			}
			r.enter(w.id)
			if phase(r.word.Load()) < stopping {
				w.lead(body)
			}
		})
	}
	r.absent.wait()
	if err := errors.Join(errs...); err != nil {
		r.stop()
		r.start()
		r.left.wait()
		return err
	}
	return nil
}

// release starts the workers and returns when all have returned, when they are stuck,
// or, with the cause, when ctx was done and they have returned.
func (r *run) release(ctx context.Context) error {
	r.began = primitives.Nanotime()
	if r.pins() && canStandBy && !primitives.Virtual() {
		return r.superviseStandingBy(ctx)
	}
	defer context.AfterFunc(ctx, r.left.wake)()
	r.start()
	return r.supervise(ctx, r.left.waitFor)
}

// leave is the last thing that a worker does.
func (r *run) leave(w *worker) {
	w.doing = finished
	if r.left.done() {
		r.over.end()
	}
}

// mayOpen reports whether the window may open: every worker is warm, or the run has
// waited long enough for a worker that is not.
func (r *run) mayOpen(now int64) bool {
	warmed := now - r.began - int64(r.Warmup)
	return warmed >= 0 && (int(r.warm.Load()) == len(r.workers) || warmed >= int64(patience()))
}

// straggle is for how long the window waits for a worker that the others
// starve, before it opens and again before the run ends.
const straggle = time.Second

// patience returns straggle or, under an engine, in which a second of many workers takes
// minutes, less.
func patience() time.Duration {
	if primitives.Virtual() {
		return 5 * time.Millisecond
	}
	return straggle
}

// open opens the window, unless another worker does. It reports whether it did.
func (r *run) open() bool { return r.mark(warming, &r.opened) }

// close closes the window, unless another worker does. It reports whether it did.
func (r *run) close() bool { return r.mark(measuring, &r.closed) }

// mark ends phase p and stamps the moment, unless another worker does. It reports whether
// it did.
func (r *run) mark(p uint32, at *stamp) bool {
	if !r.advance(p) {
		return false
	}
	at.cpu, at.known = usedCPU()
	primitives.Pin() // so that preemption cannot separate the time from the phase
	at.wall = primitives.Nanotime()
	r.noteCounts(at)
	r.word.Add(1)
	primitives.Unpin()
	return true
}

// noteCounts notes what has been counted until the moment of a stamp, if there are
// Counts. They are an engine's, under which one worker runs at a time: what the others have
// done can be read.
func (r *run) noteCounts(at *stamp) {
	if r.Counts == nil {
		return
	}
	at.counts = r.Counts()
	for _, w := range r.workers {
		at.ops += w.read + w.written
	}
}

// mayClose reports whether the window has been open for long enough. If there are Counts,
// it also stamps the middle of the window.
func (r *run) mayClose(now int64, w *worker) bool {
	passed, all := now-r.opened.wall, int64(r.Duration)
	if r.Quota != 0 {
		passed, all = r.countOps(w), int64(r.Quota)
	}
	if r.Counts != nil && r.middle.wall == 0 && passed >= all/2 {
		r.middle.wall = now
		r.noteCounts(&r.middle)
	}
	return passed >= all
}

// countOps counts the operations that w has done since it last looked, and returns those
// that all have done in the window. Under an engine that takes no steps: a word that all
// add to would cost what the lock does not.
func (r *run) countOps(w *worker) (all int64) {
	ops := w.read + w.written
	delta := ops - w.lookedOps
	w.lookedOps = ops
	if primitives.Virtual() {
		r.countedNow += int64(delta)
		return r.countedNow
	}
	return int64(r.counted.Add(delta))
}

// advance goes from phase p to the next and reports whether it was the caller that did.
func (c *course) advance(p uint32) bool {
	for {
		word := c.word.Load()
		if phase(word) != p {
			return false
		}
		if c.word.CompareAndSwap(word, word+1) {
			return true
		}
	}
}

// stop makes all workers return after their current operation.
func (c *course) stop() {
	for {
		word := c.word.Load()
		if phase(word) >= stopping || c.word.CompareAndSwap(word, word-phase(word)+stopping) {
			return
		}
	}
}

// The window is cut into slices, for the overlap.
const windowSlices = 64

// slice returns the bit of the slice that now is in, or 0 if the window should have
// closed before.
func (r *run) slice(now int64) uint64 {
	return 1 << uint64((now-r.opened.wall)*windowSlices/int64(r.Duration))
}
