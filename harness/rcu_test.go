package harness

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A flavoured is RCU by a reader-writer lock: a grace period ends when a writer has had
// the lock. Its faults are those of the tests.
type flavoured struct {
	mu      sync.Mutex // of updaters
	readers sync.RWMutex
	backlog atomic.Int64 // callbacks that wait
	calls   atomic.Int64

	impatient bool // grace periods wait for no reader
	forgetful bool // now and then Call forgets a function
	lockless  bool // updaters do not exclude each other
}

func (f *flavoured) Lock()               { f.mu.Lock() }
func (f *flavoured) Unlock()             { f.mu.Unlock() }
func (f *flavoured) Worker() sync.Locker { return &flavouredView{flavoured: f} }

type flavouredView struct{ *flavoured }

func (v *flavouredView) Lock() {
	if !v.lockless {
		v.mu.Lock()
	}
}

func (v *flavouredView) Unlock() {
	if !v.lockless {
		v.mu.Unlock()
	}
}

func (v *flavouredView) ReadLock() {
	if !v.impatient {
		v.readers.RLock()
	}
}

func (v *flavouredView) ReadUnlock() {
	if !v.impatient {
		v.readers.RUnlock()
	}
}

func (*flavouredView) Quiescent() {}
func (*flavouredView) Offline()   {}
func (*flavouredView) Online()    {}

func (v *flavouredView) Synchronize() {
	if !v.impatient {
		v.readers.Lock()
		v.readers.Unlock() // having had the lock is enough
	}
}

func (v *flavouredView) Call(f func()) {
	if v.calls.Add(1)%10 == 0 && v.forgetful {
		return
	}
	v.backlog.Add(1)
	go func() {
		v.Synchronize()
		f()
		v.backlog.Add(-1)
	}()
}

func (v *flavouredView) Barrier() {
	for v.backlog.Load() > 0 { // a WaitGroup must not be waited for while others add to it
		runtime.Gosched()
	}
}
func (v *flavouredView) Backlog() int { return int(v.backlog.Load()) }

// newFlavour returns a Subject of a flavour with a fault, or without.
func newFlavour(r Reclaim, fault func(*flavoured)) Subject {
	return Subject{Name: "flavour", Reclaim: r, New: func() sync.Locker {
		f := new(flavoured)
		fault(f)
		return f
	}}
}

func sound(*flavoured) {}

var reclaims = []Reclaim{ReclaimCall, ReclaimSync, ReclaimNone}

// rcuWorkloads are the workloads that an RCULocker can run.
func rcuWorkloads() []Workload {
	return workloadsThat(func(w Workload) bool { return w.NewCopy != nil })
}

func TestRCU(t *testing.T) {
	restoresCPUs(t)
	for _, w := range rcuWorkloads() {
		for _, r := range reclaims {
			for _, reads := range []int{0, 50, 100} {
				s := quick(newFlavour(r, sound))
				s.Workload, s.Reads, s.Latency = w, reads, true
				sample, err := Run(context.Background(), s)
				if err != nil || sample.Ops == 0 {
					t.Errorf("workload %q, Reclaim %d, %d %% reads: %d operations, %v", w.Name, r, reads, sample.Ops, err)
				}
				if reads == 100 {
					continue
				}
				_, backlog := sample.Value("backlog-max")
				if want := r == ReclaimCall; backlog != want {
					t.Errorf("workload %q, Reclaim %d: has backlog-max: %t, want %t", w.Name, r, backlog, want)
				}
				for _, unit := range []string{"gp-p50-ns", "gp-p99-ns"} {
					if ns, ok := sample.Value(unit); ok && (r == ReclaimNone || ns < 1) || !ok && r == ReclaimSync && sample.Ops > 10 && reads == 0 {
						t.Errorf("workload %q, Reclaim %d: %d operations and %v %s, %t", w.Name, r, sample.Ops, ns, unit, ok)
					}
				}
			}
		}
	}
}

// If a grace period does not wait for readers, a reader's version is used again,
// whether an updater waits for the grace period or not. The preflight finds that on one
// CPU, too.
func TestImpatientRCU(t *testing.T) {
	if racy {
		t.Skip("the race detector fails the test first")
	}
	for _, r := range []Reclaim{ReclaimCall, ReclaimSync} {
		for _, cpus := range []int{1, 2} {
			s := quick(newFlavour(r, func(f *flavoured) { f.impatient = true }))
			s.CPUs, s.Workers, s.Reads = cpus, cpus, 90
			wrong(t, s, "of worker")
		}
	}
	// A version that is never used again cannot be used too early.
	if _, err := Run(context.Background(), quick(newFlavour(ReclaimNone, func(f *flavoured) { f.impatient = true }))); err != nil {
		t.Errorf("Reclaim %d: %v", ReclaimNone, err)
	}
}

func TestForgetfulRCU(t *testing.T) {
	wrong(t, quick(newFlavour(ReclaimCall, func(f *flavoured) { f.forgetful = true })), "all but 1 of them to be used again")
}

