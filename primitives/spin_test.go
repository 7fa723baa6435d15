package primitives_test

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

// On one CPU a waiter must let the goroutine run that it waits for, whichever method it
// waits with.
func TestSpinYields(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for name, once := range map[string]func(*primitives.Spin){
		"Once":    (*primitives.Spin).Once,
		"OnceFor": func(s *primitives.Spin) { s.OnceFor(time.Microsecond) },
		"Try": func(s *primitives.Spin) {
			if !s.Try() {
				runtime.Gosched()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var turn primitives.Uint32
			var wg sync.WaitGroup
			const turns = 1000
			for me := range uint32(2) {
				wg.Go(func() {
					for n := me; n < turns; n += 2 {
						var spin primitives.Spin
						for turn.Load() != n {
							once(&spin)
						}
						turn.Store(n + 1)
					}
				})
			}
			wg.Wait()
			want(t, "turns", turn.Load(), turns)
		})
	}
}

// A spin of unbounded length says at some point that it no longer pays.
func TestSpinGivesUp(t *testing.T) {
	var spin primitives.Spin
	tries := 0
	for spin.Try() {
		if tries++; tries > 1_000_000 {
			t.Fatal("Try was still true after a million tries")
		}
	}
}

// Whatever pause the caller asks for, the wait does not spin without bound.
func TestSpinGivesUpAfterAnyPause(t *testing.T) {
	besideAnother(t)
	for _, d := range []time.Duration{3 * time.Second, -time.Second, math.MaxInt64} {
		var spin primitives.Spin
		for range 100_000 {
			if spin.TryFor(d) {
				break
			}
			runtime.Gosched()
		}
		for tries := 0; spin.Try(); tries++ {
			if tries > 1000 {
				t.Fatalf("after TryFor(%v) Try was true %d times", d, tries)
			}
		}
	}
}

// A waiter that has waited for long, and has no goroutine to give its CPU to, offers it
// to other threads. It does not do so earlier, or if goroutines want the CPU.
func TestSpinYieldsThread(t *testing.T) {
	for name, once := range map[string]func(*primitives.Spin){
		"Once":    (*primitives.Spin).Once,
		"OnceFor": func(s *primitives.Spin) { s.OnceFor(100) },
	} {
		for _, inLine := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/inLine=%v", name, inLine), func(t *testing.T) {
				yields := primitives.CountThreadYields(t)
				besideAnother(t)
				spin := primitives.Spin{InLine: inLine}
				short, long := 0, 1_000_000
				for *yields == 0 && short < long {
					once(&spin)
					short++
				}
				if short < 10 || short == long {
					t.Errorf("after %d waits the thread had yielded %d times, want more than 10 waits and once", short, *yields)
				}
				if !primitives.PinExcludes {
					return // the runtime does not say whether goroutines want the CPU
				}
				runtime.GOMAXPROCS(1)
				*yields = 0
				once(&spin)
				once(&spin)
				want(t, "thread yields beside a goroutine that wants the CPU", *yields, 0)
			})
		}
	}
}

// besideAnother lets another goroutine run on another CPU until the test is over, so
// that spinning can pay.
func besideAnother(t *testing.T) {
	if runtime.NumCPU() == 1 {
		t.Skip("there is one CPU")
	}
	var runs, over primitives.Bool
	before := runtime.GOMAXPROCS(2)
	var wg sync.WaitGroup
	wg.Go(func() {
		for runs.Store(true); !over.Load(); {
		}
	})
	t.Cleanup(func() {
		over.Store(true)
		wg.Wait()
		runtime.GOMAXPROCS(before)
	})
	for !runs.Load() {
		runtime.Gosched()
	}
}

func TestGiveWay(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ran primitives.Bool
	go func() { ran.Store(true) }()
	for !ran.Load() { // with one CPU it runs soon only if the wait yields
		primitives.GiveWay()
	}
}

// On one CPU no pause can pay, and Pause says so at once.
func TestPause(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, d := range []time.Duration{0, time.Hour} {
		if primitives.PinExcludes && primitives.Pause(d) { // without linkname it cannot know
			t.Errorf("Pause(%v) on one CPU = true, want false", d)
		}
	}
}

func TestTravel(t *testing.T) {
	var travel primitives.Travel
	for _, c := range []struct {
		look time.Duration
		far  bool
	}{{30, false}, {180, true}, {180, true}, {30, false}} {
		travel.Learn(c.look)
		stay, timed := travel.Stay()
		want(t, "Far", travel.Far(), c.far)
		want(t, "stay", stay == primitives.FarStay, c.far)
		want(t, "timed", timed, c.far)
	}
	// Where CPUs are near, one wait in a few is timed, until it has learned.
	for range 100 {
		if _, timed := travel.Stay(); timed {
			return
		}
	}
	t.Error("none of 100 waits was to be timed")
}

func TestPin(t *testing.T) {
	for range 100 {
		outer := primitives.Pin()
		inner := primitives.Pin()
		primitives.Unpin()
		primitives.Unpin()
		if cpus := max(runtime.GOMAXPROCS(0), runtime.NumCPU()); outer < 0 || outer >= cpus || inner != outer {
			t.Fatalf("Pin = %d, again %d, want one number in [0, %d)", outer, inner, cpus)
		}
	}
}

func TestPerCPU(t *testing.T) {
	var p primitives.PerCPU[primitives.Uint32]
	const cpus = 300
	var wg sync.WaitGroup
	for range 4 { // all meet each chunk for the first time
		wg.Go(func() {
			for cpu := range cpus {
				p.At(cpu).Add(uint32(cpu))
			}
		})
	}
	wg.Wait()
	seen := map[*primitives.Uint32]bool{}
	for cpu := range cpus {
		slot := p.At(cpu)
		want(t, "slot", slot.Load(), uint32(4*cpu))
		if seen[slot] {
			t.Fatalf("CPU %d shares a slot", cpu)
		}
		seen[slot] = true
	}
	p.At(primitives.MaxCPUs - 1).Store(1)
	want(t, "last slot", p.At(primitives.MaxCPUs-1).Load(), 1)
}

func TestClock(t *testing.T) {
	began := primitives.Nanotime()
	primitives.Sleep(2 * time.Millisecond)
	if d := primitives.Nanotime() - began; d < int64(2*time.Millisecond) {
		t.Errorf("after Sleep(2ms) the clock had moved by %d ns", d)
	}
	fired := make(chan bool)
	primitives.After(time.Microsecond, func() { close(fired) })
	<-fired
	if stop := primitives.After(long, func() { t.Error("stopped, and fired all the same") }); !stop() {
		t.Error("stop of a timer of an hour = false, want true")
	}
	ran := make(chan bool)
	primitives.Go(func() { close(ran) })
	<-ran
}
