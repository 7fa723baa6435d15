package sweeping

import (
	"slices"
	"strings"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
)

// Bare is the name of the bare section, which has none in a results file.
const Bare = "bare"

// Workloads returns the workloads that the user can choose from.
func Workloads() []harness.Workload {
	return append([]harness.Workload{
		{Name: Bare, About: "two words on one cache line: change both; compare them"},
	}, harness.Workloads()...)
}

// ParseWorkloads parses names of workloads with commas between them. It returns
// them in the order given, each once.
func ParseWorkloads(bad *commandline.Problems, flag, text string) []harness.Workload {
	var chosen []harness.Workload
	var names []string
	for _, w := range Workloads() {
		names = append(names, w.Name)
	}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		i := slices.Index(names, name)
		if i < 0 {
			bad.Addf("%s: unknown workload %q (known: %s)", flag, name, strings.Join(names, ", "))
			continue
		}
		w := Workloads()[i]
		if name == Bare {
			w = harness.Workload{}
		}
		if !slices.ContainsFunc(chosen, func(c harness.Workload) bool { return c.Name == w.Name }) {
			chosen = append(chosen, w)
		}
	}
	return chosen
}
