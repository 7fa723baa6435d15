package main

import (
	"cmp"
	"context"
	"encoding"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

type runCmd struct {
	Locks    string `complete:"locks" placeholder:"LOCK,..." help:"Names or patterns; !PATTERN leaves out. Locks that do not suit the mode and the workloads are left out. By default all that suit, with the empty lock none and two flavours of RCU, and without the pinned forms; lockbench list shows them. A lock of yours is ./mypkg.MyLock or example.com/mod/pkg.Type."`
	CPUs     string `name:"cpus" placeholder:"N,..." help:"CPU counts (by default 1, 2, 4 ... all)."`
	Reads    string `placeholder:"PERCENT,..." help:"Shares of the operations that only read (0,50,90,99,100)."`
	Workers  string `placeholder:"N,..." help:"Workers per CPU (1)."`
	Readers  string `placeholder:"N,..." help:"Workers that only read, in total; with --writers, in place of --reads and --workers. Each role is measured separately."`
	Writers  string `placeholder:"N,..." help:"Workers that only write, in total, in addition to --readers."`
	Hold     string `placeholder:"D,..." default:"0s" help:"Work in the critical section beyond its one shared line (${default})."`
	Think    string `placeholder:"D,..." help:"Work between two critical sections (100ns; and none, for one worker alone, if --cpus, --reads, --workers and --hold are not given either)."`
	Work     string `complete:"registers|memory-l1|memory-l2|serialized" placeholder:"KIND,..." default:"registers" help:"What hold and think are made of: a computation (${default}), one that reads and writes memory of its own (memory-l1, memory-l2), or one between two fences, so that costs add up (serialized)."`
	Workload string `complete:"workloads" placeholder:"NAME,..." default:"bare" help:"What critical sections do (${default}: touch one line); lockbench list --workloads shows them."`
	Mode     string `complete:"goroutine|thread|pinned" placeholder:"MODE,..." default:"goroutine" help:"Workers are goroutines (goroutine), threads bound to a CPU each (thread), or goroutines that cannot be preempted while they hold the lock (pinned)."`
	Place    string `placeholder:"PLACE,..." help:"Which CPUs threads run on (--mode thread): compact, scatter, smt, numa, or a file of CPU numbers (in the order of their numbers)."`
	GC       string `name:"gc" placeholder:"PERCENT,..." help:"How much garbage the collector leaves, in percent of the memory in use, or off (what GOGC says, or 100)."`
	Duration string `placeholder:"D" help:"Length of a sample (3ms; 100ms with more than one worker per CPU)."`
	Count    string `placeholder:"N" help:"Samples of each combination (6, then for half a minute up to 20, or more where near or far CPUs have too few)."`
	Latency  bool   `help:"Measure the time to acquire, too: percentiles of service times, from the call. An open loop always has them."`
	Counters bool   `help:"Also report the counts of CPUs and kernel per operation: cycles, instructions, cache misses, switches of threads, page faults, as far as this machine does."`
	Forks    string `placeholder:"N" help:"Measure in N fresh processes, which take turns round by round, and show how much they differ."`
	Quick    bool   `help:"A rough answer in seconds: reads 0 and 90, 1 CPU and all, 6 samples."`
	Load     string `placeholder:"SHARE,..." help:"Open loop: operations arrive on a schedule, at these shares, such as 0.5,0.8,0.95, of the rate that the lock reaches in the same situation. Latencies count from the scheduled arrival."`
	Rate     string `placeholder:"N,..." help:"Open loop: operations that arrive in a second, for all workers together, such as 100k,1M."`
	Seed     string `placeholder:"N" default:"1" help:"Seed of the random order (${default})."`

	Out    string `complete:"files" placeholder:"FILE" default:"results.txt" help:"File for the results, in the Go benchmark format (${default})."`
	Resume bool   `help:"Add what is missing to FILE, with the same flags."`
	Extend bool   `help:"Add what is missing to FILE, also with other flags: more locks, CPUs, samples."`
	Force  bool   `help:"Replace FILE."`

	Table  bool   `help:"Print every cell, and not only the fastest in each situation."`
	Plots  string `complete:"dirs" placeholder:"DIR" default:"plots-out" empty:"true" help:"Directory for the pictures (${default}); empty, as --plots=, for none."`
	Format string `complete:"csv|json|svg|png" placeholder:"FORMAT,..." default:"svg,png" help:"Format of the pictures: svg, png or both (${default}); csv or json: print every sample in that format, and nothing else."`
	drawing

	own ownChoice
	as  string // how to print every sample; "" to print a summary
}

var errInterrupted = errors.New("interrupted")

func (c *runCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	sweep := c.sweep(&bad)
	c.checkCounters(&bad)
	forks := 0
	if c.Forks != "" {
		forks = commandline.One(&bad, "--forks", c.Forks, bad.Ints("--forks", c.Forks, 2, 100))
	}
	if isFork() {
		if len(bad) > 0 {
			return bad
		}
		return serve(os.Stdin, con.Out, con.Err, sweep)
	}
	c.files(&bad, sweep)
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
		return interruption(ctx, err)
	}
	facts.Note("fitness", machine.String())
	if forks > 0 {
		facts.Note("forks", strconv.Itoa(forks))
	}
	w, file, err := c.open(facts)
	if err != nil {
		return err
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
	if c.Count == "" && !c.Quick {
		sweep.More = more(file, rounds(sweep), time.Now().Add(budget))
	}
	var processes []*fork
	if forks > 0 {
		processes, err = startForks(ctx, con, forks, file)
		sweep.Measure = func(ctx context.Context, round int, s harness.Scenario) (results.Sample, error) {
			return processes[round%forks].measure(ctx, s)
		}
	}
	if err != nil {
		closeForks(processes)
		return errors.Join(err, w.Close())
	}
	began := fitness.Count()
	err = measureAll(ctx, con, sweep, func(s results.Sample) error {
		err := w.Write(s)
		if err == nil || errors.As(err, new(*results.LostError)) {
			file.Samples = append(file.Samples, s)
		}
		return err
	})
	closeForks(processes)
	during := fitness.Count().Since(began)
	warn(con, during.Warnings())
	if text := during.String(); text != "" && (err == nil || errors.Is(err, errInterrupted)) {
		err = errors.Join(err, w.Note(results.Note{Key: "conditions", Text: text}))
	}
	err = errors.Join(err, w.Close())
	if errors.As(err, new(*results.LostError)) {
		return errors.Join(err, c.save(con, file, facts))
	}
	fmt.Fprintf(con.Err, "lockbench: %s in %s\n", wording.Count(len(file.Samples), "sample"), c.Out)
	if err != nil && !errors.Is(err, errInterrupted) || len(file.Samples) == 0 {
		return err
	}
	return errors.Join(err, c.show(con, file))
}

// sweep returns the sweep that the flags ask for.
func (c *runCmd) sweep(bad *commandline.Problems) harness.Sweep {
	all, reads := cpuCounts(), "0,50,90,99,100"
	if c.Quick {
		all, reads = slices.Compact([]int{all[0], all[len(all)-1]}), "0,90"
	}
	sweep := harness.Sweep{CPUs: all, Latency: c.Latency, Counters: c.Counters}
	c.workers(bad, &sweep, reads)
	sweep.Hold = bad.Durations("--hold", c.Hold, 0, time.Second)
	sweep.Think = bad.Durations("--think", cmp.Or(c.Think, "100ns"), 0, time.Second)
	sweep.Workloads = parseWorkloads(bad, "--workload", c.Workload)
	sweep.Seed = bad.Seed("--seed", c.Seed)
	if c.CPUs != "" {
		sweep.CPUs = bad.Ints("--cpus", c.CPUs, 1, 1024)
	}
	if c.Duration != "" {
		sweep.Duration = commandline.One(bad, "--duration", c.Duration, bad.Durations("--duration", c.Duration, 10*time.Microsecond, time.Minute))
	}
	sweep.Modes = words[harness.Mode](bad, "--mode", c.Mode)
	if c.Place != "" {
		sweep.Places = parsePlaces(bad, c.Place)
	}
	if c.GC != "" {
		sweep.GCs = words[harness.GC](bad, "--gc", c.GC)
	} else if g := harness.ProcessGC(); g != harness.GCDefault {
		sweep.GCs = []harness.GC{g} // so that the file has it
	}
	sweep.Works = words[harness.Work](bad, "--work", c.Work)
	var patterns []string
	c.own, patterns = chooseOwn(bad, c.Locks)
	named := len(patterns) > 0
	if !named {
		patterns = strings.Split("!*-pinned,!rcu-*,rcu-domain,rcu-qsbr,none", ",")
	}
	sweep.Arrivals = parseArrivals(bad, c.Load, c.Rate)
	locks, err := catalog.Match(patterns...)
	bad.Add(err)
	count := slices.ContainsFunc(sweep.Workloads, func(w harness.Workload) bool { return w.Permits != nil })
	modes, workloads := sweep.Modes, sweep.Workloads // an empty list means the first
	if len(modes) == 0 {
		modes = []harness.Mode{harness.Goroutine}
	}
	if len(workloads) == 0 {
		workloads = []harness.Workload{{}}
	}
	suits := func(l catalog.Entry) bool {
		if count {
			return l.Counting != nil
		}
		return !slices.ContainsFunc(workloads, func(w harness.Workload) bool {
			return !slices.ContainsFunc(modes, func(m harness.Mode) bool { return l.Suits(w, m) == nil })
		})
	}
	for _, l := range locks {
		if named && slices.Contains(patterns, l.Name) || suits(l) {
			sweep.Subjects = append(sweep.Subjects, l.Subject)
		}
	}
	if len(sweep.Subjects) == 0 { // Validate reports it
		for _, l := range locks {
			sweep.Subjects = append(sweep.Subjects, l.Subject)
		}
	}
	sweep.Subjects = append(sweep.Subjects, c.own.subjects...)
	if len(sweep.Arrivals) == 0 && c.CPUs == "" && c.Reads == "" && c.Think == "" && c.Workers == "" && c.Readers == "" && c.Hold == "0s" && slices.ContainsFunc(sweep.Workloads, func(w harness.Workload) bool { return w.Name == "" }) {
		sweep.Extra = alone(sweep.Subjects, sweep.Works, sweep.Modes)
	}
	sweep.Count = enough
	if c.Count != "" {
		sweep.Count = commandline.One(bad, "--count", c.Count, bad.Ints("--count", c.Count, 1, 10_000))
	}
	if err == nil {
		bad.Add(sweep.Validate())
	}
	most := maxWorkers
	if c.Latency || len(sweep.Arrivals) > 0 {
		most = maxTimedWorkers
	}
	if len(sweep.Readers) > 0 {
		if n := slices.Max(sweep.Readers) + slices.Max(sweep.Writers); n > most {
			bad.Addf("--readers and --writers: %d workers at a time, must be at most %d", n, most)
		}
	} else if n := slices.Max(sweep.CPUs) * slices.Max(sweep.WorkersPerCPU); n > most {
		bad.Addf("--cpus times --workers: %d workers at a time, must be at most %d", n, most)
	}
	return sweep
}

// workers sets the number of workers and what they do: each reads and writes, by shares
// of reads, or some read and the others write.
func (c *runCmd) workers(bad *commandline.Problems, sweep *harness.Sweep, reads string) {
	if c.Readers == "" && c.Writers == "" {
		sweep.WorkersPerCPU = bad.Ints("--workers", cmp.Or(c.Workers, "1"), 1, 10_000)
		sweep.Reads = bad.Ints("--reads", cmp.Or(c.Reads, reads), 0, 100)
		return
	}
	if c.Workers != "" || c.Reads != "" {
		bad.Addf("--readers and --writers: want no --workers and no --reads beside them")
	}
	if c.Readers == "" || c.Writers == "" {
		bad.Addf("--readers and --writers: want both, such as --readers 7 --writers 1")
	}
	sweep.Readers = bad.Ints("--readers", cmp.Or(c.Readers, "1"), 0, maxWorkers)
	sweep.Writers = bad.Ints("--writers", cmp.Or(c.Writers, "1"), 0, maxWorkers)
}

// words parses words with commas between them. It returns them in the order given,
// each once.
func words[T comparable, P interface {
	*T
	encoding.TextUnmarshaler
}](bad *commandline.Problems, flag, text string) (values []T) {
	for word := range strings.SplitSeq(text, ",") {
		var v T
		if err := P(&v).UnmarshalText([]byte(strings.TrimSpace(word))); err != nil {
			bad.Addf("%s: %w", flag, err)
		} else if !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	return values
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

// alone returns the scenarios that show the cost of an uncontended Lock and Unlock: one
// worker without think time, because a CPU that executes out of order hides most of a
// lock's cost behind that. In addition to the locks there are the limit, one locked
// instruction, and the empty lock, the cost of the harness itself.
func alone(locks []harness.Subject, works []harness.Work, modes []harness.Mode) []harness.Scenario {
	limits, err := catalog.Match(results.Limit, results.Empty)
	if err != nil {
		panic(err) // the catalogue must have them
	}
	for _, e := range limits {
		if !slices.ContainsFunc(locks, func(s harness.Subject) bool { return s.Name == e.Name }) {
			locks = append(locks[:len(locks):len(locks)], e.Subject)
		}
	}
	var all []harness.Scenario
	for _, work := range works {
		for _, mode := range modes {
			for _, reads := range []int{0, 100} {
				for _, l := range locks {
					if l.Suits(harness.Workload{}, mode) == nil {
						all = append(all, harness.Scenario{Subject: l, CPUs: 1, Workers: 1, Reads: reads, Work: work, Mode: mode})
					}
				}
			}
		}
	}
	return all
}

// The most workers at a time, and the most with histograms, of 76 KB each, so that a
// few gigabytes of memory are enough.
const (
	maxWorkers      = 200_000
	maxTimedWorkers = 20_000
)

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

// cpuCounts returns 1, 2, 4 and so on, up to as many as Go would use.
func cpuCounts() []int {
	all := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	var counts []int
	for n := 1; n < all; n *= 2 {
		counts = append(counts, n)
	}
	return append(counts, all)
}

// files checks the files to be written.
func (c *runCmd) files(bad *commandline.Problems, sweep harness.Sweep) {
	c.checkFormat(bad)
	if c.Plots != "" {
		bad.Writable("--plots", c.Plots)
	}
	if (c.Resume || c.Extend) && c.Force || c.Resume && c.Extend {
		bad.Addf("--resume --extend --force: want one of them")
	}
	switch info, err := os.Stat(c.Out); {
	case errors.Is(err, fs.ErrNotExist):
		bad.Writable("--out", filepath.Dir(c.Out))
	case err != nil:
		bad.Addf("--out: %w", err)
	case info.IsDir():
		bad.Addf("--out %s: is a directory", c.Out)
	case !info.Mode().IsRegular() && info.Mode()&os.ModeCharDevice == 0: // a pipe cannot be resumed, and may have no reader
		bad.Addf("--out %s: want a file", c.Out)
	case c.Resume || c.Extend:
		c.resumable(bad, sweep)
	case !c.Force:
		bad.Addf("--out %s: exists: want --resume to add what is missing, --extend to add to it with other flags, --force to replace it, or another name", c.Out)
	}
}

// checkFormat separates formats of pictures from those of samples.
func (c *runCmd) checkFormat(bad *commandline.Problems) {
	for f := range strings.SplitSeq(c.Format, ",") {
		switch {
		case isData(f) && (c.as == "" || c.as == f):
			c.as = f
		case isData(f):
			bad.Addf("--format %s: want csv or json, not both", c.Format)
		case f == "svg" || f == "png":
			c.formats = append(c.formats, f)
		default:
			bad.Addf("--format %s: want svg, png, csv or json, have %q", c.Format, f)
		}
	}
	if c.as != "" && c.Table {
		bad.Addf("--table --format %s: want one of them", c.Format)
	}
	if len(c.formats) == 0 {
		c.formats = []string{"svg", "png"}
	}
}

// facts returns the facts of this machine, and how it will be measured.
func facts(ctx context.Context, s harness.Sweep) (results.Facts, error) {
	facts := results.Host()
	facts.Note("settings", settings(s))
	facts.Note("sweep", describe(s))
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

// open opens the results file, and returns its contents. It is an error of the command
// line if the file cannot be resumed or another run has it.
func (c *runCmd) open(facts results.Facts) (*results.Writer, *results.File, error) {
	if err := os.MkdirAll(filepath.Dir(c.Out), 0o777); err != nil {
		return nil, nil, err
	}
	if c.Resume || c.Extend {
		w, file, err := results.Resume(c.Out, facts)
		if err != nil {
			return nil, nil, commandline.Problems{err}
		}
		return w, file, nil
	}
	create := results.Create
	if c.Force {
		create = results.Overwrite
	}
	w, err := create(c.Out, facts)
	if errors.Is(err, results.ErrInUse) || errors.Is(err, fs.ErrExist) {
		err = commandline.Problems{err}
	}
	return w, &results.File{Name: c.Out, Facts: facts}, err
}

// save writes all contents of a lost file to a new file in the same directory or, if
// that fails, in that for temporary files.
func (c *runCmd) save(con commandline.Console, file *results.File, now results.Facts) error {
	if len(file.Samples) == 0 {
		return nil
	}
	facts := file.Facts
	if c.Resume || c.Extend {
		facts.Notes = slices.Concat(facts.Notes, now.Notes)
	}
	var errs []error
	for _, dir := range []string{filepath.Dir(c.Out), os.TempDir()} {
		name, err := saveIn(dir, filepath.Base(c.Out), facts, file.Samples)
		if err == nil {
			fmt.Fprintf(con.Err, "lockbench: %s saved in %s\n", wording.Count(len(file.Samples), "sample"), name)
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// saveIn writes samples to a new file in dir, with a name like that of another.
func saveIn(dir, like string, facts results.Facts, samples []results.Sample) (name string, err error) {
	ext := filepath.Ext(like)
	var w *results.Writer
	for n := 1; w == nil; n++ {
		name = filepath.Join(dir, fmt.Sprintf("%s-saved-%d%s", strings.TrimSuffix(like, ext), n, ext))
		w, err = results.Create(name, facts)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	for _, s := range samples {
		if err := w.Write(s); err != nil {
			return "", errors.Join(err, w.Close())
		}
	}
	return name, w.Close()
}

// measureAll runs the sweep, keeps each sample, and shows the progress.
func measureAll(ctx context.Context, con commandline.Console, sweep harness.Sweep, keep func(results.Sample) error) error {
	for _, out := range sweep.LeftOut() {
		of := ""
		if len(out.Locks) > 0 {
			of = ": " + strings.Join(out.Locks, ", ")
		}
		fmt.Fprintf(con.Err, "lockbench: left out, %s%s\n", out.Why, of)
	}
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
		wording.Count(len(sweep.Subjects), "lock"), wording.Count(situations(scenarios), "situation"), count)
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
	meter := newMeter(con.Err, done, total)
	sweep.Begin = meter.begin
	err := sweep.Run(ctx, func(p harness.Progress) error {
		if err := keep(p.Sample); err != nil {
			return err
		}
		p.Done, p.Total = min(p.Done, total), total // there may be fewer rounds beyond Count
		meter.show(p)
		return nil
	})
	meter.end()
	if stacks(con.Err, err) {
		err = commandline.Found(err)
	}
	return interruption(ctx, err)
}

// stacks writes the stacks of a lock that is broken or stuck, and reports whether
// it is.
func stacks(w io.Writer, err error) (found bool) {
	var broken *harness.BrokenError
	if errors.As(err, &broken) && broken.Stack != "" {
		fmt.Fprintln(w, broken.Stack)
	}
	var stuck *harness.StuckError
	if errors.As(err, &stuck) && stuck.Stacks != "" {
		fmt.Fprintln(w, stuck.Stacks)
	}
	return broken != nil || stuck != nil
}

// situations counts the scenarios, regardless of the lock.
func situations(scenarios []harness.Scenario) int {
	seen := make(map[results.Cell]bool)
	for _, s := range scenarios {
		seen[s.Cell().Scenario()] = true
	}
	return len(seen)
}

// interruption returns errInterrupted for an error that is only the end of ctx, and any
// other, such as that of a stuck lock, unchanged.
func interruption(ctx context.Context, err error) error {
	if err != nil && errors.Is(err, context.Cause(ctx)) {
		return errInterrupted
	}
	return err
}

// screen is how many lines show writes at most, unless it is asked for everything.
const screen = 50

// show writes a summary, or everything, and draws the pictures.
func (c *runCmd) show(con commandline.Console, file *results.File) error {
	if c.as != "" {
		err := export(con.Out, c.as, file)
		if err == nil && c.Plots != "" {
			err = c.draw(commandline.Console{Out: con.Err, Err: con.Err}, c.Plots, file, false)
		}
		return err
	}
	width, _ := commandline.Terminal(con.Out)
	var err error
	if c.Table {
		err = wholeTable(con.Out, width, file)
	} else {
		lines := screen
		if c.Plots != "" {
			lines -= 1 + pictureLines
		}
		err = results.Digest{Unranked: unranked(), Width: width, Lines: lines}.Write(con.Out, file.Samples)
	}
	if err != nil || c.Plots == "" {
		return err
	}
	fmt.Fprintln(con.Out)
	return c.draw(con, c.Plots, file, false)
}

// wholeTable writes every cell of file: by its ns/op, for each role separately if
// workers have roles, or, if its loop is open, by the time that its workers waited.
func wholeTable(w io.Writer, width int, file *results.File) error {
	units := make(map[string][]results.Sample)
	for _, s := range file.Samples {
		of := []string{"ns/op"}
		switch {
		case s.Open():
			of = []string{"write-p50-ns", "write-p99-ns", "read-p50-ns", "read-p99-ns", "saturated"}
		case s.Roles():
			of = []string{"read-ns/op", "write-ns/op"}
		}
		for _, unit := range of {
			if _, ok := s.Value(unit); ok {
				units[unit] = append(units[unit], s)
			}
		}
	}
	if len(units) == 0 {
		units["ns/op"] = file.Samples // Write returns the error
	}
	var errs []error
	for _, unit := range []string{"ns/op", "read-ns/op", "write-ns/op", "write-p50-ns", "write-p99-ns", "read-p50-ns", "read-p99-ns", "saturated"} {
		if samples, ok := units[unit]; ok {
			if len(errs) > 0 {
				fmt.Fprintln(w)
			}
			errs = append(errs, results.Table{Unit: unit, Unranked: unranked(), Width: width}.Write(w, samples))
		}
	}
	if slices.ContainsFunc(file.Samples, func(s results.Sample) bool { return s.Fork > 0 }) {
		fmt.Fprintln(w)
		errs = append(errs, results.WriteForks(w, file.Samples))
	}
	return errors.Join(errs...)
}

// unranked returns the names of subjects that are no locks, and so cannot be the
// fastest.
func unranked() (names []string) {
	for _, e := range catalog.All() {
		if e.Control {
			names = append(names, e.Name)
		}
	}
	return names
}
