package harness

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lockbench/lockbench/results"
)

// eachWorkload calls f with each of the built-in workloads.
func eachWorkload(t *testing.T, f func(*testing.T, Workload)) {
	for _, w := range Workloads() {
		t.Run(w.Name, func(t *testing.T) { f(t, w) })
	}
}

func TestWorkloads(t *testing.T) {
	eachWorkload(t, func(t *testing.T, w Workload) {
		for _, l := range suiting(w, mutex, rwmutex, subject[spinner]("spinner"), tokens) {
			for _, reads := range []int{0, 50, 100} {
				for _, workers := range []int{1, 2, 5} {
					s := quick(l)
					s.Workload, s.Reads, s.Workers = w, reads, workers
					s.Latency = workers == 2
					s.Hold = time.Duration(reads)
					sample, err := Run(context.Background(), s)
					if err != nil {
						t.Errorf("%v: %v", s.Cell(), err)
						continue
					}
					if sample.Cell.Workload != w.Name || sample.Ops < 1 {
						t.Errorf("sample of %v with %d operations, want %v with some", sample.Cell, sample.Ops, s.Cell())
					}
					if err := sample.Validate(); err != nil {
						t.Error(err)
					}
				}
			}
		}
	})
}

// An open lock stops excluding readers after a hundred of them.
type open struct {
	spinner
	readers  atomic.Int32
	byReader atomic.Bool
}

func (l *open) RLock() {
	if l.readers.Add(1) < 100 {
		l.spinner.Lock()
		l.byReader.Store(true)
	}
}

func (l *open) RUnlock() {
	if l.byReader.CompareAndSwap(true, false) {
		l.spinner.Unlock()
	}
}

// A lock that fails only after the preflight must be found by the workload itself.
func TestWorkloadsFindBroken(t *testing.T) {
	if racy {
		t.Skip("the race detector fails the test first")
	}
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs to meet")
	}
	eachWorkload(t, func(t *testing.T, w Workload) {
		if w.NewIn != nil {
			t.Skip("Go's map ends the process when it finds two writers in it")
		}
		for _, l := range suiting(w, subject[worn]("worn"), subject[open]("open"), leaking) {
			if l.Name == "open" && w.Name == "counter" {
				continue // a reader of one word cannot see it half-written
			}
			s := quick(l)
			s.Workload, s.Reads, s.Duration = w, 50, time.Millisecond
			var broken *BrokenError
			// On a busy machine the workers may miss each other.
			for try := 0; broken == nil && try < 1000; try++ {
				s.Seed++
				_, err := Run(context.Background(), s)
				errors.As(err, &broken)
			}
			if broken == nil || broken.Lock != l.Name || !strings.Contains(broken.When, "workload "+w.Name) {
				t.Errorf("Run with lock %s = %v, want workload %s to find it broken", l.Name, broken, w.Name)
				continue
			}
			t.Logf("seed %d: %v", s.Seed, broken)
		}
	})
}

// suiting returns the subjects that a workload can run.
func suiting(w Workload, all ...Subject) []Subject {
	return slices.DeleteFunc(all, func(s Subject) bool { return (s.Counting != nil) != (w.Permits != nil) })
}

// A semaphore is a channel with room for its permits.
type semaphore chan struct{}

func (s semaphore) Lock()   { s <- struct{}{} }
func (s semaphore) Unlock() { <-s }
func (s semaphore) TryLock() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

// counting makes a Subject of a semaphore.
func counting(name string, fresh func(permits int) sync.Locker) Subject {
	return Subject{Name: name, Counting: fresh, New: func() sync.Locker { return fresh(1) }}
}

var (
	tokens  = counting("tokens", func(permits int) sync.Locker { return make(semaphore, permits) })
	leaking = counting("leaking", func(permits int) sync.Locker { return &leaky{semaphore: make(semaphore, permits)} })
)

// A leaky semaphore lets in one worker too many once it has been used a hundred times.
type leaky struct {
	semaphore
	uses, guest atomic.Int32
}

func (l *leaky) Lock() {
	if l.uses.Add(1) > 100 && l.guest.CompareAndSwap(0, 1) {
		return
	}
	l.semaphore.Lock()
}

