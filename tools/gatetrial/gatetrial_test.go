package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
)

// The values are those of R: binom.test(n, of)$conf.int. That of 0 of 40 is what
// issue 14 counts on, and has a closed form: 1 - 0.025^(1/40).
func TestClopperPearson(t *testing.T) {
	for _, test := range []struct {
		share
		lo, hi float64
	}{
		{share{0, 40}, 0, 1 - math.Pow(0.025, 1.0/40)},
		{share{40, 40}, math.Pow(0.025, 1.0/40), 1},
		{share{20, 20}, 0.8316, 1},
		{share{5, 10}, 0.1871, 0.8129},
		{share{1, 20}, 0.00127, 0.2487},
		{share{0, 1}, 0, 0.975},
	} {
		lo, hi := test.interval()
		if math.Abs(lo-test.lo) > 1e-4 || math.Abs(hi-test.hi) > 1e-4 {
			t.Errorf("interval of %d of %d = %.4f to %.4f, want %.4f to %.4f", test.N, test.Of, lo, hi, test.lo, test.hi)
		}
	}
}

// Each rule raises an alarm where the head is 20 % slower with little noise, and none
// where it is the same.
func TestRules(t *testing.T) {
	ctx := context.Background()
	for _, r := range rules {
		for _, test := range []struct {
			change float64
			want   gate.Verdict
		}{{0.20, gate.Regressed}, {0, gate.Pass}} {
			x := noise{pair: 0.005}
			verdicts, err := r.judge(ctx, x.run(1, 1, test.change, 40))
			if err != nil {
				t.Fatal(err)
			}
			if got := verdicts[madeUp(0)]; got != test.want {
				t.Errorf("%s: %v of a change of %g, want %v", r.name, got, test.change, test.want)
			}
		}
	}
}

// What tells the rivals apart: each has its own limit.
func TestRivalsLimits(t *testing.T) {
	ctx := context.Background()
	x := noise{pair: 0.002}
	for _, test := range []struct {
		change                         float64
		benchstat, threshold, bySigned gate.Verdict
	}{
		{0.02, gate.Pass, gate.Pass, gate.Pass},
		{0.06, gate.Regressed, gate.Pass, gate.Regressed},
		{0.13, gate.Regressed, gate.Regressed, gate.Regressed},
	} {
		for _, rival := range []struct {
			judge func(context.Context, *clusters) (map[gate.Benchmark]gate.Verdict, error)
			want  gate.Verdict
		}{{byBenchstat, test.benchstat}, {byThreshold, test.threshold}, {bySigns, test.bySigned}} {
			verdicts, err := rival.judge(ctx, x.run(2, 1, test.change, 40))
			if err != nil {
				t.Fatal(err)
			}
			if got := verdicts[madeUp(0)]; got != rival.want {
				t.Errorf("a change of %g: %v, want %v", test.change, got, rival.want)
			}
		}
	}
	// One layout that stands out in all of ten pairs is an alarm for benchstat.
	one := noise{pair: 0.002, layout: 0.10}
	alarms := 0
	for seed := range uint64(40) {
		verdicts, err := byBenchstat(ctx, one.run(seed, 1, 0, 6))
		if err != nil {
			t.Fatal(err)
		}
		if verdicts[madeUp(0)] == gate.Regressed {
			alarms++
		}
	}
	if alarms == 0 {
		t.Error("benchstat raised no alarm in 40 runs whose six pairs of binaries differ by 10 %")
	}
}

// The evidence of signs is the integral that it says it is.
func TestLogSigns(t *testing.T) {
	for _, test := range []struct{ s, n int }{{0, 0}, {1, 1}, {3, 10}, {9, 10}, {28, 30}} {
		const steps = 200000
		sum := 0.0
		for i := range steps {
			p := 0.5 + 0.5*(float64(i)+0.5)/steps
			sum += 2 * math.Pow(2*p, float64(test.s)) * math.Pow(2*(1-p), float64(test.n-test.s)) * 0.5 / steps
		}
		if got := logSigns(test.s, test.n); math.Abs(got-math.Log(sum)) > 1e-6 {
			t.Errorf("logSigns(%d, %d) = %g, want %g", test.s, test.n, got, math.Log(sum))
		}
	}
}

