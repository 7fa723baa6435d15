package check

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/lockbench/lockbench/check/internal/machine"
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

// String returns the name of the mode, such as "exhaustive".
func (m Mode) String() string { return modes[m] }

// A Config says how to search. The zero Config takes every schedule.
type Config struct {
	Mode Mode // which schedules to take

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

	// Nodes is how many nodes the CPUs are on, at most 127: each call of primitives.Node
	// returns any of them. 0 means one.
	Nodes int

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
	mostNodes        = 127 // Choose has no more ways
)

// check reports what makes no sense, and replaces what is 0 by its default.
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
	if cfg.CPUs < 0 || cfg.CPUs > machine.MaxWorkers {
		wrong = append(wrong, fmt.Errorf("%d CPUs, want 0 to %d", cfg.CPUs, machine.MaxWorkers))
	}
	if cfg.Nodes < 0 || cfg.Nodes > mostNodes {
		wrong = append(wrong, fmt.Errorf("%d nodes, want 0 to %d", cfg.Nodes, mostNodes))
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