func (l *leaky) Unlock() {
	if !l.guest.CompareAndSwap(1, 0) {
		l.semaphore.Unlock()
	}
}

// The preflight finds a semaphore that has too many permits, by trying for one or,
// without TryLock, by letting in one too many.
func TestPreflightPermits(t *testing.T) {
	for _, test := range []struct {
		hide bool // the TryLock
		want string
	}{
		{false, "TryLock of a semaphore with 3 of 3 permits out: want false, have true"},
		{true, "inside, with one of 3 permits: want at most 3 workers, have 4"},
	} {
		l := tokens
		l.Counting = func(permits int) sync.Locker {
			s := make(semaphore, permits+1)
			if test.hide {
				return struct{ sync.Locker }{s}
			}
			return s
		}
		for _, cpus := range []int{1, 2} {
			s := quick(l)
			s.CPUs, s.Workload = cpus, workloadNamed(t, "pool")
			wrong(t, s, test.want)
		}
	}
}

func workloadNamed(t *testing.T, name string) Workload {
	all := Workloads()
	i := slices.IndexFunc(all, func(w Workload) bool { return w.Name == name })
	if i < 0 {
		t.Fatalf("no workload %q", name)
	}
	return all[i]
}

// A worker with a permit finds a buffer, and no other worker puts it back.
func TestPoolBuffers(t *testing.T) {
	p := newPool(5, 1).(*pool)
	var taken []*buffer
	for worker := range permits(5) {
		b := p.take(worker)
		if b == nil || slices.Contains(taken, b) {
			t.Fatalf("worker %d took buffer %p, after %p", worker, b, taken)
		}
		taken = append(taken, b)
	}
	if b := p.take(3); b != nil {
		t.Error("took a buffer too many")
	}
	p.giveBack(4, taken[0])
	for worker, want := range map[int]string{
		3: "as worker 3 takes a buffer: want at most 3 out, have 4",
		4: "as worker 4 puts a buffer back: want it with worker 4, have it with worker 0",
	} {
		if broken := p.slots[worker].broken; broken == nil || !strings.Contains(broken.Error(), want) {
			t.Errorf("worker %d: %v, want %s", worker, broken, want)
		}
	}
}

// A lock that cannot count is refused for a workload with permits.
func TestCountingValidate(t *testing.T) {
	pool := workloadNamed(t, "pool")
	for _, test := range []struct {
		subject Subject
		mode    Mode
		want    string
	}{
		{tokens, Goroutine, ""},
		{mutex, Goroutine, `lock "sync.Mutex": cannot count, want a semaphore for workload pool`},
	} {
		s := quick(test.subject)
		s.Workload, s.Mode = pool, test.mode
		sweep := smallSweep()
		sweep.Subjects, sweep.Workloads = []Subject{test.subject}, []Workload{pool}
		for _, err := range []error{s.Validate(), sweep.Validate()} {
			if got := fmt.Sprint(err); got != test.want && (err != nil || test.want != "") {
				t.Errorf("Validate = %v, want %q", err, test.want)
			}
		}
	}
	pinned := tokens
	pinned.Pinned = pinned.New
	s := quick(pinned)
	s.Workload, s.Mode = pool, Pinned
	const want = "workload pool: cannot run pinned, want another mode: its semaphores block"
	if err := s.Validate(); err == nil || err.Error() != want {
		t.Errorf("Validate = %v, want %s", err, want)
	}
}

// use has two workers write and read in turn, and a third read alone.
func use(d Data, n int) {
	for i := range n {
		d.Write(i % 2)
		d.Read(1 - i%2)
		d.Read(2)
	}
}

