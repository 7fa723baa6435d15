package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A pool is bounded: a buffer for every two workers, and a counting semaphore with as
// many permits. A worker waits for a permit, takes a buffer (there must be one), uses
// it, puts it back and gives the permit back.
//
// There must never be more buffers in use than there are permits, nor two workers with
// the same buffer. The words inside a buffer are plain: only its user touches them.
// Which worker has which buffer is atomic, since the semaphore lets in several at once.
type pool struct {
	out     inUse
	buffers []buffer
	slots   slots
}

type inUse struct {
	_ pad
	n primitives.Int64
	_ pad
}

// A buffer is on cache lines of its own.
type buffer struct {
	_    pad
	user primitives.Int64 // 1 + the number of the worker that has it, or 0

	// Each use changes both; see section.
	uses   primitives.Cell[uint64]
	mirror primitives.Cell[uint64]
	_      pad
}

// permits returns how many buffers there are for a number of workers.
func permits(workers int) int { return (workers + 1) / 2 }

func newPool(workers int, seed uint64) Data {
	p := &pool{buffers: make([]buffer, permits(workers)), slots: newSlots(workers, seed)}
	for i := range p.buffers {
		p.buffers[i].mirror.Set(^uint64(0))
	}
	return p
}

// Write fills a buffer.
func (p *pool) Write(worker int) {
	b := p.take(worker)
	if b == nil {
		return
	}
	uses := p.look(worker, b) + 1
	b.uses.Set(uses)
	b.mirror.Set(^uses)
	p.slots[worker].writes++
	p.giveBack(worker, b)
}

// Read looks at what is in a buffer.
func (p *pool) Read(worker int) {
	if b := p.take(worker); b != nil {
		p.look(worker, b)
		p.giveBack(worker, b)
	}
}

// take takes a buffer out of the pool. It begins to look at the worker's number. There
// are as many buffers as permits, so each worker that has a permit finds one in one
// round, if the others put theirs back.
func (p *pool) take(worker int) *buffer {
	if out := p.out.n.Add(1); out > int64(len(p.buffers)) {
		p.slots[worker].fail(fmt.Sprintf("workload pool, as worker %d takes a buffer", worker),
			fmt.Sprintf("at most %d out", len(p.buffers)), fmt.Sprint(out))
		p.out.n.Add(-1)
		return nil
	}
	for i := worker; ; i++ {
		b := &p.buffers[i%len(p.buffers)]
		if b.user.Load() == 0 && b.user.CompareAndSwap(0, int64(worker)+1) {
			return b
		}
	}
}

// look looks at what is in b.
func (p *pool) look(worker int, b *buffer) (uses uint64) {
	uses = b.uses.Get()
	if mirror := ^b.mirror.Get(); mirror != uses {
		p.slots[worker].fail(fmt.Sprintf("workload pool, as worker %d uses a buffer", worker),
			"two words to agree", fmt.Sprintf("%d and %d", uses, mirror))
	}
	return uses
}

// giveBack puts b back into the pool.
func (p *pool) giveBack(worker int, b *buffer) {
	if user := b.user.Swap(0); user != int64(worker)+1 {
		p.slots[worker].fail(fmt.Sprintf("workload pool, as worker %d puts a buffer back", worker),
			"it with worker "+fmt.Sprint(worker), "it with "+userName(int(user)-1))
	}
	p.out.n.Add(-1)
}

func (p *pool) Verify() error {
	writes, err := p.slots.verify()
	if err != nil {
		return err
	}
	var uses uint64
	for i := range p.buffers {
		uses += p.look(0, &p.buffers[i])
		if user := p.buffers[i].user.Load(); user != 0 {
			return &BrokenError{When: "workload pool, in the end", Want: fmt.Sprintf("buffer %d with no worker", i), Have: "it with " + userName(int(user)-1)}
		}
	}
	if _, err := p.slots.verify(); err != nil {
		return err
	}
	if out := p.out.n.Load(); out != 0 {
		return &BrokenError{When: "workload pool, in the end", Want: "no buffer out", Have: fmt.Sprint(out)}
	}
	if uses != writes {
		return lost("pool", "uses:", writes, writes, uses)
	}
	return nil
}
