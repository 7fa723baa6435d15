package harness

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A sequenced lock is a spinner with a sequence for readers that retry.
type sequenced struct {
	spinner
	seq atomic.Uint64
}

func (l *sequenced) Lock() {
	l.spinner.Lock()
	l.seq.Add(1)
}

func (l *sequenced) TryLock() bool {
	if !l.spinner.TryLock() {
		return false
	}
	l.seq.Add(1)
	return true
}

func (l *sequenced) Unlock() {
	l.seq.Add(1)
	l.spinner.Unlock()
}

func (l *sequenced) Begin() uint64 {
	for {
		if seq := l.seq.Load(); seq%2 == 0 {
			return seq
		}
		runtime.Gosched()
	}
}

func (l *sequenced) Retry(seq uint64) bool { return l.seq.Load() != seq }

// The readers of a careless lock never retry.
type careless struct{ sequenced }

func (*careless) Retry(uint64) bool { return false }

// The readers of a hasty lock do not wait until a writer is done.
type hasty struct{ sequenced }

func (l *hasty) Begin() uint64 { return l.seq.Load() }

// A pinnable sequenced lock writes without yielding.
type pinnable struct{ sequenced }

func (l *pinnable) Lock() {
	for !l.TryLock() {
	}
}

// openWorkloads are the workloads that can be read while they are written.
func openWorkloads() []Workload {
	return workloadsThat(func(w Workload) bool { return w.NewOpen != nil })
}

// workloadsThat returns the bare section, and the workloads that have something.
func workloadsThat(have func(Workload) bool) []Workload {
	all := []Workload{{}}
	for _, w := range Workloads() {
		if have(w) {
			all = append(all, w)
		}
	}
	return all
}

func TestSeqLocker(t *testing.T) {
	l := subject[sequenced]("sequenced")
	l.Pinned = subject[pinnable]("").New
	timed := 0 // not all: a window may end before a read does
	everywhere(t, l, func(t *testing.T, s Scenario) {
		for _, w := range openWorkloads() {
			for _, reads := range []int{0, 50, 100} {
				s.Workload, s.Reads = w, reads
				s.Latency = reads == 50
				s.Hold = time.Duration(reads)
				sample, err := Run(context.Background(), s)
				if err != nil {
					t.Errorf("%v: %v", s.Cell(), err)
					continue
				}
				if err := sample.Validate(); err != nil || sample.Ops < 1 {
					t.Errorf("%v: %d operations, %v", s.Cell(), sample.Ops, err)
				}
				if _, ok := sample.Value("read-p50-ns"); ok {
					timed++
				}
			}
		}
	})
	if timed == 0 {
		t.Error("no read was ever timed")
	}
}

// Readers hold nothing, so what they see must be of one moment.
func TestCarelessReaders(t *testing.T) {
	for _, l := range []Subject{subject[careless]("careless"), subject[hasty]("hasty")} {
		l.Pinned = l.New
		everywhere(t, l, func(t *testing.T, s Scenario) {
			if s.CPUs == 1 && s.Mode == Pinned {
				s.Mode = Goroutine // no worker can come while one is inside
			}
			s.Reads = 50
			wrong(t, s, "want two words to agree")
		})
	}
}

// The workloads find faults that the preflight does not.
func TestOpenDataFindsBroken(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("needs two CPUs to meet")
	}
	for _, w := range openWorkloads() {
		s := quick(subject[careless]("careless"))
		s.Workload, s.Reads, s.Duration = w, 50, time.Millisecond
		s = s.withDefaults()
		defer setUp(s)(nil)
		err := error(nil)
		// On a busy machine the workers may miss each other.
		for try := 0; err == nil && try < 1000; try++ {
			r := newRun(s, s.New(), s.Workers)
			err = r.fly(context.Background(), (*worker).measure)
		}
		if broken := (*BrokenError)(nil); !errors.As(err, &broken) || broken.Lock != "careless" {
			t.Errorf("workload %q: %v, want a BrokenError", w.Name, err)
		}
	}
}

// A word that is older than one that the same worker saw or wrote is a fault, even if
// the other word is as old.
func TestStaleWords(t *testing.T) {
	r := newRun(quick(mutex), new(sequenced), 2)
	a, b := r.workers[0], r.workers[1]
	r.openSection.write(a)
	r.openSection.write(a)
	a.written = 2
	r.openSection.check(b, 1, ^uint64(1))
	r.openSection.check(b, 2, ^uint64(2))
	if err := r.verify(); err != nil {
		t.Errorf("verify of reads that go on: %v", err)
	}
	r.openSection.check(b, 1, ^uint64(1))
	const want = "in a read of worker 1: want a count of 2 or more, as it was before, have 1"
	if err := r.verify(); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("verify of a read that goes back = %v, want %s", err, want)
	}
}

