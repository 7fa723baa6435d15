package harness_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lockbench/lockbench/harness"
)

// A test of a lock tortures it for a while.
func ExampleTorture() {
	mine := harness.Subject{Name: "mine", New: func() sync.Locker { return new(MyLock) }}
	done, err := harness.Torture{Duration: 50 * time.Millisecond, Seed: 1}.RunLock(context.Background(), mine)
	printed := func(t harness.Tally) bool { return t.Writes > 0 }
	fmt.Println(done.Name, printed(done.Tally), err)
	// Output: mine true <nil>
}

// A Forgetful lock does not wake its waiters.
type Forgetful struct {
	held atomic.Bool
	wake chan bool
}

func (l *Forgetful) Lock() {
	if !l.held.CompareAndSwap(false, true) {
		<-l.wake
	}
}
func (l *Forgetful) Unlock() {}

// A lock whose waiters are not woken is reported, with what each worker does.
func ExampleStuckError() {
	wake := make(chan bool)
	defer close(wake)
	_, err := harness.Run(context.Background(), harness.Scenario{
		Subject:  harness.Subject{Name: "forgetful", New: func() sync.Locker { return &Forgetful{wake: wake} }},
		CPUs:     2,
		Workers:  2,
		Patience: 50 * time.Millisecond,
	})
	if stuck, ok := errors.AsType[*harness.StuckError](err); ok {
		for _, w := range stuck.Workers {
			fmt.Println(stuck.Lock, w.ID, w.Doing)
		}
	}
	// Output:
	// forgetful 0 waits to write
}
