package property

import (
	"github.com/anishathalye/porcupine"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// A History has the inputs and outputs of operations on an object, and which of them
// had returned when another was called. [History.Linearizable] checks whether a
// sequential object could have done that.
//
// The search takes one of many schedules that differ only in the order of steps that
// do not conflict. So calls and returns must be steps that conflict: a call loads a
// word, a return adds to it. Two calls do not conflict, because their order does not
// change what has returned.
type History struct {
	returns primitives.Uint64
	ops     []porcupine.Operation // of the workers, which run one at a time
}

// Call notes that a worker calls an operation with input. The caller must call done
// with the operation's output when the operation returns. Each worker has its own
// number.
func (h *History) Call(worker int, input any) (done func(output any)) {
	called := h.returns.Load()
	return func(output any) {
		returned := h.returns.Add(1)
		// The n'th return is at 2n, and calls after it are at 2n+1.
		h.ops = append(h.ops, porcupine.Operation{
			ClientId: worker,
			Input:    input, Call: 2*int64(called) + 1,
			Output: output, Return: 2 * int64(returned),
		})
	}
}

// Linearizable fails the execution unless the operations that have returned
// could have happened one after the other, each between its call and its
// return, on the object that spec describes.
func (h *History) Linearizable(m *check.Machine, spec porcupine.Model) {
	if !porcupine.CheckOperations(spec, h.ops) {
		m.Failf("not linearizable: %s", describe(spec, h.ops))
	}
}

// describe lists operations in the order of their returns.
func describe(spec porcupine.Model, ops []porcupine.Operation) string {
	s := ""
	for _, o := range ops {
		s += "\n\t" + spec.DescribeOperation(o.Input, o.Output)
	}
	return s
}
