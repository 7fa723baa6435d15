package rcu

import (
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/spinlock"
)

// A Stall is a report of a grace period that is overdue.
type Stall struct {
	Name    string        // of the flavour, by Config.Name
	Age     time.Duration // of the grace period
	Period  uint64        // its number, from 1
	Holdups []Holdup      // the readers that hold it up, in the order of their numbers
	Stacks  string        // of all goroutines, as in a panic, up to 256 KiB; "" of a Pinned
}

// A Holdup is a reader that holds up a grace period.
type Holdup struct {
	Reader  string        // "CPU 3", "reader 17"
	Since   time.Duration // for how long it has been in its section …
	AtLeast bool          // … or longer: only Config.Trace knows the exact time
	Stack   string        // the stack where the section began; "" unless Config.Trace
	Now     string        // the present stack of the goroutine that began it; "" if Stacks lacks it, or unless Config.Trace

	goroutine uint64 // its id, or 0
}

// causes are the usual causes of stalls.
const causes = "a reader that does not run, or one that waits for something else: a lock that the updater holds, a channel"

// How much of a report a log has; OnStall gets all of it.
const (
	loggedHoldups = 20
	loggedStacks  = 16 << 10 // bytes
)

// stall reports a grace period.
func (u *Updater) stall(g *grace, now int64) {
	s := Stall{
		Name:    u.cfg.Name,
		Age:     time.Duration(now - g.began),
		Period:  u.seq.Load()/2 + 1,
		Holdups: u.protocol.holdups(),
	}
	// The runtime stops all goroutines to take all stacks, and goroutines with
	// preemption off do not stop.
	if _, pinned := u.protocol.(*Pinned); !pinned {
		s.Stacks = stacks()
	}
	for i := range s.Holdups {
		h := &s.Holdups[i]
		if h.Stack == "" {
			h.Since, h.AtLeast = time.Duration(now-g.turned), true
		}
		if h.goroutine != 0 {
			h.Now = stackOf(h.goroutine, s.Stacks)
		}
	}
	u.counters.stalls.Add(1)
	u.reporting.Store(goroutine())
	defer u.reporting.Store(0)
	u.cfg.Logger.Warn("rcu: a grace period is stalled", s.attrs()...)
	if u.cfg.OnStall != nil {
		u.cfg.OnStall(s)
	}
}

// attrs returns the attributes of s in a log.
func (s *Stall) attrs() []any {
	attrs := []any{
		slog.String("rcu", s.Name), slog.Duration("age", s.Age.Round(time.Millisecond)), slog.Uint64("period", s.Period),
		slog.String("look for", causes), slog.Int("holdups", len(s.Holdups)),
	}
	for i, h := range s.Holdups[:min(len(s.Holdups), loggedHoldups)] {
		attrs = append(attrs, slog.Any(fmt.Sprintf("holdup%d", i+1), h))
	}
	if s.Stacks != "" {
		stacks := s.Stacks
		if len(stacks) > loggedStacks {
			stacks = fmt.Sprintf("%s\n… and %d bytes more", stacks[:loggedStacks], len(stacks)-loggedStacks)
		}
		attrs = append(attrs, slog.String("stacks", stacks))
	}
	return attrs
}

// LogValue returns the value of h in a log.
func (h Holdup) LogValue() slog.Value {
	since := "since"
	if h.AtLeast {
		since = "since at least"
	}
	attrs := []slog.Attr{slog.String("reader", h.Reader), slog.Duration(since, h.Since.Round(time.Millisecond))}
	if h.Stack != "" {
		attrs = append(attrs, slog.String("began", h.Stack))
	}
	if h.Now != "" {
		attrs = append(attrs, slog.String("now", h.Now))
	}
	return slog.GroupValue(attrs...)
}

const stacksSize = 256 << 10

func stacks() string {
	buf := make([]byte, stacksSize)
	return string(buf[:runtime.Stack(buf, true)])
}

