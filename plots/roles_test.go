package plots_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// rolesSums returns what readers and a writer do under four locks, with 1, 3 and 7
// readers.
func rolesSums() (sums []results.Summary) {
	for lock, ops := range map[string][2]float64{
		"sync.RWMutex": {4e6, 1e5}, "rw-readerpref": {9e6, 0}, "rcu-qsbr": {3e7, 4e5}, "none": {5e7, 5e7},
	} {
		for _, readers := range []int{1, 3, 7} {
			c := results.Cell{Lock: lock, Readers: readers, Writers: 1, Workers: readers + 1, CPUs: 2}
			writes := ops[1]
			if lock != "rcu-qsbr" {
				writes /= float64(readers)
			}
			sums = append(sums,
				summary(c, results.Near, "read-ops/s", ops[0]),
				summary(c, results.Near, "write-ops/s", writes),
				summary(c, results.Near, "write-p99-ns", 1000),
				summary(c, results.Near, "jain", .5))
		}
	}
	return sums
}

func TestRoles(t *testing.T) {
	figures, skipped := plots.All(rolesSums(), plots.Options{Facts: facts})
	var names []string
	for _, f := range figures {
		if number([]*plots.Figure{f}, "roles", "latency", "throughput", "reads", "fairness") > 0 {
			names = append(names, f.Name)
		}
	}
	want := []string{"roles_cpus=2_writers=1_hold=0s_think=0s_near"}
	for _, readers := range []int{1, 3, 7} {
		want = append(want, fmt.Sprintf("latency_cpus=2_readers=%d_writers=1_hold=0s_think=0s_near", readers))
	}
	if !slices.Equal(names, want) {
		t.Fatalf("figures %q, want %q", names, want)
	}
	if !slices.ContainsFunc(skipped, func(s plots.Skipped) bool { return strings.Contains(s.Why, "1 of 3 numbers of readers lie between") }) {
		t.Errorf("skipped %v, want the readers in between", skipped)
	}
	f := figure(t, figures, want[0])
	if got, want := plain(f.Title), "rcu-qsbr lets 1 writer beside 7 readers do most: 400 kops/s; with rw-readerpref writers starve"; got != want {
		t.Errorf("title = %q, want %q", got, want)
	}
	pic := look(t, f)
	pic.tidy(t, f.Name)
	if got, want := pic.inOrder([]string{"rcu-qsbr", "sync.RWMutex", "rw-readerpref"}), []string{"rcu-qsbr", "sync.RWMutex", "rw-readerpref"}; !slices.Equal(got, want) {
		t.Errorf("rows = %v, want %v", got, want)
	}
	for _, s := range []string{"beside 7 readers", "×1.00", "×0.14", "30.0"} {
		if !pic.has(s) {
			t.Errorf("no %q in it", s)
		}
	}
	lead, _ := plots.Lead([]plots.File{{Path: "x.svg", Figure: f}})
	if len(lead) != 1 || lead[0].Question != "Do readers let writers in?" {
		t.Errorf("lead = %v, want the figure", lead)
	}
	if figures, skipped := plots.Roles(aloneSums(), plots.Options{}); len(figures) != 0 || len(skipped) != 1 {
		t.Errorf("without roles: %d figures, skipped %v", len(figures), skipped)
	}
}
