package rcu

import (
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/lockbench/lockbench/spinlock"
)

// A Stall is a report of a grace period that is overdue.
type Stall struct {
	Name    string        // of the flavour, by Config.Name
	Age     time.Duration // of the grace period
	Period  uint64        // its number, from 1
	Holdups []Holdup      // who holds it up
	Stacks  string        // of all goroutines, as in a panic; "" of a Pinned
}

// A Holdup is a reader that holds a grace period up.
type Holdup struct {
	Reader string        // "CPU 3", "reader 17"
	Since  time.Duration // how long ago its section began; 0 if that is not known
	Stack  string        // where it began; "" unless Config.Trace
}

// causes is what stalls come from.
const causes = "a reader that does not run, or one that waits for something else: a lock that the updater holds, a channel"

// stall reports a grace period of that age.
func (u *Updater) stall(age time.Duration) {
	s := Stall{
		Name:    u.cfg.Name,
		Age:     age,
		Period:  u.seq.Load()/2 + 1,
		Holdups: u.flavour.holdups(),
	}
	// To take all stacks the runtime stops all goroutines, and those with
	// preemption off do not stop.
	if _, pinned := u.flavour.(*Pinned); !pinned {
		s.Stacks = stacks()
	}
	u.counters.stalls.Add(1)
	attrs := []any{
		slog.String("rcu", s.Name), slog.Duration("age", age.Round(time.Millisecond)), slog.Uint64("period", s.Period),
		slog.String("look for", causes),
	}
	for i, h := range s.Holdups {
		attrs = append(attrs, slog.Any(fmt.Sprintf("holdup%d", i+1), h))
	}
	u.cfg.Logger.Warn("rcu: a grace period is stalled", attrs...)
	if u.cfg.OnStall != nil {
		u.cfg.OnStall(s)
	}
}

// LogValue is the holdup in a log.
func (h Holdup) LogValue() slog.Value {
	attrs := []slog.Attr{slog.String("reader", h.Reader)}
	if h.Since > 0 {
		attrs = append(attrs, slog.Duration("since", h.Since.Round(time.Millisecond)))
	}
	if h.Stack != "" {
		attrs = append(attrs, slog.String("began", h.Stack))
	}
	return slog.GroupValue(attrs...)
}

const stacksSize = 256 << 10

func stacks() string {
	buf := make([]byte, stacksSize)
	return string(buf[:runtime.Stack(buf, true)])
}

// A mark notes when and where a section began, under Config.Trace.
type mark struct {
	lock  spinlock.TTAS // guards what follows
	began time.Time
	stack []uintptr
}

// set notes that the caller's caller begins a section.
func (m *mark) set() {
	var pcs [32]uintptr
	n := runtime.Callers(3, pcs[:])
	m.lock.Lock()
	m.began, m.stack = time.Now(), append(m.stack[:0], pcs[:n]...)
	m.lock.Unlock()
}

// holdup returns the holdup that a reader is.
func (m *mark) holdup(reader string) Holdup {
	m.lock.Lock()
	defer m.lock.Unlock()
	h := Holdup{Reader: reader}
	if len(m.stack) > 0 {
		h.Since, h.Stack = time.Since(m.began), callers(m.stack)
	}
	return h
}

// callers returns a stack in lines, "function file:line".
func callers(pcs []uintptr) string {
	var b strings.Builder
	frames := runtime.CallersFrames(pcs)
	for {
		f, more := frames.Next()
		fmt.Fprintf(&b, "%s %s:%d\n", f.Function, f.File, f.Line)
		if !more {
			return b.String()
		}
	}
}

// sections are the read-side critical sections of a Domain, under Config.Trace.
type sections struct {
	lock  sync.Mutex // guards what follows
	open  map[*section]bool
	given int
}

// A section is one of them.
type section struct {
	mark
	number int
}

func (s *sections) begin() *section {
	c := new(section)
	c.set()
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.open == nil {
		s.open = map[*section]bool{}
	}
	s.given++
	c.number = s.given
	s.open[c] = true
	return c
}

func (s *sections) end(c *section) {
	s.lock.Lock()
	defer s.lock.Unlock()
	delete(s.open, c)
}

func (s *sections) holdups() []Holdup {
	s.lock.Lock()
	defer s.lock.Unlock()
	var all []Holdup
	for c := range s.open {
		all = append(all, c.holdup(fmt.Sprintf("section %d", c.number)))
	}
	return all
}