// write writes a tape of made-up readings below dir.
func write(t *testing.T, dir string, m meta, x noise, n, builds int, change float64) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	c := x.run(rand.Uint64(), n, change, builds)
	for side, name := range map[gate.Side]string{gate.Base: "base.txt", gate.Head: "head.txt"} {
		var b bytes.Buffer
		b.WriteString("goos: linux\ngoarch: amd64\ncpu: none\npkg: example.org/p\n# session: 1\n")
		c.at = nil
		for {
			rounds, err := c.Round(context.Background(), c.of)
			if err != nil {
				break
			}
			for _, r := range rounds {
				fmt.Fprintf(&b, "# round: %d\n# build: %d\nBenchmark%s\t10\t%g ns/op\n", r.Number, r.Readings[side].Build, r.Name, nsPerOp(r.Readings[side]))
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, metaFile), data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// Tapes are read as they were written, judged and recombined, and the table says so.
func TestReplay(t *testing.T) {
	dir := t.TempDir()
	quiet := noise{pair: 0.003}
	for i := range 3 {
		name := fmt.Sprintf("%03d", i+1)
		write(t, filepath.Join(dir, "uuid", "none", name), meta{Module: "uuid", Harmless: true}, quiet, 2, 12, 0)
		write(t, filepath.Join(dir, "uuid", "5", name), meta{Module: "uuid", Share: 0.05, Change: "x", Target: "B0000"}, quiet, 2, 12, 0.05)
		write(t, filepath.Join(dir, "gjson", "10", name), meta{Module: "gjson", Share: 0.10, Change: "y", Target: "B0000", Also: []string{"B0001"}}, quiet, 2, 12, 0.10)
	}
	write(t, filepath.Join(dir, "uuid", "none", "004.partial"), meta{Module: "uuid"}, quiet, 2, 12, 0.5) // killed: not one of them
	tapes, err := readTapes(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(tapes) != 9 {
		t.Fatalf("%d tapes, want 9", len(tapes))
	}
	for _, tape := range tapes {
		for _, b := range tape.of {
			if n := len(tape.clusters[b]); n != 12 {
				t.Fatalf("%d pairs of binaries of %v, want 12", n, b)
			}
			if n := len(tape.clusters[b][0].rounds); n != gate.PairsPerBuild {
				t.Fatalf("%d rounds of one, want %d", n, gate.PairsPerBuild)
			}
		}
	}
	var out, stderr bytes.Buffer
	jsonFile := filepath.Join(dir, "out.json")
	if err := replay(context.Background(), &out, &stderr, tapes, 10, jsonFile); err != nil {
		t.Fatal(err)
	}
	var got []outcome
	data, err := os.ReadFile(jsonFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := outcome{Rule: rules[0].name, Module: "all", Alarms: share{0, 3}, AnyAlarms: share{0, 9}, Comparisons: share{0, 9}, Told: share{6, 6}, Found5: share{3, 3}, Found10: share{3, 3}, Missed: share{0, 6}}
	if got[0] != want {
		t.Errorf("first outcome %+v, want %+v", got[0], want)
	}
	recombined := 0
	for _, o := range got {
		if o.Recombined && o.Rule == rules[0].name && o.Module == "uuid" {
			recombined++
			if o.Alarms != (share{0, 10}) || o.Found5 != (share{10, 10}) {
				t.Errorf("recombined: %+v, want 10 runs without an alarm, and 10 that found it", o)
			}
		}
	}
	if recombined != 1 || !strings.Contains(out.String(), "Recombined runs, not real ones: 10 of each") {
		t.Errorf("%d recombined outcomes of uuid, want 1, said to be recombined in:\n%s", recombined, &out)
	}
}

// A recombined run has whole pairs of binaries, none of them twice, no more than a real
// one, and the same ones of all benchmarks.
func TestRecombined(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		write(t, filepath.Join(dir, "uuid", "none", fmt.Sprint(i)), meta{Module: "uuid"}, noise{pair: 0.01}, 2, 5, 0)
	}
	tapes, err := readTapes(dir)
	if err != nil {
		t.Fatal(err)
	}
	p := pools(tapes, "uuid")
	if len(p) != 1 || len(p[0].pairs) != 15 {
		t.Fatalf("%d pools, the first of %d pairs of binaries, want one of 15", len(p), len(p[0].pairs))
	}
	from := make(map[float64]int) // which pair of binaries a reading is of
	for i, pair := range p[0].pairs {
		for _, rounds := range pair {
			for _, r := range rounds {
				from[nsPerOp(r.Readings[gate.Head])] = i
			}
		}
	}
	orders, ever := make(map[string]bool), make(map[int]bool)
	for seed := range uint64(20) {
		run := p[0].run(seed)
		var drawn [2][]int
		for i := range 2 {
			for number := 1; ; number++ {
				rounds := run.next(madeUp(i), number)
				if len(rounds) == 0 {
					break
				}
				if len(rounds) != gate.PairsPerBuild {
					t.Fatalf("%d rounds of a pair of binaries, want %d", len(rounds), gate.PairsPerBuild)
				}
				drawn[i] = append(drawn[i], from[nsPerOp(rounds[0].Readings[gate.Head])])
			}
		}
		if fmt.Sprint(drawn[0]) != fmt.Sprint(drawn[1]) || len(drawn[0]) != 5 {
			t.Fatalf("pairs of binaries %v and %v, want 5 and the same of both", drawn[0], drawn[1])
		}
		once := make(map[int]bool)
		for _, i := range drawn[0] {
			if once[i] {
				t.Fatalf("pairs of binaries %v: one of them twice", drawn[0])
			}
			once[i], ever[i] = true, true
		}
		orders[fmt.Sprint(drawn[0])] = true
	}
	if len(orders) < 15 || len(ever) != 15 {
		t.Errorf("%d different runs of 20, of %d pairs of binaries of 15", len(orders), len(ever))
	}
}

// Each change of changes.toml applies to its module, which builds with it, and with the
// harmless function beside it; a module in a version that has another function is not
// changed silently.
func TestChanges(t *testing.T) {
	if testing.Short() {
		t.Skip("builds modules")
	}
	changes, err := readChanges("changes.toml")
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for _, c := range changes {
		m, err := find(c.Module)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(c.Module+"/"+c.Name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "m")
			if err := m.copyTo(ctx, dir); err != nil && m.name != "xsync" { // go.mod has that
				t.Skip("no copy of the module here: ", err)
			} else if err != nil {
				t.Fatal(err)
			}
			if err := c.apply(dir, 3); err != nil {
				t.Fatal(err)
			}
			if err := m.addHarmless(dir); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command("go", "build", "./"+filepath.Dir(c.File))
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "GOWORK=off")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			// All benchmarks that it says it makes slower are there.
			names := append([]string{c.Target}, c.Also...)
			for _, name := range names {
				if found := hasBenchmark(t, filepath.Join(dir, filepath.Dir(c.File)), name); !found {
					t.Errorf("no benchmark %s", name)
				}
			}
			c.Function = strings.Replace(c.Function, "func ", "func  ", 1)
			if err := c.apply(dir, 3); err == nil {
				t.Error("applied to a function that is not there")
			}
		})
		for _, s := range c.Sizes {
			if s.Work < 1 || s.Of.Benchmark != c.Target || s.Of.Lo > s.Of.Change || s.Of.Change > s.Of.Hi || s.Command == "" {
				t.Errorf("%s: size %+v", c.Name, s)
			}
		}
	}
}

