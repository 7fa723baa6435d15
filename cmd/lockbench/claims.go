package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/internal/claims"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/internal/sweeping"
)

type claimsCmd struct {
	Claims  []string `complete:"claims" arg:"" name:"claim" optional:"" help:"Names of claims; all without them."`
	Locksim string   `complete:"files" placeholder:"PROGRAM" help:"A locksim that was built with -tags virtual, for the claims about many CPUs (by default one is built)."`
	Quick   bool     `help:"Only claims of which the verdict rests on what is counted or simulated: seconds, also on a busy machine."`

	ExitCode bool `help:"End with exit code 1 if a claim does not hold, and with 3 if that cannot be told of one."`

	JSON bool   `help:"Write JSON."`
	Out  string `complete:"files" placeholder:"FILE" help:"Write a page in Markdown, too, with a figure of each claim beside it."`
}

// locksimPackage is what simulates.
const locksimPackage = "github.com/lockbench/lockbench/cmd/locksim"

func (c *claimsCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	for _, name := range c.Claims {
		if !slices.Contains(claims.Names(), name) {
			bad.Addf("unknown claim %q (known: %s)", name, strings.Join(claims.Names(), ", "))
		} else if i := slices.Index(claims.Names(), name); c.Quick && claims.All()[i].Measured {
			bad.Addf("claim %s: is measured, and --quick leaves that out", name)
		}
	}
	if c.Locksim != "" {
		if _, err := exec.LookPath(c.Locksim); err != nil {
			bad.Addf("--locksim: %w", err)
		}
	}
	if c.Out != "" && filepath.Ext(c.Out) != ".md" {
		bad.Addf("--out %s: want a name that ends in .md", c.Out)
	}
	if len(bad) > 0 {
		return bad
	}
	ctx, restore := commandline.UntilSignal()
	defer restore()

	warn(con, fitness.Look(ctx).Warnings())
	var here, there []claims.Claim
	for _, claim := range claims.All() {
		switch {
		case len(c.Claims) > 0 && !slices.Contains(c.Claims, claim.Name), c.Quick && claim.Measured:
		case claim.Simulated:
			there = append(there, claim)
		default:
			here = append(here, claim)
		}
	}
	meter := commandline.NewMeter(con.Err, "lockbench", commandline.Pace{First: time.Second, Every: time.Second})
	all, err := claims.Run(ctx, here, func(claim claims.Claim) {
		meter.Show(func() string { return "trying " + claim.Name + ": " + claim.Says })
	})
	if err == nil && len(there) > 0 {
		meter.Show(func() string { return "trying the simulated ones" })
		var more []claims.Result
		more, err = c.simulate(ctx, there)
		all = append(all, more...)
	}
	meter.Clear()
	if sweeping.Stacks(con.Err, err) {
		err = commandline.Found(err)
	}
	if err = errors.Join(c.write(con, all, err == nil), sweeping.Interruption(ctx, err)); err != nil || !c.ExitCode {
		return err
	}
	return verdict(all)
}

// verdict is nil if all claims hold.
func verdict(all []claims.Result) error {
	by := make(map[claims.Verdict][]string)
	for _, r := range all {
		by[r.Verdict] = append(by[r.Verdict], r.Name)
	}
	if names := by[claims.DoesNotHold]; len(names) > 0 {
		return commandline.Found(fmt.Errorf("does not hold: %s", strings.Join(names, ", ")))
	}
	if names := by[claims.CannotTell]; len(names) > 0 {
		return fmt.Errorf("%w: %s", errCannotTell, strings.Join(names, ", "))
	}
	return nil
}

// simulate has a locksim try claims.
func (c *claimsCmd) simulate(ctx context.Context, of []claims.Claim) ([]claims.Result, error) {
	program := c.Locksim
	if program == "" {
		dir, err := os.MkdirTemp("", "lockbench-claims-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "locksim")
		build := exec.CommandContext(ctx, "go", "build", "-tags", "virtual", "-o", program, locksimPackage)
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%w:\n%s\nso the simulated claims are not tried: run it in a module that requires lockbench, or build one elsewhere with go build -tags virtual %s, and name it with --locksim", err, bytes.TrimSpace(out), locksimPackage)
		}
	}
	args := []string{"claims", "--json"}
	for _, claim := range of {
		args = append(args, claim.Name)
	}
	var out, errs bytes.Buffer
	run := exec.CommandContext(ctx, program, args...)
	run.Stdout, run.Stderr = &out, &errs
	if err := run.Run(); err != nil {
		return nil, fmt.Errorf("%s claims: %w: %s", program, err, bytes.TrimSpace(errs.Bytes()))
	}
	all, err := claims.ReadJSON(&out)
	if err != nil {
		return nil, fmt.Errorf("%s claims: %w", program, err)
	}
	return all, nil
}

// write writes the results that there are, and the page if they are whole: one that is
// there is not replaced by a part of it.
func (c *claimsCmd) write(con commandline.Console, all []claims.Result, whole bool) error {
	if len(all) == 0 {
		return nil
	}
	var err error
	if c.JSON {
		err = claims.WriteJSON(con.Out, all)
	} else {
		err = claims.WriteText(con.Out, all)
	}
	if err != nil || c.Out == "" || !whole {
		return err
	}
	name := strings.TrimSuffix(filepath.Base(c.Out), ".md")
	picture := func(claim string) string { return name + "-" + claim + ".svg" }
	for _, r := range all {
		if err := atomicfile.Write(filepath.Join(filepath.Dir(c.Out), picture(r.Name)), func(w io.Writer) error { _, err := w.Write(r.Figure()); return err }); err != nil {
			return err
		}
	}
	command := strings.Join(slices.DeleteFunc([]string{"lockbench claims", strings.Join(c.Claims, " "), "--out " + cmp.Or(c.Out, "")}, func(s string) bool { return s == "" }), " ")
	return atomicfile.Write(c.Out, func(w io.Writer) error { return claims.WriteMarkdown(w, all, command, picture) })
}
