package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/atomicfile"
)

// An outcome is what one rule made of many runs.
type outcome struct {
	Rule   string `json:"rule"`
	Module string `json:"module"` // "all" is all of them

	// Recombined says that the runs were put together from the pairs of binaries of
	// real runs.
	Recombined bool `json:"recombined,omitempty"`

	Alarms      share `json:"alarms"`      // runs of the same code with a false alarm
	AnyAlarms   share `json:"any_alarms"`  // runs of any kind with one, on a benchmark that is the same
	Comparisons share `json:"comparisons"` // benchmarks that are the same, of those and of all others, with one
	Told        share `json:"told"`        // benchmarks of runs of the same code that pass
	Found5      share `json:"found5"`      // targets made 5 % slower that regressed
	Found10     share `json:"found10"`     // and 10 %
	Missed      share `json:"missed"`      // targets made slower that pass
}

// add counts what became of a run.
func (o *outcome) add(m *meta, verdicts map[gate.Benchmark]gate.Verdict) {
	alarm := false
	for b, v := range verdicts {
		name := plain(b)
		switch {
		case m.Share > 0 && name == m.Target:
			found := &o.Found5
			if m.Share > 0.05 {
				found = &o.Found10
			}
			found.add(v == gate.Regressed)
			o.Missed.add(v == gate.Pass)
			continue
		case m.Share > 0 && slices.Contains(m.Also, name):
			continue // slower, by something that is not aimed at
		}
		o.Comparisons.add(v == gate.Regressed)
		alarm = alarm || v == gate.Regressed
		if m.Share == 0 {
			o.Told.add(v == gate.Pass)
		}
	}
	if m.Share == 0 {
		o.Alarms.add(alarm)
	}
	o.AnyAlarms.add(alarm)
}

// merge adds what became of other runs.
func (o *outcome) merge(p outcome) {
	for _, s := range []struct{ to, from *share }{
		{&o.Alarms, &p.Alarms}, {&o.AnyAlarms, &p.AnyAlarms}, {&o.Comparisons, &p.Comparisons}, {&o.Told, &p.Told}, {&o.Found5, &p.Found5}, {&o.Found10, &p.Found10}, {&o.Missed, &p.Missed},
	} {
		s.to.N += s.from.N
		s.to.Of += s.from.Of
	}
}

// replay judges all tapes by all rules, and runs recombined from them.
func replay(ctx context.Context, out, stderr io.Writer, tapes []*tape, recombined int, jsonFile string) error {
	var names []string
	for _, m := range modules {
		if slices.ContainsFunc(tapes, func(t *tape) bool { return t.Module == m.name }) {
			names = append(names, m.name)
		}
	}
	var all []outcome
	for _, r := range rules {
		total := outcome{Rule: r.name, Module: "all"}
		var by []outcome
		for _, name := range names {
			o := outcome{Rule: r.name, Module: name}
			for _, t := range tapes {
				if t.Module != name {
					continue
				}
				verdicts, err := r.judge(ctx, t.source())
				if err != nil {
					return err
				}
				o.add(&t.meta, verdicts)
			}
			by = append(by, o)
			total.merge(o)
		}
		all = append(append(all, total), by...)
	}
	fmt.Fprintf(out, "Real runs, %d in all; each cell with its 95 %% interval (Clopper and Pearson):\n\n", len(tapes))
	writeTable(out, all)

	if recombined > 0 {
		var put []outcome
		for _, r := range rules {
			for _, name := range names {
				o := outcome{Rule: r.name, Module: name, Recombined: true}
				for _, p := range pools(tapes, name) {
					for i := range recombined {
						verdicts, err := r.judge(ctx, p.run(uint64(i)))
						if err != nil {
							return err
						}
						o.add(&p.meta, verdicts)
					}
					fmt.Fprintf(stderr, "gatetrial: %s: %d runs recombined of %s %s %s\n", r.name, recombined, name, shareName(p.Share), p.Change)
				}
				put = append(put, o)
			}
		}
		fmt.Fprintf(out, "\nRecombined runs, not real ones: %d of each module and change, each put together from whole pairs of binaries that were drawn from all tapes of it. They share readings, so the intervals are too narrow:\n\n", recombined)
		writeTable(out, put)
		all = append(all, put...)
	}
	if jsonFile == "" {
		return nil
	}
	return atomicfile.Write(jsonFile, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "\t")
		return e.Encode(all)
	})
}

func writeTable(out io.Writer, of []outcome) {
	fmt.Fprintln(out, "| rule | module | same code: runs with an alarm | all runs: with a false one | comparisons with one | same code: pass | found of +5 % | found of +10 % | passed though slower |")
	fmt.Fprintln(out, "|---|---|---|---|---|---|---|---|---|")
	for _, o := range of {
		fmt.Fprintf(out, "| %s | %s | %v | %v | %v | %v | %v | %v | %v |\n", o.Rule, o.Module, o.Alarms, o.AnyAlarms, o.Comparisons, o.Told, o.Found5, o.Found10, o.Missed)
	}
}

// A pool has the pairs of binaries of all tapes of one module and change, of which runs
// are put together.
type pool struct {
	meta
	of    []gate.Benchmark
	pairs []map[gate.Benchmark][]gate.Round // what each pair of binaries measured
	most  map[gate.Benchmark]int            // pairs of binaries that a real run had
}

// pools returns the pools of a module.
func pools(tapes []*tape, module string) []*pool {
	type key struct {
		share  float64
		change string
	}
	by := make(map[key]*pool)
	var all []*pool
	for _, t := range tapes {
		if t.Module != module {
			continue
		}
		k := key{t.Share, t.Change}
		p := by[k]
		if p == nil {
			p = &pool{meta: t.meta, of: t.of, most: make(map[gate.Benchmark]int)}
			by[k] = p
			all = append(all, p)
		}
		builds := make(map[int]map[gate.Benchmark][]gate.Round)
		for _, b := range t.of {
			p.most[b] = max(p.most[b], len(t.clusters[b]))
			for _, c := range t.clusters[b] {
				if builds[c.build] == nil {
					builds[c.build] = make(map[gate.Benchmark][]gate.Round)
					p.pairs = append(p.pairs, builds[c.build])
				}
				builds[c.build][b] = c.rounds
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *pool) int { return cmp.Or(cmp.Compare(a.Share, b.Share), cmp.Compare(a.Change, b.Change)) })
	return all
}

// run returns a run of pairs of binaries in random order, none of them twice. All
// benchmarks have the same ones, as far as those measured them.
func (p *pool) run(seed uint64) *clusters {
	order := rand.New(rand.NewPCG(seed, 14)).Perm(len(p.pairs))
	drawn := make(map[gate.Benchmark][][]gate.Round)
	for _, i := range order {
		for b, rounds := range p.pairs[i] {
			if len(drawn[b]) < p.most[b] {
				drawn[b] = append(drawn[b], rounds)
			}
		}
	}
	return &clusters{of: p.of, next: func(b gate.Benchmark, number int) []gate.Round {
		if number > len(drawn[b]) {
			return nil
		}
		return drawn[b][number-1]
	}}
}
