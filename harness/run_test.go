package harness

import (
	"context"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// value returns what s measured in unit, which it must have.
func value(t *testing.T, s results.Sample, unit string) float64 {
	t.Helper()
	v, ok := s.Value(unit)
	if !ok {
		t.Errorf("no %s in %v", unit, s)
	}
	return v
}

func TestRun(t *testing.T) {
	for _, l := range []Subject{mutex, rwmutex, subject[spinner]("spinner")} {
		for _, reads := range []int{0, 50, 100} {
			l.Pinned = func() sync.Locker { return new(pinnedSpinner) }
			everywhere(t, l, func(t *testing.T, s Scenario) {
				restoresCPUs(t)
				s.Reads, s.Latency = reads, true
				sample, err := Run(context.Background(), s)
				if err != nil {
					t.Fatal(err)
				}
				if err := sample.Validate(); err != nil {
					t.Error(err)
				}
				if sample.Cell != s.Cell() {
					t.Errorf("sample of %v, want %v", sample.Cell, s.Cell())
				}
				if sample.Ops < 1 {
					t.Errorf("%d operations", sample.Ops)
				}
				checkUnits(t, sample, s)
				window := value(t, sample, "ns/op") * float64(sample.Ops)
				if window < float64(s.Duration) {
					t.Errorf("the window was open for %v ns, want at least %v", window, s.Duration)
				}
				if perSecond := 1e9 / value(t, sample, "ns/op"); math.Abs(value(t, sample, "ops/s")/perSecond-1) > 1e-9 {
					t.Errorf("ops/s is not the inverse of ns/op: %v", sample)
				}
			})
		}
	}
}

// A pinnedSpinner is a spinner whose holders and waiters are not preempted.
type pinnedSpinner struct{ held atomic.Bool }

func (l *pinnedSpinner) Lock() {
	primitives.Pin()
	for !l.held.CompareAndSwap(false, true) {
	}
}

func (l *pinnedSpinner) Unlock() {
	l.held.Store(false)
	primitives.Unpin()
}

// checkUnits asserts that a sample of s has the units that it should have, in order,
// and that they are known.
func checkUnits(t *testing.T, sample results.Sample, s Scenario) {
	t.Helper()
	want := []string{"ns/op", "ops/s"}
	if _, ok := cpuTime(); ok {
		want = append(want, "cpu-ns/op")
	}
	role := func(role string) {
		for _, q := range []string{"p50", "p99", "p999", "max"} {
			want = append(want, role+"-"+q+"-ns")
		}
	}
	// A window in which no write was timed has no percentiles of writes.
	if _, ok := sample.Value("read-p50-ns"); ok && s.Reads > 0 {
		role("read")
	}
	if _, ok := sample.Value("write-p50-ns"); ok && s.Reads < 100 {
		role("write")
	}
	if s.Workers > 1 {
		want = append(want, "jain", "share-min-max")
		if s.Reads < 100 {
			want = append(want, "max-run")
		}
		want = append(want, "overlap")
	}
	if s.Workers > 1 && s.CPUs > 1 {
		if sample.Distance == results.Local {
			t.Error("two CPUs were local")
		}
		if sample.Distance != results.Unknown {
			want = append(want, "rtt-ns")
		}
	} else if sample.Distance != results.Local {
		t.Errorf("distance %q, want local", sample.Distance)
	}
	want = append(want, "B/op", "allocs/op")

	var got []string
	for _, v := range sample.Values {
		got = append(got, v.Unit)
	}
	if !slices.Equal(got, want) {
		t.Errorf("units %v, want %v", got, want)
	}
	known := results.Units()
	for _, unit := range got {
		if !slices.ContainsFunc(known, func(u results.Unit) bool { return u.Name == unit }) {
			t.Errorf("unit %q is not known to package results", unit)
		}
	}
}

func TestOversubscribed(t *testing.T) {
	s := quick(mutex)
	s.CPUs = runtime.NumCPU() + 1
	sample, err := Run(context.Background(), s)
	if err != nil || !sample.Oversubscribed {
		t.Errorf("on %d CPUs: oversubscribed = %v, error %v, want true", s.CPUs, sample.Oversubscribed, err)
	}
	sample, err = Run(context.Background(), quick(mutex))
	if want := runtime.NumCPU() < 2; err != nil || sample.Oversubscribed != want {
		t.Errorf("on 2 CPUs: oversubscribed = %v, error %v, want %v", sample.Oversubscribed, err, want)
	}
}

// A diary is a mutex that notes when it was released.
type diary struct {
	sync.Mutex
	released []int64
}

func (l *diary) Unlock() {
	if len(l.released) < cap(l.released) {
		l.released = append(l.released, primitives.Nanotime())
	}
	l.Mutex.Unlock()
}

// Whatever the workers do, and however long they are kept out, exactly the operations
// that released inside the window count. One operation per worker may differ, which is
// between the release and the worker's note of it.
func TestWindow(t *testing.T) {
	for _, test := range []struct {
		name          string
		cpus, workers int
	}{
		{"alone", 1, 1},
		{"two", 2, 2},
		{"many", 2, 7},
	} {
		s := quick(mutex)
		s.CPUs, s.Workers, s.Hold = test.cpus, test.workers, time.Microsecond
		s.Duration, s.Warmup = 5*time.Millisecond, time.Millisecond
		l := &diary{released: make([]int64, 0, 1_000_000)}
		restore := setUp(s)
		r := newRun(s.withDefaults(), l, s.Workers)
		err := r.checkIn((*worker).measure)
		if err == nil {
			err = r.release(context.Background())
		}
		restore(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(l.released) == cap(l.released) {
			t.Fatal("the diary is full")
		}
		inside := 0
		for _, at := range l.released {
			if r.opened.wall <= at && at <= r.closed.wall {
				inside++
			}
		}
		got := r.sample(pingpong.Trip{}, pingpong.Trip{}, usage{}).Ops
		if got < inside-s.Workers || got > inside+s.Workers {
			t.Errorf("%s: %d operations counted, %d released inside the window", test.name, got, inside)
		}
	}
}

// step makes w do n operations, which find the phase unchanged, and one look.
func step(t *testing.T, w *worker, n uint64, goOn bool) {
	t.Helper()
	w.written += n
	if got := w.look(); got != goOn {
		t.Errorf("look of worker %d = %v, want %v", w.id, got, goOn)
	}
}

// The phases, one step at a time.
func TestPhases(t *testing.T) {
	s := quick(mutex)
	s.Duration = 1
	r := newRun(s, new(sync.Mutex), 3)
	r.began = primitives.Nanotime() - int64(s.Warmup)
	a, b, c := r.workers[0], r.workers[1], r.workers[2]
	in := func(want uint32) {
		t.Helper()
		if got := phase(r.word.Load()); got != want {
			t.Fatalf("phase %d, want %d", got, want)
		}
	}

	step(t, a, 10, true)
	step(t, a, 10, true)
	step(t, b, 10, true)
	in(warming) // c is cold
	step(t, c, 10, true)
	in(measuring) // since c looked: its operations until now do not count
	step(t, c, 5, true)
	in(draining) // b did not run in the window, a did not look
	step(t, c, 7, true)
	step(t, a, 3, true)
	in(draining)
	step(t, b, 1, true)
	in(stopping)
	step(t, b, 1, false)
	step(t, a, 1, false)
	step(t, c, 1, false)

	// a did three, but it is not known when the first two of them ended: a saw the
	// window open and closed at once, so they do not count.
	if a.ops != 0 || b.ops != 0 || c.ops != 5 {
		t.Errorf("operations in the window: %d, %d, %d, want 0, 0, 5", a.ops, b.ops, c.ops)
	}
}

// A worker that notices a change of phase after an operation began that operation
// before the change and ended it after.
func TestPhasesCountWhatEndedInside(t *testing.T) {
	s := quick(mutex)
	s.Duration = time.Hour
	r := newRun(s, new(sync.Mutex), 2)
	r.began = primitives.Nanotime() - int64(s.Warmup)
	a, b := r.workers[0], r.workers[1]
	step(t, b, 4, true)
	step(t, a, 9, true) // opens
	step(t, b, 1, true) // began before, ended inside
	step(t, b, 2, true)
	r.Duration = 1
	step(t, a, 1, true) // closes
	step(t, b, 1, true) // began inside, ended after
	if a.ops != 1 || b.ops != 3 {
		t.Errorf("operations in the window: %d, %d, want 1, 3", a.ops, b.ops)
	}
}

// The run does not wait for a worker that has been kept out for too long.
func TestPhasesStraggler(t *testing.T) {
	s := quick(mutex)
	r := newRun(s, new(sync.Mutex), 2)
	a := r.workers[0]
	r.began = primitives.Nanotime() - int64(s.Warmup)
	step(t, a, 1, true)
	if phase(r.word.Load()) != warming {
		t.Fatal("the window opened though a worker was cold")
	}
	r.began -= int64(straggle)
	step(t, a, 1, true)
	if phase(r.word.Load()) != measuring {
		t.Fatal("the window did not open for a straggler's sake")
	}
	r.opened.wall -= int64(s.Duration)
	step(t, a, 1, true)
	r.hurry(primitives.Nanotime())
	if phase(r.word.Load()) != draining {
		t.Fatal("the run ended at once for a straggler's sake")
	}
	r.hurry(primitives.Nanotime() + int64(straggle))
	step(t, a, 1, false)
}

// Workers that do not look at the clock are made to do so.
func TestHurry(t *testing.T) {
	s := quick(mutex)
	r := newRun(s, new(sync.Mutex), 1)
	a := r.workers[0]
	r.began = primitives.Nanotime() - int64(s.Warmup)
	r.hurry(primitives.Nanotime())
	if r.word.Load() == a.word {
		t.Error("a worker late in warming up would not notice")
	}
	step(t, a, 1, true) // opens
	step(t, a, 1, true)
	r.hurry(primitives.Nanotime())
	if r.word.Load() != a.word {
		t.Error("a worker was disturbed in the window")
	}
	r.hurry(r.opened.wall + int64(s.Duration))
	if r.word.Load() == a.word || phase(r.word.Load()) != measuring {
		t.Error("a worker that should close the window would not notice")
	}
}

func TestOverlap(t *testing.T) {
	s := quick(mutex)
	r := newRun(s, new(sync.Mutex), 1)
	r.opened.wall = 1000
	for _, test := range []struct {
		after time.Duration
		want  uint64
	}{
		{0, 1},
		{s.Duration/windowSlices - 1, 1},
		{s.Duration / windowSlices, 2},
		{s.Duration - 1, 1 << 63},
		{s.Duration, 0},
		{time.Hour, 0},
	} {
		if got := r.slice(1000 + int64(test.after)); got != test.want {
			t.Errorf("slice after %v = %x, want %x", test.after, got, test.want)
		}
	}
}

func TestOverlapOfWorkers(t *testing.T) {
	r := newRun(quick(mutex), new(sync.Mutex), 2)
	a, b := r.workers[0], r.workers[1]
	r.began = primitives.Nanotime() - int64(r.Warmup)
	r.Duration = time.Hour
	step(t, a, 1, true)
	step(t, b, 1, true) // opens
	step(t, b, 1, true) // in the first slice, and a as well
	step(t, a, 1, true)
	r.opened.wall -= int64(time.Hour / 2)
	step(t, a, 1, true) // in another, alone
	if got := value(t, r.sample(pingpong.Trip{}, pingpong.Trip{}, usage{}), "overlap"); got != 1.0/windowSlices {
		t.Errorf("overlap %v, want one slice of %d", got, windowSlices)
	}
}

// With a quota the window closes after that many operations, not counting the warm-up.
func TestQuota(t *testing.T) {
	r := newRun(quick(mutex), new(sync.Mutex), 2)
	r.Quota = 100
	r.Duration = 1
	a, b := r.workers[0], r.workers[1]
	r.began = primitives.Nanotime() - int64(r.Warmup)
	step(t, a, 1000, true)
	step(t, b, 1000, true) // opens
	step(t, a, 1, true)    // notices
	step(t, a, 40, true)
	step(t, b, 58, true)
	if got := phase(r.word.Load()); got != measuring {
		t.Fatalf("phase %d after 99 operations of 100, want %d", got, measuring)
	}
	step(t, b, 1, true)
	if got := phase(r.word.Load()); got != draining {
		t.Fatalf("phase %d after 100 operations of 100, want %d", got, draining)
	}
}

func TestPattern(t *testing.T) {
	for _, reads := range []int{0, 1, 50, 99, 100} {
		s := quick(rwmutex)
		s.Reads = reads
		r := newRun(s, new(sync.RWMutex), 2)
		n := 0
		for range patternLen {
			if r.workers[0].nextReads() {
				n++
			}
		}
		if n != reads*patternLen/100 {
			t.Errorf("%d reads of %d at %d %%", n, patternLen, reads)
		}
		if reads == 50 && slices.Equal(r.workers[0].pattern, r.workers[1].pattern) {
			t.Error("two workers read and write in step")
		}
	}
}

// A shared lock must be used through views, and each view by one worker.
type shared struct {
	sync.RWMutex
	views, misused atomic.Int32
}

func (l *shared) Lock() { l.misused.Add(1); l.RWMutex.Lock() }

func (l *shared) RLock() { l.misused.Add(1); l.RWMutex.RLock() }

func (l *shared) Worker() sync.Locker {
	l.views.Add(1)
	return &view{shared: l}
}

type view struct {
	shared *shared
	inUse  atomic.Bool
}

func (v *view) enter() {
	if v.inUse.Swap(true) {
		v.shared.misused.Add(1)
	}
}

func (v *view) Lock()    { v.enter(); v.shared.RWMutex.Lock() }
func (v *view) Unlock()  { v.shared.RWMutex.Unlock(); v.inUse.Store(false) }
func (v *view) RLock()   { v.enter(); v.shared.RWMutex.RLock() }
func (v *view) RUnlock() { v.shared.RWMutex.RUnlock(); v.inUse.Store(false) }

func TestViews(t *testing.T) {
	var locks []*shared
	s := quick(Subject{Name: "shared", New: func() sync.Locker {
		locks = append(locks, new(shared))
		return locks[len(locks)-1]
	}})
	s.Workers, s.Reads, s.Latency = 5, 50, true
	if _, err := Run(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	views := 0
	for _, l := range locks {
		views = max(views, int(l.views.Load()))
		if n := l.misused.Load(); n > 0 {
			t.Errorf("%d acquisitions without a view, or with one that was in use", n)
		}
	}
	if views != s.Workers {
		t.Errorf("%d views, want one for each of %d workers", views, s.Workers)
	}
}

// No word that a worker writes shares a pair of lines with a word that others use.
func TestIsolation(t *testing.T) {
	const pair = 2 * primitives.CacheLineSize
	var w worker
	if first := unsafe.Offsetof(w.id); first < pair {
		t.Errorf("a worker begins %d bytes after its block, want %d", first, pair)
	}
	if last := unsafe.Sizeof(w) - unsafe.Offsetof(w.writeTimes) - unsafe.Sizeof(w.writeTimes); last < pair {
		t.Errorf("a worker ends %d bytes before its block, want %d", last, pair)
	}
	var r run
	before := unsafe.Offsetof(r.word) - unsafe.Offsetof(r.neighbours) - unsafe.Sizeof(r.neighbours)
	after := unsafe.Offsetof(r.warm) - unsafe.Offsetof(r.word) - unsafe.Sizeof(r.word)
	if before < pair || after < pair {
		t.Errorf("the phase is %d bytes after and %d before something else, want %d", before, after, pair)
	}
	for range 100 {
		s := newRun(quick(mutex), new(sync.Mutex), 1).section
		if at := uintptr(unsafe.Pointer(&s.count)); at%pair != 0 {
			t.Fatalf("a section is at %#x, want a multiple of %d", at, pair)
		}
	}
}

// A benchmark reports what a sample has, and does about as many operations as it is
// told.
func TestBench(t *testing.T) {
	s := quick(mutex)
	s.CPUs = 0
	r := testing.Benchmark(func(b *testing.B) { Bench(b, s) })
	for _, unit := range []string{"ns/op", "ops/s", "jain", "max-run", "B/op"} {
		if _, ok := r.Extra[unit]; !ok {
			t.Errorf("no %s in %v", unit, r)
		}
	}
	if _, ok := r.Extra["overlap"]; ok {
		t.Error("an overlap of a window that had no end")
	}
	ops := r.Extra["ops/s"] * r.T.Seconds()
	if ops < 0.5*float64(r.N) {
		t.Errorf("at most %v operations in %v, want %d", ops, r.T, r.N)
	}
	r = testing.Benchmark(func(b *testing.B) { Bench(b, quick(subject[busted]("busted"))) })
	if r.N != 0 {
		t.Errorf("a benchmark of a broken lock came to %v", r)
	}
}

func TestCost(t *testing.T) {
	ns, err := Cost(context.Background(), 50)
	if err != nil || ns <= 0 {
		t.Errorf("Cost = %v, %v", ns, err)
	}
}

// An allocating lock allocates two objects for an operation.
type allocating struct {
	sync.Mutex
	last []*[32]byte
}

func (l *allocating) Lock() {
	l.Mutex.Lock()
	l.last = []*[32]byte{new([32]byte)}
}

func TestAllocations(t *testing.T) {
	for _, test := range []struct {
		subject       Subject
		bytes, allocs float64
	}{
		{subject[sync.Mutex]("sync.Mutex"), 0, 0},
		{subject[allocating]("allocating"), 40, 2},
	} {
		s := quick(test.subject)
		s.Warmup = 5 * time.Millisecond // its operations count here as well
		sample, err := Run(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		bytes, allocs := value(t, sample, "B/op"), value(t, sample, "allocs/op")
		if math.Abs(bytes-test.bytes) > 1 || math.Abs(allocs-test.allocs) > 0.05 {
			t.Errorf("%s: %v B/op, %v allocs/op, want %v, %v", test.subject.Name, bytes, allocs, test.bytes, test.allocs)
		}
	}
}

func TestWork(t *testing.T) {
	if got := Registers.steps(0); got != 0 {
		t.Errorf("steps(0) = %d, want 0", got)
	}
	if got := Registers.steps(1); got < 1 {
		t.Errorf("steps(1ns) = %d, want at least 1", got)
	}
	if a, b := Registers.steps(time.Microsecond), Registers.steps(time.Millisecond); math.Abs(float64(b)/float64(a)-1000) > 5 {
		t.Errorf("steps(1µs) = %d, steps(1ms) = %d, want a thousand times as many", a, b)
	}
	if got, want := float64(Registers.steps(time.Second)), 1e9*stepsPerNanosecond[Registers](); math.Abs(got-want) > 1 {
		t.Errorf("steps(1s) = %v, want %v", got, want)
	}
	// The result is the same, however the steps are divided.
	if a, b := work(100, 1), work(60, work(40, 1)); a != b || a == 1 {
		t.Errorf("work(100) = %d, in two parts %d", a, b)
	}
}

func TestProbe(t *testing.T) {
	for _, test := range []struct{ cpus, workers int }{{1, 1}, {1, 2}, {2, 1}} {
		s := quick(mutex)
		s.CPUs, s.Workers = test.cpus, test.workers
		if p, err := probe(s); err != nil || p.Distance != results.Local {
			t.Errorf("probe with %d CPUs, %d workers = %v, %v, want local", test.cpus, test.workers, p, err)
		}
	}
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs")
	}
	for _, mode := range []Mode{Goroutine, Thread} {
		s := quick(mutex)
		s.Mode = mode
		if mode == Thread && !hasAffinity {
			continue
		}
		p, err := probe(s)
		if err != nil || p.Distance == results.Local {
			t.Errorf("probe in %v mode = %v, %v", mode, p, err)
		}
		if known := p.Distance != results.Unknown; known && p.NS <= 0 {
			t.Errorf("probe in %v mode: %v ns are %s", mode, p.NS, p.Distance)
		}
	}
}

func TestFairness(t *testing.T) {
	for _, test := range []struct {
		ops         []uint64
		jain, share float64
	}{
		{[]uint64{5}, 1, 1},
		{[]uint64{7, 7, 7}, 1, 1},
		{[]uint64{1, 0, 0, 0}, 0.25, 0},
		{[]uint64{1, 3}, 0.8, 1.0 / 3},
	} {
		if got := jain(test.ops); math.Abs(got-test.jain) > 1e-12 {
			t.Errorf("jain(%v) = %v, want %v", test.ops, got, test.jain)
		}
		if got := minMaxShare(test.ops); math.Abs(got-test.share) > 1e-12 {
			t.Errorf("minMaxShare(%v) = %v, want %v", test.ops, got, test.share)
		}
	}
}

func TestLongestRun(t *testing.T) {
	for _, test := range []struct {
		order string // which workers write
		want  uint64
	}{
		{"a", 1},
		{"abab", 1},
		{"abbba", 3},
		{"abaaaa", 4},
		{"bbbbbaab", 5},
	} {
		r := newRun(quick(mutex), new(sync.Mutex), 2)
		for i, name := range test.order {
			w := r.workers[strings.IndexRune("ab", name)]
			r.section.beginWrite(uint64(i))
			r.section.endWrite(w, uint64(i))
		}
		if got := r.longestRun(); got != test.want {
			t.Errorf("longest run of %s = %d, want %d", test.order, got, test.want)
		}
	}
}

// A slow lock takes at least 100 µs to acquire for reading, and 300 µs for
// writing.
type slow struct{ sync.RWMutex }

func (l *slow) RLock() {
	time.Sleep(100 * time.Microsecond)
	l.RWMutex.RLock()
}

func (l *slow) Lock() {
	time.Sleep(300 * time.Microsecond)
	l.RWMutex.Lock()
}

func TestLatency(t *testing.T) {
	s := quick(subject[slow]("slow"))
	s.CPUs, s.Workers = 1, 1
	s.Reads, s.Latency, s.Duration = 50, true, 40*time.Millisecond
	sample, err := Run(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range []struct {
		name    string
		atLeast float64
	}{{"read", 100_000}, {"write", 300_000}} {
		last := 0.99 * role.atLeast // rounded to two digits, less the cost of the clock
		for _, unit := range []string{"-p50-ns", "-p99-ns", "-p999-ns", "-max-ns"} {
			v := value(t, sample, role.name+unit)
			if v < last {
				t.Errorf("%v %s%s, want at least %v", v, role.name, unit, last)
			}
			last = v
		}
	}
}

// Strides follow the speed of operations; while latencies are sampled they do
// not get shorter, and are random.
func TestAdapt(t *testing.T) {
	s := quick(mutex)
	s.Latency = true
	w := newRun(s, new(sync.Mutex), 1).workers[0]
	w.stride, w.span, w.lookedAt = 64, 64, 1000
	at := w.lookedAt
	// look looks after a stride in which stride operations would have taken that long.
	look := func(took int64, want int) {
		t.Helper()
		at += (took*int64(w.span) + int64(w.stride) - 1) / int64(w.stride)
		w.adapt(at, w.word, w.sampling())
		if w.stride != want {
			t.Errorf("stride after one of %d ns = %d, want %d", took, w.stride, want)
		}
	}
	look(lookAfter-1, 128)
	look(lookAfter, 128)
	look(2*lookAfter, 128)
	look(2*lookAfter+1, 64)
	w.begun = true
	look(lookAfter/2, 128)
	look(100*lookAfter, 128)
	sum := 0
	for range 10_000 {
		look(lookAfter+10, 128)
		if w.span < 1 || w.span > 192 {
			t.Fatalf("span %d of a stride of 128", w.span)
		}
		sum += w.span
	}
	if mean := float64(sum) / 10_000; math.Abs(mean/128-1) > 0.05 {
		t.Errorf("mean span %v, want about 128", mean)
	}

	// A stride that was cut short is ignored.
	w.adapt(at+1, w.word+1, w.sampling())
	if w.stride != 128 {
		t.Errorf("stride after one cut short = %d, want 128", w.stride)
	}
}
