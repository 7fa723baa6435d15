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

// ReadLock begins a read-side critical section. The Section it returns is for
// [Domain.ReadUnlock] to end it; another goroutine may do that. Until then, under
// Config.Trace, the goroutine that began it is taken to be in it.
func (d *Domain) ReadLock() Section {
	cpu := primitives.Pin()
	t := d.sets.on.Find(cpu) // which inlines: two calls fewer a section
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

// ReadUnlock ends a read-side critical section. If s is none of d's, or has been
// ended, it panics under Config.Trace. Otherwise a grace period does so later that
// finds more sections ended than begun, in Synchronize or in the goroutine of
// callbacks; until then one may be over too early.
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

// reads knows it under Config.Trace.
func (d *Domain) reads() *mark {
	if !d.cfg.Trace {
		return nil
	}
	return d.sections.of(goroutine())
}

// holdups without Config.Trace can only tell where sections began, and of those
// that ended on another CPU not even that: the CPUs are those on which more began
// than ended.
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
