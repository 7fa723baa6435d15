package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/engine"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/internal/pingpong"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

type calibrateCmd struct {
	Out      string `complete:"files" placeholder:"FILE" help:"File to write (stdout without it)."`
	Force    bool   `help:"Replace FILE."`
	Name     string `placeholder:"NAME" help:"Name of the machine (that of FILE without .toml, or host)."`
	Distance string `complete:"near|far" placeholder:"near|far" help:"On a virtual machine of two CPUs whose host moves them: what of the time to count, that in which they are near each other, or far."`
	Budget   string `placeholder:"D" default:"20s" help:"For how long to measure (${default})."`
}

// Help is kong's.
func (calibrateCmd) Help() string {
	return commandline.Examples(
		"locksim calibrate --out mine.toml",
		"locksim calibrate --out far.toml --distance far --budget 50s",
	)
}

func (c *calibrateCmd) Run(con commandline.Console) error {
	if !engine.Virtual {
		return commandline.Problems{errors.New("this build runs locks on the host alone; to calibrate its simulator, go build -tags virtual ./cmd/locksim")}
	}
	var bad commandline.Problems
	budget := commandline.One(&bad, "--budget", c.Budget, bad.Durations("--budget", c.Budget, time.Second, 10*time.Minute))
	name := cmp.Or(c.Name, strings.TrimSuffix(filepath.Base(c.Out), ".toml"))
	if c.Name == "" && c.Out == "" {
		name = "host"
	}
	if strings.ContainsAny(name, " \t\n:") {
		bad.Addf("--name %s: want a word", name)
	}
	if c.Out != "" {
		if _, err := os.Lstat(c.Out); err == nil && !c.Force {
			bad.Addf("--out %s: exists: want --force to replace it, or another name", c.Out)
		}
		bad.Writable("--out", filepath.Dir(c.Out))
	}
	at := results.Distance(c.Distance)
	if at != "" && at != results.Near && at != results.Far {
		bad.Addf("--distance %s: want near or far", c.Distance)
	}
	if len(bad) > 0 {
		return bad
	}
	cal := newCalibration()
	if at != "" {
		if n := len(cal.cpus); n != 2 || cal.shape.threads != 1 {
			return fmt.Errorf("--distance %s: want a machine of two CPUs, each a core of its own; this process may use %s", at, wording.Count(n, "CPU"))
		}
		cal.only(at)
	}

	ctx, restore := commandline.UntilSignal()
	defer restore()
	if err := cal.measure(ctx, con.Err, budget); err != nil {
		return err
	}
	d, err := cal.describe(name)
	if err != nil {
		return err
	}
	for _, w := range cal.fitness.Warnings() {
		fmt.Fprintf(con.Err, "locksim: warning: %s\n", w)
	}
	assumed := 0
	for _, v := range d.Values {
		if v.Source == "" {
			assumed++
		}
	}
	fmt.Fprintf(con.Err, "locksim: %s: %s; of %d values %d are assumed\n", name, d.About, len(d.Values), assumed)
	if c.Out == "" {
		return d.Write(con.Out)
	}
	return atomicfile.Write(c.Out, func(w io.Writer) error { return d.Write(w) })
}

// A calibration is what was measured of this machine.
type calibration struct {
	cpus    []int // that the process may use
	shape   shape
	at      results.Distance // of two CPUs whose distance changes: that which counts, or "" for the most frequent
	began   time.Time
	fitness fitness.State
	bound   bool // threads can be bound to CPUs

	one   readings                                       // of what one CPU does
	two   map[sim.Distance]map[results.Distance]readings // of what two do, by how far they are and what a ping-pong says
	deeds []deed                                         // that two do, the next first
	last  error                                          // why two were not measured, if they were not
}

// Readings are samples by what they are of.
type readings map[string][]float64

func (r readings) add(of string, ns float64) { r[of] = append(r[of], ns) }

