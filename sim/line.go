package sim

// MaxCPUs is how many CPUs a machine can have.
const MaxCPUs = 1024

// lineSize is the size of a cache line in bytes.
const lineSize = 64

// A line is a cache line. In the words of the MESI protocol it is modified or exclusive
// in the cache of its owner, or shared by those that have a copy, or nowhere.
//
// Requests for a line are served one after the other. A request takes a hop in all. A
// part of it, ask, passes before it can be served: while the owner of a line that is in
// demand keeps it, for the residency, the next request is on its way. So the owner
// does a few operations each time it has the line, and all together take less than a
// hop for each.
//
// I1: if there is an owner it is the only one that has the line.
// I2: no request is granted before free, and free is not before the last operation on the
// line that was granted, or that its owner has begun, takes effect. So operations on
// a line take effect in the order of their grants. (A copy that is read may arrive after
// the next write has been granted; it has the value that memory has then.)
// I3: a CPU loses its copy at the moment in which a write is granted, so a read that
// comes later waits for that write.
//
// A line that only one CPU has asked for lately is calm: operations on it need not wait for
// what happens elsewhere, so the CPU may be a little ahead of the others (see
// machine.hurry). I2 holds for them too: free says when the last one takes effect, and if
// another CPU requests the line after all, it is served then or later.
type line struct {
	id      int32
	addr    uintptr
	owner   int32 // -1 is none
	last    int32 // the CPU that had it last for itself, or -1 if it was in no cache yet
	copies  set   // the ranks of those that can read it, the owner too
	free    picos // when it can be granted next, to another thread of its owner's core
	kept    picos // when it can be granted to others
	since   picos // when it last went to a CPU
	version uint32

	// Requests are known by numbers: two for each rank, for a worker and a store.
	here    set    // requests that can be served
	coming  events // those that cannot yet
	waiting int    // how many there are in all

	at      picos // the next grant is scheduled for then; never if none is
	turn    uint32
	watched []watcher // wait until it changes
}

// A request is what a CPU wants of a line that it does not have as it needs it. A CPU has
// one at most for the worker that it runs, and one for its store buffer.
type request struct {
	line   *line // nil if there is none
	cpu    *cpu
	write  bool
	comes  picos   // when it can be served
	worker *worker // that waits for it, or nil: it is for the CPU's store buffer
}

// A watcher is a worker that watches a line: the nth of its watches.
type watcher struct {
	worker *worker
	nth    int
}

// line returns the line at addr.
func (m *machine) line(addr uintptr) *line {
	n := addr / lineSize
	// A CPU mostly uses few lines, again and again.
	recent := &m.self.cpu.recent[n%recentLines]
	if recent.line != nil && recent.number == n {
		return recent.line
	}
	l := m.lines[n]
	if l == nil {
		cpus, requests := m.words, 2*m.words
		sets := make(set, cpus+requests)
		l = &line{addr: n * lineSize, id: int32(len(m.known)), owner: -1, last: -1, at: never, copies: sets[:cpus:cpus], here: sets[cpus:]}
		m.lines[n] = l
		m.known = append(m.known, l)
	}
	recent.number, recent.line = n, l
	return l
}

// calmAfter is how long no CPU must have asked for a line until it is calm. A CPU that
// asks for a calm line waits longer by at most as much as its owner is ahead, and only if
// the owner uses it then: that is little on average, since it can happen once in this time.
const calmAfter = picos(10_000_000)

// calm reports whether c has l for itself, and no CPU has asked for it lately.
func (l *line) calm(c *cpu) bool {
	return l.owner == c.id && l.waiting == 0 && c.now-l.since >= calmAfter
}

// has reports whether c has l as it needs it, as things are.
func (l *line) has(c *cpu, write bool) bool {
	return l.owner == c.id || !write && l.copies.has(c.rank)
}

// serves reports whether c has l as it needs it, for an operation that takes that long. An
// owner that others wait for does not have it any more when the residency is over; but those
// that will only ask later do not wait yet.
func (l *line) serves(c *cpu, write bool, cost picos) bool {
	if l.owner == c.id {
		return c.now+cost <= l.at || l.waiting == len(l.coming) && c.now < l.coming.first()-c.m.costs.residency
	}
	return !write && l.copies.has(c.rank)
}

