package results

import (
	"bufio"
	"os"
	"strings"
)

// cpuModel returns the model name of the first CPU.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		key, value, _ := strings.Cut(s.Text(), ":")
		if strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func kernel() string {
	return firstLine("/proc/sys/kernel/osrelease")
}

// governor returns the frequency governor of the first CPU. Virtual machines have none.
func governor() string {
	return firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
}
