package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/gate/history"
	"github.com/lockbench/lockbench/gate/measure"
	"github.com/lockbench/lockbench/gate/report"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

type gateCmd struct {
	Between []string `complete:"files" arg:"" name:"file" optional:"" help:"With --files: the results of the base, and of the head; or of the head alone, for the shapes in --config."`
	Files   bool     `help:"Compare two files, or judge the shapes of one, and measure nothing."`
	Drift   string   `placeholder:"P" help:"With --files: by how much the machine's speed may have changed between samples that were not measured together (5%)."`
	Again   string   `complete:"files" hidden:"" help:"Not needed any more: measured the base a second time."`

	Base     string   `placeholder:"REF" help:"What to compare to, as git names it."`
	Head     string   `placeholder:"REF" default:"worktree" help:"What to judge; worktree is the files as they are (${default})."`
	Dir      string   `complete:"dirs" placeholder:"DIR" default:"." help:"Where the module is (${default})."`
	Packages []string `placeholder:"PATTERN" sep:"none" help:"Packages, as the go command names them; can be repeated (./...)."`
	Bench    string   `placeholder:"RE" help:"Benchmarks, as for go test -bench (all)."`
	Skip     string   `placeholder:"RE" help:"Benchmarks that are never run, as for go test -skip (none)."`
	CPUs     string   `name:"cpus" placeholder:"N,..." help:"CPU counts, as for go test -cpu (1, and all CPUs for benchmarks that start goroutines; with --sim: 1,8,64)."`
	CPU      string   `name:"cpu" hidden:"" now:"cpus"`
	Tags     string   `placeholder:"TAG,..." help:"Build tags."`
	With     []string `placeholder:"PATH" sep:"none" help:"A file or directory that both sides have as it is now, such as one that git ignores; can be repeated."`

	Margin     string `placeholder:"P" help:"By how much a benchmark must be worse to have regressed (3%)."`
	FDR        string `name:"fdr" placeholder:"P" help:"Share of the reported regressions that may be false, on average (1%)."`
	Confidence string `placeholder:"P" help:"Confidence of the intervals (99%)."`
	Unit       string `complete:"units" placeholder:"UNIT,..." help:"Units to judge (all whose direction is known)."`
	Metric     string `complete:"units" hidden:"" now:"unit"`
	Exact      bool   `help:"Judge counts, and no times: allocations, bytes and, if the machine or Callgrind counts them, instructions."`
	Budget     string `placeholder:"D" help:"How long the rounds may take (10m)."`
	Timeout    string `placeholder:"D" help:"A slice of a benchmark that takes longer has failed (1m)."`
	MinRounds  string `placeholder:"N" help:"How many pairs of binaries a verdict needs at least (10)."`
	CannotTell string `complete:"pass|fail" placeholder:"pass|fail" help:"The exit code of cannot tell, if not 3: that of pass or fail."`
	Config     string `complete:"files" placeholder:"FILE" help:"File with settings for flags that are not given, exceptions for benchmarks, and shape gates."`
	New        string `complete:"pass|fail" placeholder:"pass|fail|RE" help:"Verdict on benchmarks that only the head has: pass, fail, or pass if they match (pass)."`
	Removed    string `placeholder:"RE" help:"Benchmarks that only the base may have (none)."`

	Slice         string `placeholder:"D" help:"Length of a slice of a benchmark, of which there are up to eight in a process (3ms)."`
	FastestOf     string `hidden:"" help:"Not needed any more: on one CPU the fastest of up to seven slices counts."`
	Builds        string `placeholder:"N" help:"Pairs of binaries of each package at first, each pair with another layout; more are made as they are needed (12)."`
	ConfirmBuilds string `hidden:"" help:"Not needed any more: binaries for confirming."`
	Pin           string `placeholder:"CPU,..." help:"Bind the runs to these CPUs."`
	Seed          string `placeholder:"N" help:"Seed of the random order (1)."`

	Format  string `complete:"text|markdown|github|json|junit" placeholder:"FORMAT" default:"text" help:"text, markdown, github, json or junit (${default})."`
	Out     string `complete:"dirs" placeholder:"DIR" help:"Directory for the report in all formats, a forest plot, and every reading."`
	History string `complete:"dirs" placeholder:"DIR" help:"Directory of results to which the head's are added, only if it passes; see lockbench history."`
	Verbose bool   `help:"Show all that pass, too."`

	Sim       bool   `help:"Compare the locks of the base and of the head in the simulator, on other machines than this one."`
	Machine   string `complete:"machines" placeholder:"NAME,..." help:"With --sim: described machines, or files of descriptions (milan-2s,xeon-8176-8s)."`
	Locks     string `complete:"locks" placeholder:"LOCK,..." help:"With --sim: names or patterns, as for locksim run (all that can be simulated)."`
	Tolerance string `placeholder:"P" help:"With --sim: by how much something may be worse, or by as much as seeds differ, if that is more (2%)."`

	SelfTest bool   `help:"Test the gate itself, on the benchmarks of the head: against the same code, which must pass, and against code that is slower, which must not."`
	Slowdown string `placeholder:"P" default:"10%" help:"With --self-test: how much slower (${default})."`
}