// holder returns how far the nearest CPU is from which c gets l.
func (m *machine) holder(l *line, c *cpu) (d Distance, ok bool) {
	switch {
	case l.owner >= 0:
		return m.distance(l.owner, c.id), true
	case l.last < 0:
		return Self, false
	case l.last != c.id && l.copies.has(m.cpus[l.last].rank):
		return m.distance(l.last, c.id), true // it has written it back to a cache near it
	}
	d, _ = m.reaches(l.copies, c)
	return d, int(d) < Distances
}

// touch gives c, for itself, a line that was in no cache yet.
func (m *machine) touch(l *line, c *cpu, write bool, done picos) {
	l.owner, l.last = c.id, c.id
	l.copies.add(c.rank)
	l.free, l.kept, l.since = done, done, done
	if write {
		l.kept += m.residency()
	}
}

// residency returns how long a CPU keeps a line that others want.
func (m *machine) residency() picos {
	if m.costs.residency == 0 {
		return 0
	}
	return picos(m.rng.Int64N(2*int64(m.costs.residency) + 1))
}

// request asks for l at that time, which may be later than now.
func (m *machine) request(c *cpu, l *line, write bool, w *worker, at picos) {
	which := 0
	if w == nil {
		which = 1
	}
	r := &c.wants[which]
	if r.line != nil {
		panic("sim: a second request by a CPU") // a bug
	}
	*r = request{l, c, write, at, w}
	if d, ok := m.holder(l, c); ok && !l.copies.has(c.rank) {
		r.comes += c.slow(m.costs.ask[d])
	}
	number := 2*c.rank + which
	l.coming.push(event{at: r.comes, order: uint64(number), what: int32(number)})
	l.waiting++
	m.schedule(l, m.earliest(l, c, r.comes))
}

// earliest returns when a request of c that comes then can be granted, as things are.
func (m *machine) earliest(l *line, c *cpu, comes picos) picos {
	if l.owner >= 0 && m.distance(l.owner, c.id) == Sibling {
		return max(comes, l.free)
	}
	return max(comes, l.free, l.kept)
}

// schedule sees to it that l is granted at that time, or earlier.
func (m *machine) schedule(l *line, at picos) {
	if at < l.at {
		l.at = at
		l.turn++
		m.push(at, isGranted, l.id, l.turn)
	}
}

// grant gives l to one of the CPUs that wait for it.
func (m *machine) grant(l *line, now picos) {
	l.at = never
	for l.coming.first() <= now {
		l.here.add(int(l.coming.pop().what))
	}
	number := -1
	if now >= l.free { // or else its owner has used it since this was scheduled
		number = m.choose(l, now)
	}
	if number >= 0 {
		l.here.remove(number)
		l.waiting--
		want := &m.ranked[number/2].wants[number%2]
		r := *want
		*want = request{}
		l.since = now
		if r.write {
			m.write(l, r, now)
		} else {
			m.read(l, r, now)
		}
	}
	if l.waiting == 0 {
		return
	}
	next := now
	if l.waiting == len(l.coming) {
		next = l.coming.first()
	}
	m.schedule(l, max(next, l.free, l.kept))
	if m.siblings && l.owner >= 0 { // they need not wait until it is not kept any more
		for core := m.upTo(Sibling, m.cpus[l.owner]); core.from < core.to; core.from++ {
			for _, r := range m.ranked[core.from].wants {
				if r.line == l {
					m.schedule(l, max(now, m.earliest(l, m.ranked[core.from], r.comes)))
				}
			}
		}
	}
}

// choose returns the number of the request that is served next, or -1 if none can be. A
// nearest one mostly is, otherwise any; but the owner's core has had its turn: it is
// served again only if no other can be. And while the line is kept only that core can
// have it.
func (m *machine) choose(l *line, now picos) int {
	all := m.all()
	if l.owner < 0 {
		c := m.cpus[max(l.last, 0)]
		return m.draw(l, c, span{c.rank, c.rank}, all)
	}
	c := m.cpus[l.owner]
	self, core := m.upTo(Self, c), m.upTo(Sibling, c)
	if now < l.kept {
		return m.draw(l, c, self, core)
	}
	for _, of := range [...][2]span{{core, all}, {self, core}, {{c.rank, c.rank}, self}} {
		if number := m.draw(l, c, of[0], of[1]); number >= 0 {
			return number
		}
	}
	return -1
}