func newCalibration() *calibration {
	c := &calibration{one: make(readings), two: make(map[sim.Distance]map[results.Distance]readings), deeds: deeds()}
	cpus, err := harness.Compact.Order()
	if c.bound = err == nil && len(cpus) > 2; err != nil {
		for i := range runtime.NumCPU() { // their numbers are not known, only how many they are
			cpus = append(cpus, i)
		}
	}
	c.cpus = cpus
	c.shape = shapeOf(os.DirFS("/sys/devices/system"), cpus)
	if err != nil && len(cpus) > 2 {
		c.shape.assumed = append(c.shape.assumed, "the two CPUs that were measured are as far from each other as any")
	}
	for d := range c.shape.pairs {
		c.two[d] = make(map[results.Distance]readings)
	}
	return c
}

// only lets only those samples count in which the two CPUs are that far from each other. If
// they are far, they are taken to be in two clusters.
func (c *calibration) only(at results.Distance) {
	c.at = at
	d := sim.Cluster
	c.shape.cores, c.shape.clusters, c.shape.sockets = 2, 1, 1
	if at == results.Far {
		d = sim.Socket
		c.shape.cores, c.shape.clusters = 1, 2
	}
	c.shape.assumed = nil
	c.shape.pairs = map[sim.Distance][2]int{d: [2]int(c.cpus)}
	c.two = map[sim.Distance]map[results.Distance]readings{d: make(map[results.Distance]readings)}
}

// pause is between two rounds of measurements, which take a few milliseconds each.
const pause = 50 * time.Millisecond

// measure measures for as long as budget says, or until ctx is done.
func (c *calibration) measure(ctx context.Context, log io.Writer, budget time.Duration) error {
	c.began = time.Now()
	c.fitness = fitness.Look(ctx)
	ends := time.Now().Add(budget)
	memory := newHoard()
	meter := commandline.NewMeter(log, "locksim", commandline.Pace{First: patience, Every: 2 * patience})
	defer meter.Clear()
	rounds := 0
	for ; time.Now().Before(ends); rounds++ {
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %d rounds of measurements, nothing written", sweeping.ErrInterrupted, rounds)
		}
		c.alone(memory)
		for d := range c.two {
			time.Sleep(pause)
			if err := c.together(d); err != nil {
				c.last = err
			}
		}
		meter.Show(func() string {
			return fmt.Sprintf("calibrate: %d rounds of measurements, %.0f s left%s", rounds, time.Until(ends).Seconds(), c.states())
		})
		time.Sleep(pause) // so that they are spread over the budget, and the kernel gives CPUs to a process that has slept
	}
	return nil
}

