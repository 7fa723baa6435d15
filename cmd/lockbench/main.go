package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// The commands and the flags that all of them have.
type commands struct {
	Run    runCmd    `cmd:"" help:"Measure locks, and show which is fastest."`
	Plot   plotCmd   `cmd:"" help:"Draw what results files hold."`
	List   listCmd   `cmd:"" help:"List the locks, or the workloads."`
	Decode decodeCmd `cmd:"" help:"Explain the word of a lock."`

	Help help `short:"h" help:"Show this."`
}

// The exit codes: the command did what it should, it failed, the command line
// or a file it names makes no sense, it was interrupted (and kept what it had).
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// A console is where a command writes: data to out, the rest to err.
type console struct{ out, err io.Writer }

// run is main, without the process.
func run(args []string, stdout, stderr io.Writer) int {
	var cmds commands
	parser := kong.Must(&cmds,
		kong.Name("lockbench"),
		kong.Description("Which lock for this workload, on this machine? Lockbench measures locks over CPU counts and reader ratios."),
		kong.NoDefaultHelp(), kong.Writers(stdout, stderr))
	cmd, err := parser.Parse(args)
	if err == nil {
		err = cmd.Run(console{stdout, stderr})
	} else if !errors.Is(err, errHelp) {
		err = problems{fmt.Errorf("%w (lockbench --help tells more)", err)}
	}

	return report(stderr, err)
}

// report says what went wrong, if anything did, and returns the exit code.
func report(stderr io.Writer, err error) int {
	if err == nil || errors.Is(err, errHelp) {
		return exitOK
	}
	for _, err := range eachOf(err) {
		fmt.Fprintf(stderr, "lockbench: %v\n", err)
	}
	var usage problems
	switch {
	case errors.As(err, &usage):
		return exitUsage
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	}
	return exitFailed
}
