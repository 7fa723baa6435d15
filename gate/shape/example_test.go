package shape_test

import (
	"fmt"

	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/results"
)

// A lock must be fair: the least Jain index of 0.9 is a floor. The sweep is usually
// a file that lockbench run wrote, and the spec a table [[shape]] of gate.toml.
func ExampleJudge() {
	sweep := &results.File{Name: "sweep.txt"}
	for round, jain := range []float64{0.97, 0.98, 0.96, 0.97, 0.99, 0.98, 0.97, 0.98} {
		sweep.Samples = append(sweep.Samples, results.Sample{
			Cell:     results.Cell{Lock: "ticket", Workers: 2, CPUs: 2},
			Round:    round + 1,
			Distance: results.Near,
			Values:   []results.Value{{Unit: "jain", Value: jain}},
		})
	}
	least := 0.9
	specs := []shape.Spec{{Kind: shape.Floor, Lock: "^ticket$", Unit: "jain", Min: &least}}

	found, err := shape.Judge(specs, 0.99, sweep, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range found {
		fmt.Printf("%s %s: %v: %v [%v, %v]\n", f.Lock, f.Demand, f.Verdict, f.Value, f.Lo, f.Hi)
	}
	fmt.Println(shape.Verdict(found))
	// Output:
	// ticket jain ≥ 0.9: pass: 0.975 [0.96, 0.99]
	// pass
}