// The errors with which a gate ends if it does not pass.
var (
	errRegressed  = commandline.Found(errors.New("regressed"))
	errCannotTell = errors.New("cannot tell")
)

const exitCannotTell = 3

func (c *gateCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	unfit, ofSim := c.ofMeasuring(), c.ofSimulating()
	file, says := c.settle(&bad)
	rules := c.rules(&bad, file)
	compare, drift := (*gating).measure, 0.0
	var simulation measure.Simulation
	switch {
	case c.Sim:
		compare = (*gating).simulate
		simulation = c.checkSim(&bad, says, unfit)
		rules = c.simulatedRules(&bad, says, rules)
	case len(ofSim) > 0:
		bad.Addf("%s: want it with --sim", strings.Join(ofSim, ", "))
	case c.Files:
		compare = (*gating).compareFiles
		c.checkFiles(&bad, file)
		drift = c.driftShare(&bad, says)
	case c.Drift != "":
		bad.Addf("--drift: want it with --files: what is measured here is measured together")
	case len(c.Between) > 0:
		bad.Addf("%s: want --files before files to compare", strings.Join(c.Between, " "))
	case c.SelfTest:
		compare = (*gating).selfTest
		if c.Base != "" || c.History != "" {
			bad.Addf("--self-test: want neither --base nor --history: it compares the head with itself")
		}
		if c.Out != "" || c.Format != "text" {
			bad.Addf("--self-test: want neither --out nor another --format than text: it is two comparisons, for people")
		}
		c.slowdown(&bad)
	case c.Base == "":
		bad.Addf("want --base REF, --files BASE HEAD, or --self-test")
	}
	if file != nil && len(file.Shapes) > 0 && !c.Files {
		bad.Addf("%s: has shapes, which are of the files that lockbench run makes: want --files, or a config without", c.Config)
	}
	measuring := c.measuring(&bad, file, says, rules.Units)
	if !slices.Contains(formats, c.Format) {
		bad.Addf("--format %s: want one of %s", c.Format, strings.Join(formats, ", "))
	}
	if c.CannotTell != "" && c.CannotTell != "pass" && c.CannotTell != "fail" {
		bad.Addf("%s %s: want pass or fail", says.of("cannot-tell"), c.CannotTell)
	}
	keeps := c.mayKeep(&bad)
	if c.History != "" {
		bad.Writable(says.of("history"), c.History)
	}
	g := &gating{gateCmd: c, console: con, rules: rules, config: file, measuring: measuring, simulation: simulation, keeps: keeps, drift: drift}
	if len(bad) > 0 {
		return g.refuse(bad)
	}

	if c.FastestOf != "" {
		warn(con, []string{"--fastest-of is not needed any more: of what runs on one CPU, the fastest slice counts"})
	}
	ctx, restore := commandline.UntilSignal()
	defer restore()

	rep, err := unlessDone(ctx, c.Files, func() (*gate.Report, error) { return compare(g, ctx) })
	switch {
	case err != nil:
		return g.refuse(sweeping.Interruption(ctx, err))
	case rep == nil: // of a self-test, which has printed everything
		return nil
	}
	d := report.Document{Report: rep, Shapes: g.shapes}
	return errors.Join(g.conclude(d), g.remember(d))
}

