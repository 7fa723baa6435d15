package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/engine"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/sim/machines"
)

type runCmd struct {
	Machine string `complete:"machines" placeholder:"NAME|FILE" default:"milan-2s" help:"Machine to simulate, by its name or in a TOML file (${default})."`
	Locks   string `complete:"locks" placeholder:"LOCK,..." help:"Names or patterns; !PATTERN leaves out. Locks that do not suit the mode and the workloads are left out, and so are those that are not written against package primitives, except sync.Mutex and sync.RWMutex, of which there are models. By default all that suit, with the empty lock none and two flavours of RCU, and without the pinned forms."`
	sweeping.Axes
	Workload string `complete:"workloads" placeholder:"NAME,..." default:"bare" help:"What critical sections do (${default}: touch one line)."`
	Mode     string `complete:"goroutine|pinned" placeholder:"MODE,..." default:"goroutine" help:"Workers are goroutines (goroutine), or goroutines that cannot be preempted while they hold the lock (pinned)."`
	Duration string `placeholder:"D" help:"Length of a sample in virtual time (until there are 1,000 acquisitions for each CPU)."`
	Count    string `placeholder:"N" default:"1" help:"Samples of each combination, each with a seed of its own (${default})."`
	Latency  bool   `help:"Measure the time to acquire, too: percentiles of service times, from the call. An open loop always has them."`
	Quick    bool   `help:"A rough answer: 1 CPU and all."`
	sweeping.Arrivals
	Jobs string `placeholder:"N" help:"Processes that simulate at the same time (one for each CPU). The results do not depend on it."`
	sweeping.Shard
	sweeping.Output
	meaningless

	machine *machines.Description
	peers   []string // locks that cannot be simulated
}

// Flags of lockbench run that are meaningless in virtual time. They are known so that the
// error says why.
type meaningless struct {
	Work     string `hidden:"" placeholder:"KIND,..."`
	Place    string `hidden:"" placeholder:"PLACE,..."`
	GC       string `name:"gc" hidden:"" placeholder:"PERCENT,..."`
	Counters bool   `hidden:""`
	Forks    string `hidden:"" placeholder:"N"`
}

// refuse refuses the flags that were given.
func (m *meaningless) refuse(bad *commandline.Problems) {
	for _, f := range []struct {
		given     bool
		flag, why string
	}{
		{m.Work != "" && m.Work != harness.Registers.String(), "--work " + m.Work, "in virtual time work is time that passes, whatever it is made of"},
		{m.Place != "", "--place", "workers have the CPUs of the machine in the order of their numbers"},
		{m.GC != "", "--gc", "the collector takes no virtual time"},
		{m.Counters, "--counters", "the CPUs would count the simulator; it counts lines/op, remote-lines/op and spin-ns/op itself"},
		{m.Forks != "", "--forks", "processes do not differ in virtual time; --jobs says how many simulate"},
	} {
		if f.given {
			bad.Addf("%s: cannot be simulated: %s", f.flag, f.why)
		}
	}
}

// Help is kong's.
func (runCmd) Help() string {
	return commandline.Examples(
		"locksim run --quick",
		"locksim run --machine xeon-8176-8s --locks 'ticket,mcs,clh' --cpus 1,16,224 --reads 0",
		"locksim run --machine mine.toml --cpus 64 --latency --count 6 --out mine.txt --resume",
	)
}

func (c *runCmd) Run(con commandline.Console) error {
	if !engine.Virtual {
		return commandline.Problems{errNative}
	}
	var bad commandline.Problems
	sweep := c.sweep(&bad)
	jobs := runtime.NumCPU()
	if c.Jobs != "" {
		jobs = commandline.One(&bad, "--jobs", c.Jobs, bad.Ints("--jobs", c.Jobs, 1, 1024))
	}
	if sweeping.IsFork() {
		if len(bad) > 0 {
			return bad
		}
		return sweeping.Serve(con, c.scenarios(sweep), c.simulate)
	}
	c.Check(&bad, sweep, c.settings(sweep))
	if len(bad) > 0 {
		return bad
	}

	ctx, restore := commandline.UntilSignal()
	defer restore()
	facts := c.facts(sweep)
	resume := results.Continue
	if c.Extend {
		resume = results.Resume
	}
	w, file, err := c.Open(facts, resume)
	if err != nil {
		return err
	}
	if file.Torn != "" {
		con.Sayf("%s: dropped its last line, which was cut off", c.Out)
	}
	sweeping.LeftOut(con, sweep)
	if len(c.peers) > 0 {
		con.Sayf("left out, not written against package primitives: %s", strings.Join(c.peers, ", "))
	}
	scenarios := c.scenarios(sweep)
	con.Sayf("%s: %s", c.machine.Machine.Name, extent(scenarios, sweep.Count))
	err = simulateAll(ctx, con, jobs, tasks(scenarios, sweep), file.Done(), func(s results.Sample) error { return sweeping.Keep(w, file, s) })
	err = sweeping.Interruption(ctx, err)
	unsteady(con, file.Samples)
	// With fewer samples there are no intervals, without which a digest ranks nothing.
	c.Table = c.Table || sweep.Count < 6
	return c.End(con, file, facts, errors.Join(err, w.Close()))
}

// someReads are the shares of reads of a sweep for which no flag asks: fewer than on the
// host, because a simulated sample of many CPUs takes longer than a measured one.
const someReads = "0,90"

