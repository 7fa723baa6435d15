package catalog

import (
	"fmt"
	"sync"
	"unsafe"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// rcuLocks returns every flavour of RCU in the form in which it is measured with the
// locks: its updaters Call; those of entries whose names end in -sync wait, and those
// of entries whose names end in -none leave what they replaced to the collector.
func rcuLocks() []Entry {
	var all []Entry
	for _, f := range []Entry{
		{
			Subject: harness.Subject{Name: "rcu-domain", New: func() sync.Locker {
				d := rcu.NewDomain(rcu.Config{Name: "rcu-domain"})
				return newRCULock(d, func(u updater) sync.Locker { return &domainView{updater: u, domain: d} })
			}},
			Bytes:  unsafe.Sizeof(rcu.Domain{}),
			Source: "Linux kernel/rcu/srcutree.c",
		},
		{
			Subject: harness.Subject{Name: "rcu-pinned", PinsReaders: true, New: func() sync.Locker {
				p := rcu.NewPinned(rcu.Config{Name: "rcu-pinned"})
				return newRCULock(p, func(u updater) sync.Locker { return &pinnedView{updater: u, pinned: p} })
			}},
			Bytes:  unsafe.Sizeof(rcu.Pinned{}),
			Source: "Linux kernel/rcu/tree.c, classic RCU",
		},
		{
			Subject: harness.Subject{Name: "rcu-registered", New: func() sync.Locker {
				r := rcu.NewRegistered(rcu.Config{Name: "rcu-registered"})
				return newRCULock(r, func(u updater) sync.Locker { return &registeredView{updater: u, Reader: r.Register()} })
			}},
			Bytes:  unsafe.Sizeof(rcu.Registered{}),
			Source: "liburcu, urcu-memb",
		},
		{
			Subject: harness.Subject{Name: "rcu-qsbr", New: func() sync.Locker {
				q := rcu.NewQSBR(rcu.Config{Name: "rcu-qsbr"})
				return newRCULock(q, func(u updater) sync.Locker {
					v := &qsbrView{updater: u, QuiescentReader: q.Register()}
					v.Offline()
					return v
				})
			}},
			Bytes:  unsafe.Sizeof(rcu.QSBR{}),
			Source: "liburcu, urcu-qsbr",
		},
	} {
		f.Family, f.Order, f.Except = "RCU", ReadersNeverWait, "; updaters as mutex"
		f.Waits = UpdatersPark
		f.Updaters = "mutex"
		f.NewTable = newHash
		f.Bytes += unsafe.Sizeof(blocking.Mutex{})
		f.WaiterBytes = blocking.WaiterBytes
		for _, as := range []struct {
			suffix  string
			reclaim harness.Reclaim
		}{
			{"", harness.ReclaimCall},
			{"-sync", harness.ReclaimSync},
			{"-none", harness.ReclaimNone},
		} {
			e := f
			e.Name += as.suffix
			e.Reclaim = as.reclaim
			all = append(all, e)
		}
	}
	return all
}

// An rcuLock is a flavour of RCU, and the lock by which its updaters exclude each
// other. It is locked like that lock; everything else is for views.
type rcuLock struct {
	blocking.Mutex
	flavour rcu.Flavour
	view    func(updater) sync.Locker
}

func newRCULock(f rcu.Flavour, view func(updater) sync.Locker) *rcuLock {
	return &rcuLock{flavour: f, view: view}
}

// Worker returns a view for one worker.
func (l *rcuLock) Worker() sync.Locker { return l.view(updater{&l.Mutex, l.flavour}) }

func (l *rcuLock) String() string {
	return fmt.Sprintf("updaters' lock: %v; %+v", &l.Mutex, l.flavour.Stats())
}

// An updater is the part of a view that is the same for all flavours.
type updater struct {
	*blocking.Mutex
	rcu.Flavour
}

func (u updater) Backlog() int { return u.Stats().Waiting }

// always is the part of a view whose readers need not announce quiescent states.
type always struct{}

func (always) Quiescent() {}
func (always) Offline()   {}
func (always) Online()    {}

// Methods of a Reader take precedence over those of its Flavour. The views keep what
// their worker's section needs on cache lines of their own.
type (
	domainView struct {
		_ primitives.CacheLine
		updater
		always
		domain  *rcu.Domain
		section rcu.Section
		_       primitives.CacheLine
	}
	pinnedView struct {
		_ primitives.CacheLine
		updater
		always
		pinned  *rcu.Pinned
		section rcu.PinnedSection
		_       primitives.CacheLine
	}
	registeredView struct {
		_ primitives.CacheLine
		updater
		always
		*rcu.Reader
		_ primitives.CacheLine
	}
	qsbrView struct {
		_ primitives.CacheLine
		updater
		*rcu.QuiescentReader
		_ primitives.CacheLine
	}
)

func (v *domainView) ReadLock()   { v.section = v.domain.ReadLock() }
func (v *domainView) ReadUnlock() { v.domain.ReadUnlock(v.section) }

func (v *pinnedView) ReadLock()   { v.section = v.pinned.ReadLock() }
func (v *pinnedView) ReadUnlock() { v.pinned.ReadUnlock(v.section) }

// Call may delay its caller, and no grace period should wait for the reader meanwhile.
func (v *qsbrView) Call(f func()) {
	if v.Stats().Waiting < longBacklog {
		v.Flavour.Call(f)
		return
	}
	v.Offline()
	v.Flavour.Call(f)
	v.Online()
}

// longBacklog is how many callbacks may wait before a Call may delay its caller: fewer
// than the HighWater of a zero Config.
const longBacklog = 5000
