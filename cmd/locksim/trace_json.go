package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// A chromeEvent is an event of Chrome's trace event format, which Perfetto reads too.
type chromeEvent struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"` // X slice, s and f ends of an arrow, i instant, C counter, M name
	At    micros         `json:"ts"`
	For   *micros        `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"`
	ID    int            `json:"id,omitempty"` // of an arrow
	Bind  string         `json:"bp,omitempty"` // e: to the slice around it
	Scope string         `json:"s,omitempty"`  // t: an instant is of its track
	Args  map[string]any `json:"args,omitempty"`

	rank int // of events at the same time
}

// micros are picoseconds, which that format has in microseconds.
type micros int64

// MarshalJSON writes them exactly.
func (m micros) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, "%d.%06d", m/1e6, m%1e6), nil }

// The ranks: what comes first encloses what comes later.
const (
	wakesRank = iota
	lanesRank
	waitsRank
	givesRank
	comesRank
	countsRank
)

// A chrome is a timeline that becomes such events.
type chrome struct {
	*timeline
	events []chromeEvent
	arrows int
}

const ourPID = 1

// Each CPU has a track, and one for its store buffer.
func cpuTrack(cpu int) int    { return 2*cpu + 1 }
func storesTrack(cpu int) int { return 2*cpu + 2 }

// writeJSON writes the timeline in that format, with an event on each line.
func (t *timeline) writeJSON(w io.Writer) error {
	c := &chrome{timeline: t}
	c.addLanes()
	c.addMoves()
	c.addCounts()
	slices.SortStableFunc(c.events, func(a, b chromeEvent) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.rank, b.rank))
	})
	out := bufio.NewWriter(w)
	about, err := json.Marshal(map[string]any{"command": t.command, "machine": t.machine.Name, "seed": fmt.Sprint(t.seed), "summary": t.summary()})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "{\"displayTimeUnit\": \"ns\", \"otherData\": %s, \"traceEvents\": [\n", about)
	for i, e := range append(c.names(), c.events...) {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		if i > 0 {
			out.WriteString(",\n")
		}
		out.Write(line)
	}
	out.WriteString("\n]}\n")
	return out.Flush()
}

// names returns the names of the tracks.
func (c *chrome) names() []chromeEvent {
	name := func(what string, track int, key string, value any) chromeEvent {
		return chromeEvent{Name: what, Phase: "M", PID: ourPID, TID: track, Args: map[string]any{key: value}}
	}
	all := []chromeEvent{name("process_name", 0, "name", c.title())}
	used := make(map[int]bool)
	for _, e := range c.events {
		used[e.TID] = true
	}
	for cpu := range c.cpus {
		for track, says := range map[int]string{cpuTrack(cpu): "CPU %d", storesTrack(cpu): "CPU %d, store buffer"} {
			if used[track] {
				all = append(all, name("thread_name", track, "name", fmt.Sprintf(says, cpu)), name("thread_sort_index", track, "sort_index", track))
			}
		}
	}
	slices.SortStableFunc(all, func(a, b chromeEvent) int { return cmp.Compare(a.TID, b.TID) })
	return all
}

// slice adds a slice, and directly after it the ends of the arrows that begin or end in
// it: viewers attach an arrow to the slice that began last.
func (c *chrome) slice(rank, track int, name, cat string, begin, end int64, args map[string]any, ends ...chromeEvent) {
	lasts := micros(end - begin)
	c.events = append(c.events, chromeEvent{Name: name, Cat: cat, Phase: "X", At: micros(begin), For: &lasts, PID: ourPID, TID: track, Args: args, rank: rank})
	for _, e := range ends {
		e.At, e.PID, e.TID, e.rank = micros(begin), ourPID, track, rank
		c.events = append(c.events, e)
	}
}

// arrow returns the two ends of an arrow.
func (c *chrome) arrow(name string) (from, to chromeEvent) {
	c.arrows++
	from = chromeEvent{Name: name, Cat: name, Phase: "s", ID: c.arrows}
	to = chromeEvent{Name: name, Cat: name, Phase: "f", ID: c.arrows, Bind: "e"}
	return from, to
}