// alone measures what one CPU does.
func (c *calibration) alone(memory *hoard) {
	for of, sample := range map[string]func() float64{
		"load": loadNS, "store": storeNS, "modify": modifyNS, "memory": memory.loads, "clock": clockNS, "pin": pinNS,
	} {
		c.one.add(of, sample())
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for of, sample := range map[string]func() float64{"switch": switchNS, "wake": wakeNS, "round": parkNS} {
		c.one.add(of, sample())
	}
}

// mostInRow is how many samples of two CPUs one round takes.
const mostInRow = 12

// together measures what two CPUs do that are that far from each other. On a busy machine
// they are seldom had at the same time, and then for a moment: so there is a ping-pong
// between any two samples, which says how far the CPUs are, and after one without an answer
// the next round begins.
func (c *calibration) together(d sim.Distance) error {
	var p pair
	if c.bound {
		of := c.shape.pairs[d]
		p = of[:]
	}
	if _, ok, err := p.transfers(false); err != nil || !ok { // a probe would wait for longer
		return err
	}
	before, err := pingpong.Probe(p.on)
	for range mostInRow {
		if err != nil || before.Distance == results.Unknown {
			return err
		}
		of := c.deeds[0]
		c.deeds = append(c.deeds[1:], of)
		ns, ok, err := of.sample(p)
		if err != nil || !ok {
			return err
		}
		after, err := pingpong.Probe(p.on)
		if err != nil {
			return err
		}
		if at := before.And(after); at == results.Near || at == results.Far {
			if c.two[d][at] == nil {
				c.two[d][at] = make(readings)
			}
			c.two[d][at].add(of.name, ns)
		}
		before = after
	}
	return nil
}

// A deed is something that two CPUs do.
type deed struct {
	name   string
	sample func(pair) (ns float64, ok bool, err error)
}

func deeds() []deed {
	all := []deed{
		{"hop", func(p pair) (float64, bool, error) { return p.transfers(false) }},
		{"copy", func(p pair) (float64, bool, error) { return p.transfers(true) }},
		{"add", pair.additions},
		{"start", func(pair) (float64, bool, error) { ns, ok := startNS(); return ns, ok, nil }},
	}
	if primitives.CanMembarrier() {
		all = append(all, deed{"membarrier", pair.membarriers})
	}
	return all
}

// states says how often the CPUs were how far from each other, if that can differ.
func (c *calibration) states() (text string) {
	for _, by := range c.two {
		for _, at := range slices.Sorted(maps.Keys(by)) {
			text += fmt.Sprintf(", %d %s", len(by[at]["hop"]), at)
		}
	}
	return text
}

// enough is how many samples a value needs, so that it is not assumed.
const enough = 10

// most returns the distance at which there are most samples of two CPUs.
func (c *calibration) most(d sim.Distance) results.Distance {
	if c.at != "" {
		return c.at
	}
	best := results.Unknown
	for _, at := range slices.Sorted(maps.Keys(c.two[d])) {
		if best == results.Unknown || len(c.two[d][at]["hop"]) > len(c.two[d][best]["hop"]) {
			best = at
		}
	}
	return best
}

// describe returns the machine as it was measured.
func (c *calibration) describe(name string) (*machines.Description, error) {
	s := c.shape
	d := &machines.Description{Machine: sim.Machine{
		Name: name, Threads: s.threads, Cores: s.cores, Clusters: s.clusters, Sockets: s.sockets, Halves: 1,
	}}
	m := &d.Machine
	value := func(field *float64, v machines.Value) {
		*field = v.Value
		d.Values = append(d.Values, v)
	}
	nearest := sim.Self
	for dist := sim.Distance(sim.Distances - 1); dist >= sim.Sibling; dist-- {
		if _, ok := s.pairs[dist]; ok {
			nearest = dist
			if n := len(c.two[dist][c.most(dist)]["hop"]); n < enough {
				return nil, c.tooFew(dist, n)
			}
		}
	}
	two := c.two[nearest][c.most(nearest)]

	value(&m.Load, c.from("cost.load", c.one["load"], 0.5, "each of the address that the one before it returned", 1, 0.4, 2.5))
	value(&m.Store, c.from("cost.store", c.one["store"], 0.5, "by a call, as StoreRelease is", 1, 0.3, 2.5))
	value(&m.Modify, c.from("cost.modify", c.one["modify"], 0.5, "a CAS", 5, 2, 10))
	value(&m.Memory, c.from("cost.memory", c.one["memory"], 0.5, "of 128 MB, in no order, with what address translation takes", 90, 60, 200))
	value(&m.Invalidate, assumed("cost.invalidate", 2, 0, 10))
	at := len(d.Values) // of the residency, which is found last
	value(&m.Residency, assumed("cost.residency", 9, 3, 20))
	value(&m.Clock, c.from("cost.clock", c.one["clock"], 0.5, "Nanotime", 25, 15, 60))
	value(&m.Pin, c.from("cost.pin", c.one["pin"], 0.5, "half of Pin and Unpin", 1, 0.5, 3))

	// Of a round of two goroutines that wake each other and sleep, each half is two writes
	// of a Parker, a wake-up, a park and a switch.
	change := c.from("cost.switch", c.one["switch"], 0.5, "Gosched", 150, 80, 400)
	wake := c.from("cost.wake", c.one["wake"], 0.5, "an Unpark, less a CAS", 200, 100, 1000)
	park := c.from("cost.park", c.one["round"], 0.5, "half of a round of two Parkers, less the other costs", 100, 50, 500)
	wake.Value = round(max(wake.Value-m.Modify, 0))
	if park.Source != "" {
		park.Value = round(park.Value - 2*m.Modify - wake.Value - change.Value)
		if park.Value < 0 {
			change.Value, park.Value = round(max(change.Value+park.Value, 0)), 0
			change.Source += "; reduced so that a round of two Parkers takes what it was measured to take"
		}
	}
	value(&m.Switch, change)
	value(&m.Park, park)
	value(&m.Wake, wake)
	starts := two["start"]
	if c.fitness.Load > float64(len(c.cpus))/2 {
		starts = nil // no CPU was idle
	}
	start := c.from("cost.start", starts, 0.25, "from before an Unpark until the goroutine runs on a CPU that was idle, less the other costs", 5000, 1500, 50000)
	if start.Source != "" {
		start.Value = round(max(start.Value-m.Modify-m.Wake-m.Switch, 0))
	}
	value(&m.Start, start)
	value(&m.Slice, machines.Value{Key: "cost.slice", Value: 10_000_000, Source: "Go's runtime/proc.go forcePreemptNS"})
	value(&m.Budget, machines.Value{Key: "cost.budget", Value: 20_000, Source: "lockbench primitives/runtime_linkname.go budget"})
	value(&m.Membarrier, c.from("cost.membarrier", two["membarrier"], 0.25, "while another CPU runs", 5000, 1000, 60000))
	value(&m.ReadShare, assumed("share.read_share", 0.25, 0.1, 0.5))
	value(&m.Nearest, assumed("share.nearest", 0.9, 0.5, 1))
	for dist := sim.Sibling; int(dist) < sim.Distances; dist++ {
		if _, ok := s.pairs[dist]; ok {
			state := c.most(dist)
			value(&m.Hop[dist], c.from("hop."+dist.String(), c.two[dist][state]["hop"], 0.5, "an addition to a word that the other CPU has written last", 0, 0, 0))
		}
	}
	for dist := sim.Sibling; int(dist) < sim.Distances; dist++ {
		if _, ok := s.pairs[dist]; ok {
			hop := m.Hop[dist]
			v := c.from("upgrade."+dist.String(), c.two[dist][c.most(dist)]["copy"], 0.5, "an addition to a word that the other CPU has written and this one has read", 1.2*hop, hop, 2.5*hop)
			if v.Source != "" {
				v.Value = max(v.Value, m.Modify)
			}
			value(&m.Upgrade[dist], v)
		}
	}
	if additions := two["add"]; len(additions) >= enough {
		want := quantile(additions, 0.5)
		m.Residency = 0
		ns, err := residency(*m, nearest, want)
		if err != nil {
			return nil, err
		}
		v := c.from("cost.residency", additions, 0.5, "of the additions of two CPUs to one word, each; so long that they take that in the simulator", 0, 0, 0)
		v.Value = round(ns)
		m.Residency, d.Values[at] = v.Value, v
	}
	d.About = c.about(nearest)
	if err := m.Validate(); err != nil {
		return nil, fmt.Errorf("what was measured makes no machine: %w", err)
	}
	return d, nil
}

// tooFew says why there are too few samples of two CPUs.
func (c *calibration) tooFew(d sim.Distance, n int) error {
	if c.last != nil {
		return fmt.Errorf("of two CPUs (%v) %d samples were measured, want %d: %w", d, n, enough, c.last)
	}
	why := "the machine is busy"
	if c.at != "" {
		why += ", or its CPUs were not " + string(c.at)
	}
	return fmt.Errorf("of two CPUs (%v) %d samples were measured, want %d: %s%s; want a longer --budget, or another time", d, n, enough, why, c.states())
}

// about says what was measured, and what the kernel does not tell of it.
func (c *calibration) about(nearest sim.Distance) string {
	facts := results.Host()
	text := fmt.Sprintf("%s, %s", cmp.Or(facts.CPU, facts.GOARCH), wording.Count(len(c.cpus), "CPU"))
	if len(c.cpus) == 2 {
		text += map[results.Distance]string{results.Near: ", near each other", results.Far: ", far from each other"}[c.most(nearest)]
	}
	text += ", by locksim calibrate of " + runtime.Version()
	if len(c.shape.assumed) > 0 {
		text += "; assumed: " + strings.Join(c.shape.assumed, ", ")
	}
	return text
}

// from returns a value that was measured: a quantile of the samples; or the one that is
// assumed if there are too few.
func (c *calibration) from(key string, samples []float64, share float64, what string, ns, least, most float64) machines.Value {
	if len(samples) < enough {
		return assumed(key, ns, least, most)
	}
	which := "median"
	if share != 0.5 {
		which = "lower quartile"
	}
	source := fmt.Sprintf("measured by locksim calibrate on %s: %s; %s %s ns of %d samples, middle half %s–%s", c.began.UTC().Format(time.DateOnly),
		what, which, digits(quantile(samples, share)), len(samples), digits(quantile(samples, 0.25)), digits(quantile(samples, 0.75)))
	if !math.IsNaN(c.fitness.Load) {
		source += fmt.Sprintf(", load %.1f", c.fitness.Load)
	}
	return machines.Value{Key: key, Value: round(quantile(samples, share)), Source: source}
}

func assumed(key string, x, least, most float64) machines.Value {
	return machines.Value{Key: key, Value: round(x), Assumed: [2]float64{round(least), round(most)}}
}

func digits(x float64) string { return fmt.Sprint(round(x)) }

// round returns x with three digits.
func round(x float64) float64 {
	if x == 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(x)))-2)
	if unit >= 1 {
		return math.Round(x/unit) * unit
	}
	inverse := math.Round(1 / unit) // exact, as unit is not
	return math.Round(x*inverse) / inverse
}

