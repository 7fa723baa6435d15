package harness

import (
	"errors"
	"fmt"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/results"
)

// A Counter is something that the kernel counts, of the CPUs' counters or its own.
type Counter struct {
	Unit string // such as "cycles/op"
	Err  error  // why it cannot be counted here; nil if it can
}

// Counters returns what [Scenario.Counters] asks for, in the order of [results.Units].
// For what cannot be counted here it says why.
func Counters() []Counter {
	var all []Counter
	for _, e := range events() {
		all = append(all, Counter{e.unit, e.try()})
	}
	return all
}

// countable returns the events that can be counted here, or why none can.
func countable() ([]kernelEvent, error) {
	var can []kernelEvent
	var why error
	for _, e := range events() {
		err := e.try()
		if err == nil {
			can = append(can, e)
		} else if why == nil {
			why = fmt.Errorf("counters: nothing can be counted here: %s: %w", e.unit, err)
		}
	}
	if len(can) == 0 {
		return nil, why
	}
	return can, nil
}

// A meter measures what the process uses from before the workers of a run begin until
// all have returned. It reads nothing while they are measured, and nothing at all under
// an engine, which uses the process for itself.
type meter struct {
	before   allocations
	counters *counters // nil if none were asked for
}

// newMeter is called before the workers are started, so that making their threads is
// counted as well.
func newMeter(s Scenario) (m meter, err error) {
	if s.Counters && primitives.Virtual() {
		return m, errors.New("counters: what an engine runs is not counted by the kernel")
	}
	if s.Counters {
		var can []kernelEvent
		if can, err = countable(); err == nil {
			m.counters, err = openCounters(can)
		}
	}
	return m, err
}

func (m *meter) begin() {
	if primitives.Virtual() {
		return
	}
	m.before = countAllocations()
	if m.counters != nil {
		m.counters.enable(true)
	}
}

// end returns what was used since begin.
func (m *meter) end() (u usage) {
	if primitives.Virtual() {
		return usage{unknown: true}
	}
	if m.counters != nil {
		m.counters.enable(false)
		u.counted = m.counters.read()
	}
	u.allocations = countAllocations().minus(m.before)
	return u
}

func (m *meter) close() {
	if m.counters != nil {
		m.counters.close()
	}
}

// A usage is what a meter measured.
type usage struct {
	allocations
	counted []results.Value // with the unit for an operation, of all
	unknown bool            // whether nothing was measured
}

// perOp returns what an operation used, given how many there were.
func (u usage) perOp(ops uint64) []results.Value {
	if u.unknown {
		return nil
	}
	var all []results.Value
	for _, v := range append(u.counted, results.Value{Unit: "B/op", Value: float64(u.bytes)}, results.Value{Unit: "allocs/op", Value: float64(u.objects)}) {
		all = append(all, results.Value{Unit: v.Unit, Value: v.Value / float64(max(1, ops))})
	}
	return all
}
