//go:build !purego && !virtual

package measure_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/measure"
	"github.com/lockbench/lockbench/internal/gatetest"
	"github.com/lockbench/lockbench/results"
)

var _ gate.Source = (*measure.Simulated)(nil)

// linesOf changes how many lines an operation of a lock takes.
func linesOf(lock, lines string) files {
	return files{lock + "/" + lock + ".go": "package " + lock + "\n\nconst Lines = " + lines + "\n"}
}

// twoSides returns the configuration of two copies of the module that stands for this one,
// each with changes.
func twoSides(t *testing.T, base, head files) measure.Config {
	t.Helper()
	dir := t.TempDir()
	for name, changes := range map[string]files{"base": base, "head": head} {
		side := filepath.Join(dir, name)
		if err := errors.Join(gatetest.WriteSimulator(side), changes.write(side)); err != nil {
			t.Fatal(err)
		}
	}
	return measure.Config{BaseDir: filepath.Join(dir, "base"), HeadDir: filepath.Join(dir, "head"), Seed: 1}
}

// onSmall simulates the only machine of that module.
func onSmall(progress func(string, int, int)) measure.Simulation {
	return measure.Simulation{Machines: []string{"small"}, CPUs: []int{1, 8}, Progress: progress}
}

// cell returns a benchmark of that module.
func cell(lock, cpus string) gate.Benchmark {
	return gate.Benchmark{Pkg: "small", Name: "Lock/lock=" + lock + "/reads=0/workers=" + cpus + "/hold=0s/think=0s-" + cpus}
}

// Where the simulator differs, too, the locks of both sides run in the head's.
func TestSimulate(t *testing.T) {
	t.Parallel()
	head := linesOf("ticket", "5")
	head["sim/machine.toml"] = "name = \"small\"\nhops = \"longer\"\n"
	head["sim/sim.go"] = "package sim\n\nimport _ \"embed\"\n\nconst Hop = 20\n\n//go:embed machine.toml\nvar Machine string\n"
	head["mcs/mcs.go"] = ""
	head["clh/clh.go"] = "package clh\n\nconst Lines = 2\n"
	head["internal/catalog/catalog.go"] = `package catalog

import (
	"example.com/locks/clh"
	"example.com/locks/ticket"
)

var Lines = map[string]float64{"clh": clh.Lines, "ticket": ticket.Lines}
`
	sim := onSmall(nil)
	sim.Locks = []string{"mcs", "ticket", "clh"} // of which no side has all
	s, err := measure.Simulate(context.Background(), twoSides(t, nil, head), sim)
	if err != nil {
		t.Fatal(err)
	}
	both, onlyBase, onlyHead := s.Benchmarks()
	for _, got := range []struct {
		where string
		have  []gate.Benchmark
		lock  string
	}{{"both sides", both, "ticket"}, {"the base", onlyBase, "mcs"}, {"the head", onlyHead, "clh"}} {
		if want := []gate.Benchmark{cell(got.lock, "1"), cell(got.lock, "8")}; !slices.Equal(got.have, want) {
			t.Errorf("%s: got %v, want %v", got.where, got.have, want)
		}
	}
	rounds, err := s.Round(context.Background(), []gate.Benchmark{cell("ticket", "8")})
	if err != nil || len(rounds) != 5 {
		t.Fatalf("got %d rounds, %v, want 5, since the sides differ", len(rounds), err)
	}
	for side, want := range map[gate.Side][]results.Value{
		gate.Base: {{Unit: "ns/op", Value: 20 * 8 * 4}, {Unit: "lines/op", Value: 4}}, // the base's lock, the head's hop
		gate.Head: {{Unit: "ns/op", Value: 20 * 8 * 5}, {Unit: "lines/op", Value: 5}},
	} {
		if got := rounds[0].Readings[side]; got == nil || got.Build != 1 || !slices.Equal(got.Values, want) {
			t.Errorf("%v: got %+v, want %v", side, got, want)
		}
	}
	if _, err := s.Round(context.Background(), []gate.Benchmark{cell("ticket", "8")}); err != io.EOF {
		t.Errorf("once more: got %v, want io.EOF", err)
	}
	const want = "the simulator differs between the sides (sim/machine.toml, sim/sim.go): both sides' locks ran in that of the head"
	if got := s.Warnings(); !slices.Contains(got, want) {
		t.Errorf("warnings %q, want %q", got, want)
	}
	var names []string
	for _, f := range s.Files() {
		if names = append(names, f.Name); !strings.Contains(string(f.Text), "machine: sim:small\n") {
			t.Errorf("%s has\n%s", f.Name, f.Text)
		}
	}
	if want := []string{"base-small.txt", "head-small.txt"}; !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
	if s.Ended() || len(s.Problems()) > 0 || len(s.Unchanged()) > 0 {
		t.Errorf("ended %t, problems %q, unchanged %v", s.Ended(), s.Problems(), s.Unchanged())
	}
}

