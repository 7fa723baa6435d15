package check

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/check/internal/machine"
	"github.com/lockbench/lockbench/check/internal/search"
	"github.com/lockbench/lockbench/internal/engine"
)

// ErrNative says that the program was built without the tag virtual.
var ErrNative = errors.New("check: this build runs locks on the host; build it with -tags virtual")

// Explore runs body on every schedule, or on those that cfg says, and fails t
// if one of them fails: the message has the schedule as a table, and the command
// that replays it. If the environment variable LOCKBENCH_SVG names a directory,
// Explore writes the schedule's figure there (see [Failure.WriteSVG]). It makes the
// directory if it does not exist; a relative name is relative to the module. If no
// schedule fails, the log says how many there were (go test -v shows it). Without
// the tag virtual there are no schedules, and t fails.
//
// body sets up, starts workers with [Machine.Go], waits for them with [Machine.Wait]
// and checks the result. It runs once in each schedule, so it must make what it uses
// itself, and must depend on nothing but the schedule: no time, no randomness, no
// goroutines, no locks other than those under test. If Explore notices that this does
// not hold, the failure is a [Misuse]: the body did not do the same on one schedule
// twice, a goroutine of a go statement in it took steps, a worker was blocked by the
// host, or the body did nothing at all. Steps of other goroutines of the program take
// place on the host.
func Explore(t testing.TB, cfg Config, body func(m *Machine)) Report {
	t.Helper()
	n := number(t)
	if cfg.Replay == "" {
		token, meant, err := replayOf(t, n)
		switch {
		case err != nil:
			t.Fatalf("%v", err)
			return Report{}
		case !meant:
			return Report{Config: cfg, other: true}
		}
		cfg.Replay = token
	}
	r, err := Run(cfg, body)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failure != nil {
		r.Failure.in(t, n)
		t.Fatalf("%v\n\n%v", r, r.Failure)
	}
	switch _, bench := t.(*testing.B); {
	case cfg.Replay != "":
		t.Logf("%v: it does not fail", r)
	case !bench:
		t.Log(r)
	}
	return r
}

// Run is [Explore] outside of tests. The error says that cfg makes no sense, or
// that the program was built without the tag virtual; a failed schedule is in
// the report.
func Run(cfg Config, body func(m *Machine)) (Report, error) {
	if !engine.Virtual {
		return Report{}, ErrNative
	}
	if err := cfg.check(); err != nil {
		return Report{}, err
	}
	x := &explorer{cfg: cfg, began: time.Now()}
	x.vm = machine.New(machine.Limits{Steps: cfg.Steps, Spins: max(cfg.Spins, 0), CPUs: cfg.CPUs, Nodes: cfg.Nodes})
	m := &Machine{x.vm}
	x.body = func() { body(m) }
	x.vm.Enter()
	defer x.vm.Leave()
	return x.run()
}

// run explores on a new goroutine, so that the search can be given up if a worker
// does not come back to the machine.
func (x *explorer) run() (r Report, err error) {
	var panicked any
	returned, done := false, make(chan struct{})
	x.goroutines = runtime.NumGoroutine() + 1 // with the search's own
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		defer x.vm.Close()
		r, err = x.explore()
		returned = true
	}()
	if f := oversee(x.vm, done); f != nil {
		x.vm.GiveUp()
		return Report{Config: x.cfg, Elapsed: time.Since(x.began), Failure: f}, nil
	}
	switch {
	case panicked != nil:
		panic(panicked)
	case !returned: // Progress has left by runtime.Goexit
		runtime.Goexit()
	}
	if c := x.vm.Watch.Stray(); c != nil {
		r.Failure, r.Ended = foreign(c), false
	}
	return r, err
}

// An explorer goes through the schedules.
type explorer struct {
	cfg   Config
	body  func()
	vm    *machine.VM
	began time.Time
	told  time.Time

	goroutines int // how many there are besides the workers
}

// plan returns the search that the mode names.
func (x *explorer) plan() search.Plan {
	switch x.cfg.Mode {
	case Bounded:
		return search.NewBounded(x.cfg.Bound)
	case Random:
		return search.NewRandom(x.cfg.Seed)
	case PCT:
		return search.NewPCT(x.cfg.Seed, x.cfg.Bound)
	default:
		return search.NewDPOR(x.vm)
	}
}

