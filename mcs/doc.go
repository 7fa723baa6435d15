// Package mcs implements queue locks: the lock of Mellor-Crummey and Scott and
// its relatives. Waiters form a list, each waiter watches its own word, and a
// release disturbs exactly one of them, so the cost of a handoff does not grow
// with the number of waiters. All but the CNA serve in the order of arrival.
//
//	Queue   8 bytes  MCS as published: the caller brings a Node, 16 bytes, for
//	                 each acquisition
//	Lock   12 bytes  MCS as a sync.Locker: the caller brings no Node
//	CLH    24 bytes  the mirror image: a waiter watches its predecessor's word, so
//	                 a release is one store and need not find the successor
//	CNA    12 bytes  an MCS for machines with several nodes: it is handed to a
//	                 waiter near the holder first, within a bound
//	OSQ     8 bytes  an MCS whose waiters can give up; the optimistic spinners of
//	                 a sleeping lock queue in it
//
// Prefer Lock, or package qspinlock, which is as good under contention, takes
// half the time without it and has 4 bytes. TTAS and sync.Mutex are faster
// wherever order does not matter: a handoff costs at least one line's travel
// between CPUs, during which no goroutine is in the critical section. So FIFO locks
// are the first to suffer when CPUs are far from each other. docs/mcs.md, docs/clh.md and
// docs/cna.md say when to take which, with figures, and docs/spinlocks.md compares them.
//
// # Goroutines that outnumber CPUs
//
// Only the goroutine whose turn it is can acquire a queue lock. Waiters of this
// package therefore park once spinning cannot pay, and a release wakes exactly the
// next in line and gives it the CPU. The kernel's paravirtual qspinlock does the
// same where CPUs are virtual. On one CPU no waiter spins.
//
// # How many can wait
//
// A lock's word names a waiter by 16 bits, so 65,532 goroutines can wait at a
// time, for all locks of this package, of qspinlock and of reciprocating together.
// Goroutines that come then queue in a line for each lock until a waiter or the lock
// is free, in the order of arrival; a pinned one spins and is served out of turn.
// 80,000 goroutines at one lock took 3.8 to 14.4 s with a Lock, 1.5 to 3.4
// with a CLH, 1.5 to 2.6 with a qspinlock and 0.63 to 0.81 with sync.Mutex, on a
// very busy machine. [OSQ.Lock] returns false without a free waiter. A Queue has
// its callers' nodes and no such limit.
//
// A CLH counts how often a waiter was used in 48 bits, modulo 2⁴⁸: it would be
// wrong if a goroutine stopped for 2⁴⁷ uses of one waiter, which take months.
//
// # Sources
//
//	Queue  Mellor-Crummey and Scott, "Algorithms for scalable synchronization on
//	       shared-memory multiprocessors" (1991)
//	Lock   the same, and the variant of the K42 operating system
//	CLH    Craig, "Building FIFO and priority-queueing spin locks from atomic
//	       swap" (1993); Magnusson, Landin and Hagersten, "Queue locks on cache
//	       coherent multiprocessors" (1994)
//	CNA    Dice and Kogan, "Compact NUMA-aware locks" (2019)
//	OSQ    Linux kernel/locking/osq_lock.c
package mcs
