package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

type runCmd struct {
	Locks string `complete:"locks" placeholder:"LOCK,..." help:"Names or patterns; !PATTERN leaves out. Locks that do not suit the mode and the workloads are left out. By default all that suit, with the empty lock none and two flavours of RCU, and without the pinned forms; lockbench list shows them. A lock of yours is ./mypkg.MyLock or example.com/mod/pkg.Type."`
	sweeping.Axes
	Work     string `complete:"registers|memory-l1|memory-l2|serialized" placeholder:"KIND,..." default:"registers" help:"What hold and think are made of: a computation (${default}), one that reads and writes memory of its own (memory-l1, memory-l2), or one between two fences, so that costs add up (serialized)."`
	Workload string `complete:"workloads" placeholder:"NAME,..." default:"bare" help:"What critical sections do (${default}: touch one line); lockbench list --workloads shows them."`
	Mode     string `complete:"goroutine|thread|pinned" placeholder:"MODE,..." default:"goroutine" help:"Workers are goroutines (goroutine), threads bound to a CPU each (thread), or goroutines that cannot be preempted while they hold the lock (pinned)."`
	Place    string `placeholder:"PLACE,..." help:"Which CPUs threads run on (--mode thread): compact, scatter, smt, numa, or a file of CPU numbers (in the order of their numbers)."`
	GC       string `name:"gc" placeholder:"PERCENT,..." help:"How much garbage the collector leaves, in percent of the memory in use, or off (what GOGC says, or 100)."`
	Duration string `placeholder:"D" help:"Length of a sample (3ms; 100ms with more than one worker per CPU)."`
	Count    string `placeholder:"N" help:"Samples of each combination (6, then for half a minute up to 20, or more where near or far CPUs have too few)."`
	Latency  bool   `help:"Measure the time to acquire, too: percentiles of service times, from the call. An open loop always has them."`
	Counters bool   `help:"Also report the counts of CPUs and kernel per operation: cycles, instructions, cache misses, switches of threads, page faults, as far as this machine does."`
	Trace    string `complete:"files" placeholder:"FILE" help:"Also record what each worker does in two short bursts of the first sample of each cell, and write it to FILE, of which lockbench export --perfetto makes timelines."`
	Forks    string `placeholder:"N" help:"Measure in N fresh processes, which take turns round by round, and show how much they differ."`
	Quick    bool   `help:"A rough answer in seconds: reads 0 and 90, 1 CPU and all, 6 samples."`
	sweeping.Arrivals
	sweeping.Shard
	sweeping.Output

	own ownChoice
}

