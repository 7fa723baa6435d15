package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/measure"
	"github.com/lockbench/lockbench/internal/slowdown"
	"github.com/lockbench/lockbench/internal/wholefile"
)

// power makes code slower, and counts what is caught.
func power(ctx context.Context, t *trial) error {
	fmt.Fprintln(t.out, "| slower by | how | trials | regressed | cannot tell | passed |")
	fmt.Fprintln(t.out, "|---|---|---|---|---|---|")
	row := func(share float64, how string, c count) {
		fmt.Fprintf(t.out, "| %.0f %% | %s | %d | %s | %s | %s |\n", 100*share, how, c.all(), percent(c.regressed, c.all()), percent(c.cannotTell, c.all()), percent(c.pass, c.all()))
	}
	for _, share := range []float64{0.05, 0.10} {
		c, err := slowed(ctx, t, share)
		if err != nil {
			return err
		}
		row(share, "the binary works longer: all benchmarks, real runs", c)
	}
	taped, err := readTape(t.tape)
	if err != nil {
		return err
	}
	for _, share := range []float64{0.05, 0.10} {
		var c count
		for i, b := range taped.Of {
			for k := range 10 {
				src := newResampled(taped, uint64(1000*i+k), 300)
				src.slower[b] = share
				rules := t.rules
				rules.Budget = 0
				rep, err := rules.Compare(ctx, src)
				if err != nil {
					return err
				}
				for _, r := range rep.Results {
					if r.Benchmark == b && r.Unit == "ns/op" && !r.Minor {
						c.add(r.Verdict)
					}
				}
			}
		}
		row(share, "one benchmark alone, readings of part aa multiplied", c)
	}
	return nil
}

// slowed runs the gate against code that is slower by share.
func slowed(ctx context.Context, t *trial, share float64) (c count, err error) {
	dir, err := os.MkdirTemp("", "gatetrial")
	if err != nil {
		return c, err
	}
	defer os.RemoveAll(dir)
	slower, err := slowdown.Flag(dir, share, ".")
	if err != nil {
		return c, err
	}
	for i := range max(1, t.runs/4) {
		cfg := t.measure
		cfg.Seed = uint64(100 + i)
		cfg.HeadFlags = []string{slower}
		rules := t.rules
		rules.Units = []string{"ns/op"}
		rep, err := t.gate(ctx, cfg, rules, nil, nil)
		if err != nil {
			return c, err
		}
		t.line(i+1, fmt.Sprintf("power %g", share), rep)
		for _, r := range rep.Results { // none should pass
			if r.Verdict == gate.Pass && !r.Minor && r.Unit == "ns/op" {
				fmt.Fprintf(t.log, "\tpass: %v %v: %+.1f %% (%+.1f to %+.1f), spread %.1f %%, n=%d\n", r.Benchmark, r.Distance, 100*r.Change, 100*r.Lo, 100*r.Hi, 100*r.Spread, r.N)
			}
		}
		c.times(rep)
	}
	return c, nil
}

// figureData is where the report is from which docs/fig-gate.svg is drawn.
const figureData = "docs/data/gate.json"

// figure makes a comparison in which one benchmark is slower, for a figure.
func figure(ctx context.Context, t *trial) error {
	dir, err := os.MkdirTemp("", "gatetrial")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	slower, err := slowdown.Flag(dir, 0.08, "lock=ticket/")
	if err != nil {
		return err
	}
	cfg := t.measure
	cfg.CPU, cfg.Seed, cfg.HeadFlags = []int{1}, 400, []string{slower}
	rules := t.rules
	rules.Units = []string{"ns/op"}
	rep, err := t.gate(ctx, cfg, rules, nil, nil)
	if err != nil {
		return err
	}
	t.line(1, "figure", rep)
	rep.Base, rep.Head = "the locks as they are", "the ticket lock made 8 % slower"
	return wholefile.Write(figureData, rep.WriteJSON)
}

