package blocking_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/internal/locktest"
)

// spec is the sequential specification of the locks of this package: permits, as
// in the test for linearizability, and a line.
type spec struct {
	size, held int
	line       []*request
}

type request struct {
	id, n  int
	cancel context.CancelFunc
	done   chan error
}

// serve returns the requests that are served now.
func (s *spec) serve() (served []*request) {
	for i := 0; i < len(s.line); {
		r := s.line[i]
		switch {
		case r.n > s.size:
			i++ // aside
		case s.held+r.n > s.size:
			return served
		default:
			s.held += r.n
			s.line = slices.Delete(s.line, i, i+1)
			served = append(served, r)
		}
	}
	return served
}

// free says whether n permits can be taken at once.
func (s *spec) free(n int) bool {
	possible := func(r *request) bool { return r.n <= s.size }
	return n == 0 || s.held+n <= s.size && !slices.ContainsFunc(s.line, possible)
}

// A modelled lock is a lock as its spec sees it.
type modelled struct {
	size   int
	wants  []int // how many permits a request can be for
	take   func(ctx context.Context, n int) error
	try    func(n int) bool
	gives  func(held int) []int // how many can be given back at once, in ascending order
	give   func(n int)
	sizes  func(size int) []int // what it can be resized to
	resize func(size int)
	is     func(spec) bool // whether its state is that of the spec
	lined
}

// agree does to a lock and to its spec what rapid draws. Both must serve the same
// requests, at the same time and in the same order.
func agree(t *testing.T, fresh func(*rapid.T) modelled) {
	rapid.Check(t, func(t *rapid.T) {
		l := fresh(t)
		model, ids := spec{size: l.size}, 0
		defer func() { // also if rapid ends the run in a step, as with a saved run that no longer fits
			for _, r := range model.line {
				r.cancel()
			}
		}()
		settle := func(served []*request) {
			for _, r := range served {
				if err := <-r.done; err != nil {
					t.Fatalf("request %d for %d = %v, want it served", r.id, r.n, err)
				}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				ctx, cancel := context.WithCancel(context.Background())
				r := &request{ids, rapid.SampledFrom(l.wants).Draw(t, "n"), cancel, make(chan error, 1)}
				ids++
				atOnce := r.n == 0
				if !atOnce {
					model.line = append(model.line, r)
				}
				served := model.serve()
				go func() { r.done <- l.take(ctx, r.n) }()
				if atOnce {
					served = append(served, r)
				}
				locktest.Until(func() bool { return l.InLine() == len(model.line) && l.is(model) })
				settle(served)
			},
			"try": func(t *rapid.T) {
				n := rapid.SampledFrom(l.wants).Draw(t, "n")
				want := model.free(n)
				if want {
					model.held += n
				}
				if got := l.try(n); got != want {
					t.Fatalf("try of %d = %v, want %v", n, got, want)
				}
			},
			"give": func(t *rapid.T) {
				choice := l.gives(model.held)
				if len(choice) == 0 {
					t.Skip("nothing is held")
				}
				n := rapid.SampledFrom(choice).Draw(t, "n")
				model.held -= n
				served := model.serve()
				l.give(n)
				settle(served)
			},
			"resize": func(t *rapid.T) {
				if l.resize == nil {
					t.Skip("it has one size")
				}
				model.size = rapid.SampledFrom(l.sizes(model.size)).Draw(t, "size")
				served := model.serve()
				l.resize(model.size)
				settle(served)
			},
			"give up": func(t *rapid.T) {
				if len(model.line) == 0 {
					t.Skip("no request waits")
				}
				i := rapid.IntRange(0, len(model.line)-1).Draw(t, "who")
				r := model.line[i]
				model.line = slices.Delete(model.line, i, i+1)
				served := model.serve()
				r.cancel()
				if err := <-r.done; !errors.Is(err, context.Canceled) {
					t.Fatalf("request %d for %d = %v, want it cancelled", r.id, r.n, err)
				}
				settle(served)
			},
			"": func(t *rapid.T) {
				if !l.is(model) {
					t.Fatalf("%v, want %d of %d held, and %d in line", l.lined, model.held, model.size, len(model.line))
				}
				for _, r := range model.line {
					if len(r.done) > 0 {
						t.Fatalf("request %d for %d returned %v, want it in line", r.id, r.n, <-r.done)
					}
				}
			},
		})
		for _, r := range model.line {
			r.cancel()
			<-r.done
		}
	})
}

