package catalog

import (
	"fmt"
	"sync"
	"time"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/rcu"
)

// RCU returns every flavour of RCU, and last a broken one.
func RCU() []harness.RCU {
	return []harness.RCU{
		{Name: "rcu-domain", New: func() harness.RCUDomain { return flavour{rcu.NewDomain(rcuConfig)} }},
		{Name: "rcu-pinned", New: func() harness.RCUDomain { return flavour{rcu.NewPinned(rcuConfig)} }, Pins: true},
		{Name: "rcu-registered", New: func() harness.RCUDomain { return flavour{rcu.NewRegistered(rcuConfig)} }},
		{Name: "rcu-qsbr", New: func() harness.RCUDomain { return flavour{rcu.NewQSBR(rcuConfig)} }, Keeps: true},
		{Name: bustedName, New: newBustedRCU},
	}
}

// bustedName is the name of a flavour that every torture must find broken.
const bustedName = "busted-rcu"

// rcuConfig does not let callbacks accumulate for long, since a round of torture is
// short. Its HighWater is low, so that callers are delayed, in sections and between
// them.
var rcuConfig = rcu.Config{Patience: time.Millisecond / 2, HighWater: 50}

// A flavour is a flavour of RCU for a torture.
type flavour struct{ rcu.Flavour }

func (f flavour) Register() harness.RCUReader { return f.NewHandle() }

func (f flavour) StartPoll() (over func() bool) {
	cookie := f.Flavour.StartPoll()
	return func() bool { return f.Poll(cookie) }
}

func (f flavour) String() string { return fmt.Sprintf("%+v", f.Stats()) }

// A bustedRCU does not wait for readers, and says that it did.
type bustedRCU struct{}

func newBustedRCU() harness.RCUDomain { return bustedRCU{} }

func (b bustedRCU) Register() harness.RCUReader { return b }
func (bustedRCU) ReadLock()                     {}
func (bustedRCU) ReadUnlock()                   {}
func (bustedRCU) Quiescent()                    {}
func (bustedRCU) Offline()                      {}
func (bustedRCU) Online()                       {}
func (bustedRCU) Unregister()                   {}

func (bustedRCU) Synchronize()                  {}
func (bustedRCU) SynchronizeExpedited()         {}
func (bustedRCU) Call(f func())                 { go f() }
func (bustedRCU) Barrier()                      {}
func (bustedRCU) StartPoll() (over func() bool) { return func() bool { return true } }
func (bustedRCU) Close()                        {}

// A bustedLock is a bustedRCU with a correct lock for its updaters.
type bustedLock struct {
	*blocking.Mutex
	bustedRCU
}

func newBustedLock() sync.Locker { return bustedLock{Mutex: new(blocking.Mutex)} }

func (l bustedLock) Worker() sync.Locker { return l }
func (bustedLock) Backlog() int          { return 0 }
