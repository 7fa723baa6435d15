package results_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// The files of testdata/forms are one output of go test as other software stores or
// shows it, and one of go test -json. Their contents are the same.
func TestForms(t *testing.T) {
	for name, warnings := range map[string]string{
		"plain.txt":         "",
		"colour.txt":        "took colours and other terminal sequences off ",
		"github.txt":        "took a byte order mark off its begin; took time stamps off ",
		"github-view.txt":   "took time stamps off ",
		"gitlab.txt":        "took colours and other terminal sequences off 5 lines",
		"gitlab-stamps.txt": "took colours and other terminal sequences off 5 lines; took time stamps off ",
		"buildkite.txt":     "took colours and other terminal sequences off 50 lines",
		"jenkins.txt":       "took time stamps off ",
		"compose.txt":       "took the names of containers off ",
		"indented.txt":      "took an indentation off ",
		"json.txt":          "read 82 events of go test -json",
		"json-github.txt":   "took time stamps off ",
	} {
		plain := read(t, "plain.txt")
		got := read(t, name)
		const mended = "mended 1 result that something was printed into"
		if w := strings.Join(got.Warnings, "; "); !strings.HasPrefix(w, warnings) || strings.Contains(w, mended) == strings.Contains(name, "json") || len(got.Warnings) > 3 {
			t.Errorf("%s: warnings %q, want %q and, but for go test -json, %q", name, w, warnings, mended)
		}
		if len(got.Records) != len(plain.Records) || !reflect.DeepEqual(got.Facts, plain.Facts) {
			t.Errorf("%s: %d records with %+v, want %d with %+v", name, len(got.Records), got.Facts, len(plain.Records), plain.Facts)
			continue
		}
		for i, r := range got.Records {
			want := plain.Records[i]
			r.Line, want.Line = 0, 0
			if strings.HasPrefix(name, "json") { // another run
				r.Ops, want.Ops = 0, 0
				for j := range want.Values {
					r.Values[j].Value, want.Values[j].Value = 0, 0
				}
			}
			if !reflect.DeepEqual(r, want) {
				t.Errorf("%s: record %+v, want %+v", name, r, want)
			}
		}
	}
}

func read(t *testing.T, name string) *results.RecordFile {
	t.Helper()
	f, err := results.ReadRecordFile(filepath.Join("testdata", "forms", name))
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return f
}

// A run that failed has failed in every form.
func TestFormsOfFailure(t *testing.T) {
	forms, err := filepath.Glob(filepath.Join("testdata", "forms", "*.txt"))
	if err != nil || len(forms) < 14 {
		t.Fatalf("%d forms, %v", len(forms), err)
	}
	for _, name := range forms {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		in := strings.NewReplacer("PASS", "FAIL", "ok  \t", "FAIL\t", `ok  \t`, `FAIL\t`).Replace(string(text))
		if _, err := results.ReadRecords(strings.NewReader(in), "x"); err == nil || !strings.Contains(err.Error(), "want the output of a run that passed") {
			t.Errorf("%s, with FAIL for ok: %v, want an error that says so", name, err)
		}
		if _, err := results.ReadRecords(strings.NewReader(in[:len(in)-7]), "x"); err == nil {
			t.Errorf("%s: no error when cut off", name)
		}
	}
	// Other software writes the same events with spaces.
	spaced := `{"Action": "start", "Package": "p"}` + "\n" + `{"Action": "output", "Package": "p", "Output": "BenchmarkA-2 \t 5\t 61 ns/op\n"}` + "\n" + `{"Action": "pass", "Package": "p"}` + "\n"
	if f, err := results.ReadRecords(strings.NewReader(spaced), "x"); err != nil || len(f.Records) != 1 || f.Records[0].Name != "A-2" {
		t.Errorf("events with spaces: %v, %+v", err, f.Records)
	}
	if _, err := results.ReadRecords(strings.NewReader(`{"Action":"start","Package":"p"}`+"\n"+`{"Action":"output","Package":"p","Output":"`+"BenchmarkA-2 \\t 5\\t 61 ns/op\\n"+`"}`+"\n"+`{"Action":"fail","Package":"p"}`+"\n"), "x"); message(err) != `x:3: want the output of a run that passed, have "FAIL\tp"` {
		t.Errorf("an event that says fail: %v", err)
	}
}

