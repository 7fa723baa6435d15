package machine

import (
	"strings"
	"unsafe"
)

// A recorder notes what happens in an execution.
type recorder struct {
	entries []Entry
	at      [MaxWorkers]Place   // where each worker waits, or was last
	issued  [MaxWorkers][]Place // where the stores in each worker's buffer are from
	pins    [MaxWorkers][]Place // where each worker was pinned, and is still
	kept    []unsafe.Pointer    // what words point to, so that its address stays its own
}

// An Entry is a step as the machine knows it, or an event between two steps that a
// reader of the failure should see.
type Entry struct {
	Proc     Proc
	Kind     OpKind
	Object   int32
	Old, Now uint64
	Expect   uint64 // of a CompareAndSwap: the value that it wants
	At       Place
}

// step notes a step of p, or an access that is not a step.
func (r *recorder) step(m *memory, p Proc, o *Op, old, now uint64) {
	w := p.Worker()
	e := Entry{Proc: p, Kind: o.Kind, Object: o.Object, Old: old, Now: now, Expect: o.expect}
	switch {
	case p.IsWorker():
		e.At = caller()
		r.at[w] = e.At
		if o.Kind == OpIssue {
			r.issued[w] = append(r.issued[w], e.At)
		}
	case p.IsBuffer():
		e.At = r.issued[w][0]
		r.issued[w] = r.issued[w][1:]
	default:
		e.At = r.at[w]
	}
	if o.Object >= 0 {
		if at := m.objects[o.Object].At; at != nil {
			if _, pointer := at.Raw(); pointer != nil {
				r.kept = append(r.kept, pointer)
			}
		}
	}
	r.entries = append(r.entries, e)
}

// taken notes a step that has no value.
func (r *recorder) taken(p Proc, o *Op) {
	switch o.Kind {
	case OpWait, OpAnnounce, OpSleep, OpTimer, OpStop, OpJoin:
		r.entries = append(r.entries, Entry{Proc: p, Kind: o.Kind, Object: o.Object, At: r.at[p.Worker()]})
	}
}

// blocks notes where w is, before other workers run.
func (r *recorder) blocks(w *worker) { r.at[w.id] = caller() }

// chose notes which way of a choice w took.
func (r *recorder) chose(w *worker, way int) {
	at := caller()
	if at.Method != "Choose" && !strings.HasPrefix(at.Type, "Spin") {
		return // the choice of a Park's deadline: the alarm's step shows it
	}
	r.entries = append(r.entries, Entry{Proc: w.proc(), Kind: OpChoose, Object: -1, Now: uint64(way), At: at})
}
