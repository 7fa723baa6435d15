package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/sim"
)

// A timeline is what happened in a scene, by CPU. Its times are picoseconds from when the
// workers began.
type timeline struct {
	*scene
	command      string
	begins, ends int64 // the window that is shown, at most until the last worker ended

	lanes     [][]slice // by CPU: without gaps, in the window
	uses      []use     // of the lock, in the order in which they were acquired
	handovers []handover
	moves     []move
	lost      []move // copies
	spins     []slice
	wakes     []sim.Event
	waiting   []sample
	lines     []string // names of lines, by their numbers
}

// A slice is what a CPU did for a while, and which worker it ran: -1 is none.
type slice struct {
	what       string
	cpu        int
	worker     int
	begin, end int64
}

// What a slice can be, beside what workers mark.
const (
	idles    = "idle"
	switches = "switch"
	parks    = "parked" // idle, and a worker that it ran sleeps
	other    = "other goroutine"
)

// A use is one use of the lock by a worker.
type use struct {
	worker, cpu int // where it acquired the lock
	read        bool
	called, got int64 // when it called Lock, and when that returned
	from        int   // the CPU where it released the lock
	releases    int64 // when it called Unlock
	returned    int64 // and when that returned
	synchronize int64 // when it called Synchronize then, or 0
	over        int64 // and when that returned
	old         bool  // a grace period began in it, and waited for it
}

// A handover is that a waiter got the lock that another worker released.
type handover struct{ from, to int } // uses

// A move is that a line came to a CPU, or, if it is a copy, that it was lost.
type move struct {
	line                int // its number
	from, to            int // CPUs; from is -1 for memory
	asked, served, came int64
	far                 sim.Distance
	write               bool
	worker              int // that waited for it; -1: none, it came to the store buffer
}

// A sample is how many workers wait from a time on.
type sample struct {
	at int64
	n  int
}

// A change is that a CPU begins to do something else.
type change struct {
	at   int64
	cpu  int
	what string // "": what its worker last marked
	of   int    // the worker, or -1
	mark bool   // the worker says so itself
}

// timelineOf returns the timeline of what was recorded of a scene.
func timelineOf(s *scene, r *recording) *timeline {
	t := &timeline{scene: s, begins: 1000 * int64(s.from)}
	began := int64(-1)
	for _, e := range r.events {
		if e.Kind == sim.Marked && (began < 0 || e.Begin < began) {
			began = e.Begin
		}
	}
	var changes []change
	add := func(at int64, e sim.Event, what string, worker int) {
		changes = append(changes, change{at, e.CPU, what, worker, e.Kind == sim.Marked})
	}
	names := lineNames{of: make(map[uintptr]int), lock: r.lock, size: r.size}
	for _, e := range r.events {
		e.Begin, e.Served, e.End = e.Begin-began, e.Served-began, e.End-began
		switch e.Kind {
		case sim.Switched:
			add(e.Begin, e, switches, e.Worker)
			add(e.End, e, "", e.Worker)
		case sim.Marked:
			add(e.Begin, e, e.Name, e.Worker)
		case sim.Parked:
			add(e.Begin, e, parks, e.Worker)
		case sim.Ended:
			add(e.Begin, e, idles, -1)
			if e.Worker > 0 && e.Worker <= s.workers { // those before and after are not the scene's
				t.ends = max(t.ends, e.Begin)
			}
		}
		if e.Begin < 0 {
			continue
		}
		switch e.Kind {
		case sim.LineCame, sim.CopyLost:
			m := move{names.number(e.Line), e.From, e.CPU, e.Begin, e.Served, e.End, e.Distance, e.Write, e.Worker}
			if e.Kind == sim.CopyLost {
				t.lost = append(t.lost, m)
			} else {
				t.moves = append(t.moves, m)
			}
		case sim.Spun:
			t.spins = append(t.spins, slice{"spin", e.CPU, e.Worker, e.Begin, e.End})
		case sim.Woke:
			t.wakes = append(t.wakes, e)
		}
	}
	if to := 1000 * int64(s.to); to > 0 {
		t.ends = min(t.ends, to)
	}
	t.begins = min(t.begins, t.ends)
	t.lines = names.names()
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	t.fillLanes(changes)
	t.findUses(changes)
	t.findHandovers()
	t.countWaiting()
	t.crop()
	return t
}

