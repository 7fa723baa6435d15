package report_test

import (
	"math"
	"os"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/results"
)

// A report as a terminal shows it. The result of a comparison usually comes from
// [gate.Rules.Compare].
func ExampleText() {
	rep := &gate.Report{
		Base: "v1.0.0", Head: "worktree", Verdict: gate.Regressed, Rounds: 30, Took: 2 * time.Second,
		Results: []gate.Result{{
			Benchmark: gate.Benchmark{Pkg: "example.org/p", Name: "Sum"}, Unit: "ns/op", Better: -1, Distance: results.Local,
			Verdict: gate.Regressed, Why: "worse by more than the margin", N: 10, Rounds: 30,
			Old: 100, New: 112, Change: 0.12, Lo: 0.1, Hi: 0.14, Spread: 0.01, Within: math.NaN(), Margin: 0.03,
		}},
		New: []gate.Benchmark{{Pkg: "example.org/p", Name: "Mean"}},
	}
	report.Text(os.Stdout, report.Document{Report: rep}, report.TextOptions{})
	// Output:
	// base v1.0.0, head worktree; ns/op, less is better
	//
	// benchmark  old  new  change     99% interval  spread   n  verdict
	// Sum        100  112  +12.0%  [+10.0, +14.0]%   ±1.0%  10  regressed [1]
	//
	// [1] worse by more than the margin
	// n: pairs of binaries; change: the middle of their changes; new: old with that change; spread: how
	//   far single pairs are apart
	// margin: 3%, unless the row has another
	//
	// new: Mean: nothing to compare it to yet
	//
	// regressed: 1 time regressed; 1 new benchmark; 30 rounds in 2s
}
