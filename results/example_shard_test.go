package results_test

import (
	"fmt"

	"github.com/lockbench/lockbench/results"
)

// Two machines have measured half of a sweep each. The files of all parts make one; if a
// part is missing, the error says which.
func ExampleMerge() {
	part := func(index int, lock string) *results.File {
		f := &results.File{Name: fmt.Sprintf("part%d.txt", index), Facts: results.Facts{Machine: "host"}}
		f.Notes = append(f.Notes, results.Shard{Index: index, Of: 2, Cells: 1, All: 2}.Note())
		f.Samples = []results.Sample{{Cell: results.Cell{Lock: lock, CPUs: 1, Workers: 1}, Values: []results.Value{{Unit: "ns/op", Value: 12}}}}
		return f
	}
	first, second := part(1, "ticket"), part(2, "mcs")
	merged, err := results.Merge([]*results.File{first, second})
	fmt.Println(len(merged.Samples), "samples,", merged.Noted("merged"), err)
	_, err = results.Merge([]*results.File{second})
	fmt.Println(err)
	// Output:
	// 2 samples, 2 shards <nil>
	// missing of 2: shard 1
}

// A file says which part of a sweep it has.
func ExampleShard() {
	n := results.Shard{Index: 2, Of: 4, Cells: 12, All: 48}.Note()
	fmt.Printf("# %s: %s\n", n.Key, n.Text)
	// Output: # shard: 2/4 with 12 of 48 cells
}
