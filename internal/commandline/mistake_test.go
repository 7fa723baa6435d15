package commandline_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/commandline"
)

// A command line that cannot be parsed is answered by what was meant, if that is known,
// and by which help has more.
func TestMistake(t *testing.T) {
	for _, test := range []struct{ command, want string }{
		{"", `expected one of "do", "help", "completion" (prog help tells more)`},
		{"od", `unexpected argument od, did you mean "do"? (prog help tells more)`},
		{"do", `expected "<what>" (prog help do tells more)`},
		{"do this --lokcs x", `unknown flag --lokcs, did you mean "--locks"? (prog help do tells more)`},
		{"do this --nothing", `unknown flag --nothing (prog help do tells more)`},
		{"do this -force", `-force: want --force, with two dashes (prog help do tells more)`},
		{"do this -locks=x", `-locks: want --locks, with two dashes (prog help do tells more)`},
		{"do this -x", `unknown flag -x, did you mean "-h"? (prog help do tells more)`},
		{"-version", `-version: want --version, with two dashes (prog help tells more)`},
		{"version", `unexpected argument version, did you mean --version? (prog help tells more)`},
		{"--force", `unknown flag --force: it is a flag of prog do (prog help tells more)`},
		{"--force do this", `unknown flag --force: it is a flag of prog do (prog help tells more)`},
		{"completion fish force", `unexpected argument force (prog help completion tells more)`},
		{"help --force", `unknown flag --force: it is a flag of prog do (prog help help tells more)`},
	} {
		var out, errs bytes.Buffer
		code := completing.Run(strings.Fields(test.command), &out, &errs)
		if got := errs.String(); code != commandline.Usage || got != "prog: "+test.want+"\n" {
			t.Errorf("$ prog %s\nexit status %d, %s, want %d, %s", test.command, code, got, commandline.Usage, test.want)
		}
	}
}
