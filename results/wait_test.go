package results_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// Waits are a comment above their sample, which benchstat skips.
func TestWaitsInAFile(t *testing.T) {
	withWaits := results.Sample{Cell: ticket, Round: 1, Distance: results.Near, Ops: 7, Values: []results.Value{{Unit: "ns/op", Value: 61}},
		Waits: []results.Wait{
			{Role: "read", Counts: []results.Count{{NS: 24, N: 3}}},
			{Role: "write", Counts: []results.Count{{NS: 24, N: 1200}, {NS: 1023, N: 1}}},
		}}
	without := withWaits
	without.Waits = nil
	samples := []results.Sample{withWaits, without, withWaits}
	if got := written(t, samples); !reflect.DeepEqual(got, samples) {
		t.Errorf("came back as %+v, want %+v", got, samples)
	}
	var b bytes.Buffer
	w, err := results.NewWriter(&b, facts)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(withWaits); err != nil {
		t.Fatal(err)
	}
	if want := "# waits: write 24:1200 1023:1\nBenchmarkLock/"; !strings.Contains(b.String(), want) {
		t.Errorf("no %q in\n%s", want, b.String())
	}
	f, err := results.ReadAll(&b, "in")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range f.Notes {
		if n.Key == "waits" {
			t.Error("waits are a fact")
		}
	}
}

func TestWaitsThatMakeNoSense(t *testing.T) {
	for text, want := range map[string]string{
		"":                       `role "": want read or write`,
		"writer 1:1":             `role "writer": want read or write`,
		"write":                  "no operations",
		"write 5:1 5:1":          "ascending",
		"write 0:1":              "above 0",
		"write 5:0":              "1 to ",
		"write 5:-1":             "1 to ",
		"write 5":                `want nanoseconds:operations, have "5"`,
		"write 5:NaN":            `want nanoseconds:operations, have "5:NaN"`,
		"write 1:2147483647 2:1": "want at most",
	} {
		_, err := results.ReadAll(strings.NewReader("machine: host\n# waits: "+text+"\n"+line), "in")
		if err == nil || !strings.Contains(err.Error(), "in:2: waits: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in line 2", text, err, want)
		}
	}
	// In a log of go test the comment has no meaning.
	f, err := results.ReadAll(strings.NewReader("# waits: for nothing\n"+line), "in")
	if err != nil || len(f.Samples) != 1 {
		t.Errorf("a log line: %v", err)
	}
	_, err = results.ReadAll(strings.NewReader("machine: host\n# waits: write 1:1\n# waits: write 1:1\n"+line), "in")
	if err == nil || !strings.Contains(err.Error(), "role write twice") {
		t.Errorf("a role twice: %v", err)
	}
}

func TestDistributions(t *testing.T) {
	near := results.Sample{Cell: ticket, Distance: results.Near, Waits: []results.Wait{{Role: "write", Counts: []results.Count{{NS: 10, N: 90}, {NS: 100, N: 9}}}}}
	more := near
	more.Waits = []results.Wait{{Role: "write", Counts: []results.Count{{NS: 100, N: 1}, {NS: 5000, N: 1}}}}
	far := near
	far.Distance = results.Far
	got := results.Distributions([]results.Sample{far, near, more})
	if len(got) != 2 || got[0].Distance != results.Near || got[1].Distance != results.Far {
		t.Fatalf("%+v, want near, then far", got)
	}
	d := got[0]
	if want := []results.Count{{NS: 10, N: 90}, {NS: 100, N: 10}, {NS: 5000, N: 1}}; !reflect.DeepEqual(d.Counts, want) || d.Operations() != 101 {
		t.Errorf("%v of %d operations, want %v of 101", d.Counts, d.Operations(), want)
	}
	for p, want := range map[float64]int64{0: 10, .5: 10, 90. / 101: 10, .9: 100, .99: 100, .995: 5000, 1: 5000} {
		if got := d.Quantile(p); got != want {
			t.Errorf("Quantile(%v) = %d, want %d", p, got, want)
		}
	}
}
