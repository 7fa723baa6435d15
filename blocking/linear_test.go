package blocking_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"go.uber.org/goleak"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/primitives"
)

// To an observer each lock of this package is a number of permits: a Mutex has
// one, and a writer of an RWSem takes all the permits that its readers share.

// A step is what one call does to the permits, at some moment between its
// beginning and its end.
type step struct {
	name string
	take int // permits that it took, or could not take; negative to give back
	size int // of Resize
}

// permits is the sequential specification of a lock with size permits.
func permits(size int) porcupine.Model {
	type state struct{ size, held int }
	return porcupine.Model{
		Init: func() any { return state{size: size} },
		Step: func(was, input, took any) (bool, any) {
			s, do := was.(state), input.(step)
			switch {
			case do.name == "Resize":
				s.size = do.size
				return true, s
			case !took.(bool): // a waiter that gave up changed nothing
				return true, s
			case do.take > 0 && s.held+do.take > s.size, s.held+do.take < 0:
				return false, s
			}
			s.held += do.take
			return true, s
		},
		DescribeOperation: func(input, took any) string {
			do := input.(step)
			return fmt.Sprintf("%s (%+d, size %d) = %v", do.name, do.take, do.size, took)
		},
	}
}

// A way is one of the ways to acquire a lock.
type way struct {
	name string
	take int
	call func(*rand.Rand) bool
}

// An observed lock is a lock and the ways to use it that are tested together.
type observed struct {
	size      int
	ways      []way
	release   func(n int)
	downgrade func()      // from all permits to one; nil if the lock has none
	resize    func(n int) // nil if the lock has none
}

// history lets some workers use l as random says, and returns what each call was
// seen to do. Time is the order of all beginnings and ends.
func (l observed) history(seed uint64) []porcupine.Operation {
	const workers, rounds = 4, 8
	var now primitives.Int64
	each := make([][]porcupine.Operation, workers+1)
	observe := func(worker int, do step, call func() bool) bool {
		began := now.Add(1)
		took := call()
		each[worker] = append(each[worker], porcupine.Operation{ClientId: worker, Input: do, Call: began, Output: took, Return: now.Add(1)})
		return took
	}
	always := func(f func()) func() bool { return func() bool { f(); return true } }
	stay := func(random *rand.Rand) {
		for range random.IntN(4) {
			runtime.Gosched()
		}
	}
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range rounds {
				way := l.ways[random.IntN(len(l.ways))]
				if observe(worker, step{way.name, way.take, 0}, func() bool { return way.call(random) }) {
					held := way.take
					stay(random)
					if l.downgrade != nil && held == l.size && random.IntN(2) == 0 {
						observe(worker, step{"Downgrade", 1 - l.size, 0}, always(l.downgrade))
						held = 1
						stay(random)
					}
					observe(worker, step{"release", -held, 0}, always(func() { l.release(held) }))
				}
				stay(random)
			}
		})
	}
	if l.resize != nil {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(seed, workers))
			for i := range rounds {
				size := l.size // the last Resize, so that no worker waits without end
				if i < rounds-1 {
					size = random.IntN(l.size + 1)
				}
				observe(workers, step{"Resize", 0, size}, always(func() { l.resize(size) }))
				stay(random)
			}
		})
	}
	wg.Wait()
	var all []porcupine.Operation
	for _, ops := range each {
		all = append(all, ops...)
	}
	return all
}

// refused returns a try that failed although no other worker was at the lock. A
// worker is at the lock from the beginning of an acquisition to the end of its
// release.
func refused(history []porcupine.Operation) (porcupine.Operation, bool) {
	since := make(map[int]int64) // when a worker came to the lock
	type visit struct {
		worker       int
		since, until int64
	}
	var visits []visit
	for _, op := range history { // each worker's in order
		do := op.Input.(step)
		if _, there := since[op.ClientId]; !there {
			since[op.ClientId] = op.Call
		}
		if do.name == "release" || !op.Output.(bool) || do.name == "Resize" {
			visits = append(visits, visit{op.ClientId, since[op.ClientId], op.Return})
			delete(since, op.ClientId)
		}
		if do.name == "Resize" {
			return op, false
		}
	}
	for _, op := range history {
		if !strings.HasPrefix(op.Input.(step).name, "Try") || op.Output.(bool) {
			continue
		}
		alone := true
		for _, v := range visits {
			alone = alone && (v.worker == op.ClientId || v.until < op.Call || v.since > op.Return)
		}
		if alone {
			return op, true
		}
	}
	return porcupine.Operation{}, false
}

// unexplained records a number of histories and returns the first that the
// specification does not allow, or "".
func unexplained(fresh func() observed, histories int) string {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	first := rand.Uint64()
	for i := range histories {
		l, seed := fresh(), first+uint64(i)
		runtime.GOMAXPROCS(1 << (3 * i / histories))
		history := l.history(seed)
		model := permits(l.size)
		op, found := refused(history)
		if found || !porcupine.CheckOperations(model, history) {
			var b strings.Builder
			fmt.Fprintf(&b, "seed %d, %d permits\n", seed, l.size)
			if found {
				fmt.Fprintf(&b, "failed with no other worker there: at %d\n", op.Call)
			}
			for _, op := range history {
				fmt.Fprintf(&b, "%4d to %4d  worker %d  %s\n", op.Call, op.Return, op.ClientId, model.DescribeOperation(op.Input, op.Output))
			}
			return b.String()
		}
	}
	return ""
}

