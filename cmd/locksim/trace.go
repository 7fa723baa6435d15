package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/engine"
	"github.com/lockbench/lockbench/internal/timeline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

type traceCmd struct {
	Lock    string `complete:"traced" placeholder:"LOCK" help:"Name of a lock that is written against package primitives, or has a model that is, such as sync.Mutex; or of a flavour of RCU, such as rcu-domain-sync: lockbench list has them."`
	Machine string `complete:"machines" placeholder:"NAME|FILE" default:"xeon-8176-8s" help:"The machine: one that locksim knows, or a file that describes it (${default})."`
	CPUs    string `name:"cpus" placeholder:"N" default:"8" help:"CPUs of it that are used (${default})."`
	Workers string `placeholder:"N" help:"Workers per CPU (1)."`
	Ops     string `placeholder:"N" default:"2" help:"Operations of each worker (${default})."`
	Reads   string `placeholder:"PERCENT" help:"Share of the operations that only read (0)."`
	Readers string `placeholder:"N" help:"Workers that only read, in total; with --writers, in place of --reads and --workers."`
	Writers string `placeholder:"N" help:"Workers that only write, in total, in addition to --readers."`
	Hold    string `placeholder:"D" default:"100ns" help:"Work in the critical section (${default})."`
	Think   string `placeholder:"D" default:"100ns" help:"Work between two critical sections (${default})."`
	Seed    string `placeholder:"N" default:"1" help:"Seed of what is left to chance (${default})."`
	From    string `placeholder:"D" help:"Leave out what is before (0s: the workers begin)."`
	To      string `placeholder:"D" help:"Leave out what is after."`
	Out     string `complete:"files" placeholder:"FILE" help:"File for the timeline: NAME.json, in Chrome's trace event format, for ui.perfetto.dev and chrome://tracing; or NAME.svg, a picture."`
	Dark    bool   `help:"Draw the picture for a dark page."`
}

// Help is kong's.
func (traceCmd) Help() string {
	return commandline.Examples(
		"locksim trace --lock ticket --cpus 16 --out ticket.json",
		"locksim trace --lock mcs --cpus 12 --ops 1 --out mcs.svg",
		"locksim trace --lock rcu-domain-sync --readers 7 --writers 1 --hold 5us --think 2us --out rcu.svg",
	)
}

// What fits into a picture, and into a trace.
const (
	mostLanes  = 64
	mostDrawn  = 5000
	mostOps    = 10_000
	mostEvents = 2_000_000
)

func (c *traceCmd) Run(con commandline.Console) error {
	if !engine.Virtual {
		return commandline.Problems{errors.New("this build runs locks on the host alone; to trace them, go build -tags virtual ./cmd/locksim")}
	}
	s, err := c.scene()
	if err != nil {
		return err
	}
	r, err := s.record()
	if err != nil {
		return err
	}
	t := timelineOf(s, r)
	t.Command = c.String()
	if t.Begins == t.Ends {
		return commandline.Problems{fmt.Errorf("--from %s: all is over after %s", c.From, timeline.Short(t.Ends))}
	}
	write := t.writeJSON
	if filepath.Ext(c.Out) == ".svg" {
		if n := t.Drawn(); n > mostDrawn {
			return commandline.Problems{fmt.Errorf("--out %s: %d slices and arrows: a picture has room for %d; want fewer --cpus or --ops, a window between --from and --to, or a file NAME.json", c.Out, n, mostDrawn)}
		}
		write = func(w io.Writer) error { return t.WriteSVG(w, c.Dark) }
	}
	err = os.MkdirAll(filepath.Dir(c.Out), 0o777)
	if err == nil {
		err = atomicfile.Write(c.Out, write)
	}
	if err == nil {
		fmt.Fprintf(con.Out, "%s: %s\n", c.Out, t.Summary())
	}
	return errors.Join(err, r.broken)
}

// writeJSON writes the timeline in Chrome's trace event format.
func (t *virtualTimeline) writeJSON(w io.Writer) error {
	about := map[string]string{"command": t.Command, "machine": t.machine.Name, "seed": fmt.Sprint(t.seed), "summary": t.Summary()}
	return timeline.WriteJSON(w, about, t.Timeline)
}

// String returns the command line, without the file: what the timeline depends on.
func (c *traceCmd) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "locksim trace --lock %s --machine %s --cpus %s --ops %s", c.Lock, c.Machine, c.CPUs, c.Ops)
	for _, f := range []struct{ name, value string }{
		{"workers", c.Workers}, {"reads", c.Reads}, {"readers", c.Readers}, {"writers", c.Writers}, {"hold", c.Hold}, {"think", c.Think}, {"seed", c.Seed}, {"from", c.From}, {"to", c.To},
	} {
		if f.value != "" {
			fmt.Fprintf(&b, " --%s %s", f.name, f.value)
		}
	}
	return b.String()
}

