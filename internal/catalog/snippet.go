package catalog

import (
	"path"
	"reflect"
	"strings"

	"github.com/lockbench/lockbench/harness"
)

// Type returns the Go type of e, such as "ticket.Lock", or "ticket.Lock, pinned" for the
// form with preemption off; "" if it is no lock.
func (e Entry) Type() string {
	typ := special[e.use()].typ
	if t, ok := e.goType(); ok {
		typ = path.Base(t.PkgPath()) + "." + t.Name()
	}
	if typ != "" && e.Pins {
		typ += ", pinned"
	}
	return typ
}

// Snippet returns a short Go file that uses e as a program would, "" if it is no lock.
// The file compiles in a module that requires this one and, for a peer, the peer's.
func (e Entry) Snippet() string {
	if e.Control {
		return ""
	}
	if of, ok := special[e.use()]; ok {
		s := strings.Replace(of.snippet, "RETIRE\n", retire[e.Reclaim], 1)
		if e.Pins {
			s = pinning.Replace(s)
		}
		return s
	}
	t, ok := e.goType()
	if !ok {
		return "" // a test has none of these
	}
	s := counter
	if _, ok := e.New().(harness.RWLocker); ok {
		s += value
	}
	if e.Pins {
		s = pinning.Replace(strings.Replace(s, "\tc.mu.Lock()", "\tc.mu.Lock() // preemption is off: be short, and do not block", 1))
	}
	return strings.NewReplacer("IMPORT", t.PkgPath(), "TYPE", path.Base(t.PkgPath())+"."+t.Name()).Replace(s)
}

// goType returns the type that a program uses, if it can use one as it is: not one of
// this package, which adapts a lock of another form.
func (e Entry) goType() (t reflect.Type, ok bool) {
	if e.New == nil || e.Control {
		return nil, false
	}
	t = reflect.TypeOf(e.New())
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil, false
	}
	t = t.Elem()
	here := reflect.TypeFor[noLock]().PkgPath()
	if e.Pins && t.PkgPath() == here {
		t = t.Field(0).Type // it embeds the lock
	}
	return t, t.PkgPath() != here
}

// use returns the name under which e is in special, if it is: without the suffixes that
// say whether it is pinned, and how updaters reclaim.
func (e Entry) use() string {
	name := e.Name
	if e.Pins {
		name = strings.TrimSuffix(name, "-pinned")
	}
	if e.Updaters != "" {
		name = strings.TrimSuffix(strings.TrimSuffix(name, "-sync"), "-none")
	}
	return name
}

// pinning replaces the methods of a lock by those that turn preemption off.
var pinning = strings.NewReplacer(
	"Lock()", "LockPinned()", "Unlock()", "UnlockPinned()", "Lock(node)", "LockPinned(node)", "Unlock(node)", "UnlockPinned(node)", "Update(", "UpdatePinned(",
)

const counter = `package counter

import "IMPORT"

// A Counter may be used by many goroutines. The zero Counter is ready to use.
type Counter struct {
	mu TYPE
	n  int // guarded by mu
}

func (c *Counter) Add() {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
}
`

const value = `
func (c *Counter) Value() int {
	c.mu.RLock()
	n := c.n
	c.mu.RUnlock()
	return n
}
`

// retire is what the updater of a snippet does with the old configuration.
var retire = map[harness.Reclaim]string{
	harness.ReclaimCall: "\told := current.Replace(&Config{Limit: n})\n\tmu.Unlock()\n\tdomain.Call(func() { old.Limit = -1 }) // soon, when no reader has it any more\n",
	harness.ReclaimSync: "\told := current.Replace(&Config{Limit: n})\n\tmu.Unlock()\n\tdomain.Synchronize()\n\told.Limit = -1 // no reader has it any more\n",
	harness.ReclaimNone: "\tcurrent.Assign(&Config{Limit: n})\n\tmu.Unlock() // the collector frees the old one\n",
}