func (x *explorer) explore() (Report, error) {
	r := Report{Config: x.cfg}
	if x.cfg.Replay != "" {
		script, err := machine.ParseScript(x.cfg.Replay)
		if err != nil {
			return r, err
		}
		err = x.replay(&r, script)
		return r, err
	}
	p := x.plan()
	for more := true; more; more = p.Advance() {
		if x.over(&r) {
			r.Elapsed = time.Since(x.began)
			if p, ok := p.(*search.PCT); ok {
				r.odds = p.Odds()
			}
			return r, nil
		}
		x.vm.Summed = isPowerOf2(r.Schedules + 1)
		outcome := x.vm.Run(p, x.body)
		if x.vm.Watch.Stray() != nil {
			return r, nil // run says what is wrong
		}
		if !p.Repeats() && outcome != machine.Failed {
			r.Failure, r.Elapsed = x.differs(x.vm.Script), time.Since(x.began)
			return r, nil
		}
		r.Steps += x.vm.Steps
		r.Cut, r.pinned = x.vm.Cut, x.vm.Pinned
		if x.vm.Long {
			r.Long++
		}
		if x.vm.LooksAtTime() && x.cfg.Mode == Exhaustive && outcome != machine.Failed {
			// Now it matters when a worker looks at the clock.
			x.vm.OrderTime()
			p, r = x.plan(), Report{Config: x.cfg}
			outcome = x.vm.Run(p, x.body)
		}
		switch outcome {
		case machine.Complete:
			r.Schedules++
			if r.Schedules == 1 && x.vm.Idle() {
				r.Failure, r.Elapsed = x.nothing(), time.Since(x.began)
				return r, nil
			}
			// The first schedule is run twice, and so are others now and then.
			if isPowerOf2(r.Schedules) && !x.again() {
				r.Failure, r.Elapsed = x.differs(x.vm.Script), time.Since(x.began)
				return r, nil
			}
		case machine.Abandoned:
			r.Abandoned++
			if p, ok := p.(*search.PCT); ok {
				p.Abandoned()
			}
		case machine.Failed:
			r.Schedules++
			r.Elapsed = time.Since(x.began)
			script := slices.Clone(x.vm.Script)
			if !x.vm.Fault.Exited { // t.Fatal should report only once
				script = search.Shortest(x.vm, x.body, x.vm.Fault.Kind, script)
			}
			if err := x.replay(&r, script); err != nil || r.Failure == nil {
				r.Failure = x.differs(script)
			}
			return r, nil
		}
	}
	x.vm.Watch.Await(x.goroutines)
	r.Ended = true
	r.Elapsed = time.Since(x.began)
	return r, nil
}

func isPowerOf2(n int) bool { return n&(n-1) == 0 }

// again runs the schedule that has just ended once more, and reports whether it
// did the same.
func (x *explorer) again() bool {
	first := x.vm.Execution
	s := search.NewRepeat(slices.Clone(first.Script))
	again := &x.vm.Execution
	return x.vm.Run(s, x.body) == machine.Complete && s.Err() == nil &&
		again.Steps == first.Steps && again.Sum == first.Sum && again.Live == first.Live
}

// replay runs one schedule, and puts what it was in r.
func (x *explorer) replay(r *Report, script machine.Script) error {
	s := search.NewRepeat(slices.Clone(script))
	outcome, trace := x.vm.Record(s, x.body)
	if x.cfg.Replay != "" {
		r.Schedules, r.Steps = 1, x.vm.Steps
	}
	if err := s.Err(); err != nil {
		return err
	}
	if outcome == machine.Failed {
		r.Failure = newFailure(trace)
	}
	return nil
}

// nothing is the failure of a body that has nothing to search.
func (x *explorer) nothing() *Failure {
	return &Failure{
		Kind: Misuse, Token: "-", Workers: []string{"body"},
		Message: "the body started no worker and took no step of package primitives, so nothing was checked: want Machine.Go",
	}
}

// differs is the failure of a body that does not do the same on the same schedule,
// so that the search says nothing about its other schedules.
func (x *explorer) differs(s machine.Script) *Failure {
	return failureOn(x.vm, s, machine.Misuse, "the body does not do the same each time on one schedule, so that its schedules cannot be searched: want a body that makes what it uses, and depends on no time, randomness, order of a map, or variable that an earlier schedule has changed")
}

// over reports whether the budget is spent or Done is closed. Now and then it prints
// the progress.
func (x *explorer) over(r *Report) bool {
	n := r.Schedules + r.Abandoned
	if x.cfg.Schedules > 0 && n >= x.cfg.Schedules {
		return true
	}
	select {
	case <-x.cfg.Done:
		return true
	default:
	}
	if n%1024 != 0 || x.cfg.Budget == 0 && x.cfg.Progress == nil {
		return false
	}
	now := time.Now()
	if x.cfg.Progress != nil && now.Sub(x.told) >= time.Second && now.Sub(x.began) >= time.Second {
		x.told = now
		fmt.Fprintf(x.cfg.Progress, "check: %d schedules, %d steps, %v\n", n, r.Steps, now.Sub(x.began).Round(time.Second))
	}
	return x.cfg.Budget > 0 && now.Sub(x.began) >= x.cfg.Budget
}
