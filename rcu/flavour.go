package rcu

// A Flavour is a [Domain], a [Pinned], a [Registered] or a [QSBR]. Code that uses
// a Flavour works with each of them if its sections do not block and its readers
// say now and then that they are quiet. Code that knows the flavour calls the
// flavour's own methods to begin and end sections, which cost less.
type Flavour interface {
	// NewHandle returns a Handle, online.
	NewHandle() Handle

	// See Updater for these.
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

// A Handle is a reader of any [Flavour]. Only one goroutine may use it, and that
// goroutine must not wait for a grace period while the Handle is online.
type Handle interface {
	// ReadLock begins a read-side critical section, and ReadUnlock ends the one
	// that began last. Sections nest. An unpaired ReadUnlock panics; one of a QSBR does
	// so only under Config.Trace.
	ReadLock()
	ReadUnlock()

	// Quiescent says that the reader no longer uses what it found in earlier
	// sections. Offline says that it does not read until Online. Readers of a QSBR
	// must call them; for other flavours they do nothing.
	Quiescent()
	Offline()
	Online()

	// Unregister ends the Handle. It panics in a section, if that is known, and if
	// the Handle has ended.
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

// never is embedded by readers that need not say when they are quiet.
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
