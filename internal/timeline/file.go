package timeline

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/results"
)

// A Header is the first line of a file of traces. Each further line is a [Trace]. A line
// is written at once, so a file whose writer was killed ends in at most one partial line.
type Header struct {
	Version int    `json:"lockbench-trace"`
	Command string `json:"command"`
	CPU     string `json:"cpu,omitempty"`
	System  string `json:"system,omitempty"` // operating system and architecture
}

// version is the only one so far.
const version = 1

// A Trace is what the workers did in the bursts of one sample. Its times are nanoseconds
// from when the window opened.
type Trace struct {
	Cell    string  `json:"cell"`    // as in a results file
	Kind    string  `json:"kind"`    // of [harness.Timeline]
	Settles string  `json:"settles"` // what updaters do after their sections: "", sync or call
	Bursts  []burst `json:"bursts"`
}

// A burst is a [harness.Burst].
type burst struct {
	From   int64   `json:"from"`
	To     int64   `json:"to"`
	Full   bool    `json:"full,omitempty"`
	Joined []int64 `json:"joined"`           // by worker; -1: recorded nothing
	Waited []int   `json:"waited,omitempty"` // the workers that waited as the burst began
	Uses   []use   `json:"uses"`
}

// A use is a [harness.Use]: the worker, 1 for a read and 0 for a write, when it called
// Lock, and how long it waited, was in its section, released the lock, and settled.
type use [7]int64

// The limits of what is read.
const (
	longestLine = 256 << 20
	latest      = int64(math.MaxInt64) / 1_000_000 // so that times in picoseconds, and sums of seven, do not overflow
)

// NewTrace returns the trace of a cell.
func NewTrace(cell results.Cell, t harness.Timeline) Trace {
	trace := Trace{Cell: cell.String(), Kind: t.Kind}
	if t.Kind == "copied" {
		trace.Settles = map[harness.Reclaim]string{harness.ReclaimSync: "sync", harness.ReclaimCall: "call"}[t.Reclaim]
	}
	for _, from := range t.Bursts {
		b := burst{From: from.From, To: from.To, Full: from.Full, Joined: from.Joined, Uses: make([]use, 0, len(from.Uses))}
		for w, waited := range from.Waiting {
			if waited {
				b.Waited = append(b.Waited, w)
			}
		}
		for _, u := range from.Uses {
			read := int64(0)
			if u.Read {
				read = 1
			}
			b.Uses = append(b.Uses, use{int64(u.Worker), read, u.Called, u.Acquired - u.Called, u.Releases - u.Acquired, u.Returned - u.Releases, u.Settled - u.Returned})
		}
		trace.Bursts = append(trace.Bursts, b)
	}
	return trace
}

// Write writes a line of a file: a Header or a Trace.
func Write[T Header | Trace](w io.Writer, line T) error {
	text, err := json.Marshal(line)
	if err == nil {
		_, err = w.Write(append(text, '\n'))
	}
	return err
}

// NewHeader returns the header of a file that a command writes on this machine.
func NewHeader(command string) Header {
	host := results.Host()
	return Header{Version: version, Command: command, CPU: host.CPU, System: host.GOOS + "/" + host.GOARCH}
}

