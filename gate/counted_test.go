package gate_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
)

// counted returns a side of a session in which instructions were counted as by says.
func counted(by string, instructions ...float64) string {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: linux\ncpu: AMD EPYC\n# instructions: %s\n# session: one\npkg: example.org/p\n", by)
	for i, n := range instructions {
		fmt.Fprintf(&b, "# round: %d\n# build: %d\nBenchmarkSum\t1000\t%.6g instructions/op\n", i+1, i+1, n)
	}
	return b.String()
}

const callgrind = "by Callgrind, valgrind-3.19.0"

// One count of Callgrind is as good as many, up to the difference that two counts of
// the same binary may have.
func TestCounted(t *testing.T) {
	for _, test := range []struct {
		head, margin float64
		want         gate.Verdict
		why          string
		improved     bool
	}{
		{head: 1004, want: gate.Pass, why: "counted: within the margin"},
		{head: 996, want: gate.Pass, why: "counted: within the margin"},
		{head: 1029, want: gate.Pass, why: "counted: within the margin"},
		{head: 1031, want: gate.Regressed, why: "counted: worse by more than the margin, and than the 1.5% by which two counts of the same may be apart"},
		{head: 1100, want: gate.Regressed, why: "counted: worse by more than the margin"},
		{head: 1100, margin: 0.15, want: gate.Pass, why: "counted: within the margin"},
		{head: 1012, margin: 0.01, want: gate.CannotTell, why: "two counts of the same may be apart by 1.5%: want a margin of that at least"},
		{head: 1008, margin: 0.01, want: gate.CannotTell, why: "want a margin of that at least"},
		{head: 1016, margin: 0.01, want: gate.Regressed, why: "counted: worse"},
		{head: 900, want: gate.Pass, why: "counted: within the margin", improved: true},
	} {
		rep := compareFiles(t, gate.Rules{Margin: test.margin}, files(t, counted(callgrind, 1000), counted(callgrind, test.head)))
		check(t, rep, test.want, test.why)
		if r := rep.Results[0]; r.Improved() != test.improved || r.Exact || r.Lo >= r.Change || r.Hi <= r.Change {
			t.Errorf("%v: improved %t, exact %t, %v in [%v, %v]", test.head, r.Improved(), r.Exact, r.Change, r.Lo, r.Hi)
		}
	}
}

// Counts by other means, and counts that vary, need as many readings as times.
func TestCountedOften(t *testing.T) {
	for _, test := range []struct {
		what string
		f    gate.Files
	}{
		{"by the machine", files(t, counted("by the machine, in user mode", 1000), counted("by the machine, in user mode", 1100))},
		{"as is not known", files(t, counted("", 1000), counted("", 1100))},
		{"by Callgrind, twice", files(t, counted(callgrind, 1000, 1001), counted(callgrind, 1100, 1101))},
	} {
		rep := compareFiles(t, gate.Rules{}, test.f)
		if r := rep.Results[0]; r.Verdict != gate.CannotTell || !strings.Contains(r.Why, "want at least") {
			t.Errorf("%s: %v: %s; want that it takes more", test.what, r.Verdict, r.Why)
		}
	}
}

// A machine and Callgrind count different instructions, and so do two versions of
// Callgrind.
func TestCountedOtherwise(t *testing.T) {
	for _, by := range []string{"by the machine, in user mode", "by Callgrind, valgrind-3.25.1"} {
		f := files(t, counted(callgrind, 1000), counted(by, 1000))
		_, err := gate.Rules{}.CompareFiles(t.Context(), f)
		want := "head.txt: want instructions/op counted by Callgrind, valgrind-3.19.0 as in base.txt, have them counted " + by
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		f.IgnoreMachine = true
		checkWarning(t, f, "instructions/op are counted in different ways")
	}
}
