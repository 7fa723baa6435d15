package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/advice"
	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

type adviseCmd struct {
	Files []string `complete:"files" arg:"" name:"file" help:"Results files of lockbench run or locksim run."`

	CPUs     string `name:"cpus" placeholder:"N" help:"CPUs that the program uses (the most in the files)."`
	Workers  string `placeholder:"N" help:"Goroutines per CPU that want the lock (1)."`
	Reads    string `placeholder:"PERCENT" help:"Share of the operations that only read (0)."`
	Hold     string `placeholder:"D" help:"Length of a critical section (0s: a few instructions)."`
	Think    string `placeholder:"D" help:"Time between two of them (100ns)."`
	Workload string `complete:"workloads" placeholder:"NAME" help:"What critical sections do, as in lockbench run (bare)."`

	For      string `complete:"time|latency|cpu" placeholder:"WHAT" default:"time" help:"What is to be short: ${default} (wall time for an operation), latency (99th percentile of the wait, from lockbench run --latency) or cpu (CPU time for an operation)."`
	MaxBytes string `placeholder:"N" help:"Leave out locks that take more bytes, and those of your own, of which that is not known."`
	Fair     bool   `help:"Leave out locks that do not serve goroutines in the order of their arrival."`
	MayBlock bool   `help:"The critical section may block: leave out locks whose waiters would spin meanwhile, and those that turn preemption off."`
	Margin   string `placeholder:"P" default:"5%" help:"A difference up to this counts as none (${default})."`
	JSON     bool   `help:"Write JSON."`
	Machine  string `placeholder:"NAME" help:"Use only files of this machine: host, or the name of a simulated one (what was measured, if anything was)."`
}

// Help is kong's.
func (adviseCmd) Help() string {
	return commandline.Examples(
		"lockbench advise results.txt",
		"lockbench advise --reads 0 --fair results.txt",
	)
}

// errNoData says that nothing near the workload was measured.
var errNoData = errors.New("no data near that")

// Run answers, or says what to measure.
func (c *adviseCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	q := advice.Question{Fair: c.Fair, MayBlock: c.MayBlock, Locks: advisable()}
	var ok bool
	if q.Margin, ok = config.ParseShare(c.Margin); !ok || !(q.Margin >= 0 && q.Margin <= 1) {
		bad.Addf("--margin %s: want a share from 0 to 1, such as 5%% or 0.05", c.Margin)
	}
	if c.MaxBytes != "" {
		q.MaxBytes = commandline.One(&bad, "--max-bytes", c.MaxBytes, bad.Ints("--max-bytes", c.MaxBytes, 1, 1<<20))
	}
	if !slices.Contains([]string{"time", "latency", "cpu"}, c.For) {
		bad.Addf("--for %s: want time, latency or cpu", c.For)
	}
	said := c.workload(&bad)
	file, n := c.read(con, &bad)
	if file != nil {
		q.Cell = said.cell(&bad, file.Samples)
		q.Exact = isSimulated(file.Facts)
		q.Unit = c.unit(q.Cell)
	}
	if len(bad) > 0 {
		return bad
	}
	answers, err := q.Ask(file.Samples)
	if no := (*advice.NoDataError)(nil); errors.As(err, &no) {
		if len(no.LeftOut) > 0 {
			return fmt.Errorf("%w: %v", errNoData, no)
		}
		return fmt.Errorf("%w: %v; %s", errNoData, no, c.measureIt(q.Cell, file, n))
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return adviseJSON(con.Out, q, file.Facts, answers)
	}
	var b strings.Builder
	advise(&b, q, file.Facts, answers, func(lock string) string { return c.command("--locks "+lock+" ", q.Cell, file, n) })
	_, err = io.WriteString(con.Out, b.String())
	return err
}

// unit returns what locks are ranked by. The latency is that of writers, if there are any:
// readers of a good lock for them wait for less.
func (c *adviseCmd) unit(cell results.Cell) string {
	switch {
	case c.For == "cpu":
		return "cpu-ns/op"
	case c.For == "latency" && cell.Reads == 100:
		return "read-p99-ns"
	case c.For == "latency":
		return "write-p99-ns"
	}
	return "ns/op"
}

// A saidWorkload is what the flags say of the workload. What they do not say is negative
// or, of the name, "".
type saidWorkload struct {
	name                 string
	cpus, workers, reads int
	hold, think          time.Duration
}

