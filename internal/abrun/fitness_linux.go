package abrun

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// look fills in what the kernel says at once.
func (f *Fitness) look() {
	if fields := strings.Fields(read("/proc/loadavg")); len(fields) > 0 {
		f.Load = number(fields[0])
	}
	avg10, _ := pressure()
	f.Pressure = avg10 / 100
	f.Governor = strings.TrimSpace(read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
	supplies, _ := filepath.Glob("/sys/class/power_supply/*")
	for _, dir := range supplies {
		if strings.TrimSpace(read(dir+"/type")) == "Battery" && strings.TrimSpace(read(dir+"/status")) == "Discharging" &&
			strings.TrimSpace(read(dir+"/scope")) != "Device" { // not that of a mouse
			f.Battery = true
		}
	}
}

// condition reads the counters.
func condition() conditions {
	c := conditions{at: time.Now(), steal: math.NaN(), total: math.NaN(), throttle: math.NaN()}
	// cpu user nice system idle iowait irq softirq steal guest guest_nice,
	// where guest is in user, and guest_nice in nice.
	line, _, _ := strings.Cut(read("/proc/stat"), "\n")
	if fields := strings.Fields(line); len(fields) >= 9 && fields[0] == "cpu" {
		c.total = 0
		for _, f := range fields[1:9] {
			c.total += number(f)
		}
		c.steal = number(fields[8])
	}
	_, total := pressure()
	c.pressure = total / 1e6
	names, _ := filepath.Glob("/sys/devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")
	if len(names) > 0 {
		c.throttle = 0
	}
	for _, name := range names {
		c.throttle += number(strings.TrimSpace(read(name)))
	}
	return c
}

// pressure returns how many percent of the last 10 s some thread waited for a
// CPU, and for how many microseconds since the start.
func pressure() (avg10, total float64) {
	var avg60, avg300 float64
	line, _, _ := strings.Cut(read("/proc/pressure/cpu"), "\n")
	if n, _ := fmt.Sscanf(line, "some avg10=%f avg60=%f avg300=%f total=%f", &avg10, &avg60, &avg300, &total); n != 4 {
		return math.NaN(), math.NaN()
	}
	return avg10, total
}

func read(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	return string(b)
}

func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return math.NaN()
	}
	return v
}
