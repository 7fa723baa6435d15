package check

import (
	"cmp"
	"fmt"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

// A recorder notes what happens in an execution.
type recorder struct {
	entries []entry
	at      [maxWorkers]place   // where each worker waits, or was last
	issued  [maxWorkers][]place // where the stores in each worker's buffer are from
	pins    [maxWorkers][]place // where each worker was pinned, and is still
	kept    []unsafe.Pointer    // what words point to, so that its address stays its own
}

// An entry is a step as the machine knows it, or an event between two steps that a
// reader of the failure should see.
type entry struct {
	proc     proc
	kind     opKind
	object   int32
	old, now uint64
	cas      bool
	expect   uint64
	of       int // of a choice: how many ways there were; now is the one taken
	at       place
}

// A place is a call of the machine in the source.
type place struct {
	file   string
	line   int
	fn     string // the function that it is in
	method string // what is called
	typ    string // the type that has that method
}

func (p place) String() string { return fmt.Sprintf("%s:%d", shortFile(p.file), p.line) }

// step notes a step of p, or an access that is not a step.
func (r *recorder) step(m *vm, p proc, o *op, old, now uint64) {
	w := int(p) / 3
	e := entry{proc: p, kind: o.kind, object: o.object, old: old, now: now, cas: o.cas, expect: o.expect}
	switch p % 3 {
	case 0:
		e.at = caller()
		r.at[w] = e.at
		if o.kind == opIssue {
			r.issued[w] = append(r.issued[w], e.at)
		}
	case 1:
		e.at = r.issued[w][0]
		r.issued[w] = r.issued[w][1:]
	default:
		e.at = r.at[w]
	}
	if o.object >= 0 {
		if at := m.objects[o.object].at; at != nil {
			if _, pointer := at.Raw(); pointer != nil {
				r.kept = append(r.kept, pointer)
			}
		}
	}
	r.entries = append(r.entries, e)
}

// taken notes a step that has no value.
func (r *recorder) taken(p proc, o *op) {
	switch o.kind {
	case opWait, opAnnounce, opSleep, opTimer, opStop, opJoin:
		r.entries = append(r.entries, entry{proc: p, kind: o.kind, object: o.object, at: r.at[p/3]})
	}
}

// blocks notes where w is, before other workers run.
func (r *recorder) blocks(w *worker) { r.at[w.id] = caller() }

// chose notes that w took one of n ways.
func (r *recorder) chose(w *worker, way, n int) {
	at := caller()
	if at.method != "Choose" && !strings.HasPrefix(at.typ, "Spin") {
		return // the choice of a Park's deadline: the alarm's step shows it
	}
	r.entries = append(r.entries, entry{proc: w.proc(), kind: opChoose, object: -1, now: uint64(way), of: n, at: at})
}

// The import paths of packages that take steps for others: this package and that of
// the words. Their tests take steps for themselves.
var (
	ownPath        = functionPackage(callers()[0].Function)
	primitivesPath = strings.TrimSuffix(ownPath, "check") + "primitives"
)

func callers() []runtime.Frame {
	var pcs [64]uintptr
	var all []runtime.Frame
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		all = append(all, f)
		if !more {
			return all
		}
	}
}

// caller returns where the running worker called the machine, package primitives, or
// a context of the machine: the innermost call by another package.
func caller() place { return placeOf(callers()) }

func placeOf(frames []runtime.Frame) place {
	for i, f := range frames {
		if i == 0 || isMachine(f) {
			continue
		}
		if f.Function == ownPath+".(*worker).runs" {
			return place{}
		}
		p := place{file: f.File, line: f.Line, fn: f.Function}
		p.typ, p.method = splitMethod(frames[i-1].Function)
		return p
	}
	return place{}
}

// isMachine reports whether f takes steps for others.
func isMachine(f runtime.Frame) bool {
	switch functionPackage(f.Function) {
	case ownPath:
		return !strings.HasSuffix(f.File, "_test.go") && f.Function != ownPath+".(*worker).runs"
	case primitivesPath:
		return !strings.HasSuffix(f.File, "_test.go")
	case "context", "runtime":
		return true
	}
	return false
}

// functionPackage returns the import path of a function's package.
func functionPackage(fn string) string {
	slash := strings.LastIndexByte(fn, '/') + 1
	if dot := strings.IndexByte(fn[slash:], '.'); dot >= 0 {
		return fn[:slash+dot]
	}
	return fn
}

// splitMethod splits the name of a function into its receiver's type, if it has
// one, and its own: "Cell" and "Get" of "path/primitives.(*Cell[...]).Get".
func splitMethod(fn string) (typ, name string) {
	name = strings.TrimPrefix(fn, functionPackage(fn)+".")
	if rest, ok := strings.CutPrefix(name, "(*"); ok {
		if t, n, ok := strings.Cut(rest, ")."); ok {
			typ, name = t, n
		}
	}
	typ, _, _ = strings.Cut(typ, "[")
	name, _, _ = strings.Cut(name, ".") // of a closure, the function that it is in
	return typ, name
}

// conflicts reports whether two accesses to a Cell may be a race.
func (e *entry) conflicts(other *entry) bool {
	plain := other.kind == opRead || other.kind == opWrite
	return plain && e.object == other.object && (e.kind == opWrite || other.kind == opWrite)
}

