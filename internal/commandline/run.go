// Package commandline is what the commands share: how they read flags, report errors,
// and end.
package commandline

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// The exit codes of all commands. Each means one thing, in all commands.
const (
	OK     = 0 // it did its work
	Failed = 1 // it found a fault: a regression, a broken lock, a violation
	Usage  = 2 // it could not do its work: the command line, a file that it names, a build, a full disk
)

// Found marks err as a fault that the command found, not as an error of the command
// itself: its exit code is [Failed].
func Found(err error) error { return &found{err} }

// IsFound reports whether err is a fault that the command found.
func IsFound(err error) bool { return errors.As(err, new(*found)) }

type found struct{ error }

func (f *found) Unwrap() error { return f.error }

// A Console is where a command writes: data to Out, everything else to Err.
type Console struct {
	Out, Err io.Writer

	Name string   // of the program
	Args []string // what it was called with
}

// Sayf writes a line to Err, after the name of the program.
func (c Console) Sayf(format string, args ...any) {
	fmt.Fprintf(c.Err, "%s: %s\n", c.Name, fmt.Sprintf(format, args...))
}

// A Program is a command with its subcommands.
type Program struct {
	Name, About string

	// Commands returns a pointer to a struct as kong reads it, with nothing set.
	// Each subcommand has a method Run(Console) error.
	Commands func() any

	// Complete returns the values of a kind, which flags and arguments name in their
	// tags: complete:"kind".
	Complete map[string]func() []string

	// Vars are what flags that several programs have name in their help, as ${name}.
	Vars map[string]string

	// Codes has the exit codes for errors that have codes of their own.
	Codes map[error]int
}

// Run runs the subcommand that args name, reports its error and returns the exit code.
// Failing to write to stdout is an error, too.
func (p Program) Run(args []string, stdout, stderr io.Writer) int {
	out := &output{to: stdout}
	con := Console{Out: out, Err: stderr, Name: p.Name, Args: args}
	if len(args) > 0 && args[0] == completeCommand {
		p.complete(con, args[1:])
		return OK
	}
	err := p.run(args, con)
	if out.err != nil && !errors.Is(err, out.err) {
		err = errors.Join(err, out.err)
	}
	return p.Report(stderr, err)
}

func (p Program) run(args []string, con Console) error {
	var bad Problems
	cmd, err := p.kong(con, &bad).Parse(args)
	if err == nil {
		bad.Add(errors.Join(rename(cmd.Selected())...))
	}
	switch {
	case errors.Is(err, errHelp):
		return err
	case err != nil:
		if parse := (*kong.ParseError)(nil); errors.As(err, &parse) {
			cmd = parse.Context
		}
		var selected *kong.Node
		if cmd != nil {
			selected = cmd.Selected()
		}
		err = Problems{p.mistake(err, selected, args)}
	case len(bad) > 0:
		err = bad
	default:
		return cmd.Run(con, p)
	}
	if cmd != nil && cmd.Selected() != nil {
		if r, ok := cmd.Selected().Target.Addr().Interface().(refuser); ok {
			return r.Refuse(con, args, err)
		}
	}
	return err
}

// A refuser is a subcommand that also says on stdout why it does nothing, for programs
// that read that. Its flags are not set if args cannot be parsed because of err, which
// it returns, joined with its own errors.
type refuser interface {
	Refuse(con Console, args []string, err error) error
}

func (p Program) kong(con Console, empty *Problems) *kong.Kong {
	k := kong.Must(p.Commands(), kong.Name(p.Name), kong.Description(p.About), kong.Vars(p.Vars),
		kong.NoDefaultHelp(), kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.Writers(con.Out, con.Err), kong.KindMapper(reflect.String, textMapper(empty)))
	for _, cmd := range k.Model.Leaves(false) {
		cmd.Detail = strings.ReplaceAll(cmd.Detail, "{program}", p.Name)
	}
	return k
}

// Model returns the commands of p with their flags and arguments, as kong represents
// them.
func (p Program) Model() *kong.Application { return p.kong(Console{}, new(Problems)).Model }

// An output remembers the first error of writing. Nothing is written after that.
type output struct {
	to  io.Writer
	err error
}

func (o *output) Write(p []byte) (n int, err error) {
	if o.err == nil {
		n, o.err = o.to.Write(p)
	}
	return n, o.err
}

// Report writes the errors, one per line, and returns the exit code. Of several errors,
// a fault that the command found decides, otherwise one that kept the command from its
// work.
func (p Program) Report(stderr io.Writer, err error) int {
	code := OK
	for _, err := range eachOf(err) {
		if errors.Is(err, errHelp) {
			continue
		}
		fmt.Fprintf(stderr, "%s: %v\n", p.Name, err)
		switch c := p.code(err); {
		case c == Failed || code == Failed:
			code = Failed
		case c == Usage || code == Usage:
			code = Usage
		default:
			code = c
		}
	}
	return code
}

// code returns the exit code for one error.
func (p Program) code(err error) int {
	if IsFound(err) {
		return Failed
	}
	for is, code := range p.Codes {
		if errors.Is(err, is) {
			return code
		}
	}
	return Usage
}
