package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/internal/commandline"
)

// Each of these makes no sense, or is no results file. None of them passes.
func TestGateBadInput(t *testing.T) {
	for _, test := range []struct{ command, want string }{
		{"gate", "want --base REF, --files BASE HEAD, or --self-test"},
		{"gate good.txt good.txt", "good.txt good.txt: want --files before files to compare"},
		{"gate --files good.txt", "--files: want two files, the base's and the head's, have 1"},
		{"gate --files good.txt --config plain.toml", "--files: want two files, the base's and the head's, have 1 (or one, and shapes in --config)"},
		{"gate --files none.txt --config shapes.toml", "none.txt"},
		{"gate --files good.txt --config margin.toml", "margin: there is no base to compare to"},
		{"gate --files good.txt good.txt good.txt", "--files: want two files, the base's and the head's, have 3"},
		{"gate --files good.txt none.txt", "none.txt"},
		{"gate --files torn.txt good.txt", "torn.txt:6: last line is cut off"},
		{"gate --files good.txt notes.txt", "notes.txt:"},
		{"gate --files plain.txt good.txt", "plain.txt:1: "},
		{"gate --files dir good.txt", "dir"},
		{"gate --files good.txt other.txt", "other"},
		{"gate --files good.txt good.txt --bench nothing", "nothing"},
		{"gate --files good.txt good.txt --unit hops/op", "hops/op"},
		{"gate --files good.txt good.txt --base main", "--files: want neither --base, --self-test nor --history"},
		{"gate --base x --drift 5%", "--drift: want it with --files"},
		{"gate --files good.txt good.txt --drift lots", "--drift lots: want a share from 0 to 1"},
		{"gate --files good.txt good.txt --drift 200%", "--drift 200%: want a share from 0 to 1"},
		{"gate --base x --margin 0%", "--margin 0%: want a share above 0 and up to 1"},
		{"gate --base x --margin=-3%", "--margin -3%: want a share"},
		{"gate --base x --margin lots", "--margin lots: want a share"},
		{"gate --base x --fdr 200%", "--fdr 200%: want a share"},
		{"gate --base x --budget 0", "--budget 0: must be at least 1s"},
		{"gate --base x --min-rounds 1", "--min-rounds 1: must be at least 6"},
		{"gate --base x --builds 1", "--builds 1: must be at least 2"},
		{"gate --base x --unit ns/op,,", "--unit ns/op,,: want units"},
		{"gate --base x --unit ns/op --exact", "--exact --unit: want one of them"},
		{"gate --base x --bench (", "--bench: "},
		{"gate --base x --new (", "--new: "},
		{"gate --base x --format xml", `--format xml: want one of text, markdown, github, json, junit`},
		{"gate --base x --cannot-tell maybe", "--cannot-tell maybe: want pass or fail"},
		{"gate --base x --config none.toml", "none.toml"},
		{"gate --base x --config shapes.toml", "shapes.toml: has shapes"},
		{"gate --base x --out plain.txt", "--out: plain.txt is no directory"},
		{"gate --base x --cpus 0", "--cpus 0: must be at least 1"},
		{"gate --base x --cpu 0", "--cpus 0: must be at least 1"}, // its old name
		{"gate --base x --cpu 1 --cpus 2 --unit a --metric b", "--cpus 2 --cpu 1: want --cpus alone, of which --cpu is the old name\n--unit a --metric b: want --unit alone"},
		{"gate --base x --cpus 1,1000", "--cpus 1,1000: the machine has "},
		{"gate --base x --skip (", "--skip: "},
		{"gate --base x --timeout 0", "--timeout 0: must be at least 1s"},
		{"gate --base x --slice 1ns", "--slice 1ns: must be at least"},
		{"gate --self-test --base x", "--self-test: want neither --base nor --history"},
		{"gate --self-test --format json", "--self-test: want neither --out nor another --format"},
		{"gate --self-test --slowdown much", "--slowdown much: want a share"},
		{"gate --sim", "--sim: want --base REF"},
		{"gate --sim --base x --bench Lock --margin 3% --exact", "--sim: want no --bench, --margin, --exact: what is simulated does not vary"},
		{"gate --sim --files good.txt good.txt", "--sim: want no --files: \n--sim: want --base REF"},
		{"gate --sim --base x --self-test", "--sim: want no --self-test"},
		{"gate --sim --base x --tolerance lots", "--tolerance lots: want a share from 0 to 1"},
		{"gate --sim --base x --tolerance=-1%", "--tolerance -1%: want a share from 0 to 1"},
		{"gate --sim --base x --machine milan-2s,,host", `--machine milan-2s,,host: want words with commas between them, have ""`},
		{"gate --sim --base x --locks=-x", `--locks -x: want words with commas between them, have "-x"`},
		{"gate --sim --base x good.txt", "--sim: want no --files"},
		{"gate --sim --base x --cpus 0", "--cpus 0: must be at least 1"},
		{"gate --sim --base x --cpus 2000", "--cpus 2000: must be at most 1024"},
		{"gate --sim --base x --seed y", "--seed y: want a whole number"},
		{"gate --sim --base x --config shapes.toml", "shapes.toml: has shapes"},
		{"gate --base x --machine milan-2s --tolerance 1%", "--machine, --tolerance: want it with --sim"},
		{"gate --base x --margin 0 --fdr 2 --budget y --format z", "--margin 0: \n--fdr 2: \n--budget y: \n--format z: "},
	} {
		code, stdout, stderr := lockbench(t, test.command)
		if code != exitUsage || !strings.Contains(stdout, "no verdict, because\n") && !strings.Contains(test.command, "--format") {
			t.Errorf("$ lockbench %s\nexit status %d, want %d, and why there is no verdict; stdout %q; stderr:\n%s", test.command, code, exitUsage, stdout, stderr)
		}
		for want := range strings.SplitSeq(test.want, "\n") {
			if !strings.Contains(stderr, want) {
				t.Errorf("$ lockbench %s\ngot:\n%s\nwant:\n%s", test.command, stderr, want)
			}
		}
	}
}

