package sweeping

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// A Fork is a process that measures for this one: the same command, which does not
// write a file but takes orders from its standard input and answers on its standard
// output. It differs from the other forks in everything that is random in a process:
// the addresses of its memory, the layout of its heap, the order of its maps.
type Fork struct {
	Number  int
	process *exec.Cmd
	orders  *json.Encoder
	answers *json.Decoder
	end     io.Closer // the orders
}

// An order asks a fork for one sample of a cell, by its name.
type order struct {
	Cell string
	Seed uint64
}

// An answer is the sample, or the error.
type answer struct {
	Sample results.Sample
	Err    string
	Found  bool // Err says that the lock is broken or stuck
}

// forkEnv is set in the environment of a fork.
const forkEnv = "LOCKBENCH_FORK"

// IsFork reports whether this process is a fork.
func IsFork() bool { return os.Getenv(forkEnv) != "" }

// StartForks starts n processes, numbered from first. They end when ctx is done, when
// [CloseForks] is called, and when this process ends in any way. Those that have been
// started are returned with an error, too.
func StartForks(ctx context.Context, con commandline.Console, first, n int) (forks []*Fork, err error) {
	command, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for i := range n {
		f := &Fork{Number: first + i, process: exec.CommandContext(ctx, command, con.Args...)}
		f.process.Env = append(os.Environ(), forkEnv+"=1")
		f.process.Stderr = con.Err
		in, inErr := f.process.StdinPipe()
		out, outErr := f.process.StdoutPipe()
		if err := errors.Join(inErr, outErr); err != nil {
			return forks, err
		}
		if err := f.process.Start(); err != nil {
			return forks, fmt.Errorf("fork %d: %w", i+1, err)
		}
		f.orders, f.answers, f.end = json.NewEncoder(in), json.NewDecoder(out), in
		forks = append(forks, f)
	}
	return forks, nil
}

// CloseForks ends forks that have no order left.
func CloseForks(forks []*Fork) {
	for _, f := range forks {
		f.end.Close()
		f.process.Wait() // its last answer has its error
	}
}

// Measure has the fork measure a scenario.
func (f *Fork) Measure(ctx context.Context, s harness.Scenario) (results.Sample, error) {
	var a answer
	err := f.orders.Encode(order{s.Cell().String(), s.Seed})
	if err == nil {
		err = f.answers.Decode(&a)
	}
	switch {
	case context.Cause(ctx) != nil:
		return results.Sample{}, context.Cause(ctx)
	case err != nil:
		return results.Sample{}, fmt.Errorf("fork %d, process %d, ended without an answer: %w", f.Number, f.process.Process.Pid, err)
	case a.Found:
		return results.Sample{}, commandline.Found(errors.New(a.Err))
	case a.Err != "":
		return results.Sample{}, errors.New(a.Err)
	}
	return a.Sample, nil
}

// Serve is the work of a fork: it measures what the orders say, until there are no
// more. It ignores the interrupt of a terminal, which its parent gets too.
func Serve(con commandline.Console, all []harness.Scenario, measure func(context.Context, harness.Scenario) (results.Sample, error)) error {
	signal.Ignore(os.Interrupt)
	scenarios := make(map[string]harness.Scenario)
	for _, s := range all {
		scenarios[s.Cell().String()] = s
	}
	orders := make(chan order)
	go func() {
		for d := json.NewDecoder(os.Stdin); ; {
			var o order
			if d.Decode(&o) != nil {
				close(orders)
				return
			}
			orders <- o
		}
	}()
	answers := json.NewEncoder(con.Out)
	for o := range orders {
		var a answer
		s, ok := scenarios[o.Cell]
		if !ok {
			return fmt.Errorf("fork: no scenario %s", o.Cell)
		}
		s.Seed = o.Seed
		// The parent may end meanwhile.
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() {
			var err error
			a.Sample, err = measure(ctx, s)
			done <- err
		}()
		var err error
		select {
		case err = <-done:
		case <-orders: // no order comes before the answer, so the orders are closed
			cancel()
			return nil
		}
		cancel()
		if err != nil {
			a.Err = err.Error()
			a.Found = Stacks(con.Err, err) || commandline.IsFound(err)
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
	return nil
}
