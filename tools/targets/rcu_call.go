package main

import (
	"context"
	"fmt"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/results"
)

// calls measures what a callback costs, from Call to its end.
func calls(ctx context.Context, j *judge, rounds int) error {
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
	samples, err := turns(ctx, j, "call", rounds, all)
	if err != nil {
		return err
	}
	j.title("A callback, from Call to its end, of 200,000 or as many as can be called in 200 ms (C: 300 to 640 ns)")
	var claims []claim
	for _, way := range ways {
		for _, name := range rcuNames {
			c := claim{lock: name + way.name, unit: "ns/op", distance: results.Local, absolute: true}
			if way.name == "" {
				c.limit = 150
			}
			claims = append(claims, c)
		}
	}
	j.claims(samples, claims)
	j.title("The most that waited at a time: above HighWater, 10,000, grace periods are expedited, and Call sleeps for 100 µs and more")
	for i := range claims {
		claims[i].unit, claims[i].limit = "waiting", 0
	}
	j.claims(samples, claims)
	return nil
}
