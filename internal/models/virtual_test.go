//go:build virtual

package models_test

import (
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/internal/models"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

func mutex() property.Lock      { return models.NewMutex() }
func rwMutex() property.Readers { return models.NewRWMutex() }

// The models are checked in normal mode, and in starvation mode from the first sleep on.
func TestModelMutex(t *testing.T) {
	for mode, after := range map[string]time.Duration{"normal": time.Hour, "starving": -1} {
		t.Run(mode, func(t *testing.T) {
			defer models.Starve(after)()
			property.Every(t, "Exclusion/2x2", property.Exclusion(locker(mutex), 2, 2))
			property.Bounded(t, "Exclusion/3x1", 3, property.Exclusion(locker(mutex), 3, 1))
			property.Every(t, "TryLock/2x2", property.TryLock(mutex, 2, 2))
			property.Every(t, "Tries", property.Tries(mutex, 3))
		})
	}
}

func TestModelRWMutex(t *testing.T) {
	property.Every(t, "Exclusion/2x1", property.Exclusion(func() sync.Locker { return models.NewRWMutex() }, 2, 1))
	property.Every(t, "ReadersExclude/1+1x2", property.ReadersExclude(rwMutex, 1, 1, 2))
	property.Bounded(t, "ReadersExclude/2+1x1", 3, property.ReadersExclude(rwMutex, 2, 1, 1))
	property.Every(t, "ReadersMeet", property.ReadersMeet(rwMutex, 3))
	property.Every(t, "Tries", property.Tries(func() property.Lock { return models.NewRWMutex() }, 2))
}

func locker(fresh func() property.Lock) func() sync.Locker {
	return func() sync.Locker { return fresh() }
}

func run(t *testing.T, cpus int, body func()) *sim.Report {
	t.Helper()
	d, err := machines.Find("graviton2")
	if err != nil {
		t.Fatal(err)
	}
	r, err := sim.Config{Machine: &d.Machine, CPUs: cpus, Seed: 1}.Run(body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A waiter that others overtake again and again gets the mutex after a millisecond, and no
// earlier: the holder, which takes it again at once, runs already.
func TestStarvation(t *testing.T) {
	const section = 50 * time.Microsecond
	m := models.NewMutex()
	var waited time.Duration
	run(t, 2, func() {
		done := false
		primitives.Go(func() {
			for !done {
				m.Lock()
				primitives.Busy(section)
				m.Unlock()
			}
		})
		primitives.Busy(2 * section)
		began := primitives.Nanotime()
		m.Lock()
		waited = time.Duration(primitives.Nanotime() - began)
		done = true
		m.Unlock()
	})
	if waited < time.Millisecond || waited > time.Millisecond+4*section {
		t.Errorf("it waited %v, want a millisecond and the rest of a section or two", waited)
	}
}

// A waiter spins for as long as four bursts take, and then sleeps: it gets a short section
// without a switch of goroutines, and a long one with one.
func TestSpins(t *testing.T) {
	switches := func(section time.Duration) (n uint64, spun time.Duration) {
		m := models.NewMutex()
		r := run(t, 2, func() {
			m.Lock()
			begun := false
			primitives.Go(func() {
				begun = true
				m.Lock()
				m.Unlock()
			})
			for !begun {
				primitives.Busy(100 * time.Nanosecond)
			}
			primitives.Busy(section)
			m.Unlock()
		})
		return r.Total().Switches, r.Total().Spin
	}
	short, spun := switches(0)
	long, spunLong := switches(100 * time.Microsecond)
	if long != short+1 {
		t.Errorf("%d switches with a short section, %d with a long one: want one more", short, long)
	}
	const most = 4 * 784 * time.Nanosecond
	if spunLong != most || spun > most {
		t.Errorf("spun for %v with a long section and %v with a short one, want %v and no more", spunLong, spun, most)
	}
}

// waits starts a worker that locks m, calls inside, and unlocks m, and returns once it has
// waited for long enough to sleep, or only just begun.
func waits(m *models.Mutex, sleeps bool, inside func()) {
	begun := false
	primitives.Go(func() {
		begun = true
		m.Lock()
		inside()
		m.Unlock()
	})
	for !begun {
		primitives.Busy(100 * time.Nanosecond)
	}
	if sleeps {
		primitives.Busy(20 * time.Microsecond)
	} else {
		primitives.Busy(time.Microsecond)
	}
}

// While a waiter spins, Unlock wakes none: it could not get the mutex.
func TestSpinnerIsAwake(t *testing.T) {
	m := models.NewMutex()
	r := run(t, 3, func() {
		m.Lock()
		waits(m, true, func() {})
		waits(m, false, func() { primitives.Busy(50 * time.Microsecond) })
		m.Unlock()
	})
	if n := r.Total().Switches; n != 4 {
		t.Errorf("%d workers began or went on, want 4: three begin, and the one that sleeps goes on once", n)
	}
}

// A waiter that was woken and has lost is again the first in the queue.
func TestFront(t *testing.T) {
	var order []int
	m := models.NewMutex()
	run(t, 3, func() {
		m.Lock()
		for i := range 2 {
			waits(m, true, func() { order = append(order, i) })
		}
		m.Unlock()
		m.Lock() // before the one that is woken
		primitives.Busy(50 * time.Microsecond)
		m.Unlock()
	})
	if len(order) != 2 || order[0] != 0 {
		t.Errorf("got by waiters %v, want the one that came first, first", order)
	}
}
