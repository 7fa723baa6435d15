package main

import (
	"strings"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
)

// checkCounters checks that something can be counted on this machine if --counters
// asks for it.
func (c *runCmd) checkCounters(bad *commandline.Problems) {
	if !c.Counters {
		return
	}
	if can, not := counted(harness.Counters()); can == "" {
		bad.Addf("--counters: not counted: %s", not)
	}
}

// counted returns which counters are counted, and which are not, with the reasons, each
// once.
func counted(all []harness.Counter) (can, not string) {
	var yes, reasons []string
	units := make(map[string][]string) // by the reason that they are not counted
	for _, c := range all {
		if c.Err == nil {
			yes = append(yes, c.Unit)
			continue
		}
		why := c.Err.Error()
		if units[why] == nil {
			reasons = append(reasons, why)
		}
		units[why] = append(units[why], c.Unit)
	}
	for i, why := range reasons {
		reasons[i] = strings.Join(units[why], ", ") + ": " + why
	}
	return strings.Join(yes, ", "), strings.Join(reasons, "; ")
}
