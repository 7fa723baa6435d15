package harness

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// A Place says which CPUs the workers run on, in [Thread] mode: the i'th worker on the
// i'th CPU of the place's order, i modulo [Scenario.CPUs].
//
// It is one of the words below, or CPU numbers with commas between them. The zero
// Place is the order of the CPUs' numbers.
type Place string

const (
	Compact Place = "compact" // as close together as possible: the CPUs of a core, then of a package, then of a node
	Scatter Place = "scatter" // as far apart as possible: nodes in turn, and a core's second CPU when each core has its first
	SMT     Place = "smt"     // as Compact, but only on cores that have several CPUs
	NUMA    Place = "numa"    // as Scatter, but only if there are several nodes
)

var placeWords = []Place{Compact, Scatter, SMT, NUMA}

// ParsePlace returns the place that text names, a word or CPU numbers, between
// which there may be commas and spaces, and ranges such as 0-3.
func ParsePlace(text string) (Place, error) {
	if slices.Contains(placeWords, Place(text)) {
		return Place(text), nil
	}
	cpus, err := parseCPUs(text)
	if err != nil {
		return "", err
	}
	var numbers []string
	for i, cpu := range cpus {
		if slices.Contains(cpus[:i], cpu) {
			return "", fmt.Errorf("CPU %d: given twice", cpu)
		}
		numbers = append(numbers, strconv.Itoa(cpu))
	}
	return Place(strings.Join(numbers, ",")), nil
}

