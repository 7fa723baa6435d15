package check

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// A Kind is a kind of failure.
type Kind string

// The kinds of failure.
const (
	Assertion Kind = Kind(machine.Assertion)
	Panic     Kind = Kind(machine.Panic)
	DataRace  Kind = Kind(machine.DataRace)
	Deadlock  Kind = Kind(machine.Deadlock)
	Livelock  Kind = Kind(machine.Livelock)
	Misuse    Kind = Kind(machine.Misuse)
)

// A Failure is a schedule that failed, step by step.
type Failure struct {
	Kind    Kind     `json:"kind"`
	Message string   `json:"message"`
	Workers []string `json:"workers"` // their names; the body is the first
	Steps   []Step   `json:"steps"`
	Waits   []Wait   `json:"waits,omitempty"` // of a deadlock: what each worker waits for
	Token   string   `json:"token"`           // replays it: see [Config].Replay

	// Stack has, for a panic and for most misuse, the calls that led there, the
	// innermost first.
	Stack []Call `json:"stack,omitempty"`

	// Replay is the command that shows this schedule again, or "".
	Replay string `json:"replay,omitempty"`
}

// A Step is one line of a schedule: a step, an access to a Cell, or a choice that a
// worker made.
type Step struct {
	Worker int    `json:"worker"`         // number in Failure.Workers
	By     string `json:"by,omitempty"`   // "", StoreBuffer or Alarm
	Op     string `json:"op"`             // what was called: "Load", "CompareAndSwap", "Unpark"
	Name   string `json:"name,omitempty"` // the receiver, as the source calls it: "l.owner"

	// Old and New are the values before and after. New is "" if the step did not
	// write. Want is the value that a failed CompareAndSwap wanted.
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
	Want string `json:"want,omitempty"`

	File   string `json:"file,omitempty"` // where the source is
	Line   int    `json:"line,omitempty"`
	Func   string `json:"func,omitempty"`   // the function that it is in
	Failed bool   `json:"failed,omitempty"` // whether it is part of the failure

	object int
	from   int  // the step that wrote what this one read, or -1
	cell   bool // whether the object is a Cell
	issue  bool // whether it puts a store in the store buffer
}

// What takes a step for a worker.
const (
	StoreBuffer = "store buffer" // writes a store to memory
	Alarm       = "alarm"        // ends a Park
)

// A Wait says why a worker cannot continue.
type Wait struct {
	Worker int     `json:"worker"`
	Op     string  `json:"op"`            // the call that it waits in
	For    []Value `json:"for,omitempty"` // a change of any of these
	File   string  `json:"file,omitempty"`
	Line   int     `json:"line,omitempty"`
	Func   string  `json:"func,omitempty"`
}

// A Call is a place in the source and the function that it is in.
type Call struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Func string `json:"func"`
}

// A Value is the value of a word.
type Value struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"` // "" if it has none that can be shown
}

// String says what the step did, in one line.
func (s Step) String() string {
	op := s.Op
	switch {
	case s.By == StoreBuffer:
		op = "buffer→memory"
	case s.By == Alarm:
		op = "alarm ends Park"
	case op == "CompareAndSwap":
		op = "CAS"
	}
	text := strings.TrimSpace(op + " " + s.Name)
	switch {
	case s.Want != "":
		return fmt.Sprintf("%s = %s, not %s", text, s.Old, s.Want)
	case s.Old == "" && s.New == "":
		return text
	case s.New == "":
		return fmt.Sprintf("%s = %s", text, s.Old)
	case s.Old != "":
		return fmt.Sprintf("%s %s → %s", text, s.Old, s.New)
	case s.issue:
		return fmt.Sprintf("%s ⇐ %s", text, s.New)
	default:
		return fmt.Sprintf("%s: %s", text, s.New)
	}
}

// place returns where the step is in the source.
func (s *Step) place() string {
	return machine.Place{File: s.File, Line: s.Line}.String()
}