// Locks of which no file differs are not run, whatever else differs.
func TestSimulateUnchanged(t *testing.T) {
	t.Parallel()
	head := files{
		"ticket/ticket_test.go": "package ticket\n",
		"harness/harness.go":    "package harness\n\nimport _ \"example.com/locks/primitives\"\n\nconst Longer = true\n",
	}
	s, err := measure.Simulate(context.Background(), twoSides(t, nil, head), onSmall(nil))
	if err != nil {
		t.Fatal(err)
	}
	both, onlyBase, onlyHead := s.Benchmarks()
	if len(both)+len(onlyBase)+len(onlyHead) > 0 || len(s.Unchanged()) != 1 {
		t.Errorf("got %v, %v, %v, unchanged %v, want unchanged locks alone", both, onlyBase, onlyHead, s.Unchanged())
	}
}

// The table of locks may have to fit the head's harness: then the base has the head's. And
// a lock that fails ends the run of its side: what both sides have finished remains, and
// the other cells are not called gone.
func TestSimulateTable(t *testing.T) {
	t.Parallel()
	fits := func(word, lines string) files {
		f := linesOf("ticket", lines)
		f["harness/harness.go"] = "package harness\n\nimport _ \"example.com/locks/primitives\"\n\nconst " + word + " = \"ticket\"\n"
		f["internal/catalog/catalog.go"] = `package catalog

import (
	"example.com/locks/harness"
	"example.com/locks/mcs"
	"example.com/locks/ticket"
)

var Lines = map[string]float64{"mcs": mcs.Lines, harness.` + word + `: ticket.Lines}
`
		return f
	}
	s, err := measure.Simulate(context.Background(), twoSides(t, fits("Old", "4"), fits("New", "-1")), onSmall(nil))
	if err != nil {
		t.Fatal(err)
	}
	both, onlyBase, onlyHead := s.Benchmarks()
	want := []gate.Benchmark{cell("mcs", "1"), cell("mcs", "8"), cell("ticket", "1"), cell("ticket", "8"), {Pkg: "small"}}
	if !slices.Equal(both, want) || len(onlyBase)+len(onlyHead) > 0 {
		t.Errorf("got %v, %v, %v, want %v on both", both, onlyBase, onlyHead, want)
	}
	if rounds, err := s.Round(context.Background(), both); len(rounds) != 2 || err != nil {
		t.Errorf("%d rounds, %v, want those of mcs", len(rounds), err)
	}
	if got := strings.Join(s.Problems(), "\n"); s.Ended() || !strings.HasPrefix(got, "head: locksim run --machine small: exit status 1\n") || !strings.Contains(got, "ticket hangs on 1 CPUs") {
		t.Errorf("ended %t, problems %q", s.Ended(), got)
	}
	const differs = "the simulator differs between the sides (harness/harness.go), and with it internal/catalog: "
	if got := strings.Join(s.Warnings(), "\n"); !strings.Contains(got, differs) {
		t.Errorf("warnings %q, want %q", got, differs)
	}
}

// Where nothing can be compared, the error says why.
func TestSimulateNot(t *testing.T) {
	t.Parallel()
	uses := files{
		"harness/harness.go": "package harness\n\nimport _ \"example.com/locks/primitives\"\n\nconst Old = 4\n",
		"ticket/ticket.go":   "package ticket\n\nimport \"example.com/locks/harness\"\n\nconst Lines = harness.Old\n",
	}
	for _, test := range []struct {
		name       string
		base, head files
		want       string
		build      bool // a BuildError
	}{
		{"no simulator", files{"cmd/locksim/main.go": ""}, nil, "base: has no ./cmd/locksim, the simulator: want a base that has it", false},
		{"no table", nil, files{"cmd/locksim/main.go": "package main\n\nfunc main() {}\n"}, "head: ./cmd/locksim does not import internal/catalog", false},
		{"a package is missing", nil, files{"mcs/mcs.go": ""}, "head does not build: ./cmd/locksim", true},
		{"locks of another simulator", uses, linesOf("ticket", "5"),
			"the simulator differs between the sides (harness/harness.go), and with it internal/catalog, and the base's locks do not build with the head's", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := measure.Simulate(context.Background(), twoSides(t, test.base, test.head), onSmall(nil))
			build := (*measure.BuildError)(nil)
			if err == nil || !strings.Contains(err.Error(), test.want) || errors.As(err, &build) != test.build {
				t.Errorf("got %v, want %q, a BuildError %t", err, test.want, test.build)
			}
		})
	}
	if _, err := measure.Simulate(context.Background(), twoSides(t, nil, nil), measure.Simulation{CPUs: []int{1}}); err == nil {
		t.Error("without a machine: no error")
	}
}

// A signal ends the runs. What both sides have finished remains.
func TestSimulateEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	progress := func(machine string, base, head int) {
		if machine != "small" {
			t.Errorf("progress of %s, want that of small", machine)
		}
		if base == 2 && head == 2 {
			cancel()
		}
	}
	s, err := measure.Simulate(ctx, twoSides(t, linesOf("ticket", "5000"), linesOf("ticket", "5001")), onSmall(progress))
	if err != nil {
		t.Fatal(err)
	}
	both, onlyBase, onlyHead := s.Benchmarks()
	if want := []gate.Benchmark{cell("mcs", "1"), cell("mcs", "8"), {Pkg: "small"}}; !slices.Equal(both, want) || len(onlyBase)+len(onlyHead) > 0 {
		t.Errorf("got %v, %v, %v, want %v on both", both, onlyBase, onlyHead, want)
	}
	if !s.Ended() || len(s.Problems()) > 0 {
		t.Errorf("ended %t, problems %q", s.Ended(), s.Problems())
	}
}
