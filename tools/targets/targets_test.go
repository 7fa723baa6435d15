package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/results"
)

// claimsOf reads the claims of a part.
func claimsOf(t *testing.T, part string) *config.File {
	t.Helper()
	c, err := config.Read(filepath.Join("claims", part+".toml"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Every part has claims, and every file of claims a part.
func TestClaims(t *testing.T) {
	files, err := filepath.Glob("claims/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
		if c := claimsOf(t, p.name); len(c.Shapes) == 0 {
			t.Errorf("%s: no claims", p.name)
		}
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".toml"); !slices.Contains(names, name) {
			t.Errorf("%s: no part %s", f, name)
		}
	}
}

// listed is how claims name their locks: all of them, so that a name that is wrong is
// noticed.
var listed = regexp.MustCompile(`^\^\(?([^()$]+)\)?\$$`)

// unmeasured returns the locks that the claims name and samples do not have.
func unmeasured(t *testing.T, claims *config.File, samples []results.Sample) (missing []string) {
	t.Helper()
	for _, s := range claims.Shapes {
		m := listed.FindStringSubmatch(s.Lock)
		if m == nil {
			t.Errorf("%s: lock %s: want names, as in ^(a|b)$", s.Place(), s.Lock)
			continue
		}
		names := strings.Split(strings.ReplaceAll(m[1], `\`, ""), "|")
		if s.Than != "" {
			names = append(names, s.Than)
		}
		for _, name := range names {
			if !slices.ContainsFunc(samples, func(s results.Sample) bool { return s.Lock == name }) {
				missing = append(missing, name)
			}
		}
	}
	return missing
}

// The parts that are sweeps have the locks that their claims name.
func TestSweptLocks(t *testing.T) {
	swept := 0
	for _, p := range parts {
		if p.sweeps == nil {
			continue
		}
		swept++
		entries, err := catalog.Match(p.locks...)
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		var samples []results.Sample
		for _, e := range entries {
			samples = append(samples, results.Sample{Cell: results.Cell{Lock: e.Name}})
		}
		for _, s := range p.sweeps {
			for _, own := range s.Subjects {
				samples = append(samples, results.Sample{Cell: results.Cell{Lock: own.Name}})
			}
		}
		if missing := unmeasured(t, claimsOf(t, p.name), samples); len(missing) > 0 {
			t.Errorf("%s: claims about %s, which it does not measure", p.name, strings.Join(missing, ", "))
		}
	}
	if swept < 8 {
		t.Errorf("%d parts are sweeps, want all", swept)
	}
}

// The locks that are made here have names that a results file can hold.
func TestOwnLocks(t *testing.T) {
	for _, b := range biased {
		s := harness.Scenario{Subject: b, CPUs: 1, Workers: 1, Reads: 90}
		sample, err := harness.Run(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		if err := sample.Validate(); err != nil {
			t.Error(err)
		}
	}
}

// A part of one sample a round, which takes no time.
func instant(values ...float64) part {
	return part{name: "cost", rounds: len(values), tables: against(""), measure: func(_ context.Context, _ io.Writer, rounds int) (samples []results.Sample, err error) {
		for round := range rounds {
			samples = append(samples, results.Sample{
				Cell:     results.Cell{Lock: results.Empty, Workers: 1, CPUs: 1},
				Round:    round + 1,
				Distance: results.Local,
				Ops:      1,
				Values:   []results.Value{{Unit: "ns/op", Value: values[round]}},
			})
		}
		return samples, nil
	}}
}

// The exit code and the output say what became of the claims.
func TestVerdicts(t *testing.T) {
	was := parts
	defer func() { parts = was }()
	claims := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(claims, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	const ceiling = "[[shape]]\nkind = 'ceiling'\nlock = '^none$'\nunit = 'ns/op'\nmax = 5\n"
	const far = "[[shape]]\nkind = 'ceiling'\nlock = '^none$'\nunit = 'ns/op'\ndistance = 'far'\nmax = 5\n"
	fast, slow := []float64{3, 3, 3, 4, 4, 4, 3, 4}, []float64{7, 7, 7, 8, 8, 8, 7, 8}
	for _, test := range []struct {
		name, claims string
		values       []float64
		want         int
		says         string
	}{
		{"fast", ceiling, fast, 0, "pass"},
		{"slow", ceiling, slow, 1, "regressed"},
		{"too few", ceiling, fast[:2], exitCannotTell, "2 rounds: too few for an interval"},
		{"not seen", ceiling + far, fast, exitCannotTell, "it selects no samples of the samples of cost"},
		{"not seen, and slow", ceiling + far, slow, 1, "it selects no samples"},
		{"no claims file", "", fast, 2, ""},
	} {
		os.Remove(filepath.Join(claims, "cost.toml"))
		if test.claims != "" {
			write("cost.toml", test.claims)
		}
		parts = []part{instant(test.values...)}
		var out, errs bytes.Buffer
		kept := filepath.Join(t.TempDir(), "samples.txt")
		code := run([]string{"-claims", claims, "-out", kept}, &out, &errs)
		if code != test.want || !strings.Contains(out.String(), test.says) {
			t.Errorf("%s: exit code %d, want %d with %q in:\n%s%s", test.name, code, test.want, test.says, &out, &errs)
		}
		if test.want == 2 {
			continue
		}
		file, err := results.ReadFile(kept)
		if err != nil || len(file.Samples) != len(test.values) {
			t.Errorf("%s: -out has %d samples (%v), want %d", test.name, len(file.Samples), err, len(test.values))
		}
	}
}

// What a loop around sections takes is subtracted in each round, and on as many CPUs.
func TestOver(t *testing.T) {
	var samples []results.Sample
	add := func(lock string, round, cpus int, ns float64) {
		samples = append(samples, results.Sample{
			Cell: results.Cell{Lock: lock, Workers: cpus, CPUs: cpus}, Round: round,
			Values: []results.Value{{Unit: "ns/op", Value: ns}},
		})
	}
	for round := range 2 {
		for cpus := range 2 {
			add("a", round+1, cpus+1, float64(10*round+5*cpus+3))
			add(results.Empty, round+1, cpus+1, float64(round+cpus+1))
		}
	}
	add("a", 3, 1, 7) // without a loop
	var got []float64
	for _, s := range over(samples, results.Empty) {
		if v, ok := s.Value(overUnit); ok {
			got = append(got, v)
		}
	}
	if want := []float64{2, 6, 11, 15}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestUsage(t *testing.T) {
	var stderr bytes.Buffer
	if code := run([]string{"-part", "everything"}, io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), "want all, or one of cost, alone,") {
		t.Errorf("exit %d, %s", code, stderr.String())
	}
}
