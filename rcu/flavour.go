package rcu

// A Flavour is a [Domain], a [Pinned], a [Registered] or a [QSBR]: what is
// written for a Flavour works with each of them, as long as nothing blocks in a
// section and a reader says now and then that it is quiet. Who knows the flavour
// calls its own methods to begin and end sections, which cost less.
type Flavour interface {
	// NewHandle returns a Handle, online.
	NewHandle() Handle

	// See Updater for what follows.
	Synchronize()
	SynchronizeExpedited()
	Call(f func())
	Barrier()
	StartPoll() Cookie
	Poll(c Cookie) bool
	Stats() Stats
	Close()
}

var _ = []Flavour{(*Domain)(nil), (*Pinned)(nil), (*Registered)(nil), (*QSBR)(nil)}

// A Handle is a reader of any [Flavour]. It is one goroutine's alone to use, and
// that may not wait for a grace period while it is online.
type Handle interface {
	// ReadLock begins a read-side critical section, and ReadUnlock ends the one
	// that began last. Sections nest.
	ReadLock()
	ReadUnlock()

	// Quiescent says that the reader has nothing any more that it found in
	// sections before. Offline says that it reads nothing until Online. Only a
	// QSBR needs to know, and there the reader must say so.
	Quiescent()
	Offline()
	Online()

	// Unregister ends the Handle. It must not be in a section.
	Unregister()
}

// NewHandle returns a [Handle] that is a reader of d.
func (d *Domain) NewHandle() Handle { return &handle[Section]{flavour: d} }

// NewHandle returns a [Handle] that is a reader of p.
func (p *Pinned) NewHandle() Handle { return &handle[PinnedSection]{flavour: p} }

// NewHandle returns a [Handle] that is a reader of r.
func (r *Registered) NewHandle() Handle {
	return &struct {
		*Reader
		never
	}{Reader: r.Register()}
}

// NewHandle returns a [Handle] that is a reader of q.
func (q *QSBR) NewHandle() Handle { return q.Register() }

// never is for flavours whose readers need not say when they are quiet.
type never struct{}

func (never) Quiescent() {}
func (never) Offline()   {}
func (never) Online()    {}

// A handle keeps the sections that its reader is in.
type handle[S any] struct {
	never
	flavour interface {
		ReadLock() S
		ReadUnlock(S)
	}
	in   []S
	gone bool // whether it has unregistered
}

func (h *handle[S]) ReadLock() {
	if h.gone {
		panic("rcu: ReadLock of a reader that is not registered")
	}
	h.in = append(h.in, h.flavour.ReadLock())
}

func (h *handle[S]) ReadUnlock() {
	last := len(h.in) - 1
	if last < 0 {
		panic("rcu: ReadUnlock without ReadLock")
	}
	s := h.in[last]
	h.in = h.in[:last]
	h.flavour.ReadUnlock(s)
}

func (h *handle[S]) Unregister() {
	switch {
	case len(h.in) > 0:
		panic("rcu: Unregister in a read-side critical section")
	case h.gone:
		panic("rcu: Unregister of a reader that is not registered")
	}
	h.gone = true
}
