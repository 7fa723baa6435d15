package harness

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/results"
)

// A machine without counters in the CPU still has the kernel's: the page faults of all
// threads are counted, whether the threads existed before the counters or were made
// meanwhile, and none from before or after.
func TestCounters(t *testing.T) {
	faults := kernelEvent{"page-faults/op", unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_PAGE_FAULTS}
	if err := faults.try(); err != nil {
		t.Skip(err)
	}
	begin, ready, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() { // a thread that exists
		runtime.LockOSThread() // which ends with the goroutine
		close(ready)
		<-begin
		fault(t, 1000)
		done <- struct{}{}
	}()
	<-ready
	threads, err := ownThreads()
	if err != nil {
		t.Fatal(err)
	}
	made := len(threads) + 2 // more than the idle threads
	c, err := openCounters([]kernelEvent{faults})
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	fault(t, 5000)
	outer := pageFaults(t)
	c.enable(true)
	inner := pageFaults(t)
	close(begin)
	var together sync.WaitGroup
	together.Add(made)
	for range made { // threads that are made while it counts
		go func() {
			runtime.LockOSThread()
			together.Done()
			together.Wait()
			fault(t, 1000)
			done <- struct{}{}
		}()
	}
	for range 1 + made {
		<-done
	}
	innerEnd := pageFaults(t)
	c.enable(false)
	outerEnd := pageFaults(t)
	fault(t, 5000)
	counted := c.read()
	const retried = 2000 // faults that the counter has twice and the process once are fewer
	if len(counted) != 1 || counted[0].Value < float64(innerEnd-inner) || counted[0].Value > float64(outerEnd-outer+retried) {
		t.Errorf("counted %v, the process had %d page faults, and %d while counters were turned on and off", counted, innerEnd-inner, outerEnd-outer)
	}
	if n := innerEnd - inner; n < int64(1000*made) {
		t.Errorf("%d page faults, want at least 1000 of each of %d threads", n, made)
	}
}

// fault causes n page faults.
func fault(t *testing.T, n int) {
	memory, err := unix.Mmap(-1, 0, n*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Error(err)
		return
	}
	if err := unix.Madvise(memory, unix.MADV_NOHUGEPAGE); err != nil && !errors.Is(err, unix.EINVAL) { // the kernel may have no huge pages
		t.Error(err)
	}
	for i := 0; i < len(memory); i += os.Getpagesize() {
		memory[i] = 1
	}
	if err := unix.Munmap(memory); err != nil {
		t.Error(err)
	}
}

// pageFaults returns how many page faults the process has had.
func pageFaults(t *testing.T) int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return int64(u.Minflt + u.Majflt)
}

// A sample has what can be counted, per operation, if it is asked for, and otherwise
// not.
func TestSampleHasCounters(t *testing.T) {
	can, err := countable()
	if err != nil {
		t.Skip(err)
	}
	s := quick(Subject{Name: "mutex", New: func() sync.Locker { return new(sync.Mutex) }})
	without, err := Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	s.Counters = true
	with, err := Run(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range can {
		if _, ok := without.Value(e.unit); ok {
			t.Errorf("%s was not asked for, and is there", e.unit)
		}
		if v, ok := with.Value(e.unit); !ok && e.kind == unix.PERF_TYPE_SOFTWARE || v < 0 {
			t.Errorf("%s: %v, %t, want a number", e.unit, v, ok)
		}
	}
	known := make(map[string]bool)
	for _, u := range results.Units() {
		known[u.Name] = u.Better < 0
	}
	for _, c := range Counters() {
		if !known[c.Unit] {
			t.Errorf("%s is not a unit in which less is better", c.Unit)
		}
	}
}

func TestScaled(t *testing.T) {
	for _, test := range []struct {
		count, enabled, running uint64
		want                    float64
		ok                      bool
	}{
		{1000, 50, 50, 1000, true},
		{1000, 100, 25, 4000, true}, // a quarter of the time
		{0, 100, 0, 0, false},       // never
		{0, 100, 100, 0, true},
	} {
		if got, ok := scaled(test.count, test.enabled, test.running); got != test.want || ok != test.ok {
			t.Errorf("%d counted in %d of %d: %v, %t, want %v, %t", test.count, test.running, test.enabled, got, ok, test.want, test.ok)
		}
	}
}

func TestWhyNotCounted(t *testing.T) {
	cycles := kernelEvent{"cycles/op", unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_CPU_CYCLES}
	switches := kernelEvent{"ctx-switches/op", unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_CONTEXT_SWITCHES}
	for _, test := range []struct {
		kernelEvent
		err      error
		paranoid string
		want     string
	}{
		{cycles, unix.ENOENT, "2", "this machine has no such counter"},
		{cycles, unix.EOPNOTSUPP, "2", "this machine has no such counter"},
		{cycles, unix.ENOSYS, "", "this kernel has no perf_event_open"},
		{cycles, unix.EACCES, "4", "kernel.perf_event_paranoid is 4, want at most 2"},
		{switches, unix.EACCES, "2", "kernel.perf_event_paranoid is 2, want at most 1"},
		{cycles, unix.EPERM, "2", "a container forbids it, perhaps"},
		{cycles, unix.EMFILE, "2", "too many open files"},
	} {
		if got := test.explain(test.err, test.paranoid).Error(); !strings.Contains(got, test.want) {
			t.Errorf("%s: %v, paranoid %s: %q, want %q", test.unit, test.err, test.paranoid, got, test.want)
		}
	}
}

func TestTransfers(t *testing.T) {
	for _, test := range []struct{ vendor, family, pmu, want string }{
		{"GenuineIntel", "6", "skylake\n", "hitm/op"},
		{"GenuineIntel", "6", "sapphire_rapids\n", "hitm/op"},
		{"GenuineIntel", "6", "", ""}, // two kinds of cores, or a guest
		{"AuthenticAMD", "25", "", "cache-fills/op"},
		{"AuthenticAMD", "23", "", ""},
		{"", "", "", ""},
	} {
		cpuinfo := "processor\t: 0\nvendor_id\t: " + test.vendor + "\ncpu family\t: " + test.family + "\n\nprocessor\t: 1\nvendor_id\t: Other\n"
		got := ""
		for _, e := range transfers(cpuinfo, test.pmu) {
			got += e.unit
		}
		if got != test.want {
			t.Errorf("%s %s, PMU %q: %q, want %q", test.vendor, test.family, test.pmu, got, test.want)
		}
	}
}