// special are the locks that are not used like a sync.Locker, or that no struct can have
// as it is.
var special = map[string]struct{ typ, snippet string }{
	"mcs-queue": {"mcs.Queue", `package counter

import "github.com/lockbench/lockbench/mcs"

// A Counter may be used by many goroutines. The zero Counter is ready to use.
type Counter struct {
	mu mcs.Queue
	n  int // guarded by mu
}

// Add takes a node that no other goroutine uses meanwhile.
func (c *Counter) Add(node *mcs.Node) {
	c.mu.Lock(node)
	c.n++
	c.mu.Unlock(node)
}
`},
	"semaphore": {"blocking.Semaphore", `package counter

import "github.com/lockbench/lockbench/blocking"

var (
	permit = blocking.NewSemaphore(1)
	n      int // guarded by permit
)

func Add() {
	permit.Down()
	n++
	permit.Up()
}
`},
	"chan": {"chan", `package counter

var (
	permit = make(chan struct{}, 1)
	n      int // guarded by permit
)

func Add() {
	permit <- struct{}{}
	n++
	<-permit
}
`},
	"semaphore.Weighted": {"semaphore.Weighted", `package counter

import (
	"context"

	"golang.org/x/sync/semaphore"
)

var (
	permit = semaphore.NewWeighted(1)
	n      int // guarded by permit
)

// Add returns the error of ctx if it ends first.
func Add(ctx context.Context) error {
	if err := permit.Acquire(ctx, 1); err != nil {
		return err
	}
	n++
	permit.Release(1)
	return nil
}
`},
	"xsync.RBMutex": {"xsync.RBMutex", `package counter

import "github.com/puzpuzpuz/xsync/v4"

var (
	mu = xsync.NewRBMutex()
	n  int // guarded by mu
)

func Add() {
	mu.Lock()
	n++
	mu.Unlock()
}

func Value() int {
	token := mu.RLock()
	v := n
	mu.RUnlock(token)
	return v
}
`},
	"seqlock": {"seqlock.Lock", `package counter

import "github.com/lockbench/lockbench/seqlock"

// Counts belong together. They have no pointers.
type Counts struct{ Done, Failed uint64 }

var counts seqlock.Value[Counts] // a seqlock.Lock and what it guards

func Add() {
	counts.Update(func(c Counts) Counts { c.Done++; return c })
}

// Value writes nothing, and reads again if a writer was there meanwhile.
func Value() Counts { return counts.Load() }
`},
	"gvisor.SeqCount": {"sync.SeqCount (gVisor)", `package counter

import (
	"sync"
	"sync/atomic"

	gvisor "gvisor.dev/gvisor/pkg/sync"
)

var (
	mu           sync.Mutex // excludes writers
	seq          gvisor.SeqCount
	done, failed atomic.Uint64 // they belong together
)

func Add() {
	mu.Lock()
	seq.BeginWrite()
	done.Add(1)
	seq.EndWrite()
	mu.Unlock()
}

// Value reads again if a writer was there meanwhile.
func Value() (d, f uint64) {
	for {
		epoch := seq.BeginRead()
		d, f = done.Load(), failed.Load()
		if seq.ReadOk(epoch) {
			return d, f
		}
	}
}
`},
	"rcu-domain": {"rcu.Domain", rcuSnippet("NewDomain", `
// Limit may be called by any goroutine.
func Limit() int {
	s := domain.ReadLock()
	defer domain.ReadUnlock(s)
	return current.Dereference().Limit
}
`)},
	"rcu-pinned": {"rcu.Pinned", rcuSnippet("NewPinned", `
// Limit may be called by any goroutine. Preemption is off in its section.
func Limit() int {
	s := domain.ReadLock()
	limit := current.Dereference().Limit
	domain.ReadUnlock(s)
	return limit
}
`)},
	"rcu-registered": {"rcu.Registered", rcuSnippet("NewRegistered", `
// Watch is a goroutine that reads.
func Watch(goOn func(limit int) bool) {
	r := domain.Register()
	defer r.Unregister()
	for more := true; more; {
		r.ReadLock()
		more = goOn(current.Dereference().Limit)
		r.ReadUnlock()
	}
}
`)},
	"rcu-qsbr": {"rcu.QSBR", rcuSnippet("NewQSBR", `
// Watch is a goroutine that reads.
func Watch(goOn func(limit int) bool) {
	r := domain.Register()
	defer r.Unregister()
	for more := true; more; {
		r.ReadLock()
		more = goOn(current.Dereference().Limit)
		r.ReadUnlock()
		r.Quiescent() // often, or grace periods wait for it
	}
}
`)},
	"sync.Map": {"sync.Map", `package counter

import "sync"

var limits sync.Map // of int by string; its zero value is ready to use

func SetLimit(name string, n int) { limits.Store(name, n) }

func Limit(name string) (n int, ok bool) {
	v, ok := limits.Load(name)
	if ok {
		n = v.(int)
	}
	return n, ok
}
`},
	"xsync.Map": {"xsync.Map", `package counter

import "github.com/puzpuzpuz/xsync/v4"

var limits = xsync.NewMap[string, int]()

func SetLimit(name string, n int) { limits.Store(name, n) }

func Limit(name string) (n int, ok bool) { return limits.Load(name) }
`},
}

// rcuSnippet returns the file for a flavour of RCU, with the function that makes it and its
// reader.
func rcuSnippet(maker, reader string) string {
	return `package config

import (
	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/rcu"
)

// A Config is replaced as a whole, and not changed.
type Config struct{ Limit int }

var (
	domain  = rcu.` + maker + `(rcu.Config{Name: "config"})
	current rcu.Pointer[Config]
	mu      blocking.Mutex // excludes updaters
)

func init() { current.Assign(&Config{Limit: 1}) }
` + reader + `
func SetLimit(n int) {
	mu.Lock()
RETIRE
}
`
}

// Needs says what e asks of a program that a sync.Mutex or a sync.RWMutex does not; ""
// if nothing.
func (e Entry) Needs() string {
	switch {
	case e.New == nil:
		return "it is a map, and takes the place of a map and its lock"
	case e.PinsReaders:
		return "updaters replace what readers read, and do not change it; preemption is off in a reader's section, which must be short and must not block"
	case e.Updaters != "":
		return "updaters replace what readers read, and do not change it"
	case e.Family == "sequence":
		return "readers may see what is half written, and read again: it must be words without pointers"
	case e.Pins:
		return "preemption is off while it is held: sections must be short, and must not block"
	case e.use() == "mcs-queue":
		return "each acquisition brings a node"
	case e.Name == "xsync.RBMutex":
		return "RLock returns a token that RUnlock takes"
	}
	return ""
}
