// Package advice says which lock to take for a workload, by what was measured or
// simulated: a [Question] asked of samples gives an [Answer] for each distance of the
// CPUs.
//
// It ranks the locks by ns/op, wall time divided by the operations of all workers, or by
// another time, such as the 99th percentile of the wait. Where the workload was not measured
// itself it interpolates between the cells around it: over reads linearly, over CPUs, workers
// per CPU, hold and think on a logarithmic scale, to which 10 ns are added for hold and think,
// since a section is never empty. It does not extrapolate: a workload beyond what was measured
// is a [NoDataError].
//
// Locks are compared by their ratios in the same round, and one is faster than another
// only if the whole 95 % interval of the ratio says so, in each of the cells that the
// answer is from, and by more than the margin. If none is faster than a lock of package
// sync in that sense, the advice is that lock.
package advice

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/lockbench/lockbench/results"
)

// A Question is a workload, and what a lock for it must be.
type Question struct {
	// Cell is the workload: its CPUs, Workers (of all CPUs), Reads, Hold and Think. Samples
	// must have its Workload, Work, Mode, GC and Place, which are not interpolated. Its Lock
	// is "", and it has no roles and a closed loop.
	results.Cell

	// Fair leaves out locks that do not serve workers in the order of their arrival: those
	// that are not known to, and those with which one worker did far more than others.
	Fair bool

	// MayBlock says that what runs in the critical section may block. It leaves out locks
	// whose waiters would spin meanwhile, and those that turn preemption off.
	MayBlock bool

	// MaxBytes leaves out locks that take more bytes, and those of which that is not known;
	// 0 leaves out none.
	MaxBytes int

	// Unit is what locks are ranked by: a time of which less is better, such as
	// write-p99-ns or cpu-ns/op; "" is ns/op.
	Unit string

	// Margin is the share up to which a difference counts as none: 0.05 is 5 %.
	Margin float64

	// Exact says that the samples are of a simulation, where repetitions differ only by
	// their seeds. Fewer than 6 of them then suffice, with their range as the interval.
	Exact bool

	// Locks are what is known about locks. Others can be the answer, too, but not if Fair,
	// MayBlock or MaxBytes is set.
	Locks []Lock
}

// A Lock is what is known about a lock in addition to its samples.
type Lock struct {
	Name     string // as in samples
	FIFO     bool   // it serves in the order of arrival, with bounded exceptions at most
	Parks    bool   // its waiters give up their CPU, and its holder may block
	Standard bool   // it is of package sync: to be taken unless another is surely faster
	Control  bool   // it is no lock, and cannot be the answer
	Bytes    int    // its size, without what it points to; 0 if that is not known

	// Needs is what it asks of a program that a sync.Mutex or a sync.RWMutex does not, in
	// words; "" if nothing.
	Needs string
}

// An Answer is which lock to take at one distance of the CPUs.
type Answer struct {
	Distance results.Distance // Local if the workload is one CPU's or one worker's

	// NoData says why there is no answer at this distance; nil if there is one.
	NoData *NoDataError

	// Take is the name of the lock to take. Surely says that it is faster than all locks of
	// package sync that were measured there; otherwise it may be one of them.
	Take   string
	Surely bool

	// Ranked are the locks, the fastest first.
	Ranked []Estimate

	// Flips are the nearest changes of the workload, along one axis each, at which another
	// lock is surely faster than Take.
	Flips []Flip

	// LeftOut are the locks in the samples that are not ranked.
	LeftOut []LeftOut

	// Cells are the scenarios that the answer is from: the workload itself, or those
	// between which it interpolates. Scenarios is how many there are in the samples.
	Cells     []results.Cell
	Scenarios int
}

// An Estimate is how fast a lock is in the workload.
type Estimate struct {
	Lock string // its name

	// NS is the median of the unit that was asked for, in nanoseconds, and Lo and Hi its 95 %
	// interval. If it is interpolated, so is the interval.
	NS, Lo, Hi float64

	// Times is NS over that of the lock to take, by pairs of the same round where there are
	// enough. TimesLo and TimesHi are the least and the greatest bound of its 95 % interval
	// in all cells that the answer is from.
	Times, TimesLo, TimesHi float64

	// Tied says that it is not surely slower than the fastest, or by no more than the
	// margin.
	Tied bool

	Jain  float64 // Jain's fairness index, from 1/workers to 1; NaN if not measured
	CPUNS float64 // CPU time for an operation, in nanoseconds: what waiters burn, too; NaN if not measured
}

// A Flip is a change of the workload after which another lock is faster.
type Flip struct {
	Axis string       // "cpus", "workers", "reads", "hold" or "think"
	Cell results.Cell // the workload after it, measured at this place of the axis

	Lock                    string  // the faster one there
	Times, TimesLo, TimesHi float64 // over the lock to take, as in an [Estimate]
}

// LeftOut is a lock that is not ranked, by its name, and why, in words.
type LeftOut struct{ Lock, Why string }

// TooFew is why a lock is left out that was not measured often enough in each of the cells
// that an answer is from.
const TooFew = "too few samples there"