// draw returns one of the requests for l, by chance: of the CPUs in some ranks but not in
// some among them, as they are seen from c. It returns -1 if there is none.
func (m *machine) draw(l *line, c *cpu, but, of span) int {
	but, of = span{2 * but.from, 2 * but.to}, span{2 * of.from, 2 * of.to}
	without := l.here.count(but)
	n := l.here.count(of) - without
	if n > 1 && l.last >= 0 && m.rng.Float64() < m.desc.Nearest {
		for d := range Distances {
			near := m.upTo(Distance(d), c)
			near.from, near.to = 2*near.from, 2*near.to
			if near.from > but.from || near.to < but.to {
				continue
			}
			if nearest := l.here.count(near) - without; nearest > 0 {
				of, n = near, nearest
				break
			}
		}
	}
	if n == 0 {
		return -1
	}
	i := 0
	if n > 1 {
		i = m.rng.IntN(n)
	}
	below := span{of.from, but.from}
	if k := l.here.count(below); i >= k {
		below, i = span{but.to, of.to}, i-k
	}
	return l.here.nth(below, i)
}

// read gives a copy of l to a CPU.
func (m *machine) read(l *line, r request, now picos) {
	c := r.cpu
	done := now
	switch d, ok := m.holder(l, c); {
	case l.copies.has(c.rank):
		done += c.slow(m.costs.load) // its store buffer has come by the line meanwhile
	case !ok:
		done += c.slow(m.costs.memory)
		m.touch(l, c, false, done)
	case l.owner >= 0:
		done += c.slow(m.costs.follow[d])
		c.counts.Lines[d]++
		l.owner = -1
		l.free = done
	default:
		done += c.slow(m.costs.follow[d])
		c.counts.Lines[d]++
		l.free = max(l.free, now+m.costs.reading[d])
	}
	if m.observe != nil {
		m.tellGrant(l, &r, now, done)
	}
	l.copies.add(c.rank)
	m.granted(l, r, done)
}

// write gives l to a CPU for itself.
func (m *machine) write(l *line, r request, now picos) {
	c := r.cpu
	cost := m.costs.modify
	switch others := l.copies.count(m.all()); {
	case l.owner == c.id:
	case l.owner >= 0:
		d := m.distance(l.owner, c.id)
		cost = max(cost, m.costs.follow[d])
		c.counts.Lines[d]++
	case l.last < 0:
		cost = m.costs.memory
	case l.copies.has(c.rank) && others == 1: // the other copies have gone
	default:
		nearest, farthest := m.reaches(l.copies, c)
		if l.copies.has(c.rank) {
			others--
		} else {
			cost = m.costs.follow[nearest]
			c.counts.Lines[nearest]++
		}
		c.counts.Invalidated += uint64(others)
		cost = max(cost, m.costs.upgrade[farthest]+picos(others-1)*m.costs.invalidate)
	}
	done := now + c.slow(cost)
	if m.observe != nil {
		m.tellGrant(l, &r, now, done)
	}
	within := l.owner >= 0 && now < l.kept // its sibling's turn, which it shares
	from := l.owner
	l.owner, l.last = c.id, c.id
	clear(l.copies)
	l.copies.add(c.rank)
	l.free = done
	if within {
		l.kept = max(l.kept, done)
	} else {
		l.kept = done + m.residency()
	}
	if from != c.id {
		l.version++
		m.changed(l, c, done)
	}
	m.granted(l, r, done)
}

// granted lets the operation take effect when the line is there.
func (m *machine) granted(l *line, r request, done picos) {
	w := r.worker
	if w == nil {
		m.push(done, storeArrives, r.cpu.id, 0)
		return
	}
	if w.wait.asked {
		w.forget() // what it read before it began to wait
	}
	m.see(w, l)
	m.resumeAt(w, done)
}

// changed wakes those that wait for l to change, except c's own.
func (m *machine) changed(l *line, c *cpu, at picos) {
	for i := 0; i < len(l.watched); {
		w := l.watched[i].worker
		if w.cpu == c {
			i++
			continue
		}
		w.unwatch() // removes it from l.watched
		m.poll(w, l, at)
	}
}
