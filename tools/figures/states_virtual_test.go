//go:build virtual

package main

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/anderson"
	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/internal/engine"
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/qspinlock"
	"github.com/lockbench/lockbench/reciprocating"
	"github.com/lockbench/lockbench/rwlock"
	"github.com/lockbench/lockbench/seqlock"
	"github.com/lockbench/lockbench/spinlock"
	"github.com/lockbench/lockbench/ticket"
)

// A move is a change of a lock's words: the states before and after it, and the method that
// made it.
type move struct{ from, to, by string }

// A witness is the engine of a search that looks at a lock after each step that may have
// changed it. It has no store buffers: a store is a step.
type witness struct {
	engine.Engine
	look  func() words // at the lock of this execution
	name  func(words) string
	last  words
	moves map[move]bool
	waits map[move]bool // of workers that wait: from is to
}

// words are what a state is told from.
type words [3]uint64

// changing is what a look finds while a worker has the lock under which more than one word,
// or a list, changes.
var changing = words{^uint64(0), ^uint64(0), ^uint64(0)}

func (w *witness) Done(addr unsafe.Pointer, old, now uint64) {
	w.Engine.Done(addr, old, now)
	w.see()
}

func (w *witness) StoreRelease(addr unsafe.Pointer, at engine.Location, val, mask uint64) {
	w.Engine.Access(addr, at, engine.Store, 0)
	old, _ := at.Raw()
	now := old&^mask | val&mask
	at.SetRaw(now, nil)
	w.Done(addr, old, now)
}

func (w *witness) Wait(pinned bool, d time.Duration) {
	state := w.name(w.last)
	w.waits[move{state, state, method()}] = true
	w.Engine.Wait(pinned, d)
}

// see notes what has changed.
func (w *witness) see() {
	if w.look == nil {
		return
	}
	if now := w.look(); now != w.last && now != changing {
		w.moves[move{w.name(w.last), w.name(now), method()}] = true
		w.last = now
	}
}

// method returns the method of a lock that the worker is in: the last one of a package of
// this module that the test called.
func method() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	inside := ""
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "tools/figures.") && !strings.Contains(f.Function, "witness") && !strings.HasSuffix(f.Function, ".method") {
			return inside
		}
		inside = f.Function[strings.LastIndexByte(f.Function, '.')+1:]
		if !more {
			return inside
		}
	}
}

// word returns the value of a field of the struct at lock, which may be nested: "line.first".
func word[T any](lock any, field string) T {
	v := reflect.ValueOf(lock).Elem()
	for name := range strings.SplitSeq(field, ".") {
		v = v.FieldByName(name)
	}
	return *(*T)(unsafe.Pointer(v.UnsafeAddr()))
}

// A subject is what a diagram is of: a lock that workers use.
type subject struct {
	// lock returns a fresh lock, and workers that use it.
	lock func() (lock any, workers []func())
	look func(lock any) words
	name func(words) string
}

// explore returns what the workers do on random schedules.
func (s subject) explore(t *testing.T, schedules int) (moves, waits map[move]bool) {
	t.Helper()
	w := &witness{name: s.name, moves: make(map[move]bool), waits: make(map[move]bool)}
	r, err := check.Run(check.Config{Mode: check.Random, Nodes: 2, Seed: 1, Schedules: schedules}, func(m *check.Machine) {
		if w.Engine == nil {
			w.Engine = engine.Current()
			engine.Leave()
			engine.Enter(w)
		}
		w.look = nil
		lock, workers := s.lock()
		w.look = func() words { return s.look(lock) }
		w.last = w.look()
		for _, worker := range workers {
			m.Go(worker)
		}
	})
	if err != nil || r.Failure != nil {
		t.Fatalf("%v %v", err, r.Failure)
	}
	return w.moves, w.waits
}

// differences returns how a diagram differs from what its subject was seen to do.
func (d diagram) differences(moves, waits map[move]bool) (all []string) {
	drawn := make(map[move]bool)
	for _, by := range d.within {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(moves)), func(m move) bool { return m.from == m.to && m.by == by }) {
			all = append(all, by+" was not seen to go from a state to itself")
		}
	}
	for _, m := range d.moves {
		for _, by := range m.by {
			it := move{m.from, m.to, by}
			if m.waits {
				if !waits[it] {
					all = append(all, fmt.Sprintf("%s does not wait at %s", by, m.from))
				}
				continue
			}
			drawn[it] = true
			if !moves[it] {
				all = append(all, fmt.Sprintf("%s was not seen to go from %s to %s", by, m.from, m.to))
			}
		}
	}
	for m := range moves {
		if !drawn[m] && !(m.from == m.to && slices.Contains(d.within, m.by)) {
			all = append(all, fmt.Sprintf("%s goes from %s to %s, and that is not drawn", m.by, m.from, m.to))
		}
	}
	slices.Sort(all)
	return all
}