// A NoDataError says that no answer is possible, since nothing near the workload was
// measured.
type NoDataError struct {
	// Axis is "cpus", "workers" (per CPU), "reads", "hold" or "think" if the workload is
	// beyond what was measured on that axis, and Have has the values there. Otherwise Axis
	// is "".
	Axis string
	Want string
	Have []string

	// Oversubscribed is how many samples were left out because they had more CPUs than
	// their machine, Others how many because they have another Workload, Work, Mode, GC
	// or Place, roles, or an open loop, and Without how many because they have no value in
	// the Unit that was asked for.
	Oversubscribed, Others, Without int
	Unit                            string

	// LeftOut are the locks that there are, if none of them suits.
	LeftOut []LeftOut
}

// Error says on which axis there are no samples, and what there is, in one line.
func (e *NoDataError) Error() string {
	if len(e.LeftOut) > 0 {
		var each []string
		for _, l := range e.LeftOut {
			each = append(each, l.Lock+" ("+l.Why+")")
		}
		return "no lock suits: " + list(each)
	}
	text := "no samples of two locks in such cells"
	if e.Axis != "" {
		text = fmt.Sprintf("no samples around %s %s: have %s", e.Axis, e.Want, list(e.Have))
	}
	if e.Axis == "" && e.Others > 0 {
		text += fmt.Sprintf(" (%d of another workload, work, mode, gc or place, with readers and writers apart, or with a load or a rate, were left out)", e.Others)
	}
	if e.Axis == "" && e.Without > 0 {
		text += fmt.Sprintf(" (%d without %s were left out)", e.Without, e.Unit)
	}
	if e.Oversubscribed > 0 {
		text += fmt.Sprintf(" (%d with more CPUs than their machine were left out)", e.Oversubscribed)
	}
	return text
}

// list joins words, but not very many.
func list(words []string) string {
	const most = 8
	text, rest := "", 0
	for i, w := range words {
		switch {
		case i >= most:
			rest++
		case i > 0:
			text += ", " + w
		default:
			text = w
		}
	}
	if rest > 0 {
		text += fmt.Sprintf(" and %d more", rest)
	}
	return text
}

// validate reports everything that is wrong with q.
func (q Question) validate() error {
	var errs []error
	if q.Lock != "" {
		errs = append(errs, fmt.Errorf("lock %q: want none in a question", q.Lock))
	}
	if q.Roles() {
		errs = append(errs, errors.New("readers and writers: want workers that do both"))
	}
	if q.Open() {
		errs = append(errs, fmt.Errorf("load %s: want a closed loop", q.Load))
	}
	if !(q.Margin >= 0 && q.Margin <= 1) {
		errs = append(errs, fmt.Errorf("margin %v: want a share from 0 to 1", q.Margin))
	}
	if unit := q.unit(); results.KindOf(unit) != results.KindTime || results.Better(unit) >= 0 {
		errs = append(errs, fmt.Errorf("unit %s: want a time of which less is better, such as ns/op", unit))
	}
	if q.MaxBytes < 0 {
		errs = append(errs, fmt.Errorf("at most %d bytes: want at least 1, or 0 for any number", q.MaxBytes))
	}
	c := q.Cell
	c.Lock = "any"
	return errors.Join(append(errs, c.Validate())...)
}

// unit returns what locks are ranked by.
func (q Question) unit() string { return cmp.Or(q.Unit, "ns/op") }

// Ask returns the answers of samples: one for near and one for far CPUs, if there are
// samples of these. If neither has an answer, there is one of samples of unknown
// distance, if these have one. If there is none at all, the error is the first
// [NoDataError].
func (q Question) Ask(samples []results.Sample) ([]Answer, error) {
	if err := q.validate(); err != nil {
		return nil, err
	}
	usable, not := q.usable(samples)
	var answers []Answer
	for _, d := range distances(usable) {
		a := q.at(d, usable)
		switch {
		case a.NoData != nil:
			a.NoData.Oversubscribed, a.NoData.Others, a.NoData.Without, a.NoData.Unit = not.Oversubscribed, not.Others, not.Without, not.Unit
		case a.Distance == results.Local && slices.ContainsFunc(answers, answered):
			continue // no distance matters, so it is the same answer
		}
		if d == results.Unknown && len(answers) > 0 && (a.NoData != nil || slices.ContainsFunc(answers, answered)) {
			continue
		}
		answers = append(answers, a)
	}
	if !slices.ContainsFunc(answers, answered) {
		return nil, answers[0].NoData
	}
	return answers, nil
}

func answered(a Answer) bool { return a.NoData == nil }

// usable returns the samples that are like the workload in all that is not interpolated,
// and how many are not used, by reason.
func (q Question) usable(samples []results.Sample) (usable []results.Sample, not NoDataError) {
	not.Unit = q.unit()
	for _, s := range samples {
		ns, ok := s.Value(not.Unit)
		switch {
		case !ok:
			not.Without++
		case !(ns > 0) || math.IsInf(ns, 0):
		case s.Workload != q.Workload || s.Work != q.Work || s.Mode != q.Mode || s.GC != q.GC || s.Place != q.Place, s.Open(), s.Roles():
			not.Others++
		case s.Oversubscribed:
			not.Oversubscribed++
		default:
			usable = append(usable, s)
		}
	}
	return usable, not
}

// distances returns the distances of the samples, the unknown one last; Local if all
// are of one CPU.
func distances(samples []results.Sample) (all []results.Distance) {
	for _, d := range []results.Distance{results.Near, results.Far, results.Unknown} {
		if slices.ContainsFunc(samples, func(s results.Sample) bool { return s.Distance == d }) {
			all = append(all, d)
		}
	}
	if len(all) == 0 {
		all = append(all, results.Local)
	}
	return all
}
