//go:build virtual

package lock

import (
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

func TestModelExclusion(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		var l Lock
		var n primitives.Cell[int]
		for range 2 {
			m.Go(func() {
				l.Lock()
				n.Set(n.Get() + 1)
				l.Unlock()
			})
		}
		m.Wait()
		m.Assert(n.Get() == 2)
	})
}
