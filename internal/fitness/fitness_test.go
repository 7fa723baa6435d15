package fitness

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// files returns a system with these files.
func files(names map[string]string) fstest.MapFS {
	system := make(fstest.MapFS)
	for name, text := range names {
		system[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return system
}

// Where control groups are mounted, in each version and in both at once, and
// inside a container that sees its own group as the root.
const (
	mountV1 = "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n" +
		"34 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
	mountV2        = "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw\n"
	mountHybrid    = mountV1 + "42 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	mountContainer = `33 31 0:30 /docker/ab /sys/fs/my\040groups/cpu ro - cgroup cgroup rw,cpu` + "\n"
)

func TestControlGroups(t *testing.T) {
	nan := math.NaN()
	for _, test := range []struct {
		name          string
		files         map[string]string
		quota, weight float64
		periods       float64
		stopped       float64
	}{
		{"no such files", nil, nan, nan, 0, 0},
		{"version 2", map[string]string{
			"proc/self/mountinfo":          mountV2,
			"proc/self/cgroup":             "0::/a/b\n",
			"sys/fs/cgroup/a/b/cpu.max":    "20000 100000\n",
			"sys/fs/cgroup/a/b/cpu.weight": "100\n",
			"sys/fs/cgroup/a/b/cpu.stat":   "usage_usec 7\nnr_periods 10\nnr_throttled 9\nthrottled_usec 5\n",
		}, 0.2, 1, 10, 9},
		{"version 2, without a quota", map[string]string{
			"proc/self/mountinfo":        mountV2,
			"proc/self/cgroup":           "0::/a/b\n",
			"sys/fs/cgroup/a/b/cpu.max":  "max 100000\n",
			"sys/fs/cgroup/a/b/cpu.stat": "usage_usec 7\n",
		}, nan, nan, 0, 0},
		{"version 2, the quota is above", map[string]string{
			"proc/self/mountinfo":          mountV2,
			"proc/self/cgroup":             "0::/a/b\n",
			"sys/fs/cgroup/a/b/cpu.max":    "400000 100000\n",
			"sys/fs/cgroup/a/b/cpu.weight": "200\n",
			"sys/fs/cgroup/a/cpu.max":      "150000 100000\n",
			"sys/fs/cgroup/a/cpu.weight":   "50\n",
			"sys/fs/cgroup/other/cpu.max":  "1 100000\n",
		}, 1.5, 0.5, 0, 0},
		{"version 2, in a container", map[string]string{
			"proc/self/mountinfo":   mountV2,
			"proc/self/cgroup":      "0::/\n",
			"sys/fs/cgroup/cpu.max": "50000 100000\n",
		}, 0.5, nan, 0, 0},
		{"version 1", map[string]string{
			"proc/self/mountinfo":                               mountV1,
			"proc/self/cgroup":                                  "7:cpuset:/elsewhere\n4:cpu,cpuacct:/a\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us":      "20000\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us":     "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.shares":            "512\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.stat":              "nr_periods 4\nnr_throttled 1\nthrottled_time 5\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.shares":              "1024\n",
			"sys/fs/cgroup/cpuset/elsewhere/cpu.cfs_quota_us":   "1\n",
			"sys/fs/cgroup/cpuset/elsewhere/cpu.cfs_period_us":  "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/elsewhere/cpu.shares":    "2\n",
			"sys/fs/cgroup/cpu,cpuacct/elsewhere/cpu.cfs_quota": "2\n",
		}, 0.2, 0.5, 4, 1},
		{"version 1, without a quota", map[string]string{
			"proc/self/mountinfo":                             mountV1,
			"proc/self/cgroup":                                "4:cpu,cpuacct:/a\n0::/\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us":    "-1\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_period_us":   "100000\n",
			"sys/fs/cgroup/cpu,cpuacct/a/cpu.cfs_quota_us.no": "1\n",
		}, nan, nan, 0, 0},
		{"both, the quota in version 1", map[string]string{
			"proc/self/mountinfo":                         mountHybrid,
			"proc/self/cgroup":                            "4:cpu,cpuacct:/\n0::/\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us":  "150000\n",
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
		}, 1.5, nan, 0, 0},
		{"version 1, in a container", map[string]string{
			"proc/self/mountinfo":                       mountContainer,
			"proc/self/cgroup":                          "4:cpu:/docker/ab\n",
			"sys/fs/my groups/cpu/cpu.cfs_quota_us":     "20000\n",
			"sys/fs/my groups/cpu/cpu.cfs_period_us":    "100000\n",
			"sys/fs/my groups/cpu/docker/ab/cpu.shares": "2\n",
		}, 0.2, nan, 0, 0},
		{"version 1, in a container, a group below", map[string]string{
			"proc/self/mountinfo":                        mountContainer,
			"proc/self/cgroup":                           "4:cpu:/docker/ab/in\n",
			"sys/fs/my groups/cpu/in/cpu.cfs_quota_us":   "40000\n",
			"sys/fs/my groups/cpu/in/cpu.cfs_period_us":  "100000\n",
			"sys/fs/my groups/cpu/abin/cpu.cfs_quota_us": "1\n",
		}, 0.4, nan, 0, 0},
		{"not what it should be", map[string]string{
			"proc/self/mountinfo":   "x\n - \n" + mountV2,
			"proc/self/cgroup":      "\n0::\nx:y\n0::/../..\n",
			"sys/fs/cgroup/cpu.max": "many few\n",
		}, nan, nan, 0, 0},
	} {
		system := files(test.files)
		quota, weight := entitlement(system)
		periods, stopped := quotaPeriods(system)
		if !same(quota, test.quota) || !same(weight, test.weight) || periods != test.periods || stopped != test.stopped {
			t.Errorf("%s: quota %v, weight %v, stopped in %v of %v periods; want %v, %v, %v of %v", test.name,
				quota, weight, stopped, periods, test.quota, test.weight, test.stopped, test.periods)
		}
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// All known facts are looked at, and here each is a reason not to measure.
func TestLook(t *testing.T) {
	system := files(map[string]string{
		"proc/loadavg":      "99.00 1 1 2/3 4\n",
		"proc/pressure/cpu": "some avg10=25.00 avg60=1.00 avg300=1.00 total=2000000\nfull avg10=0 avg60=0 avg300=0 total=0\n",
		"proc/stat":         "cpu  10 0 10 60 0 0 0 20 0 0\ncpu0 1\n",
		"proc/self/stat":    "12 (a) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 25 10 1\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor":            "powersave\n",
		"sys/devices/system/cpu/intel_pstate/no_turbo":                    "0\n",
		"sys/devices/system/clocksource/clocksource0/current_clocksource": "hpet\n",
		"proc/cpuinfo": "processor\t: 0\nflags\t\t: fpu hypervisor lm\n",
		"sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count":   "2\n",
		"sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count":   "3\n",
		"sys/class/power_supply/BAT0/type":                                   "Battery\n",
		"sys/class/power_supply/BAT0/status":                                 "Discharging\n",
		"proc/self/mountinfo":                                                mountV2,
		"proc/self/cgroup":                                                   "0::/\n",
		"sys/fs/cgroup/cpu.max":                                              "20000 100000\n",
		"sys/fs/cgroup/cpu.weight":                                           "1\n",
		"sys/fs/cgroup/cpu.stat":                                             "nr_periods 10\nnr_throttled 9\n",
		"sys/class/power_supply/mouse/type":                                  "Battery\n",
		"sys/class/power_supply/mouse/status":                                "Discharging\n",
		"sys/class/power_supply/mouse/scope":                                 "Device\n",
		"sys/devices/system/cpu/cpufreq/policy0/unused/thermal_throttle/any": "1\n",
	})
	s := look(system)
	s.Steal = 0.25
	want := State{CPUs: runtime.NumCPU(), Load: 99, Pressure: 0.25, Steal: 0.25, Governor: "powersave", Turbo: "on", Clock: "hpet", Virtual: true, Battery: true, Quota: 0.2, Weight: 0.01, Nice: 10}
	if s != want {
		t.Errorf("got  %+v\nwant %+v", s, want)
	}
	if got := s.Warnings(); len(got) != 8 {
		t.Errorf("%d warnings, want 8: %q", len(got), got)
	}
	const line = "load 99.0, pressure 25 %, steal 25.0 %, quota 0.2 CPUs, weight 0.01, nice 10, on battery"
	if got := s.String(); got != line {
		t.Errorf("got  %s\nwant %s", got, line)
	}

	before := count(system)
	system["proc/stat"].Data = []byte("cpu  20 0 20 120 0 0 0 40 0 0\n")
	system["proc/pressure/cpu"].Data = []byte("some avg10=25.00 avg60=1.00 avg300=1.00 total=3000000\n")
	system["sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count"].Data = []byte("7\n")
	system["sys/fs/cgroup/cpu.stat"].Data = []byte("nr_periods 20\nnr_throttled 14\n")
	after := count(system)
	after.at = before.at.Add(2 * time.Second)
	c := after.Since(before)
	if c.Took != 2*time.Second || c.Steal != 0.2 || c.Pressure != 0.5 || c.Throttle != 4 || c.Stopped != 0.5 || !math.IsNaN(c.Switches) {
		t.Errorf("got %+v, want steal 0.2, pressure 0.5, throttle 4, stopped 0.5", c)
	}
	if got := c.Warnings(); len(got) != 4 {
		t.Errorf("%d warnings, want 4: %q", len(got), got)
	}
	const during = "steal 20.0 %, pressure 50 %, slowed down 4 times, stopped in 50 % of the quota's periods"
	if got := c.String(); got != during {
		t.Errorf("got  %s\nwant %s", got, during)
	}
}

// Intel's driver and the others say the opposite of each other, and a hypervisor may show
// itself to the kernel alone.
func TestTurboAndVirtual(t *testing.T) {
	for _, test := range []struct {
		name, text string
		turbo      string
		virtual    bool
	}{
		{"proc/cpuinfo", "flags\t\t: fpu lm\n", "", false},
		{"sys/devices/system/cpu/intel_pstate/no_turbo", "1\n", "off", false},
		{"sys/devices/system/cpu/cpufreq/boost", "1\n", "on", false},
		{"sys/devices/system/cpu/cpufreq/boost", "0\n", "off", false},
		{"sys/hypervisor/type", "xen\n", "", true},
		{"proc/cpuinfo", "model name : hypervisor\nflags : hypervisors\n", "", false},
	} {
		s := look(files(map[string]string{test.name: test.text}))
		if s.Turbo != test.turbo || s.Virtual != test.virtual {
			t.Errorf("%s %q: turbo %q, virtual %t; want %q, %t", test.name, test.text, s.Turbo, s.Virtual, test.turbo, test.virtual)
		}
	}
}

// A machine about which nothing is known, or that is fit, has no warnings.
func TestFit(t *testing.T) {
	nothing := look(files(nil))
	if got := nothing.Warnings(); len(got) > 0 || nothing.String() != "" {
		t.Errorf("nothing is known: %q and %q, want no warning and nothing", got, nothing)
	}
	empty := count(files(nil)).Since(count(files(nil)))
	if got := empty.Warnings(); len(got) > 0 || empty.String() != "" {
		t.Errorf("nothing is known: %q and %q, want no warning and nothing", got, empty)
	}
	fit := State{CPUs: 4, Load: 1, Pressure: 0.01, Governor: "performance", Quota: 4, Weight: 1}
	if got := fit.Warnings(); len(got) > 0 {
		t.Errorf("%+v: %q, want no warning", fit, got)
	}
	if got := (Conditions{Switches: 20}).Warnings(); len(got) > 0 {
		t.Errorf("%q, want no warning", got)
	}
	if got := (Conditions{Switches: 21}).Warnings(); len(got) != 1 {
		t.Errorf("%q, want a warning of a run that lost its CPU", got)
	}
}

// This machine has some facts, if its system can have any.
func TestThisMachine(t *testing.T) {
	s := Look(context.Background())
	t.Logf("%+v: %v\n%s", s, s, strings.Join(s.Warnings(), "\n"))
	if s.CPUs != runtime.NumCPU() || runtime.GOOS == "linux" && math.IsNaN(s.Load) {
		t.Errorf("%s, want the CPUs and, on Linux, the load", fmt.Sprint(s))
	}
}
