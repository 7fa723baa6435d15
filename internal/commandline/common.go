package commandline

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Common is what all programs share: embed it in the struct of the commands.
type Common struct {
	HelpOf     helpCmd       `cmd:"" name:"help" group:"Help:" help:"Show the flags of a command, and examples."`
	Completion completionCmd `cmd:"" group:"Help:" help:"Write a script for a shell that completes commands, flags, names of locks and files."`

	Help    helpFlag    `short:"h" help:"Show this."`
	Version versionFlag `help:"Show the version."`
}

// A helpFlag is the --help flag. Unlike kong's own it does not end the process.
type helpFlag bool

// BeforeReset shows the help; kong calls it.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	ctx.PrintUsage(false) // the output remembers the error
	return errHelp
}

type versionFlag bool

// BeforeReset shows the version; kong calls it.
func (versionFlag) BeforeReset(ctx *kong.Context) error {
	fmt.Fprintf(ctx.Stdout, "%s %s\n", ctx.Model.Name, version())
	return errHelp
}

// version returns what the go command recorded about the build of this program.
func version() string {
	built := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "of unknown version, " + built
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			v += ", commit " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			v += " (modified)"
		case s.Key == "-tags":
			built += ", tags " + s.Value
		}
	}
	return v + ", " + built
}

type helpCmd struct {
	Command []string `arg:"" name:"command" optional:"" complete:"commands" help:"Name of a command; all commands without it."`
}

// Help is kong's.
func (helpCmd) Help() string { return Examples("{program} help run", "{program} help completion") }

// Run shows the help.
func (c *helpCmd) Run(con Console, p Program) error {
	for _, name := range c.Command {
		if names := p.commandNames(); !slices.Contains(names, name) {
			return Problems{fmt.Errorf("help: unknown command %q (known: %s)", name, strings.Join(names, ", "))}
		}
	}
	return p.run(append(slices.Clone(c.Command), "--help"), con)
}

func (p Program) commandNames() (names []string) {
	for _, cmd := range p.Model().Leaves(true) {
		names = append(names, cmd.Name)
	}
	return names
}

// Examples returns the text of a command's method Help, which kong shows below the
// description: command lines, one per line.
func Examples(lines ...string) string { return "Examples:\n\n\t" + strings.Join(lines, "\n\t") }

type completionCmd struct {
	Shell string `arg:"" complete:"bash|zsh|fish" help:"bash, zsh or fish."`
}

// Help is kong's.
func (completionCmd) Help() string {
	return Examples("source <({program} completion bash)   # in ~/.bashrc", "source <({program} completion zsh)    # in ~/.zshrc, below compinit", "{program} completion fish | source   # in ~/.config/fish/config.fish")
}

// Run writes the script.
func (c *completionCmd) Run(con Console, p Program) error {
	script, known := completionScripts[c.Shell]
	if !known {
		return Problems{fmt.Errorf("completion: unknown shell %q (known: bash, zsh, fish)", c.Shell)}
	}
	_, err := strings.NewReplacer("PROGRAM", p.Name, "COMMAND", completeCommand).WriteString(con.Out, script)
	return err
}
