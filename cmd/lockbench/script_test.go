package main

import (
	"testing"

	"github.com/lockbench/lockbench/internal/commandline/script"
)

func TestPackageComment(t *testing.T) { script.PackageComment(t, "lockbench", 7, run) }
