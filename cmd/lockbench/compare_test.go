package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// writeComparable writes old.txt and new.txt, which is half as fast, and other files
// with errors.
func writeComparable(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	writeComparableHere(t)
}

func writeComparableHere(t *testing.T) {
	t.Helper()
	runs := func(cpu string, ns int, more string) string {
		text := "goos: linux\npkg: example.org/p\ncpu: " + cpu + "\n"
		for i := range 8 {
			text += fmt.Sprintf("BenchmarkSum-2\t%d\t%d ns/op\t%s\n", 1000+i, ns+i, more)
		}
		return text + "PASS\nok  \texample.org/p\t1s\n"
	}
	for name, text := range map[string]string{
		"old.txt":    runs("test", 1000, "1 allocs/op"),
		"new.txt":    runs("test", 2000, "2 allocs/op"),
		"fast.txt":   runs("another", 500, "1 allocs/op"),
		"failed.txt": runs("test", 1000, "1 allocs/op") + "FAIL\n",
		"mean.txt":   strings.ReplaceAll(runs("test", 1000, "1 allocs/op"), "Sum", "Mean"),
		"x.txt":      "BenchmarkX 1 5 widgets\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCompare(t *testing.T) {
	writeComparable(t)
	for _, test := range []struct {
		command string
		want    []string
		not     string
	}{
		{"compare old.txt new.txt", []string{"Sum-2", "ns/op", "+99.7%", "allocs/op", "+100%", "not taken together"}, "mean"},
		{"compare --unit ns/op old.txt new.txt", []string{"ns/op", "+99.7%"}, "allocs"},
		{"compare --metric ns/op old.txt new.txt", []string{"ns/op", "+99.7%"}, "allocs"}, // its old name
		{"compare --bench Sum old.txt new.txt", []string{"Sum-2"}, "mean"},
		{"compare old.txt fast.txt", []string{"-49.8%", `of different machines: cpu "test" in old.txt, "another" in fast.txt`}, "regressed"},
		{"compare --format markdown old.txt new.txt", []string{"```text\n", "+99.7%", "\n```\n"}, "mean"},
		{"compare --format json old.txt new.txt", []string{`"results"`, `"unpaired": true`, `"base": "old.txt"`}, "margin\": 0.03,\n\t\t\t\"min"},
	} {
		var out, errs strings.Builder
		if code := run(strings.Fields(test.command), &out, &errs); code != exitOK || errs.Len() > 0 {
			t.Errorf("$ lockbench %s\nexit status %d, %s", test.command, code, &errs)
		}
		for _, want := range test.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("$ lockbench %s\n%s\nwant %q in it", test.command, &out, want)
			}
		}
		for _, not := range []string{"verdict", "regressed", "cannot tell", test.not} {
			if strings.Contains(out.String(), not) {
				t.Errorf("$ lockbench %s\n%s\nwant no %q in it", test.command, &out, not)
			}
		}
		if strings.Contains(test.command, "json") && !json.Valid([]byte(out.String())) {
			t.Errorf("$ lockbench %s\n%s\nis no JSON", test.command, &out)
		}
	}
}

// Each of these has nothing to compare, and says why, with all reasons at once.
func TestCompareNothing(t *testing.T) {
	writeComparable(t)
	for _, test := range []struct{ command, want string }{
		{"compare old.txt", `expected "<new>"`},
		{"compare old.txt none.txt", "none.txt: no such file"},
		{"compare none.txt no.txt", "none.txt: no such file\nno.txt: no such file"},
		{"compare old.txt .", ".:1: "},
		{"compare old.txt failed.txt", `failed.txt:14: want the output of a run that passed, have "FAIL"`},
		{"compare old.txt mean.txt", "nothing to compare: no benchmark is on both sides"},
		{"compare old.txt new.txt --bench sum", "nothing to compare: the filter selects none"},
		{"compare old.txt new.txt --unit alocs/op", "unit alocs/op: no benchmark has it on both sides: want one of allocs/op, ns/op"},
		{"compare x.txt x.txt", "nothing to compare: nothing to judge: it is not known of any of its units whether more is better"},
		{"compare old.txt none.txt --unit , --format xml --bench (", "--format xml: want text, markdown, json\n--unit ,: want units such as ns/op,allocs/op\n--unit ,: \n--bench: error parsing regexp\nnone.txt: no such file"},
	} {
		var out, errs strings.Builder
		code := run(strings.Fields(test.command), &out, &errs)
		lines, wants := strings.Split(strings.TrimSpace(errs.String()), "\n"), strings.Split(test.want, "\n")
		if code != exitUsage || out.Len() > 0 || len(lines) != len(wants) {
			t.Errorf("$ lockbench %s\nexit status %d, stdout %q, stderr\n%s\nwant %d, nothing, and %d lines", test.command, code, &out, &errs, exitUsage, len(wants))
			continue
		}
		for i, want := range wants {
			if !strings.Contains(lines[i], want) {
				t.Errorf("$ lockbench %s\n%s\nwant %q in it", test.command, lines[i], want)
			}
		}
	}
}