// mayKeep reports whether a report is to be written into --out, and can be.
func (c *gateCmd) mayKeep(bad *commandline.Problems) bool {
	if c.Out == "" {
		return false
	}
	before := len(*bad)
	bad.Writable("--out", c.Out)
	if !c.Files {
		if err := measure.MayRecord(c.Out); err != nil {
			bad.Addf("--out: %w: want another directory", err)
		}
	}
	return len(*bad) == before
}

// Refuse reports that there is no verdict, because args make no sense. It searches args
// for the flags about the report, since they cannot be parsed.
func (*gateCmd) Refuse(con commandline.Console, args []string, err error) error {
	c := &gateCmd{Format: "text"}
	for i, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok && i+1 < len(args) {
			value = args[i+1]
		}
		switch {
		case name == "--format" && slices.Contains(formats, value):
			c.Format = value
		case name == "--out" && !strings.HasPrefix(value, "-"):
			c.Out = value
		case name == "--files":
			c.Files = true
		}
	}
	var bad commandline.Problems
	bad.Add(err)
	g := &gating{gateCmd: c, console: con, keeps: c.mayKeep(&bad)}
	return g.refuse(bad)
}

// A gating is one run of the gate.
type gating struct {
	*gateCmd
	console   commandline.Console
	rules     gate.Rules
	config    *config.File
	measuring measure.Config
	keeps     bool // write into --out
	drift     float64

	simulation measure.Simulation // with --sim

	shapes    []shape.Finding       // of the files
	simulated []measure.ResultsFile // with --sim
}

// formats are the formats of a report.
var formats = []string{"text", "markdown", "github", "json", "junit"}

// rules returns the rules of the configuration and of the flags; flags take precedence.
func (c *gateCmd) rules(bad *commandline.Problems, file *config.File) gate.Rules {
	r := file.Rules()
	share := func(flag, text string, to *float64) {
		if text == "" {
			return
		}
		v, ok := config.ParseShare(text)
		if !ok || !(v > 0 && v <= 1) || v == 1 && flag == "--confidence" {
			bad.Addf("%s %s: want a share above 0 and up to 1, such as 3%% or 0.03", flag, text)
			return
		}
		*to = v
	}
	share("--margin", c.Margin, &r.Margin)
	share("--fdr", c.FDR, &r.FDR)
	share("--confidence", c.Confidence, &r.Confidence)
	r.Budget = cmp.Or(r.Budget, 10*time.Minute)
	if c.Budget != "" {
		r.Budget = commandline.One(bad, "--budget", c.Budget, bad.Durations("--budget", c.Budget, time.Second, 24*time.Hour))
	}
	if c.MinRounds != "" {
		r.MinRounds = commandline.One(bad, "--min-rounds", c.MinRounds, bad.Ints("--min-rounds", c.MinRounds, 6, 10_000))
	}
	if c.Unit != "" {
		r.Units = nil
		for unit := range strings.SplitSeq(c.Unit, ",") {
			if unit = strings.TrimSpace(unit); unit == "" {
				bad.Addf("--unit %s: want units such as ns/op,allocs/op", c.Unit)
				break
			}
			r.Units = append(r.Units, unit)
		}
	}
	if c.Exact {
		if c.Unit != "" {
			bad.Addf("--exact --unit: want one of them")
		}
		r.Units = []string{"allocs/op", "B/op"}
		if !c.Files {
			r.Units = append(r.Units, results.Instructions)
		}
	}
	r.Declared = c.declared(bad, r.Declared)
	return r
}