// failure returns the execution in the form that people read.
func (r *recorder) failure(m *vm) *Failure {
	n := newNamer(m, r)
	f := m.failureOn(m.script, m.failure.kind, m.failure.message)
	for _, p := range m.failure.stack {
		f.Stack = append(f.Stack, Call{p.file, p.line, p.fn})
	}
	for i := range r.entries {
		f.Steps = append(f.Steps, n.step(&r.entries[i]))
	}
	r.sources(f.Steps)
	last := len(r.entries) - 1
	switch f.Kind {
	case DataRace:
		for i := last - 1; i >= 0; i-- {
			if int(r.entries[i].proc)/3 == m.failure.other && r.entries[last].conflicts(&r.entries[i]) {
				f.Steps[i].Failed, f.Steps[last].Failed = true, true
				f.Message = fmt.Sprintf("step %d (%v) and step %d (%v) access %s, and nothing orders them",
					i+1, f.Workers[f.Steps[i].Worker], last+1, f.Workers[f.Steps[last].Worker], f.Steps[last].Name)
				break
			}
		}
		if m.steps == 0 {
			f.Message += "; no step of package primitives was seen: a lock that is written against sync or sync/atomic orders nothing here, want its words, Spin and Parker"
		}
	case Deadlock:
		f.Waits = r.waits(m, n)
	case Livelock:
		if last >= 0 {
			f.Steps[last].Failed = true
		}
	default:
		what := f.Message
		if text := n.asserted(m.failure.at); f.Kind == Assertion && text != "" {
			f.Message, what = text+" is false", "Assert"
		}
		at := m.failure.at
		if f.Kind == Misuse {
			what = cmp.Or(at.method, what)
		}
		f.Steps = append(f.Steps, Step{
			Worker: m.failure.self, Op: what, Failed: true,
			File: at.file, Line: at.line, Func: at.fn, object: -1, from: -1,
		})
	}
	return f
}

// step returns an entry in the form that people read.
func (n *namer) step(e *entry) Step {
	s := Step{
		Worker: int(e.proc) / 3, Op: e.at.method, object: int(e.object), from: -1,
		File: e.at.file, Line: e.at.line, Func: e.at.fn,
	}
	if e.object >= 0 {
		s.Name = n.names[e.object]
	}
	switch e.proc % 3 {
	case 1:
		s.By = StoreBuffer
	case 2:
		s.By = Alarm
	}
	switch e.kind {
	case opLoad:
		s.Old = n.value(e.object, e.old)
	case opStore, opModify, opFlush:
		s.Old, s.New = n.value(e.object, e.old), n.value(e.object, e.now)
	case opCompareAndSwap:
		s.Old, s.New = n.value(e.object, e.old), n.value(e.object, e.now)
		if e.old != e.expect {
			s.New, s.Want = "", n.value(e.object, e.expect)
		}
	case opIssue:
		s.New, s.issue = n.value(e.object, e.now), true
	case opRead, opWrite:
		s.cell = true
	case opPark:
		s.New = "gives up"
		if e.now != 0 {
			s.New = "is woken"
		}
	case opAnnounce:
		s.New = "announces"
	case opPin:
		s.Name, s.New = "", fmt.Sprintf("CPU %d", e.now)
	case opUnpin:
		s.Name = ""
	case opExpire:
		s.Op = "ring"
	case opCancel:
		s.Op = "cancel"
	case opNow:
		s.Old = time.Duration(e.now).String()
	case opErr:
		s.Op, s.Old = "Err", "nil"
		if e.now != 0 {
			s.Old = "cancelled"
		}
	case opTimer:
		s.Op, s.Name = "timer fires", ""
	case opStop:
		s.Op, s.Name = "stop timer", ""
	case opChoose:
		switch {
		case s.Op == "Choose":
			s.New = fmt.Sprint(e.now)
		case e.now == 0:
			s.New = "goes on"
		default:
			s.New = "gives up"
		}
	}
	return s
}

// sources finds out which step wrote what each step read.
func (r *recorder) sources(steps []Step) {
	wrote := make(map[int32]int) // object to step
	for i := range r.entries {
		e := &r.entries[i]
		if from, ok := wrote[e.object]; ok {
			switch e.kind {
			case opLoad, opModify, opCompareAndSwap, opPark, opErr:
				steps[i].from = from
			}
		}
		switch e.kind {
		case opStore, opFlush, opUnpark, opCancel:
			wrote[e.object] = i
		case opModify, opCompareAndSwap:
			if e.old != e.now {
				wrote[e.object] = i
			}
		}
	}
}

// waits returns what each worker waits for when none can continue. It leaves out
// workers that wait for all the others to end.
func (r *recorder) waits(m *vm, n *namer) []Wait {
	last := make([]string, len(m.objects)) // values in memory
	for _, e := range r.entries {
		switch e.kind {
		case opLoad, opStore, opModify, opCompareAndSwap, opFlush:
			last[e.object] = n.value(e.object, e.now)
		}
	}
	var all []Wait
	for _, w := range m.workers[:m.live] {
		if w.state == finished || w.background || w.state == posted && m.pending[w.proc()].kind == opJoin {
			continue
		}
		at := r.at[w.id]
		wait := Wait{Worker: w.id, Op: at.method, File: at.file, Line: at.line, Func: at.fn}
		o := &m.pending[w.proc()]
		switch {
		case m.starver != nil && m.starver != w:
			wait.For = append(wait.For, Value{"CPU 0", "taken"})
		case w.state == watches:
			wait.For = append(wait.For, Value{n.names[w.watched], last[w.watched]})
		case o.kind == opWait:
			for _, s := range o.more {
				wait.For = append(wait.For, Value{n.names[s.object], last[s.object]})
			}
		case o.kind == opPin:
			wait.For = append(wait.For, Value{fmt.Sprintf("CPU %d", o.cpu), "taken"})
		case o.kind == opPark:
			wait.For = append(wait.For, Value{n.names[o.object], ""})
		}
		all = append(all, wait)
	}
	return all
}