func (c *runCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	sweep := c.sweep(&bad)
	c.checkCounters(&bad)
	forks := 0
	if c.Forks != "" {
		forks = commandline.One(&bad, "--forks", c.Forks, bad.Ints("--forks", c.Forks, 2, 100))
	}
	if sweeping.IsFork() {
		if len(bad) > 0 {
			return bad
		}
		return sweeping.Serve(con, sweep.Scenarios(), harness.Run)
	}
	c.Check(&bad, sweep, sweeping.Settings(sweep))
	c.checkTrace(&bad, sweep)
	if len(bad) > 0 {
		return bad
	}
	if len(c.own.missing) > 0 {
		return c.own.become(con)
	}
	if n := runtime.NumCPU(); slices.Max(sweep.CPUs) > n {
		fmt.Fprintf(con.Err, "lockbench: warning: the machine has %d CPUs: what runs on more is marked oversubscribed\n", n)
	}

	ctx, restore := commandline.UntilSignal()
	defer restore()

	machine := fitness.Look(ctx)
	facts, err := facts(ctx, sweep)
	if err != nil {
		return sweeping.Interruption(ctx, err)
	}
	facts.Note("fitness", machine.String())
	if forks > 0 {
		facts.Note("forks", strconv.Itoa(forks))
	}
	if c.Trace != "" {
		facts.Note("trace", "two bursts of the first sample of each cell are recorded in "+c.Trace)
	}
	w, file, err := c.Open(facts, results.Resume)
	if err != nil {
		return err
	}
	tracer, err := c.openTrace(con)
	if err != nil {
		return errors.Join(err, w.Close())
	}
	warn(con, machine.Warnings())
	if c.Counters {
		if _, not := counted(harness.Counters()); not != "" {
			fmt.Fprintf(con.Err, "lockbench: not counted: %s\n", not)
		}
	}
	if file.Torn != "" {
		fmt.Fprintf(con.Err, "lockbench: %s: dropped its last line, which was cut off\n", c.Out)
	}
	sweep.Done = file.Done()
	if tracer != nil {
		sweep.Measure = tracer.measure
	}
	if c.Count == "" && !c.Quick {
		sweep.More = more(file, rounds(sweep), time.Now().Add(budget))
	}
	var processes []*sweeping.Fork
	if forks > 0 {
		last := 0
		for _, s := range file.Samples {
			last = max(last, s.Fork)
		}
		processes, err = sweeping.StartForks(ctx, con, last+1, forks)
		sweep.Measure = func(ctx context.Context, round int, s harness.Scenario) (results.Sample, error) {
			f := processes[round%forks]
			sample, err := f.Measure(ctx, s)
			sample.Fork = f.Number
			return sample, err
		}
	}
	if err != nil {
		sweeping.CloseForks(processes)
		return errors.Join(err, w.Close())
	}
	began := fitness.Count()
	err = measureAll(ctx, con, sweep, func(s results.Sample) error { return sweeping.Keep(w, file, s) })
	sweeping.CloseForks(processes)
	err = errors.Join(err, tracer.close(con))
	during := fitness.Count().Since(began)
	warn(con, during.Warnings())
	if text := during.String(); text != "" && (err == nil || errors.Is(err, sweeping.ErrInterrupted)) {
		err = errors.Join(err, w.Note(results.Note{Key: "conditions", Text: text}))
	}
	return c.End(con, file, facts, errors.Join(err, w.Close()))
}

// allReads are the shares of reads of a sweep for which no flag asks.
const allReads = "0,50,90,99,100"

// sweep returns the sweep that the flags ask for.
func (c *runCmd) sweep(bad *commandline.Problems) harness.Sweep {
	sweep := harness.Sweep{Latency: c.Latency, Counters: c.Counters}
	c.Fill(bad, &sweep, sweeping.CPUCounts(min(runtime.NumCPU(), runtime.GOMAXPROCS(0))), allReads, c.Quick)
	c.Shard.Choose(bad, &sweep)
	sweep.Workloads = sweeping.ParseWorkloads(bad, "--workload", c.Workload)
	sweep.Seed = bad.Seed("--seed", c.Seed)
	if c.Duration != "" {
		sweep.Duration = commandline.One(bad, "--duration", c.Duration, bad.Durations("--duration", c.Duration, 10*time.Microsecond, time.Minute))
	}
	sweep.Modes = sweeping.Words[harness.Mode](bad, "--mode", c.Mode)
	if c.Place != "" {
		sweep.Places = parsePlaces(bad, c.Place)
	}
	if c.GC != "" {
		sweep.GCs = sweeping.Words[harness.GC](bad, "--gc", c.GC)
	} else if g := harness.ProcessGC(); g != harness.GCDefault {
		sweep.GCs = []harness.GC{g} // so that the file has it
	}
	sweep.Works = sweeping.Words[harness.Work](bad, "--work", c.Work)
	var patterns []string
	c.own, patterns = chooseOwn(bad, c.Locks)
	sweep.Arrivals = c.Arrivals.Parse(bad)
	locks, unknown := sweeping.Locks(patterns)
	bad.Add(unknown)
	sweeping.AddLocks(&sweep, locks, patterns)
	sweep.Subjects = append(sweep.Subjects, c.own.subjects...)
	sweep.Count = enough
	if c.Count != "" {
		sweep.Count = commandline.One(bad, "--count", c.Count, bad.Ints("--count", c.Count, 1, 10_000))
	}
	c.Finish(bad, &sweep, unknown)
	return sweep
}

