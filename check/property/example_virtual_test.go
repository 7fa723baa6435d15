//go:build virtual

package property_test

import (
	"fmt"
	"log"
	"sync"

	"github.com/anishathalye/porcupine"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/primitives"
)

// A flag is a lock of one word.
type flag struct{ held primitives.Bool }

func (l *flag) TryLock() bool { return l.held.CompareAndSwap(false, true) }

func (l *flag) Lock() {
	for spin := (primitives.Spin{}); !l.TryLock(); {
		spin.Once()
	}
}

func (l *flag) Unlock() {
	if !l.held.Swap(false) {
		panic("Unlock of unlocked flag")
	}
}

// holds prints the result of a search. In a test it is one line:
//
//	property.Every(t, "Exclusion", property.Exclusion(fresh, 3, 1))
func holds(body func(*check.Machine)) {
	report, err := check.Run(check.Config{}, body)
	if err != nil {
		log.Fatal(err)
	}
	if report.Failure != nil {
		fmt.Println(report.Failure.Kind, report.Failure.Message)
		return
	}
	fmt.Println("holds on", report.Scope(""))
}

// Exclusion is what every lock has.
func ExampleExclusion() {
	holds(property.Exclusion(func() sync.Locker { return new(flag) }, 3, 1))
	// Output: holds on every schedule
}

// A lock that can be tried has further properties.
func ExampleLock() {
	fresh := func() property.Lock { return new(flag) }
	holds(property.TryLock(fresh, 3, 1))
	holds(property.Tries(fresh, 3))
	// Output:
	// holds on every schedule
	// holds on every schedule
}

// All, in a test, takes the promises that not every lock makes: property.All(t, fresh,
// property.UnlockPanics). This is the property that UnlockPanics adds.
func ExamplePromise() {
	holds(property.Misuse(func() sync.Locker { return new(flag) }, 2))
	// Output: holds on every schedule
}

// A counted lock lets readers in together.
type counted struct{ word primitives.Uint32 } // readers, or ^0: a writer

func (l *counted) Lock() {
	for spin := (primitives.Spin{}); !l.word.CompareAndSwap(0, ^uint32(0)); {
		spin.Once()
	}
}
func (l *counted) Unlock() { l.word.Store(0) }
func (l *counted) RLock() {
	for spin := (primitives.Spin{}); ; spin.Once() {
		if n := l.word.Load(); n != ^uint32(0) && l.word.CompareAndSwap(n, n+1) {
			return
		}
	}
}
func (l *counted) RUnlock() { l.word.Add(^uint32(0)) }

// Readers keep writers out, and are inside together.
func ExampleReaders() {
	fresh := func() property.Readers { return new(counted) }
	holds(property.ReadersExclude(fresh, 2, 1, 1))
	holds(property.ReadersMeet(fresh, 2))
	// Output:
	// holds on every schedule
	// holds on every schedule
}

// A hasty lock has a sequence, and a writer that does not begin it: readers read what is
// half written.
type hasty struct {
	flag
	seq primitives.Uint64
}

func (l *hasty) Unlock()               { l.seq.Add(1); l.flag.Unlock() }
func (l *hasty) Begin() uint64         { return l.seq.Load() }
func (l *hasty) Retry(seq uint64) bool { return l.seq.Load() != seq }

// Readers that hold nothing must see the words of one moment.
func ExampleSequence() {
	holds(property.Reads(func() property.Sequence { return new(hasty) }, 1, 1, 1))
	// Output: assertion read [1 0], which is torn
}

// An object that is no lock has a sequential specification. Here it is a register, which
// two workers write while a third reads it twice.
func ExampleHistory() {
	type write struct{ value uint32 }
	register := porcupine.Model{
		Init: func() any { return uint32(0) },
		Step: func(state, input, output any) (ok bool, next any) {
			if w, is := input.(write); is {
				return true, w.value
			}
			return output == state, state
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprint(input, " ", output) },
	}
	holds(func(m *check.Machine) {
		var h property.History
		var word primitives.Uint32
		for worker := range uint32(2) {
			m.Go(func() {
				done := h.Call(int(worker), write{worker + 1})
				word.Store(worker + 1)
				done(nil)
			})
		}
		m.Go(func() {
			for range 2 {
				done := h.Call(2, "read")
				done(word.Load())
			}
		})
		m.Wait()
		h.Linearizable(m, register)
	})
	// Output: holds on every schedule
}
