package main

import (
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