// Output that packages print at the same time does not mix.
func TestPackagesInTurns(t *testing.T) {
	event := func(pkg, output string) string {
		return `{"Action":"output","Package":"` + pkg + `","Output":"` + output + "\"}\n"
	}
	in := event("a", `pkg: a\n`) + event("b", `pkg: b\n`) + event("a", `BenchmarkA-2 \t`) + "go: downloading x\n" + event("b", `BenchmarkB-2 \t`) +
		event("a", ` 5\t 1 ns/op\n`) + event("b", `log\n`) + event("b", ` 6\t 2 ns/op\nPASS\n`) + event("a", `PASS\n`) +
		`{"Action":"pass","Package":"b"}` + "\n" + `{"Action":"pass","Package":"a"}` + "\n"
	f, err := results.ReadRecords(strings.NewReader(in), "x")
	want := []results.Record{
		{Pkg: "b", Name: "B-2", Ops: 6, Line: 8, Values: []results.Value{{"ns/op", 2}}},
		{Pkg: "a", Name: "A-2", Ops: 5, Line: 6, Values: []results.Value{{"ns/op", 1}}},
	}
	if err != nil || !reflect.DeepEqual(f.Records, want) {
		t.Errorf("got %+v, %v, want %+v", f.Records, err, want)
	}
}

// Resume appends only to files as a Writer writes them.
func TestResumeRefusesForms(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x.txt")
	text := "2026-11-21T22:08:00Z goos: linux\n2026-11-21T22:08:00Z machine: host\n2026-11-21T22:08:00Z " + line
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	_, _, err := results.Resume(name, results.Facts{GOOS: "linux", Machine: "host"})
	if after, _ := os.ReadFile(name); err == nil || string(after) != text {
		t.Errorf("%v, want an error, and the file as it was: %q", err, after)
	}
}

// A log line of a benchmark is no failure, no key and no result.
func TestLogLines(t *testing.T) {
	const header = "goos: linux\ngoarch: amd64\npkg: example.org/a\ncpu: AMD EPYC\n"
	const end = "PASS\nok  \texample.org/a\t4.012s\n"
	for _, log := range []string{
		"FAILOVER done in 3ms", "FAILED over to replica 2", "FAIL fast is on", "signal: user 1 caught", "signal: killed by its parent",
		"panic: recovered", "fatal error: none", "goroutine 7 [running]:", "exit status of the child: 0", "exit status 0 or so",
		"panic: recovered\n\ngoroutine 7 [running]:\nmain.f()\n\t/x.go:3 +0x25", "exit status 1", "signal: killed", "SIGUSR1: caught",
		"cpu: 12%", "machine: m1", "distance: 12", "oversubscribed: perhaps", "goos: which one", "pkg: none of them", "cpu: 12%\nmachine: m1\ndistance: 12",
		"# round: 3 of 5", "# build: release", "Unit tests done", "Unit", "WARNING: DATA RACE is what -race says", "*** Test of the modem ***",
		"Benchmarking the parser", "Benchmark 1 of 5 done", "Benchmarks: 12 passed", "BenchmarkSum: starting", "Benchmark run began", "BenchmarkSum starting",
		"ok: done", "PASSED", "--- FAILOVER", strings.Repeat("x", 1<<16), "2026-11-21T22:08:00Z FAIL", "[12:00:00] panic: caught",
		`{"Action":"fail","Package":"p"}`, "\x1b[31mFAILOVER\x1b[0m", "10 %\r20 %", "FAIL: 3 of 5 requests", "no FAIL",
	} {
		for what, in := range map[string]string{
			"first":       log + "\n" + header + sumLine + end,
			"between":     header + sumLine + log + "\n" + sumLine + end,
			"before PASS": header + sumLine + log + "\n" + end,
			"in a line":   header + "BenchmarkSum-2      \t" + log + "\n       5\t        61.0 ns/op\n" + end,
			"in one line": header + "BenchmarkSum-2      \t" + log + "       5\t        61.0 ns/op\n" + end,
		} {
			f, err := results.ReadRecords(strings.NewReader(in), "x")
			if len(log) > 1<<15 && strings.HasPrefix(what, "in ") {
				if err == nil {
					t.Errorf("a long line %s: no error, and a name in it", what)
				}
				continue
			}
			if err != nil || len(f.Records) == 0 {
				t.Errorf("%q, %s: %d records, %v", log, what, len(f.Records), err)
				continue
			}
			if r := f.Records[0]; r.Name != "Sum-2" || r.Ops != 5 || r.Pkg != "example.org/a" || f.CPU != "AMD EPYC" || f.Machine != "" || f.GOOS != "linux" || r.Distance != "" || r.Round != 0 {
				t.Errorf("%q, %s: read as %+v of %+v", log, what, r, f.Facts)
			}
		}
		// The bare results, without go test's frame.
		if !slices.Contains([]string{"exit status 1", "signal: killed"}, log) && !strings.Contains(log, "\n\ngoroutine") {
			if f, err := results.ReadRecords(strings.NewReader(sumLine+log+"\n"+sumLine), "x"); err != nil || len(f.Records) != 2 {
				t.Errorf("%q between two results: %d records, %v", log, len(f.Records), err)
			}
		}
	}
}

