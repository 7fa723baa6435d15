package search

import "github.com/lockbench/lockbench/check/internal/machine"

// A dpor searches by dynamic partial-order reduction with source sets and sleep
// sets: Abdulla, Aronis, Jonsson and Sagonas, "Optimal Dynamic Partial Order
// Reduction" (POPL 2014), algorithm 1.
//
// Two steps conflict if they access one object and one of them writes. Two
// executions that differ only in the order of steps that do not conflict are
// equivalent, and the search completes one of each class. It runs an execution
// to its end. For each race in it (two steps that conflict, with nothing in between
// that orders them) it has the other order tried from where the first of the two
// was taken.
//
// A load that sees the worker's own latest store sees the same in the store buffer
// as in memory, until another worker writes the word after the flush of that store.
// So it does not conflict with the flush, nor with what others write before that,
// but with the first write after the flush. These are the chronological traces of Abdulla,
// Aronis, Atig, Jonsson, Leonardsson and Sagonas, "Stateless Model Checking for TSO
// and PSO" (TACAS 2015).
//
// An execution that is equivalent to another, but that sleep sets cannot recognize
// before it begins, is abandoned when all its enabled procs are asleep. Wake-up trees
// (algorithm 2 of the first paper, optimal DPOR) would not begin it. They are not
// implemented: they would save at most the abandoned executions, which are few. There
// are none for ticket, TAS, TTAS and for mcs at 2x2 and 3x1, 18 besides 8,092 complete
// ones for mcs at 4x1, 100 besides 10,589 for qspinlock at 2x2, 188 besides 4,209 for
// CLH at 3x1, and 33 besides 136 for an OSQ whose waiters all give up. The most are
// 64,279 besides 51,092, for RCU's callbacks that are used again.
//
// I1: nodes[i] and events[i] are of the same step, or of the same choice.
// I2: an execution repeats the existing nodes, and then adds new ones.
type dpor struct {
	vm       *machine.VM
	nodes    []node
	events   []event
	depth    int           // steps and choices of the execution so far
	fresh    int           // the first of them that no earlier execution had
	asleep   machine.Procs // in the state that the execution is in, once it is fresh
	last     machine.Proc  // the proc that took the last step
	diverged bool          // whether the execution did not repeat the existing nodes

	took   [machine.MaxProcs]int32 // the last step of each proc in the execution, or 0
	order  [machine.MaxProcs]order // each proc's last step, and all that comes before it
	count  [machine.MaxProcs]uint16
	issued [machine.MaxWorkers][]issued // for each store in a buffer
	kept   [machine.MaxWorkers]order
	trails []trail // by object
	rivals []int32 // events that the step conflicts with
}

// NewDPOR returns a search of every schedule of a machine, of which it asks how many
// workers and steps there are (Live, StepLimit), which step each proc would take (Pends,
// Conflict) and what that would see (Forwards, Partial).
func NewDPOR(vm *machine.VM) Plan { return &dpor{vm: vm} }

// A node is a state that the execution went through, and where to go from it.
type node struct {
	choice    bool // one of several ways was chosen, and not a step
	taken, of int8 // the way that was chosen, and how many there are
	chosen    machine.Proc
	enabled   machine.Procs
	asleep    machine.Procs // need not be tried: the executions they lead to were seen elsewhere
	explored  machine.Procs // have been tried
	backtrack machine.Procs // must be tried
}

// An event is a step that was taken.
type event struct {
	proc    machine.Proc // -1 for a choice
	kind    machine.OpKind
	index   uint16
	on      int32 // what it accesses, or -1
	object  int32 // the same, if it writes
	changed bool
	pinned  int32 // of an Unpin: the event of the Pin that it ends
	order   order // how many steps of each proc come before this, itself included
	part    bool  // of a flush: whether it wrote a part of the word only
}

// An issued is what is known of a store in a buffer.
type issued struct {
	order  order
	reader int32 // the event of the last load that saw it in the buffer, or -1
}