// A spoilt word is noticed by the Check after a Look, but not before.
func TestOpenDataSpoilt(t *testing.T) {
	for _, test := range []struct {
		workload string
		spoil    func(OpenData)
		want     string
	}{
		{"clock", func(d OpenData) { d.(*openClock).seconds.Add(1) }, "want whole ticks, have a torn time"},
		{"clock", func(d OpenData) { c := d.(*openClock); c.seconds.Store(0); c.fraction.Store(0) }, "want 100 ticks or more, have 0"},
		{"config", func(d OpenData) { d.(*openConfig).version.Add(1) }, "as worker 1 consults version 101: want settings of that version, have one of version 100"},
		{"config", func(d OpenData) { d.(*openConfig).version.Add(^uint64(0)) }, "want version 100 or later, have 99"},
		{"record", func(d OpenData) { d.(*openRecord).words[3].Add(recordLen) }, "as worker 1 reads: want eight words of version 100, have one of version 101"},
	} {
		for _, w := range Workloads() {
			if w.Name != test.workload {
				continue
			}
			d := w.NewOpen(2, 1)
			for range 100 {
				d.Write(0)
			}
			d.Look(1)
			d.Check(1)
			if err := d.Verify(); err != nil {
				t.Fatalf("%s: sound data: %v", w.Name, err)
			}
			test.spoil(d)
			d.Look(1)
			seen := d.Verify()
			d.Check(1)
			if seen == nil || strings.Contains(seen.Error(), "as worker 1") {
				t.Errorf("%s spoilt: Verify after Look = %v, want the fault of the final state", w.Name, seen)
			}
			if err := d.Verify(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s spoilt: Verify after Check = %v, want %s", w.Name, err, test.want)
			}
		}
	}
}

// A lost update shows at the end.
func TestOpenDataLosesUpdates(t *testing.T) {
	for _, w := range openWorkloads()[1:] {
		d, shorter := w.NewOpen(1, 1), w.NewOpen(1, 1)
		d.Write(0)
		shorter.Write(0)
		shorter.Write(0)
		if err := d.Verify(); err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
		switch d := d.(type) {
		case *openClock:
			d.slots[0].writes++
		case *openConfig:
			d.slots[0].writes++
		case *openRecord:
			d.slots[0].writes++
		}
		if err := d.Verify(); err == nil {
			t.Errorf("%s: one write of two is lost, and Verify = nil", w.Name)
		}
	}
}

func TestOpenDataSeedAndAllocations(t *testing.T) {
	for _, w := range openWorkloads()[1:] {
		a, b := w.NewOpen(3, 1), w.NewOpen(3, 1)
		use := func(d OpenData) {
			for i := range 100 {
				d.Write(i % 2)
				d.Look(2)
				d.Check(2)
			}
		}
		use(a)
		use(b)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: two of the same seed differ", w.Name)
		}
		if n := testing.AllocsPerRun(10, func() { use(a) }); n != 0 {
			t.Errorf("%s: %v allocations", w.Name, n)
		}
	}
}

// Where the data cannot be read while it is written, readers take the lock.
func TestSeqLockerTakesTheLock(t *testing.T) {
	for _, w := range Workloads() {
		if w.Permits != nil || w.NewOpen != nil || w.Linked {
			continue
		}
		s := quick(Subject{Name: "sequenced", New: func() sync.Locker { return new(sequenced) }})
		s.Workload, s.Reads = w, 100
		r := newRun(s, s.New(), 2)
		if r.workers[0].seq != nil {
			t.Errorf("workload %s: readers retry, though it is not open", w.Name)
		}
		if _, err := Run(context.Background(), s); err != nil {
			t.Errorf("workload %s: %v", w.Name, err)
		}
	}
}

// Begin and Retry may panic.
type retries struct {
	sequenced
	begin, retry func()
}

func (l *retries) Begin() uint64 {
	if l.begin != nil {
		l.begin()
	}
	return l.sequenced.Begin()
}

func (l *retries) Retry(seq uint64) bool {
	if l.retry != nil {
		l.retry()
	}
	return l.sequenced.Retry(seq)
}

func TestSeqLockerPanics(t *testing.T) {
	gone := func() { panic("out of numbers") }
	for want, l := range map[string]*retries{
		"Begin by worker ": {begin: gone},
		"Retry by worker ": {retry: gone},
	} {
		for _, w := range openWorkloads() {
			s := quick(Subject{Name: "retries", New: func() sync.Locker { return &retries{begin: l.begin, retry: l.retry} }})
			s.Workload, s.Reads = w, 50
			wrong(t, s, want)
			wrong(t, s, "want no panic, have out of numbers")
		}
	}
}

// The readers of an endless lock retry until the test ends that.
type endless struct {
	sequenced
	reads *atomic.Int64
	free  *atomic.Bool
}

func (l *endless) Retry(seq uint64) bool {
	return l.reads.Add(1) > 500 && !l.free.Load() || l.sequenced.Retry(seq)
}

func TestStuckReaders(t *testing.T) {
	var reads atomic.Int64
	var free atomic.Bool
	s := quick(Subject{Name: "endless", New: func() sync.Locker { return &endless{reads: &reads, free: &free} }})
	s.Reads, s.Patience, s.Duration = 100, 50*time.Millisecond, 10*time.Second // it is stuck long before
	before, began := runtime.NumGoroutine(), time.Now()
	_, err := Run(context.Background(), s)
	free.Store(true)
	for runtime.NumGoroutine() > before {
		runtime.Gosched()
	}
	if took := time.Since(began); took >= s.Duration {
		t.Errorf("who got free after all went on to the end of the run, for %v", took)
	}
	if err == nil || !strings.Contains(err.Error(), "cause: no worker writes, and 2 readers wait for a writer's end, or read again and again") {
		t.Errorf("Run = %v, want a StuckError with the cause", err)
	}
}

func TestNewOpenAlone(t *testing.T) {
	w := Workload{NewOpen: newOpenClock}
	const want = "workload without New: NewOpen, NewCopy and NewIn are for some locks only"
	if err := w.validate(); err == nil || err.Error() != want {
		t.Errorf("validate = %v, want %s", err, want)
	}
}
