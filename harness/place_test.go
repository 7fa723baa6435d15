package harness

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

// made returns the sysfs of a machine with nodes, packages per node, cores per package
// and CPUs per core. As on real ones, the first CPU of all cores come before the second
// of any.
func made(nodes, packs, cores, smt int) (system fstest.MapFS, all []int) {
	system = make(fstest.MapFS)
	put := func(name string, v any) { system[name] = &fstest.MapFile{Data: []byte(fmt.Sprintln(v))} }
	lists := make(map[int][]string)
	n := 0
	for range smt {
		for node := range nodes {
			for pack := range packs {
				for c := range cores {
					dir := fmt.Sprintf("cpu/cpu%d/topology/", n)
					put(dir+"core_id", c*4) // with gaps, as they are
					put(dir+"physical_package_id", node*packs+pack)
					lists[node] = append(lists[node], fmt.Sprint(n))
					all = append(all, n)
					n++
				}
			}
		}
	}
	for node, list := range lists {
		put(fmt.Sprintf("node/node%d/cpulist", node), strings.Join(list, ","))
	}
	return system, all
}

func TestPlaceOrder(t *testing.T) {
	for _, test := range []struct {
		nodes, packs, cores, smt int
		place                    Place
		want                     []int
		err                      string
	}{
		{1, 1, 2, 1, Compact, []int{0, 1}, ""},
		{1, 1, 2, 1, Scatter, []int{0, 1}, ""},
		{1, 1, 2, 1, SMT, nil, "place smt: want CPUs that share a core, have 2 on as many cores"},
		{1, 1, 2, 1, NUMA, nil, "place numa: want several nodes, have all 2 CPUs on one"},
		{1, 1, 2, 2, Compact, []int{0, 2, 1, 3}, ""},
		{1, 1, 2, 2, Scatter, []int{0, 1, 2, 3}, ""},
		{1, 1, 2, 2, SMT, []int{0, 2, 1, 3}, ""},
		{2, 1, 2, 2, Compact, []int{0, 4, 1, 5, 2, 6, 3, 7}, ""},
		{2, 1, 2, 2, Scatter, []int{0, 2, 1, 3, 4, 6, 5, 7}, ""},
		{2, 1, 2, 2, NUMA, []int{0, 2, 1, 3, 4, 6, 5, 7}, ""},
		{1, 2, 2, 1, Compact, []int{0, 1, 2, 3}, ""},
		{1, 2, 2, 1, Scatter, []int{0, 2, 1, 3}, ""},
		{1, 1, 4, 1, "3,1", []int{3, 1}, ""},
		{1, 1, 2, 1, "1,7,9", nil, "place 1,7,9: CPU 7: want one that this process may use, of [0 1]\nplace 1,7,9: CPU 9: want one that this process may use, of [0 1]"},
	} {
		system, all := made(test.nodes, test.packs, test.cores, test.smt)
		got, err := test.place.order(system, all)
		text := ""
		if err != nil {
			text, got = err.Error(), nil
		}
		if !slices.Equal(got, test.want) || text != test.err {
			t.Errorf("%s on %d nodes × %d packages × %d cores × %d: %v, %q, want %v, %q",
				test.place, test.nodes, test.packs, test.cores, test.smt, got, text, test.want, test.err)
		}
	}
	// Only the CPUs that the process may use count.
	system, _ := made(1, 1, 2, 2)
	if got, err := Compact.order(system, []int{1, 2, 3}); err != nil || !slices.Equal(got, []int{2, 1, 3}) {
		t.Errorf("compact of 1, 2 and 3: %v, %v, want [2 1 3]", got, err)
	}
	if got, err := SMT.order(system, []int{1, 2, 3}); err != nil || !slices.Equal(got, []int{1, 3}) {
		t.Errorf("smt of 1, 2 and 3: %v, %v, want [1 3]", got, err)
	}
	for what, bend := range map[string]func(){
		"sysfs does not say": func() { delete(system, "cpu/cpu1/topology/core_id") },
		"want a number":      func() { system["cpu/cpu1/topology/core_id"] = &fstest.MapFile{Data: []byte("x\n")} },
		"have \"y\"":         func() { system["node/node0/cpulist"] = &fstest.MapFile{Data: []byte("y\n")} },
	} {
		system, _ = made(1, 1, 2, 2)
		bend()
		if _, err := Compact.order(system, []int{0, 1}); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("compact on a broken sysfs: %v, want %q", err, what)
		}
	}
}

