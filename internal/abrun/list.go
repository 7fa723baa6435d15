package abrun

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/results/gate"
)

// buildFirst builds one binary of each package on each side.
func (s *Source) buildFirst(ctx context.Context) error {
	var links []*link
	for _, p := range s.pkgs {
		for i, side := range p.sides {
			if side != nil {
				links = append(links, &link{p: p, tree: s.trees[i]})
			}
		}
	}
	if err := s.build(ctx, links); err != nil {
		return err
	}
	for _, l := range links {
		l.p.sides[which(l.tree.side)].first = l.made
	}
	return nil
}

// A listing is what one iteration of each benchmark of a package printed.
type listing struct {
	lines   []line
	skipped []string // with the number of CPUs
}

// listAll runs one iteration of every benchmark on both sides, and sorts them
// into those that both have and those that one has.
func (s *Source) listAll(ctx context.Context) error {
	var wrong error
	type seen struct {
		p     *pkg
		cpu   int
		sides [2]bool
	}
	all := make(map[gate.Benchmark]*seen)
	names := make(map[gate.Benchmark]string) // without the CPUs
	var order []gate.Benchmark
	for _, p := range s.pkgs {
		for _, cpu := range s.c.CPU {
			var skipped []string
			var lists [2]listing
			for i := range p.sides {
				if p.sides[i] == nil {
					continue
				}
				l, err := s.listOne(ctx, p, i, cpu)
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				wrong = errors.Join(wrong, err)
				lists[i] = l
				for _, name := range l.skipped {
					s.warn("%v skips %v: left out", s.trees[i].side, gate.Benchmark{Pkg: p.path(), Name: name})
				}
				skipped = append(skipped, l.skipped...)
			}
			for i := range lists {
				for _, l := range lists[i].lines {
					name, ok := l.name, true
					if cpu > 1 {
						name, ok = strings.CutSuffix(l.name, suffixed("", cpu))
					}
					if !ok || isSkipped(l.name, skipped, cpu) {
						continue // something that a benchmark printed
					}
					b := gate.Benchmark{Pkg: p.path(), Name: l.name}
					a := all[b]
					if a == nil {
						a = &seen{p: p, cpu: cpu}
						all[b] = a
						names[b] = name
						order = append(order, b)
					}
					if a.cpu != cpu || a.sides[i] {
						wrong = errors.Join(wrong, fmt.Errorf("%v: %v is there twice", s.trees[i].side, b))
						continue
					}
					a.sides[i] = true
				}
			}
		}
	}
	if wrong != nil {
		return wrong
	}
	for _, b := range order {
		a := all[b]
		switch a.sides {
		case [2]bool{true, true}:
			s.both = append(s.both, b)
			s.cells[b] = &cell{Benchmark: b, p: a.p, name: names[b], cpu: a.cpu, timed: true}
		case [2]bool{true, false}:
			s.onlyBase = append(s.onlyBase, b)
		default:
			s.onlyHead = append(s.onlyHead, b)
		}
	}
	for _, b := range order {
		// An expression for a/b selects a/b/c as well.
		c := s.cells[b]
		if c == nil {
			continue
		}
		for other := range all {
			if other.Pkg == b.Pkg && strings.HasPrefix(names[other], c.name+"/") {
				c.skip = exactly("Benchmark"+c.name) + "/."
			}
		}
	}
	return nil
}

// isSkipped reports whether a benchmark, or one that it is part of, was skipped.
func isSkipped(name string, skipped []string, cpu int) bool {
	bare := func(name string) string {
		if cpu > 1 {
			return strings.TrimSuffix(name, suffixed("", cpu))
		}
		return name
	}
	name = bare(name)
	return slices.ContainsFunc(skipped, func(s string) bool {
		s = bare(s)
		return name == s || strings.HasPrefix(name, s+"/")
	})
}