// declared adds the declarations of the flags to those of the configuration: a
// benchmark that only the head has passes, unless one of them says otherwise.
func (c *gateCmd) declared(bad *commandline.Problems, known func(gate.Benchmark, gate.Side) bool) func(gate.Benchmark, gate.Side) bool {
	compile := func(flag, text string) *regexp.Regexp {
		if text == "" {
			return nil
		}
		re, err := regexp.Compile(text)
		if err != nil {
			bad.Addf("%s: %w", flag, err)
		}
		return re
	}
	removed := compile("--removed", c.Removed)
	var fresh *regexp.Regexp
	if c.New != "pass" && c.New != "fail" {
		fresh = compile("--new", c.New)
	}
	return func(b gate.Benchmark, only gate.Side) bool {
		switch {
		case only == gate.Base:
			return known != nil && known(b, only) || removed != nil && removed.MatchString(b.String())
		case fresh != nil:
			return fresh.MatchString(b.String())
		case c.New != "":
			return c.New == "pass"
		}
		return known == nil || known(b, only)
	}
}

// measuring returns how to measure, according to the flags.
func (c *gateCmd) measuring(bad *commandline.Problems, file *config.File, says saying, units []string) measure.Config {
	cfg := measure.Config{
		Dir: c.Dir, Base: c.Base, Head: c.Head,
		Packages: c.Packages, Bench: c.Bench, Tags: c.Tags, With: c.With,
		Slice:   commandline.One(bad, says.of("slice"), c.Slice, bad.Durations(says.of("slice"), c.Slice, 100*time.Microsecond, time.Minute)),
		Builds:  commandline.One(bad, says.of("builds"), c.Builds, bad.Ints(says.of("builds"), c.Builds, 2, 64)),
		Seed:    bad.Seed(says.of("seed"), c.Seed),
		Timeout: commandline.One(bad, says.of("timeout"), c.Timeout, bad.Durations(says.of("timeout"), c.Timeout, time.Second, 24*time.Hour)),
	}
	cfg.Skip = c.Skip
	if file != nil {
		cfg.Skip = strings.Join(slices.DeleteFunc(append(slices.Clone(file.Skip), c.Skip), func(s string) bool { return s == "" }), "|")
		cfg.Ignore = file.Ignores
	}
	timed := func(unit string) bool { return unit != results.Instructions && !results.Counted(unit) }
	if len(units) > 0 && !slices.ContainsFunc(units, timed) {
		cfg.Builds = min(cfg.Builds, 4) // ten readings of values that do not vary are enough
	}
	switch {
	case c.Exact:
		cfg.Instructions = measure.CountIfPossible
	case slices.Contains(units, results.Instructions):
		cfg.Instructions = measure.MustCount
	}
	if c.CPUs != "" {
		cfg.CPU = bad.Ints(says.of("cpus"), c.CPUs, 1, 1024)
		if n := runtime.NumCPU(); !c.Files && !c.Sim && slices.Max(cfg.CPU) > n && slices.Max(cfg.CPU) <= 1024 {
			bad.Addf("%s %s: the machine has %d: want no more", says.of("cpus"), c.CPUs, n)
		}
	}
	if c.Pin != "" {
		cfg.Pin = bad.Ints(says.of("pin"), c.Pin, 0, 1<<16)
	}
	for _, re := range []struct{ flag, text string }{{says.of("bench"), c.Bench}, {"--skip", c.Skip}} {
		if _, err := regexp.Compile(re.text); err != nil {
			bad.Addf("%s: %w", re.flag, err)
		}
	}
	return cfg
}

