package rcu

import (
	"fmt"
	"strconv"
	"strings"

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
	d.sets.careful, d.sets.traced = fenced || cfg.Trace, cfg.Trace
	return d
}

// ReadLock begins a read-side critical section. The caller, or another goroutine,
// ends it by passing the returned Section to [Domain.ReadUnlock]. Until then
// Config.Trace counts the goroutine that began it as inside.
func (d *Domain) ReadLock() Section {
	cpu := primitives.Pin()
	t := d.sets.on.Find(cpu) // Find inlines: two calls fewer in each section
	if t == nil {
		t = d.sets.on.At(cpu)
	}
	set := d.sets.set()
	if !d.sets.careful {
		t.enter(set)
	} else if t.enterCarefully(set); d.cfg.Trace {
		primitives.Unpin()
		return Section{set, d.sections.begin(set, goroutine())}
	}
	primitives.Unpin()
	return Section{set: set}
}

// ReadUnlock ends a read-side critical section. If s is not of d, or has been
// ended, it panics under Config.Trace. Without Config.Trace a later grace period
// panics when it finds more sections ended than begun, in Synchronize or in the
// goroutine of callbacks; until then a grace period may end too early.
func (d *Domain) ReadUnlock(s Section) {
	if d.sets.traced {
		d.sections.end(s.trace)
	}
	cpu := primitives.Pin()
	t := d.sets.on.Find(cpu)
	if t == nil {
		t = d.sets.on.At(cpu)
	}
	t.leave(s.set)
	primitives.Unpin()
}

func (d *Domain) wait(g *grace) { d.sets.wait(g) }

// reads needs Config.Trace.
func (d *Domain) reads() *mark {
	if !d.cfg.Trace {
		return nil
	}
	return d.sections.of(goroutine())
}

// holdups without Config.Trace can tell only the CPUs on which more sections began
// than ended. A section that ends on another CPU than the one where it began
// distorts that.
func (d *Domain) holdups() []Holdup {
	if d.cfg.Trace {
		return d.sections.holdups(d.sets.draining)
	}
	inside := 0
	var cpus []string
	for cpu := range d.sets.on.Len() {
		n := int(d.sets.inside(cpu, d.sets.draining))
		if inside += n; n > 0 {
			cpus = append(cpus, strconv.Itoa(cpu))
		}
	}
	if inside <= 0 {
		return nil
	}
	return []Holdup{{Reader: fmt.Sprintf("%d in sections begun on CPU %s (Config.Trace would tell which)", inside, strings.Join(cpus, " or "))}}
}