// parsePlaces parses places and names of files of CPU numbers, with commas between
// them. It returns them in the order given, each once.
func parsePlaces(bad *commandline.Problems, text string) (places []harness.Place) {
	for word := range strings.SplitSeq(text, ",") {
		word = strings.TrimSpace(word)
		place, err := harness.ParsePlace(word)
		if err != nil || strings.Trim(word, "0123456789-") == "" {
			// It is no word, so it names a file.
			text, readErr := os.ReadFile(word)
			if readErr != nil {
				bad.Addf("--place: want compact, scatter, smt, numa or a file of CPU numbers: %w", readErr)
				continue
			}
			if place, err = harness.ParsePlace(string(text)); err != nil {
				bad.Addf("--place: %s: %w", word, err)
				continue
			}
		}
		if !slices.Contains(places, place) {
			places = append(places, place)
		}
	}
	return places
}

// Without --count a sweep takes enough samples of each cell for an interval of the
// median. Then it takes more until there are plenty, or half a minute is over.
const (
	enough = 6
	plenty = 20
	budget = 35 * time.Second
)

// more returns a function that says what to measure after enough rounds, up to a number
// of rounds and until a time: in every other round only situations in which a distance
// of the CPUs, near or far, has occurred too rarely.
func more(file *results.File, rounds int, until time.Time) func(int, []harness.Scenario) []harness.Scenario {
	return func(round int, all []harness.Scenario) []harness.Scenario {
		if !time.Now().Before(until) {
			return nil
		}
		seldom := incomplete(file.Samples, all)
		if round < rounds && (round%2 == 0 || len(seldom) == 0) {
			return all
		}
		return seldom
	}
}

// incomplete returns the scenarios of situations in which some lock has samples of near
// or far CPUs, but not enough: those of all locks, so that they make pairs.
func incomplete(samples []results.Sample, all []harness.Scenario) []harness.Scenario {
	type state struct {
		results.Cell
		results.Distance
	}
	counts := make(map[state]int)
	for _, s := range samples {
		if s.Distance == results.Near || s.Distance == results.Far {
			counts[state{s.Cell, s.Distance}]++
		}
	}
	situations := make(map[results.Cell]bool)
	for s, n := range counts {
		if n < enough {
			situations[s.Scenario()] = true
		}
	}
	var todo []harness.Scenario
	for _, s := range all {
		if situations[s.Cell().Scenario()] {
			todo = append(todo, s)
		}
	}
	return todo
}

// rounds returns how many rounds the budget is likely to allow.
func rounds(s harness.Sweep) int {
	s.Count = 1
	return max(enough, min(plenty, int(budget/max(1, estimate(s)))))
}

// estimate returns about how long a sweep will take: the windows, the check of a lock
// and the set-up of its workers, and, if these outnumber the CPUs, their turns.
func estimate(s harness.Sweep) time.Duration {
	const overhead = 3 * time.Millisecond
	inOrder := make(map[string]bool)
	for _, e := range catalog.All() {
		inOrder[e.Name] = e.Order == catalog.FIFO && e.Waits == catalog.Spins
	}
	total := time.Duration(0)
	for _, c := range s.Scenarios() {
		total += c.Length() + overhead + turns(c, inOrder[c.Name])
	}
	return total * time.Duration(s.Count)
}

// turns returns about how long a sample takes beyond its window because all workers
// must have had a turn before the window, and another after it. If they spin and are
// served in order, all others must run before each turn, to see whether it is theirs.
func turns(c harness.Scenario, inOrder bool) time.Duration {
	const turn = 200 * time.Nanosecond // of a goroutine
	cpus := min(c.CPUs, runtime.NumCPU())
	if c.Workers <= cpus {
		return 0
	}
	d := 2 * turn * time.Duration(c.Workers)
	if inOrder {
		d *= time.Duration(c.Workers / cpus)
	}
	return d
}