// readings returns a file with n readings of one lock.
func readings(n int) string {
	text := "goos: linux\ngoarch: amd64\ncpu: test\nmachine: host\n"
	for i := range n {
		text += "BenchmarkLock/lock=ticket/reads=0/workers=1/hold=0s/think=100ns-1\t5000000\t" + strings.Repeat("1", i%2+1) + " ns/op\n"
	}
	return text
}

// checkReports checks the files of --out: a verdict, and reports that say why.
func checkReports(t *testing.T, dir, verdict, why string) {
	t.Helper()
	for _, name := range []string{"report.txt", "report.md", "report.json", "junit.xml"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), why) {
			t.Errorf("%s: %v, want %q in\n%s", name, err, why, text)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "verdict")); string(text) != verdict+"\n" {
		t.Errorf("verdict: %q, %v, want %q", text, err, verdict)
	}
}

// Without a verdict each format has a form that says why, on stdout and in --out.
func TestGateNoVerdict(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("good.txt", []byte(readings(2)), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GITHUB_STEP_SUMMARY", "summary.md")
	for _, test := range []struct{ command, why string }{
		{"gate --files good.txt none.txt", "none.txt: no such file"},
		{"gate --files good.txt good.txt --margin lots", "--margin lots: want a share"},
		{"gate --base main --dir none", "none"},
		{"gate --frobnicate --base main", "unknown flag --frobnicate"}, // the command line cannot be parsed
		{"gate --base main --no-exact=", "unknown flag --no-exact"},
		{"gate --base main --margin=", "--margin: is empty"},
		{"gate --base main --margin", "--margin"},
	} {
		for _, format := range formats {
			os.RemoveAll("out")
			var out, errs bytes.Buffer
			code := run(append(strings.Fields(test.command), "--format", format, "--out", "out"), &out, &errs)
			if code != exitUsage || !strings.Contains(errs.String(), test.why) || !strings.Contains(out.String(), test.why) || !strings.Contains(out.String(), "no verdict") {
				t.Errorf("$ lockbench %s --format %s\nexit status %d, want %d and %q on both; stdout:\n%s\nstderr:\n%s", test.command, format, code, exitUsage, test.why, &out, &errs)
			}
			checkReports(t, "out", "no verdict", test.why)
			switch format {
			case "json":
				if rep, err := report.ReadJSON(&out); err != nil || rep.Outcome() != gate.NoVerdict || len(rep.Problems) == 0 {
					t.Errorf("JSON: %+v, %v", rep, err)
				}
			case "junit":
				var doc struct {
					Errors int `xml:"errors,attr"`
				}
				if err := xml.Unmarshal(out.Bytes(), &doc); err != nil || doc.Errors != 1 {
					t.Errorf("JUnit: %+v, %v, want one error", doc, err)
				}
			case "github":
				if summary, err := os.ReadFile("summary.md"); err != nil || !strings.Contains(string(summary), test.why) {
					t.Errorf("summary: %v, want %q in\n%s", err, test.why, summary)
				}
			}
		}
	}
	// An --out that cannot be used is not changed.
	if err := os.Mkdir("old", 0o777); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"base.txt", "verdict"} {
		if err := os.WriteFile(filepath.Join("old", name), []byte("pass\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	code := run(strings.Fields("gate --base main --out old"), &out, &errs)
	if code != exitUsage || !strings.Contains(errs.String(), "there is a recording already: want another directory") {
		t.Errorf("--out with a recording: exit status %d: %s", code, &errs)
	}
	if entries, err := os.ReadDir("old"); err != nil || len(entries) != 2 {
		t.Errorf("--out with a recording has %v, %v, want it as it was", entries, err)
	}
}

// With shapes, too, there is one document in each format, and they are in it.
func TestGateShapes(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"a.txt":       readings(8),
		"b.txt":       readings(9),
		"shapes.toml": "[[shape]]\nkind = 'ceiling'\nlock = 'ticket'\nunit = 'ns/op'\nmax = 0.5\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range formats {
		os.RemoveAll("out")
		var out, errs bytes.Buffer
		code := run([]string{"gate", "--files", "a.txt", "b.txt", "--config", "shapes.toml", "--format", format, "--out", "out"}, &out, &errs)
		if code != exitFailed || !strings.Contains(out.String(), "0.5") {
			t.Errorf("--format %s: exit status %d, want %d with the shape in:\n%s%s", format, code, exitFailed, &out, &errs)
		}
		checkReports(t, "out", "regressed", "0.5")
		if format != "json" {
			continue
		}
		rep, err := report.ReadJSON(&out)
		if err != nil {
			t.Fatal(err)
		}
		if rep.Outcome() != gate.Regressed || !slices.ContainsFunc(rep.Shapes, func(s shape.Finding) bool { return s.Verdict == gate.Regressed }) {
			t.Errorf("JSON: %v with shapes %+v, want one that regressed", rep.Outcome(), rep.Shapes)
		}
	}
}

// The shapes of one file can be judged without a base.
func TestGateOneFile(t *testing.T) {
	t.Chdir(t.TempDir())
	pair := readings(8) + strings.NewReplacer("lock=ticket", "lock=sync.Mutex", " ns/op", "0 ns/op").Replace(readings(8)) // ten times the values
	ratio := func(most string) string {
		return "[[shape]]\nkind = 'ratio'\nlock = 'ticket'\nthan = 'sync.Mutex'\nat_most = " + most + "\n"
	}
	for _, test := range []struct {
		file, shapes string
		want         int
		verdict      string
	}{
		{pair, ratio("0.9"), exitOK, "pass"},
		{pair, ratio("0.05"), exitFailed, "regressed"},
		{readings(2) + pair[len(readings(8)):], ratio("0.9"), exitCannotTell, "2 rounds: too few"},
		{"", ratio("0.9"), exitUsage, "no verdict"},
		{readings(8), ratio("0.9"), exitUsage, "no verdict"},
	} {
		for name, text := range map[string]string{"a.txt": test.file, "shapes.toml": test.shapes} {
			if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		for _, format := range formats {
			os.RemoveAll("out")
			var out, errs bytes.Buffer
			code := run([]string{"gate", "--files", "a.txt", "--config", "shapes.toml", "--format", format, "--out", "out"}, &out, &errs)
			if code != test.want || out.Len() == 0 || strings.Contains(out.String(), "nothing was compared") {
				t.Errorf("%s --format %s: exit status %d, want %d:\n%s%s", test.shapes, format, code, test.want, &out, &errs)
			}
			if format == "text" && !strings.Contains(out.String(), test.verdict) {
				t.Errorf("%s: want %s in:\n%s", test.shapes, test.verdict, &out)
			}
		}
	}
}

// A report without a result and without a reason is no pass.
func TestGateOfNothing(t *testing.T) {
	g := &gating{gateCmd: new(gateCmd)}
	if err := g.outcome(report.Document{Report: new(gate.Report)}); !errors.Is(err, gate.ErrNothing) {
		t.Errorf("got %v, want %v", err, gate.ErrNothing)
	}
}

// A history gets the runs that pass. It is reported if there is nothing to add, and if
// it could not be written, which is no regression.
func TestGateHistory(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("plain.txt", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	one := gate.Result{Benchmark: gate.Benchmark{Name: "A"}, Unit: "ns/op", Better: -1, N: 20, New: 1}
	for _, test := range []struct {
		dir     string
		verdict gate.Verdict
		code    int
		want    string
	}{
		{"history", gate.Pass, exitOK, "lockbench: history/"},
		{"history", gate.CannotTell, exitOK, "lockbench: nothing added to history: only what passes is, and this is: cannot tell\n"},
		{"history", gate.NoVerdict, exitOK, "this is: no verdict"},
		{"plain.txt/history", gate.Pass, exitUsage, "lockbench: --history: "},
	} {
		one.Verdict = test.verdict
		var errs bytes.Buffer
		g := &gating{gateCmd: &gateCmd{History: test.dir}, console: commandline.Console{Err: &errs}}
		code := program.Report(&errs, g.remember(report.Document{Report: &gate.Report{Results: []gate.Result{one}}}))
		if code != test.code || !strings.Contains(errs.String(), test.want) {
			t.Errorf("--history %s, %v: exit status %d, want %d and %q in %s", test.dir, test.verdict, code, test.code, test.want, &errs)
		}
	}
	if entries, err := os.ReadDir("history"); err != nil || len(entries) != 1 {
		t.Errorf("the history has %v, %v, want one run", entries, err)
	}
}

// Grace periods and backlogs are units of the gate like others: less is better, and a
// shape can bound them.
func TestGateGracePeriods(t *testing.T) {
	t.Chdir(t.TempDir())
	file := func(gp, backlog float64) string {
		var b strings.Builder
		b.WriteString("goos: linux\ngoarch: amd64\ncpu: test\nmachine: host\ndistance: local\n")
		for round := 1; round <= 24; round++ {
			noise := 1 + float64(round%5)/500
			fmt.Fprintf(&b, "# round: %d\n", round)
			fmt.Fprintf(&b, "BenchmarkLock/lock=rcu-domain/reads=90/workers=1/hold=0s/think=0s/workload=record/work=registers-1\t5000\t%.6g ns/op\t%.6g gp-p99-ns\t%.6g backlog-max\n",
				100*noise, 2e6*gp*noise, 40*backlog*noise)
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"base.txt": file(1, 1), "same.txt": file(1.001, 1.001), "slow.txt": file(2, 1), "piled.txt": file(1, 2), "better.txt": file(.5, .5), "some.txt": file(1.06, 1),
		"shape.toml": "[[shape]]\nkind = 'ceiling'\nlock = '^rcu'\nunit = 'gp-p99-ns'\nmax = 3_000_000\n[[shape]]\nkind = 'ceiling'\nlock = '^rcu'\nunit = 'backlog-max'\nmax = 60\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		command string
		code    int
		want    string // a line that has all these words
	}{
		{"gate --files base.txt same.txt", exitOK, "pass"},
		{"gate --files base.txt slow.txt", exitFailed, "gp-p99-ns +100% regressed"},
		{"gate --files base.txt piled.txt", exitFailed, "backlog-max +100% regressed"},
		{"gate --files base.txt some.txt", exitCannotTell, "gp-p99-ns +6.0% cannot tell"},
		{"gate --files base.txt some.txt --drift 2%", exitFailed, "gp-p99-ns +6.0% regressed"},
		{"gate --files base.txt some.txt --drift 0", exitFailed, "gp-p99-ns +6.0% regressed"},
		{"gate --files base.txt better.txt", exitOK, "gp-p99-ns -50.0% improved"},
		{"gate --files base.txt same.txt --config shape.toml", exitOK, "backlog-max ≤ 60 pass"},
		{"gate --files base.txt slow.txt --margin 100% --config shape.toml", exitFailed, "gp-p99-ns ≤ 3e+06 regressed"},
		{"compare base.txt slow.txt", exitOK, "gp-p99-ns"},
	} {
		var out, errs bytes.Buffer
		code := run(strings.Fields(test.command), &out, &errs)
		found := false
		for line := range strings.Lines(out.String()) {
			all := true
			for word := range strings.FieldsSeq(test.want) {
				all = all && strings.Contains(line, word)
			}
			found = found || all
		}
		if code != test.code || !found {
			t.Errorf("$ lockbench %s\nexit status %d, want %d and %q in\n%s%s", test.command, code, test.code, test.want, &out, &errs)
		}
	}
}
