package primitives_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

const long = time.Hour // a wait so long fails the test by its time limit

func TestUnparkFirst(t *testing.T) {
	for name, wake := range map[string]func(*primitives.Parker){
		"Unpark":  (*primitives.Parker).Unpark,
		"Handoff": (*primitives.Parker).Handoff,
	} {
		t.Run(name, func(t *testing.T) {
			var p primitives.Parker
			wake(&p)
			wake(&p) // two count as one
			p.Park()
			if p.ParkTimeout(time.Millisecond) {
				t.Error("a second Park found a wake-up, want one for two")
			}
		})
	}
}

// Every way to wait meets every way to wake, with the sleeper parked or about
// to be. What the waker wrote is plain, so the race detector judges too.
func TestParkThenWake(t *testing.T) {
	waits := map[string]func(*primitives.Parker) bool{
		"Park":        func(p *primitives.Parker) bool { p.Park(); return true },
		"ParkContext": func(p *primitives.Parker) bool { return p.ParkContext(t.Context()) == nil },
		"ParkBackground": func(p *primitives.Parker) bool {
			return p.ParkContext(context.Background()) == nil
		},
		"ParkTimeout": func(p *primitives.Parker) bool { return p.ParkTimeout(long) },
		"Await":       func(p *primitives.Parker) bool { p.Await(primitives.Spin{}); return true },
		"AwaitPinned": func(p *primitives.Parker) bool { p.Await(primitives.Spin{Pinned: true}); return true },
	}
	for name, wait := range waits {
		for wakeName, wake := range map[string]func(*primitives.Parker){
			"Unpark":  (*primitives.Parker).Unpark,
			"Handoff": (*primitives.Parker).Handoff,
		} {
			t.Run(name+"/"+wakeName, func(t *testing.T) {
				var to, from primitives.Parker
				var count int // only the goroutine that is awake uses it
				var wg sync.WaitGroup
				const rounds = 200
				wg.Go(func() {
					for range rounds {
						if !wait(&to) {
							t.Errorf("%s gave up", name)
						}
						count++
						wake(&from)
					}
				})
				for range rounds {
					count++
					wake(&to)
					if !wait(&from) {
						t.Errorf("%s gave up", name)
					}
				}
				wg.Wait()
				if count != 2*rounds {
					t.Errorf("after %d rounds there and back the count is %d", rounds, count)
				}
			})
		}
	}
}

func TestParkContextCancelled(t *testing.T) {
	var p primitives.Parker
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(time.Millisecond, func() { cancel(cause) })
	if err := p.ParkContext(ctx); err != cause {
		t.Errorf("ParkContext of a context cancelled meanwhile = %v, want its cause", err)
	}
	if err := p.ParkContext(ctx); err != cause {
		t.Errorf("ParkContext of a cancelled context = %v, want its cause", err)
	}
	p.Unpark()
	if err := p.ParkContext(t.Context()); err != nil {
		t.Errorf("ParkContext with a wake-up = %v, want nil", err)
	}
}

// Parkers are kept in pools, so one that was used in a bubble may next be used outside.
func TestParkerOutlivesBubble(t *testing.T) {
	var p primitives.Parker
	sleep := func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if err := p.ParkContext(ctx); err != context.Canceled {
			t.Errorf("ParkContext of a cancelled context = %v, want %v", err, context.Canceled)
		}
	}
	synctest.Test(t, sleep)
	sleep(t)
	synctest.Test(t, sleep)
}

func TestParkTimeout(t *testing.T) {
	var p primitives.Parker
	if p.ParkTimeout(time.Microsecond) {
		t.Error("ParkTimeout without a wake-up = true, want false")
	}
	p.Unpark()
	if !p.ParkTimeout(0) {
		t.Error("ParkTimeout with a wake-up = false, want true")
	}
}

// Wake-ups and time-outs meet at all moments: each wake-up ends one wait, and
// none is lost or invented.
func TestTimeoutAgainstWake(t *testing.T) {
	var p primitives.Parker
	var wg sync.WaitGroup
	var taken primitives.Uint32
	const wakes = 2000
	wg.Go(func() {
		for n := uint32(0); n < wakes; {
			if p.ParkTimeout(time.Duration(n%50) * time.Microsecond) {
				n++
				taken.Store(n)
			}
		}
	})
	for n := range uint32(wakes) {
		for taken.Load() != n {
			runtime.Gosched()
		}
		p.Unpark()
	}
	wg.Wait()
	if p.ParkTimeout(0) {
		t.Error("a wake-up is left over")
	}
}
