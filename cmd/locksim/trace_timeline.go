package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/internal/timeline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/sim"
)

// A virtualTimeline is that of a scene, by CPU. Its times are from when the workers
// began, and it ends at most when the last worker does.
type virtualTimeline struct {
	*scene
	*timeline.Timeline
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
func timelineOf(s *scene, r *recording) *virtualTimeline {
	t := &virtualTimeline{s, &timeline.Timeline{
		Title: s.title(), Row: "CPU", Readers: s.kind, Process: 1,
		Begins: 1000 * int64(s.from), Lanes: make([][]timeline.Slice, s.cpus),
	}}
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
			add(e.Begin, e, timeline.Switches, e.Worker)
			add(e.End, e, "", e.Worker)
		case sim.Marked:
			add(e.Begin, e, e.Name, e.Worker)
		case sim.Parked:
			add(e.Begin, e, timeline.Parks, e.Worker)
		case sim.Ended:
			add(e.Begin, e, timeline.Idles, -1)
			if e.Worker > 0 && e.Worker <= s.workers { // those before and after are not the scene's
				t.Ends = max(t.Ends, e.Begin)
			}
		}
		if e.Begin < 0 {
			continue
		}
		switch e.Kind {
		case sim.LineCame, sim.CopyLost:
			m := timeline.Move{
				Line: names.number(e.Line), From: e.From, To: e.CPU, Asked: e.Begin, Served: e.Served, Came: e.End,
				Far: e.Distance, Write: e.Write, Worker: e.Worker,
			}
			if e.Kind == sim.CopyLost {
				t.Lost = append(t.Lost, m)
			} else {
				t.Moves = append(t.Moves, m)
			}
		case sim.Spun:
			t.Spins = append(t.Spins, timeline.Slice{What: "spin", Row: e.CPU, Worker: e.Worker, Begin: e.Begin, End: e.End})
		case sim.Woke:
			t.Wakes = append(t.Wakes, timeline.Wake{CPU: e.CPU, Woken: e.Woken, Begin: e.Begin, End: e.End})
		}
	}
	if to := 1000 * int64(s.to); to > 0 {
		t.Ends = min(t.Ends, to)
	}
	t.Begins = min(t.Begins, t.Ends)
	t.Lines = names.names()
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	t.fillLanes(changes)
	t.findUses(changes)
	t.FindHandovers()
	t.CountWaiting()
	t.Crop()
	return t
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
	names := []string{} // not nil, which means that they are not known
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

// fillLanes says what each CPU did, by changes in the order of their times.
func (t *virtualTimeline) fillLanes(changes []change) {
	now := make([]timeline.Slice, t.cpus)
	for i := range now {
		now[i] = timeline.Slice{What: timeline.Idles, Row: i, Worker: -1, Begin: t.Begins}
	}
	turn := func(cpu int, at int64, what string, worker int) {
		inside := t.Begins < at && at < t.Ends
		at = min(max(at, t.Begins), t.Ends)
		s := &now[cpu]
		if s.What == what && s.Worker == worker {
			return
		}
		if s.End = at; s.End > s.Begin || inside && (s.What == timeline.Writes || s.What == timeline.Reads) {
			t.Lanes[cpu] = append(t.Lanes[cpu], *s)
		}
		*s = timeline.Slice{What: what, Row: cpu, Worker: worker, Begin: at}
	}
	last := make(map[int]string) // what each worker marked
	for _, c := range changes {
		switch {
		case c.mark:
			last[c.of] = c.what
		case c.what == timeline.Switches: // where it slept it is not any more
			for cpu, s := range now {
				if s.What == timeline.Parks && s.Worker == c.of {
					turn(cpu, c.at, timeline.Idles, -1)
				}
			}
		case c.what == "":
			if c.what = last[c.of]; c.what == "" {
				c.what = timeline.Other
			}
		}
		turn(c.cpu, c.at, c.what, c.of)
	}
	for cpu := range now {
		turn(cpu, t.Ends, "", -2)
	}
}

// findUses collects the uses of the lock.
func (t *virtualTimeline) findUses(changes []change) {
	open := make(map[int]*timeline.Use)
	for _, c := range changes {
		if !c.mark {
			continue
		}
		u := open[c.of]
		if u != nil && u.Releases > 0 && u.Returned == 0 {
			u.Returned = c.at
		}
		switch c.what {
		case timeline.Waits:
			switch {
			case u == nil:
				open[c.of] = &timeline.Use{Worker: c.of, Called: c.at}
			case u.Got > 0: // a read that must be repeated
				t.Uses = append(t.Uses, *u)
				*u = timeline.Use{Worker: c.of, Called: c.at}
			}
		case timeline.Writes, timeline.Reads:
			if u == nil { // a reader that had nothing to wait for
				u = &timeline.Use{Worker: c.of, Called: c.at}
				open[c.of] = u
			}
			u.Got, u.Row, u.Read = c.at, c.cpu, c.what == timeline.Reads
		case timeline.Releases:
			u.Releases, u.From = c.at, c.cpu
		case timeline.Graces:
			u.Synchronize = c.at
		case timeline.Thinks:
			if u == nil {
				continue // it begins
			}
			if u.Synchronize > 0 {
				u.Over = c.at
			}
			t.Uses = append(t.Uses, *u)
			delete(open, c.of)
		}
	}
	t.SortUses()
}

// title says what was traced.
func (s *scene) title() string {
	return fmt.Sprintf("%s on %s of %s", s.name, wording.Count(s.cpus, "CPU"), s.machine.Name)
}
