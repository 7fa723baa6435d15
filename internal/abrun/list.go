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
		for _, m := range failed.FindAllSubmatchIndex(f.stdout, -1) {
			b := gate.Benchmark{Pkg: p.path(), Name: string(f.stdout[m[2]:m[3]])}
			wrong = errors.Join(wrong, &RunError{side, b, errors.New("it failed"), block(f.stdout[m[0]:])})
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
	return l, nil
}

// block returns the first line and the indented ones below it.
func block(text []byte) string {
	lines := strings.Split(string(text), "\n")
	n := 1
	for n < len(lines) && n < 30 && strings.HasPrefix(lines[n], " ") {
		n++
	}
	return strings.Join(lines[:n], "\n")
}