// crop leaves out what is not in the window.
func (t *timeline) crop() {
	out := func(begin, end int64) bool { return begin < t.begins || end > t.ends }
	outside := func(m move) bool { return out(m.asked, m.came) }
	t.moves, t.lost = slices.DeleteFunc(t.moves, outside), slices.DeleteFunc(t.lost, outside)
	t.spins = slices.DeleteFunc(t.spins, func(s slice) bool { return out(s.begin, s.end) })
	t.wakes = slices.DeleteFunc(t.wakes, func(e sim.Event) bool { return out(e.Begin, e.End) })

	var uses []use // those of which something is in it
	now := make(map[int]int)
	for i, u := range t.uses {
		if u.returned > t.begins && u.got < t.ends {
			now[i] = len(uses)
			uses = append(uses, u)
		}
	}
	var handovers []handover
	for _, h := range t.handovers {
		if t.uses[h.from].releases >= t.begins && t.uses[h.to].got < t.ends {
			handovers = append(handovers, handover{now[h.from], now[h.to]})
		}
	}
	t.uses, t.handovers = uses, handovers

	waiting := []sample{{at: t.begins}}
	for _, s := range t.waiting {
		switch {
		case s.at <= t.begins:
			waiting[0].n = s.n
		case s.at <= t.ends:
			waiting = append(waiting, s)
		}
	}
	t.waiting = waiting
}

// lineNames gives numbers to lines as they come, since addresses differ between runs.
type lineNames struct {
	of         map[uintptr]int
	addresses  []uintptr
	lock, size uintptr
}

func (l *lineNames) number(address uintptr) int {
	n, known := l.of[address]
	if !known {
		n = len(l.addresses)
		l.of[address] = n
		l.addresses = append(l.addresses, address)
	}
	return n
}

// names returns the names by number: lines of the lock itself by their distance from its
// beginning, in bytes, and others by their numbers.
func (l *lineNames) names() []string {
	var names []string
	others := 0
	for _, address := range l.addresses {
		switch first := l.lock &^ 63; {
		case address < first || address >= l.lock+l.size:
			others++
			names = append(names, fmt.Sprintf("line %d", others))
		case address == first:
			names = append(names, "lock")
		default:
			names = append(names, fmt.Sprintf("lock+%d", address-first))
		}
	}
	return names
}

// ofLock reports whether a line is of the lock itself.
func (t *timeline) ofLock(line int) bool { return strings.HasPrefix(t.lines[line], "lock") }

// fillLanes says what each CPU did, by changes in the order of their times.
func (t *timeline) fillLanes(changes []change) {
	t.lanes = make([][]slice, t.cpus)
	now := make([]slice, t.cpus)
	for i := range now {
		now[i] = slice{what: idles, cpu: i, worker: -1, begin: t.begins}
	}
	turn := func(cpu int, at int64, what string, worker int) {
		inside := t.begins < at && at < t.ends
		at = min(max(at, t.begins), t.ends)
		s := &now[cpu]
		if s.what == what && s.worker == worker {
			return
		}
		if s.end = at; s.end > s.begin || inside && (s.what == writes || s.what == reads) {
			t.lanes[cpu] = append(t.lanes[cpu], *s)
		}
		*s = slice{what, cpu, worker, at, 0}
	}
	last := make(map[int]string) // what each worker marked
	for _, c := range changes {
		switch {
		case c.mark:
			last[c.of] = c.what
		case c.what == switches: // where it slept it is not any more
			for cpu, s := range now {
				if s.what == parks && s.worker == c.of {
					turn(cpu, c.at, idles, -1)
				}
			}
		case c.what == "":
			if c.what = last[c.of]; c.what == "" {
				c.what = other
			}
		}
		turn(c.cpu, c.at, c.what, c.of)
	}
	for cpu := range now {
		turn(cpu, t.ends, "", -2)
	}
}