// excludes returns a maker of a lock and workers that lock it, and one that tries to.
func excludes[L any, P interface {
	*L
	Lock()
	TryLock() bool
	Unlock()
}]() (any, []func()) {
	l := P(new(L))
	lock := func() { l.Lock(); l.Unlock() }
	return l, []func(){lock, lock, lock, func() {
		if l.TryLock() {
			l.Unlock()
		}
	}}
}

// oneWord looks at a word of 32 bits.
func oneWord(field string) func(any) words {
	return func(lock any) words { return words{uint64(word[uint32](lock, field))} }
}

func decimal(w words) string { return fmt.Sprint(w[0]) }

// tail is the state of the tail of an mcs.Lock or a CNA.
func tail(w words) string {
	if w[0] == 1 {
		return "own"
	}
	return some(w[0], "w")
}

// some is n for any number above 0.
func some(n uint64, name string) string {
	if n == 0 {
		return "0"
	}
	return name
}

// subjects has the subjects of the diagrams, by name.
var subjects = map[string][]subject{
	"cas": {
		{excludes[spinlock.TAS], oneWord("word"), decimal},
		{excludes[spinlock.TTAS], oneWord("word"), decimal},
		{excludes[spinlock.Backoff], oneWord("word"), decimal},
	},
	"ticket": {{
		excludes[ticket.Lock],
		func(lock any) words {
			return words{uint64(word[uint32](lock, "next")), uint64(word[uint32](lock, "owner"))}
		},
		func(w words) string {
			if n := w[0] - w[1]; n < 2 {
				return fmt.Sprint(n)
			}
			return "1+n"
		},
	}},
	"anderson": {{
		excludes[anderson.Lock],
		func(lock any) words {
			next := word[uint32](lock, "next")
			slots := reflect.ValueOf(lock).Elem().FieldByName("slots")
			behind := uint32(0) // the last ticket granted is that much before next
			for *(*uint32)(unsafe.Pointer(slots.Index(int(next-behind) % anderson.Slots).UnsafeAddr())) != next-behind {
				behind++
			}
			return words{uint64(next), uint64(behind)}
		},
		func(w words) string {
			if w[1] < 2 {
				return fmt.Sprint(w[1])
			}
			return "1+n"
		},
	}},
	"mcs": {{excludes[mcs.Lock], oneWord("tail"), tail}},
	"clh": {{
		func() (any, []func()) {
			lock, workers := excludes[mcs.CLH]()
			return lock, append(workers, func() { workers[0](); workers[3]() })
		},
		func(lock any) words {
			place, over := word[uint64](lock, "tail"), word[uint64](lock, "over")
			if number := uint32(place & 0xffff); number != 0 {
				over = word[uint64](waiter.At(number), "Place")
			}
			return words{place, over >> 16}
		},
		func(w words) string {
			name := some(w[0]&0xffff, "w")
			if name == "0" {
				name = "own"
			}
			if w[1] >= w[0]>>16 {
				name += ",over"
			}
			return name
		},
	}},
	"cna": {{excludes[mcs.CNA], oneWord("tail"), tail}},
	"reciprocating": {{
		excludes[reciprocating.Lock], oneWord("arrivals"),
		func(w words) string {
			if w[0] == 1 {
				return "held"
			}
			return some(w[0], "n")
		},
	}},
	"qspinlock": {{
		excludes[qspinlock.Lock], oneWord("word"),
		func(w words) string {
			return fmt.Sprintf("%s,%d,%d", some(w[0]>>16, "n"), w[0]>>8&1, w[0]&0xff)
		},
	}},
	"rwlock": {{
		func() (any, []func()) {
			l := new(rwlock.ReaderPref)
			read := func() { l.RLock(); l.RUnlock() }
			write := func() { l.Lock(); l.Unlock() }
			return l, []func(){read, read, write, write, func() {
				if l.TryRLock() {
					l.RUnlock()
				}
				if l.TryLock() {
					l.Unlock()
				}
			}}
		},
		oneWord("word.word"),
		func(w words) string { return some(w[0]>>9, "n") + "," + some(w[0]&0xff, "W") },
	}},
	"semaphore": {{
		func() (any, []func()) {
			s := blocking.NewSemaphore(2)
			use := func() { s.Down(); s.Up() }
			return s, []func(){use, use, use, use, func() {
				if s.TryDown() {
					s.Up()
				}
			}}
		},
		func(lock any) words { return words{word[uint64](lock, "word")} },
		func(w words) string {
			held := "h"
			if w[0]>>32 == 2 {
				held = "s"
			}
			return fmt.Sprintf("%s,%d,s", held, w[0]>>31&1)
		},
	}},
	"seqlock": {{
		func() (any, []func()) {
			l := &seqlock.Lock{Tries: 1}
			read := func() { l.Read(func() {}) }
			return l, []func(){read, read, func() { l.Lock(); l.Unlock() }, func() {
				if l.TryLock() {
					l.Unlock()
				}
			}}
		},
		func(lock any) words {
			return words{uint64(word[uint32](lock, "guard.word")), word[uint64](lock, "seq")}
		},
		func(w words) string {
			who := strings.TrimLeft(some(w[0]>>8, "n")+some(w[0]&0xff, "W"), "0")
			who = cmp.Or(strings.TrimRight(who, "0"), "0")
			return who + "," + []string{"even", "odd"}[w[1]&1]
		},
	}},
	"mutex": {{
		func() (any, []func()) {
			m := new(blocking.Mutex)
			use := func() { m.Lock(); m.Unlock(); m.Lock(); m.Unlock() }
			return m, []func(){use, use, use, use, func() {
				if m.TryLock() {
					m.Unlock()
				}
			}}
		},
		oneWord("word"),
		func(w words) string {
			s := blocking.DecodeMutex(uint32(w[0]))
			name := "0"
			switch {
			case s.Pickup:
				name = "P"
			case s.Held:
				name = "L"
			}
			if s.Waiting > 0 && !s.Pickup {
				name += ",n"
			}
			return name
		},
	}},
	"completion": {{
		func() (any, []func()) {
			c := new(blocking.Completion)
			wait := func() { c.Wait() }
			complete := func() { c.Complete() }
			return c, []func(){wait, wait, complete, complete, func() { c.CompleteAll() }}
		},
		func(lock any) words {
			if word[uint32](lock, "line.lock.word") != 0 {
				return changing
			}
			line := uint64(0)
			for w := word[unsafe.Pointer](lock, "line.first"); w != nil; w = *(*unsafe.Pointer)(w) {
				line++
			}
			return words{uint64(word[uint32](lock, "done")), line}
		},
		func(w words) string {
			name := some(w[0], "k")
			if w[0] == 1<<32-1 {
				name = "all"
			}
			if w[1] > 0 {
				name += ",line"
			}
			return name
		},
	}},
}

