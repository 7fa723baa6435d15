package measure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// A listing is what one iteration of each benchmark of a package printed.
type listing struct {
	lines   []line
	skipped []string    // with the number of CPUs
	failed  []*RunError // without a name, the whole package failed
}

// seen says what both sides have of a benchmark.
type seen struct {
	p      *pkg
	cpu    int
	name   string // without the number of CPUs
	has    [2]bool
	once   time.Duration // what an iteration took on the slower side
	twice  [2]bool       // two benchmarks have the name
	failed [2]*RunError
}

// listAll runs one iteration of every benchmark on both sides, and divides the
// benchmarks into those that both have and those that one has.
func (s *Source) listAll(ctx context.Context) error {
	all := make(map[gate.Benchmark]*seen)
	var order []gate.Benchmark
	meet := func(p *pkg, cpu int, name string) *seen {
		b := gate.Benchmark{Pkg: p.path()}
		if name != "" {
			b.Name = suffixed(name, cpu)
		}
		if name != "" && s.c.Ignore != nil && s.c.Ignore(b, false) {
			return nil
		}
		if all[b] == nil {
			all[b] = &seen{p: p, cpu: cpu, name: name}
			order = append(order, b)
		}
		return all[b]
	}
	for _, p := range s.pkgs {
		for _, run := range s.cpuRuns(p) {
			cpu := run.cpu
			var skipped []string
			var lists [2]listing
			for i := range p.sides {
				if p.sides[i] == nil {
					continue
				}
				l, err := s.listOne(ctx, p, i, run)
				if err != nil {
					return err
				}
				lists[i] = l
				for _, name := range l.skipped {
					s.warn("%v skips %v: left out", s.trees[i].side, gate.Benchmark{Pkg: p.path(), Name: name})
				}
				skipped = append(skipped, l.skipped...)
			}
			for i, l := range lists {
				for _, l := range l.lines {
					name, ok := l.name, true
					if cpu > 1 {
						name, ok = strings.CutSuffix(l.name, suffixed("", cpu))
					}
					if !ok || isSkipped(l.name, skipped, cpu) {
						continue // something that a benchmark printed
					}
					a := meet(p, cpu, name)
					switch {
					case a == nil:
					case a.cpu != cpu || a.has[i]:
						a.twice[i] = true
					default:
						a.has[i] = true
						if ns, ok := l.value("ns/op"); ok {
							a.once = max(a.once, time.Duration(ns))
						}
					}
				}
				for _, f := range l.failed {
					if a := meet(p, cpu, f.Benchmark.Name); a != nil {
						a.failed[i] = f
					}
				}
			}
		}
	}
	if err := s.agree(); err != nil {
		return err
	}
	spread(all, order)
	printed := ""
	for _, a := range all {
		for _, f := range a.failed {
			if f != nil {
				printed += f.Output + "\n"
			}
		}
	}
	if printed != "" {
		if left := s.leftOut(ctx, printed); left != "" {
			s.warn("%s", left)
		}
	}
	for _, b := range order {
		a := all[b]
		if a == nil {
			continue
		}
		base, head := a.has[0] || a.failed[0] != nil, a.has[1] || a.failed[1] != nil
		c := &cell{Benchmark: b, p: a.p, name: a.name, cpu: a.cpu, once: a.once, timed: true, failed: a.failure()}
		switch {
		case base && head || a.failed[1] != nil || a.twice[1] || b.Name == "":
			s.both = append(s.both, b)
			s.cells[b] = c
		case base:
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
		for other, a := range all {
			if other.Pkg == b.Pkg && strings.HasPrefix(a.name, c.name+"/") {
				c.skip = exactly("Benchmark"+c.name) + "/."
			}
		}
	}
	return nil
}

// spread makes a failure of a package, or of a benchmark with sub-benchmarks, the
// failure of all benchmarks in it that the other side has: nothing is known of them. It
// does so in order, so that if several failures could apply to one benchmark, the
// choice is always the same.
func spread(all map[gate.Benchmark]*seen, order []gate.Benchmark) {
	for _, b := range order {
		a := all[b]
		for i, f := range a.failed {
			if f == nil {
				continue
			}
			below := false
			for other, o := range all {
				if other != b && other.Pkg == b.Pkg && o.cpu == a.cpu && (a.name == "" || strings.HasPrefix(o.name, a.name+"/")) && !o.has[i] && o.has[1-i] {
					if o.failed[i] == nil {
						o.failed[i] = f
					}
					below = true
				}
			}
			if below && !a.has[1-i] && a.failed[1-i] == nil {
				delete(all, b)
			}
		}
	}
}

// failure says on which side a benchmark fails, nil if it does not. Two benchmarks with
// the same name count as a failure.
func (a *seen) failure() *gate.Failure {
	base, head := a.failed[0], a.failed[1]
	switch {
	case a.twice[0] && a.twice[1]:
		return &gate.Failure{Why: "two benchmarks have this name, on both sides"}
	case a.twice[1]:
		return &gate.Failure{Why: "two benchmarks of the head have this name"}
	case a.twice[0]:
		return &gate.Failure{Why: "two benchmarks of the base have this name"}
	case base != nil && head != nil:
		return &gate.Failure{Why: fmt.Sprintf("it fails on both sides: %v", head.Err), Output: head.Output}
	case head != nil && a.has[0]:
		return &gate.Failure{Why: fmt.Sprintf("it fails on the head, and runs on the base: %v", head.Err), Output: head.Output}
	case head != nil:
		return &gate.Failure{Why: fmt.Sprintf("the head alone has it, and it fails: %v", head.Err), Output: head.Output}
	case base != nil && a.has[1]:
		return &gate.Failure{Why: fmt.Sprintf("it fails on the base, and runs on the head, so there is nothing to compare it to: %v", base.Err), Output: base.Output}
	case base != nil:
		return &gate.Failure{Why: fmt.Sprintf("the base alone has it, and it fails: %v", base.Err), Output: base.Output}
	}
	return nil
}

// isSkipped reports whether a benchmark, or one above it, was skipped.
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

// listOne runs one iteration of each benchmark of a package. With -test.v it is known
// which one runs when the binary panics or hangs. A benchmark that fails is left out of
// the next run, so that the others can be listed.
func (s *Source) listOne(ctx context.Context, p *pkg, i int, run cpuRun) (l listing, err error) {
	side, cpu := s.trees[i].side, run.cpu
	skip := slices.Concat(p.sides[i].skip, run.leave)
	if s.c.Skip != "" {
		skip = append(skip, s.c.Skip)
	}
	for {
		o, err := s.exec(ctx, job{side: side, p: p, of: p.pairs[0], bench: s.c.Bench, skip: strings.Join(skip, "|"), cpu: cpu, n: 1, verbose: true, pin: s.c.Pin})
		if ctx.Err() != nil {
			return listing{}, context.Cause(ctx)
		}
		f := (*failure)(nil)
		if !errors.As(err, &f) {
			if err == nil {
				err = s.readListing(&l, p, i, o.stdout, strings.Join(skip, "|"), cpu)
			}
			return l, err
		}
		before := len(skip)
		for _, c := range failedOf(f, cpu) {
			if e := exactly("Benchmark" + c.Benchmark.Name); !slices.Contains(skip, e) {
				skip = append(skip, e)
				l.failed = append(l.failed, c)
			}
		}
		if len(skip) == before { // no benchmark caused it
			l.failed = append(l.failed, &RunError{Err: f.err, Output: f.tail()})
			return l, nil
		}
		s.c.logf("%v: %v fails: listing %s without it", side, gate.Benchmark{Pkg: p.path(), Name: l.failed[len(l.failed)-1].Benchmark.Name}, p.path())
	}
}

// failedOf returns the benchmarks that failed, by name only: those that say so, or else
// the one that ran last.
func failedOf(f *failure, cpu int) (found []*RunError) {
	bare := func(name []byte) string {
		if cpu > 1 {
			return strings.TrimSuffix(string(name), suffixed("", cpu))
		}
		return string(name)
	}
	all := failed.FindAllSubmatchIndex(f.stdout, -1)
	for k, m := range all {
		name := bare(f.stdout[m[2]:m[3]])
		if k > 0 && strings.HasPrefix(bare(f.stdout[all[k-1][2]:all[k-1][3]]), name+"/") {
			continue // a sub-benchmark failed, which is reported
		}
		found = append(found, &RunError{Benchmark: gate.Benchmark{Name: name}, Err: errors.New("it failed"), Output: lastBlock(f.stdout[:m[1]])})
	}
	if begun := running.FindAllSubmatchIndex(f.stdout, -1); len(found) == 0 && len(begun) > 0 {
		last := begun[len(begun)-1]
		name := string(f.stdout[last[2]:last[3]])
		lines, _, _ := parse(f.stdout)
		// A benchmark that panics may print a result, without a time, before the
		// process ends.
		for slices.ContainsFunc(lines, func(l line) bool { _, timed := l.value("ns/op"); return timed && l.name == suffixed(name, cpu) }) {
			above := strings.LastIndexByte(name, '/')
			if above < 0 {
				return nil // it completed: something after it failed
			}
			name = name[:above] // then the benchmark above failed
		}
		said := failure{f.err, f.stdout[last[1]:], f.stderr}
		found = append(found, &RunError{Benchmark: gate.Benchmark{Name: name}, Err: f.err, Output: said.tail()})
	}
	return found
}

// readListing reads the output of all benchmarks that did not fail. The error is about
// units that are declared in opposite ways.
func (s *Source) readListing(l *listing, p *pkg, i int, stdout []byte, skip string, cpu int) error {
	lines, units, err := parse(stdout)
	for _, u := range units {
		b, ok := results.ParseDirection(u.Value)
		switch have := s.declared[i][u.OrigUnit]; {
		case u.Key != "better":
		case !ok:
			err = errors.Join(err, fmt.Errorf("unit %s: better=%s: want higher or lower", u.OrigUnit, u.Value))
		case have != 0 && have != b:
			err = errors.Join(err, fmt.Errorf("unit %s: better=%s, and not so in another package: want one direction", u.OrigUnit, u.Value))
		default:
			s.declared[i][u.OrigUnit] = b
		}
	}
	if err != nil {
		return fmt.Errorf("%v: %s: %w", s.trees[i].side, p.path(), err)
	}
	l.lines = lines
	for _, m := range skipped.FindAllSubmatch(stdout, -1) {
		l.skipped = append(l.skipped, string(m[1]))
	}
	for _, name := range s.silent(stdout, l, skip, cpu) {
		f := &failure{err: errors.New("it printed no result that can be read"), stdout: stdout}
		l.failed = append(l.failed, &RunError{Benchmark: gate.Benchmark{Name: name}, Err: f.err, Output: f.tail()})
	}
	return nil
}

// agree joins what the two sides declare about units. The error is about units that
// they declare in opposite ways.
func (s *Source) agree() (err error) {
	for _, d := range s.declared {
		maps.Copy(s.units, d)
	}
	for _, unit := range slices.Sorted(maps.Keys(s.units)) {
		base, head := s.declared[0].Better(unit), s.declared[1].Better(unit)
		if base*head < 0 {
			less, more := gate.Base, gate.Head
			if base > 0 {
				less, more = more, less
			}
			err = errors.Join(err, fmt.Errorf("unit %s: less is better in the %v, more is better in the %v", unit, less, more))
		}
	}
	return err
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

// silent returns the benchmarks that began and printed no readable result, for no known
// reason.
func (s *Source) silent(out []byte, l *listing, skip string, cpu int) (names []string) {
	deepest := 0
	for _, elements := range splitBench(s.c.Bench) {
		deepest = max(deepest, len(elements))
	}
	begun := running.FindAllSubmatch(out, -1)
	for k, m := range begun {
		name := string(m[1])
		switch {
		case strings.Count(name, "/")+1 < deepest: // perhaps run only to find its sub-benchmarks
		case k+1 < len(begun) && strings.HasPrefix(string(begun[k+1][1]), name+"/"): // its sub-benchmarks have
		case isSkipped(name, l.skipped, cpu):
		case skipsBelow(skip, name): // perhaps all of its sub-benchmarks
		case slices.ContainsFunc(l.lines, func(l line) bool { return l.name == suffixed(name, cpu) }):
		default:
			names = append(names, name)
		}
	}
	return names
}