func (c *adviseCmd) workload(bad *commandline.Problems) saidWorkload {
	w := saidWorkload{name: c.Workload}
	if w.name != "" && !slices.Contains(workloadNames(), w.name) {
		bad.Addf("--workload: unknown workload %q (known: %s)", w.name, strings.Join(workloadNames(), ", "))
	}
	number := func(flag, text string, low, high int) int {
		if text == "" {
			return -1
		}
		return commandline.One(bad, flag, text, bad.Ints(flag, text, low, high))
	}
	duration := func(flag, text string) time.Duration {
		if text == "" {
			return -1
		}
		return commandline.One(bad, flag, text, bad.Durations(flag, text, 0, time.Second))
	}
	w.cpus = number("--cpus", c.CPUs, 1, 1024)
	w.workers = number("--workers", c.Workers, 1, 10_000)
	w.reads = number("--reads", c.Reads, 0, 100)
	w.hold, w.think = duration("--hold", c.Hold), duration("--think", c.Think)
	return w
}

// cell returns the workload. What the flags do not say is what lockbench run measures by
// default or, if the samples do not have that, the only value that they have.
func (w saidWorkload) cell(bad *commandline.Problems, samples []results.Sample) results.Cell {
	var all, like []results.Sample
	for _, s := range samples {
		if !s.Open() && !s.Roles() && !s.Oversubscribed {
			all = append(all, s)
		}
	}
	like = all
	var cell results.Cell
	// What cannot be interpolated.
	for _, key := range []struct {
		name string
		said string
		of   func(*results.Cell) *string
	}{
		{"--workload", w.name, func(c *results.Cell) *string { return &c.Workload }},
		{"work", "", func(c *results.Cell) *string { return &c.Work }},
		{"mode", "", func(c *results.Cell) *string { return &c.Mode }},
		{"gc", "", func(c *results.Cell) *string { return &c.GC }},
		{"place", "", func(c *results.Cell) *string { return &c.Place }},
	} {
		to := key.of(&cell)
		*to = key.said
		if *to == "" {
			*to = only(bad, key.name, like, func(s results.Sample) string { return *key.of(&s.Cell) })
		} else if *to == sweeping.Bare {
			*to = ""
		}
		like = slices.DeleteFunc(slices.Clone(like), func(s results.Sample) bool { return *key.of(&s.Cell) != *to })
	}
	if len(like) == 0 {
		like = all
	}
	most := 1
	for _, s := range like {
		most = max(most, s.CPUs)
	}
	cell.CPUs = say(bad, "--cpus", w.cpus, most, like, func(s results.Sample) int { return s.CPUs })
	perCPU := say(bad, "--workers", w.workers, 1, like, func(s results.Sample) int { return max(1, s.Workers/s.CPUs) })
	cell.Workers = perCPU * cell.CPUs
	cell.Reads = say(bad, "--reads", w.reads, 0, like, func(s results.Sample) int { return s.Reads })
	cell.Hold = say(bad, "--hold", w.hold, 0, like, func(s results.Sample) time.Duration { return s.Hold })
	cell.Think = say(bad, "--think", w.think, 100*time.Nanosecond, like, func(s results.Sample) time.Duration { return s.Think })
	return cell
}

