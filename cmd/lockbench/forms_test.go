package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every form of a CI log is accepted as a file of benchmarks, and the command says what
// was removed.
func TestFormsOfInput(t *testing.T) {
	forms, err := filepath.Glob("../../results/testdata/forms/*.txt")
	if err != nil || len(forms) < 14 {
		t.Fatalf("%d forms, %v", len(forms), err)
	}
	texts := make(map[string][]byte)
	for _, name := range forms {
		if texts[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	t.Chdir(dir)
	plain := texts["plain.txt"]
	for name, text := range texts {
		failed := strings.HasPrefix(name, "panic")
		for file, text := range map[string][]byte{"base.txt": plain, "head.txt": text} {
			if err := os.WriteFile(file, text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		for _, command := range []string{"compare --unit ns/op base.txt head.txt", "gate --files --unit ns/op --cannot-tell pass --format json base.txt head.txt"} {
			var out, errs bytes.Buffer
			code := run(strings.Fields(command), &out, &errs)
			if failed && (code != exitUsage || !strings.Contains(errs.String(), "panic: boom")) {
				t.Errorf("%s: $ lockbench %s\nexit status %d, want %d and the panic: %s", name, command, code, exitUsage, &errs)
			}
			if !failed && (code != exitOK && code != exitFailed || !strings.Contains(out.String(), "Sum/n=100-2")) {
				t.Errorf("%s: $ lockbench %s\nexit status %d: %s%s", name, command, code, &out, &errs)
			}
			if said := strings.Contains(out.String(), "head.txt: took ") || strings.Contains(out.String(), "head.txt: read 82 events"); said == (failed || name == "plain.txt") {
				t.Errorf("%s: $ lockbench %s\nsays what it took off: %t\n%s", name, command, said, &out)
			}
		}
		if err := os.MkdirAll("runs", 0o777); err != nil {
			t.Fatal(err)
		}
		if !failed {
			if err := os.WriteFile(filepath.Join("runs", name), text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	var out, errs bytes.Buffer
	if code := run([]string{"history", "runs"}, &out, &errs); code != exitOK {
		t.Errorf("history of all forms: exit status %d: %s", code, &errs)
	}
	locks := "goos: linux\nmachine: host\n" + strings.Repeat("BenchmarkLock/lock=ticket/reads=0/workers=1/hold=0s/think=100ns-1\t5000000\t61 ns/op\n", 2)
	stamped := "2026-11-21T22:08:00.0000000Z " + strings.ReplaceAll(strings.TrimSpace(locks), "\n", "\n2026-11-21T22:08:00.0000000Z ") + "\n"
	if err := os.WriteFile("locks.txt", []byte(stamped), 0o666); err != nil {
		t.Fatal(err)
	}
	errs.Reset()
	if code := run([]string{"plot", "locks.txt"}, &out, &errs); code != exitOK || !strings.Contains(errs.String(), fmt.Sprintf("warning: locks.txt: took time stamps off %d lines", 4)) {
		t.Errorf("plot: exit status %d: %s", code, &errs)
	}
}
