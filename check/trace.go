package check

import (
	"cmp"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/check/internal/machine"
	"github.com/lockbench/lockbench/check/internal/show"
)

// failureOn returns a failure on a schedule of the present workers of a machine.
func failureOn(vm *machine.VM, s machine.Script, kind machine.Kind, message string) *Failure {
	return &Failure{Kind: Kind(kind), Message: message, Workers: vm.Names(), Token: s.String()}
}

func callsOf(places []machine.Place) (calls []Call) {
	for _, p := range places {
		calls = append(calls, Call{p.File, p.Line, p.Func})
	}
	return calls
}

// noMarks are those of a step that is no step of the machine.
var noMarks = show.Marks{Object: -1, From: -1}

// conflict reports whether two accesses to a Cell may be a race.
func conflict(e, other *machine.Entry) bool {
	plain := other.Kind == machine.OpRead || other.Kind == machine.OpWrite
	return plain && e.Object == other.Object && (e.Kind == machine.OpWrite || other.Kind == machine.OpWrite)
}

// newFailure returns a failed execution in the form that people read.
func newFailure(t *machine.Trace) *Failure {
	n := show.NewNames(t)
	f := &Failure{
		Kind: Kind(t.Fault.Kind), Message: t.Fault.Message, Workers: t.Workers,
		Token: t.Script.String(), Stack: callsOf(t.Fault.Stack),
	}
	for i := range t.Entries {
		f.Steps = append(f.Steps, stepOf(&t.Entries[i], n))
	}
	sources(f.Steps, t.Entries)
	last := len(t.Entries) - 1
	switch f.Kind {
	case DataRace:
		for i := last - 1; i >= 0; i-- {
			if t.Entries[i].Proc.Worker() == t.Fault.Other && conflict(&t.Entries[last], &t.Entries[i]) {
				f.Steps[i].Failed, f.Steps[last].Failed = true, true
				f.Message = fmt.Sprintf("step %d (%v) and step %d (%v) access %s, and nothing orders them",
					i+1, f.Workers[f.Steps[i].Worker], last+1, f.Workers[f.Steps[last].Worker], f.Steps[last].Name)
				break
			}
		}
		if t.Steps == 0 {
			f.Message += "; no step of package primitives was seen: a lock that is written against sync or sync/atomic orders nothing here, want its words, Spin and Parker"
		}
	case Deadlock:
		f.Waits = waits(t, n)
	case Livelock:
		if last >= 0 {
			f.Steps[last].Failed = true
		}
	default:
		what := f.Message
		if text := n.Asserted(t.Fault.At); f.Kind == Assertion && text != "" {
			f.Message, what = text+" is false", "Assert"
		}
		at := t.Fault.At
		if f.Kind == Misuse {
			what = cmp.Or(at.Method, what)
		}
		f.Steps = append(f.Steps, Step{
			Worker: t.Fault.Worker, Op: what, Failed: true,
			File: at.File, Line: at.Line, Func: at.Func, marks: noMarks,
		})
	}
	return f
}

// stepOf returns an entry in the form that people read.
func stepOf(e *machine.Entry, n *show.Names) Step {
	s := Step{
		Worker: e.Proc.Worker(), Op: e.At.Method, File: e.At.File, Line: e.At.Line, Func: e.At.Func,
		marks: show.Marks{Object: int(e.Object), From: -1},
	}
	if e.Object >= 0 {
		s.Name = n.Name(e.Object)
	}
	switch {
	case e.Proc.IsBuffer():
		s.By = StoreBuffer
	case !e.Proc.IsWorker():
		s.By = Alarm
	}
	switch e.Kind {
	case machine.OpLoad:
		s.Old = n.Value(e.Object, e.Old)
	case machine.OpStore, machine.OpModify, machine.OpFlush:
		s.Old, s.New = n.Value(e.Object, e.Old), n.Value(e.Object, e.Now)
	case machine.OpCompareAndSwap:
		s.Old, s.New = n.Value(e.Object, e.Old), n.Value(e.Object, e.Now)
		if e.Old != e.Expect {
			s.New, s.Want = "", n.Value(e.Object, e.Expect)
		}
	case machine.OpIssue:
		s.New, s.marks.Issue = n.Value(e.Object, e.Now), true
	case machine.OpRead, machine.OpWrite:
		s.marks.Cell = true
	case machine.OpPark:
		s.New = "gives up"
		if e.Now != 0 {
			s.New = "is woken"
		}
	case machine.OpAnnounce:
		s.New = "announces"
	case machine.OpPin:
		s.Name, s.New = "", fmt.Sprintf("CPU %d", e.Now)
	case machine.OpUnpin:
		s.Name = ""
	case machine.OpExpire:
		s.Op = "ring"
	case machine.OpCancel:
		s.Op = "cancel"
	case machine.OpNow:
		s.Old = time.Duration(e.Now).String()
	case machine.OpErr:
		s.Op, s.Old = "Err", "nil"
		if e.Now != 0 {
			s.Old = "cancelled"
		}
	case machine.OpTimer:
		s.Op, s.Name = "timer fires", ""
	case machine.OpStop:
		s.Op, s.Name = "stop timer", ""
	case machine.OpChoose:
		switch {
		case s.Op == "Choose":
			s.New = fmt.Sprint(e.Now)
		case e.Now == 0:
			s.New = "goes on"
		default:
			s.New = "gives up"
		}
	}
	return s
}

// sources finds out which step wrote what each step read.
func sources(steps []Step, entries []machine.Entry) {
	wrote := make(map[int32]int) // object to step
	for i := range entries {
		e := &entries[i]
		if from, ok := wrote[e.Object]; ok {
			switch e.Kind {
			case machine.OpLoad, machine.OpModify, machine.OpCompareAndSwap, machine.OpPark, machine.OpErr:
				steps[i].marks.From = from
			}
		}
		switch e.Kind {
		case machine.OpStore, machine.OpFlush, machine.OpUnpark, machine.OpCancel:
			wrote[e.Object] = i
		case machine.OpModify, machine.OpCompareAndSwap:
			if e.Old != e.Now {
				wrote[e.Object] = i
			}
		}
	}
}

// waits returns what each worker waits for when none can continue.
func waits(t *machine.Trace, n *show.Names) []Wait {
	last := make([]string, len(t.Objects)) // values in memory
	for _, e := range t.Entries {
		switch e.Kind {
		case machine.OpLoad, machine.OpStore, machine.OpModify, machine.OpCompareAndSwap, machine.OpFlush:
			last[e.Object] = n.Value(e.Object, e.Now)
		}
	}
	var all []Wait
	for _, b := range t.Blocked {
		wait := Wait{Worker: b.Worker, Op: b.At.Method, File: b.At.File, Line: b.At.Line, Func: b.At.Func}
		switch {
		case b.CPU >= 0:
			wait.For = append(wait.For, Value{fmt.Sprintf("CPU %d", b.CPU), "taken"})
		case b.Parker >= 0:
			wait.For = append(wait.For, Value{n.Name(b.Parker), ""})
		}
		for _, id := range b.Words {
			wait.For = append(wait.For, Value{n.Name(id), last[id]})
		}
		all = append(all, wait)
	}
	return all
}
