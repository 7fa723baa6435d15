package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/results"
)

// A dataset is raw results in docs/data, with the way to measure them.
type dataset struct {
	name  string   // of the file, without .txt
	about string   // what was measured
	runs  []string // flags of lockbench run: the first begins the file, the others add to it
	sim   bool     // whether it is simulated: the flags are those of locksim run
	pages bool     // whether the pages of primitives have it: see numbers.go
}

// datasets has everything that is measured for docs. One CPU has no near and far, so a
// few samples are enough there.
var datasets = []dataset{
	{name: "locks", about: "Locks, held for a shared cache line and then not for 0, 100 ns or 1 µs.", runs: []string{
		"--locks " + exclusive + ",chan,none --reads 0 --think 0s,100ns,1us --cpus 1 --count 8",
		"--locks " + exclusive + ",chan,none --reads 0 --think 0s,100ns,1us --cpus 2",
	}},
	{name: "many", about: "The same with eight goroutines to a CPU.", runs: []string{
		"--locks " + exclusive + ",ttas-pinned,ticket-pinned,qspinlock-pinned --reads 0 --workers 8 --cpus 2 --count 12",
	}},
	{name: "reads", about: "Reader-writer locks on a shared cache line.", runs: []string{
		"--locks " + shared + ",none --reads 50,90,99,100 --cpus 1 --count 8",
		"--locks " + shared + ",none --reads 50,90,99,100 --cpus 2",
	}},
	{name: "record", about: "A struct of 8 words, read and replaced without a pause.", runs: []string{
		"--workload record --locks sync.Mutex,sync.RWMutex,rw-distributed,seqlock,rcu-domain,rcu-qsbr,none --think 0s --cpus 1 --count 8",
		"--workload record --locks sync.Mutex,sync.RWMutex,rw-distributed,seqlock,rcu-domain,rcu-qsbr,none --think 0s --cpus 2 --count 25",
	}},
	{name: "map", about: "A map of 1000 keys, looked up and changed without a pause.", runs: []string{
		"--workload map1000 --locks sync.Mutex,sync.RWMutex,rw-distributed,rcu-domain,rcu-qsbr,sync.Map,xsync.Map --think 0s --cpus 1 --count 8",
		"--workload map1000 --locks sync.Mutex,sync.RWMutex,rw-distributed,rcu-domain,rcu-qsbr,sync.Map,xsync.Map --think 0s --cpus 2 --count 25",
	}},
	{name: "starvation", about: "How long writers wait beside readers that follow each other without a gap.", runs: []string{
		"--latency --locks rw-readerpref,rw-queued,rw-phasefair,sync.RWMutex --cpus 2 --reads 99 --hold 1us --think 0s --duration 100ms --count 20",
	}},
	{name: "primitives", about: "The locks that exclude, each for its page.", pages: true, runs: []string{
		"--locks " + primitives + ",none --reads 0 --cpus 1 --count 8",
		"--locks " + primitives + ",none --reads 0 --cpus 2",
	}},
	{name: "primitives-reads", about: "Reader-writer locks, the seqlock and RCU, each for its page.", pages: true, runs: []string{
		"--locks " + primitivesShared + ",none --reads 90,100 --cpus 1 --count 8",
		"--locks " + primitivesShared + ",none --reads 90,100 --cpus 2",
	}},
	{name: "sim-locks", about: "Locks, on a simulated machine.", sim: true, pages: true, runs: []string{
		"--machine milan-2s --locks " + simExclusive + " --cpus 1,2,8,32,96 --reads 0 --think 100ns --count 6",
	}},
	{name: "sim-reads", about: "Reader-writer locks, and RCU, on a simulated machine.", sim: true, pages: true, runs: []string{
		"--machine milan-2s --locks " + simShared + " --cpus 1,2,8,32,96 --reads 90,100 --think 100ns --count 6",
	}},
}

// The report of a comparison, from which the gate's figure is drawn, and the command
// that makes it.
const (
	gateName   = "gate"
	gateReport = "docs/data/gate.json"
	gateFigure = "docs/fig-gate.svg"
	gateMaker  = "go run ./tools/gatetrial figure"
)

// names returns the names of everything that can be measured.
func names() []string {
	var all []string
	for _, d := range datasets {
		all = append(all, d.name)
	}
	return append(all, gateName, tracesName)
}

const (
	exclusive = "sync.Mutex,mutex,ttas,backoff,ticket,mcs,qspinlock"
	shared    = "sync.Mutex,sync.RWMutex,rwsem,rw-queued,rw-phasefair,rw-distributed,xsync.RBMutex,seqlock"

	spinning         = "tas,ttas,backoff,ticket,ticket-pb,anderson,mcs,mcs-queue,clh,cna,reciprocating,qspinlock,mutex,semaphore"
	reading          = "rwsem,rw-readerpref,rw-queued,rw-phasefair,rw-distributed,rw-biased,seqlock,rcu-domain,rcu-pinned,rcu-registered,rcu-qsbr"
	primitives       = "sync.Mutex," + spinning
	primitivesShared = "sync.Mutex,sync.RWMutex," + reading
	simExclusive     = "sync.Mutex-model,sync.RWMutex-model," + spinning + ",none"
	simShared        = "sync.Mutex-model,sync.RWMutex-model," + reading + ",none"
)

// path returns the path of a dataset in a checkout.
func (d dataset) path() string { return filepath.Join("docs", "data", d.name+".txt") }

