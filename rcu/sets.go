package rcu

import "github.com/lockbench/lockbench/primitives"

// sets is the protocol of the flavours that count readers by CPU, as the kernel's
// SRCU does. There are two sets of counters. Readers use the set that epoch names.
// A grace period waits until no reader is counted in the other set, turns new
// readers to that set, and waits until no reader is counted in the first set.
//
// A CPU's slot is there before a reader counts in it. So the sums, which are taken
// after a barrier, include every reader that counted itself in before the barrier.
//
// I1: one wait is not enough. A reader may load epoch, be held up, and count
// itself in after a grace period has turned the sets. It is then counted in the
// set that the next grace period turns readers to. That one would miss it, but it
// first waits until that set is empty.
type sets struct {
	epoch   primitives.Uint32 // its low bit names the set
	careful bool              // whether beginning a section takes more than an add: a fence, or a trace
	traced  bool              // whether sections are traced
	on      primitives.PerCPU[tally]

	// draining is the set that a grace period waits for. Only the goroutine that
	// runs the grace period uses it.
	draining uint32
}

// set returns the set that readers use.
func (s *sets) set() uint32 { return s.epoch.Load() & 1 }

// A tally is the counts of one CPU in each set: readers that came and readers that
// left. A reader may leave on another CPU than the one where it came, so only the
// sums over all CPUs mean anything.
type tally struct{ came, left [2]primitives.Uint64 }

// enter counts in a reader that is pinned to the tally's CPU, if it need not be
// careful.
func (t *tally) enter(set uint32) {
	t.came[set].AddOwn(1) // before what the section reads: pairs with barrier in idle
}

// enterCarefully counts in a reader that must be careful.
func (t *tally) enterCarefully(set uint32) {
	if fenced {
		t.came[set].Add(1) // full: before what the section reads
	} else {
		t.enter(set)
	}
}

// leave counts out a reader that is pinned to the tally's CPU.
func (t *tally) leave(set uint32) {
	t.left[set].AddOwn(1) // release: pairs with sum
}

// wait waits until all sections are over that had begun when it was called.
func (s *sets) wait(g *grace) {
	epoch := s.epoch.Load()
	s.drain(g, 1-epoch&1)
	s.epoch.Store(epoch + 1)
	g.turn()
	s.drain(g, epoch&1)
}

// drain waits until no reader is counted in set.
func (s *sets) drain(g *grace, set uint32) {
	s.draining = set
	for !s.idle(g, set) {
		g.pause()
	}
}

// idle reports whether all sections of that set are over that had begun when idle
// was called.
func (s *sets) idle(g *grace, set uint32) bool {
	came, left := s.sum(set)
	if came != left {
		if int64(came-left) < 0 {
			s.mend(g, set, left)
		}
		return false // this costs two loads for each CPU; a barrier can take 50 µs
	}
	// A reader that came before the barrier is counted in came. A reader that is
	// counted in left has left, and is counted in came too, because came is loaded
	// later. A reader that comes after the barrier sees the caller's earlier stores.
	barrier()
	came, _ = s.sum(set)
	return came == left
}

// mend corrects the counts if more readers have left than came, and notes that. It
// sums came again: a sum that was taken with left may miss readers that came on one
// CPU and left on another.
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

// inside returns how many readers are in a section of a set on a CPU, if all left
// on the CPU where they came.
func (s *sets) inside(cpu int, set uint32) int64 {
	t := s.on.At(cpu)
	left := t.left[set].Load()
	return int64(t.came[set].Load() - left)
}
