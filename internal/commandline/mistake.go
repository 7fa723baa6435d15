package commandline

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// mistake says of args that cannot be parsed, because of err, what is wrong, what was
// meant, if that can be known, and which help tells more. cmd is the command that they
// name, or nil.
func (p Program) mistake(err error, cmd *kong.Node, args []string) error {
	help := p.Name + " help"
	known := p.Model().Node // with the flags that all commands have
	if cmd != nil {
		help += " " + cmd.Name
		known = cmd
	}
	said := err.Error()
	text, word, _ := strings.Cut(said, " --")
	switch {
	case text == "unknown flag" && !strings.Contains(word, ","):
		if having := p.having(word); len(having) > 0 && len(having) <= 3 {
			err = fmt.Errorf("%w: it is a flag of %s", err, strings.Join(having, ", "))
		}
	case strings.HasPrefix(said, "unknown flag -") && text == said:
		for _, arg := range args {
			name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
			if strings.HasPrefix(arg, "-") && len(name) > 1 && hasFlag(known, name) {
				err = fmt.Errorf("-%s: want --%[1]s, with two dashes", name)
				break
			}
		}
	case strings.HasPrefix(said, "unexpected argument ") && !strings.Contains(said, ","):
		if name := strings.TrimPrefix(said, "unexpected argument "); hasFlag(known, name) {
			err = fmt.Errorf("%w, did you mean --%s?", err, name)
		}
	}
	return fmt.Errorf("%w (%s tells more)", err, help)
}

// having returns the commands that have a flag, each after the name of p.
func (p Program) having(flag string) (names []string) {
	for _, cmd := range p.Model().Leaves(true) {
		if hasFlag(cmd, flag) {
			names = append(names, p.Name+" "+cmd.Name)
		}
	}
	return names
}

// hasFlag reports whether a command has a flag, or all commands have it.
func hasFlag(cmd *kong.Node, name string) bool {
	for _, group := range cmd.AllFlags(true) {
		for _, f := range group {
			if f.Name == name {
				return true
			}
		}
	}
	return false
}
