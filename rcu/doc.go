// Package rcu implements read-copy update: readers that never wait and write
// nothing shared, updaters that publish new versions of things, and grace
// periods, after which nobody can have an old version any more.
//
//	var p rcu.Pointer[config]                     // published
//	d := rcu.NewDomain(rcu.Config{})
//
//	s := d.ReadLock()                             old := p.Replace(new)
//	use(p.Dereference())                          d.Synchronize()
//	d.ReadUnlock(s)                               reuse(old)
//
// In C, RCU is for freeing memory. Go's collector does that: who only replaces
// a pointer needs no RCU, but atomic.Pointer. RCU is for what the collector does
// not know: objects that are used again (pools, off-heap memory), descriptors
// and connections to be closed exactly when the last reader is gone, and waiting
// until every reader has seen a change.
//
// # Flavours
//
// They differ in what a reader may do, and in what it pays:
//
//	Domain      any goroutine, may block, may nest      Pin, an add and Unpin, twice
//	Pinned      must not block, be short, may nest      Pin, two adds and Unpin
//	Registered  a handle each, may block, may nest      two plain stores
//	QSBR        a handle each, says when it is quiet    a look at a flag, twice
//
// Take a Domain. All have what [Updater] has: [Updater.Synchronize] waits for a
// grace period, [Updater.Call] has a function called after one,
// [Updater.Barrier] waits for those calls, [Updater.StartPoll] and
// [Updater.Poll] wait for nothing. Updaters exclude each other by a lock of
// their own. What is to work with any of them takes a [Flavour], whose readers
// are [Handle]s.
//
// # How readers cost so little
//
// A reader must announce itself before it reads. On most machines that takes a
// fence, which costs more than all the rest. Here the updater pays for it, with
// membarrier(2), which makes every CPU that runs a reader go through one; where
// there is none, readers have a fence of their own.
package rcu