var (
	running = regexp.MustCompile(`(?m)^Benchmark(\S+)$`)
	failed  = regexp.MustCompile(`(?m)^\s*--- FAIL: Benchmark(\S+)`)
	skipped = regexp.MustCompile(`(?m)^\s*--- SKIP: Benchmark(\S+)`)
)

// listOne runs one iteration of each benchmark of a package. With -test.v, it
// is known which one runs when the binary panics.
func (s *Source) listOne(ctx context.Context, p *pkg, i, cpu int) (listing, error) {
	side := s.trees[i].side
	o, err := s.exec(ctx, job{side: side, p: p, b: p.sides[i].first, bench: s.c.Bench, cpu: cpu, n: 1, verbose: true})
	if ctx.Err() != nil {
		return listing{}, context.Cause(ctx)
	}
	if f := (*failure)(nil); errors.As(err, &f) {
		var wrong error
		all := failed.FindAllSubmatchIndex(f.stdout, -1)
		for k, m := range all {
			name := string(f.stdout[m[2]:m[3]])
			if k > 0 && strings.HasPrefix(string(f.stdout[all[k-1][2]:all[k-1][3]]), name+"/") {
				continue // a part of it failed, which is said
			}
			b := gate.Benchmark{Pkg: p.path(), Name: name}
			wrong = errors.Join(wrong, &RunError{side, b, errors.New("it failed"), lastBlock(f.stdout[:m[1]])})
		}
		if wrong != nil {
			return listing{}, wrong
		}
		b := gate.Benchmark{Pkg: p.path()}
		if all := running.FindAllSubmatch(f.stdout, -1); len(all) > 0 {
			b.Name = string(all[len(all)-1][1])
		}
		return listing{}, explain(err, side, b)
	}
	if err != nil {
		return listing{}, err
	}
	lines, units := parse(o.stdout)
	for unit, better := range units {
		b := 0
		switch better {
		case "higher":
			b = +1
		case "lower":
			b = -1
		}
		if have, ok := s.units[unit]; ok && have != b {
			s.warn("unit %s is said to be better=higher and better=lower: taken as neither", unit)
			b = 0
		}
		s.units[unit] = b
	}
	l := listing{lines: lines}
	for _, m := range skipped.FindAllSubmatch(o.stdout, -1) {
		l.skipped = append(l.skipped, string(m[1]))
	}
	var wrong error
	for _, name := range s.silent(o.stdout, l, cpu) {
		b := gate.Benchmark{Pkg: p.path(), Name: name}
		wrong = errors.Join(wrong, explain(&failure{err: errors.New("it printed no result that can be read"), stdout: o.stdout}, side, b))
	}
	return l, wrong
}

// lastBlock returns the last lines, from where a benchmark began.
func lastBlock(text []byte) string {
	const most = 30
	lines := strings.Split(string(text), "\n")
	lines = lines[max(0, len(lines)-most):]
	for i := len(lines) - 1; i > 0; i-- {
		if strings.HasPrefix(lines[i], "Benchmark") {
			lines = lines[i+1:]
			break
		}
	}
	return strings.Join(lines, "\n")
}

// silent returns the benchmarks that were begun and printed no result that can
// be read, though nothing explains it.
func (s *Source) silent(out []byte, l listing, cpu int) (names []string) {
	deepest := 0
	for _, elements := range splitBench(s.c.Bench) {
		deepest = max(deepest, len(elements))
	}
	begun := running.FindAllSubmatch(out, -1)
	for k, m := range begun {
		name := string(m[1])
		switch {
		case strings.Count(name, "/")+1 < deepest: // perhaps only to look for what is below it
		case k+1 < len(begun) && strings.HasPrefix(string(begun[k+1][1]), name+"/"): // its parts have
		case isSkipped(name, l.skipped, cpu):
		case slices.ContainsFunc(l.lines, func(l line) bool { return l.name == suffixed(name, cpu) }):
		default:
			names = append(names, name)
		}
	}
	return names
}
