// Package rcu implements read-copy update: readers that do not wait and write
// nothing shared, updaters that publish new versions, and grace periods, after
// which no reader can have an old version any more.
//
//	var p rcu.Pointer[config]                     // published
//	d := rcu.NewDomain(rcu.Config{})
//
//	s := d.ReadLock()                             old := p.Replace(new)
//	use(p.Dereference())                          d.Synchronize()
//	d.ReadUnlock(s)                               reuse(old)
//
// In C, RCU is for freeing memory. Go's collector does that: a program that only
// replaces a pointer needs no RCU, but atomic.Pointer. RCU is for what the
// collector does not know: objects that are used again (pools, off-heap memory),
// descriptors and connections that must be closed exactly when the last reader is
// gone, and waiting until every reader has seen a change.
//
// # Flavours
//
// They differ in what a reader may do, and in what a section costs:
//
//	Domain      any goroutine, may block, may nest      Pin, an add and Unpin, twice
//	Pinned      must not block, be short, may nest      Pin, two adds and Unpin
//	Registered  a handle each, may block, may nest      two plain stores
//	QSBR        a handle each, says when it is quiet    a look at a flag, twice
//
// Use a Domain by default. All have the methods of [Updater]:
// [Updater.Synchronize] waits for a grace period, [Updater.Call] has a function
// called after one, [Updater.Barrier] waits for those calls, and
// [Updater.StartPoll] and [Updater.Poll] do not wait. Updaters exclude each other
// by a lock that they bring. Code for any flavour takes a [Flavour], whose readers
// are [Handle]s.
//
// # How readers cost so little
//
// A reader must announce itself before it reads. On most machines that takes a
// fence, which costs more than the rest of the section. Here the updater pays for
// it, with membarrier(2), which makes every CPU that runs a reader execute a
// fence. On systems without membarrier, readers execute their own fences.
package rcu
