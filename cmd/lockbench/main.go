package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/lockbench/lockbench/internal/claims"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/ownlock"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/sim/machines"
)

func main() {
	if err := ownlock.Clean(); err != nil {
		fmt.Fprintf(os.Stderr, "lockbench: warning: %v\n", err)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// The commands and the flags that all of them have.
type commands struct {
	Run    runCmd    `cmd:"" group:"Choose a lock:" help:"Measure locks, and show which is fastest."`
	Report reportCmd `cmd:"" group:"Choose a lock:" help:"Show results files on one page, for a browser."`
	Advise adviseCmd `cmd:"" group:"Choose a lock:" help:"Say which lock to take for a workload, by results files."`
	Plot   plotCmd   `cmd:"" group:"Choose a lock:" help:"Draw results files as pictures."`
	List   listCmd   `cmd:"" group:"Choose a lock:" help:"List the locks, or the workloads."`
	Doctor doctorCmd `cmd:"" group:"Choose a lock:" help:"Say how fit this machine is to measure on."`
	Claims claimsCmd `cmd:"" group:"Choose a lock:" help:"Try what textbooks say of locks."`

	Torture tortureCmd `cmd:"" group:"Check a lock:" help:"Try to break locks, ours or yours, and flavours of RCU."`
	Init    initCmd    `cmd:"" group:"Check a lock:" help:"Write a test and a benchmark for the locks of your package."`
	Decode  decodeCmd  `cmd:"" group:"Check a lock:" help:"Explain the word of a lock, such as one from a crash dump."`

	Gate    gateCmd    `cmd:"" group:"Compare Go benchmarks:" help:"Say whether a change made benchmarks slower."`
	Compare compareCmd `cmd:"" group:"Compare Go benchmarks:" help:"Compare two files of benchmarks, without a verdict."`
	History historyCmd `cmd:"" group:"Compare Go benchmarks:" help:"Find the runs at which benchmarks became faster or slower."`

	Merge  mergeCmd  `cmd:"" group:"Use results elsewhere:" help:"Put the files of lockbench run --shard together."`
	Export exportCmd `cmd:"" group:"Use results elsewhere:" help:"Write a results file as CSV or JSON, or draw a trace."`

	commandline.Common
}

// The exit codes: those of all commands, and that of an interrupt, after which the
// command keeps its results.
const (
	exitOK          = commandline.OK
	exitFailed      = commandline.Failed
	exitUsage       = commandline.Usage
	exitInterrupted = 130
)

var program = commandline.Program{
	Name:     "lockbench",
	About:    "Which lock for this workload, on this machine? Lockbench measures locks over CPU counts and shares of reads. Begin with lockbench run --quick; lockbench help run shows examples of it, and all flags.",
	Commands: func() any { return new(commands) },
	Complete: map[string]func() []string{"locks": lockNames, "tortured": torturedNames, "workloads": workloadNames, "claims": claims.Names, "units": unitNames, "machines": machines.Names},
	Vars:     map[string]string{"reads": allReads},
	Codes:    map[error]int{sweeping.ErrInterrupted: exitInterrupted, errCannotTell: exitCannotTell, errNoData: exitCannotTell},
}

// unitNames returns the units that most benchmarks have.
func unitNames() []string {
	return []string{"ns/op", "B/op", "allocs/op", "MB/s", results.Instructions}
}

// run is main, without the process.
func run(args []string, stdout, stderr io.Writer) int { return program.Run(args, stdout, stderr) }

// noFile adds to an error about a file that is missing which command writes such files.
func noFile(err error, command string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (%s writes such files)", err, command)
	}
	return err
}

// warn prints reasons not to measure on this machine now.
func warn(con commandline.Console, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(con.Err, "lockbench: warning: %s\n", w)
	}
}
