package sweeping

import (
	"cmp"
	"encoding"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// Axes are the flags of those axes of a sweep that are numbers.
type Axes struct {
	CPUs    string `name:"cpus" placeholder:"N,..." help:"CPU counts (by default 1, 2, 4 ... all)."`
	Reads   string `placeholder:"PERCENT,..." help:"Shares of the operations that only read (${reads})."`
	Workers string `placeholder:"N,..." help:"Workers per CPU (1)."`
	Readers string `placeholder:"N,..." help:"Workers that only read, in total; with --writers, in place of --reads and --workers. Each role is measured separately."`
	Writers string `placeholder:"N,..." help:"Workers that only write, in total, in addition to --readers."`
	Hold    string `placeholder:"D,..." default:"0s" help:"Work in the critical section beyond its one shared line (${default})."`
	Think   string `placeholder:"D,..." help:"Work between two critical sections (100ns; and none, for one worker alone, if --cpus, --reads, --workers and --hold are not given either)."`
}

// MaxCPUs is the largest number that --cpus takes.
const MaxCPUs = 1024

// Fill sets these axes of a sweep. By default it has the given numbers of CPUs and shares of
// reads or, if it is quick, the first number and the last, and few reads and many. The
// program has the shares as the variable reads of its help.
func (a *Axes) Fill(bad *commandline.Problems, sweep *harness.Sweep, cpus []int, reads string, quick bool) {
	if quick {
		cpus, reads = slices.Compact([]int{cpus[0], cpus[len(cpus)-1]}), "0,90"
	}
	sweep.CPUs = cpus
	a.workers(bad, sweep, reads)
	sweep.Hold = bad.Durations("--hold", a.Hold, 0, time.Second)
	sweep.Think = bad.Durations("--think", cmp.Or(a.Think, "100ns"), 0, time.Second)
	if a.CPUs != "" {
		sweep.CPUs = bad.Ints("--cpus", a.CPUs, 1, MaxCPUs)
	}
}

// workers sets the number of workers and what they do: each reads and writes, by shares
// of reads, or some read and the others write.
func (a *Axes) workers(bad *commandline.Problems, sweep *harness.Sweep, reads string) {
	if a.Readers == "" && a.Writers == "" {
		sweep.WorkersPerCPU = bad.Ints("--workers", cmp.Or(a.Workers, "1"), 1, 10_000)
		sweep.Reads = bad.Ints("--reads", cmp.Or(a.Reads, reads), 0, 100)
		return
	}
	if a.Workers != "" || a.Reads != "" {
		bad.Addf("--readers and --writers: want no --workers and no --reads beside them")
	}
	if a.Readers == "" || a.Writers == "" {
		bad.Addf("--readers and --writers: want both, such as --readers 7 --writers 1")
	}
	sweep.Readers = bad.Ints("--readers", cmp.Or(a.Readers, "1"), 0, maxWorkers)
	sweep.Writers = bad.Ints("--writers", cmp.Or(a.Writers, "1"), 0, maxWorkers)
}

// Finish adds one worker alone to a sweep that has everything else, if no flag asks for
// something else, and checks it; unless it has no locks because of an error, unknown.
func (a *Axes) Finish(bad *commandline.Problems, sweep *harness.Sweep, unknown error) {
	if len(sweep.Arrivals) == 0 && a.CPUs == "" && a.Reads == "" && a.Think == "" && a.Workers == "" && a.Readers == "" && a.Hold == "0s" && slices.ContainsFunc(sweep.Workloads, func(w harness.Workload) bool { return w.Name == "" }) {
		sweep.Extra = alone(sweep.Subjects, sweep.Works, sweep.Modes)
	}
	if unknown == nil {
		err := sweep.Validate()
		bad.Add(err)
		if err == nil {
			checkShards(bad, *sweep)
		}
	}
	most := maxWorkers
	if sweep.Latency || len(sweep.Arrivals) > 0 {
		most = maxTimedWorkers
	}
	if len(sweep.Readers) > 0 {
		if n := slices.Max(sweep.Readers) + slices.Max(sweep.Writers); n > most {
			bad.Addf("--readers and --writers: %d workers at a time, must be at most %d", n, most)
		}
	} else if n := slices.Max(sweep.CPUs) * slices.Max(sweep.WorkersPerCPU); n > most {
		bad.Addf("--cpus times --workers: %d workers at a time, must be at most %d", n, most)
	}
}

// The most workers at a time, and the most with histograms, of 76 KB each, so that a
// few gigabytes of memory are enough.
const (
	maxWorkers      = 200_000
	maxTimedWorkers = 20_000
)

// Locks returns the locks that patterns name or, if there are no patterns, those of a
// sweep that names none.
func Locks(patterns []string) ([]catalog.Entry, error) {
	if len(patterns) == 0 {
		patterns = strings.Split("!*-pinned,!rcu-*,rcu-domain,rcu-qsbr,none", ",")
	}
	return catalog.Match(patterns...)
}

// AddLocks adds those of locks to a sweep that suit its modes and workloads, and those
// that patterns name in full. It adds all if none suits, so that an error says why.
func AddLocks(sweep *harness.Sweep, locks []catalog.Entry, patterns []string) {
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
		if slices.Contains(patterns, l.Name) || suits(l) {
			sweep.Subjects = append(sweep.Subjects, l.Subject)
		}
	}
	if len(sweep.Subjects) == 0 { // Validate reports it
		for _, l := range locks {
			sweep.Subjects = append(sweep.Subjects, l.Subject)
		}
	}
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

// Words parses words with commas between them. It returns them in the order given,
// each once.
func Words[T comparable, P interface {
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

// CPUCounts returns 1, 2, 4 and so on, up to all.
func CPUCounts(all int) (counts []int) {
	for n := 1; n < all; n *= 2 {
		counts = append(counts, n)
	}
	return append(counts, all)
}

// LeftOut says what of a sweep cannot be measured, and why.
func LeftOut(con commandline.Console, sweep harness.Sweep) {
	for _, out := range sweep.LeftOut() {
		of := ""
		if len(out.Locks) > 0 {
			of = ": " + strings.Join(out.Locks, ", ")
		}
		con.Sayf("left out, %s%s", out.Why, of)
	}
}

// Situations counts the scenarios, regardless of the lock.
func Situations(scenarios []harness.Scenario) int {
	seen := make(map[results.Cell]bool)
	for _, s := range scenarios {
		seen[s.Cell().Scenario()] = true
	}
	return len(seen)
}
