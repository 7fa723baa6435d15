package harness

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

func TestWorkText(t *testing.T) {
	for i := range works {
		var k Work
		text, err := Work(i).MarshalText()
		if err == nil {
			err = k.UnmarshalText(text)
		}
		if err != nil || k != Work(i) {
			t.Errorf("%v: read back as %v, %v", Work(i), k, err)
		}
	}
	if err := new(Work).UnmarshalText([]byte("disk")); err == nil {
		t.Error(`no error for work "disk"`)
	}
}

// Work in memory uses all of its buffer, and writes what it reads.
func TestWorkInMemory(t *testing.T) {
	for k, bytes := range map[Work]int{MemoryL1: 16 << 10, MemoryL2: 256 << 10} {
		b := k.newBuffer()
		if len(b)*8 != bytes {
			t.Errorf("%v: a buffer of %d bytes, want %d", k, len(b)*8, bytes)
		}
		before := slices.Clone(b)
		workIn(b, 20*len(b), 1)
		same := 0
		for i := range b {
			if b[i] == before[i] {
				same++
			}
		}
		if same > len(b)/1000 {
			t.Errorf("%v: %d of %d words are as they were", k, same, len(b))
		}
	}
	if Registers.newBuffer() != nil || Serialized.newBuffer() != nil {
		t.Error("a buffer for work that touches no memory")
	}
}

// A tallied lock counts each operation, and has the methods of every form.
type tallied struct {
	RCULocker
	tally map[string]int
}

func (l tallied) Lock()               { l.tally["Lock"]++ }
func (l tallied) Unlock()             { l.tally["Unlock"]++ }
func (l tallied) RLock()              { l.tally["RLock"]++ }
func (l tallied) RUnlock()            { l.tally["RUnlock"]++ }
func (l tallied) ReadLock()           { l.tally["ReadLock"]++ }
func (l tallied) ReadUnlock()         { l.tally["ReadUnlock"]++ }
func (l tallied) Begin() uint64       { l.tally["Begin"]++; return 42 }
func (l tallied) Retry(n uint64) bool { l.tally["Retry"]++; return n == 42 }

// Fenced returns l as a worker with serialized work sees it.
func Fenced(l sync.Locker) sync.Locker { return fencedLock{l} }

// With fences each operation of the lock is called once.
func TestFences(t *testing.T) {
	l := tallied{tally: make(map[string]int)}
	w := &access{lock: l, rw: l, seq: l, rcu: l}
	w.fence()
	for _, half := range []func(){
		w.lock.Lock, w.lock.Unlock, w.rw.Lock, w.rw.Unlock, w.seq.Lock, w.seq.Unlock, w.rcu.Lock, w.rcu.Unlock,
		w.rw.RLock, w.rw.RUnlock, w.rcu.ReadLock, w.rcu.ReadUnlock,
	} {
		half()
	}
	if n := w.seq.Begin(); n != 42 || !w.seq.Retry(n) || w.seq.Retry(n+1) {
		t.Errorf("Begin() = %d, or Retry does not say what the lock's says", n)
	}
	want := map[string]int{"Lock": 4, "Unlock": 4, "RLock": 1, "RUnlock": 1, "ReadLock": 1, "ReadUnlock": 1, "Begin": 1, "Retry": 2}
	if !maps.Equal(l.tally, want) {
		t.Errorf("called %v, want %v", l.tally, want)
	}
}

// Every kind of work is measured, over every form of the loop, and is in the
// sample's name.
func TestWorks(t *testing.T) {
	for i := range works {
		k := Work(i)
		s := Scenario{Subject: rwmutex, CPUs: 1, Workers: 1, Work: k, Hold: 10 * time.Nanosecond, Think: 10 * time.Nanosecond, Duration: 50 * time.Microsecond}
		if k == Serialized && !primitives.CanSerialize {
			if err := s.Validate(); err == nil {
				t.Errorf("%v: no error where nothing can be serialized", k)
			}
			continue
		}
		for _, s.Subject = range []Subject{rwmutex, subject[sequenced]("sequenced"), newFlavour(ReclaimCall, sound)} {
			for _, s.Reads = range []int{0, 50, 100} {
				sample, err := Run(context.Background(), s)
				if err != nil {
					t.Fatalf("%v: %v", k, err)
				}
				want := k.String()
				if k == Registers {
					want = ""
				}
				if sample.Work != want {
					t.Errorf("%v: work %q in the sample, want %q", k, sample.Work, want)
				}
			}
		}
		s.Subject = rwmutex
		if w := newWorker(newRun(s, s.New(), 0), 0, s.New()); w.buffer != nil {
			for what, compute := range map[string]func(){"hold": w.stay, "think": w.pause} {
				before := slices.Clone(w.buffer)
				if compute(); slices.Equal(w.buffer, before) {
					t.Errorf("%v: %s leaves the buffer as it was", k, what)
				}
			}
		}
	}
}
