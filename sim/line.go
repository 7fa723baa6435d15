package sim

import "math/bits"

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
type line struct {
	addr    uintptr
	owner   int32 // -1 is none
	last    int32 // the CPU that had it last for itself, or -1
	copies  set   // who can read it, the owner too
	free    picos // when it can be granted next, to another thread of its owner's core
	kept    picos // when it can be granted to others
	version uint32
	queue   []request
	at      picos // the next grant is scheduled for then; never if none is
	turn    uint64
	watched []*worker // wait until it changes
}

// A request is what a CPU wants of a line that it does not have as it needs it.
type request struct {
	cpu    *cpu
	write  bool
	comes  picos   // when it can be served
	worker *worker // that waits for it, or nil: it is for the CPU's store buffer
}

// A set is a set of CPUs.
type set struct {
	bits [MaxCPUs / 64]uint64
	n    int
	top  int // words in use
}

func (s *set) has(i int32) bool { return s.bits[i/64]>>(i%64)&1 != 0 }

func (s *set) add(i int32) {
	if !s.has(i) {
		s.bits[i/64] |= 1 << (i % 64)
		s.n++
		s.top = max(s.top, int(i/64)+1)
	}
}

// only makes the set contain only i.
func (s *set) only(i int32) {
	clear(s.bits[:s.top])
	s.n, s.top = 0, 0
	s.add(i)
}

// distances returns how far the nearest and the farthest member other than i are.
func (s *set) distances(m *machine, i int32) (nearest, farthest Distance) {
	nearest = Distance(Distances)
	for w, word := range s.bits[:s.top] {
		for ; word != 0; word &= word - 1 {
			j := int32(64*w + bits.TrailingZeros64(word))
			if j != i {
				d := m.distance(i, j)
				nearest, farthest = min(nearest, d), max(farthest, d)
			}
		}
	}
	return nearest, farthest
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
		l = &line{addr: n * lineSize, owner: -1, last: -1, at: never}
		m.lines[n] = l
	}
	recent.number, recent.line = n, l
	return l
}

// serves reports whether c has l as it needs it, for an operation that takes that long. An
// owner that others wait for does not have it any more when the residency is over.
func (l *line) serves(c *cpu, write bool, cost picos) bool {
	if l.owner == c.id {
		return c.now+cost <= l.at
	}
	return !write && l.copies.has(c.id)
}

// holder returns how far the nearest CPU is from which c gets l.
func (m *machine) holder(l *line, c *cpu) (d Distance, ok bool) {
	switch {
	case l.owner >= 0:
		return m.distance(l.owner, c.id), true
	case l.copies.n > 0:
		if l.last >= 0 && l.copies.has(l.last) && l.last != c.id {
			return m.distance(l.last, c.id), true // it has written it back to a cache near it
		}
		d, _ = l.copies.distances(m, c.id)
		return d, int(d) < Distances
	}
	return Self, false
}

// request asks for l at that time.
func (m *machine) request(c *cpu, l *line, write bool, w *worker, now picos) {
	comes := now
	if d, ok := m.holder(l, c); ok && !l.copies.has(c.id) {
		comes += c.slow(m.costs.ask[d])
	}
	l.queue = append(l.queue, request{c, write, comes, w})
	m.schedule(l, m.earliest(l, &l.queue[len(l.queue)-1]))
}

// earliest returns when a request can be granted, as things are.
func (m *machine) earliest(l *line, r *request) picos {
	if l.owner >= 0 && m.distance(l.owner, r.cpu.id) == Sibling {
		return max(r.comes, l.free)
	}
	return max(r.comes, l.free, l.kept)
}

// schedule sees to it that l is granted at that time, or earlier.
func (m *machine) schedule(l *line, at picos) {
	if at < l.at {
		l.at = at
		l.turn++
		m.events.push(event{at: at, class: grants, tie: m.tie(), seq: m.next(), what: l, turn: l.turn})
	}
}

