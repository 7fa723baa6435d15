package doctor

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// findings judges what was seen. What may disturb measurements is poor, and not bad, if the
// noise and the distance of the CPUs show that it did not disturb them much.
func (s *sight) findings(noise []Noise) []Finding {
	all := []Finding{
		s.cpusFound(),
		s.host(),
		s.governor(),
		s.turbo(),
		s.quota(),
		s.priority(),
		s.load(),
		s.pressure(),
		s.steal(),
		s.processes(),
		s.power(),
		s.heat(),
		s.clockFound(),
		s.timer(),
		s.pingpong(),
		s.same(noise),
		s.counterFound(),
		s.instructionsFound(),
	}
	disturbed := slices.ContainsFunc(all, func(f Finding) bool {
		return f.Name == "noise" && f.Grade == Unknown || slices.Contains([]string{"noise", "pingpong"}, f.Name) && f.Grade == Bad
	})
	for i, f := range all {
		if !disturbed && f.Grade == Bad && slices.Contains([]string{"load", "pressure", "steal", "processes"}, f.Name) {
			all[i].Grade = Poor
		}
	}
	return all
}

// found returns a finding about a number, of which high values are bad: it is good up to
// one bound, and poor up to the other. A number that is NaN is not known.
func (s *sight) found(name string, v, good, poor float64, unit, says, do string) Finding {
	f := Finding{Name: name, Says: says, Do: do, Values: []Value{{name, wording.JSONNumber(v), unit}}}
	switch {
	case math.IsNaN(v):
		f = s.unknown(name)
	case v <= good:
		f.Grade, f.Do = Good, ""
	case v <= poor:
		f.Grade = Poor
	default:
		f.Grade = Bad
	}
	return f
}

// unknown returns a finding about what the system does not say.
func (s *sight) unknown(name string) Finding {
	says := "not known: the kernel does not say"
	if s.goos != "linux" {
		says = "not known: lockbench looks for it on Linux only"
	}
	return Finding{Name: name, Grade: Unknown, Says: says}
}

func (s *sight) cpusFound() Finding {
	n := s.state.CPUs
	f := Finding{Name: "cpus", Grade: Good, Says: wording.Count(n, "CPU"), Values: []Value{{"cpus", wording.JSONNumber(n), ""}}}
	if s.place != nil {
		f.Says += fmt.Sprintf("; on which cores they are is not known (%v)", s.place)
	} else {
		f.Says = fmt.Sprintf("%s on %s, %s, %s", wording.Count(s.cpus, "CPU"), wording.Count(s.cores, "core"), wording.Count(s.packages, "socket"), wording.Count(s.nodes, "NUMA node"))
		f.Values = append(f.Values, Value{"cores", wording.JSONNumber(s.cores), ""}, Value{"sockets", wording.JSONNumber(s.packages), ""}, Value{"nodes", wording.JSONNumber(s.nodes), ""})
	}
	switch {
	case n < 2:
		f.Grade, f.Do = Poor, "only what a lock costs alone can be measured here: take a machine with more CPUs, or simulate one (locksim)"
	case s.place == nil && s.cores < s.cpus:
		f.Grade, f.Do = Poor, "two workers may share a core, and are slower then: choose the CPUs with lockbench run --mode thread --place scatter (a core each) or smt"
	}
	return f
}

func (s *sight) host() Finding {
	switch {
	case s.goos != "linux":
		return s.unknown("host")
	case s.state.Virtual:
		return Finding{Name: "host", Grade: Poor, Says: "a virtual machine",
			Do: "its host may move and stop the CPUs, unseen: compare samples of one file, taken in turns, and not two files"}
	}
	return Finding{Name: "host", Grade: Good, Says: "no hypervisor shows itself"}
}

func (s *sight) governor() Finding {
	switch g := s.state.Governor; g {
	case "":
		f := s.unknown("governor")
		if s.goos == "linux" {
			f.Says = "not known: no cpufreq in sysfs, as in most virtual machines"
		}
		return f
	case "performance":
		return Finding{Name: "governor", Grade: Good, Says: g}
	default:
		return Finding{Name: "governor", Grade: Poor, Says: g,
			Do: "the frequency changes with the load: cpupower frequency-set -g performance, as root"}
	}
}