// A broken lock leaves data like these.
func TestWorkloadsSpoilt(t *testing.T) {
	for _, test := range []struct {
		workload string
		spoil    func(Data)
		want     string // of Verify at once
		then     string // of Verify after more use; the same if ""
	}{
		{"counter", func(d Data) { c := d.(*counter); c.n.Set(c.n.Get() - 1) },
			"after 1000 writes: want a count of 1000, have 999", "looks again: want 1000 or more, have 999"},
		{"counter", func(d Data) { c := d.(*counter); c.n.Set(c.n.Get() + 1) },
			"want a count of 1000, have 1001", "want a count of 1010, have 1011"},

		{"log", func(d Data) { l := d.(*recordLog); l.next.Set(l.next.Get() - 1) },
			"want records: 1093, have 1092", "want records: 1103, have 1102"},
		{"log", func(d Data) { l := d.(*recordLog); l.word(l.firstAt.Get()).Set(7) },
			"as it was written, have another, or a torn one", "makes room: want record "},
		{"log", func(d Data) { l := d.(*recordLog); l.word(l.nextAt.Get() - 1).Set(7) },
			"as it was written, have another, or a torn one", ""},
		{"log", func(d Data) { l := d.(*recordLog); l.nextAt.Set(l.nextAt.Get() + 1) },
			"at place", "as it was written, have another, or a torn one"},
		{"log", func(d Data) { d.(*recordLog).slots[0].writes++; d.(*recordLog).slots[1].writes-- },
			"to follow number 500 of worker 0, have 499", "of worker"},

		{"clock", func(d Data) { c := d.(*clock); c.seconds.Set(c.seconds.Get() + 1) },
			"want ticks: 1000, have a torn time", "want whole ticks, have a torn time"},
		{"clock", func(d Data) { c := d.(*clock); c.fraction.Set(c.fraction.Get() - 1) },
			"want ticks: 1000, have", "want whole ticks, have a torn time"},
		{"clock", func(d Data) { c := d.(*clock); c.seconds.Set(0); c.fraction.Set(0) },
			"want ticks: 1000, have 0", "want 1000 ticks or more, have 0"},

		{"config", func(d Data) { c := d.(*config); c.version.Set(c.version.Get() - 1) },
			"want version 1000, have 999", "want version 1000 or later, have 999"},
		{"config", func(d Data) { c := d.(*config); c.settings[30].Set(setting(999, 30)) },
			"want all settings of version 1000, have 999", "none"},

		{"intervals", func(d Data) { v := d.(*intervals); v.n.Set(v.n.Get() - 1) },
			"mappings, have ", ""},
		{"intervals", func(d Data) {
			v := d.(*intervals)
			a, b := v.sorted[0].Get(), v.sorted[1].Get()
			v.sorted[0].Set(b)
			v.sorted[1].Set(a)
		}, "in the end: want pages", "workload intervals"},
		{"intervals", func(d Data) {
			v := d.(*intervals)
			m := v.sorted[5].Get()
			m.owner++
			v.sorted[5].Set(m)
		}, "in the end: want pages", "workload intervals"},
		{"intervals", func(d Data) {
			v := d.(*intervals)
			m := v.sorted[0].Get()
			o := &v.owners[m.owner]
			o.mappings[0] = m // one is missing, the other there twice
		}, "in the end: want ", ""},

		{"pool", func(d Data) { d.(*pool).out.n.Store(1) }, "want no buffer out, have 1", ""},
		{"pool", func(d Data) { d.(*pool).out.n.Store(2) }, "want no buffer out, have 2", "takes a buffer: want at most 2 out, have 3"},
		{"pool", func(d Data) { d.(*pool).buffers[0].user.Store(3) }, "want buffer 0 with no worker, have it with worker 2", ""},
		{"pool", func(d Data) { d.(*pool).buffers[0].mirror.Set(7) }, "uses a buffer: want two words to agree, have 500 and ", ""},
		{"pool", func(d Data) {
			b := &d.(*pool).buffers[1]
			b.uses.Set(499)
			b.mirror.Set(^uint64(499))
		}, "want uses: 1000, have 999", "want uses: 1010, have 1009"},

		{"freelist", func(d Data) { l := d.(*freelist); l.idle.Set(l.idle.Get() - 1) },
			"want 2 in all", "counts: want 2 in all, have"},
		{"freelist", func(d Data) { l := d.(*freelist); l.free[0].Set(l.free[1].Get()) },
			"once, have it twice", "workload freelist, as buffer"},
		{"freelist", func(d Data) { l := d.(*freelist); l.user[0].Set(2) },
			"want buffer 0 with no worker, have it with worker 2", "workload freelist, as buffer"},
	} {
		for _, w := range Workloads() {
			if w.Name != test.workload {
				continue
			}
			at, then := w.New(3, 1), w.New(3, 1)
			use(at, 1000)
			use(then, 1000)
			if err := at.Verify(); err != nil {
				t.Fatalf("%s: sound data: %v", w.Name, err)
			}
			test.spoil(at)
			if err := at.Verify(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s spoilt: Verify = %v, want %q", w.Name, err, test.want)
			}
			test.spoil(then)
			use(then, 10)
			want := test.then
			if want == "" {
				want = test.want
			}
			if err := then.Verify(); want != "none" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s spoilt, then used: Verify = %v, want %q", w.Name, err, want)
			}
		}
	}
}

