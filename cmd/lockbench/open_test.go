package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/commandline/script"
)

// stubBrowser puts programs that open pages first in the PATH. They run a line of shell.
func stubBrowser(t *testing.T, line string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("wants a shell")
	}
	dir := t.TempDir()
	for _, name := range []string{"xdg-open", "open"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+line+"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	t.Setenv("BROWSER", "stub")
}

// report --open hands the page to the program that opens pages. If there is none, or it
// cannot, it says what to do, and the report is there.
func TestReportOpen(t *testing.T) {
	const todo = ": open r.html yourself, or copy it to a machine with a browser; it needs no other file\n"
	for _, test := range []struct{ name, stub, screen, want string }{
		{"opens", `cp "$1" opened.html`, "stub", ""},
		{"fails", "exit 4", "stub", "exit status 4" + todo},
		{"no program", "", "stub", "executable file not found in $PATH" + todo},
		{"no screen", `cp "$1" opened.html`, "", "no screen here, for neither DISPLAY, WAYLAND_DISPLAY nor BROWSER is set" + todo},
	} {
		t.Run(test.name, func(t *testing.T) {
			stubBrowser(t, test.stub)
			if test.stub == "" {
				t.Setenv("PATH", t.TempDir())
			}
			if test.screen == "" && runtime.GOOS == "darwin" {
				t.Skip("always has a screen")
			}
			t.Setenv("BROWSER", test.screen)
			t.Setenv("DISPLAY", "")
			t.Setenv("WAYLAND_DISPLAY", "")
			t.Chdir(t.TempDir())
			if err := os.WriteFile("results.txt", []byte("machine: host\nBenchmarkLock/lock=ticket/reads=0/workers=1/hold=0s/think=100ns-1\t5\t61 ns/op\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			code, stdout, stderr := inPlace("report results.txt --out r.html --open")
			if code != exitOK || !strings.HasPrefix(stdout, "r.html\n") || !strings.HasSuffix(stderr, test.want) || (stderr == "") != (test.want == "") {
				t.Errorf("exit status %d, stdout %q, stderr %q; want %d, r.html, %q", code, stdout, stderr, exitOK, test.want)
			}
			written, _ := os.ReadFile("r.html")
			opened, _ := os.ReadFile("opened.html")
			if len(written) == 0 || (string(opened) == string(written)) != (test.want == "") {
				t.Errorf("wrote %d bytes, opened %d", len(written), len(opened))
			}
		})
	}
}

// The first block of README leads from a clean checkout to an open report in two
// commands. Here they measure fewer locks, for a shorter time.
func TestFirstCommands(t *testing.T) {
	blocks, texts := script.Pages(t, repository)
	var first script.Block
	for _, b := range blocks {
		if b.Page == "README.md" && (first.Line == 0 || b.Line < first.Line) {
			first = b
		}
	}
	const measure, open = "go run ./cmd/lockbench run --quick", "go run ./cmd/lockbench report --open results.txt"
	if got := strings.Join(first.Commands, "\n"); got != measure+"\n"+open {
		t.Fatalf("README begins with\n%s\nwant\n%s\n%s", got, measure, open)
	}
	if before, _, _ := strings.Cut(texts["README.md"], measure); strings.Count(before, "\n") > 30 {
		t.Errorf("the first commands are on line %d of README, want them at the top", first.Line)
	}
	stubBrowser(t, `cp "$1" opened.html`)
	t.Chdir(t.TempDir())
	for _, line := range first.Commands {
		args := script.Words(line)[3:]
		if args[0] == "run" {
			args = append(args, "--locks", "ticket,sync.Mutex", "--duration", "300us")
		}
		if out, err := exec.Command(executable(t), args...).CombinedOutput(); err != nil {
			t.Fatalf("$ %s\n%v:\n%s", line, err, out)
		}
	}
	if page, err := os.ReadFile("opened.html"); err != nil || !strings.Contains(string(page), "sync.Mutex") {
		t.Errorf("a page of %d bytes was opened, %v, want one with sync.Mutex", len(page), err)
	}
}
