package harness

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/results"
)

// A kernelEvent is something that the kernel counts.
type kernelEvent struct {
	unit   string
	kind   uint32
	config uint64
}

// events are what is counted: events of the CPU in user mode only, and events of the
// kernel in both modes. They are the host's alone; no engine has them.
var events = sync.OnceValue(func() []kernelEvent {
	const hardware, software = unix.PERF_TYPE_HARDWARE, unix.PERF_TYPE_SOFTWARE
	return slices.Concat([]kernelEvent{
		{"cycles/op", hardware, unix.PERF_COUNT_HW_CPU_CYCLES},
		{"instructions/op", hardware, unix.PERF_COUNT_HW_INSTRUCTIONS},
		{"cache-misses/op", hardware, unix.PERF_COUNT_HW_CACHE_MISSES},
	}, transfers(readText("/proc/cpuinfo"), readText("/sys/bus/event_source/devices/cpu/caps/pmu_name")), []kernelEvent{
		{"ctx-switches/op", software, unix.PERF_COUNT_SW_CONTEXT_SWITCHES},
		{"migrations/op", software, unix.PERF_COUNT_SW_CPU_MIGRATIONS},
		{"page-faults/op", software, unix.PERF_COUNT_SW_PAGE_FAULTS},
	})
})

func readText(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return "" // not every machine has it
	}
	return string(text)
}

// transfers returns the event that counts cache lines that came from another core, if
// the CPU is known to have one. The numbers are from the kernel's
// tools/perf/pmu-events.
//
// Intel's MEM_LOAD_L3_HIT_RETIRED.XSNP_HITM (in newer CPUs XSNP_FWD) counts loads of
// lines that another core had modified. AMD's LsDmndFillsFromSys counts, with these
// bits, what came from the L3 or from another L2 of the same CCX, and from the caches
// of other CCXs.
func transfers(cpuinfo, pmu string) []kernelEvent {
	fields := make(map[string]string) // of the first CPU
	for line := range strings.Lines(cpuinfo) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			break
		}
		fields[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	intel := []string{"sandybridge", "ivybridge", "haswell", "broadwell", "skylake", "icelake", "sapphire_rapids"}
	amd := []string{"25", "26"} // Zen 3 to 5
	switch {
	case fields["vendor_id"] == "GenuineIntel" && slices.Contains(intel, strings.TrimSpace(pmu)):
		return []kernelEvent{{"hitm/op", unix.PERF_TYPE_RAW, 0x04d2}}
	case fields["vendor_id"] == "AuthenticAMD" && slices.Contains(amd, fields["cpu family"]):
		return []kernelEvent{{"cache-fills/op", unix.PERF_TYPE_RAW, 0x1643}}
	}
	return nil
}

// open opens a counter of e for the thread tid and all threads that it makes. It does
// not count yet.
func (e kernelEvent) open(tid int) (fd int, err error) {
	attr := unix.PerfEventAttr{
		Type:        e.kind,
		Size:        uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Config:      e.config,
		Bits:        unix.PerfBitDisabled | unix.PerfBitInherit,
		Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED | unix.PERF_FORMAT_TOTAL_TIME_RUNNING,
	}
	if e.kind != unix.PERF_TYPE_SOFTWARE {
		attr.Bits |= unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv
	}
	return unix.PerfEventOpen(&attr, tid, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
}

// try reports why e cannot be counted here.
func (e kernelEvent) try() error {
	fd, err := e.open(0)
	if err == nil {
		return unix.Close(fd)
	}
	return e.explain(err, strings.TrimSpace(readText("/proc/sys/kernel/perf_event_paranoid")))
}

// explain says in words why perf_event_open refused e.
func (e kernelEvent) explain(err error, paranoid string) error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.EOPNOTSUPP):
		return errors.New("this machine has no such counter (virtual machines often have none)")
	case errors.Is(err, unix.ENOSYS):
		return errors.New("this kernel has no perf_event_open")
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		most := 2
		if e.kind == unix.PERF_TYPE_SOFTWARE { // what happens in the kernel
			most = 1
		}
		if n, numErr := strconv.Atoi(paranoid); numErr == nil && n <= most {
			return fmt.Errorf("%w, although kernel.perf_event_paranoid is %d: a container forbids it, perhaps", err, n)
		}
		return fmt.Errorf("%w: kernel.perf_event_paranoid is %s, want at most %d, or CAP_PERFMON", err, paranoid, most)
	}
	return err
}

// counters are open counters: for each event one for each thread that existed when they
// were opened, which also counts the threads that this one has made since.
type counters struct {
	events []kernelEvent
	fds    [][]int // by event
}

// openCounters opens counters of events. A thread that is made meanwhile may not have
// the counters of the thread that made it; in that case openCounters opens all of them
// again.
func openCounters(events []kernelEvent) (*counters, error) {
	for {
		c := &counters{events, make([][]int, len(events))}
		threads, err := ownThreads()
		for _, tid := range threads {
			if err == nil {
				err = c.add(tid)
			}
		}
		if err != nil {
			c.close()
			return nil, fmt.Errorf("opening counters for %d threads: %w", len(threads), err)
		}
		now, err := ownThreads()
		if err == nil && !slices.ContainsFunc(now, func(tid int) bool { return !slices.Contains(threads, tid) }) {
			return c, nil
		}
		c.close()
		if err != nil {
			return nil, err
		}
	}
}

// ownThreads returns the threads of this process.
func ownThreads() (tids []int, err error) {
	tasks, err := os.ReadDir("/proc/self/task")
	for _, task := range tasks {
		tid, err := strconv.Atoi(task.Name())
		if err != nil {
			return nil, err
		}
		tids = append(tids, tid)
	}
	return tids, err
}

// add opens counters for a thread, unless it has ended.
func (c *counters) add(tid int) error {
	for i, e := range c.events {
		fd, err := e.open(tid)
		if errors.Is(err, unix.ESRCH) {
			return nil
		}
		if err != nil {
			return err
		}
		c.fds[i] = append(c.fds[i], fd)
	}
	return nil
}

// enable turns all counters on or off.
func (c *counters) enable(on bool) {
	request := uint(unix.PERF_EVENT_IOC_DISABLE)
	if on {
		request = unix.PERF_EVENT_IOC_ENABLE
	}
	for _, fds := range c.fds {
		for _, fd := range fds {
			unix.IoctlSetInt(fd, request, 0) // it cannot fail for an open counter
		}
	}
}

// read returns how often each event was seen. An event that was not counted all the
// time, because there are more events than the CPU has counters, is scaled up; one that
// was never counted is left out.
func (c *counters) read() []results.Value {
	var all []results.Value
	for i, e := range c.events {
		total, counted := 0.0, false
		for _, fd := range c.fds[i] {
			var b [24]byte
			if n, err := unix.Read(fd, b[:]); err != nil || n != len(b) {
				continue
			}
			v, ok := scaled(binary.NativeEndian.Uint64(b[:]), binary.NativeEndian.Uint64(b[8:]), binary.NativeEndian.Uint64(b[16:]))
			total += v
			counted = counted || ok
		}
		if counted {
			all = append(all, results.Value{Unit: e.unit, Value: total})
		}
	}
	return all
}

// scaled returns what a count would have been if the counter had run all the time
// that it was on. ok is false if it never ran.
func scaled(count, enabled, running uint64) (v float64, ok bool) {
	if running == 0 {
		return 0, false
	}
	return float64(count) * float64(enabled) / float64(running), true
}

func (c *counters) close() {
	for _, fds := range c.fds {
		for _, fd := range fds {
			unix.Close(fd)
		}
	}
}
