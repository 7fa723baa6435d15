package check

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
	vm       *vm
	nodes    []node
	events   []event
	depth    int   // steps and choices of the execution so far
	fresh    int   // the first of them that no earlier execution had
	asleep   procs // in the state that the execution is in, once it is fresh
	last     proc  // the proc that took the last step
	diverged bool  // whether the execution did not repeat the existing nodes

	took   [maxProcs]int32 // the last step of each proc in the execution, or 0
	order  [maxProcs]order // each proc's last step, and all that comes before it
	count  [maxProcs]uint16
	issued [maxWorkers][]issued // for each store in a buffer
	kept   [maxWorkers]order
	trails []trail // by object
	rivals []int32 // events that the step conflicts with
}

// A node is a state that the execution went through, and where to go from it.
type node struct {
	choice    bool // one of several ways was chosen, and not a step
	taken, of int8 // the way that was chosen, and how many there are
	chosen    proc
	enabled   procs
	asleep    procs // need not be tried: the executions they lead to were seen elsewhere
	explored  procs // have been tried
	backtrack procs // must be tried
}

// An event is a step that was taken.
type event struct {
	proc    proc // -1 for a choice
	kind    opKind
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
type order [maxProcs]uint16

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
	readers procs
	read    [maxProcs]int32
}

func (d *dpor) begin() {
	d.depth, d.asleep, d.last, d.diverged = 0, 0, 0, false
	d.took = [maxProcs]int32{}
	for i := range d.order {
		d.order[i] = order{}
	}
	d.count = [maxProcs]uint16{}
	for i := range d.issued {
		d.issued[i] = d.issued[i][:0]
	}
	d.trails = d.trails[:0]
	d.kept = [maxWorkers]order{}
}

// mostPassed is how many steps a proc may be passed over while the choice of the next
// step is free.
const mostPassed = 64

// width is how many procs there are.
func (d *dpor) width() int { return 3 * d.vm.live }

func (d *dpor) known() (proc, bool) {
	if d.depth < len(d.nodes) && !d.diverged {
		at := &d.nodes[d.depth]
		if !at.choice && d.vm.pends(at.chosen) {
			return at.chosen, true
		}
		d.diverged = true
	}
	return 0, false
}

// repeats reports whether the execution repeated the earlier ones.
func (d *dpor) repeats() bool { return !d.diverged && d.depth >= d.fresh }

