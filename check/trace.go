package check

import (
	"fmt"
	"runtime"
	"strings"
)

// A Failure is a schedule that failed, step by step.
type Failure struct {
	Kind    Kind
	Message string
	Workers []string // the workers' names; the body is the first
	Steps   []Step
	Token   string // replays it: see [Config.Replay]
}

// A Step is one line of a schedule.
type Step struct {
	Worker   int    // number in Failure.Workers
	By       string // "", or "store buffer" or "alarm" if it is that of the worker
	Op       string // what was done: "Load", "CompareAndSwap", "Unpark"
	Object   int    // number of what it was done to, or -1: see Name
	Name     string // how the source calls that: "l.owner"; "" if it cannot be told
	Old, New uint64 // the value before and after; equal if the step did not write
	Valued   bool   // whether there are values
	File     string // where the source is
	Line     int
	Func     string // the function that it is in
}

// A recorder notes the steps of an execution.
type recorder struct{ steps []Step }

var opNames = [...]string{
	opLoad: "Load", opStore: "Store", opModify: "Modify", opCompareAndSwap: "CompareAndSwap",
	opFlush: "flush", opWait: "wait", opYield: "yield", opSleep: "Sleep", opLieDown: "lie down", opPark: "Park", opUnpark: "Unpark",
	opRing: "ring", opCancel: "cancel", opErr: "Err", opTimer: "timer", opStop: "stop",
	opPin: "Pin", opUnpin: "Unpin", opFence: "fence", opMembarrier: "Membarrier", opJoin: "Wait",
	opRead: "Get", opWrite: "Set", opIssue: "StoreRelease",
}

func (r *recorder) step(m *vm, p proc, o *op, old, now uint64) {
	s := Step{Worker: int(p) / 3, Op: opNames[o.kind], Object: int(o.object), Old: old, New: now}
	switch o.kind {
	case opLoad, opStore, opModify, opCompareAndSwap, opFlush, opIssue:
		s.Valued = true
	}
	switch p % 3 {
	case 1:
		s.By = "store buffer"
	case 2:
		s.By = "alarm"
	default:
		s.File, s.Line, s.Func = caller()
	}
	r.steps = append(r.steps, s)
}

// caller returns where the source is that takes the step: the first frame that
// is neither the machine's nor package primitives'.
func caller() (file string, line int, fn string) {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.Function, "lockbench/primitives.") && !strings.Contains(f.Function, "lockbench/check.(*vm)") &&
			!strings.Contains(f.Function, "lockbench/check.(*Machine)") && !strings.Contains(f.Function, "lockbench/check.(*scope)") {
			return f.File, f.Line, f.Function
		}
		if !more {
			return "", 0, ""
		}
	}
}

func (r *recorder) failure(m *vm) *Failure {
	f := &Failure{Kind: m.failure.kind, Message: m.failure.message, Steps: r.steps, Token: m.script.String()}
	for _, w := range m.workers[:m.live] {
		f.Workers = append(f.Workers, w.String())
	}
	return f
}

// String shows the schedule, one line a step.
func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", f.Kind, f.Message)
	for i, s := range f.Steps {
		fmt.Fprintf(&b, "%4d %-10s %-14s %3d %x -> %x  %s:%d %s %s\n", i+1, f.Workers[s.Worker], s.Op, s.Object, s.Old, s.New, s.File, s.Line, s.Func, s.By)
	}
	fmt.Fprintf(&b, "LOCKBENCH_REPLAY=%s\n", f.Token)
	return b.String()
}
