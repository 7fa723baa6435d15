package check

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/engine"
)

// A Mode is a way to go through the schedules.
type Mode uint8

const (
	// Exhaustive takes every schedule, except those that are equivalent to one that
	// was taken: they differ only in the order of steps that do not conflict.
	Exhaustive Mode = iota
	// Bounded takes every schedule with at most Config.Bound preemptions.
	Bounded
	// Random chooses each step at random.
	Random
	// PCT gives workers, their store buffers and their alarms random priorities and
	// changes Config.Bound of them at random steps; the first schedule shows how many
	// steps there are. See Burckhardt, Kothari, Musuvathi and Nagarakatte, "A
	// Randomized Scheduler with Probabilistic Guarantees of Finding Bugs"
	// (ASPLOS 2010).
	PCT
)

var modes = [...]string{Exhaustive: "exhaustive", Bounded: "bounded", Random: "random", PCT: "pct"}

func (m Mode) String() string { return modes[m] }

// A Config says how to search. The zero Config takes every schedule.
type Config struct {
	Mode Mode

	// Bound is the number of preemptions in mode Bounded, and of changes of
	// priority in mode PCT.
	Bound int

	// Seed is for the modes Random and PCT: the same seed, the same schedules.
	Seed uint64

	// Schedules and Budget end the search early, if they are not 0. The modes
	// Random and PCT have no other end: without either they take 10,000.
	Schedules int
	Budget    time.Duration

	// Done ends the search early once it is closed, if it is not nil.
	Done <-chan struct{}

	// Spins is how often a wait that may end at any time (a Spin's Try) continues
	// before it ends, and how often a timer that starts itself again ends after the
	// first time; 0 means 1, and a negative number 0.
	Spins int

	// CPUs is how many CPUs the workers share: each Pin then puts its worker on any
	// one of them until Unpin. 0 means that each worker has its own CPU, which is
	// quicker to search. With 1, a pinned worker that waits is a deadlock: no other
	// worker can run and end its wait.
	CPUs int

	// Steps is how many steps an execution may have, at most 65,535; 0 means
	// 10,000. In the second half of them all workers that can take a step take
	// turns. If the execution does not end even so, its workers keep each other from
	// making progress. The report counts the executions that reached the second half
	// and ended, because from there only one order was tried.
	Steps int

	// Replay is a token from a failure: only that schedule is run. Explore also
	// takes it from the environment variable LOCKBENCH_REPLAY; there a prefix n: says
	// that the token is of the n'th search of the test.
	Replay string

	// Progress is where a line goes once a second, or nil.
	Progress io.Writer
}

const (
	mostSteps        = 1<<16 - 1 // the search counts them in 16 bits
	defaultSteps     = 10_000
	defaultSchedules = 10_000
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
	x := &explorer{cfg: cfg, body: body, began: time.Now()}
	x.vm = newVM(cfg)
	x.machine = &Machine{x.vm}
	engine.Enter(x.vm)
	defer engine.Leave()
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
		defer x.vm.close()
		r, err = x.explore()
		returned = true
	}()
	if f := x.oversee(done); f != nil {
		x.vm.gone.Store(true)
		return Report{Config: x.cfg, Elapsed: time.Since(x.began), Failure: f}, nil
	}
	switch {
	case panicked != nil:
		panic(panicked)
	case !returned: // Progress has left by runtime.Goexit
		runtime.Goexit()
	}
	if c := x.vm.watch.stranger.Load(); c != nil {
		r.Failure, r.Ended = foreign(*c), false
	}
	return r, err
}

func (cfg *Config) check() error {
	var wrong []error
	if int(cfg.Mode) >= len(modes) {
		wrong = append(wrong, fmt.Errorf("mode %d, want one of %v", cfg.Mode, modes))
	}
	if cfg.Bound < 0 {
		wrong = append(wrong, fmt.Errorf("bound %d, want 0 or more", cfg.Bound))
	}
	if cfg.Schedules < 0 || cfg.Budget < 0 || cfg.Steps < 0 {
		wrong = append(wrong, fmt.Errorf("schedules %d, budget %v, steps %d: want 0 or more", cfg.Schedules, cfg.Budget, cfg.Steps))
	}
	if cfg.Steps > mostSteps {
		wrong = append(wrong, fmt.Errorf("steps %d, want at most %d", cfg.Steps, mostSteps))
	}
	if cfg.CPUs < 0 || cfg.CPUs > maxWorkers {
		wrong = append(wrong, fmt.Errorf("%d CPUs, want 0 to %d", cfg.CPUs, maxWorkers))
	}
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if cfg.Schedules == 0 && cfg.Budget == 0 && cfg.Mode >= Random {
		cfg.Schedules = defaultSchedules
	}
	if cfg.Steps == 0 {
		cfg.Steps = defaultSteps
	}
	if cfg.Spins == 0 {
		cfg.Spins = 1
	}
	return nil
}

