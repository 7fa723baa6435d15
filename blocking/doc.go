// Package blocking implements the locks whose waiters park: they give up
// their CPU until it is their turn.
//
//	Mutex       one holder; its waiters first spin, while that can pay
//	RWSem       many readers or one writer
//	Semaphore   a number of units
//	Completion  wait until something is done
//
// Every wait but the plain one can be given up, by a context or after a time.
// A waiter that gave up has acquired nothing, and no wake-up is ever lost to
// one that gave up. A parked waiter uses no CPU.
//
// All four keep their waiters in one kind of list, in the order of arrival,
// and hand what they guard directly to the waiter they choose: a waiter that
// wakes has what it waited for.
package blocking
