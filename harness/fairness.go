package harness

import "slices"

// jain returns Jain's fairness index of the operations of each worker: (Σx)² ÷ n·Σx²,
// which is 1 if all did equally many and 1/n if one did all.
//
// Source: Jain, Chiu and Hawe 1984, DEC-TR-301.
func jain(ops []uint64) float64 {
	var sum, squares float64
	for _, n := range ops {
		x := float64(n)
		sum += x
		squares += x * x
	}
	return sum * sum / (float64(len(ops)) * squares)
}

// minMaxShare returns the operations of the worker that did the fewest over
// those of the one that did the most.
func minMaxShare(ops []uint64) float64 {
	return float64(slices.Min(ops)) / float64(slices.Max(ops))
}

// longestRun returns the longest run of write sections by one worker that ended after
// the window opened, or did not end. Its sections before the window or after it count,
// too.
func (r *run) longestRun() uint64 {
	longest := r.count() - r.turns().since.Get() // the last run, which no worker ended
	for _, w := range r.workers {
		longest = max(longest, w.longestRun)
	}
	return longest
}
