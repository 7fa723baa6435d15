package catalog

import (
	"fmt"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/rcu"
)

// RCU returns every flavour of RCU, and last one that is none.
func RCU() []harness.RCU {
	return []harness.RCU{
		{Name: "rcu-domain", New: newDomain},
		{Name: "rcu-pinned", New: newPinned, Pins: true},
		{Name: "rcu-registered", New: newRegistered},
		{Name: "rcu-qsbr", New: newQSBR},
		{Name: bustedName, New: newBustedRCU},
	}
}

// bustedName is the name of a flavour that every torture must find broken.
const bustedName = "busted-rcu"

// rcuConfig does not let callbacks pile up for long: a bout of torture would be
// over before.
var rcuConfig = rcu.Config{Patience: time.Millisecond / 2}

// updater is what all flavours have in common.
type updater struct{ *rcu.Updater }

func (u updater) StartPoll() (over func() bool) {
	cookie := u.Updater.StartPoll()
	return func() bool { return u.Poll(cookie) }
}

func (u updater) String() string { return fmt.Sprintf("%+v", u.Stats()) }

// never is for readers of flavours that have no quiescent states.
type never struct{}

func (never) Quiescent() {}
func (never) Offline()   {}
func (never) Online()    {}

// deepest is how many sections a reader may be in, one inside the other.
const deepest = 4

type domain struct {
	updater
	domain *rcu.Domain
}

func newDomain() harness.RCUDomain {
	d := rcu.NewDomain(rcuConfig)
	return domain{updater{&d.Updater}, d}
}

func (d domain) Register() harness.RCUReader { return &domainReader{domain: d.domain} }

type domainReader struct {
	never
	domain *rcu.Domain
	depth  int
	in     [deepest]rcu.Section
}

func (r *domainReader) ReadLock() {
	r.in[r.depth] = r.domain.ReadLock()
	r.depth++
}

func (r *domainReader) ReadUnlock() {
	r.depth--
	r.domain.ReadUnlock(r.in[r.depth])
}

func (r *domainReader) Unregister() {}

type pinned struct {
	updater
	domain *rcu.Pinned
}

func newPinned() harness.RCUDomain {
	p := rcu.NewPinned(rcuConfig)
	return pinned{updater{&p.Updater}, p}
}

func (p pinned) Register() harness.RCUReader { return &pinnedReader{domain: p.domain} }

type pinnedReader struct {
	never
	domain *rcu.Pinned
	depth  int
	in     [deepest]rcu.PinnedSection
}

func (r *pinnedReader) ReadLock() {
	r.in[r.depth] = r.domain.ReadLock()
	r.depth++
}

func (r *pinnedReader) ReadUnlock() {
	r.depth--
	r.domain.ReadUnlock(r.in[r.depth])
}

func (r *pinnedReader) Unregister() {}

type registered struct {
	updater
	domain *rcu.Registered
}

func newRegistered() harness.RCUDomain {
	d := rcu.NewRegistered(rcuConfig)
	return registered{updater{&d.Updater}, d}
}

func (d registered) Register() harness.RCUReader {
	return struct {
		*rcu.Reader
		never
	}{Reader: d.domain.Register()}
}

type qsbr struct {
	updater
	domain *rcu.QSBR
}

func newQSBR() harness.RCUDomain {
	q := rcu.NewQSBR(rcuConfig)
	return qsbr{updater{&q.Updater}, q}
}

func (q qsbr) Register() harness.RCUReader { return q.domain.Register() }

// A bustedRCU waits for nobody, and says that it did.
type bustedRCU struct{ never }

func newBustedRCU() harness.RCUDomain { return bustedRCU{} }

func (b bustedRCU) Register() harness.RCUReader { return b }
func (bustedRCU) ReadLock()                     {}
func (bustedRCU) ReadUnlock()                   {}
func (bustedRCU) Unregister()                   {}

func (bustedRCU) Synchronize()                  {}
func (bustedRCU) SynchronizeExpedited()         {}
func (bustedRCU) Call(f func())                 { go f() }
func (bustedRCU) Barrier()                      {}
func (bustedRCU) StartPoll() (over func() bool) { return func() bool { return true } }
func (bustedRCU) Close()                        {}
