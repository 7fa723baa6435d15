package rcu_test

import "github.com/lockbench/lockbench/rcu"

var names = []string{"domain", "pinned", "registered", "qsbr"}

// A flavour is one of RCU's: what updates, and what runs a
// function in a read-side critical section. reader makes the latter for one
// goroutine, which then says when it begins to read and when it has done so.
type flavour struct {
	updater *rcu.Updater
	reader  func() reader
}

type reader struct {
	read        func(f func())
	begin, done func()
}

func nothing() {}

var flavours = map[string]func(cfg rcu.Config) flavour{
	"domain": func(cfg rcu.Config) flavour {
		d := rcu.NewDomain(cfg)
		return flavour{&d.Updater, func() reader {
			return reader{func(f func()) {
				s := d.ReadLock()
				f()
				d.ReadUnlock(s)
			}, nothing, nothing}
		}}
	},
	"pinned": func(cfg rcu.Config) flavour {
		p := rcu.NewPinned(cfg)
		return flavour{&p.Updater, func() reader {
			return reader{func(f func()) {
				s := p.ReadLock()
				f()
				p.ReadUnlock(s)
			}, nothing, nothing}
		}}
	},
	"registered": func(cfg rcu.Config) flavour {
		d := rcu.NewRegistered(cfg)
		return flavour{&d.Updater, func() reader {
			r := d.Register()
			return reader{func(f func()) {
				r.ReadLock()
				f()
				r.ReadUnlock()
			}, nothing, nothing}
		}}
	},
	"qsbr": func(cfg rcu.Config) flavour {
		q := rcu.NewQSBR(cfg)
		return flavour{&q.Updater, func() reader {
			r := q.Register()
			r.Offline()
			return reader{func(f func()) {
				f()
				r.Quiescent()
			}, r.Online, r.Offline}
		}}
	},
}