// An order says for each proc how many of its steps come before something.
type order [machine.MaxProcs]uint16

func (c *order) join(d *order, n int) {
	a := c[:n]
	b := d[:len(a)] // spares the checks of bounds
	for i := range a {
		a[i] = max(a[i], b[i])
	}
}

// A trail has the latest accesses of an object: the last write, and the reads that
// saw it. The reads come after the write, except the worker's own reads of a store
// that was then flushed.
type trail struct {
	writer  int32 // the event, or -1
	readers machine.Procs
	read    [machine.MaxProcs]int32
}

func (d *dpor) Begin() {
	d.depth, d.asleep, d.last, d.diverged = 0, 0, 0, false
	d.took = [machine.MaxProcs]int32{}
	for i := range d.order {
		d.order[i] = order{}
	}
	d.count = [machine.MaxProcs]uint16{}
	for i := range d.issued {
		d.issued[i] = d.issued[i][:0]
	}
	d.trails = d.trails[:0]
	d.kept = [machine.MaxWorkers]order{}
}

// mostPassed is how many steps a proc may be passed over while the choice of the next
// Step is free.
const mostPassed = 64

// width is how many procs there are.
func (d *dpor) width() int { return 3 * d.vm.Live }

func (d *dpor) Known() (machine.Proc, bool) {
	if d.depth < len(d.nodes) && !d.diverged {
		at := &d.nodes[d.depth]
		if !at.choice && d.vm.Pends(at.chosen) {
			return at.chosen, true
		}
		d.diverged = true
	}
	return 0, false
}

// Repeats reports whether the execution repeated the earlier ones.
func (d *dpor) Repeats() bool { return !d.diverged && d.depth >= d.fresh }

func (d *dpor) Pick(self machine.Proc, enabled machine.Procs) (machine.Proc, bool) {
	if p, ok := d.Known(); ok {
		return p, true
	}
	if d.diverged {
		return 0, false
	}
	awake := enabled &^ d.asleep
	if awake == 0 {
		return 0, false
	}
	p := self
	if !awake.Has(p) {
		p = awake.First()
	}
	// A proc that was passed over for long is next. It may end the loop of another, and
	// its steps can then be tried earlier.
	if passed := min(max(d.vm.StepLimit()/8, 1), mostPassed); d.depth > passed {
		for rest := awake; rest != 0; {
			q := rest.First()
			rest &^= machine.One(q)
			if int(d.took[q]) < min(int(d.took[p]), d.depth-passed) {
				p = q
			}
		}
	}
	d.nodes = append(d.nodes, node{chosen: p, enabled: enabled, asleep: d.asleep, backtrack: machine.One(p)})
	return p, true
}

func (d *dpor) Choose(self machine.Proc, n int) int {
	if d.depth == len(d.nodes) {
		d.nodes = append(d.nodes, node{choice: true, of: int8(n), asleep: d.asleep})
	}
	at := &d.nodes[d.depth]
	if !at.choice || int(at.of) != n {
		d.diverged = true
		return 0
	}
	d.asleep = at.asleep
	if d.depth >= len(d.events) {
		d.events = append(d.events, event{})
	}
	d.events[d.depth].proc = -1
	d.depth++
	return int(at.taken)
}

