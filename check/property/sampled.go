package property

import (
	"testing"

	"github.com/lockbench/lockbench/check"
)

// Sampled is [Every] for a body that has too many schedules: it runs some, which
// priorities that change now and then make (see [check.PCT]), always the same.
func Sampled(t *testing.T, name string, body func(*check.Machine)) {
	t.Run(name, func(t *testing.T) {
		t.Helper()
		t.Log(check.Explore(t, check.Config{Mode: check.PCT, Bound: 3, Seed: 1, Schedules: 100_000}, body))
	})
}