// measure compares two revisions.
func (g *gating) measure(ctx context.Context) (*gate.Report, error) {
	g.measuring.Record, g.measuring.Units = g.Out, g.rules.Units
	return g.run(ctx, g.measuring)
}

// remember adds the head's medians to the history, if it passes.
func (g *gating) remember(rep report.Document) error {
	switch outcome := rep.Outcome(); {
	case g.History == "":
		return nil
	case outcome != gate.Pass:
		fmt.Fprintf(g.console.Err, "lockbench: nothing added to %s: only what passes is, and this is: %v\n", g.History, outcome)
		return nil
	case len(rep.Results) == 0:
		fmt.Fprintf(g.console.Err, "lockbench: nothing added to %s: nothing was measured, since the base has no benchmarks\n", g.History)
		return nil
	}
	name, err := history.Record(g.History, time.Now(), rep.Head, results.Host(), rep.Report)
	if err != nil {
		return fmt.Errorf("--history: %w", err)
	}
	fmt.Fprintf(g.console.Err, "lockbench: %s\n", name)
	return nil
}

// run builds, measures and judges.
func (g *gating) run(ctx context.Context, cfg measure.Config) (*gate.Report, error) {
	cfg.Log = func(line string) { fmt.Fprintf(g.console.Err, "lockbench: %s\n", line) }
	warn(g.console, fitness.Look(ctx).Warnings())
	src, err := measure.Prepare(ctx, cfg)
	if err != nil {
		return nil, asInput(ctx, err)
	}
	defer src.Close()
	began := time.Now()
	meter := commandline.NewMeter(g.console.Err, "lockbench", commandline.Pace{First: 2 * time.Second, Every: 5 * time.Second})
	rules := g.rules
	rules.Progress = func(p gate.Progress) {
		meter.Show(func() string {
			return fmt.Sprintf("%s: round %d, %d of %d benchmarks undecided, %d suspect; %v of at most %v",
				p.Stage, p.Rounds, p.Open, p.Of, p.Suspect, time.Since(began).Round(time.Second), rules.Budget)
		})
	}
	rep, err := rules.Compare(ctx, src)
	meter.Clear()
	if err != nil {
		return nil, asInput(ctx, err)
	}
	rep.Base, rep.Head = src.Sides()
	before, during := src.Fitness()
	rep.Warnings = slices.Concat(rep.Warnings, src.Warnings(), before.Warnings(), during.Warnings())
	return rep, nil
}

// asInput turns an error of the compared code into one of the command line: a failing
// build or benchmark is no regression, and no pass.
func asInput(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var bad commandline.Problems
	bad.Add(err)
	return bad
}

// checkFiles checks that there are two files, or one if only shapes are judged.
func (c *gateCmd) checkFiles(bad *commandline.Problems, config *config.File) {
	if alone := len(c.Between) == 1 && config != nil && len(config.Shapes) > 0; len(c.Between) != 2 && !alone {
		bad.Addf("--files: want two files, the base's and the head's, have %d (or one, and shapes in --config)", len(c.Between))
	}
	if c.Base != "" || c.SelfTest || c.History != "" {
		bad.Addf("--files: want neither --base, --self-test nor --history: the files are what is compared")
	}
}

// driftShare returns the value of --drift for [gate.Files].
func (c *gateCmd) driftShare(bad *commandline.Problems, says saying) float64 {
	if c.Drift == "" {
		return 0
	}
	v, ok := config.ParseShare(c.Drift)
	switch {
	case !ok || !(v >= 0 && v <= 1):
		bad.Addf("%s %s: want a share from 0 to 1, such as 5%% or 0.05", says.of("drift"), c.Drift)
	case v == 0:
		return -1 // in Files 0 means the default
	}
	return v
}

