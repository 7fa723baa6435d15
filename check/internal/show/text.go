package show

import (
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// String shows the schedule and says what failed.
func (f *Schedule) String() string {
	var b strings.Builder
	f.WriteTable(&b)
	fmt.Fprintf(&b, "\n%s: %s\n", f.Kind, f.Message)
	for _, w := range f.Waits {
		fmt.Fprintf(&b, "  %s %s", f.Workers[w.Worker], w.says())
		if place := w.At.String(); place != "" {
			fmt.Fprintf(&b, ", since %s in %s", place, shortFunc(w.At.Func))
		}
		b.WriteByte('\n')
	}
	for _, c := range f.Stack {
		fmt.Fprintf(&b, "  at %v in %s\n", c, shortFunc(c.Func))
	}
	for i := range f.Steps {
		if s := &f.Steps[i]; s.Failed && f.Kind == machine.DataRace {
			fmt.Fprintf(&b, "  step %d, %s: %v, %s in %s\n", i+1, f.Workers[s.Worker], s, s.At.String(), shortFunc(s.At.Func))
		}
	}
	fmt.Fprintf(&b, "again: %s\n", f.Again)
	return b.String()
}
