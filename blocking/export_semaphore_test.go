package blocking

// InLine returns how many wait in line.
func (s *Semaphore) InLine() int { return s.line.length() }

// InLine returns how many wait in line.
func (m *Mutex) InLine() int { return m.line.length() }

// InLine returns how many wait in line.
func (c *Completion) InLine() int { return c.line.length() }

// InLine returns how many wait in line.
func (s *RWSem) InLine() int { return s.line.length() }

func (l *waitList) length() (n int) {
	l.lock.LockPinned()
	for w := l.first; w != nil; w = w.next {
		n++
	}
	l.lock.UnlockPinned()
	return n
}

// Leave is Unlock by a writer that loses its CPU before it looks at the line.
func (s *RWSem) Leave() { s.word.Add(rwWriterGone) }

// Look is what that writer does next.
func (s *RWSem) Look() { s.pass() }
