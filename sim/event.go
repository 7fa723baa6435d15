package sim

// An event happens at some time.
type event struct {
	at    picos
	order uint64 // of events at the same time, the smallest comes first: see machine.push
	kind  kind
	what  int32  // what it happens to: the number of a worker, line, CPU or timer
	turn  uint32 // the turn of a worker or line for which it was scheduled: later ones void it
}

// A kind is what happens.
type kind uint8

const (
	resumes      kind = iota // a worker goes on: its operation takes effect
	storeArrives             // the oldest store in a CPU's buffer gets to memory
	isGranted                // a line goes to the next CPU
	looksForWork             // a CPU without a worker looks for one
	timerFires
)

// classes order what happens at the same time: a line goes to the next CPU once all effects
// on it are there, and all else comes after that.
var classes = [...]uint64{resumes: 0, storeArrives: 0, isGranted: 1, looksForWork: 2, timerFires: 2}

// push schedules what happens to the thing of that number. Chance decides between events
// of one class at the same time, and if that is the same too, the one that was scheduled
// first comes first.
func (m *machine) push(at picos, k kind, what int32, turn uint32) {
	m.seq++
	order := classes[k]<<62 | uint64(m.rng.Uint32()>>2)<<32 | uint64(m.seq)
	m.events.push(event{at: at, order: order, kind: k, what: what, turn: turn})
}

func (e *event) before(f *event) bool {
	if e.at != f.at {
		return e.at < f.at
	}
	return e.order < f.order
}

// events is a heap of four children a node, the earliest event first. It is written here
// because container/heap would call through an interface for each comparison, of which
// there are some ten for each contended operation.
type events []event

// first returns when the earliest event happens.
func (h events) first() picos {
	if len(h) == 0 {
		return never
	}
	return h[0].at
}

func (h *events) push(e event) {
	s := append(*h, e)
	*h = s
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 4
		if !e.before(&s[up]) {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = e
}

func (h *events) pop() event {
	s := *h
	first, e := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	*h = s
	if len(s) == 0 {
		return first
	}
	i := 0
	for {
		least := 4*i + 1
		if least >= len(s) {
			break
		}
		for j := least + 1; j < min(4*i+5, len(s)); j++ {
			if s[j].before(&s[least]) {
				least = j
			}
		}
		if !s[least].before(&e) {
			break
		}
		s[i] = s[least]
		i = least
	}
	s[i] = e
	return first
}
