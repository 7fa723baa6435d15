package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/measure"
	"github.com/lockbench/lockbench/results"
)

// A tape is what one gate run measured. It is a directory with base.txt and head.txt,
// as package measure records them, and with meta.json.
type tape struct {
	meta
	of       []gate.Benchmark
	clusters map[gate.Benchmark][]cluster
}

// A cluster has the rounds of one pair of binaries, of one benchmark.
type cluster struct {
	build  int
	rounds []gate.Round
}

// A meta says what a tape is of.
type meta struct {
	Module   string    `json:"module"`
	Version  string    `json:"version"` // or a commit
	Share    float64   `json:"share"`   // by which the head was to be slower: 0, 0.05 or 0.1
	Change   string    `json:"change,omitempty"`
	Work     int       `json:"work,omitempty"`
	Target   string    `json:"target,omitempty"`
	Also     []string  `json:"also,omitempty"`
	Size     *sizeOf   `json:"size,omitempty"`
	Harmless bool      `json:"harmless"` // the head has a function more that never runs
	Seed     uint64    `json:"seed"`
	Date     time.Time `json:"date"`
	Load     string    `json:"load"` // of the machine, at the end
	Budget   string    `json:"budget"`
	Took     string    `json:"took"`
	Apart    string    `json:"apart"`   // building and such
	Full     bool      `json:"full"`    // it went on when all was decided
	Verdict  string    `json:"verdict"` // that the gate had then
	Live     []verdict `json:"live"`
}

// A verdict is what the gate said of one time.
type verdict struct {
	Benchmark string  `json:"benchmark"`
	Distance  string  `json:"distance,omitempty"`
	Verdict   string  `json:"verdict"`
	Change    float64 `json:"change"`
	N         int     `json:"n"`
}

const metaFile = "meta.json"

// A recorder makes tapes.
type recorder struct {
	stderr  io.Writer
	dir     string // of all tapes
	full    bool
	changes []change
}

// record makes tapes until there are so many of the module and share. Those that are
// there are kept.
func (r *recorder) record(ctx context.Context, m module, share float64, runs int) error {
	var able []change // that a run may be of: they take turns
	for _, c := range r.changes {
		if _, ok := c.sized(share); ok && c.Module == m.name {
			able = append(able, c)
		}
	}
	if share > 0 && len(able) == 0 {
		return fmt.Errorf("no change of %s is known to be %.0f %%: go run ./tools/gatetrial size -module %s", m.name, 100*share, m.name)
	}
	parent := filepath.Join(r.dir, m.name, shareName(share))
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	for i := 1; i <= runs; i++ {
		whole := filepath.Join(parent, fmt.Sprintf("%03d", i))
		if _, err := os.Stat(whole); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		// What is under this name was left by a run that was killed.
		partial := whole + ".partial"
		if err := os.RemoveAll(partial); err != nil {
			return err
		}
		about := meta{Module: m.name, Version: m.version, Share: share, Harmless: share == 0 || i%2 == 1, Seed: rand.Uint64(), Full: r.full}
		var c *change
		if share > 0 {
			// Two runs of each, with and without a function more, then the next.
			c = &able[(i-1)/2%len(able)]
			s, _ := c.sized(share)
			about.Change, about.Work, about.Target, about.Also, about.Size = c.Name, s.Work, c.Target, c.Also, &s.Of
		}
		if err := r.one(ctx, m, c, about, partial); err != nil {
			return fmt.Errorf("%s: %w", whole, err)
		}
		if err := os.Rename(partial, whole); err != nil {
			return err
		}
	}
	return nil
}

func shareName(share float64) string {
	if share == 0 {
		return "none"
	}
	return fmt.Sprintf("%g", 100*share)
}

