package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/doctor"
	"github.com/lockbench/lockbench/internal/sweeping"
)

type doctorCmd struct {
	Quick bool `help:"Look for two seconds and not ten: fewer changes between near and far are seen, and the noise is less certain."`
	JSON  bool `help:"Write JSON."`
}

// How long locks are measured against themselves; the rest takes less than a second.
const (
	thorough = 10 * time.Second
	cursory  = 2 * time.Second
)

// Run looks at the machine. A finding is no failure, however bad.
func (c *doctorCmd) Run(con commandline.Console) error {
	ctx, restore := commandline.UntilSignal()
	defer restore()
	takes := thorough
	if c.Quick {
		takes = cursory
	}
	meter := commandline.NewMeter(con.Err, "lockbench", commandline.Pace{First: 2 * time.Second, Every: 3 * time.Second})
	report, err := doctor.Look(ctx, doctor.Options{For: takes, Progress: func(took time.Duration) {
		meter.Show(func() string {
			return fmt.Sprintf("locks against themselves, %v of %v", took.Round(time.Second), takes)
		})
	}})
	meter.Clear()
	if err != nil {
		return sweeping.Interruption(ctx, err)
	}
	if !c.JSON {
		return report.Text(con.Out)
	}
	enc := json.NewEncoder(con.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(report)
}

// Help is kong's.
func (doctorCmd) Help() string {
	return commandline.Examples(
		"lockbench doctor",
		"lockbench doctor --quick --json",
	)
}