// findUses collects the uses of the lock.
func (t *timeline) findUses(changes []change) {
	open := make(map[int]*use)
	for _, c := range changes {
		if !c.mark {
			continue
		}
		u := open[c.of]
		if u != nil && u.releases > 0 && u.returned == 0 {
			u.returned = c.at
		}
		switch c.what {
		case waits:
			switch {
			case u == nil:
				open[c.of] = &use{worker: c.of, called: c.at}
			case u.got > 0: // a read that must be repeated
				t.uses = append(t.uses, *u)
				*u = use{worker: c.of, called: c.at}
			}
		case writes, reads:
			if u == nil { // a reader that had nothing to wait for
				u = &use{worker: c.of, called: c.at}
				open[c.of] = u
			}
			u.got, u.cpu, u.read = c.at, c.cpu, c.what == reads
		case releases:
			u.releases, u.from = c.at, c.cpu
		case graces:
			u.synchronize = c.at
		case thinks:
			if u == nil {
				continue // it begins
			}
			if u.synchronize > 0 {
				u.over = c.at
			}
			t.uses = append(t.uses, *u)
			delete(open, c.of)
		}
	}
	slices.SortStableFunc(t.uses, func(a, b use) int { return cmp.Compare(a.got, b.got) })
	for _, g := range t.uses {
		for i := range t.uses {
			if u := &t.uses[i]; u.read && u.got < g.synchronize && g.synchronize < u.returned {
				u.old = true
			}
		}
	}
}

// findHandovers finds, for each waiter, the last release before it got the lock, of those
// that it may have waited for.
func (t *timeline) findHandovers() {
	for i, to := range t.uses {
		if to.read && t.kind == copied {
			continue
		}
		last := -1
		for j, from := range t.uses[:i] {
			waited := from.worker != to.worker && to.called < from.releases && from.releases <= to.got
			if waited && (!from.read || t.kind == shared && !to.read) && (last < 0 || from.releases >= t.uses[last].releases) {
				last = j
			}
		}
		if last >= 0 {
			t.handovers = append(t.handovers, handover{last, i})
		}
	}
}

// took returns how long a handover took, from the call that released the lock to the
// return of the one that acquired it.
func (t *timeline) took(h handover) int64 { return t.uses[h.to].got - t.uses[h.from].releases }

// countWaiting counts the workers that wait for the lock.
func (t *timeline) countWaiting() {
	var steps []sample
	for _, u := range t.uses {
		steps = append(steps, sample{u.called, 1}, sample{u.got, -1})
	}
	slices.SortStableFunc(steps, func(a, b sample) int { return cmp.Compare(a.at, b.at) })
	t.waiting = []sample{{}}
	n := 0
	for _, s := range steps {
		n += s.n
		if last := &t.waiting[len(t.waiting)-1]; last.at == s.at {
			last.n = n
		} else {
			t.waiting = append(t.waiting, sample{s.at, n})
		}
	}
}

// title says what was traced.
func (t *timeline) title() string {
	return fmt.Sprintf("%s on %s of %s", t.name, wording.Count(t.cpus, "CPU"), t.machine.Name)
}

// summary says in a line what it cost.
func (t *timeline) summary() string {
	travelled := 0
	for _, m := range t.moves {
		if m.from >= 0 {
			travelled++
		}
	}
	text := fmt.Sprintf("%s in %s; %s from CPU to CPU, %.1f a section", wording.Count(len(t.uses), "section"), short(t.ends-t.begins),
		wording.Count(travelled, "line"), float64(travelled)/float64(max(1, len(t.uses))))
	if len(t.handovers) == 0 {
		return text
	}
	var least, most, sum int64
	for i, h := range t.handovers {
		d := t.took(h)
		if i == 0 || d < least {
			least = d
		}
		most, sum = max(most, d), sum+d
	}
	return text + fmt.Sprintf("; handoffs in %s to %s, %s on average", short(least), short(most), short(sum/int64(len(t.handovers))))
}

// short writes picoseconds with three digits.
func short(picos int64) string {
	ns := float64(picos) / 1000
	switch {
	case ns < 999.5:
		return fmt.Sprintf("%.3g ns", ns)
	case ns < 999.5e3:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	}
	return fmt.Sprintf("%.4g ms", ns/1e6)
}

// drawn returns of how many shapes a picture consists.
func (t *timeline) drawn() int {
	n := len(t.moves) + len(t.handovers)
	for _, lane := range t.lanes {
		n += len(lane)
	}
	return n
}