func (s *sight) turbo() Finding {
	switch s.state.Turbo {
	case "":
		return s.unknown("turbo")
	case "off":
		return Finding{Name: "turbo", Grade: Good, Says: "off"}
	}
	return Finding{Name: "turbo", Grade: Poor, Says: "on",
		Do: "the frequency changes with the number of busy CPUs and with heat: as root, echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > /sys/devices/system/cpu/cpufreq/boost"}
}

func (s *sight) quota() Finding {
	q := s.state.Quota
	switch {
	case s.goos != "linux":
		return s.unknown("quota")
	case math.IsNaN(q) || q >= float64(s.state.CPUs):
		return Finding{Name: "quota", Grade: Good, Says: "none below the number of CPUs"}
	}
	f := Finding{Name: "quota", Grade: Poor, Says: fmt.Sprintf("%.3g of %s", q, wording.Count(s.state.CPUs, "CPU")),
		Values: []Value{{"quota", wording.JSONNumber(q), "CPUs"}, {"stopped", wording.JSONNumber(s.during.Stopped), "share"}},
		Do:     fmt.Sprintf("more threads than that are stopped in the middle of a sample: measure with --cpus %d", max(1, int(q)))}
	if s.during.Stopped > 0 {
		f.Grade = Bad
		f.Says += fmt.Sprintf(", used up in %.3g %% of its periods", 100*s.during.Stopped)
		f.Do = "the control group stops this process in the middle of a sample: raise its limit (cpu.max; docker run --cpus), or measure outside of the container"
	}
	return f
}

func (s *sight) priority() Finding {
	if s.goos != "linux" {
		return s.unknown("priority")
	}
	var less []string
	if s.state.Nice > 0 {
		less = append(less, fmt.Sprintf("nice %d", s.state.Nice))
	}
	if s.state.Weight < 1 {
		less = append(less, fmt.Sprintf("%.3g of the default's share of a busy CPU (weight)", s.state.Weight))
	}
	if len(less) == 0 {
		return Finding{Name: "priority", Grade: Good, Says: "as others"}
	}
	return Finding{Name: "priority", Grade: Poor, Says: strings.Join(less, ", "),
		Do: "others go first when they want the CPUs: start it without nice, or raise the control group's cpu.weight"}
}

func (s *sight) load() Finding {
	cpus := float64(s.state.CPUs)
	return s.found("load", s.state.Load, cpus/2, cpus, "threads",
		fmt.Sprintf("%.1f threads ran or waited, over a minute", s.state.Load),
		"wait until it is below half the number of CPUs, or stop what runs (see processes)")
}

func (s *sight) pressure() Finding {
	p := s.state.Pressure
	return s.found("pressure", p, 0.10, 0.50, "share",
		fmt.Sprintf("some thread waited for a CPU %.0f %% of the time, over 10 s", 100*p),
		"something else wants the CPUs: see load and processes")
}

func (s *sight) steal() Finding {
	v := s.during.Steal
	return s.found("steal", v, 0.01, 0.05, "share",
		fmt.Sprintf("the host gave others %.1f %% of the CPU time", 100*v),
		"another guest uses the same CPUs: measure at another time, or on a machine of your own")
}

// mentioned is how many processes are named.
const mentioned = 3

func (s *sight) processes() Finding {
	if !s.listed {
		return s.unknown("processes")
	}
	const slight = 0.05 // CPUs that do not matter
	programs, kernel := 0.0, 0.0
	var names []string
	for _, p := range s.others {
		whose := ""
		if p.Kernel {
			kernel += p.CPUs
			whose = ", the kernel's"
		} else {
			programs += p.CPUs
		}
		if len(names) < mentioned && p.CPUs >= 0.005 { // otherwise it is shown as 0.00
			names = append(names, fmt.Sprintf("%s (%d%s) %.2f", wording.Clean(p.Name), p.PID, whose, p.CPUs))
		}
	}
	says := fmt.Sprintf("others, which still run, used %.2f CPUs", programs+kernel)
	if len(names) > 0 {
		says += ": " + strings.Join(names, ", ")
	}
	var do []string
	if programs > slight || kernel <= slight {
		do = append(do, "stop them: they take a CPU from a worker in the middle of a sample")
	}
	if kernel > slight {
		do = append(do, "the kernel's own threads cannot be stopped: they do what programs left to it, such as writing files, so wait until that is done")
	}
	return s.found("processes", programs+kernel, slight, 0.5, "CPUs", says, strings.Join(do, "; "))
}

