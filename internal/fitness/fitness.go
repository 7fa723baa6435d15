// Package fitness says how suitable a machine is for measurements: how busy it is, and
// how much of it this process may use. It leaves out what it cannot know, as on systems
// other than Linux.
package fitness

import (
	"context"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A State is the fitness of a machine at one time. Unknown numbers are NaN.
type State struct {
	CPUs     int
	Load     float64 // threads that ran or waited to, on average over a minute
	Pressure float64 // share of the last 10 s in which some thread waited for a CPU
	Steal    float64 // share of CPU time that the host gave to other guests, over 200 ms
	Governor string  // of the frequency; "" if not known
	Turbo    string  // "on" if CPUs may exceed their nominal frequency, otherwise "off"; "" if not known
	Clock    string  // where the kernel's time is from, such as "tsc"; "" if not known
	Virtual  bool    // it is known to be a virtual machine
	Battery  bool    // it runs on battery

	// What this process may use.
	Quota  float64 // CPUs that its control groups let it use in total; NaN if there is no limit
	Weight float64 // its control groups' share of a busy CPU, relative to the default; the smallest of all levels
	Nice   int     // above 0, other processes have priority
}

// Look looks at this machine for 200 ms.
func Look(ctx context.Context) State {
	s := look(system)
	before := Count()
	select {
	case <-ctx.Done():
	case <-time.After(200 * time.Millisecond):
	}
	s.Steal = Count().Since(before).Steal
	return s
}

// system is the root of the kernel's files.
var system = os.DirFS("/")

// look returns what the kernel's files say now.
func look(system fs.FS) State {
	s := State{CPUs: runtime.NumCPU(), Load: math.NaN(), Steal: math.NaN()}
	if fields := strings.Fields(read(system, "proc/loadavg")); len(fields) > 0 {
		s.Load = number(fields[0])
	}
	avg10, _ := pressure(system)
	s.Pressure = avg10 / 100
	s.Governor = read(system, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	s.Turbo = turbo(system)
	s.Clock = read(system, "sys/devices/system/clocksource/clocksource0/current_clocksource")
	s.Virtual = virtual(system)
	supplies, _ := fs.Glob(system, "sys/class/power_supply/*")
	for _, dir := range supplies {
		if read(system, dir+"/type") == "Battery" && read(system, dir+"/status") == "Discharging" &&
			read(system, dir+"/scope") != "Device" { // not the battery of a mouse
			s.Battery = true
		}
	}
	s.Quota, s.Weight = entitlement(system)
	s.Nice = nice(system)
	return s
}

// turbo returns whether CPUs may exceed their nominal frequency: Intel's driver says
// when they may not, and others when they may.
func turbo(system fs.FS) string {
	switch {
	case read(system, "sys/devices/system/cpu/intel_pstate/no_turbo") == "0",
		read(system, "sys/devices/system/cpu/cpufreq/boost") == "1":
		return "on"
	case read(system, "sys/devices/system/cpu/intel_pstate/no_turbo") == "1",
		read(system, "sys/devices/system/cpu/cpufreq/boost") == "0":
		return "off"
	}
	return ""
}

// virtual reports whether a hypervisor shows itself, to the CPU or to the kernel.
func virtual(system fs.FS) bool {
	if read(system, "sys/hypervisor/type") != "" {
		return true
	}
	for line := range strings.Lines(read(system, "proc/cpuinfo")) {
		if key, flags, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "flags" {
			return slices.Contains(strings.Fields(flags), "hypervisor")
		}
	}
	return false
}

// nice returns the niceness of the process: the 19th field of its stat, of which the
// second is a name in parentheses that may contain anything.
func nice(system fs.FS) int {
	stat := read(system, "proc/self/stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 17 {
		return 0
	}
	n, _ := strconv.Atoi(fields[16])
	return n
}

// Warnings returns the reasons not to measure now, for people.
func (s State) Warnings() []string {
	var all []string
	warn := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if s.Load > float64(s.CPUs)/2 {
		warn("the machine is busy: load %.1f with %d CPUs", s.Load, s.CPUs)
	}
	if s.Pressure > 0.10 {
		warn("threads wait for a CPU %.0f %% of the time", 100*s.Pressure)
	}
	if s.Steal > 0.01 {
		warn("the host takes %.1f %% of the CPU time for others (steal)", 100*s.Steal)
	}
	if s.Quota < float64(s.CPUs) {
		warn("the control group allows this process %.3g of %d CPUs (quota): it is stopped whenever it has used that up", s.Quota, s.CPUs)
	}
	if s.Weight < 1 {
		warn("the control group of this process has %.3g of the default's share of a busy CPU (weight)", s.Weight)
	}
	if s.Nice > 0 {
		warn("this process lets others go first (nice %d)", s.Nice)
	}
	if s.Governor != "" && s.Governor != "performance" {
		warn("the frequency governor is %q: want \"performance\"", s.Governor)
	}
	if s.Battery {
		warn("the machine runs on battery")
	}
	return all
}

// String returns what is known, in a line.
func (s State) String() string {
	var known facts
	known.add("load %.1f", s.Load)
	known.add("pressure %.0f %%", 100*s.Pressure)
	known.add("steal %.1f %%", 100*s.Steal)
	known.add("quota %.3g CPUs", s.Quota)
	known.add("weight %.3g", s.Weight)
	if s.Nice != 0 {
		known.add("nice %.0f", float64(s.Nice))
	}
	if s.Battery {
		known = append(known, "on battery")
	}
	return strings.Join(known, ", ")
}

// Conditions are the state of a machine over a time. Unknown numbers are NaN.
type Conditions struct {
	Took     time.Duration
	Steal    float64 // share of CPU time that the host gave to others
	Pressure float64 // share of the time in which some thread waited for a CPU
	Throttle float64 // how often a CPU was slowed down because of heat
	Stopped  float64 // share of the quota's periods in which it was used up, and the process stopped
	Switches float64 // how often a slice lost its CPU to another process, on average; NaN unless the source takes slices
}

// Warnings returns the reasons to doubt the measurements, for people.
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
	if c.Stopped > 0 {
		warn("the control group's quota stopped the process in %.3g %% of its periods while it was measured", 100*c.Stopped)
	}
	if c.Switches > 20 {
		warn("each run of a benchmark lost its CPU %.0f times, on average", c.Switches)
	}
	return all
}

// String returns what is known, in a line.
func (c Conditions) String() string {
	var known facts
	known.add("steal %.1f %%", 100*c.Steal)
	known.add("pressure %.0f %%", 100*c.Pressure)
	known.add("slowed down %.0f times", c.Throttle)
	known.add("stopped in %.3g %% of the quota's periods", 100*c.Stopped)
	return strings.Join(known, ", ")
}

// facts are what is known.
type facts []string

func (f *facts) add(format string, v float64) {
	if !math.IsNaN(v) {
		*f = append(*f, fmt.Sprintf(format, v))
	}
}

// Counters are the kernel's counts at one time.
type Counters struct {
	at               time.Time
	steal, total     float64 // CPU time, in ticks
	pressure         float64 // seconds in which some thread waited
	throttle         float64
	periods, stopped float64 // of quotas
}

// Count reads the counters.
func Count() Counters { return count(system) }

func count(system fs.FS) Counters {
	c := Counters{at: time.Now(), steal: math.NaN(), total: math.NaN(), throttle: math.NaN()}
	// cpu user nice system idle iowait irq softirq steal guest guest_nice,
	// where user includes guest, and nice includes guest_nice.
	line, _, _ := strings.Cut(read(system, "proc/stat"), "\n")
	if fields := strings.Fields(line); len(fields) >= 9 && fields[0] == "cpu" {
		c.total = 0
		for _, f := range fields[1:9] {
			c.total += number(f)
		}
		c.steal = number(fields[8])
	}
	_, total := pressure(system)
	c.pressure = total / 1e6
	names, _ := fs.Glob(system, "sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")
	if len(names) > 0 {
		c.throttle = 0
	}
	for _, name := range names {
		c.throttle += number(read(system, name))
	}
	c.periods, c.stopped = quotaPeriods(system)
	return c
}

// Since returns the conditions since before. Switches are not known.
func (c Counters) Since(before Counters) Conditions {
	took := c.at.Sub(before.at)
	return Conditions{
		Took:     took,
		Steal:    (c.steal - before.steal) / (c.total - before.total),
		Pressure: (c.pressure - before.pressure) / took.Seconds(),
		Throttle: c.throttle - before.throttle,
		Stopped:  (c.stopped - before.stopped) / (c.periods - before.periods),
		Switches: math.NaN(),
	}
}

// pressure returns how many percent of the last 10 s some thread waited for a
// CPU, and for how many microseconds since the start.
func pressure(system fs.FS) (avg10, total float64) {
	var avg60, avg300 float64
	line, _, _ := strings.Cut(read(system, "proc/pressure/cpu"), "\n")
	if n, _ := fmt.Sscanf(line, "some avg10=%f avg60=%f avg300=%f total=%f", &avg10, &avg60, &avg300, &total); n != 4 {
		return math.NaN(), math.NaN()
	}
	return avg10, total
}

// read returns the contents of a file, without the space around it, and "" if it cannot
// be read: not all machines have all files.
func read(system fs.FS, name string) string {
	b, err := fs.ReadFile(system, path.Clean(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
