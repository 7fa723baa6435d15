package results

import "syscall"

func cpuModel() string {
	return sysctl("machdep.cpu.brand_string")
}

func kernel() string {
	return sysctl("kern.osrelease")
}

func governor() string { return "" } // none that a program can see

func sysctl(name string) string {
	value, err := syscall.Sysctl(name)
	if err != nil {
		return "" // not every machine has it
	}
	return value
}
