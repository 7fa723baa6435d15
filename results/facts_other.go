//go:build !linux && !darwin && !windows

package results

func cpuModel() string { return "" }
func kernel() string   { return "" }
func governor() string { return "" }