// stackOf returns the stack of one goroutine, or "" if it is not there.
func stackOf(goroutine uint64, stacks string) string {
	for stack := range strings.SplitSeq(stacks, "\n\n") {
		if goroutineOf(stack) == goroutine {
			return stack
		}
	}
	return ""
}

// A mark notes when and where a section began, under Config.Trace.
type mark struct {
	lock      spinlock.TTAS // guards the fields after it; pinned, because readers may be
	began     int64         // as of nanotime
	goroutine uint64        // or 0
	depth     int
	stack     [32]uintptr
}

// set notes that the caller's caller begins a section in that goroutine.
func (m *mark) set(goroutine uint64) {
	var pcs [len(m.stack)]uintptr
	n := runtime.Callers(3, pcs[:])
	now := nanotime()
	m.lock.LockPinned()
	m.began, m.goroutine, m.depth, m.stack = now, goroutine, n, pcs
	m.lock.UnlockPinned()
}

// disown notes that the goroutine of the section is not known.
func (m *mark) disown() {
	m.lock.LockPinned()
	m.goroutine = 0
	m.lock.UnlockPinned()
}

// of reports whether the section began in a goroutine.
func (m *mark) of(goroutine uint64) bool {
	m.lock.LockPinned()
	defer m.lock.UnlockPinned()
	return m.goroutine == goroutine
}

// where returns where the section began, or "" if nothing was noted.
func (m *mark) where() string { return m.holdup("").Stack }

// holdup returns the Holdup of a reader.
func (m *mark) holdup(reader string) Holdup {
	m.lock.LockPinned()
	began, goroutine, stack := m.began, m.goroutine, m.stack
	depth := m.depth
	m.lock.UnlockPinned()
	h := Holdup{Reader: reader, goroutine: goroutine}
	if depth > 0 {
		h.Since, h.Stack = time.Duration(nanotime()-began), callers(stack[:depth])
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

// sections has the read-side critical sections of a Domain, under Config.Trace.
type sections struct {
	lock  spinlock.TTAS // guards the fields after it; pinned, because readers may be
	open  map[*section]bool
	given int
}

// A section is one read-side critical section.
type section struct {
	mark   // where it began
	ended  mark
	number int
	set    uint32
}

// begin notes that the caller's caller begins a section in that goroutine.
func (s *sections) begin(set uint32, goroutine uint64) *section {
	c := &section{set: set}
	c.mark.set(goroutine)
	s.lock.LockPinned()
	defer s.lock.UnlockPinned()
	if s.open == nil {
		s.open = map[*section]bool{}
	}
	s.given++
	c.number = s.given
	s.open[c] = true
	return c
}

// end ends c. It panics if c has ended, or is not in s.
func (s *sections) end(c *section) {
	if c == nil {
		panic("rcu: ReadUnlock of a section that no ReadLock of this Domain has returned")
	}
	s.lock.LockPinned()
	open := s.open[c]
	if open {
		delete(s.open, c)
		c.ended.set(0)
	}
	s.lock.UnlockPinned()
	switch {
	case open:
	case c.ended.where() != "":
		panic(misuse("ReadUnlock of a section that has ended", "it ended at", &c.ended))
	default:
		panic(misuse("ReadUnlock of a section of another Domain", "it began at", &c.mark))
	}
}

// of returns the mark of an open section that the goroutine has begun, or nil.
func (s *sections) of(goroutine uint64) *mark {
	s.lock.LockPinned()
	defer s.lock.UnlockPinned()
	for c := range s.open {
		if c.of(goroutine) {
			return &c.mark
		}
	}
	return nil
}

// holdups returns the open sections of a set.
func (s *sections) holdups(set uint32) []Holdup {
	var held []*section
	s.lock.LockPinned()
	for c := range s.open {
		if c.set == set {
			held = append(held, c)
		}
	}
	s.lock.UnlockPinned()
	slices.SortFunc(held, func(a, b *section) int { return a.number - b.number })
	var all []Holdup
	for _, c := range held {
		all = append(all, c.holdup(fmt.Sprintf("section %d", c.number)))
	}
	return all
}
