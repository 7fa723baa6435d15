package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/ownlock"
)

// An ownLock is a lock of the user's that this program was built with.
type ownLock struct {
	path string // import path and type
	harness.Subject
}

// own has them by what --locks calls them. The file that [ownlock.Build] adds fills
// it.
var own = make(map[string]ownLock)

// An ownChoice is what --locks says of locks of the user's.
type ownChoice struct {
	subjects []harness.Subject // stand-ins for those that this program was not built with
	args     map[string]string // what --locks calls them, by name
	missing  []ownlock.Lock    // those that this program was not built with
}

// chooseOwn returns the locks of the user's that --locks names, and the rest of what
// it says, names and patterns. What is wrong with them is a problem.
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

// add adds a lock, unless its row would be another's.
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

// become builds a lockbench that has the locks that this one lacks, and runs that
// instead. It returns only if it cannot.
func (c ownChoice) become(con commandline.Console) error {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	for _, l := range c.missing {
		fmt.Fprintf(con.Err, "lockbench: building with %s.%s, as %s\n", l.Pkg, l.Type, l.Name)
	}
	p, err := ownlock.Build(ctx, c.missing)
	if err != nil {
		return interruption(ctx, err)
	}
	restore()
	return p.Become(os.Args[1:])
}

// ownNote says where the locks of the user's are from, "" if there are none.
func ownNote() string {
	var all []string
	for _, path := range slices.Sorted(maps.Keys(own)) {
		all = append(all, own[path].Name+" is "+own[path].path)
	}
	return strings.Join(all, ", ")
}
