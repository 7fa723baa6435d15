package commandline_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/commandline"
)

type drawCmd struct {
	Plots string `placeholder:"DIR" help:"Where to draw."`
	SVG   string `name:"svg" hidden:"" now:"plots"`
}

func (c drawCmd) Run(con commandline.Console) error {
	fmt.Fprintf(con.Out, "in %q\n", c.Plots)
	return nil
}

// The old name of a flag does what the new one does. It is not in the help.
func TestOldNames(t *testing.T) {
	p := commandline.Program{Name: "prog", Commands: func() any {
		return new(struct {
			Draw drawCmd `cmd:""`
			commandline.Common
		})
	}}
	for _, test := range []struct {
		command   string
		code      int
		out, errs string
	}{
		{"draw", commandline.OK, "in \"\"\n", ""},
		{"draw --plots a", commandline.OK, "in \"a\"\n", ""},
		{"draw --svg a", commandline.OK, "in \"a\"\n", ""},
		{"draw --svg=a --plots a", commandline.OK, "in \"a\"\n", ""},
		{"draw --svg a --plots b", commandline.Usage, "", "prog: --plots b --svg a: want --plots alone, of which --svg is the old name\n"},
		{"draw --svg=", commandline.Usage, "", "prog: --svg: is empty: want STRING, or no --svg at all\n"},
		{"__complete bash draw --s", commandline.OK, "", ""},
		{"__complete bash draw --", commandline.OK, "--help\n--version\n--plots\n", ""},
	} {
		var out, errs bytes.Buffer
		code := p.Run(strings.Fields(test.command), &out, &errs)
		if code != test.code || out.String() != test.out || errs.String() != test.errs {
			t.Errorf("$ prog %s\nexit status %d, %q, %q, want %d, %q, %q", test.command, code, &out, &errs, test.code, test.out, test.errs)
		}
	}
	var out, errs bytes.Buffer
	p.Run([]string{"draw", "--help"}, &out, &errs)
	if help := out.String(); !strings.Contains(help, "--plots") || strings.Contains(strings.ToLower(help), "svg") {
		t.Errorf("--help: want --plots and no --svg:\n%s", help)
	}
}
