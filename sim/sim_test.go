//go:build virtual

package sim_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

func machine(t testing.TB, name string) *sim.Machine {
	t.Helper()
	d, err := machines.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return &d.Machine
}

func run(t testing.TB, c sim.Config, body func()) *sim.Report {
	t.Helper()
	r, err := c.Run(body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The same seed gives the same run, another one another.
func TestDeterministic(t *testing.T) {
	of := func(seed uint64) time.Duration {
		var word primitives.Uint32
		return run(t, sim.Config{Machine: machine(t, "milan-2s"), CPUs: 16, Seed: seed}, func() {
			for range 16 {
				primitives.Go(func() {
					for range 200 {
						word.Add(1)
					}
				})
			}
		}).Time
	}
	a, b := of(1), of(1)
	if a != b {
		t.Errorf("one seed: %v and %v", a, b)
	}
	for seed := uint64(2); of(seed) == a; seed++ {
		if seed == 10 {
			t.Error("nine seeds give the same run")
		}
	}
}

// Atomic operations are atomic, whatever the order in which they come.
func TestAdds(t *testing.T) {
	var word primitives.Uint64
	r := run(t, sim.Config{Machine: machine(t, "xeon-8176-8s"), CPUs: 64}, func() {
		for range 100 {
			primitives.Go(func() {
				for range 50 {
					word.Add(1)
				}
			})
		}
	})
	if got := word.Load(); got != 5000 {
		t.Errorf("%d adds, want 5000", got)
	}
	if total := r.Total(); total.Operations < 5000 || total.Lines[sim.Cluster] == 0 || total.Lines[sim.Remote] == 0 {
		t.Errorf("%+v: want 5000 operations, and lines from near and far", total)
	}
}

// A run in which nothing can happen any more, or not in time, says so, and where it hangs.
func TestHang(t *testing.T) {
	var word primitives.Uint32
	var p primitives.Parker
	for _, of := range []struct {
		want string
		body func()
	}{
		{"nothing can happen any more:\nCPU 0 at", func() {
			for word.Load() == 0 {
				var s primitives.Spin
				s.Once()
			}
		}},
		{"1 workers sleep", func() { p.Park() }},
		{"not over after 1ms:\nCPU 0 at", func() {
			for {
				word.Add(1)
			}
		}},
	} {
		_, err := sim.Config{Machine: machine(t, "graviton2"), CPUs: 2, Limit: time.Millisecond}.Run(of.body)
		var hang *sim.HangError
		if !errors.As(err, &hang) || !strings.Contains(err.Error(), of.want) {
			t.Errorf("error %v, want a hang with %q", err, of.want)
		}
	}
}

func TestPanic(t *testing.T) {
	broken := errors.New("broken")
	_, err := sim.Config{Machine: machine(t, "graviton2"), CPUs: 2}.Run(func() {
		primitives.Go(func() { panic(broken) })
		for {
			primitives.Sleep(time.Millisecond)
		}
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "TestPanic") {
		t.Errorf("error %v, want the panic with its stack", err)
	}
}
