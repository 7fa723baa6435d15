package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/results"
)

const wholeConfig = `
margin = '5%'
fdr = 0.02 # a comment
confidence = "95 %"
min_rounds = 20
budget = '1m30s'
units = [
	'ns/op',
	'allocs/op', # [[rule]]
]
new = ['^example\.org/p\.New/']
removed = ['\.Old$', "Never"]

[[rule]]
bench = '''^example\.org/p\.Sum'''
margin = 0.2

	[[rule]]
	bench = 'n=10\b'
	unit = 'ns/op'
	margin = '1%'

[[rule]]
bench = 'Dial'
ignore = true
reason = """
waits for a name server
[[rule]]
"""

[[rule]]
bench = 'BenchmarkNothing'
margin = '10%'

[[shape]]
name = 'mcs scales'
kind = 'scaling'
lock = '^mcs$'
reads = 0
hold = '0s'
max_sigma = 0.1
min_efficiency = 0.7
at_cpus = 8

[[shape]]
kind = 'ratio'
lock = '^(tas|ttas)$'
than = 'sync.Mutex'
cpus = 2
at_most = 0.7
at_least = 0
`

func parseConfig(t *testing.T, text string) *config.File {
	t.Helper()
	c, err := config.Parse("gate.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConfig(t *testing.T) {
	name := filepath.Join(t.TempDir(), "gate.toml")
	for _, text := range []string{wholeConfig, strings.ReplaceAll(wholeConfig, "\n", "\r\n"), "\ufeff" + wholeConfig} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := config.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		r := c.Rules()
		if r.Margin != 0.05 || r.FDR != 0.02 || r.Confidence != 0.95 || r.MinRounds != 20 || r.Budget != 90*time.Second || strings.Join(r.Units, " ") != "ns/op allocs/op" {
			t.Errorf("got %+v", r)
		}
		if len(c.Shapes) != 2 || *c.Shapes[0].MaxSigma != 0.1 || c.Shapes[0].AtCPUs != 8 {
			t.Fatalf("got shapes %+v", c.Shapes)
		}
		if s := c.Shapes[1]; s.Than != "sync.Mutex" || s.Unit != "ns/op" || *s.Min != 0 || *s.Max != 0.7 || *s.Filter.CPUs != 2 {
			t.Errorf("got ratio %+v", s)
		}
	}
}