// Any sign that a run failed, or did not end, is an error.
func TestFailures(t *testing.T) {
	const header = "goos: linux\ngoarch: amd64\npkg: example.org/a\ncpu: AMD EPYC\n"
	const stack = "\ngoroutine 10 [running]:\nexample.org/a.F(...)\n\t/x.go:3 +0x25\n"
	for _, test := range []struct{ in, want string }{
		{"--- FAIL: BenchmarkMean\n    a_test.go:3: no\nFAIL\nexit status 1\nFAIL\texample.org/a\t0.1s\nFAIL\n", `have "--- FAIL: BenchmarkMean"`},
		{"BenchmarkMean-2 \t--- FAIL: BenchmarkMean-2\nFAIL\n", `have "--- FAIL: BenchmarkMean-2"`},
		{"FAIL\n", `have "FAIL"`},
		{"FAIL\texample.org/b [build failed]\n" + "PASS\n", `[build failed]"`},
		{"FAIL    example.org/b   0.054s\n", `have "FAIL    example.org/b   0.054s"`},
		{"FAIL example.org/b [setup failed]\n", `[setup failed]"`},
		{"BenchmarkMean-2 \tpanic: boom\n\tmore\n" + stack + "exit status 2\nFAIL\texample.org/a\t0.1s\n", `have "panic: boom"`},
		{"panic: boom [recovered, repanicked]\n" + stack, `have "panic: boom [recovered, repanicked]"`},
		{"panic: boom\nmore\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4]\n" + stack, `have "panic: boom"`},
		{"panic: test timed out after 1s\n\trunning tests:\n\t\tTestA (1s)\n" + stack, `have "panic: test timed out after 1s"`},
		{"fatal error: all goroutines are asleep - deadlock!\n" + stack, `have "fatal error: all`},
		{"fatal error: stack overflow\n\nruntime stack:\nruntime.throw()\n", `have "fatal error: stack overflow"`},
		{"panic: boom\n" + stack + header + sumLine + "PASS\n", `have "panic: boom"`}, // another process passed
		{"PASS\npanic: at exit\n" + stack, `have "panic: at exit"`},
		{"panic: boom\n", `have "panic: boom"`}, // cut off there
		{"exit status 2\n", `have "exit status 2"`},
		{"signal: killed\n", `have "signal: killed"`},
		{"signal: segmentation fault (core dumped)\nFAIL\texample.org/a\t1s\n", `have "signal: segmentation fault (core dumped)"`},
		{"*** Test killed with quit: ran too long (1m1s).\n", `have "*** Test killed`},
		{"*** Test I/O incomplete 1m0s after exiting.\n", `have "*** Test I/O`},
		{"==================\nWARNING: DATA RACE\nRead at 0x1 by goroutine 7:\n", `have "WARNING: DATA RACE"`},
		{"SIGQUIT: quit\nPC=0x46d321 m=0 sigcode=0\n\ngoroutine 0 [idle]:\n", `have "SIGQUIT: quit"`},
		{"BenchmarkMean-2 \t", `cut off`},
		{"BenchmarkMean-2 \t\n", `no numbers that are certainly this benchmark's`},
		{"BenchmarkMean-2 \tlog\nPASS\n", `no numbers that are certainly this benchmark's`},
		{"BenchmarkMean-2 \tlog 123456789\t 61 ns/op\nPASS\n", `no numbers that are certainly this benchmark's`}, // 23456789 of 1?
		{"BenchmarkMean-2 \tlog BenchmarkSum-2 \t       5\t 61 ns/op\nPASS\n", `no numbers that are certainly this benchmark's`},
		{"BenchmarkMean-2 5\nPASS\n", "missing measurements"},
	} {
		in := header + sumLine + test.in
		f, err := results.ReadRecords(strings.NewReader(in), "x")
		if err == nil || !strings.Contains(err.Error(), test.want) || len(f.Records) == 0 {
			t.Errorf("%q: %d records, %v, want %s", test.in, len(f.Records), err, test.want)
		}
	}
}