// scene returns what the flags describe. The error is all that is wrong with them.
func (c *traceCmd) scene() (*scene, error) {
	var bad commandline.Problems
	one := func(flag, text string, low, high int) int {
		return commandline.One(&bad, flag, text, bad.Ints(flag, text, low, high))
	}
	duration := func(flag, text string) time.Duration {
		return commandline.One(&bad, flag, text, bad.Durations(flag, text, 0, 10*time.Millisecond))
	}
	picture := filepath.Ext(c.Out) == ".svg"
	s := &scene{ops: one("--ops", c.Ops, 1, mostOps), hold: duration("--hold", c.Hold), think: duration("--think", c.Think)}
	s.seed = bad.Seed("--seed", c.Seed)

	most := sim.MaxCPUs
	if d, err := machines.Find(c.Machine); err != nil {
		bad.Add(err)
	} else {
		s.machine = &d.Machine
		most = s.machine.CPUs()
	}
	s.cpus = one("--cpus", c.CPUs, 1, most)
	if picture && s.cpus > mostLanes {
		bad.Addf("--cpus %d: a picture has room for %d; want fewer, or a file NAME.json", s.cpus, mostLanes)
	}
	s.workers = s.cpus
	switch roles := c.Readers != "" || c.Writers != ""; {
	case !roles && c.Workers != "":
		s.workers *= one("--workers", c.Workers, 1, 64)
	case roles:
		if c.Readers == "" || c.Writers == "" {
			bad.Addf("--readers and --writers: want both")
			break
		}
		const mostWorkers = 64 * sim.MaxCPUs
		s.readers, s.roles = one("--readers", c.Readers, 0, mostWorkers), true
		s.workers = s.readers + one("--writers", c.Writers, 0, mostWorkers)
		switch {
		case s.workers == 0:
			bad.Addf("--readers 0 --writers 0: want a worker")
		case c.Workers != "":
			bad.Addf("--workers %s: want it without --readers and --writers", c.Workers)
		}
		if c.Reads != "" {
			bad.Addf("--reads %s: want it without --readers and --writers", c.Reads)
		}
	}
	if c.Reads != "" {
		s.reads = one("--reads", c.Reads, 0, 100)
	}
	if n := s.workers * s.ops; n > mostOps {
		bad.Addf("%d operations in all: at most %d fit a timeline; want fewer --cpus or --ops", n, mostOps)
	}
	window := func(flag, text string) time.Duration {
		if text == "" {
			return 0
		}
		return commandline.One(&bad, flag, text, bad.Durations(flag, text, 0, time.Hour))
	}
	if s.from, s.to = window("--from", c.From), window("--to", c.To); c.To != "" && s.to <= s.from {
		bad.Addf("--to %s: want more than --from", c.To)
	}
	s.limit = 10*time.Second + 2*time.Duration(s.workers*s.ops)*(s.hold+s.think)
	if e, err := c.subject(); err != nil {
		bad.Add(err)
	} else if s.take(e); (s.readers > 0 || s.reads > 0) && s.kind == timeline.Exclusive {
		bad.Addf("lock %q: does not distinguish readers; want no --reads and no --readers", e.Name)
	}
	c.file(&bad, picture)
	if len(bad) > 0 {
		return nil, bad
	}
	return s, nil
}

// file adds what is wrong with --out.
func (c *traceCmd) file(bad *commandline.Problems, picture bool) {
	switch ext := filepath.Ext(c.Out); {
	case c.Out == "":
		bad.Addf("want --out NAME.json or --out NAME.svg")
		return
	case ext != ".json" && ext != ".svg":
		bad.Addf("--out %s: want a name that ends in .json or .svg", c.Out)
	}
	if c.Dark && !picture {
		bad.Addf("--dark: want --out NAME.svg with it")
	}
	bad.Writable("--out", filepath.Dir(c.Out))
}

// subject returns the lock.
func (c *traceCmd) subject() (catalog.Entry, error) {
	if c.Lock == "" {
		return catalog.Entry{}, errors.New("want --lock NAME")
	}
	entries, err := catalog.Match(c.Lock)
	if err != nil {
		return catalog.Entry{}, err
	}
	e, simulated := entries[0].Simulated()
	switch {
	case len(entries) > 1:
		return e, fmt.Errorf("--lock %s: want one lock, have %s", c.Lock, wording.Count(len(entries), "lock"))
	case !simulated:
		return e, fmt.Errorf("lock %q: is not written against package primitives, and has no model that is, so it cannot be traced", e.Name)
	case e.Unlocked:
		return e, fmt.Errorf("lock %q: excludes nothing, so there is nothing to see", e.Name)
	}
	return e, nil
}

// tracedNames are the names that --lock can have.
func tracedNames() (names []string) {
	for _, e := range catalog.All() {
		if _, simulated := e.Simulated(); simulated && !e.Unlocked {
			names = append(names, e.Name)
		}
	}
	return names
}