// grant gives l to one of the CPUs that wait for it.
func (m *machine) grant(l *line, now picos) {
	l.at = never
	i, next := m.choose(l, now)
	if i >= 0 {
		r := l.queue[i]
		last := len(l.queue) - 1
		l.queue[i] = l.queue[last]
		l.queue[last] = request{}
		l.queue = l.queue[:last]
		if r.write {
			m.write(l, r, now)
		} else {
			m.read(l, r, now)
		}
	}
	switch {
	case len(l.queue) == 0:
		return
	case m.siblings:
		for next, i = never, 0; i < len(l.queue); i++ {
			next = min(next, m.earliest(l, &l.queue[i]))
		}
	case l.owner >= 0:
		next = max(next, l.kept)
	}
	m.schedule(l, max(next, l.free))
}

// choose returns the index of the request that is served next, or -1 if none can be. The
// owner's core has had its turn: it is served again only if no other can be. Choose also
// returns a time before which none of the others can be.
func (m *machine) choose(l *line, now picos) (chosen int, next picos) {
	from := l.owner
	if from < 0 {
		from = max(l.last, 0)
	}
	far := m.far[int(from)*len(m.cpus):]
	held := l.owner >= 0 && now < l.kept // but not for its siblings
	nearest := l.last >= 0 && len(l.queue) > 1 && m.rng.Float64() < m.desc.Nearest
	chosen, next = -1, never
	n, best, own := 0, Distance(Distances), -1
	for i := range l.queue {
		r := &l.queue[i]
		d := far[r.cpu.id]
		if r.comes > now || held && d != Sibling {
			next = min(next, max(r.comes, l.kept))
			continue
		}
		if l.owner >= 0 && (d == Self || d == Sibling && now >= l.kept) {
			if own >= 0 {
				next = now // the other one waits
			}
			if own < 0 || d == Sibling {
				own = i
			}
			continue
		}
		if nearest {
			if d > best {
				continue
			}
			if d < best {
				best, n = d, 0
			}
		}
		// Each of the n that are as good is chosen with the same probability.
		if n++; n == 1 || m.rng.IntN(n) == 0 {
			if chosen >= 0 {
				next = now
			}
			chosen = i
		} else {
			next = now
		}
	}
	if chosen < 0 {
		return own, next
	}
	if own >= 0 || nearest {
		next = now
	}
	return chosen, next
}

// read gives a copy of l to a CPU.
func (m *machine) read(l *line, r request, now picos) {
	c := r.cpu
	done := now
	switch d, ok := m.holder(l, c); {
	case l.copies.has(c.id):
		done += c.slow(m.costs.load) // its store buffer has come by the line meanwhile
	case !ok:
		done += c.slow(m.costs.memory)
		l.owner, l.last = c.id, c.id
		l.free, l.kept = done, done
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
	l.copies.add(c.id)
	m.granted(l, r, done)
}

// write gives l to a CPU for itself.
func (m *machine) write(l *line, r request, now picos) {
	c := r.cpu
	cost := m.costs.modify
	switch others := l.copies.n; {
	case l.owner == c.id:
	case l.owner >= 0:
		d := m.distance(l.owner, c.id)
		cost = max(cost, m.costs.follow[d])
		c.counts.Lines[d]++
	case others == 0:
		cost = m.costs.memory
	case l.copies.has(c.id) && others == 1: // the other copies have gone
	default:
		nearest, farthest := l.copies.distances(m, c.id)
		if l.copies.has(c.id) {
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
	if l.owner != c.id {
		l.version++
		m.changed(l, c, done)
	}
	l.owner, l.last = c.id, c.id
	l.copies.only(c.id)
	l.free = done
	if within {
		l.kept = max(l.kept, done)
	} else if l.kept = done; m.costs.residency > 0 {
		l.kept += picos(m.rng.Int64N(2*int64(m.costs.residency) + 1))
	}
	m.granted(l, r, done)
}

// granted lets the operation take effect when the line is there.
func (m *machine) granted(l *line, r request, done picos) {
	if r.worker == nil {
		m.events.push(event{at: done, class: effects, tie: m.tie(), seq: m.next(), what: r.cpu, turn: storeArrives})
		return
	}
	m.see(r.worker, l)
	m.resumeAt(r.worker, done)
}

// changed wakes those that wait for l to change, except c's own.
func (m *machine) changed(l *line, c *cpu, at picos) {
	for i := 0; i < len(l.watched); {
		w := l.watched[i]
		if w.cpu == c {
			i++
			continue
		}
		w.unwatch() // removes it from l.watched
		m.poll(w, at)
	}
}