// A time made of the words of two ticks is never a valid time.
func TestTornClock(t *testing.T) {
	c := newClock(1, 0).(*clock)
	type time struct{ seconds, fraction uint64 }
	var times []time
	for range 2000 {
		times = append(times, time{c.seconds.Get(), c.fraction.Get()})
		c.Write(0)
	}
	for i, a := range times {
		for j, b := range times {
			if n, whole := ticks(a.seconds, b.fraction); whole != (i == j) || whole && n != uint64(i) {
				t.Fatalf("seconds of tick %d and the fraction of tick %d: %d whole ticks: %t", i, j, n, whole)
			}
		}
	}
}

// A reader sees every record in the log, in order, and then begins again.
func TestLogReader(t *testing.T) {
	l := newLog(1, 1).(*recordLog)
	for range 500 {
		l.Write(0)
	}
	first, next := l.first.Get(), l.next.Get()
	if n := next - first; n < ringLen/(recordHeader+longestText) || n > ringLen/recordHeader {
		t.Fatalf("the log has %d records", n)
	}
	for range 2 {
		for number := first; number < next; number++ {
			l.Read(0)
			if got := l.readers[0].next - 1; got != number {
				t.Fatalf("read record %d, want %d", got, number)
			}
		}
	}
	if err := l.Verify(); err != nil {
		t.Error(err)
	}
}

// Equal seeds make equal data, whatever is done to it.
func TestWorkloadsSeed(t *testing.T) {
	eachWorkload(t, func(t *testing.T, w Workload) {
		a, b, c := w.New(3, 1), w.New(3, 1), w.New(3, 2)
		use(a, 1000)
		use(b, 1000)
		use(c, 1000)
		equal := reflect.DeepEqual
		if w.Linked { // links are addresses, which differ
			equal = func(a, b any) bool {
				return slices.Equal(a.(interface{ replaced() []uint64 }).replaced(), b.(interface{ replaced() []uint64 }).replaced())
			}
		}
		if !equal(a, b) {
			t.Error("two of the same seed differ")
		}
		if equal(a, c) {
			t.Error("two of different seeds do not differ")
		}
	})
}

// replaced returns how often each element has been replaced.
func (l *linked) replaced() (times []uint64) {
	for v := l.head.Load(); v != nil; v = v.value.next.Load() {
		times = append(times, v.value.times.Get())
	}
	return times
}

// replaced returns how often each key has been changed.
func (k *keyed) replaced() (times []uint64) {
	for i := range k.owners {
		times = append(times, k.owners[i].changes...)
	}
	return times
}

