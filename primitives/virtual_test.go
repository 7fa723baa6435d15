//go:build virtual

package primitives_test

import (
	"testing"
	"time"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// Under the model checker Virtual says so, a worker may yield, and Busy, Pause and Delay take
// no time: an hour of it would outlast the test.
func TestVirtual(t *testing.T) {
	check.Explore(t, check.Config{}, func(m *check.Machine) {
		m.Assert(primitives.Virtual())
		var word primitives.Uint32
		for range 2 {
			m.Go(func() {
				primitives.Busy(time.Hour)
				primitives.Yield()
				m.Assert(primitives.Pause(time.Hour))
				new(primitives.Spin).Delay(time.Hour)
				word.Add(1)
			})
		}
		m.Wait()
		m.Assert(word.Load() == 2)
	})
	if primitives.Virtual() {
		t.Error("Virtual after the execution = true, want false")
	}
}
