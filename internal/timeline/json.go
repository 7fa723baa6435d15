package timeline

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

// A chrome is timelines that become such events.
type chrome struct {
	*Timeline // whose events are added now
	events    []chromeEvent
	arrows    int
}

// Each row has a track, and each CPU one for its store buffer.
func rowTrack(row int) int    { return 2*row + 1 }
func storesTrack(cpu int) int { return 2*cpu + 2 }

// WriteJSON writes timelines in that format, with an event on each line. Those of one
// process have their rows in common. about is written to the file, too.
func WriteJSON(w io.Writer, about map[string]string, of ...*Timeline) error {
	c := new(chrome)
	for _, c.Timeline = range of {
		c.addLanes()
		c.addMoves()
		c.addCounts()
	}
	slices.SortStableFunc(c.events, func(a, b chromeEvent) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.rank, b.rank))
	})
	out := bufio.NewWriter(w)
	text, err := json.Marshal(about)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "{\"displayTimeUnit\": \"ns\", \"otherData\": %s, \"traceEvents\": [\n", text)
	for i, e := range append(c.names(of), c.events...) {
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

// names returns the names of the processes and of the tracks.
func (c *chrome) names(of []*Timeline) (all []chromeEvent) {
	type track struct{ pid, tid int }
	used := make(map[track]bool)
	for _, e := range c.events {
		used[track{e.PID, e.TID}] = true
	}
	said := make(map[track]bool)
	for _, t := range of {
		name := func(what string, tid int, key string, value any) {
			all = append(all, chromeEvent{Name: what, Phase: "M", PID: t.Process, TID: tid, Args: map[string]any{key: value}})
		}
		if p := (track{pid: t.Process}); !said[p] {
			said[p] = true
			name("process_name", 0, "name", t.Title)
		}
		for row := range t.Lanes {
			for tid, says := range map[int]string{rowTrack(row): t.row(row), storesTrack(row): t.row(row) + ", store buffer"} {
				if p := (track{t.Process, tid}); used[p] && !said[p] {
					said[p] = true
					name("thread_name", tid, "name", says)
					name("thread_sort_index", tid, "sort_index", tid)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b chromeEvent) int { return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.TID, b.TID)) })
	return all
}

// slice adds a slice, and directly after it the ends of the arrows that begin or end in
// it: viewers attach an arrow to the slice that began last.
func (c *chrome) slice(rank, track int, name, cat string, begin, end int64, args map[string]any, ends ...chromeEvent) {
	lasts := micros(end - begin)
	c.events = append(c.events, chromeEvent{Name: name, Cat: cat, Phase: "X", At: micros(begin), For: &lasts, PID: c.Process, TID: track, Args: args, rank: rank})
	for _, e := range ends {
		e.At, e.PID, e.TID, e.rank = micros(begin), c.Process, track, rank
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
	row   int
	begin int64
}

// addLanes adds what the CPUs did, how they waited, and the arrows between them.
func (c *chrome) addLanes() {
	ends := make(map[place][]chromeEvent)
	add := func(p place, e chromeEvent) { ends[p] = append(ends[p], e) }
	for _, h := range c.Handovers {
		from, to := c.arrow("handoff")
		b, a := c.Uses[h.From], c.Uses[h.To]
		add(place{Releases, b.From, b.Releases}, from)
		add(place{sectionOf(a), a.Row, a.Got}, to)
	}
	starts := c.starts()
	for _, w := range c.Wakes {
		of := starts[w.Woken]
		i, _ := slices.BinarySearchFunc(of, w.End, func(s Slice, at int64) int { return cmp.Compare(s.Begin, at) })
		if i == len(of) {
			continue // not any more
		}
		woken := of[i]
		from, to := c.arrow("wake")
		c.slice(wakesRank, rowTrack(w.CPU), fmt.Sprintf("wakes worker %d", w.Woken), "wake", w.End, w.End, nil, from)
		add(place{Switches, woken.Row, woken.Begin}, to)
	}
	for _, lane := range c.Lanes {
		for _, s := range lane {
			if s.What == Unknown {
				continue
			}
			var args map[string]any
			if s.Worker >= 0 {
				args = map[string]any{"worker": s.Worker}
			}
			at := place{s.What, s.Row, s.Begin}
			c.slice(lanesRank, rowTrack(s.Row), s.What, "cpu", s.Begin, s.End, args, ends[at]...)
			delete(ends, at) // two slices may begin there, if the clock is coarse
		}
	}
	for _, s := range c.Spins {
		c.slice(waitsRank, rowTrack(s.Row), s.What, "spin", s.Begin, s.End, nil)
	}
}

// sectionOf returns what the slice of a use is.
func sectionOf(u Use) string {
	if u.Read {
		return Reads
	}
	return Writes
}

// starts returns, by worker, when CPUs turned to it.
func (t *Timeline) starts() map[int][]Slice {
	of := make(map[int][]Slice)
	for _, lane := range t.Lanes {
		for _, s := range lane {
			if s.What == Switches {
				of[s.Worker] = append(of[s.Worker], s)
			}
		}
	}
	for _, all := range of {
		slices.SortFunc(all, func(a, b Slice) int { return cmp.Compare(a.Begin, b.Begin) })
	}
	return of
}

// addMoves adds the lines that came, and the copies that were lost.
func (c *chrome) addMoves() {
	for _, m := range c.Moves {
		line := c.Lines[m.Line]
		where, does := "from memory", "read"
		if m.Write {
			does = "write"
		}
		var ends []chromeEvent
		if m.From >= 0 {
			where = fmt.Sprintf("from CPU %d, %v", m.From, m.Far)
			from, to := c.arrow("line")
			c.slice(givesRank, rowTrack(m.From), "gives "+line, "line", m.Served, m.Served, map[string]any{"to": m.To}, from)
			ends = []chromeEvent{to}
		}
		args := map[string]any{"line": line, "to": does}
		if m.Worker < 0 {
			c.slice(comesRank, storesTrack(m.To), line+" "+where, "line", m.Served, m.Came, args, ends...)
			continue
		}
		c.slice(waitsRank, rowTrack(m.To), does+" "+line, "line", m.Asked, m.Came, args)
		c.slice(comesRank, rowTrack(m.To), where, "line", m.Served, m.Came, args, ends...)
	}
	for _, m := range c.Lost {
		c.events = append(c.events, chromeEvent{
			Name: "loses " + c.Lines[m.Line], Cat: "line", Phase: "i", Scope: "t", At: micros(m.Served), PID: c.Process, TID: rowTrack(m.To),
			Args: map[string]any{"because of CPU": m.From}, rank: givesRank,
		})
	}
}

// addCounts adds how many workers wait.
func (c *chrome) addCounts() {
	for _, s := range c.Waiting {
		c.events = append(c.events, chromeEvent{Name: "waiters", Phase: "C", At: micros(s.At), PID: c.Process, Args: map[string]any{"waiting": s.N}, rank: countsRank})
	}
}
