package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/ownlock"
	"github.com/lockbench/lockbench/internal/sweeping"
)

// An ownLock is a lock of the user with which this program was built.
type ownLock struct {
	path string // import path and type
	harness.Subject
}

// own has the locks by their names for --locks. The file that [ownlock.Build] adds
// fills it.
var own = make(map[string]ownLock)

// An ownChoice is the part of --locks about the user's locks.
type ownChoice struct {
	subjects []harness.Subject // placeholders for those with which this program was not built
	args     map[string]string // their names for --locks, by name
	missing  []ownlock.Lock    // those with which this program was not built
}

// chooseOwn returns the user's locks that --locks names, and the other names and
// patterns in it. It adds errors in them to bad.
func chooseOwn(bad *commandline.Problems, locks string) (c ownChoice, patterns []string) {
	if locks == "" {
		return c, nil
	}
	var paths, unbuilt []string
	for e := range strings.SplitSeq(locks, ",") {
		switch e = strings.TrimSpace(e); {
		case !ownlock.IsPath(e):
			patterns = append(patterns, e)
		case !slices.Contains(paths, e):
			paths = append(paths, e)
		}
	}
	c.args = make(map[string]string)
	for _, path := range paths {
		if l, ok := own[path]; ok {
			c.add(bad, path, l.Subject)
		} else {
			unbuilt = append(unbuilt, path)
		}
	}
	if len(unbuilt) == 0 {
		return c, patterns
	}
	found, err := ownlock.Find(context.Background(), ".", unbuilt)
	bad.Add(err)
	c.missing = found
	for _, l := range found {
		stand := harness.Subject{Name: l.Name, New: func() sync.Locker { return new(sync.Mutex) }}
		if l.Pinned {
			stand.Pinned = stand.New
		}
		c.add(bad, l.Arg, stand)
	}
	return c, patterns
}

// add adds a lock, unless its row would have the name of another.
func (c *ownChoice) add(bad *commandline.Problems, path string, s harness.Subject) {
	other := c.args[s.Name]
	if slices.ContainsFunc(catalog.All(), func(e catalog.Entry) bool { return e.Name == s.Name }) {
		other = "one of ours"
	}
	if other != "" {
		bad.Addf("lock %q: its row would be %s, as that of %s: want another path to it, such as its import path", path, s.Name, other)
		return
	}
	c.args[s.Name] = path
	c.subjects = append(c.subjects, s)
}

// become builds a lockbench that has the locks that this one lacks, and runs it
// instead. It returns only if that fails.
func (c ownChoice) become(con commandline.Console) error {
	ctx, restore := commandline.UntilSignal()
	defer restore()
	for _, l := range c.missing {
		fmt.Fprintf(con.Err, "lockbench: building with %s.%s, as %s\n", l.Pkg, l.Type, l.Name)
	}
	p, err := ownlock.Build(ctx, c.missing)
	if err != nil {
		return sweeping.Interruption(ctx, err)
	}
	restore()
	return p.Become(os.Args[1:])
}

// ownNote says where the user's locks are from, "" if there are none.
func ownNote() string {
	var all []string
	for _, path := range slices.Sorted(maps.Keys(own)) {
		all = append(all, own[path].Name+" is "+own[path].path)
	}
	return strings.Join(all, ", ")
}
