package gate_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// goTest returns the output of go test -count=n for a benchmark with about ns ns/op.
func goTest(seed uint64, n int, ns float64, more string) string {
	random := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	fmt.Fprint(&b, "goos: linux\ngoarch: amd64\npkg: example.org/p\ncpu: AMD EPYC\n")
	for range n {
		fmt.Fprintf(&b, "BenchmarkSum/n=10-2\t%d\t%.4g ns/op%s\n", 1000+random.IntN(1000), ns*(1+0.01*random.NormFloat64()), more)
	}
	fmt.Fprint(&b, "PASS\nok  \texample.org/p\t1.234s\n")
	return b.String()
}

// inRounds returns the file of one side of a session.
func inRounds(seed uint64, session string, from, n int, ns float64) string {
	random := rand.New(rand.NewPCG(seed, 2))
	var b strings.Builder
	fmt.Fprintf(&b, "goos: linux\ncpu: AMD EPYC\n# session: %s\npkg: example.org/p\n", session)
	for i := range n {
		round := from + i
		// Each round has a speed of its own, the same on both sides.
		pace := 1 + 0.2*rand.New(rand.NewPCG(uint64(round), 3)).Float64()
		fmt.Fprintf(&b, "# round: %d\nBenchmarkSum-2\t1000\t%.6g ns/op\n", round, ns*pace*(1+0.002*random.NormFloat64()))
	}
	return b.String()
}