// impatience is how long a random wait lasts.
func impatience(random *rand.Rand) time.Duration {
	return time.Duration(1+random.IntN(50)) * time.Microsecond
}

// giveUp lets f wait until a context is done, which happens soon.
func giveUp(random *rand.Rand, f func(context.Context) error) bool {
	if random.IntN(2) == 0 {
		ctx, cancel := context.WithTimeout(context.Background(), impatience(random))
		defer cancel()
		return f(ctx) == nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(cancel)
	return f(ctx) == nil
}

func observedMutex() observed {
	var m blocking.Mutex
	return observed{size: 1, release: func(int) { m.Unlock() }, ways: []way{
		{"Lock", 1, func(*rand.Rand) bool { m.Lock(); return true }},
		{"TryLock", 1, func(*rand.Rand) bool { return m.TryLock() }},
		{"LockTimeout", 1, func(random *rand.Rand) bool { return m.LockTimeout(impatience(random)) }},
		{"LockContext", 1, func(random *rand.Rand) bool { return giveUp(random, m.LockContext) }},
	}}
}

// observedRWSem tells a writer by its taking all permits, which are more than
// there are readers.
func observedRWSem(s *blocking.RWSem) observed {
	const all = 100
	return observed{size: all, downgrade: s.Downgrade,
		release: func(n int) {
			if n == all {
				s.Unlock()
			} else {
				s.RUnlock()
			}
		},
		ways: []way{
			{"Lock", all, func(*rand.Rand) bool { s.Lock(); return true }},
			{"TryLock", all, func(*rand.Rand) bool { return s.TryLock() }},
			{"LockTimeout", all, func(random *rand.Rand) bool { return s.LockTimeout(impatience(random)) }},
			{"LockContext", all, func(random *rand.Rand) bool { return giveUp(random, s.LockContext) }},
			{"RLock", 1, func(*rand.Rand) bool { s.RLock(); return true }},
			{"TryRLock", 1, func(*rand.Rand) bool { return s.TryRLock() }},
			{"RLockTimeout", 1, func(random *rand.Rand) bool { return s.RLockTimeout(impatience(random)) }},
			{"RLockContext", 1, func(random *rand.Rand) bool { return giveUp(random, s.RLockContext) }},
		},
	}
}

func observedSemaphore(resized bool) func() observed {
	return func() observed {
		const size = 3
		s := blocking.NewSemaphore(size)
		l := observed{size: size, release: s.UpN}
		if resized {
			l.resize = s.Resize
		}
		for n := 1; n <= size; n++ {
			l.ways = append(l.ways,
				way{"DownN", n, func(*rand.Rand) bool { s.DownN(n); return true }},
				way{"TryDownN", n, func(*rand.Rand) bool { return s.TryDownN(n) }},
				way{"DownNTimeout", n, func(random *rand.Rand) bool { return s.DownNTimeout(n, impatience(random)) }},
				way{"DownNContext", n, func(random *rand.Rand) bool {
					return giveUp(random, func(ctx context.Context) error { return s.DownNContext(ctx, n) })
				}},
			)
		}
		return l
	}
}

func TestLinearizable(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	const histories = 600
	for name, fresh := range map[string]func() observed{
		"Mutex":     observedMutex,
		"RWSem":     func() observed { return observedRWSem(new(blocking.RWSem)) },
		"Semaphore": observedSemaphore(false),
		"Resized":   observedSemaphore(true),
	} {
		if history := unexplained(fresh, histories); history != "" {
			t.Errorf("%s: no order of these calls explains what they did:\n%s", name, history)
		}
	}
}

// Each of these locks does one thing wrong now and then, and the test must see it.
func TestLinearizableFindsBroken(t *testing.T) {
	for name, fresh := range map[string]func() observed{
		"a LockTimeout that gives up and reports success": func() observed {
			l := observedMutex()
			var extra primitives.Int64 // holders that acquired nothing
			wait, release := l.ways[2].call, l.release
			l.ways[2].call = func(random *rand.Rand) bool {
				if !wait(random) {
					extra.Add(1)
				}
				return true
			}
			l.release = func(n int) {
				if extra.Add(-1) < 0 {
					extra.Add(1)
					release(n)
				}
			}
			return l
		},
		"a TryLock that fails for no reason": func() observed {
			l := observedMutex()
			l.ways[1].call = func(*rand.Rand) bool { return false }
			return l
		},
		"a Downgrade that unlocks": func() observed {
			s := new(blocking.RWSem)
			l := observedRWSem(s)
			l.downgrade = func() {
				s.Unlock()
				runtime.Gosched()
				s.RLock()
			}
			return l
		},
		"a Resize that only grows": func() observed {
			l := observedSemaphore(true)()
			l.resize = func(int) {}
			return l
		},
	} {
		if unexplained(fresh, 3000) == "" {
			t.Errorf("%s was not noticed", name)
		}
	}
}