func TestCountCPUs(t *testing.T) {
	for _, test := range []struct{ nodes, packs, cores, smt int }{{1, 1, 2, 1}, {1, 2, 4, 2}, {2, 1, 3, 2}, {4, 2, 1, 1}} {
		system, all := made(test.nodes, test.packs, test.cores, test.smt)
		cpus, cores, packages, nodes, err := countCPUs(system, all)
		got := []int{cpus, cores, packages, nodes}
		packs := test.nodes * test.packs
		if want := []int{packs * test.cores * test.smt, packs * test.cores, packs, test.nodes}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v: CPUs, cores, packages, nodes: %v, %v, want %v", test, got, err, want)
		}
		if cpus, cores, _, _, err := countCPUs(system, all[:1]); err != nil || cpus != 1 || cores != 1 {
			t.Errorf("%+v, allowed one: %d CPUs, %d cores, %v, want 1 and 1", test, cpus, cores, err)
		}
	}
	if _, _, _, _, err := countCPUs(fstest.MapFS{}, []int{0}); err == nil {
		t.Error("no sysfs: no error")
	}
}

func TestParsePlace(t *testing.T) {
	for text, want := range map[string]Place{"compact": Compact, "numa": NUMA, "0 2\n": "0,2", "3,0-2": "3,0,1,2", "5": "5"} {
		if got, err := ParsePlace(text); got != want || err != nil {
			t.Errorf("ParsePlace(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{"": "have \"\"", "near": "have \"near\"", "0,0": "CPU 0: given twice", "3-1": "have \"3-1\"", "-1": "have \"-1\"", "0-99999999": "have"} {
		if got, err := ParsePlace(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParsePlace(%q) = %q, %v, want an error: %s", text, got, err, want)
		}
	}
}

// Places are for threads; other modes are left out, and reported as left out.
func TestSweepPlaces(t *testing.T) {
	if !hasAffinity {
		t.Skip("threads cannot be bound to CPUs on " + runtime.GOOS)
	}
	allowed, err := allowedCPUs()
	if err != nil {
		t.Fatal(err)
	}
	last := Place(fmt.Sprint(allowed[len(allowed)-1]))
	s := smallSweep()
	s.CPUs, s.Reads = []int{1}, []int{0}
	s.Modes, s.Places = []Mode{Goroutine, Thread}, []Place{last}
	for _, c := range s.Scenarios() {
		if c.Mode != Thread || c.Cell().Place != string(last) {
			t.Errorf("scenario %v, want threads alone, on CPU %s", c.Cell(), last)
		}
	}
	if want := []LeftOut{{Why: fmt.Sprintf("place %s: is for threads, want mode thread", last)}}; !reflect.DeepEqual(s.LeftOut(), want) {
		t.Errorf("left out %v, want %v", s.LeftOut(), want)
	}
	s.CPUs = []int{2}
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "want at least 2 CPUs, have 1") {
		t.Errorf("two CPUs on one: %v", err)
	}
	s.Places = []Place{"65000"}
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "CPU 65000: want one that this process may use") {
		t.Errorf("a CPU that there is not: %v", err)
	}
}

// Workers run where the place says.
func TestPlacedWorkers(t *testing.T) {
	if !hasAffinity {
		t.Skip("threads cannot be bound to CPUs on " + runtime.GOOS)
	}
	allowed, err := allowedCPUs()
	if err != nil {
		t.Fatal(err)
	}
	want := allowed[len(allowed)-1]
	var mu sync.Mutex
	seen := make(map[int]bool)
	s := quick(Subject{Name: "placed", New: func() sync.Locker { return &placed{mu: &mu, seen: seen} }})
	s.CPUs, s.Workers, s.Mode, s.Place = 1, 2, Thread, Place(fmt.Sprint(want))
	if _, err := Run(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(seen, map[int]bool{want: true}) {
		t.Errorf("workers were on CPUs %v, want %d", seen, want)
	}
}

// A placed is a mutex that notes to which CPU its holder is bound.
type placed struct {
	mu   *sync.Mutex
	seen map[int]bool
}

func (l *placed) Lock() {
	l.mu.Lock()
	if cpus, err := allowedCPUs(); err == nil && len(cpus) == 1 {
		l.seen[cpus[0]] = true
	}
}
func (l *placed) Unlock() { l.mu.Unlock() }