func parse(t *testing.T, name, text string) *results.RecordFile {
	t.Helper()
	f, err := results.ReadRecords(strings.NewReader(text), name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func files(t *testing.T, base, head string) gate.Files {
	t.Helper()
	return gate.Files{Base: parse(t, "base.txt", base), Head: parse(t, "head.txt", head)}
}

func compareFiles(t *testing.T, r gate.Rules, f gate.Files) *gate.Report {
	t.Helper()
	rep, err := r.CompareFiles(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// check checks the verdict of the report and of the first result.
func check(t *testing.T, rep *gate.Report, want gate.Verdict, why string) {
	t.Helper()
	r := rep.Results[0]
	if rep.Verdict != want || r.Verdict != want || !strings.Contains(r.Why, why) {
		t.Errorf("verdict %v, of %v %s %v: %+.1f%% [%+.1f%%, %+.1f%%], %q; want %v, %q", rep.Verdict, r.Benchmark, r.Unit, r.Verdict, 100*r.Change, 100*r.Lo, 100*r.Hi, r.Why, want, why)
	}
}

// Readings are not paired unless the user says that they were measured together.
func TestFilesPaired(t *testing.T) {
	for _, test := range []struct {
		what       string
		base, head string
		paired     bool
		rounds     int
		want       gate.Verdict
		why        string
	}{
		{"same", inRounds(1, "a", 1, 30, 100), inRounds(2, "a", 1, 30, 100), true, 30, gate.Pass, "within the margin"},
		{"slower", inRounds(1, "a", 1, 30, 100), inRounds(2, "a", 1, 30, 105), true, 30, gate.Regressed, "beyond the margin"},
		{"few", inRounds(1, "a", 1, 9, 100), inRounds(2, "a", 1, 9, 100), true, 9, gate.CannotTell, "9 pairs, want at least 10"},
		{"overlap", inRounds(1, "a", 1, 30, 100), inRounds(2, "a", 16, 30, 100), true, 15, gate.Pass, "within the margin"},
		{"no overlap", inRounds(1, "a", 1, 30, 100), inRounds(2, "a", 31, 30, 100), true, 0, gate.CannotTell, "there was no round of it"},
		{"two sessions", inRounds(1, "a", 1, 30, 100), inRounds(2, "b", 1, 30, 105), false, 30, gate.CannotTell, "the margin is within the interval"},
		{"no session", inRounds(1, "", 1, 30, 100), inRounds(2, "", 1, 30, 105), false, 30, gate.CannotTell, "the margin is within the interval"},
	} {
		t.Run(test.what, func(t *testing.T) {
			rep := compareFiles(t, gate.Rules{}, files(t, test.base, test.head))
			check(t, rep, test.want, test.why)
			if r := rep.Results[0]; r.Unpaired == test.paired || r.N != test.rounds || rep.Rounds != test.rounds {
				t.Errorf("unpaired %t, %d and %d rounds, want %t and %d", r.Unpaired, r.N, rep.Rounds, !test.paired, test.rounds)
			}
			warned := strings.Contains(strings.Join(rep.Warnings, "\n"), "do not say that they were measured together")
			if warned == test.paired {
				t.Errorf("warnings %q", rep.Warnings)
			}
		})
	}
	f := files(t, inRounds(1, "", 1, 30, 100), inRounds(2, "", 1, 30, 105))
	f.SameRounds = true
	check(t, compareFiles(t, gate.Rules{}, f), gate.Regressed, "beyond the margin")
	if _, err := gate.FilesSource(f); err != nil {
		t.Error(err)
	}
	if _, err := gate.FilesSource(files(t, goTest(1, 6, 100, ""), goTest(2, 6, 100, ""))); err == nil {
		t.Error("FilesSource of files without rounds: no error")
	}
}

// One file may have benchmarks in rounds and others, and they are in one report.
func TestFilesOfBothKinds(t *testing.T) {
	other := func(seed uint64, ns float64) string {
		return strings.NewReplacer("goarch: amd64\n", "", "Sum/n=10", "Mean").Replace(goTest(seed, 10, ns, ""))
	}
	rep := compareFiles(t, gate.Rules{}, files(t, other(1, 100)+inRounds(1, "a", 1, 30, 100), other(2, 130)+inRounds(2, "a", 1, 30, 100)))
	if len(rep.Results) != 2 || rep.Verdict != gate.Regressed || rep.Base != "base.txt" || rep.Head != "head.txt" {
		t.Fatalf("report %+v", rep)
	}
	mean, sum := rep.Results[0], rep.Results[1]
	if mean.Name != "Mean-2" || !mean.Unpaired || mean.Verdict != gate.Regressed {
		t.Errorf("first %+v, want Mean to have regressed, unpaired", mean)
	}
	if sum.Name != "Sum-2" || sum.Unpaired || sum.Verdict != gate.Pass {
		t.Errorf("second %+v, want Sum to pass, paired", sum)
	}
}

func TestFilesOfASimulator(t *testing.T) {
	sim := func(ns string) string {
		return "machine: sim:xeon\nBenchmarkLock-64\t100\t" + ns + " ns/op\n"
	}
	for head, want := range map[string]gate.Verdict{"100": gate.Pass, "99": gate.Pass, "101": gate.Regressed} {
		rep := compareFiles(t, gate.Rules{}, files(t, sim("100"), sim(head)))
		check(t, rep, want, "the values do not vary")
		if r := rep.Results[0]; !r.Exact || r.Unpaired {
			t.Errorf("exact %t, unpaired %t, want it to be exact", r.Exact, r.Unpaired)
		}
	}
}

// Allocations that do not vary are compared directly.
func TestFilesAllocs(t *testing.T) {
	allocs := func(seed uint64, n string) string { return goTest(seed, 6, 100, "\t"+n+" allocs/op") }
	for head, want := range map[string]gate.Verdict{"10": gate.Pass, "9": gate.Pass, "11": gate.Regressed} {
		check(t, compareFiles(t, gate.Rules{Units: []string{"allocs/op"}}, files(t, allocs(1, "10"), allocs(2, head))), want, "the values do not vary")
	}
	check(t, compareFiles(t, gate.Rules{Units: []string{"allocs/op"}}, files(t, allocs(1, "0"), allocs(2, "1"))), gate.Regressed, "the values do not vary")
}

func TestFilesUnits(t *testing.T) {
	rate := func(seed uint64, v string, declared string) string {
		return declared + goTest(seed, 8, 100, "\t"+v)
	}
	const higher = "Unit widgets better=higher\n"
	for _, test := range []struct {
		what       string
		unit       string
		base, head string
		want       gate.Verdict
	}{
		{"declared by one", "widgets", rate(1, "10 widgets", higher), rate(2, "5 widgets", ""), gate.Regressed},
		{"declared", "widgets", rate(1, "5 widgets", higher), rate(2, "10 widgets", higher), gate.Pass},
		{"throughput", "MB/s", rate(1, "10 MB/s", ""), rate(2, "5 MB/s", ""), gate.Regressed},
		{"time", "p99-ns", rate(1, "5 p99-ns", ""), rate(2, "10 p99-ns", ""), gate.Regressed},
	} {
		check(t, compareFiles(t, gate.Rules{Units: []string{test.unit}}, files(t, test.base, test.head)), test.want, "")
	}
	// A unit without a direction is not judged, and that is reported.
	rep := compareFiles(t, gate.Rules{}, files(t, rate(1, "5 widgets", ""), rate(2, "10 widgets", "")))
	check(t, rep, gate.Pass, "")
	if len(rep.NotJudged) != 1 || rep.NotJudged[0] != "widgets" {
		t.Errorf("not judged %q, want widgets", rep.NotJudged)
	}
}

func TestFilesRules(t *testing.T) {
	base, head := goTest(1, 10, 100, "\t5 B/op"), goTest(2, 10, 130, "")
	ignore := gate.Rules{For: func(b gate.Benchmark, unit string) (gate.Exception, bool) {
		return gate.Exception{Ignore: true}, unit == "B/op"
	}}
	check(t, compareFiles(t, ignore, files(t, base, head)), gate.Regressed, "")
	wide := gate.Rules{For: func(b gate.Benchmark, unit string) (gate.Exception, bool) {
		return gate.Exception{Margin: 0.5}, unit == "ns/op"
	}, Units: []string{"ns/op"}}
	check(t, compareFiles(t, wide, files(t, base, head)), gate.Pass, "")
	everything := gate.Rules{For: func(gate.Benchmark, string) (gate.Exception, bool) { return gate.Exception{Ignore: true}, true }}
	if _, err := everything.CompareFiles(t.Context(), files(t, base, head)); !errors.Is(err, gate.ErrNothing) {
		t.Errorf("all ignored: %v, want %v", err, gate.ErrNothing)
	}
}

func TestFilesOneSided(t *testing.T) {
	more := "pkg: example.org/p\nBenchmarkMean-2 5 61 ns/op\n"
	f := files(t, goTest(1, 10, 100, ""), goTest(2, 10, 100, "")+more)
	if rep := compareFiles(t, gate.Rules{}, f); len(rep.New) != 1 || len(rep.OnlyHead)+len(rep.OnlyBase) != 0 || !rep.Whole() || rep.Outcome() != gate.Pass {
		t.Errorf("new %v, only head %v, only base %v, whole %t, %v; want a pass despite the new rows", rep.New, rep.OnlyHead, rep.OnlyBase, rep.Whole(), rep.Outcome())
	}
	none := gate.Rules{Declared: func(gate.Benchmark, gate.Side) bool { return false }}
	if rep := compareFiles(t, none, f); len(rep.OnlyHead) != 1 || len(rep.New)+len(rep.OnlyBase) != 0 || rep.Whole() || rep.Outcome() != gate.NoVerdict {
		t.Errorf("nothing may be new: new %v, only head %v, whole %t, %v", rep.New, rep.OnlyHead, rep.Whole(), rep.Outcome())
	}
	f.Base, f.Head = f.Head, f.Base
	if rep := compareFiles(t, gate.Rules{}, f); len(rep.OnlyBase) != 1 || len(rep.New)+len(rep.OnlyHead) != 0 || rep.Whole() || rep.Outcome() != gate.NoVerdict {
		t.Errorf("vanished: only base %v, whole %t, %v", rep.OnlyBase, rep.Whole(), rep.Outcome())
	}
	known := gate.Rules{Declared: func(b gate.Benchmark, only gate.Side) bool { return b.Name == "Mean-2" && only == gate.Base }}
	if rep := compareFiles(t, known, f); !rep.Whole() || rep.Outcome() != gate.Pass || len(rep.New) != 0 {
		t.Errorf("declared, whole %t and %v, want it to be whole and to pass", rep.Whole(), rep.Outcome())
	}
}

// A badInput is a pair of files, of which one is usually good, and the expected error.
type badInput struct {
	what       string
	base, head string // contents; "-" is no file, "/" a directory
	rules      gate.Rules
	with       func(*gate.Files)
	err        string       // all of it, with DIR for the directory
	verdict    gate.Verdict // if there is no error
	why        string       // or a part of the first result's reason
}

var good = func(seed uint64) string { return goTest(seed, 10, 100, "") }

func badInputs() []badInput {
	const (
		want      = ` "BenchmarkSum/n=10-2 5000000 61 ns/op"`
		wantField = `: want "BenchmarkName operations value unit ...", have `
	)
	head := func(what, head, err string) badInput {
		return badInput{what: what, base: good(1), head: head, err: err}
	}
	split := func() (string, string) { // in the middle of a good file
		g := good(2)
		at := strings.Index(g, "BenchmarkSum") + strings.Index(g[strings.Index(g, "BenchmarkSum"):], "\n") + 1
		return g[:at], g[at:]
	}
	in := func(line string) string {
		above, below := split()
		return above + line + below
	}
	died := func(line string) string {
		above, _ := split()
		return above + line
	}
	cut := good(2)[:len("goos: linux\ngoarch: amd64\npkg: example.org/p\ncpu: AMD EPYC\nBenchmarkSum/n=10-2\t1")]
	return []badInput{
		head("missing", "-", "open DIR/head.txt: no such file or directory"),
		{what: "both missing", base: "-", head: "-", err: "open DIR/base.txt: no such file or directory\nopen DIR/head.txt: no such file or directory"},
		head("directory", "/", "DIR/head.txt:1: read DIR/head.txt: is a directory"),
		head("empty", "", "DIR/head.txt:1: empty file: want lines such as"+want),
		{what: "empty base", base: "", head: good(2), err: "DIR/base.txt:1: empty file: want lines such as" + want},
		head("blank", " \n\n\t\n", "DIR/head.txt:3: no benchmarks: want lines such as"+want),
		head("cut off", cut, `DIR/head.txt:5: last line is cut off: want a newline behind "BenchmarkSum/n=10-2\t1"`),
		head("cut off in a value", strings.TrimSuffix(in(""), "PASS\nok  \texample.org/p\t1.234s\n")+"BenchmarkSum/n=10-2\t1000\t10", `DIR/head.txt:15: last line is cut off: want a newline behind "BenchmarkSum/n=10-2\t1000\t10"`),
		head("garbage", "Lorem ipsum dolor\nsit amet\n", "DIR/head.txt:2: no benchmarks: want lines such as"+want),
		head("binary", in("\x7fELF\x02\x01\x00\x00\n"), "DIR/head.txt:6: want plain text in UTF-8, have a zero byte"),
		head("HTML error page", "<!DOCTYPE html>\n<title>404 Not Found</title>\n", "DIR/head.txt:1: want plain text in UTF-8, have HTML or XML\nDIR/head.txt:2: no benchmarks: want lines such as"+want),
		head("gzip", "\x1f\x8b\x08\x00\x00\x00\n", "DIR/head.txt:1: want plain text in UTF-8, have gzip data\nDIR/head.txt:1: no benchmarks: want lines such as"+want),
		head("UTF-16", "\xff\xfeB\x00e\x00\n\x00", "DIR/head.txt:1: want plain text in UTF-8, have UTF-16\nDIR/head.txt:2: last line is cut off: want a newline behind \"\\x00\""),
		head("JSON", "{\"Time\":\"2026-11-21T22:08:00Z\",\"Action\":\"start\"}\n", "DIR/head.txt:1: no benchmarks: want lines such as"+want),
		head("ok only", "ok  \texample.org/p\t1.234s\nok  \texample.org/q\t(cached)\n", "DIR/head.txt:2: no benchmarks: want lines such as"+want),
		head("no tests", "PASS\nok  \texample.org/p\t0.2s [no tests to run]\n", "DIR/head.txt:2: no benchmarks: want lines such as"+want),
		head("FAIL", in("--- FAIL: BenchmarkMean\n"), `DIR/head.txt:6: want the output of a run that passed, have "--- FAIL: BenchmarkMean"`),
		head("does not build", "# example.org/p\np.go:1:1: expected 'package'\nFAIL\texample.org/p [build failed]\n", "DIR/head.txt:3: want the output of a run that passed, have \"FAIL\\texample.org/p [build failed]\"\nDIR/head.txt:3: no benchmarks: want lines such as"+want),
		head("panic", died("panic: runtime error: index out of range\n\ngoroutine 7 [running]:\n"), `DIR/head.txt:6: want the output of a run that passed, have "panic: runtime error: index out of range"`),
		head("exit status", died("exit status 2\n"), `DIR/head.txt:6: want the output of a run that passed, have "exit status 2"`),
		head("no values", in("BenchmarkSum/n=10-2\t1000\n"), "DIR/head.txt:6: missing measurements"+wantField+`"BenchmarkSum/n=10-2\t1000"`),
		head("no unit", in("BenchmarkSum/n=10-2\t1000\t100\n"), "DIR/head.txt:6: missing units"+wantField+`"BenchmarkSum/n=10-2\t1000\t100"`),
		head("unit twice", in("BenchmarkSum/n=10-2\t1000\t100 ns/op\t100 ns/op\n"), "DIR/head.txt:6: unit ns/op twice"),
		head("no number", in("BenchmarkSum/n=10-2\t1000\t1,5 ns/op\n"), "DIR/head.txt:6: parsing measurement: invalid syntax"+wantField+`"BenchmarkSum/n=10-2\t1000\t1,5 ns/op"`),
		head("round", "machine: host\n# round: x\n"+good(2), `DIR/head.txt:2: round: want a number, have "x"`),
		head("two machines in one", good(2)+strings.Replace(good(3), "AMD EPYC", "Xeon", 1), `DIR/head.txt:20: cpu: want "AMD EPYC" as in the samples above, have "Xeon"`),
		head("another machine", strings.Replace(good(2), "AMD EPYC", "Xeon", 1), `DIR/head.txt: want cpu "AMD EPYC" as in DIR/base.txt, have "Xeon": two machines cannot be compared`),
		head("a simulated machine", "machine: sim:xeon\n"+good(2), `DIR/head.txt: want machine "host" as in DIR/base.txt, have "sim:xeon": two machines cannot be compared`),
		head("fewer CPUs", "oversubscribed: true\n"+good(2), "DIR/head.txt:6: example.org/p.Sum/n=10-2: want oversubscribed false as in DIR/base.txt, have true: the machines differ in the number of their CPUs"),
		head("none in common", strings.ReplaceAll(good(2), "-2\t", "-4\t"), "nothing to compare: no benchmark is on both sides: want the same in both, have 1 such as example.org/p.Sum/n=10-2 in DIR/base.txt and 1 such as example.org/p.Sum/n=10-4 in DIR/head.txt"),
		{what: "filter", base: good(1), head: good(2), with: func(f *gate.Files) {
			f.Only = func(b gate.Benchmark) bool { return regexp.MustCompile("sum").MatchString(b.String()) }
		}, err: "nothing to compare: the filter selects none of the benchmarks of DIR/base.txt and DIR/head.txt, such as example.org/p.Sum/n=10-2"},
		{what: "metric nowhere", base: good(1), head: good(2), rules: gate.Rules{Units: []string{"ns/op", "alocs/op"}}, err: "unit alocs/op: no benchmark has it on both sides: want one of ns/op"},
		{what: "metric on one side", base: good(1), head: goTest(2, 10, 100, "\t5 B/op"), rules: gate.Rules{Units: []string{"B/op"}}, err: "unit B/op: no benchmark has it on both sides: want one of ns/op"},
		{what: "metric without a direction", base: goTest(1, 10, 100, "\t5 widgets"), head: goTest(2, 10, 100, "\t5 widgets"), rules: gate.Rules{Units: []string{"widgets"}},
			err: `unit widgets: not known whether more is better: want a line "Unit widgets better=lower" (or higher) in the benchmark's output`},
		{what: "units disagree", base: "Unit x better=lower\n" + goTest(1, 10, 100, "\t5 x"), head: "Unit x better=higher\n" + goTest(2, 10, 100, "\t5 x"),
			err: "unit x: less is better in DIR/base.txt, more is better in DIR/head.txt"},
		head("unit the wrong way", "Unit ns/op better=higher\n"+good(2), "unit ns/op: less is better in DIR/base.txt, more is better in DIR/head.txt"),
		{what: "two readings in a round", base: inRounds(1, "a", 1, 10, 100), head: inRounds(2, "a", 1, 10, 100) + inRounds(3, "a", 5, 1, 100),
			err: "DIR/head.txt:30: example.org/p.Sum-2: want one reading in round 5, have another"},

		{what: "NaN", base: good(1), head: in("BenchmarkSum/n=10-2\t1000\tNaN ns/op\n"), verdict: gate.NoVerdict, why: "head.txt:6: NaN ns/op: must be finite"},
		{what: "+Inf", base: good(1), head: in("BenchmarkSum/n=10-2\t1000\t+Inf ns/op\n"), verdict: gate.NoVerdict, why: "head.txt:6: +Inf ns/op: must be finite"},
		{what: "negative", base: good(1), head: in("BenchmarkSum/n=10-2\t1000\t-100 ns/op\n"), verdict: gate.NoVerdict, why: "head.txt:6: -100 ns/op: must not be negative"},
		{what: "zero", base: good(1), head: in("BenchmarkSum/n=10-2\t1000\t0.000 ns/op\n"), verdict: gate.NoVerdict, why: "head.txt:6: 0 ns/op: want a time: does the benchmark loop b.N times?"},
		{what: "vanished", base: good(1) + "BenchmarkMean-2 5 61 ns/op\n", head: good(2), verdict: gate.Pass, why: ""}, // not whole
		{what: "a unit on one side", base: goTest(1, 10, 100, "\t5 B/op"), head: good(2), verdict: gate.CannotTell, why: "only the base has it: want both run with the same flags, such as -benchmem"},
		{what: "nothing to judge", base: "BenchmarkX 1 5 widgets\n", head: "BenchmarkX 1 6 widgets\n", verdict: gate.CannotTell, why: "nothing to judge"},
		{what: "one file twice", base: good(1), head: good(1), verdict: gate.CannotTell, why: "both sides hold the very same readings"},
		{what: "one sample", base: goTest(1, 1, 100, "\t5 B/op"), head: goTest(2, 1, 100, "\t5 B/op"), verdict: gate.CannotTell, why: "1 sample a side, not measured together: want at least 5 of each"},
		{what: "four samples of the base", base: goTest(1, 4, 100, ""), head: good(2), verdict: gate.CannotTell, why: "4 samples of the base and 10 of the head, not measured together: want at least 5 of each"},
		{what: "four samples of the head", base: good(2), head: goTest(1, 4, 100, ""), verdict: gate.CannotTell, why: "10 samples of the base and 4 of the head, not measured together: want at least 5 of each"},
		{what: "rounds apart", base: inRounds(1, "a", 1, 30, 100), head: inRounds(2, "a", 31, 30, 100), verdict: gate.CannotTell, why: "there was no round of it"},
		{what: "mixed distances", base: "distance: mixed\n" + good(1), head: "distance: mixed\n" + good(2), verdict: gate.CannotTell, why: "in the middle of all readings"},
		{what: "another distance", base: "distance: near\n" + good(1), head: "distance: far\n" + good(2), verdict: gate.CannotTell, why: "was measured at this distance"},
		{what: "mixed rounds", base: "distance: mixed\n" + inRounds(1, "a", 1, 30, 100), head: inRounds(2, "a", 1, 30, 100), verdict: gate.CannotTell, why: ""},
	}
}

// None of these passes, and each error says what is wrong, where, and what was wanted.
func TestFilesFailClosed(t *testing.T) {
	tests := badInputs()
	if len(tests) < 25 {
		t.Fatalf("%d bad inputs, want at least 25", len(tests))
	}
	for _, test := range tests {
		t.Run(test.what, func(t *testing.T) {
			dir := t.TempDir()
			base, head := filepath.Join(dir, "base.txt"), filepath.Join(dir, "head.txt")
			for name, text := range map[string]string{base: test.base, head: test.head} {
				var err error
				switch text {
				case "-":
				case "/":
					err = os.Mkdir(name, 0o777)
				default:
					err = os.WriteFile(name, []byte(text), 0o666)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			var rep *gate.Report
			f, err := gate.ReadFiles(base, head)
			if err == nil {
				if test.with != nil {
					test.with(&f)
				}
				rep, err = test.rules.CompareFiles(t.Context(), f)
			}
			if err != nil {
				got := strings.ReplaceAll(filepath.ToSlash(err.Error()), filepath.ToSlash(dir), "DIR")
				if got != test.err {
					t.Errorf("got\n%s\nwant\n%s", got, test.err)
				}
				return
			}
			if test.err != "" {
				t.Errorf("no error, want %s", test.err)
			}
			if rep.Verdict == gate.Pass && rep.Whole() {
				t.Error("passes")
			}
			check(t, rep, test.verdict, test.why)
		})
	}
	// The table can fail: good files pass.
	rep := compareFiles(t, gate.Rules{}, files(t, good(1), good(2)))
	if rep.Verdict != gate.Pass || !rep.Whole() {
		t.Errorf("good files: %v, whole %t; want them to pass", rep.Verdict, rep.Whole())
	}
}

func TestFilesWarnings(t *testing.T) {
	other := strings.Replace(good(2), "AMD EPYC", "Xeon", 1)
	f := files(t, good(1), other)
	f.IgnoreMachine = true
	checkWarning(t, f, `of different machines: cpu "AMD EPYC" in base.txt, "Xeon" in head.txt`)
	checkWarning(t, files(t, strings.Replace(good(1), "cpu: AMD EPYC\n", "", 1), good(2)), `base.txt does not say its cpu, head.txt does: "AMD EPYC"`)
	checkWarning(t, files(t, good(1), strings.Replace(good(2), "PASS\nok", "---", 1)), "head.txt: no PASS behind the benchmarks of example.org/p: perhaps the run did not end")
	checkWarning(t, files(t, inRounds(1, "a", 1, 31, 100), inRounds(2, "a", 1, 30, 100)), "example.org/p.Sum-2: 1 of 31 rounds are on one side only: they are left out")
}

func checkWarning(t *testing.T, f gate.Files, want string) {
	t.Helper()
	rep := compareFiles(t, gate.Rules{}, f)
	if !strings.Contains(strings.Join(rep.Warnings, "\n"), want) {
		t.Errorf("warnings %q, want one %q", rep.Warnings, want)
	}
}

// FuzzCompareFiles checks that no two files make CompareFiles panic, and that a report
// that passes has enough readings of each benchmark on both sides.
func FuzzCompareFiles(f *testing.F) {
	f.Add([]byte(good(1)), []byte(good(2)))
	f.Add([]byte(goTest(1, 6, 100, "\t5 B/op\t1 allocs/op\t3 MB/s")), []byte(goTest(2, 6, 130, "\t5 B/op\t2 allocs/op\t2 MB/s")))
	f.Add([]byte(inRounds(1, "a", 1, 12, 100)), []byte(inRounds(2, "a", 1, 12, 100)))
	f.Add([]byte(inRounds(1, "a", 1, 12, 100)+inRounds(3, "a", 1, 12, 100)+good(1)), []byte(inRounds(2, "a", 1, 12, 100)+good(2)))
	f.Add([]byte("machine: sim:x\nBenchmarkX 1 5 ns/op\n"), []byte("machine: sim:x\nBenchmarkX 1 5 ns/op\n"))
	f.Add([]byte("Unit x better=higher\nBenchmarkX 1 0 x\ndistance: mixed\nBenchmarkX 1 1e300 x\n"), []byte("BenchmarkX 1 0 x\ndistance: near\nBenchmarkY 1 0 x\n"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		base, err := results.ReadRecords(bytes.NewReader(a), "base")
		if err != nil {
			return
		}
		head, err := results.ReadRecords(bytes.NewReader(b), "head")
		if err != nil {
			return
		}
		rep, err := gate.Rules{}.CompareFiles(t.Context(), gate.Files{Base: base, Head: head})
		if err != nil {
			if rep != nil {
				t.Fatal("a report and an error")
			}
			return
		}
		if len(rep.Results) == 0 {
			t.Fatal("a report of nothing")
		}
		if rep.Verdict != gate.Pass || strings.HasPrefix(base.Machine, "sim:") {
			return
		}
		counts := func(f *results.RecordFile) map[gate.Benchmark]int {
			n := make(map[gate.Benchmark]int)
			for _, r := range f.Records {
				n[gate.Benchmark{Pkg: r.Pkg, Name: r.Name}]++
			}
			return n
		}
		inHead := counts(head)
		for bench, n := range counts(base) {
			if h := inHead[bench]; h > 0 && min(n, h) < 6 {
				t.Fatalf("%v passes with %d and %d readings", bench, n, h)
			}
		}
		for _, r := range rep.Results {
			if !r.Minor && r.Verdict != gate.Pass {
				t.Fatalf("passes, though %v does not", r.Benchmark)
			}
			if least := map[bool]int{true: 6, false: gate.DefaultMinRounds}[r.Unpaired || r.Exact]; r.N < least && !r.Minor {
				t.Fatalf("%v passes with %d readings, want at least %d", r.Benchmark, r.N, least)
			}
		}
	})
}