// unlessDone returns the result of f. If f reads files, it does not wait for f once ctx
// is done: one may be a FIFO without a writer, and nothing ends such an open.
func unlessDone(ctx context.Context, files bool, f func() (*gate.Report, error)) (*gate.Report, error) {
	if !files {
		return f()
	}
	type result struct {
		rep *gate.Report
		err error
	}
	c := make(chan result, 1)
	go func() {
		rep, err := f()
		c <- result{rep, err}
	}()
	select {
	case r := <-c:
		return r.rep, r.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// compareFiles compares two files, and checks the shapes that the configuration demands
// of the head. It only checks the shapes if there is no file of the base.
func (g *gating) compareFiles(ctx context.Context) (*gate.Report, error) {
	if len(g.Between) == 1 {
		return g.judgeFile(ctx, g.Between[0])
	}
	files, err := gate.ReadFiles(g.Between[0], g.Between[1])
	if err != nil {
		return nil, asInput(ctx, err)
	}
	files.Only, files.Drift = g.selects(), g.drift
	rep, err := g.rules.CompareFiles(ctx, files)
	if err != nil {
		return nil, asInput(ctx, err)
	}
	if g.shapes, err = g.judgeShapes(g.Between[0], g.Between[1]); err != nil {
		return nil, asInput(ctx, err)
	}
	return rep, nil
}

// selects returns which benchmarks of files --bench selects and --skip does not leave
// out.
func (g *gating) selects() func(gate.Benchmark) bool {
	if g.Bench == "." && g.measuring.Skip == "" {
		return nil
	}
	re := regexp.MustCompile(g.Bench) // checked with the flags
	return func(b gate.Benchmark) bool {
		return (re.MatchString(b.String()) || re.MatchString("Benchmark"+b.Name)) && !measure.Skips(g.measuring.Skip, b.Name)
	}
}

// judgeShapes checks the shapes that the configuration demands of the head's sweep.
func (g *gating) judgeShapes(base, head string) ([]shape.Finding, error) {
	if g.config == nil || len(g.config.Shapes) == 0 {
		return nil, nil
	}
	b, errB := results.ReadFile(base)
	h, errH := results.ReadFile(head)
	if err := errors.Join(errB, errH); err != nil {
		return nil, err
	}
	return shape.Judge(g.config.Shapes, g.config.Confidence, h, b)
}

// judgeFile checks the shapes of one file. The report has nothing else.
func (g *gating) judgeFile(ctx context.Context, name string) (*gate.Report, error) {
	head, err := results.ReadFile(name)
	if err != nil {
		return nil, asInput(ctx, err)
	}
	if g.shapes, err = shape.Judge(g.config.Shapes, g.config.Confidence, head, nil); err != nil {
		return nil, asInput(ctx, err)
	}
	rep := &gate.Report{Rules: g.rules, Head: name}
	for _, s := range head.Samples {
		rep.Rounds = max(rep.Rounds, s.Round)
	}
	return rep, nil
}

// refuse writes, in the format asked for, that there is no verdict because of err. It
// returns err, joined with errors of writing.
func (g *gating) refuse(err error) error {
	rep := report.Document{Report: &gate.Report{Rules: g.rules, Base: g.Base, Verdict: gate.NoVerdict}}
	if g.Base != "" {
		rep.Head = g.Head
	}
	var bad commandline.Problems
	bad.Add(err)
	for _, p := range bad {
		rep.Problems = append(rep.Problems, p.Error())
	}
	// On a terminal the error appears below, on stderr.
	if width, _ := commandline.Terminal(g.console.Out); width == 0 || g.Format != "text" {
		err = errors.Join(err, g.write(g.console.Out, g.Format, rep))
	}
	if g.keeps {
		err = errors.Join(err, g.keep(rep))
	}
	return err
}

// conclude writes the report, and returns what it means for the exit code.
func (g *gating) conclude(rep report.Document) error {
	rep.Warnings = slices.Concat(rep.Warnings, g.config.Unused(), g.config.Ignored())
	err := g.write(g.console.Out, g.Format, rep)
	if g.keeps {
		err = errors.Join(err, g.keep(rep))
	}
	return errors.Join(g.outcome(rep), err)
}

// outcome returns the error for a report. It reports a regression even if the
// comparison is not whole; a pass needs a whole one.
func (g *gating) outcome(rep report.Document) error {
	switch rep.Outcome() {
	case gate.Regressed:
		return errRegressed
	case gate.NoVerdict:
		return noVerdict(rep)
	case gate.CannotTell:
		switch g.CannotTell {
		case "pass":
		case "fail":
			return fmt.Errorf("%w, which is to fail", errRegressed)
		default:
			return errCannotTell
		}
	}
	return nil
}

// noVerdict returns all reasons why there is no verdict, in short: the report has the
// details.
func noVerdict(rep report.Document) error {
	var bad commandline.Problems
	for _, p := range rep.Problems {
		bad.Addf("%s", p)
	}
	for _, res := range rep.Results {
		if res.Verdict == gate.NoVerdict {
			bad.Addf("%v: %s", res.Benchmark, res.Why)
		}
	}
	for _, only := range []struct {
		of         []gate.Benchmark
		side, flag string
	}{{rep.OnlyBase, "base", "--removed"}, {rep.OnlyHead, "head", "--new"}} {
		for _, b := range only.of {
			bad.Addf("%v: only the %s has it; if that is right, say %s '^%s$'", b, only.side, only.flag, regexp.QuoteMeta(b.String()))
		}
	}
	if len(bad) == 0 {
		bad.Add(gate.ErrNothing)
	}
	return bad
}

// write writes the report in one format.
func (g *gating) write(w io.Writer, format string, rep report.Document) error {
	switch format {
	case "markdown":
		return report.Markdown(w, rep, report.MarkdownOptions{Command: command()})
	case "github":
		return report.GitHub(w, rep, report.GitHubOptions{Command: command(), Summary: os.Getenv("GITHUB_STEP_SUMMARY"), Lines: g.lines(rep)})
	case "json":
		return report.JSON(w, rep)
	case "junit":
		return report.JUnit(w, rep, report.JUnitOptions{CannotTellPasses: g.CannotTell == "pass"})
	}
	width, _ := commandline.Terminal(w)
	return report.Text(w, rep, report.TextOptions{Width: width, Verbose: g.Verbose, Color: commandline.Color(w)})
}

// command returns the command line, so that a reader can repeat it.
func command() string { return "lockbench " + strings.Join(os.Args[1:], " ") }

// keep writes the report into --out in all formats, with a forest plot. Each file is
// written completely or not at all, and the verdict only after all others.
func (g *gating) keep(rep report.Document) error {
	if err := os.MkdirAll(g.Out, 0o777); err != nil {
		return err
	}
	verdict := filepath.Join(g.Out, "verdict")
	if err := os.Remove(verdict); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, file := range []struct{ name, format string }{
		{"report.txt", "text"}, {"report.md", "markdown"}, {"report.json", "json"}, {"junit.xml", "junit"},
	} {
		write := func(w io.Writer) error { return g.write(w, file.format, rep) }
		if file.format == "markdown" && len(rep.Results) > 0 {
			write = func(w io.Writer) error {
				return report.Markdown(w, rep, report.MarkdownOptions{Command: command(), Picture: "forest.svg"})
			}
		}
		if err := atomicfile.Write(filepath.Join(g.Out, file.name), write); err != nil {
			return err
		}
	}
	if err := g.keepSimulated(); err != nil {
		return err
	}
	if len(rep.Results) > 0 {
		files, err := plots.WriteForest(g.Out, rep.Report, plots.ForestOptions{})
		for _, f := range files {
			fmt.Fprintf(g.console.Err, "lockbench: %s\n", f.Path)
		}
		if err != nil {
			return err
		}
	}
	return atomicfile.Write(verdict, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, rep.Outcome())
		return err
	})
}
