package sim

import (
	"unsafe"

	"github.com/lockbench/lockbench/internal/engine"
)

// This file is about waits that keep the CPU. A worker that waits pauses, looks again, and
// so on; here it sleeps until a line that it has read has changed, and would look again
// at the end of a pause. Mostly its look is the operation that it did before it began to
// wait, so the machine asks for that line on its behalf, and lets it go on only when
// the line is there: that is one switch and not two. And if the word is as it was the
// worker would only wait again, so it is not resumed at all.

// An operation is one that a worker has done.
type operation struct {
	addr  unsafe.Pointer
	at    engine.Location // nil if it is one of a Cell or of the machine itself
	line  *line
	write bool
	same  bool   // it has left the word with this value
	value uint64 // that was read
}

// A wait is one that keeps the CPU.
type wait struct {
	pinned  bool
	began   picos
	from    picos // the end of the first pause
	burst   picos // a pause
	alike   bool  // it is as the wait before, and only one operation came between
	since   int   // operations since the last wait
	repeats bool  // after the last wait the operation before it came again
	asked   bool  // for the line of the operation before it, on behalf of the worker
	looked  picos // when that was
	got     picos // when that line was there; never if it was not asked for
}

// spin pauses for that long, and then until what w has read has changed, or for as long
// as the limit. It looks once in a pause, so it notices a change up to a pause later. A
// worker that is not pinned lets others run that want its CPU. It returns how long w has
// kept its CPU.
func (m *machine) spin(w *worker, pinned bool, pause, limit picos) (kept picos) {
	c, s := w.cpu, &w.wait
	pause = max(c.slow(pause), 1)
	if !pinned && len(c.queue) > 0 {
		w.forget()
		m.preempt(w)
		return 0
	}
	s.alike = s.since == 1 && s.got == c.now && pause == s.burst && pinned == s.pinned && limit == never
	s.since, s.got = 0, never
	s.began, s.from, s.burst, s.pinned = c.now, c.now+pause, pause, pinned
	if !w.watch() {
		w.forget()
		c.spin += pause
		m.tell(Spun, w, c.now, c.now+pause)
		m.hurry(w, pause)
		return pause
	}
	w.state = spinning
	if limit != never {
		m.resumeAt(w, max(s.from, s.began+limit))
	}
	w.suspend()
	w.unwatch()
	w.state = running
	if s.asked {
		s.asked, s.got = false, c.now
		kept = s.looked - s.began
	} else {
		w.forget()
		kept = c.now - s.began
	}
	c.spin += kept
	m.tell(Spun, w, s.began, s.began+kept)
	if len(c.pauses) > 0 {
		m.pass(w, 0)
	}
	return kept
}

// watch has w spin until one of the lines that it has read changes, and reports whether
// it has to: none has changed since.
func (w *worker) watch() bool {
	if w.many || len(w.read) == 0 {
		return false // it does not know all that could change
	}
	for _, s := range w.read {
		if s.line.version != s.version {
			return false
		}
	}
	for i, s := range w.read {
		w.watches = append(w.watches, watch{s.line, len(s.line.watched)})
		s.line.watched = append(s.line.watched, watcher{w, i})
	}
	return true
}

// unwatch ends what watch has begun.
func (w *worker) unwatch() {
	for _, of := range w.watches {
		l := of.line
		end := len(l.watched) - 1
		moved := l.watched[end]
		l.watched[of.at] = moved
		moved.worker.watches[moved.nth].at = of.at
		l.watched[end] = watcher{}
		l.watched = l.watched[:end]
	}
	w.watches = w.watches[:0]
}

// poll has a worker that spins look again, after a change at that time: of l, or nil. It
// looks at the end of its pause; but in the first one it may find that the line is on its
// way to another CPU.
func (m *machine) poll(w *worker, l *line, at picos) {
	s := &w.wait
	if s.asked {
		return // it looks already
	}
	w.unwatch()
	next := s.from
	if next <= m.clock && at > next {
		n := (at - s.from + s.burst - 1) / s.burst
		next += n * s.burst
	}
	o := &w.last
	if l == nil || l != o.line || o.at == nil || !s.repeats || o.write && len(w.cpu.stores) > 0 {
		m.resumeAt(w, next)
		return
	}
	w.turn++ // it does not end before
	s.asked, s.looked = true, next
	m.request(w.cpu, l, o.write, w, next)
}

// again has a worker that spins wait on, if it would: the line for which it asked is there,
// and the word is as it was. It reports whether it does.
func (m *machine) again(w *worker) bool {
	c, s, o := w.cpu, &w.wait, &w.last
	if !s.asked || !s.alike || !o.same || !s.pinned && len(c.queue) > 0 || len(c.pauses) > 0 {
		return false
	}
	if v, _ := o.at.Raw(); v != o.value {
		return false
	}
	c.counts.Operations++
	c.spin += s.looked - s.began
	m.tell(Spun, w, s.began, s.looked)
	s.asked, s.began, s.from = false, c.now, c.now+s.burst
	if !w.watch() { // it has changed already
		m.poll(w, o.line, c.now)
	}
	return true
}