func newVM(cfg Config) *vm { return &vm{limit: cfg.Steps, spins: max(cfg.Spins, 0), cpus: cfg.CPUs} }

// An explorer goes through the schedules.
type explorer struct {
	cfg     Config
	body    func(*Machine)
	vm      *vm
	machine *Machine
	began   time.Time
	told    time.Time

	goroutines int // how many there are besides the workers
}

// A plan is a search that has more than one execution in it.
type plan interface {
	search
	// advance prepares the next execution, and reports whether there is one.
	advance() bool
	// repeats reports whether the last execution repeated the earlier ones, as far
	// as it should.
	repeats() bool
}

func (x *explorer) plan() plan {
	switch x.cfg.Mode {
	case Bounded:
		return &bounded{bound: x.cfg.Bound}
	case Random:
		return newRandom(x.cfg.Seed)
	case PCT:
		return newPCT(x.cfg.Seed, x.cfg.Bound)
	default:
		return &dpor{vm: x.vm}
	}
}

// once runs one execution under s.
func (x *explorer) once(s search) outcome {
	x.vm.search = s
	return x.vm.run(func() {
		x.body(x.machine)
		x.vm.join()
	})
}

func (x *explorer) explore() (Report, error) {
	r := Report{Config: x.cfg}
	if x.cfg.Replay != "" {
		script, err := decodeScript(x.cfg.Replay)
		if err != nil {
			return r, err
		}
		err = x.replay(&r, script)
		return r, err
	}
	p := x.plan()
	for more := true; more; more = p.advance() {
		if x.over(&r) {
			r.Elapsed = time.Since(x.began)
			r.odds = x.odds(p)
			return r, nil
		}
		x.vm.summed = isPowerOf2(r.Schedules + 1)
		outcome := x.once(p)
		if x.vm.watch.stranger.Load() != nil {
			return r, nil // run says what is wrong
		}
		if !p.repeats() && outcome != failed {
			r.Failure, r.Elapsed = x.differs(x.vm.script), time.Since(x.began)
			return r, nil
		}
		r.Steps += x.vm.steps
		r.Cut, r.pinned = x.vm.cut, x.vm.pinned
		if x.vm.long {
			r.Long++
		}
		if x.vm.read && x.vm.passed && !x.vm.clocked && x.cfg.Mode == Exhaustive && outcome != failed {
			// Now it matters when a worker looks at the clock. In most programs no
			// worker does, or none waits for time to pass.
			x.vm.clocked = true
			p, r = x.plan(), Report{Config: x.cfg}
			outcome = x.once(p)
		}
		switch outcome {
		case complete:
			r.Schedules++
			if r.Schedules == 1 && x.vm.idle() {
				r.Failure, r.Elapsed = x.nothing(), time.Since(x.began)
				return r, nil
			}
			// The first schedule is run twice, and so are others now and then.
			if isPowerOf2(r.Schedules) && !x.again() {
				r.Failure, r.Elapsed = x.differs(x.vm.script), time.Since(x.began)
				return r, nil
			}
		case abandoned:
			r.Abandoned++
			if p, ok := p.(*pct); ok {
				p.drawn = max(p.drawn-1, 0) // its bound is for executions that end
			}
		case failed:
			r.Schedules++
			r.Elapsed = time.Since(x.began)
			script := slices.Clone(x.vm.script)
			if !x.vm.failure.exited { // t.Fatal should report only once
				script = x.shortest(x.vm.failure.kind, script)
			}
			if err := x.replay(&r, script); err != nil || r.Failure == nil {
				r.Failure = x.differs(script)
			}
			return r, nil
		}
	}
	x.vm.watch.await(x.goroutines)
	r.Ended = true
	r.Elapsed = time.Since(x.began)
	return r, nil
}

func isPowerOf2(n int) bool { return n&(n-1) == 0 }

// again runs the schedule that has just ended once more, and reports whether it
// did the same.
func (x *explorer) again() bool {
	steps, sum, live := x.vm.steps, x.vm.sum, x.vm.live
	s := &repeat{script: slices.Clone(x.vm.script)}
	return x.once(s) == complete && s.wrong == nil && s.at == len(s.script) &&
		x.vm.steps == steps && x.vm.sum == sum && x.vm.live == live
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
func (x *explorer) differs(s script) *Failure {
	return x.vm.failureOn(s, Misuse, "the body does not do the same each time on one schedule, so that its schedules cannot be searched: want a body that makes what it uses, and depends on no time, randomness, order of a map, or variable that an earlier schedule has changed")
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
