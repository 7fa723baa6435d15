// Package timeline draws what CPUs or workers did with a lock, and when: as a picture, and
// in Chrome's trace event format for viewers such as Perfetto. Simulated and native runs
// look alike in both.
package timeline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
)

// A Timeline is what happened. Its times are picoseconds.
type Timeline struct {
	Title   string
	Command string // that makes it
	Row     string // what has a lane: CPU or worker
	Readers Readers
	Process int // in a file with several: timelines with the same number have the same rows, at other times

	Begins, Ends int64 // the window that is shown

	Lanes     [][]Slice // by row, in the window, each in order and without gaps
	Uses      []Use     // of the lock, in the order in which they were acquired
	Handovers []Handover
	Waiting   []Sample
	Early     []Slice // waits that began before the window, of uses that are not known

	// What only the simulator knows.
	Moves []Move
	Lost  []Move // copies
	Spins []Slice
	Wakes []Wake
	Lines []string // names of lines, by their numbers; nil in a native run
}

// Readers say what the readers of a lock do.
type Readers uint8

const (
	Exclusive Readers = iota // they are like writers
	Shared                   // they wait for writers, and writers for them
	Retried                  // they wait for writers, and read again what these have changed
	Copied                   // they wait for no other worker
)

// A Slice is what a row did for a while, and which worker that was: -1 is none.
type Slice struct {
	What       string
	Row        int
	Worker     int
	Begin, End int64
}

// What a slice can be.
const (
	Thinks   = "think"
	Waits    = "wait"    // from the call of Lock, or another method that may wait
	Writes   = "section" // from its return
	Reads    = "read"
	Releases = "release"
	Graces   = "grace period"
	Calls    = "call"

	Idles    = "idle"
	Switches = "switch"
	Parks    = "parked" // idle, and a worker that it ran sleeps
	Other    = "other goroutine"

	Unknown = "not recorded"
)

// A Use is one use of the lock by a worker.
type Use struct {
	Worker, Row int // where it acquired the lock
	Read        bool
	Called, Got int64 // when it called Lock, and when that returned
	From        int   // the row where it released the lock
	Releases    int64 // when it called Unlock
	Returned    int64 // and when that returned
	Synchronize int64 // when it called Synchronize then, or 0
	Over        int64 // and when that returned
	Old         bool  // a grace period began in it, and waited for it
}

// A Handover is that a waiter got the lock that another worker released: the indices of
// their uses.
type Handover struct{ From, To int }

// A Move is that a line came to a CPU, or, if it is a copy, that it was lost.
type Move struct {
	Line                int // its number
	From, To            int // CPUs; From is -1 for memory
	Asked, Served, Came int64
	Far                 fmt.Stringer // the distance
	Write               bool
	Worker              int // that waited for it; -1: none, it came to the store buffer
}

// A Wake is that a worker that ran on a CPU woke another.
type Wake struct {
	CPU, Woken int
	Begin, End int64
}

// A Sample is how many workers wait from a time on.
type Sample struct {
	At int64
	N  int
}

// SortUses puts the uses into the order in which they were acquired, and marks those of
// readers that grace periods waited for.
func (t *Timeline) SortUses() {
	slices.SortStableFunc(t.Uses, func(a, b Use) int { return cmp.Compare(a.Got, b.Got) })
	for _, g := range t.Uses {
		if g.Synchronize == 0 {
			continue
		}
		for i := range t.Uses {
			if u := &t.Uses[i]; u.Read && u.Got < g.Synchronize && g.Synchronize < u.Returned {
				u.Old = true
			}
		}
	}
}

// FindHandovers finds, for each waiter, the last release before it got the lock, of those
// that it may have waited for.
func (t *Timeline) FindHandovers() {
	var all, writes []int // uses by the times of their releases
	for i := range t.Uses {
		all = append(all, i)
	}
	slices.SortStableFunc(all, func(i, j int) int { return cmp.Compare(t.Uses[i].Releases, t.Uses[j].Releases) })
	for _, i := range all {
		if !t.Uses[i].Read {
			writes = append(writes, i)
		}
	}
	for i, to := range t.Uses {
		if to.Read && t.Readers == Copied {
			continue
		}
		of := writes
		if t.Readers == Shared && !to.Read {
			of = all // writers wait for readers, too
		}
		after, _ := slices.BinarySearchFunc(of, to.Got+1, func(j int, at int64) int { return cmp.Compare(t.Uses[j].Releases, at) })
		for _, j := range slices.Backward(of[:after]) {
			from := t.Uses[j]
			if from.Releases <= to.Called {
				break
			}
			if from.Worker != to.Worker && j < i {
				t.Handovers = append(t.Handovers, Handover{j, i})
				break
			}
		}
	}
}

// Took returns how long a handover took, from the call that released the lock to the
// return of the one that acquired it.
func (t *Timeline) Took(h Handover) int64 { return t.Uses[h.To].Got - t.Uses[h.From].Releases }

