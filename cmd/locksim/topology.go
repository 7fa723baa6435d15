package main

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/sim"
)

// A shape is what a machine is made of, as far as the process may use it.
type shape struct {
	threads, cores, clusters, sockets int // as of a sim.Machine

	pairs   map[sim.Distance][2]int // two CPUs by how far they are from each other
	assumed []string                // what the kernel does not tell, in words
}

// A where says where a CPU is: CPUs that agree on a field share that.
type where struct{ socket, cluster, core string }

// shapeOf returns the shape of a machine of these CPUs, whose sysfs has system in
// devices/system.
func shapeOf(system fs.FS, cpus []int) shape {
	s := shape{threads: 1, cores: len(cpus), clusters: 1, sockets: 1, pairs: make(map[sim.Distance][2]int)}
	assume := func(what string) { s.assumed = append(s.assumed, what) }
	var all []where
	caches, sockets := true, true
	for _, cpu := range cpus {
		read := func(file string) string {
			text, _ := fs.ReadFile(system, fmt.Sprintf("cpu/cpu%d/%s", cpu, file))
			return strings.TrimSpace(string(text))
		}
		var w where
		if w.socket = read("topology/physical_package_id"); w.socket == "" {
			sockets, w.socket = false, "0"
		}
		cache := lastCache(read)
		if cache == "" {
			caches = false
		}
		w.cluster = w.socket + "/" + cache
		w.core = w.cluster + "/" + read("topology/thread_siblings_list")
		if strings.HasSuffix(w.core, "/") {
			w.core += fmt.Sprint(cpu)
		}
		all = append(all, w)
	}
	if !sockets {
		assume("all CPUs are in one socket")
	}
	if !caches {
		assume("those of a socket share the last-level cache")
	}
	for j, b := range all {
		for i, a := range all[:j] {
			d := sim.Remote
			switch {
			case a.core == b.core:
				d = sim.Sibling
			case a.cluster == b.cluster:
				d = sim.Cluster
			case a.socket == b.socket:
				d = sim.Socket
			}
			if _, ok := s.pairs[d]; !ok {
				s.pairs[d] = [2]int{cpus[i], cpus[j]}
			}
		}
	}
	threads, ok1 := even(all, func(w where) (string, string) { return w.core, "" })
	cores, ok2 := even(all, func(w where) (string, string) { return w.cluster, w.core })
	clusters, ok3 := even(all, func(w where) (string, string) { return w.socket, w.cluster })
	inAll, _ := even(all, func(w where) (string, string) { return "", w.socket })
	if !ok1 || !ok2 || !ok3 {
		assume("all CPUs are as near to each other as the nearest two, since their cores, clusters or sockets are not of one size")
		for d := sim.Sibling; int(d) < sim.Distances; d++ {
			if pair, ok := s.pairs[d]; ok {
				s.pairs = map[sim.Distance][2]int{sim.Cluster: pair}
				break
			}
		}
		return s
	}
	s.threads, s.cores, s.clusters, s.sockets = threads, cores, clusters, inAll
	return s
}

// lastCache returns which CPUs share the last-level cache of a CPU, or "" if the kernel does
// not tell.
func lastCache(read func(file string) string) (shared string) {
	last := 1
	for i := range 10 {
		level, err := strconv.Atoi(read(fmt.Sprintf("cache/index%d/level", i)))
		if err == nil && level > last {
			last, shared = level, read(fmt.Sprintf("cache/index%d/shared_cpu_list", i))
		}
	}
	return shared
}

// even returns how many parts each group has, if they all have as many. A part without a
// name is one of its own.
func even(all []where, of func(where) (group, part string)) (n int, ok bool) {
	parts := make(map[string]map[string]bool)
	for i, w := range all {
		group, part := of(w)
		if parts[group] == nil {
			parts[group] = make(map[string]bool)
		}
		if part == "" {
			part = fmt.Sprint(i)
		}
		parts[group][part] = true
	}
	for _, p := range parts {
		if n == 0 {
			n = len(p)
		}
		if len(p) != n {
			return 0, false
		}
	}
	return n, true
}
