package machine

import "slices"

// A Trace is what a failed execution was, step by step.
type Trace struct {
	Execution
	Workers []string // their names
	Entries []Entry
	Pending []Entry   // the steps that workers wait for
	Blocked []Blocked // what they wait for
	Objects []Object  // by number
}

// A Blocked says why a worker cannot continue. It waits in At for the first of these
// that there is: a CPU, a wake-up of a parker, or a change of one of some words.
type Blocked struct {
	Worker int
	At     Place
	CPU    int   // or -1
	Parker int32 // or -1
	Words  []int32
}

// Record is [VM.Run], with a trace of the execution if it fails.
func (m *VM) Record(s Search, body func()) (Outcome, *Trace) {
	m.recorder = new(recorder)
	defer func() { m.recorder = nil }()
	if outcome := m.Run(s, body); outcome != Failed {
		return outcome, nil
	}
	t := &Trace{Execution: m.Execution, Workers: m.Names(), Entries: m.recorder.entries, Objects: slices.Clone(m.objects)}
	for _, w := range m.workers[:m.Live] {
		if o := &m.pending[w.proc()]; w.state == posted && o.Object >= 0 {
			t.Pending = append(t.Pending, Entry{Proc: w.proc(), Kind: o.Kind, Object: o.Object, At: m.recorder.at[w.id]})
		}
	}
	t.Blocked = m.blocked()
	return Failed, t
}

// blocked returns what each worker waits for when none can continue. It leaves out
// workers that wait for all the others to end.
func (m *VM) blocked() (all []Blocked) {
	for _, w := range m.workers[:m.Live] {
		o := &m.pending[w.proc()]
		if w.state == finished || w.background || w.state == posted && o.Kind == OpJoin {
			continue
		}
		b := Blocked{Worker: w.id, At: m.recorder.at[w.id], CPU: -1, Parker: -1}
		switch {
		case m.starver != nil && m.starver != w:
			b.CPU = 0
		case w.state == watches:
			b.Words = []int32{w.watched}
		case o.Kind == OpWait:
			for _, s := range o.More {
				b.Words = append(b.Words, s.Object)
			}
		case o.Kind == OpPin:
			b.CPU = o.cpu
		case o.Kind == OpPark:
			b.Parker = o.Object
		}
		all = append(all, b)
	}
	return all
}
