package primitives_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

func TestBusy(t *testing.T) {
	const d = 100 * time.Microsecond
	for range 10 {
		began := primitives.Nanotime()
		primitives.Busy(d)
		if took := time.Duration(primitives.Nanotime() - began); took < d {
			t.Errorf("Busy(%v) took %v", d, took)
		}
	}
}

// On one CPU a goroutine that is ready runs when another yields, long before the
// scheduler would preempt that one.
func TestYield(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var ran primitives.Bool
	go ran.Store(true)
	for range 100 {
		primitives.Yield()
	}
	if !ran.Load() {
		t.Error("no other goroutine ran while one yielded 100 times")
	}
}

func TestNotVirtual(t *testing.T) {
	if primitives.Virtual() {
		t.Error("Virtual without an engine = true, want false")
	}
}
