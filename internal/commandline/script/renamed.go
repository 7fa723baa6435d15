package script

import (
	"slices"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/lockbench/lockbench/internal/commandline"
)

// Renamed checks that the program has these flags under old names, each as "command
// --old --new", and no others: that they are hidden, and stand for a flag of the same
// command. A default of that would look like a value that was given.
func Renamed(t *testing.T, p commandline.Program, want ...string) {
	var got []string
	for _, cmd := range p.Model().Leaves(false) {
		for _, old := range cmd.Flags {
			now := old.Tag.Get("now")
			if now == "" {
				continue
			}
			got = append(got, cmd.Name+" --"+old.Name+" --"+now)
			at := slices.IndexFunc(cmd.Flags, func(f *kong.Flag) bool { return f.Name == now })
			switch {
			case !old.Hidden:
				t.Errorf("%s --%s: in the help, want it hidden", cmd.Name, old.Name)
			case at < 0:
				t.Errorf("%s --%s: there is no --%s", cmd.Name, old.Name, now)
			case cmd.Flags[at].HasDefault || cmd.Flags[at].Hidden:
				t.Errorf("%s --%s: is hidden, or has a default", cmd.Name, now)
			}
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("old names of flags: got %q, want %q", got, want)
	}
}