// Each diagram has the moves that its lock makes on some schedule, and no other.
func TestDiagramsTrue(t *testing.T) {
	for _, d := range diagrams {
		for i, s := range subjects[d.name] {
			moves, waits := s.explore(t, 2000)
			for _, difference := range d.differences(moves, waits) {
				t.Errorf("states-%s.svg, %d: %s", d.name, i, difference)
			}
		}
		if subjects[d.name] == nil {
			t.Errorf("states-%s.svg: no subject", d.name)
		}
	}
}

// What is drawn and does not happen is told, and what happens and is not drawn.
func TestDifferences(t *testing.T) {
	d := diagrams[slices.IndexFunc(diagrams, func(d diagram) bool { return d.name == "ticket" })]
	moves, waits := subjects["ticket"][0].explore(t, 500)
	if got := d.differences(moves, waits); got != nil {
		t.Fatalf("of what is true: %q", got)
	}
	all := d.moves
	d.moves = append(slices.Clone(all[1:]), transition{from: "0", to: "1+n", by: []string{"Lock"}}, transition{from: "0", to: "0", by: []string{"Unlock"}, waits: true})
	d.within = []string{"TryLock"}
	want := []string{
		"Lock goes from 0 to 1, and that is not drawn",
		"Lock was not seen to go from 0 to 1+n",
		"TryLock goes from 0 to 1, and that is not drawn",
		"TryLock was not seen to go from a state to itself",
		"Unlock does not wait at 0",
	}
	if got := d.differences(moves, waits); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
