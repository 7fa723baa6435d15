package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/engine"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/internal/wording"
)

type checkCmd struct {
	Locks      string `complete:"locks" placeholder:"LOCK,..." help:"Names or patterns; !PATTERN leaves out. By default all that are written against package primitives."`
	Properties string `complete:"properties" placeholder:"NAME,..." default:"*" help:"Names or patterns: exclusion, trylock, tries, fifo, permits, readers, reads, meeting (all that the lock claims)."`
	Workers    string `placeholder:"N" default:"3" help:"Workers (${default})."`
	Ops        string `placeholder:"N" default:"1" help:"Acquisitions, or attempts, of each worker (${default})."`
	Mode       string `complete:"dpor|bounded|pct|random" placeholder:"MODE" default:"dpor" help:"Take every schedule, one of each class of equivalent ones (dpor); every schedule with few preemptions (bounded); schedules with random priorities (pct); or random ones (random)."`
	Bound      string `placeholder:"N" help:"Preemptions in mode bounded (2), changes of priority in mode pct (3)."`
	Seed       string `placeholder:"N" help:"Seed of the modes pct and random (1)."`
	Schedules  string `placeholder:"N" help:"End each search after this many schedules (10000 in the modes pct and random)."`
	Budget     string `placeholder:"D" default:"60s" help:"Time for all searches together (${default}); 0s for no limit."`
	Replay     string `placeholder:"TOKEN" help:"Replay the schedule of a failure, of one lock and property."`
	Shard      string `placeholder:"I/N" help:"Search only the I'th of N parts of the claims, such as 1/3 on the first of three machines; auto/N is that of a job of Kubernetes or SLURM."`
	JSON       bool   `help:"Write JSON."`
	Plots      string `complete:"dirs" placeholder:"DIR" help:"Draw each violation into this directory."`
	SVG        string `complete:"dirs" name:"svg" hidden:"" now:"plots"`
}

// interrupted returns the error for a signal that ended the searches; began of them had
// begun. Their results are in the table.
func interrupted(began int, jobs []job) error {
	return fmt.Errorf("%w: %d of %s searched, the last of them perhaps not to its end", sweeping.ErrInterrupted, began, wording.Count(len(jobs), "claim"))
}

var errEarly = errors.New("the budget ended a search early")

// A job is a property of a lock to be checked.
type job struct {
	lock catalog.Entry
	claim
	what string
	body func(*check.Machine)
}

// A verdict is a job's outcome, as --json writes it.
type verdict struct {
	Lock      string         `json:"lock"`
	Property  string         `json:"property"`
	Verdict   string         `json:"verdict"` // holds, holds within bounds, not refuted, or violated
	Workers   int            `json:"workers"`
	Ops       int            `json:"ops"`
	Scope     string         `json:"scope"` // the schedules that were searched
	Schedules int            `json:"schedules"`
	Abandoned int            `json:"abandoned"`
	Steps     int            `json:"steps"`
	Seconds   float64        `json:"seconds"`
	Early     bool           `json:"early"` // whether a budget ended the search
	Cut       bool           `json:"cut"`   // whether the search ended a wait that may end at any time
	Long      int            `json:"long"`  // schedules too long to be searched to their end
	Failure   *check.Failure `json:"failure,omitempty"`
}

const (
	holds      = "holds"
	bounded    = "holds within bounds" // the scope names the bounds
	notRefuted = "not refuted"
	violated   = "violated"
)

