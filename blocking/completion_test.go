package blocking_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/goleak"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
)

func TestCompletion(t *testing.T) {
	var c blocking.Completion
	if c.Done() || c.TryWait() {
		t.Error("a Completion is done before Complete")
	}
	c.Complete()
	c.Complete()
	if !c.Done() {
		t.Error("Done after Complete = false, want true")
	}
	c.Wait()
	if !c.TryWait() {
		t.Error("TryWait after two Completes and one Wait = false, want true")
	}
	if c.Done() || c.TryWait() {
		t.Error("two Completes allowed three waits")
	}
	c.CompleteAll()
	for range 3 {
		c.Wait()
		if !c.TryWait() || !c.Done() {
			t.Error("not done after CompleteAll")
		}
	}
	c.Complete()
	c.CompleteAll()
	if got := c.String(); got != "done, for all" {
		t.Errorf("String = %q, want done, for all", got)
	}
}

func TestCompletionString(t *testing.T) {
	var c blocking.Completion
	if got := c.String(); got != "not done" {
		t.Errorf("String = %q, want not done", got)
	}
	c.Complete()
	if got := c.String(); got != "done, for 1" {
		t.Errorf("String = %q, want done, for 1", got)
	}
}

// Each Complete lets the longest waiter go, and publishes what came before it.
func TestCompletionFIFO(t *testing.T) {
	var c blocking.Completion
	var data [4]int // data[i] is written before the i'th Complete
	var order []int
	turn := make(chan int)
	for i := range data {
		go func() {
			c.Wait()
			turn <- i + data[i]
		}()
		locktest.Until(func() bool { return c.Waiting() == i+1 })
	}
	for i := range data {
		data[i] = 10
		c.Complete()
		order = append(order, <-turn)
	}
	for i, got := range order {
		if got != 10+i {
			t.Errorf("let go in order %v, want [10 11 12 13]", order)
			break
		}
	}
}

func TestCompleteAll(t *testing.T) {
	var c blocking.Completion
	var wg sync.WaitGroup
	for range locktest.Workers {
		wg.Go(c.Wait)
	}
	locktest.Until(func() bool { return c.Waiting() == locktest.Workers })
	c.CompleteAll()
	wg.Wait()
	if !c.Empty() {
		t.Error("a waiter is in line after CompleteAll")
	}
}

func TestWaitContext(t *testing.T) {
	var c blocking.Completion
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	got := make(chan error)
	go func() { got <- c.WaitContext(ctx) }()
	locktest.Until(func() bool { return c.Waiting() == 1 })
	cancel(cause)
	if err := <-got; !errors.Is(err, cause) {
		t.Errorf("WaitContext = %v, want the cause, %v", err, cause)
	}
	c.Complete()
	if err := c.WaitContext(ctx); !errors.Is(err, cause) || !c.Done() {
		t.Errorf("WaitContext with a context that is done = %v, Done = %v, want its cause and true", err, c.Done())
	}
	if err := c.WaitContext(t.Context()); err != nil || c.Done() {
		t.Errorf("WaitContext after Complete = %v, Done = %v, want nil and false", err, c.Done())
	}
}

func TestCompletionMisuse(t *testing.T) {
	var c blocking.Completion
	c.Fill()
	locktest.Panics(t, "a Complete too many", c.Complete)
	if !c.TryWait() {
		t.Error("TryWait after a panic = false, want true")
	}
}

// Waits may give back more than the limit of Complete. Nothing is lost, and no
// wait too many is allowed.
func TestCompletionLimit(t *testing.T) {
	var c blocking.Completion
	c.Fill()
	for range 2 {
		c.GiveBack()
		locktest.Panics(t, "a Complete too many", c.Complete)
	}
	if got, want := c.String(), "done, for 2147483649"; got != want {
		t.Errorf("after two waits gave back String = %q, want %q", got, want)
	}
	for range 3 {
		c.Wait()
	}
	c.Complete()
	locktest.Panics(t, "a Complete too many", c.Complete)
	c.CompleteAll()
	c.Complete()
	c.GiveBack()
	if got, want := c.String(), "done, for all"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

// As many waits succeed as were completed, however many others give up at the
// same time.
func TestCompletionGiveUps(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const completes = 2000
	var (
		c    blocking.Completion
		done primitives.Int64
		over primitives.Bool
		wg   sync.WaitGroup
	)
	for worker := range locktest.Workers {
		wg.Go(func() {
			for i := 0; !over.Load(); i++ {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration((i*7+worker)%50)*time.Microsecond)
				if c.WaitContext(ctx) == nil {
					done.Add(1)
				}
				cancel()
			}
		})
	}
	for i := range completes {
		c.Complete()
		if i%8 == 0 {
			runtime.Gosched()
		}
	}
	locktest.Until(func() bool { return done.Load() == completes })
	over.Store(true)
	wg.Wait()
	if got := done.Load(); got != completes || c.Done() || !c.Empty() {
		t.Errorf("%d completed, %d waits returned; %v, line empty: %v", completes, got, &c, c.Empty())
	}
}

func TestCompletionSize(t *testing.T) {
	if got := unsafe.Sizeof(blocking.Completion{}); unsafe.Sizeof(uintptr(0)) == 8 && got != 32 {
		t.Errorf("a Completion has %d bytes, want 32", got)
	}
}
