//go:build virtual

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

// described returns a machine file, read.
func described(t *testing.T, text string) *machines.Description {
	t.Helper()
	d, err := machines.Parse("out.toml", text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return d
}

// Calibrate writes a machine file of this machine, or says why it cannot: on a busy machine
// two CPUs may hardly ever be had at the same time.
func TestCalibrate(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for a second")
	}
	out := filepath.Join(t.TempDir(), "this.toml")
	code, stdout, stderr := locksim("calibrate --budget 1s --out " + out)
	text, err := os.ReadFile(out)
	if code != exitOK {
		if code != exitUsage || !strings.Contains(stderr, "samples were measured, want") || err == nil {
			t.Errorf("exit status %d, file: %v, stderr:\n%s", code, err, stderr)
		}
		return
	}
	if err != nil || stdout != "" {
		t.Fatalf("file: %v, stdout %q", err, stdout)
	}
	d := described(t, string(text))
	if d.Machine.Name != "this" || d.Machine.CPUs() != runtime.NumCPU() {
		t.Errorf("machine %s of %d CPUs, want this, and %d", d.Machine.Name, d.Machine.CPUs(), runtime.NumCPU())
	}
	for _, v := range d.Values {
		local := strings.HasSuffix(v.Key, "load") || strings.HasSuffix(v.Key, "modify") || strings.HasSuffix(v.Key, "clock")
		if local && !strings.Contains(v.Source, "measured by locksim calibrate on ") {
			t.Errorf("%+v, want it measured", v)
		}
	}
}

// of returns a calibration of a machine of two CPUs for which there are so many samples of
// each kind, each of them a nanosecond more or less than what is given.
func of(n int, at results.Distance, ns map[string]float64) *calibration {
	c := &calibration{
		cpus: []int{0, 1}, shape: shapeOf(fstest.MapFS{}, []int{0, 1}), began: time.Unix(0, 0), one: make(readings),
		two: map[sim.Distance]map[results.Distance]readings{sim.Cluster: {at: make(readings)}},
	}
	c.fitness.Load = math.NaN()
	for of, x := range ns {
		into := c.one
		switch of {
		case "hop", "copy", "add", "start", "membarrier":
			into = c.two[sim.Cluster][at]
		}
		for i := range n {
			into.add(of, x+float64(i%3-1))
		}
	}
	return c
}

var measured = map[string]float64{
	"load": 3, "store": 2, "modify": 5, "memory": 90, "clock": 25, "pin": 2,
	"switch": 60, "wake": 45, "round": 150, "hop": 30, "copy": 25, "add": 9, "start": 10_000, "membarrier": 40_000,
}

// A machine is made of medians, of which what is a part of something else is taken off.
func TestDescribe(t *testing.T) {
	d, err := of(60, results.Near, measured).describe("x")
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := d.Write(&text); err != nil {
		t.Fatal(err)
	}
	if again := described(t, text.String()); again.Machine != d.Machine || !strings.Contains(again.About, "near each other") {
		t.Errorf("read again: %+v, want %+v", again, d)
	}
	m := d.Machine
	for what, of := range map[string][2]float64{
		"load": {m.Load, 3}, "modify": {m.Modify, 5}, "switch": {m.Switch, 60}, "wake": {m.Wake, 40}, "park": {m.Park, 40},
		"start": {m.Start, 9890}, "membarrier": {m.Membarrier, 40_000}, "hop": {m.Hop[sim.Cluster], 30}, "upgrade": {m.Upgrade[sim.Cluster], 25},
		"slice": {m.Slice, 1e7}, "budget": {m.Budget, 20_000}, "invalidate": {m.Invalidate, 2},
	} {
		if math.Abs(of[0]-of[1]) > 1.01+of[1]/1000 { // the start is a lower quartile
			t.Errorf("%s: %v ns, want %v", what, of[0], of[1])
		}
	}
	if ns, err := simulatedAdditions(&m, sim.Cluster); err != nil || ns < 8.5 || ns > 9.5 {
		t.Errorf("an addition takes %v ns in the simulator (%v), want the 9 that it was measured to take", ns, err)
	}
	for _, v := range d.Values {
		known := v.Key == "cost.slice" || v.Key == "cost.budget"
		assumed := v.Key == "cost.invalidate" || strings.HasPrefix(v.Key, "share.")
		if is := strings.HasPrefix(v.Source, "measured by locksim calibrate on 1970-01-01: "); is == (known || assumed) || (v.Source == "") != assumed {
			t.Errorf("%+v: source is not as it was had", v)
		}
	}

	// On a busy machine no CPU is idle, so how soon one starts cannot be measured.
	busy := of(60, results.Near, measured)
	busy.fitness.Load = 1.5
	if d, err := busy.describe("x"); err != nil || d.Machine.Start != 5000 || !strings.Contains(d.Values[0].Source, ", load 1.5") {
		t.Errorf("%+v, %v: want the start assumed, and the load said", d, err)
	}

	// Two goroutines that wake each other take less than a wake-up and a Gosched.
	quick := map[string]float64{"round": 75}
	for of, ns := range measured {
		if quick[of] == 0 {
			quick[of] = ns
		}
	}
	if d, err := of(60, results.Near, quick).describe("x"); err != nil || d.Machine.Park != 0 || d.Machine.Switch != 75-10-40 {
		t.Errorf("%+v, %v: want no cost of a park, and 25 ns of a switch", d, err)
	}
}

