package commandline

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// rename gives the values of a command's flags with old names to the flags that have
// their place. The tag now:"name" of a flag, which is hidden, says that it is the old
// name of --name; both are text, without a default. It is an error to use both names,
// unless they say the same.
func rename(cmd *kong.Node) (wrong []error) {
	for _, old := range cmd.Flags {
		if !old.Tag.Has("now") || !old.Set {
			continue
		}
		for _, flag := range cmd.Flags {
			if flag.Name != old.Tag.Get("now") {
				continue
			}
			now, was := flag.Target.String(), old.Target.String()
			if flag.Set && now != was {
				wrong = append(wrong, fmt.Errorf("--%s %s --%s %s: want --%s alone, of which --%s is the old name", flag.Name, now, old.Name, was, flag.Name, old.Name))
				continue
			}
			flag.Target.SetString(was)
		}
	}
	return wrong
}
