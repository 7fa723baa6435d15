//go:build virtual

package check_test

import (
	"fmt"
	"log"
	"path"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// A peeking lock looks whether it is free, and then takes it.
type peeking struct{ held primitives.Bool }

func (l *peeking) Lock() {
	for spin := (primitives.Spin{}); l.held.Load(); {
		spin.Once()
	}
	l.held.Store(true)
}

func (l *peeking) Unlock() { l.held.Store(false) }

// exclusion checks that two workers are not inside at once.
func exclusion(m *check.Machine) {
	var l peeking
	var n primitives.Cell[int] // guarded by l
	m.GoAlike(2, func() {
		l.Lock()
		n.Set(n.Get() + 1)
		l.Unlock()
	})
	m.Wait()
	m.Assert(n.Get() == 2)
}

// A failure has the schedule, step by step. In a test, Explore shows it as a table.
func ExampleRun() {
	report, err := check.Run(check.Config{}, exclusion)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Failure.Kind)
	for _, step := range report.Failure.Steps {
		fmt.Printf("%s: %s\n", report.Failure.Workers[step.Worker], step)
	}
	// Output:
	// data race
	// worker 1: Load l.held = false
	// worker 2: Load l.held = false
	// worker 2: Store l.held false → true
	// worker 2: Get n
	// worker 2: Set n
	// worker 2: Store l.held true → false
	// worker 1: Store l.held false → true
	// worker 1: Get n
}

// A pass says what was searched. Only every schedule is a proof, and of this body alone.
func ExampleReport() {
	increments := func(m *check.Machine) {
		var n primitives.Uint32
		m.GoAlike(3, func() { n.Add(1) })
		m.Wait()
		m.Assert(n.Load() == 3)
	}
	for _, cfg := range []check.Config{{}, {Mode: check.Random, Schedules: 100}} {
		report, err := check.Run(cfg, increments)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(report.Failure == nil, report.Whole(), report.Scope("3 workers"))
	}
	// Output:
	// true true every schedule of 3 workers
	// true false random schedules of 3 workers, seed 0
}

// A spinning lock takes the word in the step in which it looks.
type spinning struct{ held primitives.Bool }

func (l *spinning) Lock() {
	for spin := (primitives.Spin{}); !l.held.CompareAndSwap(false, true); {
		spin.Once()
	}
}

func (l *spinning) Unlock() { l.held.Store(false) }

// A deadlock names what each worker waits for.
func ExampleWait() {
	report, err := check.Run(check.Config{}, func(m *check.Machine) {
		var a, b spinning
		m.GoNamed("a, then b", func() { a.Lock(); b.Lock(); b.Unlock(); a.Unlock() })
		m.GoNamed("b, then a", func() { b.Lock(); a.Lock(); a.Unlock(); b.Unlock() })
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Failure.Kind)
	for _, wait := range report.Failure.Waits {
		for _, v := range wait.For {
			fmt.Printf("%s: %s %s\n", report.Failure.Workers[wait.Worker], v.Name, v.Value)
		}
	}
	// Output:
	// deadlock
	// a, then b: l.held#2 true
	// b, then a: l.held#1 true
}

// A panic has the calls that led there.
func ExampleCall() {
	report, err := check.Run(check.Config{}, func(m *check.Machine) {
		var p primitives.Pointer[int]
		m.Go(func() { p.Store(new(int)) })
		*p.Load() = 1 // nil on some schedule
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report.Failure.Kind)
	for _, call := range report.Failure.Stack {
		fmt.Println(path.Base(call.Func))
	}
	// Output:
	// panic
	// check_test.ExampleCall.func1
}

// The token of a failure runs its schedule again, for example under a debugger.
func ExampleFailure() {
	found, err := check.Run(check.Config{}, exclusion)
	if err != nil {
		log.Fatal(err)
	}
	again, err := check.Run(check.Config{Replay: found.Failure.Token}, exclusion)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(again.Failure.Kind == found.Failure.Kind, len(again.Failure.Steps) == len(found.Failure.Steps))
	// Output: true true
}