// What two CPUs do is not guessed: with too few samples, or none of the wanted distance,
// there is no machine. What one does may be assumed.
func TestTooFew(t *testing.T) {
	c := of(enough-1, results.Near, measured)
	if _, err := c.describe("x"); err == nil || !strings.Contains(err.Error(), "9 samples were measured, want 10: the machine is busy, 9 near") {
		t.Errorf("error %v, want that there are too few", err)
	}
	c = of(60, results.Near, measured)
	c.at = results.Far
	if _, err := c.describe("x"); err == nil || !strings.Contains(err.Error(), "its CPUs were not far, 60 near") {
		t.Errorf("error %v, want that they were not far", err)
	}
	c.at, c.last = "", errors.New("no such CPU")
	c.two = nil
	if _, err := c.describe("x"); !errors.Is(err, c.last) {
		t.Errorf("error %v, want why", err)
	}
	c = of(60, results.Near, measured)
	c.one["load"] = c.one["load"][:enough-1]
	if d, err := c.describe("x"); err != nil || d.Values[0].Source != "" || d.Values[0].Assumed != [2]float64{0.4, 2.5} {
		t.Errorf("%+v, %v: want the load assumed", d, err)
	}
	if d, err := of(60, results.Far, measured).describe("x"); err != nil || !strings.Contains(d.About, "far from each other") {
		t.Errorf("%+v, %v: want CPUs that are far", d, err)
	}
}

// With --distance the CPUs are in one cluster or in two.
func TestOnly(t *testing.T) {
	for at, want := range map[results.Distance]sim.Distance{results.Near: sim.Cluster, results.Far: sim.Socket} {
		c := of(0, at, nil)
		c.only(at)
		m := sim.Machine{Threads: c.shape.threads, Cores: c.shape.cores, Clusters: c.shape.clusters, Sockets: c.shape.sockets, Halves: 1}
		if got := m.Distance(0, 1); m.CPUs() != 2 || got != want || c.shape.pairs[want] != [2]int{0, 1} || c.two[want] == nil {
			t.Errorf("%s: %d CPUs, %v from each other, pairs %v; want 2, %v", at, m.CPUs(), got, c.shape.pairs, want)
		}
	}
}

// An interrupt ends it, and nothing is written.
func TestInterruptedCalibration(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var log bytes.Buffer
	err := newCalibration().measure(ctx, &log, time.Hour)
	if !errors.Is(err, sweeping.ErrInterrupted) || !strings.Contains(err.Error(), ": 0 rounds of measurements, nothing written") {
		t.Errorf("error %v, want %v, after 0 rounds", err, sweeping.ErrInterrupted)
	}
}

// Each cost can be measured here, if two CPUs run at the same time.
func TestCosts(t *testing.T) {
	for name, cost := range map[string]func() float64{"load": loadNS, "store": storeNS, "modify": modifyNS, "clock": clockNS, "memory": newHoard().loads} {
		if ns := cost(); !(ns > 0 && ns < 1e6) {
			t.Errorf("%s: %v ns", name, ns)
		}
	}
	if ns := pinNS(); !(ns >= 0 && ns < 1e6) {
		t.Errorf("pin: %v ns", ns)
	}
	func() {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
		for name, cost := range map[string]func() float64{"switch": switchNS, "wake": wakeNS, "round": parkNS} {
			if ns := cost(); !(ns > 0 && ns < 1e7) {
				t.Errorf("%s: %v ns", name, ns)
			}
		}
	}()
	var p pair
	for name, cost := range map[string]func() (float64, bool, error){
		"hop": func() (float64, bool, error) { return p.transfers(false) }, "copy": func() (float64, bool, error) { return p.transfers(true) },
		"add": p.additions, "membarrier": p.membarriers, "start": func() (float64, bool, error) { ns, ok := startNS(); return ns, ok, nil },
	} {
		if ns, ok, err := cost(); err != nil || ok && !(ns > 0 && ns < 1e8) {
			t.Errorf("%s: %v ns, %t, %v", name, ns, ok, err)
		}
	}
}

