package harness

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// An observer is a mutex that notes which CPUs its users may use.
type observer struct {
	sync.Mutex
	seen map[unix.CPUSet]bool
}

func (l *observer) Lock() {
	l.Mutex.Lock()
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) == nil {
		l.seen[set] = true
	}
}

func TestThreadAffinity(t *testing.T) {
	before := threadCPUs(t)
	l := &observer{seen: make(map[unix.CPUSet]bool)}
	s := quick(Subject{Name: "observer", New: func() sync.Locker { return l }})
	s.Mode, s.Workers = Thread, 5
	if _, err := Run(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	for set := range l.seen {
		if set.Count() != 1 {
			t.Errorf("a worker was free to use %d CPUs, want 1", set.Count())
		}
	}
	if want := min(2, runtime.NumCPU()); len(l.seen) != want {
		t.Errorf("workers were on %d CPUs, want %d", len(l.seen), want)
	}
	for cpus := range threadCPUs(t) {
		if !before[cpus] {
			t.Errorf("a thread is left with CPUs %s, want one of %v", cpus, before)
		}
	}
}

func TestOnCPU(t *testing.T) {
	allowed, err := allowedCPUs()
	if err != nil {
		t.Fatal(err)
	}
	for _, cpu := range allowed {
		var set unix.CPUSet
		err := OnCPU(cpu, func() { unix.SchedGetaffinity(0, &set) })
		if err != nil || set.Count() != 1 || !set.IsSet(cpu) {
			t.Errorf("on CPU %d: free to use %d CPUs, error %v", cpu, set.Count(), err)
		}
	}
	if err := OnCPU(1<<10-1, func() { t.Error("called") }); err == nil {
		t.Error("on a CPU that is not there: no error")
	}
}

// threadCPUs returns which CPUs the threads of the process may use.
func threadCPUs(t *testing.T) map[string]bool {
	files, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(files) == 0 {
		t.Skip("no /proc")
	}
	all := make(map[string]bool)
	for _, name := range files {
		status, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, cpus, _ := strings.Cut(string(status), "Cpus_allowed_list:")
		cpus, _, _ = strings.Cut(cpus, "\n")
		all[strings.TrimSpace(cpus)] = true
	}
	return all
}