// A change that cannot be sized does not keep the next from being measured.
func TestSizesGoOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "changes.toml")
	gone := func(name string) change {
		return change{Module: "own", Name: name, File: "ticket/ticket.go", Function: "func gone() {", Seed: "1", Target: "Lock"}
	}
	if err := writeChanges(file, []change{gone("first"), gone("second")}); err != nil {
		t.Fatal(err)
	}
	s := &sizes{stderr: io.Discard, file: file, dir: t.TempDir(), binaries: 1, pairs: 1}
	err := s.run(t.Context(), "a test", func(change) bool { return true })
	for _, want := range []string{"first of own", "second of own"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v: nothing of %s", err, want)
		}
	}
}

// hasBenchmark reports whether a test file of the directory has the top-level function
// of the benchmark.
func hasBenchmark(t *testing.T, dir, name string) (found bool) {
	t.Helper()
	top, _, _ := strings.Cut(name, "/")
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(filepath.Join(dir, path))
		found = found || strings.Contains(string(source), "func Benchmark"+top+"(")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// The amount of work is what makes it slower, so that it can be fitted.
func TestInterpolate(t *testing.T) {
	effect := map[int]float64{2: 0.01, 6: 0.03, 18: 0.11}
	for want, work := range map[float64]int{0.005: 1, 0.02: 4, 0.05: 9, 0.10: 17} {
		if got := interpolate(effect, want); got != work {
			t.Errorf("work for %g = %d, want %d", want, got, work)
		}
	}
	if got := interpolate(map[int]float64{4: 0.01}, 0.05); got <= 4 {
		t.Errorf("work for more than is known = %d, want more than 4", got)
	}
}

// A run that is there is kept, and what a killed one left is thrown away.
func TestRecordResumes(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "uuid", "none", "001")
	write(t, whole, meta{Module: "uuid", Seed: 42}, noise{pair: 0.01}, 1, 2, 0)
	killed := filepath.Join(dir, "uuid", "none", "002.partial")
	write(t, killed, meta{Module: "uuid", Seed: 43}, noise{pair: 0.01}, 1, 2, 0)

	ctx, cancel := context.WithCancel(context.Background())
	cancel() // so that what it begins ends at once
	var stderr bytes.Buffer
	r := &recorder{stderr: &stderr, dir: dir}
	m, err := find("uuid")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.record(ctx, m, 0, 1); err != nil {
		t.Errorf("one run is wanted, and there: %v", err)
	}
	if err := r.record(ctx, m, 0, 2); err == nil || !strings.Contains(err.Error(), "002") {
		t.Errorf("interrupted in the second run: %v, want an error that names it", err)
	}
	if _, err := os.Stat(filepath.Join(killed, metaFile)); err == nil {
		t.Error("what the killed run left is still there")
	}
	tapes, err := readTapes(dir)
	if err != nil || len(tapes) != 1 || tapes[0].Seed != 42 {
		t.Errorf("tapes %v, %v, want the first one alone", tapes, err)
	}
	if err := r.record(ctx, m, 0.05, 1); err == nil || !strings.Contains(err.Error(), "gatetrial size") {
		t.Errorf("a change whose size is not known: %v, want an error that says how to measure it", err)
	}
}

