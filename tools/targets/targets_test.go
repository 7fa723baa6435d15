package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"text/tabwriter"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/results"
)

// rounds returns a sample for each round.
func rounds(n int, lock string, values ...results.Value) (samples []results.Sample) {
	for round := range n {
		samples = append(samples, results.Sample{
			Cell:     results.Cell{Lock: lock, Workers: 64, CPUs: 2},
			Round:    round + 1,
			Distance: results.Near,
			Ops:      1000,
			Values:   values,
		})
	}
	return samples
}

// A claim fails if what was measured is on the wrong side of it, and only then.
func TestVerdicts(t *testing.T) {
	const n = 10
	starved := rounds(n, "mutex", results.Value{Unit: "share-min-max", Value: 0.01})
	served := rounds(n, "mutex", results.Value{Unit: "share-min-max", Value: 0.4})
	share := claim{lock: "mutex", unit: "share-min-max", distance: results.Near, limit: notStarved, absolute: true, atLeast: true}

	spun := rounds(n, "mutex", results.Value{Unit: "ns/op", Value: 1e6}, results.Value{Unit: "cpu-ns/op", Value: 1.9e6})
	slept := rounds(n, "mutex", results.Value{Unit: "ns/op", Value: 1e6}, results.Value{Unit: "cpu-ns/op", Value: 1.01e6})
	for _, samples := range [][]results.Sample{spun, slept} {
		for i := range samples {
			samples[i] = busyCPUs(samples[i])
		}
	}
	idle := claim{lock: "mutex", unit: inUse, distance: results.Local, limit: 1.05, absolute: true}

	ratio := claim{lock: "mutex", unit: "ns/op", distance: results.Near, limit: 1}
	slow := append(rounds(n, "sync.Mutex", results.Value{Unit: "ns/op", Value: 100}), rounds(n, "mutex", results.Value{Unit: "ns/op", Value: 120})...)
	fast := append(rounds(n, "sync.Mutex", results.Value{Unit: "ns/op", Value: 100}), rounds(n, "mutex", results.Value{Unit: "ns/op", Value: 80})...)
	for _, test := range []struct {
		name    string
		samples []results.Sample
		claim   claim
		want    string
	}{
		{"starved", starved, share, "FAILS"},
		{"served", served, share, "holds"},
		{"spun", spun, idle, "FAILS"},
		{"slept", slept, idle, "holds"},
		{"slow", slow, ratio, "FAILS"},
		{"fast", fast, ratio, "holds"},
		{"too few", served[:2], share, "cannot tell"},
		{"nothing", nil, share, "not seen in this run"},
	} {
		var out bytes.Buffer
		j := judge{table: tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)}
		j.claims(test.samples, []claim{test.claim})
		j.table.Flush()
		if !strings.Contains(out.String(), test.want) || j.failed != (test.want == "FAILS") {
			t.Errorf("%s: %swant %s", test.name, out.String(), test.want)
		}
	}
}

// The locks that are made here have names that a results file can hold, and the
// bases that they are compared with are in the catalogue.
func TestBiasedOver(t *testing.T) {
	for _, b := range biasedOver {
		if _, err := catalogued(b.base); err != nil {
			t.Error(err)
		}
		if b.new == nil {
			if _, err := catalogued(b.name); err != nil {
				t.Error(err)
			}
			continue
		}
		s := harness.Scenario{Subject: harness.Subject{Name: b.name, New: b.new}, CPUs: 1, Workers: 1, Reads: 90}
		if _, err := harness.Run(context.Background(), s); err != nil {
			t.Error(err)
		}
	}
}

func TestUsage(t *testing.T) {
	var stderr bytes.Buffer
	if code := run([]string{"-part", "everything"}, io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), "want all, or one of cost, alone,") {
		t.Errorf("exit %d, %s", code, stderr.String())
	}
}
