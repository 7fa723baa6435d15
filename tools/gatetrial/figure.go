package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/measure"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/internal/slowbench"
)

// figureData is where the report is from which docs/fig-gate.svg is drawn.
const figureData = "docs/data/gate.json"

// figureCommand makes a comparison in which one benchmark is slower, for a figure.
func figureCommand(ctx context.Context, args []string, _, stderr io.Writer) error {
	flags := flag.NewFlagSet("figure", flag.ContinueOnError)
	budget := flags.Duration("budget", 2*time.Minute, "of the comparison")
	if err := parse(flags, args, stderr); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "gatetrial")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	slower, err := slowbench.Flag(dir, 0.08, "lock=ticket/")
	if err != nil {
		return err
	}
	src, err := measure.Prepare(ctx, measure.Config{
		Base: "HEAD", Head: "HEAD", Packages: []string{"./ticket", "./qspinlock", "./mcs"}, CPU: []int{1}, Seed: 400, HeadFlags: []string{slower},
	})
	if err != nil {
		return err
	}
	defer src.Close()
	rep, err := gate.Rules{Budget: *budget, Units: []string{unit}}.Compare(ctx, src)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "gatetrial: %v in %v\n", rep.Verdict, rep.Took.Round(time.Second))
	rep.Base, rep.Head = "the locks as they are", "the ticket lock made 8 % slower"
	return atomicfile.Write(figureData, func(w io.Writer) error { return report.JSON(w, report.Document{Report: rep}) })
}