func (d *dpor) pick(self proc, enabled procs) (proc, bool) {
	if p, ok := d.known(); ok {
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
	if !awake.has(p) {
		p = awake.first()
	}
	// A proc that was passed over for long is next. It may end the loop of another, and
	// its steps can then be tried earlier.
	if passed := min(max(d.vm.limit/8, 1), mostPassed); d.depth > passed {
		for rest := awake; rest != 0; {
			q := rest.first()
			rest &^= one(q)
			if int(d.took[q]) < min(int(d.took[p]), d.depth-passed) {
				p = q
			}
		}
	}
	d.nodes = append(d.nodes, node{chosen: p, enabled: enabled, asleep: d.asleep, backtrack: one(p)})
	return p, true
}

func (d *dpor) choose(self proc, n int) int {
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

func (d *dpor) step(p proc, o *op) {
	i := d.depth
	d.depth++
	if i >= len(d.events) {
		d.events = append(d.events, event{})
	}
	e := &d.events[i]
	d.last = p
	d.took[p] = int32(i)
	if o.object >= 0 {
		d.trail(o.object)
	}
	for _, s := range o.more {
		d.trail(s.object)
	}
	if i < d.fresh {
		if e.proc != p || e.kind != o.kind || e.on != o.object {
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
	if w := int(p) / 3; p%3 == 1 {
		before.join(&d.issued[w][0].order, n)
	} else if o.fence {
		before.join(&d.order[p+1], n)
	}
	d.count[p]++
	*e = event{proc: p, kind: o.kind, index: d.count[p], on: o.object, object: -1, order: *before}
	e.order[p] = e.index
	if o.write {
		e.object = o.object
	}

	switch o.kind {
	case opUnpin:
		e.pinned = d.trails[o.object].writer
	case opFlush:
		e.part = d.vm.workers[p/3].stores[0].mask != wholeWord
	}

	// The events that the step conflicts with come before it, too. The last of them
	// may race with it.
	d.rivals = d.rivals[:0]
	if o.object >= 0 {
		d.rival(before, o.object, p, o.write)
	}
	for _, s := range o.more {
		d.rival(before, s.object, p, false)
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
			if first.kind == opUnpin && o.kind == opPin {
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
	for rest := (at.asleep | at.explored) &^ one(p); rest != 0; {
		q := rest.first()
		rest &^= one(q)
		if !d.vm.conflict(q, p) {
			d.asleep |= one(q)
		}
	}
}

// conflict reports whether the order of the pending steps of p and q matters.
func (m *vm) conflict(p, q proc) bool {
	a, b := &m.pending[p], &m.pending[q]
	if a.object >= 0 && a.object == b.object {
		if x, y := m.writes(a), m.writes(b); x && y || x && m.forwards(q, b.object) < 0 || y && m.forwards(p, a.object) < 0 {
			return true
		}
	}
	return m.readsOf(p, b) || m.readsOf(q, a)
}

// readsOf reports whether b writes something that p will read in addition to its
// object.
func (m *vm) readsOf(p proc, b *op) bool {
	for _, s := range m.pending[p].more {
		if s.object == b.object && m.writes(b) && m.forwards(p, s.object) < 0 {
			return true
		}
	}
	return false
}

// forwards returns which store in its worker's buffer p would see if it read an
// object now, or -1 if it would see what is in memory.
func (m *vm) forwards(p proc, object int32) int {
	if w := m.workers[p/3]; len(w.stores) > 0 && p == w.proc() {
		return w.latest(object)
	}
	return -1
}

// writes reports whether o would write its object now.
func (m *vm) writes(o *op) bool {
	if o.cas {
		return m.value(o.object) == o.expect
	}
	return o.write
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
func (d *dpor) leave(i int, p proc, o *op) {
	switch {
	case o.object < 0:
	case o.write:
		t := &d.trails[o.object]
		t.writer, t.readers = int32(i), 0
		if o.kind == opFlush {
			w := p / 3
			if reader := d.issued[w][0].reader; reader >= 0 {
				t.readers = one(p - 1)
				t.read[p-1] = reader
			}
			d.issued[w] = d.issued[w][:copy(d.issued[w], d.issued[w][1:])]
		}
	default:
		d.reads(i, p, o.object)
	}
	for _, s := range o.more {
		d.reads(i, p, s.object)
	}
}

// reads puts event i of p, which reads an object, on its trail, or with the store
// in the buffer that it sees.
func (d *dpor) reads(i int, p proc, object int32) {
	if n := d.vm.forwards(p, object); n >= 0 {
		d.issued[p/3][n].reader = int32(i)
		return
	}
	t := &d.trails[object]
	t.readers |= one(p)
	t.read[p] = int32(i)
}

// rival adds to rivals the events on t, the trail of an object, that conflict with
// a step of p, and that nothing else puts before it.
func (d *dpor) rival(before *order, object int32, p proc, write bool) {
	t := &d.trails[object]
	if t.writer < 0 && t.readers == 0 {
		return
	}
	if write {
		for rest := t.readers &^ one(p); rest != 0; {
			q := rest.first()
			rest &^= one(q)
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
	own := procs(0) // its reads of what e flushed need not come after e
	if e.kind == opFlush {
		own = one(e.proc - 1)
	}
	switch {
	case write && t.readers&^own != 0: // they come after the writer
	case !write && d.vm.forwards(p, object) >= 0: // p sees its own store, in the buffer
	case !write && own.has(p) && !e.part: // or in memory
	default:
		d.rivals = append(d.rivals, t.writer)
	}
}

// reverse has step o, which is event i, tried before event j. Event j comes before
// it in this execution, but need not.
func (d *dpor) reverse(j, i int, o *op) {
	first, at := &d.events[j], &d.nodes[j]
	second := d.events[i].proc
	possible := at.enabled.has(second)
	switch { // did event j make step o possible?
	case possible:
	case o.kind == opPark && (first.kind == opUnpark && first.changed || first.kind == opExpire),
		o.kind == opExpire && first.kind == opCancel && first.changed,
		o.kind == opUnpark && first.kind == opExpire,
		o.kind == opStop && first.kind == opTimer:
		return
	}
	// The events in between that need not come after event j could be taken before
	// it, and then o. The procs that could begin with one of these are the initials.
	var initials, met procs
	var began order
	for k := j + 1; k <= i; k++ {
		e := &d.events[k]
		if e.proc < 0 {
			continue
		}
		if k < i && e.order[first.proc] >= first.index {
			continue
		}
		if o.kind == opWait && e.changed && !possible && e.proc != second+1 {
			for _, s := range o.more {
				possible = possible || s.object == e.object
			}
		}
		if met.has(e.proc) {
			continue
		}
		initial := true
		for rest := met; rest != 0; {
			q := rest.first()
			rest &^= one(q)
			if e.order[q] >= began[q] {
				initial = false
			}
		}
		met |= one(e.proc)
		began[e.proc] = e.index
		if initial {
			initials |= one(e.proc)
		}
	}
	if o.kind == opWait && !possible {
		return
	}
	initials &= at.enabled
	switch {
	case initials == 0:
		at.backtrack |= at.enabled
	case initials&(at.backtrack|at.asleep|at.explored) != 0:
	case initials.has(second):
		at.backtrack |= one(second)
	default:
		at.backtrack |= one(initials.first())
	}
}

func (d *dpor) changed() {
	if e := &d.events[d.depth-1]; e.proc >= 0 {
		e.changed = true
	}
}

func (d *dpor) issue(w *worker) {
	d.issued[w.id] = append(d.issued[w.id], issued{order: d.order[w.proc()], reader: -1})
}

func (d *dpor) follow(p, q proc) {
	if q < 0 {
		q = d.last
	}
	d.order[p].join(&d.order[q], d.width())
}

func (d *dpor) keep(n int, q proc) { d.kept[n] = d.order[q] }

func (d *dpor) recall(p proc, n int) { d.order[p].join(&d.kept[n], d.width()) }

// advance prepares the next execution, and reports whether there is one.
func (d *dpor) advance() bool {
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
		at.explored |= one(at.chosen)
		if rest := at.backtrack &^ at.explored &^ at.asleep; rest != 0 {
			at.chosen = rest.first()
			d.nodes, d.fresh = d.nodes[:i+1], i
			return true
		}
	}
	return false
}
