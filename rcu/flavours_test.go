package rcu_test

import "github.com/lockbench/lockbench/rcu"

var names = []string{"domain", "pinned", "registered", "qsbr"}

// A flavour is a flavour of RCU with what its tests need.
type flavour interface {
	rcu.Flavour
	Running() bool
	Members() int
	Hurried() bool
	SlowDown(n int64)
	Started() bool
	Itself() *rcu.Updater
}

var flavours = map[string]func(cfg rcu.Config) flavour{
	"domain":     func(cfg rcu.Config) flavour { return rcu.NewDomain(cfg) },
	"pinned":     func(cfg rcu.Config) flavour { return rcu.NewPinned(cfg) },
	"registered": func(cfg rcu.Config) flavour { return rcu.NewRegistered(cfg) },
	"qsbr":       func(cfg rcu.Config) flavour { return rcu.NewQSBR(cfg) },
}

// reader returns a Handle, offline.
func reader(f flavour) rcu.Handle {
	h := f.NewHandle()
	h.Offline()
	return h
}

// read runs f in a section, after which the reader is quiet.
func read(h rcu.Handle, f func()) {
	h.ReadLock()
	f()
	h.ReadUnlock()
	h.Quiescent()
}