func (d *dpor) Step(p machine.Proc, o *machine.Op) {
	i := d.depth
	d.depth++
	if i >= len(d.events) {
		d.events = append(d.events, event{})
	}
	e := &d.events[i]
	d.last = p
	d.took[p] = int32(i)
	if o.Object >= 0 {
		d.trail(o.Object)
	}
	for _, s := range o.More {
		d.trail(s.Object)
	}
	if i < d.fresh {
		if e.proc != p || e.kind != o.Kind || e.on != o.Object {
			d.diverged = true
			return
		}
		d.order[p] = e.order
		d.count[p] = e.index
		d.leave(i, p, o)
		return
	}

	n := d.width()
	before := &d.order[p]
	if p.IsBuffer() {
		before.join(&d.issued[p.Worker()][0].order, n)
	} else if o.Fence {
		before.join(&d.order[p+1], n)
	}
	d.count[p]++
	*e = event{proc: p, kind: o.Kind, index: d.count[p], on: o.Object, object: -1, order: *before}
	e.order[p] = e.index
	if o.Write {
		e.object = o.Object
	}

	switch o.Kind {
	case machine.OpUnpin:
		e.pinned = d.trails[o.Object].writer
	case machine.OpFlush:
		e.part = d.vm.Partial(p.Worker())
	}

	// The events that the step conflicts with come before it, too. The last of them
	// may race with it.
	d.rivals = d.rivals[:0]
	if o.Object >= 0 {
		d.rival(before, o.Object, p, o.Write)
	}
	for _, s := range o.More {
		d.rival(before, s.Object, p, false)
	}
	for _, j := range d.rivals {
		e.order.join(&d.events[j].order, n)
	}
	for _, j := range d.rivals {
		first := &d.events[j]
		immediate := true
		for _, l := range d.rivals {
			if j != l && d.events[l].order[first.proc] >= first.index {
				immediate = false // it comes before another rival
			}
		}
		if immediate {
			if first.kind == machine.OpUnpin && o.Kind == machine.OpPin {
				j = first.pinned // that Pin could have come later
			}
			d.reverse(int(j), i, o)
		}
	}
	d.order[p] = e.order
	d.leave(i, p, o)

	// A sleeping proc wakes up if its step conflicts with this one.
	at := &d.nodes[i]
	d.asleep = 0
	for rest := (at.asleep | at.explored) &^ machine.One(p); rest != 0; {
		q := rest.First()
		rest &^= machine.One(q)
		if !d.vm.Conflict(q, p) {
			d.asleep |= machine.One(q)
		}
	}
}

// trail makes the trail of an object, if there is none yet.
func (d *dpor) trail(id int32) {
	for int(id) >= len(d.trails) {
		if len(d.trails) < cap(d.trails) {
			d.trails = d.trails[:len(d.trails)+1]
		} else {
			d.trails = append(d.trails, trail{})
		}
		t := &d.trails[len(d.trails)-1]
		t.writer, t.readers = -1, 0
	}
}

// leave puts event i of p on the trails of what it accesses.
func (d *dpor) leave(i int, p machine.Proc, o *machine.Op) {
	switch {
	case o.Object < 0:
	case o.Write:
		t := &d.trails[o.Object]
		t.writer, t.readers = int32(i), 0
		if o.Kind == machine.OpFlush {
			w := p.Worker()
			if reader := d.issued[w][0].reader; reader >= 0 {
				t.readers = machine.One(p - 1)
				t.read[p-1] = reader
			}
			d.issued[w] = d.issued[w][:copy(d.issued[w], d.issued[w][1:])]
		}
	default:
		d.reads(i, p, o.Object)
	}
	for _, s := range o.More {
		d.reads(i, p, s.Object)
	}
}

// reads puts event i of p, which reads an object, on its trail, or with the store
// in the buffer that it sees.
func (d *dpor) reads(i int, p machine.Proc, object int32) {
	if n := d.vm.Forwards(p, object); n >= 0 {
		d.issued[p.Worker()][n].reader = int32(i)
		return
	}
	t := &d.trails[object]
	t.readers |= machine.One(p)
	t.read[p] = int32(i)
}

// rival adds to rivals the events on t, the trail of an object, that conflict with
// a step of p, and that nothing else puts before it.
func (d *dpor) rival(before *order, object int32, p machine.Proc, write bool) {
	t := &d.trails[object]
	if t.writer < 0 && t.readers == 0 {
		return
	}
	if write {
		for rest := t.readers &^ machine.One(p); rest != 0; {
			q := rest.First()
			rest &^= machine.One(q)
			if j := t.read[q]; d.events[j].index > before[q] {
				d.rivals = append(d.rivals, j)
			}
		}
	}
	if t.writer < 0 {
		return
	}
	e := &d.events[t.writer]
	if e.proc == p || e.index <= before[e.proc] {
		return
	}
	own := machine.Procs(0) // its reads of what e flushed need not come after e
	if e.kind == machine.OpFlush {
		own = machine.One(e.proc - 1)
	}
	switch {
	case write && t.readers&^own != 0: // they come after the writer
	case !write && d.vm.Forwards(p, object) >= 0: // p sees its own store, in the buffer
	case !write && own.Has(p) && !e.part: // or in memory
	default:
		d.rivals = append(d.rivals, t.writer)
	}
}

