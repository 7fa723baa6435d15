package sim

import "iter"

// A routine is a goroutine that runs when it is its turn: workers are, and the caller of
// Run.
//
// A goroutine rests in a place. That is an iterator of iter.Pull, which swaps two
// goroutines: its next lets the goroutine go on that rests there and has the caller rest
// there; and so does the yield that it gave to its function. Next and yield must alternate,
// but any goroutine may call them. So a goroutine that rests in the place of another lets
// a third one go on, directly; to return to the caller of Run each time would take two
// swaps.
type routine struct {
	rests *place // where; nil while it runs
}

// A place is where a routine rests. Each worker brings one, in which it rests at first; at
// its end it leaves it, and the one that rests there then goes on.
type place struct {
	next   func() (struct{}, bool)
	yield  func(struct{}) bool
	called bool // next was called last, so yield must be now
}

// newPlace returns a place in which a goroutine rests that will run f.
func newPlace(f func()) *place {
	p := new(place)
	p.next, _ = iter.Pull(func(yield func(struct{}) bool) {
		p.yield = yield
		f()
	})
	return p
}

// hand gives the turn of r, which runs, to another, and returns when r has it again.
func (m *machine) hand(r, to *routine) {
	m.turn = to
	for m.turn != r { // also if r goes on because a worker has ended
		p := m.turn.rests
		m.turn.rests, r.rests = nil, p
		if p.called = !p.called; p.called {
			p.next()
		} else {
			p.yield(struct{}{})
		}
		r.rests = nil
	}
}
