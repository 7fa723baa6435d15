// Package commandline is what our commands have in common: how they read flags,
// say what is wrong with them, and end.
package commandline

import (
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"
)

// The exit codes of all commands: it did what it should, it failed, the command
// line or a file it names makes no sense.
const (
	OK     = 0
	Failed = 1
	Usage  = 2
)

// A Console is where a command writes: data to Out, the rest to Err.
type Console struct{ Out, Err io.Writer }

// A Program is a command with its subcommands.
type Program struct {
	Name, About string

	// Commands returns a pointer to a struct as kong reads it, with nothing set.
	// Each subcommand has a method Run(Console) error.
	Commands func() any

	// Codes has the exit codes for errors that have codes of their own.
	Codes map[error]int
}

// Run runs the subcommand that args name, reports its error and returns the exit
// code.
func (p Program) Run(args []string, stdout, stderr io.Writer) int {
	parser := kong.Must(p.Commands(), kong.Name(p.Name), kong.Description(p.About),
		kong.NoDefaultHelp(), kong.Writers(stdout, stderr))
	cmd, err := parser.Parse(args)
	if err == nil {
		err = cmd.Run(Console{Out: stdout, Err: stderr})
	} else if !errors.Is(err, errHelp) {
		err = Problems{fmt.Errorf("%w (%s --help tells more)", err, p.Name)}
	}
	return p.Report(stderr, err)
}

// Report says what went wrong, if anything did, on a line for each error, and returns the exit code.
func (p Program) Report(stderr io.Writer, err error) int {
	if err == nil || errors.Is(err, errHelp) {
		return OK
	}
	for _, err := range eachOf(err) {
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
	}
	var usage Problems
	if errors.As(err, &usage) {
		return Usage
	}
	for is, code := range p.Codes {
		if errors.Is(err, is) {
			return code
		}
	}
	return Failed
}
