package harness

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// A countdown is over when the last goroutine is done, and not before; what they did
// happens before.
func TestCountdown(t *testing.T) {
	for range 100 {
		const n = 8
		var c countdown
		var did [n]bool
		var last primitives.Uint32
		c.add(n)
		for i := range n {
			primitives.Go(func() {
				did[i] = true
				if c.done() {
					last.Add(1)
				}
			})
		}
		c.wait()
		if did != [n]bool{true, true, true, true, true, true, true, true} || !c.over() {
			t.Fatalf("over: %t, when these were done: %v", c.over(), did)
		}
		for last.Load() == 0 {
			primitives.Yield()
		}
		if last.Load() != 1 {
			t.Fatalf("%d were the last, want 1", last.Load())
		}
	}
}

// A wait with an end ends with it, or when it is woken.
func TestCountdownWaitFor(t *testing.T) {
	var c countdown
	c.add(1)
	began := primitives.Nanotime()
	c.waitFor(time.Millisecond)
	if took := time.Duration(primitives.Nanotime() - began); took < time.Millisecond || c.over() {
		t.Errorf("waited for %v, over: %t; want 1ms, false", took, c.over())
	}
	c.wake()
	c.waitFor(time.Hour)
	c.done()
	c.waitFor(time.Hour)
	c.wait()
}

// No worker passes a barrier before it starts.
func TestBarrier(t *testing.T) {
	const n = 5
	var b barrier
	b.setUp(n)
	var passed primitives.Uint32
	for i := range n {
		primitives.Go(func() {
			defer b.left.done()
			b.enter(i)
			passed.Add(1)
		})
	}
	b.absent.wait()
	for range 100 {
		primitives.Yield()
	}
	if p := passed.Load(); p != 0 {
		t.Errorf("%d workers passed before the start", p)
	}
	b.start()
	b.left.wait()
	if p := passed.Load(); p != n {
		t.Errorf("%d workers passed, want %d", p, n)
	}
}
