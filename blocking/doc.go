// Package blocking implements the locks whose waiters park: they give up
// their CPU until it is their turn.
//
//	Mutex       one holder; its waiters first spin, while that can pay
//	RWSem       many readers or one writer
//	Semaphore   a number of units
//	Completion  wait until something is done
//
// Each wait except the plain one can end early, by a context or by a timeout.
// A waiter that gave up has acquired nothing, and no wake-up is lost to it.
// A parked waiter uses no CPU.
//
// A context or a timeout that ends before the release ends the wait: a waiter
// that has acquired looks at its context or at the clock once more. If that has
// ended, the waiter gives back what it acquired, to the next in line, and returns
// the context's cause or false. So a goroutine that cancels and then unlocks
// knows that the waiter does not have the lock. A context that ends later, before
// the wait has returned, may end the wait too.
//
// The numbers of waiters, readers and permits have limits, which a program that
// gives back what it took does not reach. One more panics, and changes nothing:
//
//	Mutex       [MaxWaiting] in line, 2²⁴-1
//	RWSem       [MaxReaders] readers, 2⁵⁴-1; TryRLock fails instead
//	Semaphore   [MaxPermits] permits, 2³¹-1
//	Completion  [MaxCompletes] calls of Complete that no wait has used, 2³¹-1
//
// No wait may be made between primitives.Pin and Unpin, nor under a lock taken
// by LockPinned: if it has to park, the runtime ends the program with the words
// "schedule: holding locks". Package check reports it as a failure. The forms
// that do not wait, and those that release, may be called there.
//
// During a wait in line the clock of a testing/synctest bubble stands still, as
// during a wait for a sync.Mutex: a timeout does not end the wait, and
// synctest.Wait does not return. (Under the tag purego both work.)
//
// All four keep their waiters in one kind of list, in the order of arrival,
// and hand what they guard directly to the waiter they choose: a waiter that
// wakes has what it waited for.
package blocking
