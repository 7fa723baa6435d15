package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/results"
)

// calls measures what a callback costs, from Call to its end, of 200,000 or as many as
// can be called in 200 ms; and how many are waiting at most. Above HighWater, 10,000,
// grace periods are expedited, and Call sleeps for 100 µs and more.
func calls(ctx context.Context, _ io.Writer, rounds int) ([]results.Sample, error) {
	const (
		inAll   = 200_000
		batch   = 5_000 // half of the default HighWater
		unbound = 1 << 30
		most    = 200 * time.Millisecond
	)
	ways := []struct {
		name  string
		cfg   rcu.Config
		batch int // after so many callbacks it waits for all
	}{
		{"", rcu.Config{}, inAll},
		{":no-high-water", rcu.Config{HighWater: unbound}, inAll},
		{":below-high-water", rcu.Config{}, batch},
	}
	var all []situation
	for _, name := range rcuNames {
		for _, way := range ways {
			all = append(all, situation{name + way.name, false, func() ([]results.Value, error) {
				in := rcuNew[name](way.cfg)
				defer in.Close()
				objects := make([]object, 1024)
				waiting := 0
				n, began := 0, primitives.Nanotime()
				for n < inAll && primitives.Nanotime()-began < int64(most) {
					for range 100 {
						o := &objects[n%len(objects)]
						in.Call(func() { o.n++ }) // with what it retires, as one does
						n++
					}
					waiting = max(waiting, in.Stats().Waiting)
					if n%way.batch == 0 {
						in.Barrier()
					}
				}
				in.Barrier()
				took := primitives.Nanotime() - began
				ran := 0
				for _, o := range objects {
					ran += o.n
				}
				if ran != n {
					return nil, fmt.Errorf("%s: %d callbacks ran, want %d", name, ran, n)
				}
				return []results.Value{
					{Unit: "ns/op", Value: float64(took) / float64(n)},
					{Unit: "waiting", Value: float64(waiting)},
				}, nil
			}})
		}
	}
	return turns(ctx, "call", rounds, all)
}
