package main

import (
	"testing"

	"github.com/lockbench/lockbench/internal/commandline/script"
)

func TestPackageComment(t *testing.T) {
	if racy {
		t.Skip("tortures a flavour that never waits, which is a data race")
	}
	script.PackageComment(t, "lockbench", 7, run)
}
