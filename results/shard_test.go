package results_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// shardFile returns the file of a shard of two, with two samples of each of its cells.
func shardFile(index int, cells ...results.Cell) *results.File {
	f := &results.File{Name: "shard" + string(rune('0'+index)), Facts: results.Facts{Machine: "host"}}
	f.Note("sweep", "cpus=2 count=2 locks=mcs")
	f.Notes = append(f.Notes, results.Shard{Index: index, Of: 2, Cells: 2, All: 4}.Note())
	for range 2 {
		for _, c := range cells {
			f.Samples = append(f.Samples, results.Sample{Cell: c, Values: []results.Value{{Unit: "ns/op", Value: 1}}})
		}
	}
	return f
}

func cellOf(lock string, reads int) results.Cell {
	return results.Cell{Lock: lock, Reads: reads, CPUs: 2, Workers: 2}
}

// The files of all shards make one, in the order of the shards; what is missing, doubled or
// of another sweep is said, all of it.
func TestMerge(t *testing.T) {
	two := func() (a, b *results.File) {
		return shardFile(1, cellOf("mcs", 0), cellOf("clh", 0)), shardFile(2, cellOf("mcs", 90), cellOf("clh", 90))
	}
	a, b := two()
	merged, err := results.Merge([]*results.File{b, a})
	if err != nil || len(merged.Samples) != 8 || merged.Samples[0].Reads != 0 || merged.Noted("shard") != "" || merged.Noted("merged") != "2 shards" {
		t.Fatalf("%+v, error %v", merged, err)
	}
	a.Note("kernel", "6.1")
	b.Note("kernel", "6.2")
	b.Note("kernel", "6.1")
	if merged, err := results.Merge([]*results.File{a, b}); err != nil || merged.Noted("kernel") != "6.1, 6.2" {
		t.Errorf("kernel %q, error %v: want both", merged.Noted("kernel"), err)
	}
	for _, test := range []struct {
		name  string
		spoil func(a, b *results.File) []*results.File
		want  []string
	}{
		{"none", func(a, b *results.File) []*results.File { return nil }, []string{"no files"}},
		{"one", func(a, b *results.File) []*results.File { return []*results.File{a} }, []string{"missing of 2: shard 2"}},
		{"twice", func(a, b *results.File) []*results.File { return []*results.File{a, a, b} }, []string{"shard1: is shard 1 of 2, as shard1 is"}},
		{"no shard", func(a, b *results.File) []*results.File { b.Notes = b.Notes[:1]; return []*results.File{a, b} }, []string{"shard2: is no shard", "missing of 2: shard 2"}},
		{"nonsense", func(a, b *results.File) []*results.File { b.Notes[1].Text = "3/2 with x"; return []*results.File{a, b} }, []string{`shard2: shard "3/2 with x"`, "missing"}},
		{"another", func(a, b *results.File) []*results.File {
			b.Notes[0].Text, b.Machine = "cpus=4 count=2", "sim:milan-2s"
			return []*results.File{a, b}
		}, []string{`shard2: sweep is "cpus=4 count=2"`, `shard2: machine is "sim:milan-2s", want "host"`}},
		{"other programs", func(a, b *results.File) []*results.File {
			a.Note("go", "go1.26.8")
			a.Note("commit", "1111")
			b.Note("go", "go1.27.0")
			b.Note("cpus", "64")
			return []*results.File{a, b}
		}, []string{`shard2: go is "go1.27.0", want "go1.26.8", as in shard1`, `shard2: commit is "", want "1111"`, `shard2: cpus is "64", want ""`}},
		{"doubled", func(a, b *results.File) []*results.File {
			b.Samples[0].Cell, b.Samples[2].Cell = a.Samples[0].Cell, a.Samples[0].Cell
			return []*results.File{a, b}
		}, []string{"is in shard1 as well"}},
		{"a cell less", func(a, b *results.File) []*results.File {
			b.Samples = slices.DeleteFunc(b.Samples, func(s results.Sample) bool { return s.Lock == "clh" })
			return []*results.File{a, b}
		}, []string{"shard2: has 1 cell, want 2: complete it with --resume"}},
		{"a sample less", func(a, b *results.File) []*results.File { b.Samples = b.Samples[1:]; return []*results.File{a, b} }, []string{"shard2: a cell has 1 sample, want at least 2"}},
	} {
		a, b := two()
		_, err := results.Merge(test.spoil(a, b))
		var lines []string
		if err != nil {
			lines = strings.Split(err.Error(), "\n")
		}
		if len(lines) != len(test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
			continue
		}
		for i, want := range test.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%s: %q, want %q", test.name, lines[i], want)
			}
		}
	}
}
