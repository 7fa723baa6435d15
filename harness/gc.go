package harness

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
)

// A GC is how much garbage Go's collector leaves, in percent of the memory in use, as
// in GOGC. The zero GC is the setting of the process, for which a results file has no
// name.
type GC int

const (
	GCOff     GC = -1  // no collection, until the process has a gigabyte
	GCDefault GC = 100 // Go's own
)

// maxGC is the highest share that makes sense: a heap a hundred times as large as
// what is in use.
const maxGC GC = 10_000

// ProcessGC returns the setting of the process: what GOGC says, or 100.
func ProcessGC() GC {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return GCDefault
	}
	if v := s[0].Value.Uint64(); v <= uint64(maxGC) {
		return max(1, GC(v))
	}
	return GCOff
}

// String returns "off" or the percentage, and "" for the zero GC.
func (g GC) String() string {
	switch g {
	case 0:
		return ""
	case GCOff:
		return "off"
	}
	return strconv.Itoa(int(g))
}

// UnmarshalText sets g to what text says, "off" or a percentage.
func (g *GC) UnmarshalText(text []byte) error {
	if string(text) == "off" {
		*g = GCOff
		return nil
	}
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || GC(n) > maxGC {
		return fmt.Errorf("want off, or a percentage from 1 to %d, have %q", int(maxGC), text)
	}
	*g = GC(n)
	return nil
}

func (g GC) valid() bool { return g == GCOff || 0 <= g && g <= maxGC }

// word returns g as a results file has it: "" for Go's own.
func (g GC) word() string {
	if g == GCDefault {
		return ""
	}
	return g.String()
}

// set sets the collector to g, after it has collected all garbage. restore undoes that.
func (g GC) set() (restore func()) {
	if g == 0 {
		return func() {}
	}
	runtime.GC() // garbage of other samples
	percent := debug.SetGCPercent(int(g))
	limit := debug.SetMemoryLimit(-1)
	if g == GCOff && limit == math.MaxInt64 {
		debug.SetMemoryLimit(1 << 30)
	}
	return func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	}
}
