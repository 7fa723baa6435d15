package mcs_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/primitives"
)

// patient locks an OSQ by trying again each time it gave up.
type patient struct{ mcs.OSQ }

func (p *patient) Lock() {
	for !p.OSQ.Lock(func() bool { return true }) {
		runtime.Gosched()
	}
}

func TestOSQ(t *testing.T) {
	locktest.Exclusion(t, new(patient))
	for _, cpus := range []int{1, 2, 4} {
		locktest.Oversubscribed(t, cpus, new(patient))
	}
	var q mcs.OSQ
	if !q.TryLock() {
		t.Error("TryLock of unlocked OSQ = false, want true")
	}
	if q.TryLock() {
		t.Error("TryLock of locked OSQ = true, want false")
	}
	looks := 0
	if q.Lock(func() bool { looks++; return false }) || looks != 1 {
		t.Errorf("Lock of locked OSQ that is not to go on: true, or %d looks, want false after one", looks)
	}
	q.Unlock()
	locktest.Panics(t, "Unlock of unlocked OSQ", q.Unlock)
	wantNobodyEnlisted(t)
}

// Waiters may leave from any place in the line, at any moment: the others still
// get the lock, one at a time, and in the end the line is empty.
func TestOSQGiveUp(t *testing.T) {
	var (
		q      mcs.OSQ
		n      int // guarded by q
		wg     sync.WaitGroup
		mu     sync.Mutex
		locked int // guarded by mu
	)
	for worker := range locktest.Workers {
		wg.Go(func() {
			mine := 0
			for i := range 5000 {
				looks := (i*7 + worker) % 12
				if q.Lock(func() bool { looks--; return looks >= 0 }) {
					n++
					mine++
					if i%64 == 0 {
						runtime.Gosched()
					}
					q.Unlock()
				}
			}
			mu.Lock()
			locked += mine
			mu.Unlock()
		})
	}
	wg.Wait()
	if n != locked {
		t.Errorf("after %d acquisitions the counter reads %d", locked, n)
	}
	if got := q.String(); got != "unlocked" {
		t.Errorf("after the last Unlock String = %q, want unlocked", got)
	}
	wantNobodyEnlisted(t)
}

// A waiter that gives up while the lock is held acquires nothing, and the waiter
// behind it still acquires the lock.
func TestOSQGiveUpInTheMiddle(t *testing.T) {
	if runtime.GOMAXPROCS(0) < 2 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	}
	var q mcs.OSQ
	var patience primitives.Bool
	patience.Store(true)
	if !q.TryLock() {
		t.Fatal("TryLock of unlocked OSQ = false")
	}
	before := q.Tail()
	gaveUp := make(chan bool, 1)
	go func() { gaveUp <- !q.Lock(patience.Load) }()
	// It may also give up because its CPU has others to run.
	locktest.Until(func() bool { return q.Tail() != before || len(gaveUp) > 0 })
	patience.Store(false)
	if !<-gaveUp {
		t.Error("a waiter without patience acquired a lock that was held")
	}
	q.Unlock()
	if !q.TryLock() {
		t.Error("TryLock after all waiters left = false, want true")
	}
	q.Unlock()
	wantNobodyEnlisted(t)
}
