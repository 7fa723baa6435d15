package script

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/lockbench/lockbench/internal/commandline"
)

// Empty checks that no command takes an empty flag, or an empty argument, for a missing
// one: an unset variable of a shell must not measure everything. except has those for
// which empty has a meaning, such as "run --plots".
func Empty(t *testing.T, p commandline.Program, except ...string) {
	t.Chdir(t.TempDir())
	tried := 0
	fails := func(want string, args ...string) {
		tried++
		var out, errs bytes.Buffer
		code := p.Run(args, &out, &errs)
		// A command whose reports have a form for "no verdict" uses it, too.
		more := out.Len() > 0 && !strings.Contains(out.String(), "no verdict, because\n  "+want+": is empty")
		if code != commandline.Usage || more || !strings.HasPrefix(errs.String(), p.Name+": "+want+": is empty") {
			t.Errorf("$ %s %q\nexit status %d, stdout %q, stderr %q; want %d and %s: is empty", p.Name, args, code, &out, &errs, commandline.Usage, want)
		}
	}
	for _, cmd := range p.Model().Leaves(true) {
		for _, flag := range cmd.Flags {
			if flag.IsBool() {
				continue
			}
			meant := slices.Contains(except, cmd.Name+" --"+flag.Name)
			if meant != flag.Tag.Has("empty") {
				t.Errorf(`%s --%s has the tag empty: %t, want %t`, cmd.Name, flag.Name, !meant, meant)
			}
			if !meant {
				args := append([]string{cmd.Name}, required(cmd)...)
				fails("--"+flag.Name, append(args, "--"+flag.Name+"=")...)
				fails("--"+flag.Name, append(args, "--"+flag.Name, "")...)
			}
		}
		for i, arg := range cmd.Positional {
			args := append([]string{cmd.Name}, required(cmd)...)
			if arg.Required {
				args[1+i] = ""
			} else {
				args = append(args, "")
			}
			fails("<"+arg.Name+">", args...)
		}
	}
	if tried == 0 {
		t.Error("no command has a flag")
	}
}

// required returns a value for each argument that the command needs.
func required(cmd *kong.Node) (args []string) {
	for _, arg := range cmd.Positional {
		if arg.Required {
			args = append(args, "x")
		}
	}
	return args
}
