package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Without a locksim for the simulated claims, those that were tried are printed, and a page
// that is there stays as it is.
func TestClaimsWithoutLocksim(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("page.md", []byte("before\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("broken", []byte("#!/bin/sh\nexit 3\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := inPlace("claims semaphore starves --out page.md --locksim ./broken")
	if code != exitUsage || !strings.Contains(stdout, "(semaphore)") || strings.Contains(stdout, "(starves)") || !strings.Contains(stderr, "./broken claims: exit status 3") {
		t.Errorf("exit status %d, stdout:\n%sstderr:\n%s", code, stdout, stderr)
	}
	if text, err := os.ReadFile("page.md"); err != nil || string(text) != "before\n" {
		t.Errorf("the page is %q, error %v: want it as before", text, err)
	}
}

// With --exit-code a verdict that flips fails what calls the command, such as .ci/run; what
// is measured is not among those that it takes with --quick.
func TestClaimsExitCode(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		verdict, flags string
		code           int
		stderr         string
	}{
		{"holds", "--exit-code", exitOK, ""},
		{"does not hold", "", exitOK, ""},
		{"does not hold", "--exit-code", exitFailed, "does not hold: starves"},
		{"cannot tell", "--exit-code", exitCannotTell, "cannot tell: starves"},
	} {
		script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >args\necho '[{\"name\": \"starves\", \"says\": \"So.\", \"verdict\": \"%s\", \"saw\": \"It.\", \"asked\": \"more\", \"on\": \"paper\"}]'\n", test.verdict)
		if err := os.WriteFile("fake", []byte(script), 0o777); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := inPlace("claims --quick bytes starves --locksim ./fake " + test.flags)
		if code != test.code || !strings.Contains(stderr, test.stderr) || !strings.Contains(stdout, "(bytes)") || !strings.Contains(stdout, "(starves)") {
			t.Errorf("%s, %s: exit status %d, want %d with %q; stdout:\n%sstderr:\n%s", test.verdict, test.flags, code, test.code, test.stderr, stdout, stderr)
		}
	}
	code, stdout, stderr := inPlace("claims --quick --locksim ./fake")
	if args, err := os.ReadFile("args"); err != nil || !strings.HasPrefix(string(args), "claims --json unfair reload starves") {
		t.Errorf("it has %q simulated, error %v", args, err)
	}
	if code != exitOK || !strings.Contains(stdout, "(grace)") || strings.Contains(stdout, "(burns)") || strings.Contains(stdout, "(readers-1)") {
		t.Errorf("exit status %d, stdout:\n%sstderr:\n%s", code, stdout, stderr)
	}
	if code, _, stderr := inPlace("claims --quick burns"); code != exitUsage || !strings.Contains(stderr, "claim burns: is measured") {
		t.Errorf("a measured one: exit status %d, stderr %q", code, stderr)
	}
}