// sweep returns the sweep that the flags ask for.
func (c *runCmd) sweep(bad *commandline.Problems) harness.Sweep {
	c.refuse(bad)
	all := sweeping.MaxCPUs
	machine, err := machines.Find(c.Machine)
	bad.Add(err)
	if err == nil {
		c.machine, all = machine, machine.Machine.CPUs()
	}
	sweep := harness.Sweep{Latency: c.Latency}
	c.Fill(bad, &sweep, sweeping.CPUCounts(all), someReads, c.Quick)
	c.Shard.Choose(bad, &sweep)
	for _, n := range sweep.CPUs {
		if n > all {
			bad.Addf("--cpus %d: must be at most %d: machine %s has no more", n, all, machine.Machine.Name)
		}
	}
	sweep.Workloads = sweeping.ParseWorkloads(bad, "--workload", c.Workload)
	for _, w := range sweep.Workloads {
		if w.NewIn != nil {
			bad.Addf("--workload %s: cannot be simulated: Go's map takes no step of package primitives, so it would cost nothing", w.Name)
		}
	}
	sweep.Modes = sweeping.Words[harness.Mode](bad, "--mode", c.Mode)
	if slices.Contains(sweep.Modes, harness.Thread) {
		bad.Addf("--mode thread: cannot be simulated: there are no threads, want goroutine or pinned")
	}
	sweep.Works = []harness.Work{harness.Registers}
	if c.Duration != "" {
		sweep.Duration = commandline.One(bad, "--duration", c.Duration, bad.Durations("--duration", c.Duration, 10*time.Microsecond, time.Minute))
	}
	sweep.Count = commandline.One(bad, "--count", c.Count, bad.Ints("--count", c.Count, 1, 10_000))
	sweep.Arrivals = c.Arrivals.Parse(bad)
	sweep.Seed = bad.Seed("--seed", c.Seed)
	patterns := c.patterns(bad)
	locks, unknown := sweeping.Locks(patterns)
	bad.Add(unknown)
	locks = c.simulated(bad, locks, patterns)
	if len(locks) == 0 && unknown == nil {
		unknown = errors.New("no lock is left") // it has been said
	}
	sweeping.AddLocks(&sweep, locks, patterns)
	c.Finish(bad, &sweep, unknown)
	return sweep
}

// patterns returns the names and patterns of --locks.
func (c *runCmd) patterns(bad *commandline.Problems) (patterns []string) {
	if c.Locks == "" {
		return nil
	}
	for p := range strings.SplitSeq(c.Locks, ",") {
		if p = strings.TrimSpace(p); strings.Contains(p, "/") {
			bad.Addf("lock %q: cannot be simulated: locksim knows only its own locks", p)
			continue
		}
		patterns = append(patterns, strings.TrimSuffix(p, "-model")) // as the samples name a model
	}
	return patterns
}

// simulated returns the locks that can be simulated, and the models of others. It is an
// error to name another, or to want only others.
func (c *runCmd) simulated(bad *commandline.Problems, locks []catalog.Entry, patterns []string) (all []catalog.Entry) {
	for _, l := range locks {
		if l, ok := l.Simulated(); ok {
			all = append(all, l)
		}
	}
	for _, l := range locks {
		switch _, ok := l.Simulated(); {
		case ok:
		case len(all) == 0 || slices.Contains(patterns, l.Name):
			bad.Addf("lock %q: cannot be simulated: it is not written against package primitives, and there is no model of it", l.Name)
		default:
			c.peers = append(c.peers, l.Name)
		}
	}
	return all
}

// settings returns what all samples of a file must share although it is not in their names.
func (c *runCmd) settings(s harness.Sweep) string {
	text := fmt.Sprintf("%s seed=%d", sweeping.Settings(s), s.Seed)
	if c.machine != nil {
		text += " machine=" + c.sum()
	}
	return text
}

// sum tells the text of the machine's file from others.
func (c *runCmd) sum() string { return c.machine.Sum[:16] }

// facts returns what the file says of the machine and of the run.
func (c *runCmd) facts(s harness.Sweep) results.Facts {
	facts := results.Simulated(c.machine.Machine.Name)
	facts.Note("about", c.machine.About)
	facts.Note("machine-file", fmt.Sprintf("%s, SHA-256 %s...", c.Machine, c.sum()))
	facts.Note("settings", c.settings(s))
	facts.Note("sweep", sweeping.Describe(s))
	sweeping.NoteShard(&facts, s)
	facts.Note("seed", strconv.FormatUint(s.Seed, 10))
	facts.Note("command", c.command())
	return facts
}

// command returns a command that measures the same.
func (c *runCmd) command() string {
	words := []string{"locksim", "run"}
	for _, f := range []struct{ flag, value, standard string }{
		{"machine", c.Machine, ""},
		{"locks", c.Locks, ""},
		{"cpus", c.CPUs, ""},
		{"reads", c.Reads, ""},
		{"workers", c.Workers, ""},
		{"readers", c.Readers, ""},
		{"writers", c.Writers, ""},
		{"hold", c.Hold, "0s"},
		{"think", c.Think, ""},
		{"workload", c.Workload, sweeping.Bare},
		{"mode", c.Mode, harness.Goroutine.String()},
		{"duration", c.Duration, ""},
		{"count", c.Count, "1"},
		{"load", c.Load, ""},
		{"rate", c.Rate, ""},
		{"seed", c.Seed, "1"},
		{"shard", c.Shard.Shard, ""},
	} {
		if f.value == f.standard {
			continue
		}
		if strings.ContainsAny(f.value, " \"$&()*;<>?[\\]`|!#~") {
			f.value = "'" + f.value + "'"
		}
		words = append(words, "--"+f.flag, f.value)
	}
	if c.Latency {
		words = append(words, "--latency")
	}
	if c.Quick {
		words = append(words, "--quick")
	}
	return strings.Join(words, " ")
}