// one makes one tape.
func (r *recorder) one(ctx context.Context, m module, c *change, about meta, into string) (err error) {
	dir, err := os.MkdirTemp("", "gatetrial-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	base, head := filepath.Join(dir, "base"), filepath.Join(dir, "head")
	if err := m.copyTo(ctx, base); err != nil {
		return err
	}
	if err := os.CopyFS(head, os.DirFS(base)); err != nil {
		return err
	}
	if c != nil {
		if err := c.apply(head, about.Work); err != nil {
			return err
		}
	}
	if about.Harmless {
		if err := m.addHarmless(head); err != nil {
			return err
		}
	}
	began := time.Now()
	src, err := measure.Prepare(ctx, measure.Config{
		BaseDir: base, HeadDir: head, Packages: m.packages, Bench: m.bench, CPU: m.cpu, Seed: about.Seed, Record: into, MeasureUnchanged: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	all, _, _ := src.Benchmarks()
	budget := time.Duration(len(all)) * m.each
	rep, err := gate.Rules{Budget: budget}.Compare(ctx, src)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	decided := rep.Took - src.Apart()
	for r.full && decided < budget { // as long as the gate might have
		start := time.Now()
		apart := src.Apart()
		for _, b := range all {
			if _, err = src.Round(ctx, []gate.Benchmark{b}); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		}
		if decided += time.Since(start) - (src.Apart() - apart); errors.Is(err, io.EOF) {
			break
		}
	}
	about.Date, about.Load, about.Budget = began.UTC().Truncate(time.Second), load(), budget.String()
	about.Took, about.Apart, about.Verdict = time.Since(began).Round(time.Second).String(), src.Apart().Round(time.Second).String(), rep.Verdict.String()
	count := make(map[gate.Verdict]int)
	for _, res := range rep.Results {
		if res.Unit == "ns/op" && !res.Minor {
			count[res.Verdict]++
			about.Live = append(about.Live, verdict{res.Benchmark.String(), string(res.Distance), res.Verdict.String(), res.Change, res.N})
		}
	}
	fmt.Fprintf(r.stderr, "gatetrial: %s: %d pass, %d cannot tell, %d regressed, in %s (%s of it building and such), load %s\n",
		strings.TrimSuffix(into, ".partial"), count[gate.Pass], count[gate.CannotTell], count[gate.Regressed], about.Took, about.Apart, about.Load)
	data, err := json.MarshalIndent(about, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(into, metaFile), append(data, '\n'), 0o666)
}

// readTapes returns all whole tapes below dir, in the order of their names.
func readTapes(dir string) ([]*tape, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", metaFile))
	if err != nil {
		return nil, err
	}
	var tapes []*tape
	for _, name := range names {
		if strings.HasSuffix(filepath.Dir(name), ".partial") {
			continue
		}
		t, err := readTape(filepath.Dir(name))
		if err != nil {
			return nil, err
		}
		tapes = append(tapes, t)
	}
	if len(tapes) == 0 {
		return nil, fmt.Errorf("%s: no tapes: go run ./tools/gatetrial record -dir %s", dir, dir)
	}
	return tapes, nil
}

func readTape(dir string) (*tape, error) {
	data, err := os.ReadFile(filepath.Join(dir, metaFile))
	if err != nil {
		return nil, err
	}
	t := &tape{clusters: make(map[gate.Benchmark][]cluster)}
	if err := json.Unmarshal(data, &t.meta); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, metaFile), err)
	}
	type key struct {
		gate.Benchmark
		round int
	}
	rounds := make(map[key]*gate.Round)
	for side, name := range map[gate.Side]string{gate.Base: "base.txt", gate.Head: "head.txt"} {
		file, err := results.ReadRecordFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		for _, r := range file.Records {
			k := key{gate.Benchmark{Pkg: r.Pkg, Name: r.Name}, r.Round}
			if rounds[k] == nil {
				rounds[k] = &gate.Round{Benchmark: k.Benchmark, Number: r.Round, Distance: r.Distance}
			}
			rounds[k].Readings[side] = &gate.Reading{Build: r.Build, Values: r.Values}
		}
	}
	keys := slices.SortedFunc(maps.Keys(rounds), func(a, b key) int {
		return cmp.Or(cmp.Compare(a.Pkg, b.Pkg), cmp.Compare(a.Name, b.Name), cmp.Compare(a.round, b.round))
	})
	for _, k := range keys {
		r := rounds[k]
		if r.Readings[gate.Base] == nil || r.Readings[gate.Head] == nil {
			continue // the last one, maybe
		}
		of := t.clusters[k.Benchmark]
		if of == nil {
			t.of = append(t.of, k.Benchmark)
		}
		build := r.Readings[gate.Base].Build
		if len(of) == 0 || of[len(of)-1].build != build {
			of = append(of, cluster{build: build})
		}
		last := &of[len(of)-1]
		last.rounds = append(last.rounds, *r)
		t.clusters[k.Benchmark] = of
	}
	if len(t.of) == 0 {
		return nil, fmt.Errorf("%s: no rounds", dir)
	}
	return t, nil
}

// plain returns the name of b as changes have it: without the number of CPUs.
func plain(b gate.Benchmark) string {
	if i := strings.LastIndexByte(b.Name, '-'); i >= 0 && strings.Trim(b.Name[i+1:], "0123456789") == "" {
		return b.Name[:i]
	}
	return b.Name
}