func TestWorkloadsAllocate(t *testing.T) {
	eachWorkload(t, func(t *testing.T, w Workload) {
		d := w.New(3, 1)
		if n := testing.AllocsPerRun(100, func() { use(d, 10) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// A custom workload, as a user writes one.
type custom struct {
	write  func(worker int)
	verify error
}

func (c *custom) Write(worker int) {
	if c.write != nil {
		c.write(worker)
	}
}
func (c *custom) Read(int)      {}
func (c *custom) Verify() error { return c.verify }

func (c *custom) workload() Workload {
	return Workload{Name: "custom", New: func(int, uint64) Data { return c }}
}

func TestCustomWorkload(t *testing.T) {
	s := quick(mutex)
	s.Workload = (&custom{verify: errors.New("it rained")}).workload()
	wrong(t, s, "verifying workload custom: want sound data, have it rained")
	s.Workload = (&custom{verify: fmt.Errorf("outside: %w", &BrokenError{When: "on Sunday", Want: "sun", Have: "rain"})}).workload()
	wrong(t, s, "on Sunday: want sun, have rain")
	s.Workload = (&custom{write: func(worker int) { panic("out of paper") }}).workload()
	s.Workers = 1
	wrong(t, s, "the workload's Write by worker 0: want no panic, have out of paper")
}

// If a lock does not exclude, nothing is shared and nothing verified.
func TestWorkloadUnlocked(t *testing.T) {
	var all []Data
	l := counting("none", func(int) sync.Locker { return new(busted) })
	l.Unlocked = true
	s := quick(l)
	s.Reads, s.Workers = 50, 5
	for _, w := range Workloads() {
		fresh := w.New
		w.New = func(workers int, seed uint64) Data {
			all = append(all, fresh(workers, seed))
			return all[len(all)-1]
		}
		s.Workload, all = w, nil
		if _, err := Run(context.Background(), s); err != nil {
			t.Error(err)
		}
		if len(all) != s.Workers {
			t.Errorf("workload %s: %d times data for %d workers", w.Name, len(all), s.Workers)
		}
	}
	s.Workload = (&custom{verify: errors.New("it rained")}).workload()
	if _, err := Run(context.Background(), s); err != nil {
		t.Error(err)
	}
}

func TestWorkloadValidate(t *testing.T) {
	fresh := new(custom).workload().New
	for _, test := range []struct {
		workload Workload
		want     string
	}{
		{Workload{}, ""},
		{Workload{Name: "custom", New: fresh}, ""},
		{Workload{Name: "custom"}, `workload "custom": New is nil, want a function that returns data`},
		{Workload{New: fresh}, "workload without a name: only the bare section has none"},
		{Workload{Name: "a b", New: fresh}, `workload "a b": must be printable, without spaces and "/"`},
	} {
		s := quick(mutex)
		s.Workload = test.workload
		got := ""
		if err := s.Validate(); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("Validate of %+v = %q, want %q", test.workload, got, test.want)
		}
	}
	names := make(map[string]bool)
	for _, w := range Workloads() {
		if err := w.validate(); err != nil || names[w.Name] || w.About == "" {
			t.Errorf("workload %q, about %q: %v, want a name of its own, and words", w.Name, w.About, err)
		}
		names[w.Name] = true
	}
}

func TestSweepWorkloads(t *testing.T) {
	s := smallSweep()
	s.Subjects = []Subject{tokens}
	n := len(s.Scenarios())
	s.Workloads = append([]Workload{{}}, Workloads()...)
	if got, want := len(s.Scenarios()), n*len(s.Workloads); got != want {
		t.Errorf("%d scenarios, want %d", got, want)
	}
	s.Count = 1
	seen := make(map[results.Cell]bool)
	for _, c := range order(t, s) {
		seen[c] = true
	}
	if len(seen) != n*len(s.Workloads) {
		t.Errorf("measured %d cells, want %d", len(seen), n*len(s.Workloads))
	}

	s.Workloads = append(s.Workloads, Workload{}, Workloads()[0], Workload{Name: "mine"})
	const want = `workload "": given twice
workload "counter": given twice
workload "mine": New is nil, want a function that returns data`
	if err := s.Validate(); err == nil || err.Error() != want {
		t.Errorf("Validate = %v, want %s", err, want)
	}
}

// A worker that is stuck in a workload is reported as there.
func TestStuckInWorkload(t *testing.T) {
	free := make(chan struct{})
	var once sync.Once
	s := quick(mutex)
	s.Workload = (&custom{write: func(int) { once.Do(func() { <-free }) }}).workload()
	s.Patience = 50 * time.Millisecond
	before := runtime.NumGoroutine()
	_, err := Run(context.Background(), s)
	close(free)
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
	if err == nil || !strings.Contains(err.Error(), " is in the workload's Write, for ") {
		t.Errorf("Run = %v, want a worker in the workload's Write", err)
	}
}