func (c *checkCmd) Run(con commandline.Console) error {
	if !engine.Virtual {
		return commandline.Problems{errNative}
	}
	var bad commandline.Problems
	workers := commandline.One(&bad, "--workers", c.Workers, bad.Ints("--workers", c.Workers, 1, 9))
	ops := commandline.One(&bad, "--ops", c.Ops, bad.Ints("--ops", c.Ops, 1, 100))
	cfg := c.config(&bad)
	budget := commandline.One(&bad, "--budget", c.Budget, bad.Durations("--budget", c.Budget, 0, 1000*time.Hour))
	jobs := part(&bad, c.Shard, c.jobs(&bad, workers, ops))
	if c.Plots != "" {
		bad.Writable("--plots", c.Plots)
	}
	if len(bad) > 0 {
		return bad
	}

	ctx, restore := commandline.UntilSignal()
	defer restore()
	cfg.Done = ctx.Done()

	t := newTable(con.Out, jobs)
	if !c.JSON {
		t.head()
	}
	verdicts := make([]verdict, len(jobs))
	var undrawn error
	tries := func(i int, share time.Duration, last bool) error {
		j := jobs[i]
		cfg.Budget, cfg.Spins = share, 0
		if j.hurried {
			cfg.Spins = -1
		}
		p := newProgress(con.Err, j.lock.Name+", "+j.name)
		cfg.Progress = p
		r, err := check.Run(cfg, j.body)
		p.meter.Clear()
		if err != nil {
			return commandline.Problems{fmt.Errorf("--replay: %w", err)}
		}
		verdicts[i] = c.verdict(j, workers, ops, r)
		if v := verdicts[i]; !c.JSON && (last || !v.Early || ctx.Err() != nil) {
			t.row(v)
		}
		if verdicts[i].Failure == nil || c.Plots == "" {
			return nil
		}
		undrawn = errors.Join(undrawn, draw(verdicts[i], c.Plots, con.Err))
		return nil
	}
	// At first all jobs have the same share of the budget. The time that most of them
	// leave is for those that need more, which begin again.
	ends := time.Now().Add(budget)
	first := budget / time.Duration(len(jobs))
	var again []int
	for i := range jobs {
		if err := tries(i, first, budget == 0); err != nil {
			return err
		}
		if ctx.Err() != nil {
			for _, i := range again {
				if !c.JSON {
					t.row(verdicts[i])
				}
			}
			return errors.Join(c.end(con, verdicts[:i+1], true), interrupted(i+1, jobs), undrawn)
		}
		if verdicts[i].Early {
			again = append(again, i)
		}
	}
	for n, i := range again {
		if ctx.Err() != nil {
			break
		}
		share := time.Until(ends) / time.Duration(len(again)-n)
		if share <= first {
			if !c.JSON {
				t.row(verdicts[i])
			}
		} else if err := tries(i, share, true); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return errors.Join(c.end(con, verdicts, true), interrupted(len(jobs), jobs), undrawn)
	}
	return errors.Join(c.end(con, verdicts, false), undrawn)
}

// part returns the jobs of a shard: every n'th, so that a lock whose searches take long is
// not all in one.
func part(bad *commandline.Problems, shard string, jobs []job) []job {
	index, of := sweeping.ParseShard(bad, shard)
	if of == 0 {
		return jobs
	}
	var mine []job
	for i, j := range jobs {
		if i%of == index-1 {
			mine = append(mine, j)
		}
	}
	if len(mine) == 0 && len(*bad) == 0 {
		bad.Addf("--shard %s: has no claim: there %s %d in all", shard, wording.Is(len(jobs)), len(jobs))
	}
	return mine
}

// config returns how to search.
func (c *checkCmd) config(bad *commandline.Problems) check.Config {
	cfg := check.Config{Replay: c.Replay, Seed: 1}
	switch c.Mode {
	case "dpor":
		cfg.Mode = check.Exhaustive
	case "bounded":
		cfg.Mode, cfg.Bound = check.Bounded, 2
	case "pct":
		cfg.Mode, cfg.Bound = check.PCT, 3
	case "random":
		cfg.Mode = check.Random
	default:
		bad.Addf("--mode: unknown mode %q (known: dpor, bounded, pct, random)", c.Mode)
		return cfg // the other checks depend on it
	}
	drawn := cfg.Mode == check.PCT || cfg.Mode == check.Random
	if c.Bound != "" {
		cfg.Bound = commandline.One(bad, "--bound", c.Bound, bad.Ints("--bound", c.Bound, 0, 1000))
		if cfg.Mode != check.Bounded && cfg.Mode != check.PCT {
			bad.Addf("--bound %s: want --mode bounded or pct with it", c.Bound)
		}
	}
	if c.Seed != "" {
		cfg.Seed = bad.Seed("--seed", c.Seed)
		if !drawn {
			bad.Addf("--seed %s: want --mode pct or random with it", c.Seed)
		}
	}
	if drawn {
		cfg.Schedules = 10_000
	}
	if c.Schedules != "" {
		cfg.Schedules = commandline.One(bad, "--schedules", c.Schedules, bad.Ints("--schedules", c.Schedules, 1, math.MaxInt))
	}
	return cfg
}

// jobs returns the searches to make.
func (c *checkCmd) jobs(bad *commandline.Problems, workers, ops int) []job {
	properties, err := matching(strings.Split(c.Properties, ","))
	if err != nil {
		bad.Addf("--properties: %w", err)
	}
	patterns := strings.Split(cmp.Or(c.Locks, "!none"), ",")
	entries, err := catalog.MatchLocks(patterns...)
	if err != nil {
		bad.Add(err)
		return nil
	}
	var jobs []job
	for _, e := range entries {
		switch named := slices.Contains(patterns, e.Name); {
		case e.Peer && named:
			bad.Addf("lock %q: is not written against package primitives, so it cannot be checked", e.Name)
		case e.Unlocked:
			bad.Addf("lock %q: claims nothing that could be checked", e.Name)
		}
		if e.Peer || e.Unlocked {
			continue
		}
		for _, p := range properties {
			if body, what := p.of(e, workers, ops); body != nil {
				jobs = append(jobs, job{e, p, what, body})
			}
		}
	}
	switch {
	case len(*bad) > 0:
	case len(jobs) == 0:
		bad.Addf("no lock of %q claims a property of %q", cmp.Or(c.Locks, "!none"), c.Properties)
	case c.Replay != "" && len(jobs) > 1:
		bad.Addf("--replay: want one lock and one property, have %s", wording.Count(len(jobs), "pair"))
	}
	return jobs
}