// only returns "", the usual value, or the only one that samples have.
func only(bad *commandline.Problems, name string, samples []results.Sample, of func(results.Sample) string) string {
	var values []string
	for _, s := range samples {
		if v := of(s); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	switch {
	case len(values) == 0 || values[0] == "":
		return ""
	case len(values) > 1 && strings.HasPrefix(name, "--"):
		bad.Addf("%s: want a value: the files have %s", name, strings.Join(values, ", "))
	case len(values) > 1:
		bad.Addf("%s: the files have %s: want files of one", name, strings.Join(values, ", "))
	}
	return values[0]
}

// say returns what a flag says or, if it says nothing, the usual value or the only one.
func say[T cmp.Ordered](bad *commandline.Problems, flag string, said, usual T, samples []results.Sample, of func(results.Sample) T) T {
	var nothing T
	if said >= nothing {
		return said
	}
	var values []T
	for _, s := range samples {
		if v := of(s); !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	switch {
	case len(values) == 0 || slices.Contains(values, usual):
		return usual
	case len(values) == 1:
		return values[0]
	}
	slices.Sort(values)
	var words []string
	for _, v := range values {
		words = append(words, fmt.Sprint(v))
	}
	const most = 8
	if n := len(words); n > most {
		words = append(words[:most-1], fmt.Sprintf("%d more", n-most+1))
	}
	bad.Addf("%s: want a value: the files have %s", flag, strings.Join(words, ", "))
	return usual
}

// isSimulated reports whether a file is of a simulated machine.
func isSimulated(f results.Facts) bool { return strings.HasPrefix(f.Machine, "sim:") }

// read reads the files, and returns the samples of those of one machine, and how many
// files these are: of the one that was asked for, or of a real one if there is one.
func (c *adviseCmd) read(con commandline.Console, bad *commandline.Problems) (all *results.File, n int) {
	var files []*results.File
	var machines []string
	for i, name := range c.Files {
		if slices.Contains(c.Files[:i], name) {
			bad.Addf("%s: given twice, and its samples would count twice", name)
			continue
		}
		if same := slices.IndexFunc(c.Files[:i], func(other string) bool { return same(other, name) }); same >= 0 {
			bad.Addf("%s: is %s, and its samples would count twice", name, c.Files[same])
			continue
		}
		file, err := results.ReadFile(name)
		bad.Add(noFile(err, "lockbench run"))
		if err != nil {
			continue
		}
		for _, w := range file.Warnings {
			fmt.Fprintf(con.Err, "lockbench: warning: %s: %s\n", name, w)
		}
		files = append(files, file)
		if m := machine(file.Facts); !slices.Contains(machines, m) {
			machines = append(machines, m)
		}
	}
	if len(files) < len(c.Files) {
		return nil, 0
	}
	want := c.Machine
	if want == "" {
		want = machines[0]
		if slices.Contains(machines, "host") {
			want = "host"
		} else if len(machines) > 1 {
			bad.Addf("--machine: want one of %s", strings.Join(machines, ", "))
			return nil, 0
		}
	}
	var others []string
	for _, f := range files {
		switch m := machine(f.Facts); {
		case m != want && m != "sim:"+want:
			others = append(others, fmt.Sprintf("%s (%s)", f.Name, wording.Clean(m)))
			continue
		case all == nil:
			all = f
		default:
			bad.Add(sameMachine(all, f))
			all.Append(f)
		}
		n++
	}
	switch {
	case all == nil:
		bad.Addf("--machine %s: no file is of it (have %s)", c.Machine, strings.Join(machines, ", "))
	case len(others) > 0:
		fmt.Fprintf(con.Err, "lockbench: not used, of another machine: %s\n", strings.Join(others, ", "))
	}
	return all, n
}

// machine returns the machine of a file. The output of go test does not say that it is
// of a real one.
func machine(f results.Facts) string { return cmp.Or(f.Machine, "host") }

// advisable returns what the catalogue knows about locks, and about the models that stand
// in for some of them where samples are simulated.
func advisable() (locks []advice.Lock) {
	for _, e := range catalog.All() {
		parks := e.Waits == catalog.Parks || e.Waits == catalog.SpinsThenParks || e.Waits == catalog.UpdatersPark
		l := advice.Lock{
			Name:     e.Name,
			FIFO:     e.Order == catalog.FIFO || e.Order == catalog.NearlyFIFO,
			Parks:    parks && !e.Pins && !e.PinsReaders,
			Standard: e.Name == "sync.Mutex" || e.Name == "sync.RWMutex",
			Control:  e.Control,
			Needs:    e.Needs(),
			Bytes:    int(e.Bytes),
		}
		locks = append(locks, l)
		if s, ok := e.Simulated(); ok && s.Name != e.Name {
			l.Name = s.Name
			locks = append(locks, l)
		}
	}
	return locks
}

// measureIt says how to measure a workload, or to simulate it.
func (c *adviseCmd) measureIt(cell results.Cell, file *results.File, files int) string {
	command := c.command("", cell, file, files)
	switch {
	case isSimulated(file.Facts):
		return "simulate it: " + command
	case cell.CPUs <= runtime.NumCPU():
		return "measure it: " + command
	}
	return fmt.Sprintf("measure it on a machine with %s: %s, or simulate one: locksim run --machine NAME %s", wording.Count(cell.CPUs, "CPU"), c.command("", cell, file, 0), c.flags(cell))
}

// flags returns those that measure a workload.
func (c *adviseCmd) flags(cell results.Cell) string {
	flags := fmt.Sprintf("--cpus %d --reads %d", cell.CPUs, cell.Reads)
	if n := cell.Workers / cell.CPUs; n > 1 {
		flags += fmt.Sprintf(" --workers %d", n)
	}
	flags += fmt.Sprintf(" --hold %s --think %s", ascii(cell.Hold), ascii(cell.Think))
	for _, other := range []struct{ flag, value string }{
		{"--workload", cell.Workload}, {"--work", cell.Work}, {"--mode", cell.Mode}, {"--gc", cell.GC}, {"--place", cell.Place},
	} {
		if other.value != "" {
			flags += " " + other.flag + " " + other.value
		}
	}
	if c.For == "latency" {
		flags += " --latency"
	}
	return flags
}

// command returns one that measures a workload, and adds it to the file if there is only
// one.
func (c *adviseCmd) command(locks string, cell results.Cell, file *results.File, files int) string {
	flags := locks + c.flags(cell)
	if name, ok := strings.CutPrefix(file.Machine, "sim:"); ok {
		return fmt.Sprintf("locksim run --machine %s %s", name, flags)
	}
	out := "--out more.txt"
	if files == 1 && !strings.ContainsAny(file.Name, " \t\n'\"$\\") {
		out = "--extend --out " + file.Name
	}
	return fmt.Sprintf("lockbench run %s %s", flags, out)
}

// ascii writes a duration as a keyboard does.
func ascii(d time.Duration) string { return strings.Replace(d.String(), "µ", "u", 1) }
