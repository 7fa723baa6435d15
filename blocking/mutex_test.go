package blocking_test

import (
	"testing"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/internal/locktest"
)

func TestMutex(t *testing.T) {
	locktest.Exclusion(t, new(blocking.Mutex))
	for _, cpus := range []int{1, 2, 4} {
		locktest.Oversubscribed(t, cpus, new(blocking.Mutex))
	}
}