// sysfs returns that of CPUs as one/two/three says where each is: socket, cluster and core.
func sysfs(cpus ...string) fstest.MapFS {
	system := make(fstest.MapFS)
	put := func(cpu int, file, text string) {
		system[fmt.Sprintf("cpu/cpu%d/%s", cpu, file)] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	for i, cpu := range cpus {
		at := strings.Split(cpu, "/")
		put(i, "topology/physical_package_id", at[0])
		put(i, "topology/thread_siblings_list", at[2])
		put(i, "cache/index0/level", "1")
		put(i, "cache/index0/shared_cpu_list", fmt.Sprint(i))
		put(i, "cache/index3/level", "3")
		put(i, "cache/index3/shared_cpu_list", at[1])
		put(i, "cache/index2/level", "2")
		put(i, "cache/index2/shared_cpu_list", fmt.Sprint(i))
	}
	return system
}

func TestShape(t *testing.T) {
	type pairs = map[sim.Distance][2]int
	for name, of := range map[string]struct {
		system  fstest.MapFS
		cpus    int
		want    string // threads, cores, clusters, sockets
		pairs   pairs
		assumed string // a part of what is
	}{
		"one":      {sysfs("0/0/0"), 1, "1 1 1 1", pairs{}, ""},
		"siblings": {sysfs("0/0-1/0-1", "0/0-1/0-1"), 2, "2 1 1 1", pairs{sim.Sibling: {0, 1}}, ""},
		"cluster":  {sysfs("0/0-1/0", "0/0-1/1"), 2, "1 2 1 1", pairs{sim.Cluster: {0, 1}}, ""},
		"socket":   {sysfs("0/0/0", "0/1/1"), 2, "1 1 2 1", pairs{sim.Socket: {0, 1}}, ""},
		"sockets":  {sysfs("0/0/0", "1/1/1"), 2, "1 1 1 2", pairs{sim.Remote: {0, 1}}, ""},
		"all": {
			sysfs("0/a/a0", "0/a/a1", "0/b/b0", "0/b/b1", "1/c/c0", "1/c/c1", "1/d/d0", "1/d/d1",
				"0/a/a0", "0/a/a1", "0/b/b0", "0/b/b1", "1/c/c0", "1/c/c1", "1/d/d0", "1/d/d1"),
			16, "2 2 2 2", pairs{sim.Sibling: {0, 8}, sim.Cluster: {0, 1}, sim.Socket: {0, 2}, sim.Remote: {0, 4}}, "",
		},
		"uneven":  {sysfs("0/0-2/0", "0/0-2/1", "0/0-2/2", "1/3/3"), 4, "1 4 1 1", pairs{sim.Cluster: {0, 1}}, "not of one size"},
		"nothing": {fstest.MapFS{}, 2, "1 2 1 1", pairs{sim.Cluster: {0, 1}}, "all CPUs are in one socket"},
	} {
		var cpus []int
		for i := range of.cpus {
			cpus = append(cpus, i)
		}
		s := shapeOf(of.system, cpus)
		got := fmt.Sprint(s.threads, s.cores, s.clusters, s.sockets)
		if got != of.want || !reflect.DeepEqual(s.pairs, of.pairs) || (len(s.assumed) > 0) != (of.assumed != "") || !strings.Contains(strings.Join(s.assumed, "; "), of.assumed) {
			t.Errorf("%s: shape %s, pairs %v, assumed %q; want %s, %v, %q", name, got, s.pairs, s.assumed, of.want, of.pairs, of.assumed)
		}
	}
}

func TestRound(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 1.2345: "1.23", 0.12345: "0.123", 12345: "12300", 99.96: "100", -1.239: "-1.24", 1e7: "1e+07"} {
		if got := digits(x); got != want {
			t.Errorf("%v: %s, want %s", x, got, want)
		}
	}
}
