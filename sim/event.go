package sim

// An event happens at some time.
type event struct {
	at    picos
	class class
	tie   uint32 // of events at the same time and of the same class, the smallest comes first
	seq   uint64 // and of those the one that was scheduled first
	what  any    // *worker, *line, *cpu or *timer: what it happens to
	turn  uint64 // the turn of a worker or line for which it was scheduled: later ones void it
}

// A class orders what happens at the same time.
type class uint8

const (
	effects class = iota // a worker goes on: its operation takes effect
	grants               // a line goes to the next CPU, once all effects on it are there
	others               // timers, and CPUs that look for work
)

func (e *event) before(f *event) bool {
	switch {
	case e.at != f.at:
		return e.at < f.at
	case e.class != f.class:
		return e.class < f.class
	case e.tie != f.tie:
		return e.tie < f.tie
	}
	return e.seq < f.seq
}

// events is a binary heap, the earliest event first. It is written here, because
// container/heap would call through an interface for each comparison, of which there are
// some ten for each contended operation.
type events []event

func (h *events) push(e event) {
	*h = append(*h, e)
	s := *h
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !s[i].before(&s[up]) {
			break
		}
		s[i], s[up] = s[up], s[i]
		i = up
	}
}

func (h *events) pop() event {
	s := *h
	first := s[0]
	n := len(s) - 1
	s[0] = s[n]
	s[n] = event{}
	s = s[:n]
	*h = s
	for i := 0; ; {
		down := 2*i + 1
		if down >= n {
			break
		}
		if down+1 < n && s[down+1].before(&s[down]) {
			down++
		}
		if !s[down].before(&s[i]) {
			break
		}
		s[i], s[down] = s[down], s[i]
		i = down
	}
	return first
}
