package rcu

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A Pinned is classic RCU: preemption is off in a read-side critical section,
// so only what runs at this moment can be in one. A section must not block, nor
// be long: the collector waits for it. Sections nest. [NewPinned] makes one.
type Pinned struct {
	Updater
	sets sets
}

// A PinnedSection is a read-side critical section of a [Pinned].
type PinnedSection struct {
	tally *tally
	set   uint32
}

// NewPinned returns a Pinned.
func NewPinned(cfg Config) *Pinned {
	p := new(Pinned)
	p.init(cfg, p)
	return p
}

// ReadLock begins a read-side critical section, and disables preemption until
// [Pinned.ReadUnlock]. Nothing in the section may block: no channel, no
// sync.Mutex, no I/O, nothing long; and a panic ends the program.
func (p *Pinned) ReadLock() PinnedSection {
	t := p.sets.at(primitives.Pin())
	set := p.sets.set()
	t.enter(set)
	return PinnedSection{t, set}
}

// ReadUnlock ends a read-side critical section. It is the goroutine's that
// began it.
func (p *Pinned) ReadUnlock(s PinnedSection) {
	s.tally.leave(s.set)
	primitives.Unpin()
}

func (p *Pinned) wait(g *grace) { p.sets.wait(g) }

// reads reports whether somebody is in a section on this CPU: that can only be
// the caller, who runs here.
func (p *Pinned) reads() bool {
	cpu := primitives.Pin()
	defer primitives.Unpin()
	return primitives.PinExcludes && cpu < p.sets.on.Len() && p.sets.inside(cpu) > 0
}

func (p *Pinned) holdups() []Holdup {
	var all []Holdup
	for cpu := range p.sets.on.Len() {
		if n := p.sets.inside(cpu); n > 0 {
			all = append(all, Holdup{Reader: fmt.Sprintf("CPU %d", cpu)})
		}
	}
	return all
}