// drift compares identical code while the machine gets slower.
func drift(ctx context.Context, t *trial) error {
	fmt.Fprintln(t.out, "| the machine | runs | with a false alarm | pass | cannot tell | regressed |")
	fmt.Fprintln(t.out, "|---|---|---|---|---|---|")
	row := func(what string, runs, alarms int, c count) {
		fmt.Fprintf(t.out, "| %s | %d | %d | %s | %s | %s |\n", what, runs, alarms, percent(c.pass, c.all()), percent(c.cannotTell, c.all()), percent(c.regressed, c.all()))
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var c count
	alarms := 0
	runs := max(1, t.runs/4)
	for i := range runs {
		cfg := t.measure
		cfg.Seed = uint64(200 + i)
		var neighbour *exec.Cmd
		rep, err := t.gate(ctx, cfg, t.rules, nil, func(p gate.Progress) {
			if p.Rounds == 6 && neighbour == nil { // a decision takes 11 at least
				neighbour = exec.CommandContext(ctx, self, "burn", t.rules.Budget.String())
				if err := neighbour.Start(); err != nil {
					fmt.Fprintln(t.log, "gatetrial:", err)
				}
			}
		})
		if neighbour != nil {
			neighbour.Process.Kill()
			neighbour.Wait()
		}
		if err != nil {
			return err
		}
		t.line(i+1, "drift", rep)
		if rep.Verdict == gate.Regressed {
			alarms++
		}
		c.times(rep)
	}
	row("has a neighbour from the sixth round on, on one of its CPUs", runs, alarms, c)

	taped, err := readTape(t.tape)
	if err != nil {
		return err
	}
	alarms, c = 0, count{}
	for i := range t.resample {
		src := newResampled(taped, uint64(i), 150)
		src.speed = func(round int) float64 { return 1 + 0.05*min(float64(round)/20, 1) }
		rules := t.rules
		rules.Budget = 0
		rep, err := rules.Compare(ctx, src)
		if err != nil {
			return err
		}
		if rep.Verdict == gate.Regressed {
			alarms++
		}
		c.times(rep)
	}
	row("gets 5 % slower over twenty rounds (resampled)", t.resample, alarms, c)
	return nil
}

// burn keeps a CPU busy.
func burn(long string) {
	d, err := time.ParseDuration(long)
	if err != nil {
		os.Exit(2)
	}
	for began := time.Now(); time.Since(began) < d; {
	}
}

// layout compares code with itself and one unused function more, which moves
// all that comes behind it.
func layout(ctx context.Context, t *trial) error {
	dir, err := os.MkdirTemp("", "gatetrial")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	base, head := filepath.Join(dir, "base"), filepath.Join(dir, "head")
	for _, d := range []string{base, head} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
		sh := exec.CommandContext(ctx, "sh", "-c", "git archive HEAD | tar -x -C \"$1\"", "sh", d)
		if out, err := sh.CombinedOutput(); err != nil {
			return fmt.Errorf("git archive: %w: %s", err, out)
		}
	}
	for _, p := range t.measure.Packages {
		name := filepath.Base(p)
		var b strings.Builder
		fmt.Fprintf(&b, "package %s\n\n// Unused keeps unused in the binary.\nvar Unused = unused\n\nfunc unused(n int) (s int) {\n", name)
		for i := range 50 {
			fmt.Fprintf(&b, "\tif n&%d != 0 {\n\t\ts = s*%d + n\n\t}\n", 1<<(i%20), i+3)
		}
		b.WriteString("\treturn s\n}\n")
		if err := os.WriteFile(filepath.Join(head, p, "unused.go"), []byte(b.String()), 0o644); err != nil {
			return err
		}
	}
	var c count
	alarms, runs := 0, max(1, t.runs/4)
	for i := range runs {
		cfg := t.measure
		cfg.Base, cfg.Head, cfg.BaseDir, cfg.HeadDir = "", "", base, head
		cfg.Seed = uint64(300 + i)
		rep, err := t.gate(ctx, cfg, t.rules, nil, nil)
		if err != nil {
			return err
		}
		t.line(i+1, "layout", rep)
		if rep.Verdict == gate.Regressed {
			alarms++
		}
		c.times(rep)
	}
	fmt.Fprintf(t.out, "An unused function of 50 branches added to each package: %d of %d runs raised an alarm; of %d verdicts %s pass, %s cannot tell, %s regressed.\n",
		alarms, runs, c.all(), percent(c.pass, c.all()), percent(c.cannotTell, c.all()), percent(c.regressed, c.all()))
	return nil
}

// versions compares two versions of a module of somebody else.
func versions(ctx context.Context, t *trial) error {
	var dirs []string
	for _, v := range []string{t.from, t.to} {
		out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", t.module+"@"+v).Output()
		if err != nil {
			return fmt.Errorf("go mod download %s@%s: %w", t.module, v, err)
		}
		_, rest, _ := strings.Cut(string(out), `"Dir": "`)
		dir, _, ok := strings.Cut(rest, `"`)
		if !ok {
			return fmt.Errorf("go mod download %s@%s: no directory", t.module, v)
		}
		dirs = append(dirs, dir)
	}
	cfg := measure.Config{BaseDir: dirs[0], HeadDir: dirs[1], Packages: []string{"."}, Bench: t.measure.Bench, Seed: 1}
	rep, err := t.gate(ctx, cfg, t.rules, nil, nil)
	if err != nil {
		return err
	}
	rep.Base, rep.Head = t.module+"@"+t.from, t.to
	fmt.Fprintln(t.out, "```")
	if err := rep.WriteText(t.out, gate.TextOptions{Width: 120}); err != nil {
		return err
	}
	fmt.Fprintln(t.out, "```")
	return nil
}
