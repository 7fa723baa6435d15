package rcu

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A Pinned is classic RCU: preemption is off in a read-side critical section, so
// only a goroutine that runs at this moment can be in one. A section must not
// block, and must be short, because the collector waits for it. Sections nest.
// [NewPinned] makes one.
type Pinned struct {
	Updater
	sets  sets
	marks primitives.PerCPU[mark] // under Config.Trace, of outermost sections

	_ [3]primitives.CacheLine // of 512 bytes or more, it begins a line and shares none
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
	p.sets.careful, p.sets.traced = fenced || cfg.Trace, cfg.Trace
	return p
}

// ReadLock begins a read-side critical section, and disables preemption until
// [Pinned.ReadUnlock]. Nothing in the section may block: no channel, no
// sync.Mutex, no I/O, nothing long; and a panic ends the program.
func (p *Pinned) ReadLock() PinnedSection {
	cpu := primitives.Pin()
	t := p.sets.on.Find(cpu)
	if t == nil {
		t = p.sets.on.At(cpu)
	}
	set := p.sets.set()
	if !p.sets.careful {
		t.enter(set)
	} else if t.enterCarefully(set); p.cfg.Trace {
		p.mark()
	}
	return PinnedSection{t, set}
}

// mark notes where an outermost section begins. The caller is pinned.
func (p *Pinned) mark() {
	cpu := primitives.Pin() // once more, for the number
	if p.depth(cpu) == 1 {
		p.marks.At(cpu).set(0)
	}
	primitives.Unpin()
}

// ReadUnlock ends a read-side critical section. The goroutine that began the
// section must call it. Under Config.Trace it panics if s is not of p, or has been
// ended, or was begun by another goroutine.
func (p *Pinned) ReadUnlock(s PinnedSection) {
	if p.sets.traced {
		p.check(s)
	}
	s.tally.leave(s.set)
	primitives.Unpin()
}

// check panics if there is no such section on this CPU.
func (p *Pinned) check(s PinnedSection) {
	if s.tally == nil {
		panic("rcu: ReadUnlock of a PinnedSection that no ReadLock has returned")
	}
	cpu := primitives.Pin() // once more, for the number
	primitives.Unpin()
	if here := p.sets.on.At(cpu); primitives.PinExcludes && (here != s.tally || p.sets.inside(cpu, s.set) <= 0) {
		panic(misuse("ReadUnlock of a section that is not of this goroutine, or has ended", "the last one here began at", p.marks.At(cpu)))
	}
}

func (p *Pinned) wait(g *grace) { p.sets.wait(g) }

// depth returns how many sections there are on a CPU, one inside the other.
func (p *Pinned) depth(cpu int) int64 { return p.sets.inside(cpu, 0) + p.sets.inside(cpu, 1) }

// reads looks whether a goroutine is in a section on this CPU. That can only be the
// caller, which runs here.
func (p *Pinned) reads() *mark {
	cpu := primitives.Pin()
	defer primitives.Unpin()
	if !primitives.PinExcludes || cpu >= p.sets.on.Len() || p.depth(cpu) <= 0 {
		return nil
	}
	return p.marks.At(cpu)
}

func (p *Pinned) holdups() []Holdup {
	var all []Holdup
	for cpu := range p.sets.on.Len() {
		if p.sets.inside(cpu, p.sets.draining) <= 0 {
			continue
		}
		h := Holdup{Reader: fmt.Sprintf("CPU %d", cpu)}
		if p.cfg.Trace {
			h = p.marks.At(cpu).holdup(h.Reader)
		}
		all = append(all, h)
	}
	return all
}
