package main

import (
	"bytes"
	"encoding/xml"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/claims"
	"github.com/lockbench/lockbench/results"
)

const root = "../.."

// drawnElsewhere are figures that this command does not draw.
var drawnElsewhere = map[string]string{
	"phases.svg":       "drawn by hand",
	"qspinlock.svg":    "drawn by hand",
	"rwlock-words.svg": "drawn by hand",
	"fig-schedule.svg": "a test of package check draws it",

	"fig-waits-ticket.svg":         "lockbench export draws it",
	"fig-waits-ticket-dark.svg":    "lockbench export draws it",
	"fig-waits-preempted.svg":      "lockbench export draws it",
	"fig-waits-preempted-dark.svg": "lockbench export draws it",
}

// The published files are those that the present data give, and are well-formed.
func TestPublished(t *testing.T) {
	published, err := draw(root)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range published {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(got, want) && runtime.GOARCH == "amd64" { // other machines may round coordinates differently
			t.Errorf("%s is stale: go run ./tools/figures", name)
		}
		if !strings.HasSuffix(name, ".svg") {
			continue
		}
		d := xml.NewDecoder(bytes.NewReader(want))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
	}

	// Each figure must be drawn by this command.
	have, err := filepath.Glob(filepath.Join(root, "docs", "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := maps.Clone(drawnElsewhere)
	for _, trace := range traces {
		for _, dark := range []bool{false, true} {
			elsewhere[filepath.Base(trace.file(dark))] = "locksim trace draws it"
		}
	}
	for _, claim := range claims.Names() {
		elsewhere["claims-"+claim+".svg"] = "lockbench claims draws it"
	}
	if published[gateFigure] == nil {
		elsewhere["fig-gate.svg"] = "from before its data were kept"
	}
	for _, name := range have {
		name = filepath.Base(name)
		_, here := published["docs/"+name]
		if _, there := elsewhere[name]; here == there {
			t.Errorf("docs/%s: drawn here: %t, elsewhere: %t, want one of them", name, here, there)
		}
		delete(elsewhere, name)
	}
	for name := range elsewhere {
		t.Errorf("docs/%s is not there", name)
	}
}

// Each file of results is from the commands that the page lists for it.
func TestDatasets(t *testing.T) {
	files, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range datasets {
		info, err := os.Stat(filepath.Join(root, d.path()))
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > 700<<10 { // 300 on an idle machine, where few samples are of an unknown distance
			t.Errorf("%s has %d bytes, want 700 KiB at most", d.path(), info.Size())
		}
		want := make(map[string]bool)
		for _, flags := range d.runs {
			args := strings.Fields(flags)
			for name := range strings.SplitSeq(args[slices.Index(args, "--locks")+1], ",") {
				want[name] = true
			}
		}
		got := make(map[string]bool)
		for _, s := range files[d.name].Samples {
			got[s.Lock] = true
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s has samples of %v, its commands measure %v: go run ./tools/figures -measure %s", d.path(), slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)), d.name)
		}
		for name := range want {
			if name = strings.TrimSuffix(name, "-model"); typeOf(name) == "``" && name != results.Empty {
				t.Errorf("%s: no type for lock %s", d.path(), name)
			}
		}
		// Each dataset must be used by a figure or a table.
		used := d.pages || slices.ContainsFunc(measured, func(m measuredFigure) bool { return m.data == d.name }) ||
			slices.ContainsFunc(situations, func(s situation) bool { return s.data == d.name })
		if !used {
			t.Errorf("%s: neither a figure nor the table is of it", d.path())
		}
	}
	have, err := filepath.Glob(filepath.Join(root, "docs", "data", "*.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(have) != len(datasets) {
		t.Errorf("%d files in docs/data, want those of %d datasets", len(have), len(datasets))
	}
	for _, s := range situations {
		if !slices.ContainsFunc(files[s.data].Samples, func(sample results.Sample) bool { return s.in(sample.Cell) }) {
			t.Errorf("%s: no sample in %s.txt", s.says, s.data)
		}
	}
}

func TestFastest(t *testing.T) {
	r := func(lock string, lo, median, hi float64) results.Ratio {
		return results.Ratio{Cell: results.Cell{Lock: lock}, Lo: lo, Median: median, Hi: hi}
	}
	inOrder := map[string]bool{"ticket": true, "mcs": true}
	for _, test := range []struct {
		ratios []results.Ratio
		want   string
	}{
		{nil, "–"},
		{[]results.Ratio{r("ttas", .9, .95, 1.1)}, "`sync.Mutex`: none is surely faster"},
		{[]results.Ratio{r("ttas", 1.9, 2, 2.1), r("mcs", 3, 4, 5)}, "`sync.Mutex`: none is surely faster; in order: `mcs.Lock`, ×0.25"},
		{[]results.Ratio{r("mcs", .9, .95, 1.1)}, "`sync.Mutex`: none is surely faster; in order: `mcs.Lock`, as fast"},
		{[]results.Ratio{r("mcs", .7, .8, .9), r("ttas", .4, .5, .6)}, "`spinlock.TTAS`, ×2; in order: `mcs.Lock`, ×1.2"},
		{[]results.Ratio{r("ticket", .4, .5, .6), r("ttas", .5, .55, .65)}, "`ticket.Lock`, `spinlock.TTAS`, ×2"},
		{[]results.Ratio{r("ticket", .4, .5, .6), r("ttas", .5, .55, .65), r("mcs", .5, .56, .6), r("backoff", .5, .57, .6)},
			"`ticket.Lock`, `spinlock.TTAS` and 2 more, ×2"},
	} {
		got := fastest(test.ratios, "sync.Mutex")
		if got += fair(test.ratios, inOrder); got != test.want {
			t.Errorf("of %v: %s, want %s", test.ratios, got, test.want)
		}
	}
}

// The figure of the rules is drawn if there are data, for both kinds of pages, and only
// from the real runs of all modules.
func TestRules(t *testing.T) {
	root := t.TempDir()
	published := make(map[string][]byte)
	if err := drawRules(root, published); err != nil || len(published) != 0 {
		t.Errorf("without data: %d files, %v, want none", len(published), err)
	}
	name := filepath.Join(root, rulesData)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	for data, want := range map[string]string{
		`[]`: "no rule on the real runs of all modules",
		`{`:  rulesData,
		`[{"rule": "a", "module": "uuid"}, {"rule": "a", "module": "all", "recombined": true}]`: "no rule on the real runs of all modules",
	} {
		if err := os.WriteFile(name, []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := drawRules(root, published); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of %s: %v, want an error with %q", data, err, want)
		}
	}
	const some = `{"n": 1, "of": 20, "lo": 0.001, "hi": 0.25}`
	data := `[{"rule": "one rule", "module": "all", "alarms": ` + some + `, "found5": ` + some + `, "found10": ` + some + `},
		{"rule": "another", "module": "uuid", "alarms": ` + some + `}]`
	if err := os.WriteFile(name, []byte(data), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := drawRules(root, published); err != nil {
		t.Fatal(err)
	}
	light, dark := published[rulesFigure+".svg"], published[rulesFigure+"-dark.svg"]
	if !bytes.Contains(light, []byte("one rule")) || bytes.Contains(light, []byte("another")) || !bytes.Contains(light, []byte("20 real runs")) {
		t.Error("the figure does not have the one rule, and 20 runs, and nothing else")
	}
	if len(dark) == 0 || bytes.Equal(light, dark) {
		t.Error("the dark figure is not another")
	}
}

// In the figure of routes no text is wider than its box.
func TestRoutesFit(t *testing.T) {
	for _, r := range routes {
		if len(r.stations) != 6 || r.into+1 >= len(r.stations) {
			t.Errorf("%s: %d stations, and one more into number %d; want 6, and two that it is as wide as", r.title, len(r.stations), r.into)
		}
		for _, s := range r.stations {
			if !s.fits(stationW) || len(s.says) > 3 {
				t.Errorf("%s: %s, %q: want three lines at most, that fit the box", r.title, s.name, s.says)
			}
		}
		if !r.aside.fits(asideW) || len(r.aside.says) > 1 {
			t.Errorf("%s: %s, %q: want one line that fits the box", r.title, r.aside.name, r.aside.says)
		}
	}
	if wide := (station{name: "a", says: []string{"what is much too wide for a box"}}); wide.fits(stationW) {
		t.Error("what is too wide fits")
	}
}

// The page that shows the traces has the command of each.
func TestTraces(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "simulator.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, trace := range traces {
		command := "locksim trace " + trace.flags + " --out " + trace.file(false)
		for _, want := range []string{command, filepath.Base(trace.file(false)), filepath.Base(trace.file(true))} {
			if !strings.Contains(strings.ReplaceAll(string(page), "\\\n", ""), want) {
				t.Errorf("docs/simulator.md does not have %s", want)
			}
		}
	}
	commands := traceCommands()
	if last := commands[len(commands)-1]; len(commands) != 2*len(traces) || !slices.Contains(last, "--dark") {
		t.Errorf("%d commands, want %d, the last for a dark page: %q", len(commands), 2*len(traces), last)
	}
}

func TestBetween(t *testing.T) {
	begin, end := choiceMarks[0], choiceMarks[1]
	got, err := between("page", []byte("a\n"+begin+"old\n"+end+"b\n"), choiceMarks, "new\n")
	if want := "a\n" + begin + "new\n" + end + "b\n"; string(got) != want || err != nil {
		t.Errorf("between = %q, %v, want %q", got, err, want)
	}
	for _, page := range []string{"", begin, end, end + begin} {
		if got, err := between("page", []byte(page), choiceMarks, ""); err == nil {
			t.Errorf("between of %q = %q, want an error", page, got)
		}
	}
}

func TestBadArguments(t *testing.T) {
	for args, want := range map[string]string{
		"record":              "figures: record: want -measure before names of datasets\n",
		"-measure recrod mpa": `unknown dataset "mpa" (known: locks, many, `,
		"-draw":               "flag provided but not defined: -draw",
	} {
		var stderr strings.Builder
		if code := run(strings.Fields(args), &stderr); code != 2 || !strings.Contains(stderr.String(), want) {
			t.Errorf("figures %s: exit code %d, %s, want 2 and %s", args, code, &stderr, want)
		}
	}
}

// The simulator's tables have what was published beside what is simulated, and a file that
// makes no sense is refused.
func TestSimulated(t *testing.T) {
	root := t.TempDir()
	name := filepath.Join(root, simData)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := readSimulated(root); err == nil || !strings.Contains(err.Error(), simMaker) {
		t.Errorf("without data: %v, want how to make them", err)
	}
	const head = "# a comment\nsubject,machine,series,cpus,simulated,published,unit\n"
	for rows, want := range map[string]string{
		"":                 "no points",
		"a,m,s,1,2,3\n":    "sim.csv",
		"a,m,s,one,2,,ns":  "point 1",
		"a,m,s,1,two,,ns":  "point 1",
		"a,m,s,1,2,two,ns": "point 1",
	} {
		if err := os.WriteFile(name, []byte(head+rows), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := readSimulated(root); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of %q: %v, want an error with %q", rows, err, want)
		}
	}
	const rows = "a,m,one,1,7.21,7.2,ns\na,m,one,16,1234,2000,ns\na,m,two,16,23,20,ns\n"
	if err := os.WriteFile(name, []byte(head+rows), 0o666); err != nil {
		t.Fatal(err)
	}
	all, err := readSimulated(root)
	if err != nil {
		t.Fatal(err)
	}
	want := "| CPUs | one | two |\n|---|---|---|\n| 1 | 7.2, 7.2: 0 % | |\n| 16 | 2,000, 1,234: −38 % | 20, 23: +15 % |\n"
	if got := beside(all.of("a", "m"), series); got != want {
		t.Errorf("beside:\n%s, want\n%s", got, want)
	}
	want = "| CPUs | 1 | 16 |\n|---|---|---|\n| `one` | 0.72 | 123 |\n| `two` | | 2.3 |\n"
	if got := overCPUs(all.of("a", ""), 10); got != want {
		t.Errorf("overCPUs:\n%s, want\n%s", got, want)
	}
	for _, panel := range []simPanel{{subject: "b", machine: "m", divide: 1}, {subject: "a", machine: "m", series: []string{"three"}, divide: 1}} {
		if _, err := panel.plot(all.of(panel.subject, panel.machine)); err == nil {
			t.Errorf("%+v: no error without curves", panel)
		}
	}
	for _, linear := range []bool{true, false} {
		if _, err := (simPanel{subject: "a", machine: "m", divide: 1, linear: linear}).plot(all); err != nil {
			t.Error(err)
		}
	}
}
