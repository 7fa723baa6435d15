package rcu

import (
	"runtime"
	"strconv"
	"strings"
)

// guard panics if the caller would wait for itself: if it is known to be in a
// read-side critical section, or runs the grace period.
func (u *Updater) guard(method string) {
	u.mustBeMade(method)
	if began := u.protocol.reads(); began != nil {
		panic(misuse(method+" in a read-side critical section waits for itself", "it began at", began))
	}
	if id := u.reporting.Load(); id != 0 && id == goroutine() {
		panic("rcu: " + method + " in a stall's report waits for itself")
	}
}

// mustBeMade panics if the flavour is a zero value.
func (u *Updater) mustBeMade(method string) {
	if u.protocol == nil {
		panic("rcu: " + method + " of a zero value: want NewDomain, NewPinned, NewRegistered or NewQSBR")
	}
}

// misuse returns the message of a panic about misuse. If the place of an earlier
// event is known (before, at), the message has that place and the caller's.
func misuse(what, before string, at *mark) string {
	where := at.where()
	if where == "" {
		return "rcu: " + what
	}
	var pcs [32]uintptr
	n := runtime.Callers(2, pcs[:])
	return "rcu: " + what + "\n\n" + before + "\n" + where + "\nand this is at\n" + callers(pcs[:n])
}

// guardCallback panics if the caller is a callback, which would wait for itself.
func (u *Updater) guardCallback(method string) {
	if u.callbacks.mine() {
		panic("rcu: " + method + " in a callback waits for itself")
	}
}

// mine reports whether the caller is the callback goroutine.
func (q *callbacks) mine() bool {
	id := q.runner.Load()
	return id != 0 && id == goroutine()
}

// goroutine returns the caller's id, from 1. It takes about a microsecond: the
// runtime shows the id only in a stack.
func goroutine() uint64 {
	var buf [32]byte
	return goroutineOf(string(buf[:runtime.Stack(buf[:], false)]))
}

// goroutineOf returns the id of the goroutine whose stack, as in a panic, is stack.
func goroutineOf(stack string) uint64 {
	id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
	n, _ := strconv.ParseUint(id, 10, 64)
	return n
}