func (w *Wait) place() string { return (&Step{File: w.File, Line: w.Line}).place() }

// says returns what w waits for, in words.
func (w *Wait) says() string {
	var words []string
	for _, v := range w.For {
		word := v.Name
		if v.Value != "" {
			word += " (= " + v.Value + ")"
		}
		words = append(words, word)
	}
	switch {
	case len(words) == 0:
		return "waits in " + w.Op
	case w.For[0].Value == "":
		return "is parked on " + words[0] + ", which no worker unparks"
	case len(words) == 1:
		return "waits until " + words[0] + " changes"
	default:
		return "waits until one changes of " + strings.Join(words, ", ")
	}
}

// A row is one line of the table: a step, or several steps that are left out.
type row struct {
	step  int // the first
	steps int // 1, or how many are left out
	cycle int // how many of them repeat; 0 if they do not
}

// says says which steps are left out.
func (r *row) says() string {
	switch r.cycle {
	case 0:
		return fmt.Sprintf("%d steps", r.steps)
	case 1:
		return fmt.Sprintf("%d steps, the same again and again", r.steps)
	default:
		return fmt.Sprintf("%d steps, the same %d again and again", r.steps, r.cycle)
	}
}

const (
	longestCycle = 64
	mostRows     = 240
)

// rows returns the rows of the table. Steps that workers repeat are shown three
// times; the third time are the last ones.
func (f *Failure) rows() []row {
	var rows []row
	for i := 0; i < len(f.Steps); {
		n, times := f.cycle(i)
		if times <= 4 {
			rows = append(rows, row{step: i, steps: 1})
			i++
			continue
		}
		for range 2 * n {
			rows = append(rows, row{step: i, steps: 1})
			i++
		}
		rows = append(rows, row{step: i, steps: (times - 3) * n, cycle: n})
		i += (times - 3) * n
		for range n {
			rows = append(rows, row{step: i, steps: 1})
			i++
		}
	}
	if out := len(rows) - mostRows; out > 0 {
		first, last := rows[mostRows/2], rows[mostRows/2+out]
		rows[mostRows/2] = row{step: first.step, steps: last.step - first.step}
		rows = append(rows[:mostRows/2+1], rows[mostRows/2+out:]...)
	}
	return rows
}

// cycle returns how many steps are repeated from step i on, and how often.
func (f *Failure) cycle(i int) (n, times int) {
	for n = 1; n <= longestCycle && i+2*n <= len(f.Steps); n++ {
		same := 0
		for j := i + n; j < len(f.Steps) && f.Steps[j].like(&f.Steps[j-n]); j++ {
			same++
		}
		if times = 1 + same/n; times > 4 {
			return n, times
		}
	}
	return 0, 0
}

// like reports whether two steps are the same, except for the values.
func (s *Step) like(t *Step) bool {
	return s.Worker == t.Worker && s.By == t.By && s.Op == t.Op && s.object == t.object && s.Line == t.Line &&
		s.File == t.File && s.Failed == t.Failed
}

// acting returns the workers that have steps, the body last, because its steps
// seldom matter.
func (f *Failure) acting() []int {
	has := make([]bool, len(f.Workers))
	for i := range f.Steps {
		has[f.Steps[i].Worker] = true
	}
	var all []int
	for i := range has {
		if w := (i + 1) % len(has); has[w] {
			all = append(all, w)
		}
	}
	return all
}

const (
	tableWidth = 160
	leastCell  = 14
)

