package abrun

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"
)

// Fitness is how fit a machine is to measure on, as it was at one time. Numbers
// that are not known are NaN.
type Fitness struct {
	CPUs     int
	Load     float64 // threads that ran or waited to, on average over a minute
	Pressure float64 // share of the last 10 s in which some thread waited for a CPU
	Steal    float64 // share of CPU time that the host gave to others, over 200 ms
	Governor string  // of the frequency; "" if not known
	Battery  bool    // it runs on battery
}

// Machine looks at this machine for 200 ms.
func Machine(ctx context.Context) Fitness {
	f := Fitness{CPUs: runtime.NumCPU(), Load: math.NaN(), Pressure: math.NaN(), Steal: math.NaN()}
	f.look()
	before := condition()
	select {
	case <-ctx.Done():
	case <-time.After(200 * time.Millisecond):
	}
	f.Steal = condition().since(before).Steal
	return f
}

// Warnings returns what speaks against measuring now, for people.
func (f Fitness) Warnings() []string {
	var all []string
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if f.Load > float64(f.CPUs)/2 {
		warn("the machine is busy: load %.1f with %d CPUs", f.Load, f.CPUs)
	}
	if f.Pressure > 0.10 {
		warn("threads wait for a CPU %.0f %% of the time", 100*f.Pressure)
	}
	if f.Steal > 0.01 {
		warn("the host takes %.1f %% of the CPU time for others (steal)", 100*f.Steal)
	}
	if f.Governor != "" && f.Governor != "performance" {
		warn("the frequency governor is %q: want \"performance\"", f.Governor)
	}
	if f.Battery {
		warn("the machine runs on battery")
	}
	return all
}

// Conditions are what a machine was like while rounds were measured. Numbers
// that are not known are NaN.
type Conditions struct {
	Took     time.Duration
	Steal    float64 // share of CPU time that the host gave to others
	Pressure float64 // share of the time in which some thread waited for a CPU
	Throttle float64 // how often a CPU was slowed down for its heat
	Switches float64 // how often a slice lost its CPU to somebody else, on average
}

// Warnings returns what speaks against what was measured, for people.
func (c Conditions) Warnings() []string {
	var all []string
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if c.Steal > 0.01 {
		warn("the host took %.1f %% of the CPU time for others (steal) while it was measured", 100*c.Steal)
	}
	if c.Pressure > 0.30 {
		warn("threads waited for a CPU %.0f %% of the time while it was measured", 100*c.Pressure)
	}
	if c.Throttle > 0 {
		warn("CPUs were slowed down for their heat, %.0f times", c.Throttle)
	}
	if c.Switches > 20 {
		warn("each run of a benchmark lost its CPU %.0f times, on average", c.Switches)
	}
	return all
}

// conditions are counters at one time.
type conditions struct {
	at           time.Time
	steal, total float64 // CPU time, in ticks
	pressure     float64 // seconds in which some thread waited
	throttle     float64
}

func (c conditions) since(before conditions) Conditions {
	took := c.at.Sub(before.at)
	d := Conditions{
		Took:     took,
		Steal:    (c.steal - before.steal) / (c.total - before.total),
		Pressure: (c.pressure - before.pressure) / took.Seconds(),
		Throttle: c.throttle - before.throttle,
		Switches: math.NaN(),
	}
	return d
}

// Fitness returns what the machine was like before anything was built, and what
// it has been like since the rounds began.
func (s *Source) Fitness() (before Fitness, during Conditions) {
	during = condition().since(s.began)
	if n := len(s.slices); n > 0 {
		during.Switches = float64(s.switches) / float64(n)
	}
	return s.before, during
}
