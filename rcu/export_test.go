package rcu

// SetFenced says whether readers execute fences, and returns a function that undoes
// it.
func SetFenced(f bool) (undo func()) {
	was := fenced
	fenced = f
	return func() { fenced = was }
}

// SetClock gives grace periods another clock, and returns a function that undoes
// it.
func SetClock(now func() int64) (undo func()) {
	was := nanotime
	nanotime = now
	return func() { nanotime = was }
}

// SetAtATime makes walks take n readers at a time, and returns a function that
// undoes it.
func SetAtATime(n int) (undo func()) {
	was := atATime
	atATime = n
	return func() { atATime = was }
}

// A Registry is a registry of numbers, for the registry's own test.
type Registry struct {
	registry[int]
	places map[int]*place
}

func (g *Registry) Add(n int) {
	if g.places == nil {
		g.places = map[int]*place{}
	}
	g.places[n] = new(place)
	g.add(&n, g.places[n])
}

func (g *Registry) Remove(n int) bool { return g.remove(g.places[n]) }

func (g *Registry) Walk(yield func(n int) bool) {
	for n := range g.walk {
		if !yield(*n) {
			return
		}
	}
}

// Now returns the word of a reader that has been quiescent in the latest grace
// period.
func (q *QSBR) Now() uint64 { return q.now.Load() }

// IsOnline reports whether grace periods wait for r.
func (r *QuiescentReader) IsOnline() bool { return r.word.Load() != 0 }

// InSections puts r in n sections, one inside the other.
func (r *Reader) InSections(n uint32) *Reader {
	r.word.Store(r.domain.now.Load() - 1 + n)
	return r
}

// MostSections is how many sections a Reader can be in.
const MostSections = nesting

// ReadAhead counts n readers in that have no goroutine, on CPU 0, and returns one of
// their sections.
func (d *Domain) ReadAhead(n uint64) Section {
	set := d.sets.set()
	d.sets.on.At(0).came[set].Add(n)
	return Section{set: set}
}

// EndAhead ends n of those sections.
func (d *Domain) EndAhead(s Section, n uint64) { d.sets.on.At(0).left[s.set].Add(n) }

// Itself returns u, which stays in memory for as long as the flavour that it is
// part of.
func (u *Updater) Itself() *Updater { return u }

// Started reports whether there is a goroutine for callbacks.
func (u *Updater) Started() bool { return u.callbacks.started.Load() }

// Running reports whether a grace period is running.
func (u *Updater) Running() bool { return u.seq.Load()&1 == 1 }

// Hurried reports whether grace periods should be expedited.
func (u *Updater) Hurried() bool { return u.hurry.Load() != 0 }

// SlowDown is what Call does if it finds n callbacks, more than Config.HighWater.
func (u *Updater) SlowDown(n int64) { u.slowDown(n) }

// Members returns how many goroutines wait for the next grace period together.
func (u *Updater) Members() (n int) {
	for m := u.group.Load(); m != nil; m = m.next.Get() {
		n++
	}
	return n
}