func TestLocklessRCU(t *testing.T) {
	if racy {
		t.Skip("the race detector fails the test first")
	}
	wrong(t, quick(newFlavour(ReclaimSync, func(f *flavoured) { f.lockless = true })), "")
}

// A reader that keeps a version beyond its section finds it spoilt.
func TestSpoilt(t *testing.T) {
	s := newCopySection(ReclaimSync)
	w := &worker{run: &run{Scenario: Scenario{Subject: Subject{Name: "flavour"}}}}
	found := s.current.Load()
	reclaim := s.update(w)
	if n := found.value.count.Get(); n != 0 {
		t.Fatalf("count before the grace period = %d, want 0", n)
	}
	reclaim()
	s.check(w, found.value.count.Get(), found.value.mirror.Get())
	if w.broken == nil || w.broken.Have != "it reclaimed: a grace period was over too early" {
		t.Errorf("check of the reclaimed nodes: %v", w.broken)
	}
	if again := s.take(); again != found {
		t.Errorf("take = %p, want the version that was reclaimed, %p", again, found)
	}
}

// A workload's readers notice versions that are reclaimed, torn or older than before;
// updates that got lost are noticed at the end.
func TestCopiesFindBroken(t *testing.T) {
	const early = "reclaimed"
	at := func(d CopyData) *version[element] { return d.(*linked).head.Load() }
	for _, test := range []struct {
		workload string
		fault    func(CopyData)
		want     string
	}{
		{"record", func(d CopyData) { d.(*copyRecord).current.Load().reclaim() }, early},
		{"record", func(d CopyData) { d.(*copyRecord).current.Load().value.words[7].Set(1) }, "want eight words of version 100, have one of version 0"},
		{"record", func(d CopyData) { d.(*copyRecord).current.Load().value.words.set(99) }, "want version 100 or later, have 99"},
		{"record", func(d CopyData) { d.(*copyRecord).take() }, "all but 1 of them to be used again"},
		{"config", func(d CopyData) { d.(*copyConfig).current.Load().reclaim() }, early},
		{"config", func(d CopyData) { d.(*copyConfig).current.Load().value.set(99) }, "want version 100 or later, have 99"},
		{"config", func(d CopyData) { d.(*copyConfig).current.Load().value.settings[30].Set(setting(99, 30)) }, "want settings of that version, have one of version 99"},
		{"config", func(d CopyData) { d.(*copyConfig).take() }, "all but 1 of them to be used again"},
		{"list10", func(d CopyData) { at(d).reclaim() }, early},
		{"list10", func(d CopyData) { at(d).value.times.Set(1000) }, "want the element of key 0, whole, have key 0, replaced 1000 times"},
		{"list10", func(d CopyData) { at(d).value.next.Store(nil) }, "want the element of key 1, whole, have the end of the list"},
		{"list10", func(d CopyData) { at(d).value.next.Store(at(d)) }, "want the element of key 1, whole, have key 0"},
		{"list10", func(d CopyData) { at(d).value.set(0, 0) }, "want 100 replacements or more, have "},
		{"list10", func(d CopyData) { d.(*linked).take() }, "all but 10 of them to be used again"},
	} {
		for _, w := range Workloads() {
			if w.Name != test.workload {
				continue
			}
			d := w.NewCopy(2, 1, ReclaimSync)
			for range 100 {
				d.Update(0)()
			}
			d.Read(1)
			if err := d.Verify(); err != nil {
				t.Fatalf("%s: sound data: %v", w.Name, err)
			}
			test.fault(d)
			for range 20 { // each looks at a part of a configuration
				d.Read(1)
			}
			if err := d.Verify(); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: Verify = %v, want %s", w.Name, err, test.want)
			}
		}
	}
}

// A workload without a form for RCU, and one in which a reader that retries could
// follow wrong links, is refused, with the reason.
func TestUnsuited(t *testing.T) {
	for _, w := range Workloads() {
		err := newFlavour(ReclaimCall, sound).Suits(w, Goroutine)
		if (err == nil) != (w.NewCopy != nil) {
			t.Errorf("Suits(%s) = %v", w.Name, err)
		}
		err = subject[sequential]("sequential").Suits(w, Goroutine)
		if (err == nil) != (!w.Linked && w.Permits == nil) {
			t.Errorf("Suits(%s) of a lock whose readers retry = %v", w.Name, err)
		}
	}
}

// A sequential lock has readers that retry.
type sequential struct{ sync.Mutex }

func (*sequential) Begin() uint64     { return 0 }
func (*sequential) Retry(uint64) bool { return false }

// While updaters outnumber CPUs and wait for grace periods, readers go on.
func TestRCUOversubscribed(t *testing.T) {
	restoresCPUs(t)
	s := quick(newFlavour(ReclaimSync, sound))
	s.Workers, s.Reads, s.Duration = 4*runtime.NumCPU(), 50, 2*time.Millisecond
	if sample, err := Run(context.Background(), s); err != nil || sample.Ops == 0 {
		t.Errorf("%d operations, %v", sample.Ops, err)
	}
}