// commands returns the commands that measure a dataset in a checkout.
func (d dataset) commands() (all [][]string) {
	for i, flags := range d.runs {
		how := "--force"
		if i > 0 {
			how = "--extend"
		}
		run := []string{"go", "run", "./cmd/lockbench", "run"}
		if d.sim {
			run = []string{"go", "run", "-tags", "virtual", "./cmd/locksim", "run"}
		}
		all = append(all, slices.Concat(
			run, strings.Fields(flags), []string{"--plots=", "--out", filepath.ToSlash(d.path()), how}))
	}
	return all
}

// measure measures the named datasets in a checkout.
func measure(ctx context.Context, root string, names []string, stderr io.Writer) error {
	commands := make(map[string][][]string)
	for _, d := range datasets {
		commands[d.name] = d.commands()
	}
	commands[gateName] = [][]string{strings.Fields(gateMaker)}
	commands[tracesName] = traceCommands()
	for _, name := range names {
		for _, args := range commands[name] {
			fmt.Fprintln(stderr, "$", strings.Join(args, " "))
			cmd := exec.CommandContext(ctx, args[0], args[1:]...)
			cmd.Dir, cmd.Stderr = root, stderr
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return nil
}

// read reads all datasets of a checkout.
func read(root string) (map[string]*results.File, error) {
	files := make(map[string]*results.File)
	for _, d := range datasets {
		f, err := results.ReadFile(filepath.Join(root, d.path()))
		if err != nil {
			return nil, fmt.Errorf("%w: measure it by go run ./tools/figures -measure %s", err, d.name)
		}
		files[d.name] = f
	}
	return files, nil
}

// register returns the page about the files in docs/data; gate and rules say whether
// the gate's report and the results of its trial are there.
func register(files map[string]*results.File, gate, rules bool) string {
	var b strings.Builder
	b.WriteString(`# What the figures are drawn from

These files are what was measured, sample by sample, for the figures of [docs](..) and for *Which lock?* in
[README](../../README.md#which-lock). This page is written by the command that draws them from these files:

    $ go run ./tools/figures             # draw, and write the tables
    $ go run ./tools/figures -measure    # measure all of it first: ten minutes, on a machine that does nothing else
    $ go run ./tools/figures -measure record map

A test fails if a figure, the table or this page is not what the files give.
`)
	for _, d := range datasets {
		f := files[d.name]
		fmt.Fprintf(&b, "\n## %s.txt\n\n%s\n\n", d.name, d.about)
		for _, args := range d.commands() {
			fmt.Fprintf(&b, "    $ %s\n", strings.Join(args, " "))
		}
		counts := make(map[results.Distance]int)
		for _, s := range f.Samples {
			counts[s.Distance]++
		}
		var by []string
		for _, c := range []struct {
			distance results.Distance
			says     string
		}{{results.Local, "on one CPU"}, {results.Near, "near"}, {results.Far, "far"}, {results.Mixed, "that changed between the two"}, {results.Unknown, "at an unknown distance"}} {
			if n := counts[c.distance]; n > 0 {
				by = append(by, fmt.Sprintf("%d %s", n, c.says))
			}
		}
		if d.sim {
			fmt.Fprintf(&b, "\n%d samples, %s.\n", len(f.Samples), f.Machine)
		} else {
			fmt.Fprintf(&b, "\n%d samples (%s), %s.\n", len(f.Samples), strings.Join(by, ", "), f.CPU)
		}
		for _, key := range []string{"date", "fitness", "conditions"} {
			said := make(map[string]bool)
			for _, n := range f.Notes {
				if n.Key == key {
					said[n.Text] = true
				}
			}
			for _, text := range slices.Sorted(maps.Keys(said)) {
				fmt.Fprintf(&b, "- %s: %s\n", key, text)
			}
		}
		var drawn []string
		for _, m := range measured {
			if m.data == d.name {
				drawn = append(drawn, fmt.Sprintf("[%s.svg](../%s.svg)", m.name, m.name))
			}
		}
		if len(drawn) > 0 {
			fmt.Fprintf(&b, "\nDrawn: %s.\n", strings.Join(drawn, ", "))
		}
	}
	fmt.Fprintf(&b, "\n## gate.json\n\nThe report of a comparison in which one benchmark was made 8 %% slower.\n\n    $ %s\n\n", gateMaker)
	if gate {
		b.WriteString("Drawn: [fig-gate.svg](../fig-gate.svg).\n")
	} else {
		b.WriteString("It is not there yet: [fig-gate.svg](../fig-gate.svg) was drawn before reports were kept.\n")
	}
	if rules {
		fmt.Fprintf(&b, "\n## gatetrial.json\n\nWhat the gate's rule and its rivals made of the tapes of a trial, which takes hours to record.\n\n    $ %s\n\nDrawn: [fig-gate-rules.svg](../fig-gate-rules.svg).\n", rulesMaker)
	}
	fmt.Fprintf(&b, "\n## sim.csv\n\nWhat the [simulator](../simulator.md) gives, beside what was published.\n\n    $ %s\n\nDrawn:", simMaker)
	for i, f := range simFigures {
		fmt.Fprintf(&b, "%s [%s.svg](../%s.svg)", []string{"", ","}[min(i, 1)], f.name, f.name)
	}
	b.WriteString(".\n")
	return b.String()
}

// write writes the published files into a checkout.
func write(root string, published map[string][]byte) error {
	for _, name := range slices.Sorted(maps.Keys(published)) {
		if err := os.WriteFile(filepath.Join(root, name), published[name], 0o666); err != nil {
			return err
		}
	}
	return nil
}