// Readings do not vanish: they are read if it is certain what they are, and counted if
// it is not.
func TestPrintedInto(t *testing.T) {
	result := func(name string) string { return name + "-2      \t       5\t        61.0 ns/op\t       0 B/op\n" }
	for _, test := range []struct{ in, names, warning string }{
		{"." + result("BenchmarkA") + "...." + result("BenchmarkB") + result("BenchmarkC"), "A-2 B-2 C-2", `mended 2 results that something was printed into, such as line 1`},
		{"BenchmarkA-2      \t....       5\t        61.0 ns/op\n", "A-2", "mended 1 result"},
		{"BenchmarkA-2      \thello\nworld\n       5\t        61.0 ns/op\n" + result("BenchmarkB"), "A-2 B-2", "mended 1 result that something was printed into, such as line 1"},
		{"BenchmarkA-2      \thello\nworld 7       5\t        61.0 ns/op\n", "A-2", "mended"},
		{"now " + result("BenchmarkA") + "then " + result("BenchmarkB") + result("BenchmarkC"), "C-2", `passed over 2 results behind other text, such as line 1: "now BenchmarkA-2`},
		{"    " + result("BenchmarkA") + result("BenchmarkC"), "C-2", `passed over 1 result`},
		{result("BenchmarkC"), "C-2", ""},
	} {
		// A heading first, so that indented lines are no quotation.
		f, err := results.ReadRecords(strings.NewReader("goos: linux\n"+test.in), "x")
		var names []string
		for _, r := range f.Records {
			names = append(names, r.Name)
			if r.Ops != 5 || r.Values[0] != (results.Value{Unit: "ns/op", Value: 61}) {
				t.Errorf("%q: read as %v", test.in, r)
			}
		}
		warning := strings.Replace(test.warning, "line 1", "line 2", 1)
		if got := strings.Join(f.Warnings, "; "); err != nil || strings.Join(names, " ") != test.names || !strings.Contains(got, warning) || (got == "") != (warning == "") {
			t.Errorf("%q: %v, %q, %v, want %s and %q", test.in, names, got, err, test.names, warning)
		}
	}
}
