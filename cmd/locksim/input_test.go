package main

import (
	"testing"

	"github.com/lockbench/lockbench/internal/commandline/script"
)

func TestEmptyFlags(t *testing.T) { script.Empty(t, program, "run --plots") }

func TestOldNamesOfFlags(t *testing.T) { script.Renamed(t, program, "check --svg --plots") }
