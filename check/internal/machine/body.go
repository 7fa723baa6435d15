package machine

import "context"

// What a body asks of the machine, besides the steps of package primitives.

// Spawn starts a worker that runs f, and has a name if that is not "".
func (m *VM) Spawn(name string, f func()) { m.goes(f, false).name = name }

// SpawnFirst is [VM.Spawn] for a worker that must come before the others: they take no
// step until it waits or has ended.
func (m *VM) SpawnFirst(name string, f func()) {
	w := m.goes(f, false)
	w.name = name
	m.alone = w
	m.step(m.self, Op{Kind: OpYield, Object: -1})
}

// SpawnAlike starts n workers that run f and are interchangeable.
func (m *VM) SpawnAlike(n int, f func()) {
	if n > 0 {
		m.room(n)
		w := m.goes(f, false)
		w.alike, w.spawned = n-1, w.clock
		w.spawned[w.id] = 0
	}
}

// Join waits until all workers have finished that Spawn and its like started.
func (m *VM) Join() {
	m.unpinned("waits for other workers", "Wait after Unpin")
	m.join()
}

// WithCancel returns a context, and a function that cancels it.
func (m *VM) WithCancel() (ctx context.Context, cancel func()) {
	s := &scope{vm: m, done: make(chan struct{})}
	return s, s.cancel
}

// Context returns a context that is cancelled at any time, or never.
func (m *VM) Context() context.Context {
	ctx, cancel := m.WithCancel()
	w := m.goes(cancel, true)
	w.name, w.optional = "cancel", true
	return ctx
}
