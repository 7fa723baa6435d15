package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
)

type listCmd struct {
	Locks     []string `complete:"locks" arg:"" name:"lock" optional:"" help:"Names or patterns; all locks without them."`
	Workloads bool     `help:"List the workloads instead."`
	JSON      bool     `help:"Write JSON."`
}

// A listed is a lock as list --json writes it.
type listed struct {
	Name           string `json:"name"`
	Family         string `json:"family"`
	Fairness       string `json:"fairness"`
	Waiting        string `json:"waiting"`
	Holder         string `json:"holder"`
	Bytes          int    `json:"bytes"`
	BytesPerWaiter int    `json:"bytes_per_waiter"`
	Source         string `json:"source"`
	Updaters       string `json:"updaters_lock,omitempty"`
}

func (c *listCmd) Run(con commandline.Console) error {
	if c.Workloads {
		if len(c.Locks) > 0 {
			return commandline.Problems{fmt.Errorf("list --workloads %s: want no locks", strings.Join(c.Locks, " "))}
		}
		return listWorkloads(con, c.JSON)
	}
	entries := catalog.All()
	if len(c.Locks) > 0 {
		var err error
		if entries, err = catalog.Match(c.Locks...); err != nil {
			return commandline.Problems{err}
		}
	}
	var locks []listed
	for _, e := range entries {
		locks = append(locks, listed{e.Name, e.Family, e.Fairness(), e.Waits.String(), e.Holder(), int(e.Bytes), int(e.WaiterBytes), e.Source, e.Updaters})
	}
	if c.JSON {
		enc := json.NewEncoder(con.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(locks)
	}
	w := tabwriter.NewWriter(con.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "LOCK\tFAMILY\tFAIRNESS\tWAITERS\tHOLDER\tBYTES\t+WAITER\tSOURCE")
	for _, l := range locks {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\n", l.Name, l.Family, l.Fairness, l.Waiting, l.Holder, l.Bytes, l.BytesPerWaiter, l.Source)
	}
	return w.Flush()
}

// A listedWorkload is a workload as list --workloads --json writes it.
type listedWorkload struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

func listWorkloads(con commandline.Console, asJSON bool) error {
	var all []listedWorkload
	for _, w := range sweeping.Workloads() {
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