// residency returns the residency with which additions of two CPUs to one word take so many
// nanoseconds in the simulator, or come as close to it as they can. The longer a CPU keeps
// the line, the more additions it makes before it loses it.
func residency(m sim.Machine, d sim.Distance, want float64) (float64, error) {
	m.Start = 0
	low, high := 0.0, m.Hop[d]/2 // a longer one would make hops longer
	for range 16 {
		m.Residency = (low + high) / 2
		ns, err := simulatedAdditions(&m, d)
		if err != nil {
			return 0, err
		}
		if ns > want {
			low = m.Residency
		} else {
			high = m.Residency
		}
	}
	return (low + high) / 2, nil
}

// simulatedAdditions returns what an addition to one word takes in the simulator, of two
// CPUs that are that far from each other.
func simulatedAdditions(m *sim.Machine, d sim.Distance) (float64, error) {
	other := 1
	for m.Distance(0, other) != d {
		other++
	}
	const n = 4000
	line := new(struct {
		_    apart
		word primitives.Uint32
		_    apart
	})
	running, done, began, ended := 0, 0, int64(0), int64(0)
	_, err := sim.Config{Machine: m, Place: []int{0, other}, Seed: 1}.Run(func() {
		for range 2 {
			primitives.Go(func() {
				line.word.Add(1)
				if running++; running == 2 {
					began, done = primitives.Nanotime(), 0
				}
				for ended == 0 {
					line.word.Add(1)
					if done++; running == 2 && done == n {
						ended = primitives.Nanotime()
					}
				}
			})
		}
	})
	return float64(ended-began) / n, err
}
