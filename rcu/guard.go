package rcu

import (
	"runtime"
	"strconv"
	"strings"
)

// guard panics if the caller is known to be in a read-side critical section, or
// runs the grace period, and so would wait for itself.
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

// misuse is what a panic says of something wrong, and of what went before it, if
// where that was is known; and where the caller is then.
func misuse(what, before string, at *mark) string {
	where := at.where()
	if where == "" {
		return "rcu: " + what
	}
	var pcs [32]uintptr
	n := runtime.Callers(2, pcs[:])
	return "rcu: " + what + "\n\n" + before + "\n" + where + "\nand this is at\n" + callers(pcs[:n])
}

// guardCallback panics if a callback is the caller, and so would wait for itself.
func (u *Updater) guardCallback(method string) {
	if u.callbacks.mine() {
		panic("rcu: " + method + " in a callback waits for itself")
	}
}

// mine reports whether the caller is the goroutine.
func (q *callbacks) mine() bool {
	id := q.runner.Load()
	return id != 0 && id == goroutine()
}

// goroutine returns the caller's id, from 1. It takes a microsecond or so: the
// runtime tells it nowhere but in a stack.
func goroutine() uint64 {
	var buf [32]byte
	return goroutineOf(string(buf[:runtime.Stack(buf[:], false)]))
}

// goroutineOf returns the id of the goroutine that a stack, as in a panic, is of.
func goroutineOf(stack string) uint64 {
	id, _, _ := strings.Cut(strings.TrimPrefix(stack, "goroutine "), " ")
	n, _ := strconv.ParseUint(id, 10, 64)
	return n
}