// parseCPUs parses a list of CPUs as the kernel writes it, such as 0-3,8.
func parseCPUs(text string) (cpus []int, err error) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' || r == '\r' })
	if len(fields) == 0 {
		return nil, fmt.Errorf("want CPU numbers such as 0,2 or 0-3, have %q", text)
	}
	for _, f := range fields {
		first, last, ranged := strings.Cut(f, "-")
		lo, err := strconv.Atoi(first)
		hi := lo
		if err == nil && ranged {
			hi, err = strconv.Atoi(last)
		}
		if err != nil || lo < 0 || hi < lo || hi > 1<<16 {
			return nil, fmt.Errorf("want CPU numbers such as 0,2 or 0-3, have %q", f)
		}
		for cpu := lo; cpu <= hi; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// Order returns the CPUs of p in the order of the workers, among those of this machine
// that the process may use. It is nil for the zero Place. The error says what the
// machine lacks.
func (p Place) Order() ([]int, error) {
	if p == "" {
		return nil, nil
	}
	if order, ok := orders.Load(p); ok {
		return order.([]int), nil
	}
	allowed, err := allowedCPUs()
	if err != nil {
		return nil, fmt.Errorf("place %s: %w", p, err)
	}
	order, err := p.order(os.DirFS("/sys/devices/system"), allowed)
	if err == nil {
		orders.Store(p, order)
	}
	return order, err
}

// orders has the order of each place that was asked for: sweeps ask for the same one
// many times. It is about the host alone, so no engine need know of it.
var orders sync.Map

// order is Order on a machine whose sysfs has system in devices/system.
func (p Place) order(system fs.FS, allowed []int) ([]int, error) {
	if !slices.Contains(placeWords, p) {
		cpus, err := parseCPUs(string(p))
		for _, cpu := range cpus {
			if !slices.Contains(allowed, cpu) {
				err = errors.Join(err, fmt.Errorf("place %s: CPU %d: want one that this process may use, of %v", p, cpu, allowed))
			}
		}
		return cpus, err
	}
	cpus, err := topology(system, allowed)
	if err != nil {
		return nil, fmt.Errorf("place %s: %w", p, err)
	}
	nodes := make(map[int]bool)
	for _, c := range cpus {
		nodes[c.node] = true
	}
	switch p {
	case SMT:
		siblings := make(map[core]int)
		for _, c := range cpus {
			siblings[c.core]++
		}
		n := len(cpus)
		cpus = slices.DeleteFunc(cpus, func(c cpu) bool { return siblings[c.core] < 2 })
		if len(cpus) == 0 {
			return nil, fmt.Errorf("place smt: want CPUs that share a core, have %d on as many cores", n)
		}
	case NUMA:
		if len(nodes) < 2 {
			return nil, fmt.Errorf("place numa: want several nodes, have all %d CPUs on one", len(cpus))
		}
	}
	slices.SortFunc(cpus, cpu.compact)
	if p == Scatter || p == NUMA {
		scatter(cpus)
	}
	var order []int
	for _, c := range cpus {
		order = append(order, c.number)
	}
	return order, nil
}

// A core is where a CPU is: CPUs of one core share it.
type core struct{ node, pack, number int }

type cpu struct {
	core
	number int
}

// compact orders CPUs so that those which are close come next to each other.
func (c cpu) compact(d cpu) int {
	return cmp.Or(cmp.Compare(c.node, d.node), cmp.Compare(c.pack, d.pack), cmp.Compare(c.core.number, d.core.number), cmp.Compare(c.number, d.number))
}

// scatter orders CPUs, which are in compact order, so that those which are far apart
// come next to each other: the first CPU of each core before the second one of any, and
// among these one of each package before another of the same package.
func scatter(cpus []cpu) {
	type turn struct{ sibling, core int }
	turns := make(map[cpu]turn)
	siblings := make(map[core]int)
	cores := make(map[[2]int]int) // how many CPUs of each package so far
	number := make(map[core]int)
	for _, c := range cpus {
		if siblings[c.core] == 0 {
			number[c.core] = cores[[2]int{c.node, c.pack}]
			cores[[2]int{c.node, c.pack}]++
		}
		turns[c] = turn{siblings[c.core], number[c.core]}
		siblings[c.core]++
	}
	slices.SortStableFunc(cpus, func(a, b cpu) int {
		s, t := turns[a], turns[b]
		return cmp.Or(cmp.Compare(s.sibling, t.sibling), cmp.Compare(s.core, t.core))
	})
}

// CountCPUs returns how many CPUs this process may use, and on how many cores, packages
// (sockets) and NUMA nodes they are. The error says why that is not known.
func CountCPUs() (cpus, cores, packages, nodes int, err error) {
	allowed, err := allowedCPUs()
	if err != nil {
		return 0, 0, 0, 0, err
	}
	return countCPUs(os.DirFS("/sys/devices/system"), allowed)
}

// countCPUs is CountCPUs on a machine whose sysfs has system in devices/system.
func countCPUs(system fs.FS, allowed []int) (cpus, cores, packages, nodes int, err error) {
	all, err := topology(system, allowed)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	of := make(map[core]bool)
	in := make(map[int]bool)
	on := make(map[int]bool)
	for _, c := range all {
		of[c.core], in[c.pack], on[c.node] = true, true, true
	}
	return len(all), len(of), len(in), len(on), nil
}

// topology returns where CPUs are, according to sysfs.
func topology(system fs.FS, allowed []int) ([]cpu, error) {
	node := make(map[int]int)
	lists, err := fs.Glob(system, "node/node[0-9]*/cpulist")
	if err != nil {
		return nil, err
	}
	for _, list := range lists { // none if the kernel knows no nodes
		n, err := strconv.Atoi(strings.TrimPrefix(path.Base(path.Dir(list)), "node"))
		if err != nil {
			continue
		}
		text, err := fs.ReadFile(system, list)
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(string(text)) == "" {
			continue // memory without CPUs
		}
		of, err := parseCPUs(string(text))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", list, err)
		}
		for _, c := range of {
			node[c] = n
		}
	}
	var cpus []cpu
	for _, n := range allowed {
		c := cpu{number: n, core: core{node: node[n]}}
		for name, to := range map[string]*int{"core_id": &c.core.number, "physical_package_id": &c.pack} {
			file := fmt.Sprintf("cpu/cpu%d/topology/%s", n, name)
			text, err := fs.ReadFile(system, file)
			if err != nil {
				return nil, fmt.Errorf("where CPU %d is, sysfs does not say: %w", n, err)
			}
			if *to, err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
				return nil, fmt.Errorf("%s: want a number, have %q", file, text)
			}
		}
		cpus = append(cpus, c)
	}
	return cpus, nil
}
