//go:build !linux

package harness

import (
	"fmt"
	"runtime"

	"github.com/lockbench/lockbench/results"
)

// A kernelEvent is something that the kernel counts.
type kernelEvent struct{ unit string }

func events() []kernelEvent { return []kernelEvent{{"cycles/op"}, {"instructions/op"}} }

func (kernelEvent) try() error {
	return fmt.Errorf("not counted on %s, want Linux", runtime.GOOS)
}

// counters there are none.
type counters struct{}

func openCounters([]kernelEvent) (*counters, error) { return nil, kernelEvent{}.try() }
func (*counters) enable(bool)                       {}
func (*counters) read() []results.Value             { return nil }
func (*counters) close()                            {}