func (s *sight) power() Finding {
	switch {
	case s.goos != "linux":
		return s.unknown("power")
	case s.state.Battery:
		return Finding{Name: "power", Grade: Poor, Says: "on battery", Do: "plug it in: it saves power, and so time varies"}
	}
	return Finding{Name: "power", Grade: Good, Says: "not on battery"}
}

func (s *sight) heat() Finding {
	v := s.during.Throttle
	return s.found("heat", v, 0, math.Inf(+1), "times",
		fmt.Sprintf("CPUs were slowed down for their heat %.0f times meanwhile", v),
		"let it cool, and measure less at a time")
}

func (s *sight) clockFound() Finding {
	says := fmt.Sprintf("%s ns a reading, steps of %s ns", wording.Number(s.clock.cost), wording.Number(s.clock.step))
	if s.state.Clock != "" {
		says += " (" + s.state.Clock + ")"
	}
	f := s.found("clock", s.clock.cost, 100, math.Inf(+1), "ns", says,
		"sections of that length cannot be timed: see available_clocksource in /sys/devices/system/clocksource/clocksource0 for one that is read without the kernel (tsc, kvm-clock)")
	f.Values = append(f.Values, Value{"step", wording.JSONNumber(s.clock.step), "ns"})
	return f
}

func (s *sight) timer() Finding {
	if len(s.late) == 0 {
		return s.unknown("timer")
	}
	middle, most := s.late[len(s.late)/2], s.late[len(s.late)-1]
	f := s.found("timer", float64(middle.Nanoseconds()), 300e3, math.Inf(+1), "ns",
		fmt.Sprintf("a sleep of %v takes %v longer, at most %v", nap, middle.Round(time.Microsecond), most.Round(time.Microsecond)),
		"benchmarks that sleep, and timeouts, are late by that; lockbench reads the clock at both ends of a sample, so its numbers stay right")
	f.Values = append(f.Values, Value{"longest", wording.JSONNumber(most.Nanoseconds()), "ns"})
	return f
}

// pingpong judges the distance of two CPUs: how long a cache line takes between them and
// back, and whether that changed.
func (s *sight) pingpong() Finding {
	f := Finding{Name: "pingpong", Grade: Good}
	switch {
	case s.state.CPUs < 2:
		f.Grade, f.Says = Unknown, "not known: there is one CPU"
		return f
	case s.tripped != nil:
		f.Grade, f.Says = Unknown, fmt.Sprintf("not known: %v", s.tripped)
		return f
	case len(s.trips) == 0:
		f.Grade, f.Says = Unknown, "not known: there was no time"
		return f
	}
	by := make(map[results.Distance][]float64)
	flips := 0
	last := results.Unknown
	for _, t := range s.trips {
		by[t.Distance] = append(by[t.Distance], t.NS)
		if t.Distance == results.Unknown {
			continue
		}
		if last != results.Unknown && t.Distance != last {
			flips++
		}
		last = t.Distance
	}
	var says []string
	share := func(d results.Distance) float64 { return float64(len(by[d])) / float64(len(s.trips)) }
	for _, d := range []results.Distance{results.Near, results.Far} {
		ns := math.NaN()
		if of := by[d]; len(of) > 0 {
			slices.Sort(of)
			ns = of[len(of)/2]
			says = append(says, fmt.Sprintf("%s %.0f %% of the time, %.0f ns", d, 100*share(d), ns))
		}
		f.Values = append(f.Values, Value{string(d), wording.JSONNumber(share(d)), "share"}, Value{string(d) + " round trip", wording.JSONNumber(ns), "ns"})
	}
	if n := share(results.Unknown); n > 0 {
		says = append(says, fmt.Sprintf("no answer %.0f %% of the time", 100*n))
	}
	f.Values = append(f.Values, Value{"changes", wording.JSONNumber(flips), "times"})
	f.Says = strings.Join(says, "; ")
	if flips > 0 {
		f.Says += "; changed " + wording.Count(flips, "time")
	}
	switch {
	case share(results.Unknown) > 0.5:
		f.Grade, f.Do = Bad, "two CPUs seldom run at the same time here: contended cells measure the scheduler. Stop other work, or measure with --cpus 1"
	case len(by[results.Near]) > 0 && len(by[results.Far]) > 0:
		f.Grade, f.Do = Poor, "contended locks are several times slower far: compare near with near, as lockbench does, and take samples until both have six (run without --count does)"
	case len(by[results.Near]) == 0:
		f.Grade, f.Do = Poor, s.nearer()
	}
	return f
}

