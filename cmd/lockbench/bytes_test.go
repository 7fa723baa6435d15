package main

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/commandline/script"
)

func TestEmptyFlags(t *testing.T) { script.Empty(t, program, "run --plots") }

func TestOldNamesOfFlags(t *testing.T) {
	script.Renamed(t, program, "compare --metric --unit", "gate --cpu --cpus", "gate --metric --unit")
}

// The name of a file may be any bytes.
func TestNamesThatAreNoUTF8(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("names of files are UTF-8 here")
	}
	writeRuns(t, 20)
	const odd = "o\xff"
	if err := os.Rename("results/history", odd); err != nil {
		t.Fatal(err)
	}
	writeComparableHere(t)
	for _, name := range []string{"old.txt", "new.txt"} {
		if err := os.Rename(name, odd+name); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		args []string
		code int
		made string
	}{
		{[]string{"run", "--locks", "ticket", "--cpus", "1", "--reads", "0", "--count", "1", "--out", odd + ".txt", "--plots", odd + "plots"}, exitOK, odd + "plots"},
		{[]string{"run", "--locks", "ticket", "--cpus", "1", "--reads", "0", "--count", "1", "--out=" + odd + ".txt", "--plots=", "--resume"}, exitOK, odd + ".txt"},
		{[]string{"plot", odd + ".txt", "--plots", odd + "again"}, exitOK, odd + "again"},
		{[]string{"compare", odd + "old.txt", odd + "new.txt"}, exitOK, odd + "old.txt"},
		{[]string{"gate", "--files", odd + "old.txt", odd + "new.txt", "--out", odd + "report"}, exitFailed, odd + "report/junit.xml"},
		{[]string{"history", odd}, exitOK, odd},
	} {
		var out, errs bytes.Buffer
		if code := run(test.args, &out, &errs); code != test.code {
			t.Errorf("$ lockbench %q\nexit status %d, want %d: %s", test.args, code, test.code, &errs)
		}
		if _, err := os.Stat(test.made); err != nil {
			t.Errorf("$ lockbench %q: %v", test.args, err)
		}
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.ContainsRune(e.Name(), '\uFFFD') && !strings.Contains(e.Name(), "\xff") {
			t.Errorf("wrote %q", e.Name())
		}
	}
}