func (c *checkCmd) verdict(j job, workers, ops int, r check.Report) verdict {
	v := verdict{
		Lock: j.lock.Name, Property: j.name, Workers: workers, Ops: ops, Scope: r.Scope(j.what),
		Schedules: r.Schedules, Abandoned: r.Abandoned, Steps: r.Steps, Seconds: r.Elapsed.Seconds(), Cut: r.Cut, Long: r.Long,
	}
	drawn := r.Config.Mode == check.PCT || r.Config.Mode == check.Random
	switch {
	case r.Failure != nil:
		v.Verdict, v.Failure = violated, r.Failure
		v.Failure.Replay = fmt.Sprintf("locksim check --locks %s --properties %s --workers %d --ops %d --replay %s",
			j.lock.Name, j.name, workers, ops, r.Failure.Token)
	case c.Replay != "":
		v.Verdict = notRefuted
	case r.Whole():
		v.Verdict = holds
	case r.Ended && r.Config.Mode == check.Exhaustive:
		v.Verdict = bounded
	default:
		v.Verdict = notRefuted
		v.Early = !r.Ended && !(drawn && r.Schedules+r.Abandoned >= r.Config.Schedules)
	}
	return v
}

// end writes the rest of the output, and returns an error if there was a violation or a
// search that its budget ended.
func (c *checkCmd) end(con commandline.Console, verdicts []verdict, interrupted bool) error {
	var unwritten error
	if c.JSON {
		enc := json.NewEncoder(con.Out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		unwritten = enc.Encode(verdicts)
	}
	early := 0
	var broken []string
	for _, v := range verdicts {
		if v.Early {
			early++
		}
		if v.Failure == nil {
			continue
		}
		if !c.JSON {
			fmt.Fprintf(con.Out, "\n%s, %s\n\n%v", v.Lock, v.Property, v.Failure)
		}
		if !slices.Contains(broken, v.Lock) {
			broken = append(broken, v.Lock)
		}
	}
	switch {
	case len(broken) > 0:
		return errors.Join(unwritten, commandline.Found(fmt.Errorf("violations by %s", strings.Join(broken, ", "))))
	case early > 0 && !interrupted:
		return fmt.Errorf("%w: %d of %d; want a longer --budget, fewer --workers or --ops, or another --mode", errEarly, early, len(verdicts))
	}
	return unwritten
}

// draw writes the figure of a violation.
func draw(v verdict, dir string, log io.Writer) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	name := filepath.Join(dir, v.Lock+"_"+v.Property+".svg")
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := errors.Join(v.Failure.WriteSVG(file), file.Close()); err != nil {
		return err
	}
	fmt.Fprintf(log, "locksim: %s\n", name)
	return nil
}

// A table shows each verdict as soon as it is known.
type table struct {
	out            io.Writer
	lock, property int // widths
}

func newTable(out io.Writer, jobs []job) *table {
	t := &table{out, len("LOCK"), len("PROPERTY")}
	for _, j := range jobs {
		t.lock, t.property = max(t.lock, len(j.lock.Name)), max(t.property, len(j.name))
	}
	return t
}

const tableLine = "%-*s  %-*s  %-19s  %9s  %11s  %6s  %s\n"

func (t *table) head() {
	fmt.Fprintf(t.out, tableLine, t.lock, "LOCK", t.property, "PROPERTY", "VERDICT", "SCHEDULES", "STEPS", "TIME", "SEARCHED")
}

func (t *table) row(v verdict) {
	searched := v.Scope
	if v.Failure != nil {
		searched = string(v.Failure.Kind) + ": " + v.Failure.Message
	}
	fmt.Fprintf(t.out, tableLine, t.lock, v.Lock, t.property, v.Property, v.Verdict, strconv.Itoa(v.Schedules), strconv.Itoa(v.Steps),
		fmt.Sprintf("%.1fs", v.Seconds), searched)
}

// A progress receives reports of how far a search has come, and shows them if it takes
// long, less and less often.
type progress struct {
	meter *commandline.Meter
	of    string
}

// patience is how long a search may take without a report.
const patience = 2 * time.Second

func newProgress(out io.Writer, of string) progress {
	return progress{commandline.NewMeter(out, "locksim", commandline.Pace{First: patience, Every: patience, Doubles: true}), of}
}

func (p progress) Write(line []byte) (int, error) {
	p.meter.Show(func() string {
		return p.of + ": " + strings.TrimSpace(strings.TrimPrefix(string(line), "check: "))
	})
	return len(line), nil
}