// reverse has step o, which is event i, tried before event j. Event j comes before
// it in this execution, but need not.
func (d *dpor) reverse(j, i int, o *machine.Op) {
	first, at := &d.events[j], &d.nodes[j]
	second := d.events[i].proc
	possible := at.enabled.Has(second)
	switch { // did event j make step o possible?
	case possible:
	case o.Kind == machine.OpPark && (first.kind == machine.OpUnpark && first.changed || first.kind == machine.OpExpire),
		o.Kind == machine.OpExpire && first.kind == machine.OpCancel && first.changed,
		o.Kind == machine.OpUnpark && first.kind == machine.OpExpire,
		o.Kind == machine.OpStop && first.kind == machine.OpTimer:
		return
	}
	// The events in between that need not come after event j could be taken before
	// it, and then o. The procs that could begin with one of these are the initials.
	var initials, met machine.Procs
	var began order
	for k := j + 1; k <= i; k++ {
		e := &d.events[k]
		if e.proc < 0 {
			continue
		}
		if k < i && e.order[first.proc] >= first.index {
			continue
		}
		if o.Kind == machine.OpWait && e.changed && !possible && e.proc != second+1 {
			for _, s := range o.More {
				possible = possible || s.Object == e.object
			}
		}
		if met.Has(e.proc) {
			continue
		}
		initial := true
		for rest := met; rest != 0; {
			q := rest.First()
			rest &^= machine.One(q)
			if e.order[q] >= began[q] {
				initial = false
			}
		}
		met |= machine.One(e.proc)
		began[e.proc] = e.index
		if initial {
			initials |= machine.One(e.proc)
		}
	}
	if o.Kind == machine.OpWait && !possible {
		return
	}
	initials &= at.enabled
	switch {
	case initials == 0:
		at.backtrack |= at.enabled
	case initials&(at.backtrack|at.asleep|at.explored) != 0:
	case initials.Has(second):
		at.backtrack |= machine.One(second)
	default:
		at.backtrack |= machine.One(initials.First())
	}
}

func (d *dpor) Changed() {
	if e := &d.events[d.depth-1]; e.proc >= 0 {
		e.changed = true
	}
}

func (d *dpor) Issue(p machine.Proc, _ int32) {
	w := p.Worker()
	d.issued[w] = append(d.issued[w], issued{order: d.order[p], reader: -1})
}

func (d *dpor) Follow(p, q machine.Proc) {
	if q < 0 {
		q = d.last
	}
	d.order[p].join(&d.order[q], d.width())
}

func (d *dpor) Keep(n int, q machine.Proc) { d.kept[n] = d.order[q] }

func (d *dpor) Recall(p machine.Proc, n int) { d.order[p].join(&d.kept[n], d.width()) }

// Advance prepares the next execution, and reports whether there is one.
func (d *dpor) Advance() bool {
	for i := len(d.nodes) - 1; i >= 0; i-- {
		at := &d.nodes[i]
		if at.choice {
			if at.taken+1 < at.of {
				at.taken++
				d.nodes, d.fresh = d.nodes[:i+1], i+1
				return true
			}
			continue
		}
		at.explored |= machine.One(at.chosen)
		if rest := at.backtrack &^ at.explored &^ at.asleep; rest != 0 {
			at.chosen = rest.First()
			d.nodes, d.fresh = d.nodes[:i+1], i
			return true
		}
	}
	return false
}