// If rapid ends a run in the middle of a step, no waiter is left for the next tests.
func TestRapidLeavesNoWaiter(t *testing.T) {
	before := goleak.IgnoreCurrent()
	looks, ended := 0, false
	agree(t, func(t *rapid.T) modelled {
		l := modelledCompletion()
		l.resize = nil // no waiter is let go
		l.is = func(m spec) bool {
			if len(m.line) == 2 {
				if looks++; looks == 2 { // the first look is inside a step: rapid would try another step
					ended = true
					t.Skip("as for a saved run that no longer fits")
				}
			}
			return true
		}
		return l
	})
	if !ended {
		t.Error("no run ended with two in line")
	}
	if err := goleak.Find(before); err != nil {
		t.Error(err)
	}
}

// upTo returns 0 to n.
func upTo(n int) []int {
	var all []int
	for i := range n + 1 {
		all = append(all, i)
	}
	return all
}

func TestSemaphoreModel(t *testing.T) {
	agree(t, func(t *rapid.T) modelled {
		s := blocking.NewSemaphore(rapid.IntRange(0, 5).Draw(t, "size"))
		return modelled{
			size: s.State().Size, wants: upTo(5), lined: s,
			take:   func(ctx context.Context, n int) error { return s.DownNContext(ctx, n) },
			try:    s.TryDownN,
			gives:  upTo,
			give:   s.UpN,
			sizes:  func(int) []int { return upTo(5) },
			resize: s.Resize,
			is: func(m spec) bool {
				return s.State() == blocking.SemaphoreState{Size: m.size, Held: m.held, Waiting: len(m.line) > 0}
			},
		}
	})
}

func TestMutexModel(t *testing.T) {
	agree(t, func(t *rapid.T) modelled {
		m := new(blocking.Mutex)
		return modelled{
			size: 1, wants: []int{1}, lined: m,
			take: func(ctx context.Context, _ int) error { return m.LockContext(ctx) },
			try:  func(int) bool { return m.TryLock() },
			gives: func(held int) []int {
				return upTo(held)[1:]
			},
			give: func(int) { m.Unlock() },
			is: func(s spec) bool {
				return m.State() == blocking.MutexState{Held: s.held > 0, Waiting: len(s.line)}
			},
		}
	})
}

// A writer takes more permits than there can be readers, and gives back all of
// them (Unlock) or all except one (Downgrade).
func TestRWSemModel(t *testing.T) {
	const all = 1000
	agree(t, func(t *rapid.T) modelled {
		s := new(blocking.RWSem)
		return modelled{
			size: all, wants: []int{1, all}, lined: s,
			take: func(ctx context.Context, n int) error {
				if n == all {
					return s.LockContext(ctx)
				}
				return s.RLockContext(ctx)
			},
			try: func(n int) bool {
				if n == all {
					return s.TryLock()
				}
				return s.TryRLock()
			},
			gives: func(held int) []int {
				switch held {
				case 0:
					return nil
				case all:
					return []int{all - 1, all}
				}
				return []int{1}
			},
			give: func(n int) {
				switch n {
				case all:
					s.Unlock()
				case all - 1:
					s.Downgrade()
				default:
					s.RUnlock()
				}
			},
			is: func(m spec) bool {
				want := blocking.RWSemState{Writer: m.held == all, Waiting: len(m.line) > 0}
				if m.held < all {
					want.Readers = int64(m.held)
				}
				return s.State() == want
			},
		}
	})
}

// A Complete adds one permit, which a Wait takes and does not give back.
func modelledCompletion() modelled {
	c := new(blocking.Completion)
	return modelled{
		wants: []int{1}, lined: c,
		take:   func(ctx context.Context, _ int) error { return c.WaitContext(ctx) },
		try:    func(int) bool { return c.TryWait() },
		gives:  func(int) []int { return nil },
		sizes:  func(size int) []int { return []int{size + 1} },
		resize: func(int) { c.Complete() },
		is:     func(m spec) bool { return c.Done() == (m.held < m.size) },
	}
}

func TestCompletionModel(t *testing.T) {
	agree(t, func(*rapid.T) modelled { return modelledCompletion() })
}