// nearer says how to measure on near CPUs where all are far.
func (s *sight) nearer() string {
	switch {
	case s.state.Virtual:
		return "contended locks are several times slower than on near CPUs, and only the host can bring these together: compare with other far ones, as lockbench does"
	case s.place == nil && s.packages < 2:
		return "contended locks are several times slower than on near CPUs: perhaps these are of different chiplets of the socket; choose others with taskset"
	}
	return "contended locks are several times slower than on near CPUs: bind the process to one socket (taskset, numactl) if you want near ones"
}

// same judges the largest noise of a lock against itself: it is bad if the margin of a gate
// would be more than 50 %.
func (s *sight) same(noise []Noise) Finding {
	worst := math.NaN()
	var failed []string
	for _, n := range noise {
		if v := float64(n.InTurns); !(v <= worst) && !math.IsNaN(v) {
			worst = v
		}
	}
	for _, of := range s.sections {
		if of.failed != nil {
			failed = append(failed, fmt.Sprintf("%s: %v", of.cells, of.failed))
		}
	}
	f := s.found("noise", worst, 0.01, 0.25, "share",
		fmt.Sprintf("the same code differs by up to %s, measured in turns (see below)", wording.Percent(worst)),
		fmt.Sprintf("locks that differ by less are not told apart; a gate of such code needs a margin of %s (see below) and a larger --budget, or counts instead of times (--exact)", atMost(wording.JSONNumber(margin(worst)))))
	if f.Grade == Bad {
		f.Do = "stop other work: a gate would notice only what takes half as long again, or more; or let it judge counts instead of times (--exact)"
	}
	if math.IsNaN(worst) {
		f.Says, f.Do = "not known: too few samples in that time", "measure for longer: without --quick"
	}
	if len(failed) > 0 {
		f.Grade = Bad
		f.Says = strings.Join(append(failed, f.Says), "; ")
		f.Do = "a run on this machine would fail as well"
	}
	return f
}

func (s *sight) counterFound() Finding {
	var can, cannot []string
	var why error
	for _, c := range s.counters {
		if c.Err == nil {
			can = append(can, c.Unit)
		} else {
			cannot, why = append(cannot, c.Unit), cmp.Or(why, c.Err)
		}
	}
	f := Finding{Name: "counters", Grade: Good, Says: strings.Join(can, ", ")}
	if len(cannot) > 0 {
		f.Grade = Poor
		f.Says = strings.TrimPrefix(f.Says+"; not "+strings.Join(cannot, ", ")+": "+why.Error(), "; ")
		f.Do = "lockbench run --counters has the others only; counters need Linux, the CPU's own, which hosts may hide from guests, and kernel.perf_event_paranoid of at most 2"
		if len(can) == 0 {
			f.Do = strings.Replace(f.Do, "has the others only", "is refused", 1)
		}
	}
	return f
}

func (s *sight) instructionsFound() Finding {
	if s.uncounted != nil {
		return Finding{Name: "instructions", Grade: Poor, Says: s.uncounted.Error(),
			Do: "lockbench gate cannot judge instructions/op: install Valgrind, or let the kernel count (see counters)"}
	}
	return Finding{Name: "instructions", Grade: Good, Says: "the gate counts them " + s.instructions}
}
