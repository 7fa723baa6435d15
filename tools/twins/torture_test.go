package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each fault exists, and torture is sure to find one in each flavour.
func TestTargets(t *testing.T) {
	sure := map[string]bool{"rcu-domain": false, "rcu-pinned": false, "rcu-registered": false, "rcu-qsbr": false}
	for _, v := range targets {
		if _, known := sure[v.flavour]; !known {
			t.Errorf("%s: no such flavour", v)
		}
		sure[v.flavour] = sure[v.flavour] || v.sure
		broken, err := v.twin()
		if err == nil {
			_, err = overlay(t.TempDir(), "rcu", broken)
		}
		if err != nil {
			t.Errorf("%s: %v", v, err)
		}
	}
	for flavour, is := range sure {
		if !is {
			t.Errorf("no fault of %s that torture is sure to find", flavour)
		}
	}
}

// The page lists every target.
func TestTorturePage(t *testing.T) {
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, torturePage))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), tortureBeginning)
	table, _, found := strings.Cut(table, tortureEnd)
	if !found {
		t.Fatalf("%s has no table: want the lines %q and %q", torturePage, tortureBeginning, tortureEnd)
	}
	for _, v := range targets {
		if row := "| `" + v.flavour + "` | " + v.fault + " |"; !strings.Contains(table, row) {
			t.Errorf("%s does not list %s: go run ./tools/twins -torture", torturePage, v)
		}
	}
	if n := strings.Count(table, "\n") - 2; n != len(targets) {
		t.Errorf("%s lists %d targets, want %d: go run ./tools/twins -torture", torturePage, n, len(targets))
	}
}
