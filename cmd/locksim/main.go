package main

import (
	"io"
	"os"

	"github.com/lockbench/lockbench/internal/commandline"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// The commands and the flags that all of them have.
type commands struct {
	Check checkCmd `cmd:"" help:"Try a lock's properties on every schedule."`

	Help commandline.Help `short:"h" help:"Show this."`
}

// The exit codes: those of all commands, and that a budget ended a search early.
const (
	exitOK     = commandline.OK
	exitFailed = commandline.Failed
	exitUsage  = commandline.Usage
	exitEarly  = 3
)

var program = commandline.Program{
	Name:     "locksim",
	About:    "Runs locks on a virtual machine, which takes every schedule.",
	Commands: func() any { return new(commands) },
	Codes:    map[error]int{errEarly: exitEarly},
}

// run is main, without the process.
func run(args []string, stdout, stderr io.Writer) int { return program.Run(args, stdout, stderr) }
