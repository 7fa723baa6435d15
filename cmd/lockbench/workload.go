package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
)

// bare is the name of the bare section, which has none in a results file.
const bare = "bare"

// workloads returns the workloads that the user can choose from.
func workloads() []harness.Workload {
	return append([]harness.Workload{
		{Name: bare, About: "two words on one cache line: change both; compare them"},
	}, harness.Workloads()...)
}

// parseWorkloads parses names of workloads with commas between them. It returns
// them in the order given, each once.
func parseWorkloads(bad *commandline.Problems, flag, text string) []harness.Workload {
	var chosen []harness.Workload
	var names []string
	for _, w := range workloads() {
		names = append(names, w.Name)
	}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		i := slices.Index(names, name)
		if i < 0 {
			bad.Addf("%s: unknown workload %q (known: %s)", flag, name, strings.Join(names, ", "))
			continue
		}
		w := workloads()[i]
		if name == bare {
			w = harness.Workload{}
		}
		if !slices.ContainsFunc(chosen, func(c harness.Workload) bool { return c.Name == w.Name }) {
			chosen = append(chosen, w)
		}
	}
	return chosen
}

// A listedWorkload is a workload as list --workloads --json writes it.
type listedWorkload struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

func listWorkloads(con commandline.Console, asJSON bool) error {
	var all []listedWorkload
	for _, w := range workloads() {
		all = append(all, listedWorkload{w.Name, w.About})
	}
	if asJSON {
		enc := json.NewEncoder(con.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(all)
	}
	w := tabwriter.NewWriter(con.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WORKLOAD\tWHAT IT IS: WHAT WRITERS DO; WHAT READERS DO")
	for _, l := range all {
		fmt.Fprintf(w, "%s\t%s\n", l.Name, l.About)
	}
	return w.Flush()
}
