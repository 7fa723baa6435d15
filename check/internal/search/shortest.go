package search

import "github.com/lockbench/lockbench/check/internal/machine"

// Shortest returns the script of a failure of this kind that is easiest to read:
// one with the fewest preemptions, and among those the shortest. Its search of what body
// does is limited; it begins with found.
func Shortest(vm *machine.VM, body func(), kind machine.Kind, found machine.Script) machine.Script {
	const (
		most  = 1_000_000 // steps for each number of preemptions
		bound = 3
	)
	best := append(machine.Script(nil), found...)
	for n := 0; n <= bound; n++ {
		b := NewBounded(n)
		better := false
		for steps, more := 0, true; more && steps < most; more = b.Advance() {
			if vm.Run(b, body) == machine.Failed && vm.Fault.Kind == kind && (!better || len(vm.Script) < len(best)) {
				best, better = append(best[:0], vm.Script...), true
			}
			steps += vm.Steps
		}
		if better {
			break
		}
	}
	return best
}