func TestMadeUp(t *testing.T) {
	ctx := context.Background()
	x := noise{pair: 0.004, layout: 0.004}
	o, err := x.try(ctx, 10, 4, 20)
	if err != nil {
		t.Fatal(err)
	}
	if o.Alarms != (share{0, 4}) || o.Found10 != (share{4, 4}) || o.Told.Of != 40 || o.Comparisons.Of != 4*9*2 {
		t.Errorf("4 runs of ten quiet benchmarks: %+v", o)
	}
	// What a run measures is what was asked for.
	base, head := noise{pair: 1e-9, layout: 0, drift: 0}.run(1, 1, 0.10, 2).times(madeUp(0), 0)
	if len(base) != 2*gate.PairsPerBuild || math.Abs(head[0]/base[0]-1.10) > 1e-6 {
		t.Errorf("times %v and %v, want %d, the head's a tenth longer", base, head, 2*gate.PairsPerBuild)
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"":                                    "want size, record, replay",
		"aa":                                  "want size, record, replay",
		"record":                              "want -dir",
		"record -dir x -change 7":             "-change 7: want some of none, 5 and 10",
		"record -dir x -module uuuid":         `unknown module "uuuid" (known: uuid, gjson, xsync, own)`,
		"replay":                              "want -dir",
		"sim -benchmarks 1,x":                 "-benchmarks x: want numbers of at least 1",
		"size x":                              `want flags alone, have "x"`,
		"replay -dir " + "/nonexistent/tapes": "no tapes: go run ./tools/gatetrial record",
	} {
		var stdout, stderr bytes.Buffer
		code := run(strings.Fields(args), &stdout, &stderr)
		if code == 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("gatetrial %s: exit code %d, %s, want %q", args, code, &stderr, want)
		}
	}
}