func TestConfigRules(t *testing.T) {
	c := parseConfig(t, wholeConfig)
	r := c.Rules()
	bench := func(name string) gate.Benchmark { return gate.Benchmark{Pkg: "example.org/p", Name: name} }
	for _, test := range []struct {
		name, unit string
		want       gate.Exception
		ok         bool
	}{
		{"Sum-2", "ns/op", gate.Exception{Margin: 0.2}, true},
		{"Sum-2", "B/op", gate.Exception{}, false}, // a count needs a rule of its own
		{"Sum/n=10-2", "ns/op", gate.Exception{Margin: 0.01}, true},
		{"Sum/n=10-2", "ops/s", gate.Exception{Margin: 0.2}, true},
		{"Sum/n=100-2", "ns/op", gate.Exception{Margin: 0.2}, true},
		{"Dial-2", "B/op", gate.Exception{Ignore: true}, true},
		{"Mul-2", "ns/op", gate.Exception{}, false},
	} {
		if e, ok := r.For(bench(test.name), test.unit); e != test.want || ok != test.ok {
			t.Errorf("%s of %s: got %+v, %v, want %+v, %v", test.unit, test.name, e, ok, test.want, test.ok)
		}
	}
	if got := strings.Join(c.Ignored(), "\n"); !strings.Contains(got, ": not judged: ") || !strings.Contains(got, "Dial-2 B/op: waits for a name server") {
		t.Errorf("ignored: %q", got)
	}
	for _, test := range []struct {
		name string
		only gate.Side
		want bool
	}{
		{"New/a-2", gate.Head, true},
		{"New/a-2", gate.Base, false},
		{"Old", gate.Base, true},
		{"Older", gate.Base, false},
	} {
		if got := r.Declared(bench(test.name), test.only); got != test.want {
			t.Errorf("%s only in %v, declared: got %v, want %v", test.name, test.only, got, test.want)
		}
	}

	// Only rules that have never matched.
	want := `gate.toml:12: removed 'Never' matched no benchmark
gate.toml:31: rule 'BenchmarkNothing' matched no benchmark (names are without the word Benchmark)`
	if got := strings.Join(c.Unused(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A key that is a flag as well keeps its value as on the command line.
func TestConfigFlags(t *testing.T) {
	c, err := config.Parse("gate.toml", []byte(`packages = ['./a', './b/...']
cpus = [1, 4]
exact = true
slice = '5ms'
pin = 3
`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]config.Flag{
		"packages": {Values: []string{"./a", "./b/..."}, Line: 1},
		"cpus":     {Values: []string{"1", "4"}, Line: 2},
		"exact":    {Values: []string{"true"}, Line: 3},
		"slice":    {Values: []string{"5ms"}, Line: 4},
		"pin":      {Values: []string{"3"}, Line: 5},
	}
	if !reflect.DeepEqual(c.Flags, want) {
		t.Errorf("got %v, want %v", c.Flags, want)
	}
	_, err = config.Parse("gate.toml", []byte("exact = true\nunits = ['ns/op']\ncpus = []\nslice = ''\npin = [1.5]\n"))
	wantErr := `gate.toml:1: exact and units: want one of them
gate.toml:3: cpus: want what --cpus takes, have a list
gate.toml:4: slice: want what --slice takes, have ""
gate.toml:5: pin: want what --pin takes, have 1.5`
	if err == nil || err.Error() != wantErr {
		t.Errorf("got\n%v\nwant\n%s", err, wantErr)
	}
}

// Files of before, when keys had other names, are read as they were.
func TestOldKeys(t *testing.T) {
	const old = "metrics = ['ns/op']\ncpu = [1, 4]\n[[rule]]\nbench = 'a'\nmetric = 'B/op'\nmargin = '5%'\n"
	now := strings.NewReplacer("metrics", "units", "cpu", "cpus", "metric ", "unit ").Replace(old)
	want, got := parseConfig(t, now), parseConfig(t, old)
	if !slices.Equal(got.Units, []string{"ns/op"}) || !slices.Equal(got.Flags["cpus"].Values, []string{"1", "4"}) || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	_, err := config.Parse("gate.toml", []byte("units = ['B/op']\nmetrics = ['ns/op']\ncpu = 1\ncpus = 1\n[[rule]]\nbench = 'a'\nmargin = '5%'\nunit = 'ns/op'\nmetric = 'ns/op'\n"))
	wantErr := `gate.toml:2: units and metrics: want units alone, of which metrics is the old name
gate.toml:3: cpus and cpu: want cpus alone, of which cpu is the old name
gate.toml:9: unit and metric: want unit alone, of which metric is the old name`
	if err == nil || err.Error() != wantErr {
		t.Errorf("got\n%v\nwant\n%s", err, wantErr)
	}
	if _, err = config.Parse("gate.toml", []byte("metric = 'ns/op'")); err == nil || !strings.Contains(err.Error(), `unknown key "metric" (known: `) {
		t.Errorf("the old key of another table: %v", err)
	}
}

// A benchmark that only the head has passes, unless the file says otherwise.
func TestConfigNew(t *testing.T) {
	b := gate.Benchmark{Pkg: "example.org/p", Name: "Sum-2"}
	for text, want := range map[string]bool{
		"":                     true,
		"new = 'pass'":         true,
		"new = 'fail'":         false,
		"new = ['Sum']":        true,
		"new = ['Sub']":        false,
		"new = []":             false,
		"removed = ['\\.Sum']": true,
	} {
		c, err := config.Parse("gate.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Rules().Declared(b, gate.Head); got != want {
			t.Errorf("%q: may be new %t, want %t", text, got, want)
		}
	}
	if _, err := config.Parse("gate.toml", []byte("new = 'Sum'")); err == nil || !strings.Contains(err.Error(), "new: want 'pass', 'fail', or a list of regular expressions, have \"Sum\"") {
		t.Errorf("a word: %v", err)
	}
}

// A benchmark that is not judged in any unit need not be run.
func TestConfigIgnores(t *testing.T) {
	c, err := config.Parse("gate.toml", []byte(`skip = ['^BenchmarkNet$']
[[rule]]
bench = 'p\.(Dial|Exact$|Kept|Timed)'
ignore = true
reason = 'network'
[[rule]]
bench = 'p\.Kept'
margin = '5%'
[[rule]]
bench = 'p\.Timed'
unit = 'allocs/op'
margin = '5%'
[[rule]]
bench = 'p\.Metric'
unit = 'ns/op'
ignore = true
reason = 'noisy'
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		one, all bool
	}{
		{"Dial", true, true},
		{"Dial/slow-2", true, true},
		{"Exact", true, false}, // but not Exact/x
		{"Exact/x", false, false},
		{"Kept", false, false},
		{"Timed", false, false},
		{"Metric", false, false},
		{"Other", false, false},
	} {
		b := gate.Benchmark{Pkg: "example.org/p", Name: test.name}
		if one, all := c.Ignores(b, false), c.Ignores(b, true); one != test.one || all != test.all {
			t.Errorf("%v: ignored %t, with all below it %t, want %t and %t", b, one, all, test.one, test.all)
		}
	}
	if w := c.Ignored(); len(w) != 1 || w[0] != "gate.toml:2: not judged: example.org/p.Dial, example.org/p.Dial/slow-2, example.org/p.Exact: network" {
		t.Errorf("warnings %q, want one with what was ignored, and why", w)
	}
	if !slices.Equal(c.Skip, []string{"^BenchmarkNet$"}) {
		t.Errorf("skip %q", c.Skip)
	}
}

func TestNoConfig(t *testing.T) {
	var c *config.File
	if r := c.Rules(); r.For != nil || r.Margin != 0 || c.Unused() != nil {
		t.Errorf("got %+v", r)
	}
	parseConfig(t, "")
}

// All errors are reported at once, each with its line.
func TestConfigErrors(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"syntax", "margin = '3%'\nfdr = 1 %\n", `gate.toml:2: expected a top-level item to end with a newline, comment, or EOF, but got '%' instead`},
		{"key twice", "margin = '3%'\n\nmargin = '4%'\n", `gate.toml:3: Key 'margin' has already been defined.`},
		{"many", `margins = '3%'
margin = 3
fdr = 'little'
confidence = 1.0
min_rounds = 2.5
budget = 10
units = 'ns/op'
new = ['(', 'a', 'a', 1]
extra.key = 1

[[rule]]
bench = ''
margin = '0%'
[[rule]]
bench = 'a'
margin = '-1%'
[[rule]]
bench = 'a'
margin = true
[[rule]]
bench = 'b'
ignore = true
[[rule]]
margin = 0.03
[[rule]]
bench = 'c'
ignore = true
reason = 'x'
margin = 0.03
units = 'ns/op'
[[rule]]
bench = 'd'
reason = 'none'
[[rule]]
bench = 'e'
ignore = 'yes'
reason = 'none'
[rules]
`, `gate.toml:1: unknown key "margins" (known: bench, budget, builds, cannot_tell, confidence, cpus, drift, exact, fdr, history, locks, machine, margin, min_rounds, new, packages, pin, removed, seed, sim, skip, slice, tags, timeout, tolerance, units, with)
gate.toml:2: margin: want a share above 0 and up to 1, such as '3%' or 0.03, have 3
gate.toml:3: fdr: want a share between 0 and 1, such as '3%' or 0.03, have "little"
gate.toml:4: confidence: want a share between 0 and 1, such as '3%' or 0.03, have 1
gate.toml:5: min_rounds: want a whole number of at least 1, have 2.5
gate.toml:6: budget: want a duration such as '10m', have 10
gate.toml:7: units: want a list of strings, such as ['a', 'b'], have "ns/op"
gate.toml:8: new: "a" twice
gate.toml:8: new: want strings that are not empty, have 1
gate.toml:8: new: want a regular expression: missing closing ): ` + "`(`" + `
gate.toml:9: unknown key "extra.key" (known: bench, budget, builds, cannot_tell, confidence, cpus, drift, exact, fdr, history, locks, machine, margin, min_rounds, new, packages, pin, removed, seed, sim, skip, slice, tags, timeout, tolerance, units, with)
gate.toml:12: bench: want a regular expression ('.' is all), have ""
gate.toml:13: margin: want a share above 0 and up to 1, such as '3%' or 0.03, have "0%"
gate.toml:16: margin: want a share above 0 and up to 1, such as '3%' or 0.03, have "-1%"
gate.toml:17: rule for the same bench and unit as that in line 14
gate.toml:19: margin: want a share above 0 and up to 1, such as '3%' or 0.03, have true
gate.toml:20: rule that ignores: want reason = 'why'
gate.toml:23: rule without bench: want bench = 'regular expression', or '.' for all
gate.toml:25: rule with both ignore and margin: want one of them
gate.toml:30: unknown key "units" in [[rule]] (known: bench, ignore, margin, reason, unit)
gate.toml:31: rule without an effect: want margin = '5%', or ignore = true and a reason
gate.toml:34: rule without an effect: want margin = '5%', or ignore = true and a reason
gate.toml:36: ignore: want true or false, have "yes"
gate.toml:38: unknown table "rules": want [[rule]] or [[shape]]`},
		{"rule as a list", "rule = [{bench = 'a'}]\n", `gate.toml:1: rule: want a table [[rule]]`},
		{"one rule", "[rule]\nbench = 'a'\nmargin = 0.1\n", `gate.toml:1: [rule]: want [[rule]], since there may be several`},
		{"shapes", `[[shape]]
kind = 'slope'
[[shape]]
kind = 'scaling'
cpus = 2
min_efficiency = '70%'
[[shape]]
kind = 'scaling'
lock = 'mcs'
[[shape]]
kind = 'crossover'
lock = 'mcs'
than = 'mcs'
along = 'reads'
reads = 0
unit = 'rtt-ns'
min = 3
max = 2
[[shape]]
kind = 'crossover'
along = 'hold'
[[shape]]
kind = 'floor'
lock = '['
unit = 'jain'
max = -1
distance = 'nearby'
hold = 3
[[shape]]
kind = 'ceiling'
name = 'a'
lock = '.'
unit = 'write-p99-ns'
max = 10
[[shape]]
kind = 'ceiling'
name = 'a'
lock = '.'
unit = 'write-p999-ns'
max = '10'
[[shape]]
kind = 'ratio'
lock = '('
[[shape]]
kind = 'ratio'
lock = 'mcs'
than = 'mcs'
along = 'reads'
max = 1
at_least = 0.8
at_most = 0.7
[[shape]]
kind = 'ratio'
than = ''
unit = ''
at_most = nan
at_least = -0.5
[[shape]]
kind = 'ratio'
lock = '.'
than = 3
at_most = '70%'
at_least = inf
`, `gate.toml:2: kind: want scaling, crossover, ratio, floor, ceiling, have "slope"
gate.toml:3: scaling without lock: want lock = 'regular expression', or '.' for all
gate.toml:3: min_efficiency and at_cpus: want both or neither
gate.toml:5: unknown key "cpus" in [[shape]] (known: at_cpus, distance, hold, kind, load, lock, margin, max_kappa, max_sigma, min_efficiency, min_peak_cpus, mode, name, readers, reads, think, workers, workload, writers)
gate.toml:7: shape that demands nothing: want max_sigma, max_kappa, min_peak_cpus, min_efficiency, margin
gate.toml:10: lock and than: want two, have "mcs" twice
gate.toml:10: min 3 is above max 2
gate.toml:15: reads: a crossover along it cannot be for one value of it
gate.toml:16: unit rtt-ns: not known whether more is better
gate.toml:19: shape without lock: want lock = '...'
gate.toml:19: shape without than: want than = '...'
gate.toml:19: shape that demands nothing: want min, max
gate.toml:21: along: want reads, workers, cpus, have "hold"
gate.toml:22: shape that demands nothing: want min
gate.toml:24: lock: want a regular expression: missing closing ]: ` + "`[`" + `
gate.toml:26: unknown key "max" in [[shape]] (known: cpus, distance, hold, kind, load, lock, min, mode, name, readers, reads, think, unit, workers, workload, writers)
gate.toml:27: distance: want near, far, local, have "nearby"
gate.toml:28: hold: want a duration such as '10m', have 3
gate.toml:35: name "a" is that of the shape in line 29, too
gate.toml:40: max: want a number of at least 0, have "10"
gate.toml:41: shape without than: want than = '...'
gate.toml:41: shape that demands nothing: want at_most, at_least
gate.toml:43: lock: want a regular expression: missing closing ): ` + "`(`" + `
gate.toml:44: at_least 0.8 is above at_most 0.7
gate.toml:44: lock and than: want two, have "mcs" twice
gate.toml:48: unknown key "along" in [[shape]] (known: at_least, at_most, cpus, distance, hold, kind, load, lock, mode, name, readers, reads, than, think, unit, workers, workload, writers)
gate.toml:49: unknown key "max" in [[shape]] (known: at_least, at_most, cpus, distance, hold, kind, load, lock, mode, name, readers, reads, than, think, unit, workers, workload, writers)
gate.toml:52: ratio without lock: want lock = 'regular expression', or '.' for all
gate.toml:54: than: want a string that is not empty, have ""
gate.toml:55: unit: want a string that is not empty, have ""
gate.toml:56: at_most: want a number of at least 0, have NaN
gate.toml:57: at_least: want a number of at least 0, have -0.5
gate.toml:61: than: want a string that is not empty, have 3
gate.toml:62: at_most: want a number of at least 0, have "70%"
gate.toml:63: at_least: want a number of at least 0, have +Inf`},
	} {
		_, err := config.Parse("gate.toml", []byte(test.text))
		if err == nil {
			t.Errorf("%s: no error", test.name)
			continue
		}
		if err.Error() != test.want {
			t.Errorf("%s: got\n%v\nwant\n%s", test.name, err, test.want)
		}
		if one := new(results.SyntaxError); !errors.As(err, &one) {
			t.Errorf("%s: %T is no SyntaxError", test.name, err)
		}
	}
	if _, err := config.Read(filepath.Join(t.TempDir(), "none.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("file that is not there: %v", err)
	}
}

func TestShare(t *testing.T) {
	for _, test := range []struct {
		in   any
		want float64
		ok   bool
	}{
		{"3%", 0.03, true},
		{" 3.5 % ", 0.035, true},
		{"0.03", 0.03, true},
		{0.03, 0.03, true},
		{int64(1), 1, true},
		{"%", 0, false},
		{"3%%", 0, false},
		{"", 0, false},
		{true, 0, false},
	} {
		got, ok := config.ParseShare(test.in)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%v: got %v, %v, want %v, %v", test.in, got, ok, test.want, test.ok)
		}
	}
}

// Any file is read or refused, and every error has a line.
func TestConfigOfAnything(t *testing.T) {
	piece := rapid.SampledFrom([]string{
		"margin", "bench", "rule", "[[rule]]", "[[shape]]", "[rule]", "\n", "\n", "\n", " = ", " = ", "'3%'", "0.03", "'a'", "\"\"\"\n", "'''", "[", "]", "{", "}",
		"1", "true", ".", ",", "#", "kind", "'scaling'", "'crossover'", "'ratio'", "than", "at_most", "along", "'reads'", "inf", "nan", "1979-05-27", "\ufeff", "\x00", "\r",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), "")
		_, err := config.Parse("gate.toml", []byte(text))
		if err == nil {
			return
		}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if !strings.HasPrefix(line, "gate.toml:") {
				t.Fatalf("%q: error without a line: %v", text, err)
			}
		}
	})
}
