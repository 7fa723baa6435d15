package main

import (
	"fmt"
	"io"
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
	Run     runCmd     `cmd:"" help:"Measure locks, and show which is fastest."`
	Plot    plotCmd    `cmd:"" help:"Draw the contents of results files."`
	Report  reportCmd  `cmd:"" help:"Write one page of HTML about results files."`
	Advise  adviseCmd  `cmd:"" help:"Say which lock to take for a workload, by results files."`
	Merge   mergeCmd   `cmd:"" help:"Put the shards of a sweep together."`
	Export  exportCmd  `cmd:"" help:"Write a results file as CSV or JSON."`
	Gate    gateCmd    `cmd:"" help:"Say whether a change made Go benchmarks slower."`
	Compare compareCmd `cmd:"" help:"Compare two files of Go benchmarks."`
	History historyCmd `cmd:"" help:"Find the runs at which benchmarks became faster or slower."`
	Claims  claimsCmd  `cmd:"" help:"Try what textbooks say of locks."`
	Doctor  doctorCmd  `cmd:"" help:"Say how fit this machine is to measure on."`
	Torture tortureCmd `cmd:"" help:"Try to break the locks, and the flavours of RCU."`
	Init    initCmd    `cmd:"" help:"Write a test and a benchmark for the locks of your package."`
	List    listCmd    `cmd:"" help:"List the locks, or the workloads."`
	Decode  decodeCmd  `cmd:"" help:"Explain the word of a lock."`

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
	About:    "Which lock for this workload, on this machine? Lockbench measures locks over CPU counts and reader ratios.",
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

// warn prints reasons not to measure on this machine now.
func warn(con commandline.Console, warnings []string) {
	for _, w := range warnings {
		fmt.Fprintf(con.Err, "lockbench: warning: %s\n", w)
	}
}
