package search

import (
	"fmt"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// A Repeat follows a script, and after its end takes any steps.
type Repeat struct {
	blind
	script machine.Script
	at     int
	wrong  error // where the execution did not fit
}

// NewRepeat returns a search that follows a script.
func NewRepeat(script machine.Script) *Repeat { return &Repeat{script: script} }

// Err returns where the last execution did not fit the script, or nil.
func (r *Repeat) Err() error {
	if left := len(r.script) - r.at; left > 0 && r.wrong == nil {
		r.misfit(fmt.Sprintf("the execution has ended, %d more are left", left))
	}
	return r.wrong
}

func (r *Repeat) Begin() { r.at, r.wrong = 0, nil }

func (r *Repeat) Pick(self machine.Proc, enabled machine.Procs) (machine.Proc, bool) {
	if r.at == len(r.script) {
		if enabled.Has(self) {
			return self, true
		}
		return enabled.First(), true
	}
	d := r.script[r.at]
	r.at++
	if d < 0 || !enabled.Has(machine.Proc(d)) {
		r.misfit(fmt.Sprintf("%v cannot take a step", machine.Script{d}))
		return 0, false
	}
	return machine.Proc(d), true
}

func (r *Repeat) Choose(self machine.Proc, n int) int {
	if r.at == len(r.script) {
		return 0
	}
	d := r.script[r.at]
	r.at++
	if d >= 0 || int(-1-d) >= n {
		r.misfit(fmt.Sprintf("%v is not one of %d choices", machine.Script{d}, n))
		return 0
	}
	return int(-1 - d)
}

func (r *Repeat) misfit(what string) {
	if r.wrong == nil {
		r.wrong = fmt.Errorf("check: replay token does not fit this program: decision %d: %s", r.at, what)
	}
}
