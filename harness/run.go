package harness

import (
	"context"
	"errors"

	"github.com/lockbench/lockbench/results"
)

// Run measures s once.
func Run(ctx context.Context, s Scenario) (results.Sample, error) {
	return results.Sample{}, errors.ErrUnsupported
}

// Cost measures the harness itself: the wall time of one operation with an
// empty lock, one worker, nothing to hold and nothing to think about, in
// nanoseconds. Every ns/op contains it.
func Cost(ctx context.Context) (ns float64, err error) { return 0, errors.ErrUnsupported }

const hasAffinity = true
