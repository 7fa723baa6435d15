package main

import (
	"errors"
	"io"
	"os"

	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/sim/machines"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// The commands and the flags that all of them have.
type commands struct {
	Check checkCmd `cmd:"" group:"On every schedule:" help:"Try a lock's properties on every schedule."`

	Run       runCmd       `cmd:"" group:"On many CPUs:" help:"Measure locks on a simulated machine, and show which is fastest there."`
	Trace     traceCmd     `cmd:"" group:"On many CPUs:" help:"Draw what a few workers do with a lock on a simulated machine."`
	Claims    claimsCmd    `cmd:"" group:"On many CPUs:" help:"Try what textbooks say of locks on machines of many CPUs."`
	Calibrate calibrateCmd `cmd:"" group:"On many CPUs:" help:"Measure this machine, so that it can be simulated."`

	commandline.Common
}

// The exit codes: those of all commands, and those of a search that its budget or a
// signal ended.
const (
	exitOK     = commandline.OK
	exitFailed = commandline.Failed
	exitUsage  = commandline.Usage
	exitEarly  = 3

	exitInterrupted = 130
)

var program = commandline.Program{
	Name:     "locksim",
	About:    "Runs locks in virtual time: on every schedule, to prove that they are right, and on simulated machines of many CPUs, to see how fast they are there.",
	Commands: func() any { return new(commands) },
	Complete: map[string]func() []string{"locks": lockNames, "traced": tracedNames, "machines": machines.Names, "properties": propertyNames, "workloads": workloadNames},
	Vars:     map[string]string{"reads": someReads},
	Codes:    map[error]int{errEarly: exitEarly, sweeping.ErrInterrupted: exitInterrupted},
}

// errNative says that this build has no engine.
var errNative = errors.New("this build runs locks on the host alone; to check or simulate them, go build -tags virtual ./cmd/locksim")

func lockNames() (names []string) {
	for _, e := range catalog.Locks() {
		if !e.Peer && !e.Unlocked {
			names = append(names, e.Name)
		}
	}
	return names
}

func workloadNames() (names []string) {
	for _, w := range sweeping.Workloads() {
		if w.NewIn == nil {
			names = append(names, w.Name)
		}
	}
	return names
}

func propertyNames() (names []string) {
	for _, p := range properties {
		names = append(names, p.name)
	}
	return names
}

// Help is kong's.
func (checkCmd) Help() string {
	return commandline.Examples(
		"locksim check --locks 'ticket*,rw-queued' --workers 2",
		"locksim check --locks mcs --properties exclusion --workers 6 --mode pct --schedules 500",
		"locksim check --locks busted --plots pictures",
	)
}

// Help is kong's.
func (claimsCmd) Help() string {
	return commandline.Examples("locksim claims", "locksim claims reload starves")
}

// run is main, without the process.
func run(args []string, stdout, stderr io.Writer) int { return program.Run(args, stdout, stderr) }
