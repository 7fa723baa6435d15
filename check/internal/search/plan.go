package search

import "github.com/lockbench/lockbench/check/internal/machine"

// A Plan is a search that goes from one execution to the next.
type Plan interface {
	machine.Search
	// Advance prepares the next execution, and reports whether there is one.
	Advance() bool
	// Repeats reports whether the last execution repeated the earlier ones, as far
	// as it should.
	Repeats() bool
}

// A blind search does not look at what happens.
type blind struct{}

func (blind) Known() (machine.Proc, bool) { return 0, false }

func (blind) Step(machine.Proc, *machine.Op) {}
func (blind) Changed()                       {}
func (blind) Issue(machine.Proc, int32)      {}
func (blind) Follow(_, _ machine.Proc)       {}
func (blind) Keep(int, machine.Proc)         {}
func (blind) Recall(machine.Proc, int)       {}