// Read reads a file of traces and calls keep with each, which may keep it. name is for
// errors, which say in which line they are. torn reports whether a last line without an
// end was left out: the writer was killed, or still writes.
func Read(r io.Reader, name string, keep func(Trace) error) (h Header, torn bool, err error) {
	lines := &lines{from: bufio.NewReaderSize(r, 1<<16)}
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s:%d: %w", name, lines.n, err)
		}
	}()
	line, err := lines.next()
	switch {
	case err == io.EOF && len(line) == 0:
		return h, false, errors.New("empty: want a file that lockbench run --trace wrote")
	case err == io.EOF: // without an end, but tell what it is if it is something else
		if !bytes.HasPrefix(line, []byte(`{"lockbench-trace":`)) {
			return h, false, errNoTrace
		}
		return h, true, errors.New("the first line is cut off: want a header")
	case err != nil:
		return h, false, err
	case !bytes.HasPrefix(line, []byte(`{"lockbench-trace":`)):
		return h, false, errNoTrace
	}
	if err := decode(line, &h); err != nil {
		return h, false, err
	}
	if h.Version != version {
		return h, false, fmt.Errorf("version %d of the format, want %d: by another lockbench", h.Version, version)
	}
	for {
		line, err := lines.next()
		if err == io.EOF {
			return h, len(line) > 0, nil
		}
		if err != nil {
			return h, false, err
		}
		var t Trace
		if err := decode(line, &t); err != nil {
			return h, false, err
		}
		if err := t.validate(); err != nil {
			return h, false, err
		}
		if err := keep(t); err != nil {
			return h, false, err
		}
	}
}

var errNoTrace = errors.New("no trace: want a file that lockbench run --trace wrote")

// lines are those of a file.
type lines struct {
	from *bufio.Reader
	n    int // the number of the last, from 1
}

// next returns the next line without its end. If it has no end the error is io.EOF.
func (l *lines) next() (line []byte, err error) {
	l.n++
	for {
		part, err := l.from.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > longestLine:
			return nil, fmt.Errorf("longer than %d MB, want less", longestLine>>20)
		case err == bufio.ErrBufferFull:
		case err != nil:
			return line, err
		default:
			return line[:len(line)-1], nil
		}
	}
}

// decode sets to from a line of JSON, strictly.
func decode(line []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("want a line of a trace: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("want one JSON object a line")
	}
	return nil
}

// readersOf has the kinds of locks. Handoffs make no sense for those that do not exclude.
var readersOf = map[string]Readers{"none": Exclusive, "exclusive": Exclusive, "shared": Shared, "retried": Retried, "copied": Copied, "counting": Exclusive}

// validate reports what no run can have recorded.
func (t *Trace) validate() error {
	cell, err := results.ParseCell(t.Cell)
	if err != nil {
		return fmt.Errorf("cell %q: %w", t.Cell, err)
	}
	if _, known := readersOf[t.Kind]; !known {
		return fmt.Errorf("unknown kind of lock %q", t.Kind)
	}
	if t.Settles != "" && t.Settles != "sync" && t.Settles != "call" {
		return fmt.Errorf("settles %q: want sync, call or nothing", t.Settles)
	}
	last := int64(0)
	for i, b := range t.Bursts {
		if b.From < last || b.To <= b.From || b.To > latest {
			return fmt.Errorf("burst %d: from %d to %d ns, want it after %d and to end after it begins", i+1, b.From, b.To, last)
		}
		last = b.To
		if len(b.Joined) != cell.Workers {
			return fmt.Errorf("burst %d: %d workers, want %d as in the cell", i+1, len(b.Joined), cell.Workers)
		}
		if err := b.validate(); err != nil {
			return fmt.Errorf("burst %d: %w", i+1, err)
		}
	}
	return nil
}

func (b burst) validate() error {
	free := make([]int64, len(b.Joined)) // from when each worker may do something
	for w, at := range b.Joined {
		if at != -1 && (at < b.From || at > b.To) {
			return fmt.Errorf("worker %d joined at %d ns, want -1 or %d to %d", w, at, b.From, b.To)
		}
		free[w] = at
	}
	for i, w := range b.Waited {
		if w < 0 || w >= len(b.Joined) || i > 0 && w <= b.Waited[i-1] {
			return fmt.Errorf("waited: %d: want workers from 0 to %d, in order", b.Waited, len(b.Joined)-1)
		}
	}
	for i, u := range b.Uses {
		w := u[0]
		if w < 0 || w >= int64(len(b.Joined)) {
			return fmt.Errorf("use %d: worker %d, want 0 to %d", i+1, w, len(b.Joined)-1)
		}
		end := u[2]
		ok := (u[1] == 0 || u[1] == 1) && free[w] >= 0 && u[2] >= free[w] && u[2] <= latest
		for _, long := range u[3:] {
			ok = ok && 0 <= long && long <= latest
			end += long
		}
		if !ok {
			return fmt.Errorf("use %d: %d: want a worker that joined, 0 or 1, a time of at least %d ns, and four durations", i+1, u, free[w])
		}
		free[w] = end
	}
	return nil
}

