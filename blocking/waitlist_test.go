package blocking_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/blocking"
	"pgregory.net/rapid"
)

// Whichever waiters come and go, the line is in the order of arrival, and linked
// both ways.
func TestWaitListOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var line blocking.List
		var want []blocking.Waiter
		t.Repeat(map[string]func(*rapid.T){
			"arrive": func(*rapid.T) { want = append(want, line.Arrive()) },
			"leave": func(t *rapid.T) {
				if len(want) == 0 {
					t.Skip("the line is empty")
				}
				i := rapid.IntRange(0, len(want)-1).Draw(t, "who")
				line.Leave(want[i])
				want = slices.Delete(want, i, i+1)
			},
			"grant": func(t *rapid.T) {
				got := line.Grant(func() {})
				if len(want) == 0 {
					if got != nil {
						t.Fatal("an empty line granted a waiter")
					}
					return
				}
				if got != want[0] {
					t.Fatal("granted to a waiter that is not the longest")
				}
				want = want[1:]
			},
			"": func(t *rapid.T) {
				forwards, backwards := line.Order()
				slices.Reverse(backwards)
				if !slices.Equal(forwards, want) || !slices.Equal(backwards, want) {
					t.Fatalf("in line %p, backwards %p, want %p", forwards, backwards, want)
				}
			},
		})
	})
}

// Cancelling and granting race; the one that holds the list's lock first wins.
// Here that is the grant, so the waiter must take it, and must not leave.
func TestGrantBeatsCancel(t *testing.T) {
	for range 1000 {
		var line blocking.List
		w := line.Arrive()
		ctx := ending{t.Context(), make(chan struct{})}
		got := make(chan error)
		left := 0
		go func() { got <- line.Wait(ctx, w, func() { left++ }) }()
		line.Grant(ctx.end)
		if err := <-got; err != nil || left != 0 {
			t.Fatalf("wait, granted and then cancelled = %v, left %d times, want nil and 0", err, left)
		}
	}
}

// An ending is a context that takes no lock to end, so a pinned goroutine can end
// it.
type ending struct {
	context.Context
	done chan struct{}
}

func (c ending) end()                  { close(c.done) }
func (c ending) Done() <-chan struct{} { return c.done }

func (c ending) Err() error {
	select {
	case <-c.done:
		return context.Canceled
	default:
		return nil
	}
}

// A waiter that gives up is gone from the line when its wait returns, and says
// so once.
func TestCancelBeatsGrant(t *testing.T) {
	var line blocking.List
	cause := errors.New("enough")
	for range 1000 {
		w := line.Arrive()
		ctx, cancel := context.WithCancelCause(t.Context())
		got := make(chan error)
		left := 0
		go func() { got <- line.Wait(ctx, w, func() { left++ }) }()
		cancel(cause)
		if err := <-got; !errors.Is(err, cause) || left != 1 {
			t.Fatalf("cancelled wait = %v, left %d times, want %v and 1", err, left, cause)
		}
		if line.Grant(func() {}) != nil {
			t.Fatal("a waiter that gave up was granted something")
		}
	}
}

// A waiter has 40 bytes, and 48 where it waits on a channel.
func TestWaiterSize(t *testing.T) {
	if got := blocking.WaiterBytes; got > 48 {
		t.Errorf("a waiter has %d bytes, want at most 48", got)
	}
}
