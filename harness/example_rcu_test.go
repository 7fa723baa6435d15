package harness_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/harness"
)

// A Toy is the simplest flavour of RCU: its readers share a lock, and a grace period is
// over when a writer could have it.
type Toy struct {
	readers sync.RWMutex
	waiting atomic.Int64 // callbacks
}

func (t *Toy) Synchronize() {
	t.readers.Lock()
	defer t.readers.Unlock()
}
func (t *Toy) SynchronizeExpedited() { t.Synchronize() }
func (t *Toy) Call(f func()) {
	t.waiting.Add(1)
	go func() {
		t.Synchronize()
		f()
		t.waiting.Add(-1)
	}()
}
func (t *Toy) Barrier() {
	for t.waiting.Load() > 0 {
		runtime.Gosched()
	}
}
func (t *Toy) StartPoll() (over func() bool) {
	var done atomic.Bool
	t.Call(func() { done.Store(true) })
	return done.Load
}
func (t *Toy) Close()       { t.Barrier() }
func (t *Toy) Backlog() int { return int(t.waiting.Load()) }

func (t *Toy) Register() harness.RCUReader { return &ToyReader{toy: t} }

// A ToyReader is one goroutine's.
type ToyReader struct {
	toy   *Toy
	depth int // of sections
}

func (r *ToyReader) ReadLock() {
	if r.depth++; r.depth == 1 {
		r.toy.readers.RLock()
	}
}
func (r *ToyReader) ReadUnlock() {
	if r.depth--; r.depth == 0 {
		r.toy.readers.RUnlock()
	}
}
func (*ToyReader) Quiescent()  {}
func (*ToyReader) Offline()    {}
func (*ToyReader) Online()     {}
func (*ToyReader) Unregister() {}

// Bring your own flavour of RCU. A torture finds a grace period that is over too early.
func ExampleRCU() {
	flavour := harness.RCU{Name: "toy", New: func() harness.RCUDomain { return new(Toy) }}
	torture := harness.Torture{Duration: 50 * time.Millisecond, Seed: 1}
	done, err := torture.RunRCU(context.Background(), flavour)
	fmt.Println(done.Name, done.Ages[2:], err)
	// Output: toy [0 0 0 0 0 0 0 0 0] <nil>
}

// A ToyLock is a Toy beside locks: the updaters exclude each other by a mutex.
type ToyLock struct {
	sync.Mutex
	toy Toy
}

func (l *ToyLock) Worker() sync.Locker { return &ToyView{&l.Mutex, &l.toy, &ToyReader{toy: &l.toy}} }

// A ToyView is what one worker has of a ToyLock.
type ToyView struct {
	*sync.Mutex
	*Toy
	*ToyReader
}

// A Pair is replaced as a whole: a reader sees the two numbers of one version.
type Pair struct {
	now  atomic.Pointer[[2]int]
	torn atomic.Bool
}

func NewPair() *Pair {
	p := new(Pair)
	p.now.Store(new([2]int))
	return p
}

func (p *Pair) Update(worker int) (reclaim func()) {
	old := p.now.Load()
	p.now.Store(&[2]int{old[0] + 1, old[1] + 1})
	return func() { old[0] = -1 } // a reader that still has it notices
}
func (p *Pair) Write(worker int) { p.Update(worker) }
func (p *Pair) Read(worker int) {
	if v := p.now.Load(); v[0] != v[1] {
		p.torn.Store(true)
	}
}
func (p *Pair) Verify() error {
	if p.torn.Load() {
		return errors.New("a reader had a pair that was reclaimed")
	}
	return nil
}

// RCU is measured beside locks, with data that is replaced and not changed.
func ExampleRCULocker() {
	var _ harness.RCULocker = new(ToyLock).Worker().(*ToyView)
	sample, err := harness.Run(context.Background(), harness.Scenario{
		Subject: harness.Subject{Name: "toy", New: func() sync.Locker { return new(ToyLock) }, Reclaim: harness.ReclaimSync},
		CPUs:    2,
		Workers: 2,
		Reads:   90,
		Workload: harness.Workload{
			Name:    "pair",
			New:     func(workers int, seed uint64) harness.Data { return NewPair() },
			NewCopy: func(workers int, seed uint64, reclaim harness.Reclaim) harness.CopyData { return NewPair() },
		},
	})
	fmt.Println(sample.Lock, sample.Workload, err)
	// Output: toy pair <nil>
}
