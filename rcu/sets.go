package rcu

import "github.com/lockbench/lockbench/primitives"

// sets is the protocol of the flavours that count readers by CPU: the kernel's
// SRCU. There are two sets of counters. Readers use the one that epoch names; a
// grace period waits until nobody is counted in the other, turns readers to
// that, and waits until nobody is counted in theirs.
//
// A slot for a CPU is there before a reader counts in it, so the sums, which are
// taken after a barrier, leave out no reader that counted before that.
//
// I1: to turn once is not enough. A reader may read epoch, be held up, and count
// itself in when a grace period has turned the sets about. It is counted in the
// set that the next grace period would turn readers to, and so would be missed
// by that one; but that one first waits until the set is empty.
type sets struct {
	epoch   primitives.Uint32 // its low bit names the set
	careful bool              // whether to begin a section takes more than an add: a fence, or a trace
	traced  bool              // whether sections are traced
	on      primitives.PerCPU[tally]

	// draining is the set that a grace period waits for: the business of who
	// runs it.
	draining uint32
}

// set returns the set that readers use.
func (s *sets) set() uint32 { return s.epoch.Load() & 1 }

// A tally is what one CPU counted in each set: readers that came and readers that
// left. A reader may leave on another CPU than it came on: only the sums over all
// CPUs mean anything.
type tally struct{ came, left [2]primitives.Uint64 }

// enter counts a reader in that is pinned to the tally's CPU, where it need not
// be careful.
func (t *tally) enter(set uint32) {
	t.came[set].AddOwn(1) // before what the section reads: pairs with barrier in idle
}

// enterCarefully counts in one that need be.
func (t *tally) enterCarefully(set uint32) {
	if fenced {
		t.came[set].Add(1) // full: before what the section reads
	} else {
		t.enter(set)
	}
}

// leave counts a reader out that is pinned to the tally's CPU.
func (t *tally) leave(set uint32) {
	t.left[set].AddOwn(1) // release: pairs with sum
}

// wait waits until all sections are over that had begun.
func (s *sets) wait(g *grace) {
	epoch := s.epoch.Load()
	s.drain(g, 1-epoch&1)
	s.epoch.Store(epoch + 1)
	g.turn()
	s.drain(g, epoch&1)
}

// drain waits until nobody is counted in a set.
func (s *sets) drain(g *grace, set uint32) {
	s.draining = set
	for !s.idle(g, set) {
		g.pause()
	}
}

// idle reports whether nobody is in a section of that set that had begun when
// idle was called.
func (s *sets) idle(g *grace, set uint32) bool {
	came, left := s.sum(set)
	if came != left {
		if int64(came-left) < 0 {
			s.mend(g, set, left)
		}
		return false // for the price of two loads a CPU: a barrier can take 50 µs
	}
	// Who came before the barrier is counted in came. Who is counted in left as
	// well has left, and is counted in came because we look there later. Who
	// comes after the barrier reads what we stored before it.
	barrier()
	came, _ = s.sum(set)
	return came == left
}

// mend mends the counts if more left than ever came, and notes it. So it is if
// more have left than came until now: a sum of a moment before may have missed
// some that came on one CPU and left on another.
func (s *sets) mend(g *grace, set uint32, left uint64) {
	came, _ := s.sum(set)
	missing := left - came
	if int64(missing) <= 0 {
		return
	}
	g.unlocks += missing
	s.on.At(primitives.Pin()).came[set].AddOwn(missing)
	primitives.Unpin()
}

func (s *sets) sum(set uint32) (came, left uint64) {
	for cpu := range s.on.Len() {
		t := s.on.At(cpu)
		left += t.left[set].Load() // acquire: pairs with leave
		came += t.came[set].Load()
	}
	return came, left
}

// inside returns how many readers are in a section of a set on a CPU, or would be
// if all left where they came.
func (s *sets) inside(cpu int, set uint32) int64 {
	t := s.on.At(cpu)
	left := t.left[set].Load()
	return int64(t.came[set].Load() - left)
}
