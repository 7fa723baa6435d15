package rcu

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A Domain is RCU for any goroutine: the kernel's sleepable RCU. A reader needs
// no registration. It may block in its read-side critical section, move to
// another CPU, and begin another section inside. [NewDomain] makes one.
//
// The source is Linux kernel/rcu/srcutree.c, with readers as in its fast form.
type Domain struct {
	Updater
	sets     sets
	sections sections // under Config.Trace
}

// A Section is a read-side critical section of a [Domain].
type Section struct {
	set   uint32
	trace *section // nil unless traced
}

// NewDomain returns a Domain.
func NewDomain(cfg Config) *Domain {
	d := new(Domain)
	d.init(cfg, d)
	return d
}

// ReadLock begins a read-side critical section. The Section it returns is for
// [Domain.ReadUnlock] to end it; another goroutine may do that.
func (d *Domain) ReadLock() Section {
	t := d.sets.at(primitives.Pin())
	set := d.sets.set()
	t.enter(set)
	primitives.Unpin()
	if d.cfg.Trace {
		return Section{set, d.sections.begin()}
	}
	return Section{set: set}
}

// ReadUnlock ends a read-side critical section.
func (d *Domain) ReadUnlock(s Section) {
	if s.trace != nil {
		d.sections.end(s.trace)
	}
	d.sets.at(primitives.Pin()).leave(s.set)
	primitives.Unpin()
}

func (d *Domain) wait(g *grace) { d.sets.wait(g) }

// reads cannot be known.
func (d *Domain) reads() bool { return false }

func (d *Domain) holdups() []Holdup {
	if d.cfg.Trace {
		return d.sections.holdups()
	}
	inside := int32(0)
	for cpu := range d.sets.on.Len() {
		inside += d.sets.inside(cpu)
	}
	if inside <= 0 {
		return nil
	}
	return []Holdup{{Reader: fmt.Sprintf("%d sections (Config.Trace would tell which)", inside)}}
}