// WriteTable writes the schedule as a table with a column for each worker and a
// line for each step, at most 160 columns wide for a few workers.
//
// A failed CompareAndSwap shows what the word held and what it should have
// held. x ⇐ 1 is a store into the worker's store buffer, which the others see
// once the buffer is written to memory. Numbers from 256 are hexadecimal.
func (f *Failure) WriteTable(w io.Writer) error {
	out := bufio.NewWriter(w)
	workers, rows := f.acting(), f.rows()

	lane := make(map[int]int) // worker to column
	widths := make([]int, len(workers))
	for c, worker := range workers {
		lane[worker] = c
		widths[c] = utf8.RuneCountInString(f.Workers[worker])
	}
	places := 0
	for _, r := range rows {
		if s := &f.Steps[r.step]; r.steps == 1 {
			c := lane[s.Worker]
			widths[c] = max(widths[c], utf8.RuneCountInString(s.String()))
			places = max(places, utf8.RuneCountInString(s.place())+2+len(shortFunc(s.Func)))
		}
	}
	total := func() int {
		sum := 8 + places
		for _, width := range widths {
			sum += 3 + width
		}
		return sum
	}
	for total() > tableWidth { // take from the widest
		widest := 0
		for c := range widths {
			if widths[c] > widths[widest] {
				widest = c
			}
		}
		if widths[widest] <= leastCell {
			break
		}
		widths[widest]--
	}

	line := func(number string, column int, text, place string) {
		var b strings.Builder
		fmt.Fprintf(&b, "%6s ", number)
		for c, width := range widths {
			cell := ""
			if c == column {
				cell = fit(text, width)
			}
			fmt.Fprintf(&b, " │ %s%s", cell, strings.Repeat(" ", width-utf8.RuneCountInString(cell)))
		}
		fmt.Fprintf(&b, " │ %s", place)
		fmt.Fprintln(out, strings.TrimRight(b.String(), " "))
	}

	fmt.Fprintf(out, "%6s ", "step")
	for c, worker := range workers {
		name := fit(f.Workers[worker], widths[c])
		fmt.Fprintf(out, " │ %s%s", name, strings.Repeat(" ", widths[c]-utf8.RuneCountInString(name)))
	}
	fmt.Fprintf(out, " │ source\n───────")
	for _, width := range widths {
		fmt.Fprintf(out, "─┼─%s", strings.Repeat("─", width))
	}
	fmt.Fprintf(out, "─┼─%s\n", strings.Repeat("─", max(places, len("source"))))
	for _, r := range rows {
		if r.steps > 1 {
			fmt.Fprintf(out, "%6s  │ %s\n", "⋮", r.says())
			continue
		}
		s := &f.Steps[r.step]
		number := fmt.Sprint(r.step + 1)
		if s.Failed {
			number = "✗ " + number
		}
		place := s.place()
		if fn := shortFunc(s.Func); place != "" && fn != "" {
			place += "  " + fn
		}
		line(number, lane[s.Worker], s.String(), place)
	}
	return out.Flush()
}

// fit cuts text to a width.
func fit(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// String shows the schedule and says what failed.
func (f *Failure) String() string {
	var b strings.Builder
	f.WriteTable(&b)
	fmt.Fprintf(&b, "\n%s: %s\n", f.Kind, f.Message)
	for _, w := range f.Waits {
		fmt.Fprintf(&b, "  %s %s", f.Workers[w.Worker], w.says())
		if place := w.place(); place != "" {
			fmt.Fprintf(&b, ", since %s in %s", place, shortFunc(w.Func))
		}
		b.WriteByte('\n')
	}
	for _, c := range f.Stack {
		fmt.Fprintf(&b, "  at %v in %s\n", machine.Place{File: c.File, Line: c.Line}, shortFunc(c.Func))
	}
	for i := range f.Steps {
		if s := &f.Steps[i]; s.Failed && f.Kind == DataRace {
			fmt.Fprintf(&b, "  step %d, %s: %v, %s in %s\n", i+1, f.Workers[s.Worker], s, s.place(), shortFunc(s.Func))
		}
	}
	if f.Replay != "" {
		fmt.Fprintf(&b, "again: %s\n", f.Replay)
	} else {
		fmt.Fprintf(&b, "again: LOCKBENCH_REPLAY=%s\n", f.Token)
	}
	return b.String()
}