// facts returns the facts of this machine, and how it will be measured.
func facts(ctx context.Context, s harness.Sweep) (results.Facts, error) {
	facts := results.Host()
	facts.Note("settings", sweeping.Settings(s))
	facts.Note("sweep", sweeping.Describe(s))
	sweeping.NoteShard(&facts, s)
	facts.Note("own", ownNote())
	if s.Counters {
		can, not := counted(harness.Counters())
		facts.Note("counters", can)
		facts.Note("uncounted", not)
	}
	for _, p := range s.Places {
		order, err := p.Order()
		if err != nil {
			return facts, err
		}
		facts.Note("place", fmt.Sprintf("%s: CPUs %v", p, order))
	}
	facts.Note("seed", strconv.FormatUint(s.Seed, 10))
	var costs []string
	shares := s.Reads
	if len(s.Readers) > 0 {
		shares = []int{0, 100}
	}
	for _, reads := range slices.Sorted(slices.Values(shares)) {
		cost, err := harness.Cost(ctx, reads)
		if err != nil {
			return facts, err
		}
		costs = append(costs, fmt.Sprintf("%.2f at %d%% reads", cost, reads))
	}
	facts.Note("harness", "ns/op with an empty lock, 1 worker and nothing to think about: "+strings.Join(costs, ", "))
	return facts, nil
}

// measureAll runs the sweep, keeps each sample, and shows the progress.
func measureAll(ctx context.Context, con commandline.Console, sweep harness.Sweep, keep func(results.Sample) error) error {
	sweeping.LeftOut(con, sweep)
	scenarios := sweep.Scenarios()
	most := sweep.Count
	if sweep.More != nil {
		most = rounds(sweep)
	}
	done, total := 0, len(scenarios)*most
	for _, s := range scenarios {
		done += min(sweep.Done[s.Cell()], most)
	}
	count := wording.Count(sweep.Count, "sample")
	if most > sweep.Count {
		count = fmt.Sprintf("%d to %s", sweep.Count, wording.Count(most, "sample"))
	}
	fmt.Fprintf(con.Err, "lockbench: %s in %s, %s of each",
		wording.Count(len(sweep.Subjects), "lock"), wording.Count(sweeping.Situations(scenarios), "situation"), count)
	if done > 0 {
		fmt.Fprintf(con.Err, "; have %d of %d", done, total)
	}
	if left := float64(total-done) / float64(total); left > 0 {
		whole := sweep
		whole.Count = most
		wait := time.Duration(float64(estimate(whole)) * left)
		fmt.Fprintf(con.Err, "; about %v", max(wait.Round(time.Second), time.Second))
	}
	fmt.Fprintln(con.Err)
	meter := sweeping.NewMeter(con, total)
	sweep.Begin = func(s harness.Scenario) { meter.Begin(s.Cell(), why(s)) }
	first := done
	err := sweep.Run(ctx, func(p harness.Progress) error {
		if err := keep(p.Sample); err != nil {
			return err
		}
		p.Done = min(p.Done, total) // there may be fewer rounds beyond Count
		meter.Show(p.Done, float64(p.Done-first)/float64(total-first))
		return nil
	})
	meter.End()
	if sweeping.Stacks(con.Err, err) {
		err = commandline.Found(err)
	}
	return sweeping.Interruption(ctx, err)
}

// why says why a sample may take long.
func why(s harness.Scenario) string {
	if cpus := min(s.CPUs, runtime.NumCPU()); s.Workers > cpus {
		return fmt.Sprintf(": each of %d workers must have its turn on %s", s.Workers, wording.Count(cpus, "CPU"))
	}
	return ""
}