// CountWaiting counts the workers that wait for the lock.
func (t *Timeline) CountWaiting() {
	var steps []Sample
	for _, u := range t.Uses {
		steps = append(steps, Sample{u.Called, 1}, Sample{u.Got, -1})
	}
	for _, s := range t.Early {
		steps = append(steps, Sample{s.Begin, 1}, Sample{s.End, -1})
	}
	slices.SortStableFunc(steps, func(a, b Sample) int { return cmp.Compare(a.At, b.At) })
	t.Waiting = []Sample{{}}
	n := 0
	for _, s := range steps {
		n += s.N
		if last := &t.Waiting[len(t.Waiting)-1]; last.At == s.At {
			last.N = n
		} else {
			t.Waiting = append(t.Waiting, Sample{s.At, n})
		}
	}
}

// Window shows only what is from and to after the beginning; to the end if to is 0.
func (t *Timeline) Window(from, to int64) error {
	if long := t.Ends - t.Begins; from >= long {
		return fmt.Errorf("--from: all is over after %s", Short(long))
	}
	if to > 0 {
		t.Ends = min(t.Ends, t.Begins+to)
	}
	t.Begins += from
	for i, lane := range t.Lanes {
		var shown []Slice
		for _, s := range lane {
			if s.Begin, s.End = max(s.Begin, t.Begins), min(s.End, t.Ends); s.Begin < s.End || s.Begin == s.End && s.Begin < t.Ends && isPoint(s.What) {
				shown = append(shown, s)
			}
		}
		t.Lanes[i] = shown
	}
	t.Crop()
	return nil
}

// Crop leaves out what is not in the window.
func (t *Timeline) Crop() {
	out := func(begin, end int64) bool { return begin < t.Begins || end > t.Ends }
	outside := func(m Move) bool { return out(m.Asked, m.Came) }
	t.Moves, t.Lost = slices.DeleteFunc(t.Moves, outside), slices.DeleteFunc(t.Lost, outside)
	t.Spins = slices.DeleteFunc(t.Spins, func(s Slice) bool { return out(s.Begin, s.End) })
	t.Wakes = slices.DeleteFunc(t.Wakes, func(w Wake) bool { return out(w.Begin, w.End) })

	var uses []Use // those of which something is in it
	now := make(map[int]int)
	for i, u := range t.Uses {
		if u.Returned > t.Begins && u.Got < t.Ends {
			now[i] = len(uses)
			uses = append(uses, u)
		}
	}
	var handovers []Handover
	for _, h := range t.Handovers {
		if t.Uses[h.From].Releases >= t.Begins && t.Uses[h.To].Got < t.Ends {
			handovers = append(handovers, Handover{now[h.From], now[h.To]})
		}
	}
	t.Uses, t.Handovers = uses, handovers

	waiting := []Sample{{At: t.Begins}}
	for _, s := range t.Waiting {
		switch {
		case s.At <= t.Begins:
			waiting[0].N = s.N
		case s.At <= t.Ends:
			waiting = append(waiting, s)
		}
	}
	t.Waiting = waiting
}

// Summary says in a line what it cost.
func (t *Timeline) Summary() string {
	text := fmt.Sprintf("%s in %s", wording.Count(len(t.Uses), "section"), Short(t.Ends-t.Begins))
	if t.Lines != nil {
		travelled := 0
		for _, m := range t.Moves {
			if m.From >= 0 {
				travelled++
			}
		}
		text += fmt.Sprintf("; %s from CPU to CPU, %.1f a section", wording.Count(travelled, "line"), float64(travelled)/float64(max(1, len(t.Uses))))
	}
	if len(t.Handovers) == 0 {
		return text
	}
	var least, most, sum int64
	for i, h := range t.Handovers {
		d := t.Took(h)
		if i == 0 || d < least {
			least = d
		}
		most, sum = max(most, d), sum+d
	}
	return text + fmt.Sprintf("; handoffs in %s to %s, %s on average", Short(least), Short(most), Short(sum/int64(len(t.Handovers))))
}

// Short writes picoseconds with three digits.
func Short(picos int64) string {
	ns := float64(picos) / 1000
	switch {
	case ns < 999.5:
		return fmt.Sprintf("%.3g ns", ns)
	case ns < 999.5e3:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	}
	return fmt.Sprintf("%.4g ms", ns/1e6)
}

// Drawn returns of how many shapes a picture consists.
func (t *Timeline) Drawn() int {
	n := len(t.Moves) + len(t.Handovers)
	for _, lane := range t.Lanes {
		n += len(lane)
	}
	return n
}

// row returns the name of a row.
func (t *Timeline) row(i int) string { return fmt.Sprintf("%s %d", t.Row, i) }

// OfLock reports whether a line is of the lock itself.
func (t *Timeline) OfLock(line int) bool { return strings.HasPrefix(t.Lines[line], "lock") }
