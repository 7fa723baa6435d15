package harness_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/lockbench/lockbench/harness"
)

// A lock that distinguishes readers is measured with a share of reads.
func ExampleRWLocker() {
	fresh := func() harness.RWLocker { return new(sync.RWMutex) } // or yours
	sample, err := harness.Run(context.Background(), harness.Scenario{
		Subject: harness.Subject{Name: "sync.RWMutex", New: func() sync.Locker { return fresh() }},
		CPUs:    2,
		Workers: 2,
		Reads:   90,
	})
	fmt.Println(sample.Lock, sample.Reads, err)
	// Output: sync.RWMutex 90 <nil>
}

// A Sequence is a lock whose readers hold nothing, and read again if a writer came.
type Sequence struct {
	sync.Mutex
	n atomic.Uint64 // odd while a worker writes
}

func (s *Sequence) Lock()   { s.Mutex.Lock(); s.n.Add(1) }
func (s *Sequence) Unlock() { s.n.Add(1); s.Mutex.Unlock() }
func (s *Sequence) Begin() uint64 {
	for {
		if n := s.n.Load(); n%2 == 0 {
			return n
		}
		runtime.Gosched()
	}
}
func (s *Sequence) Retry(n uint64) bool { return s.n.Load() != n }

// A Point moves along a diagonal. Its words are atomic, since readers look while a worker
// writes.
type Point struct {
	x, y atomic.Int64
	seen [][2]int64 // by worker
	off  atomic.Bool
}

func (p *Point) Write(worker int) { p.x.Add(1); p.y.Add(1) }
func (p *Point) Look(worker int)  { p.seen[worker] = [2]int64{p.x.Load(), p.y.Load()} }
func (p *Point) Read(worker int)  { p.Look(worker); p.Check(worker) }
func (p *Point) Check(worker int) {
	if at := p.seen[worker]; at[0] != at[1] {
		p.off.Store(true)
	}
}
func (p *Point) Verify() error {
	if p.off.Load() || p.x.Load() != p.y.Load() {
		return errors.New("the point has left the diagonal")
	}
	return nil
}

// Readers of such a lock look, and judge what they saw once they know that no worker
// wrote meanwhile. Data for them has both steps.
func ExampleSeqLocker() {
	point := func(workers int) *Point { return &Point{seen: make([][2]int64, workers)} }
	fresh := func() harness.SeqLocker { return new(Sequence) }
	sample, err := harness.Run(context.Background(), harness.Scenario{
		Subject: harness.Subject{Name: "sequence", New: func() sync.Locker { return fresh() }},
		CPUs:    2,
		Workers: 2,
		Reads:   90,
		Workload: harness.Workload{
			Name:    "point",
			New:     func(workers int, seed uint64) harness.Data { return point(workers) },
			NewOpen: func(workers int, seed uint64) harness.OpenData { return point(workers) },
		},
	})
	fmt.Println(sample.Lock, sample.Workload, err)
	// Output: sequence point <nil>
}