// Timelines returns the timelines of t, one for each burst, which are of a process of a
// file. Times are from when the window opened or, if fromBurst says so, from when each
// burst began.
func (t *Trace) Timelines(process int, fromBurst bool) []*Timeline {
	var all []*Timeline
	for _, b := range t.Bursts {
		if fromBurst {
			b = b.since(b.From)
		}
		tl := &Timeline{
			Title: strings.TrimPrefix(t.Cell, "Lock/"), Row: "worker", Readers: readersOf[t.Kind], Process: process,
			Begins: 1000 * b.From, Ends: 1000 * b.To, Lanes: make([][]Slice, len(b.Joined)),
		}
		tl.fill(t, b)
		if t.Kind != "none" && t.Kind != "counting" {
			tl.FindHandovers()
		}
		tl.CountWaiting()
		tl.Crop()
		all = append(all, tl)
	}
	return all
}

// since returns b with times from origin on.
func (b burst) since(origin int64) burst {
	b.From, b.To = b.From-origin, b.To-origin
	b.Joined, b.Uses = slices.Clone(b.Joined), slices.Clone(b.Uses)
	for w, at := range b.Joined {
		if at >= 0 {
			b.Joined[w] = at - origin
		}
	}
	for i := range b.Uses {
		b.Uses[i][2] -= origin
	}
	return b
}

// isPoint reports whether what is shown even if it took no time: arrows may begin or end
// there.
func isPoint(what string) bool { return what == Writes || what == Reads || what == Releases }

// settling has what updaters do once they have released the lock.
var settling = map[string]string{"sync": Graces, "call": Calls, "": Thinks}

// fill adds the uses of a burst, and the lanes that they make up.
func (t *Timeline) fill(of *Trace, b burst) {
	at := make([]int64, len(b.Joined)) // the end of each lane so far
	turn := func(w int, what string, to int64) {
		from := min(at[w], t.Ends)
		if to = max(from, min(to, t.Ends)); to > from || from < t.Ends && isPoint(what) {
			t.Lanes[w] = append(t.Lanes[w], Slice{What: what, Row: w, Worker: w, Begin: from, End: to})
		}
		at[w] = to
	}
	for w, joined := range b.Joined {
		at[w] = t.Begins
		if joined < 0 {
			joined = b.To
		}
		what := Unknown
		if slices.Contains(b.Waited, w) {
			what = Waits
			t.Early = append(t.Early, Slice{What: what, Row: w, Worker: w, Begin: t.Begins, End: 1000 * joined})
		}
		turn(w, what, 1000*joined)
	}
	for _, n := range b.Uses {
		w := int(n[0])
		u := Use{Worker: w, Row: w, From: w, Read: n[1] == 1, Called: 1000 * n[2]}
		u.Got = u.Called + 1000*n[3]
		u.Releases = u.Got + 1000*n[4]
		u.Returned = u.Releases + 1000*n[5]
		settled := u.Returned + 1000*n[6]
		turn(w, Thinks, u.Called)
		turn(w, Waits, u.Got)
		turn(w, sectionOf(u), u.Releases)
		turn(w, Releases, u.Returned)
		turn(w, settling[of.Settles], settled)
		if of.Settles == "sync" && settled > u.Returned {
			u.Synchronize, u.Over = u.Returned, settled
		}
		t.Uses = append(t.Uses, u)
	}
	for w := range t.Lanes {
		if b.Joined[w] >= 0 {
			turn(w, Thinks, t.Ends)
		}
	}
	t.SortUses()
}