// A place is where a slice of a lane begins.
type place struct {
	what  string
	cpu   int
	begin int64
}

// addLanes adds what the CPUs did, how they waited, and the arrows between them.
func (c *chrome) addLanes() {
	ends := make(map[place][]chromeEvent)
	add := func(p place, e chromeEvent) { ends[p] = append(ends[p], e) }
	for _, h := range c.handovers {
		from, to := c.arrow("handoff")
		b, a := c.uses[h.from], c.uses[h.to]
		add(place{releases, b.from, b.releases}, from)
		add(place{sectionOf(a), a.cpu, a.got}, to)
	}
	starts := c.starts()
	for _, w := range c.wakes {
		of := starts[w.Woken]
		i, _ := slices.BinarySearchFunc(of, w.End, func(s slice, at int64) int { return cmp.Compare(s.begin, at) })
		if i == len(of) {
			continue // not any more
		}
		woken := of[i]
		from, to := c.arrow("wake")
		c.slice(wakesRank, cpuTrack(w.CPU), fmt.Sprintf("wakes worker %d", w.Woken), "wake", w.End, w.End, nil, from)
		add(place{switches, woken.cpu, woken.begin}, to)
	}
	for _, lane := range c.lanes {
		for _, s := range lane {
			var args map[string]any
			if s.worker >= 0 {
				args = map[string]any{"worker": s.worker}
			}
			c.slice(lanesRank, cpuTrack(s.cpu), s.what, "cpu", s.begin, s.end, args, ends[place{s.what, s.cpu, s.begin}]...)
		}
	}
	for _, s := range c.spins {
		c.slice(waitsRank, cpuTrack(s.cpu), s.what, "spin", s.begin, s.end, nil)
	}
}

// sectionOf returns what the slice of a use is.
func sectionOf(u use) string {
	if u.read {
		return reads
	}
	return writes
}

// starts returns, by worker, when CPUs turned to it.
func (t *timeline) starts() map[int][]slice {
	of := make(map[int][]slice)
	for _, lane := range t.lanes {
		for _, s := range lane {
			if s.what == switches {
				of[s.worker] = append(of[s.worker], s)
			}
		}
	}
	for _, all := range of {
		slices.SortFunc(all, func(a, b slice) int { return cmp.Compare(a.begin, b.begin) })
	}
	return of
}

// addMoves adds the lines that came, and the copies that were lost.
func (c *chrome) addMoves() {
	for _, m := range c.moves {
		line := c.lines[m.line]
		where, does := "from memory", "read"
		if m.write {
			does = "write"
		}
		var ends []chromeEvent
		if m.from >= 0 {
			where = fmt.Sprintf("from CPU %d, %v", m.from, m.far)
			from, to := c.arrow("line")
			c.slice(givesRank, cpuTrack(m.from), "gives "+line, "line", m.served, m.served, map[string]any{"to": m.to}, from)
			ends = []chromeEvent{to}
		}
		args := map[string]any{"line": line, "to": does}
		if m.worker < 0 {
			c.slice(comesRank, storesTrack(m.to), line+" "+where, "line", m.served, m.came, args, ends...)
			continue
		}
		c.slice(waitsRank, cpuTrack(m.to), does+" "+line, "line", m.asked, m.came, args)
		c.slice(comesRank, cpuTrack(m.to), where, "line", m.served, m.came, args, ends...)
	}
	for _, m := range c.lost {
		c.events = append(c.events, chromeEvent{
			Name: "loses " + c.lines[m.line], Cat: "line", Phase: "i", Scope: "t", At: micros(m.served), PID: ourPID, TID: cpuTrack(m.to),
			Args: map[string]any{"because of CPU": m.from}, rank: givesRank,
		})
	}
}

// addCounts adds how many workers wait.
func (c *chrome) addCounts() {
	for _, s := range c.waiting {
		c.events = append(c.events, chromeEvent{Name: "waiters", Phase: "C", At: micros(s.at), PID: ourPID, Args: map[string]any{"waiting": s.n}, rank: countsRank})
	}
}
