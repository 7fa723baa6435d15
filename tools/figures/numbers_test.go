package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/results"
)

// rounds returns samples of a lock in as many rounds as there are times.
func rounds(lock string, cpus int, at results.Distance, lines float64, times ...float64) (all []results.Sample) {
	for i, ns := range times {
		all = append(all, results.Sample{
			Cell:     results.Cell{Lock: lock, CPUs: cpus, Workers: cpus, Think: 100},
			Round:    i + 1,
			Distance: at, Ops: 100,
			Values: []results.Value{{Value: ns, Unit: "ns/op"}, {Value: lines, Unit: "lines/op"}},
		})
	}
	return all
}

// A block has the medians with their intervals, the comparison with sync.Mutex, the file and
// its command; a lock without data is named, and so is a machine that was busy.
func TestNumbers(t *testing.T) {
	p := page{name: "ticket", locks: []string{"ticket", "ticket-pb"}, reads: []int{0}}
	files := make(map[string]*results.File)
	for _, d := range datasets {
		files[d.name] = new(results.File)
	}
	here := files["primitives"]
	here.CPU = "A CPU"
	here.Note("date", "2026-11-30T07:00:00Z")
	here.Note("fitness", "load 5.4, pressure 71 %")
	here.Samples = slices.Concat(
		rounds("sync.Mutex", 1, results.Local, 0, 10, 10, 10, 10, 10, 10, 10),
		rounds("ticket", 1, results.Local, 0, 20, 21, 22, 23, 24, 25, 26),
		rounds("sync.Mutex", 2, results.Far, 0, 100, 200),
		rounds("ticket", 2, results.Far, 0, 300, 400),
	)
	there := files["sim-locks"]
	there.Facts = results.Simulated("box")
	there.Note("about", "two boxes")
	there.Samples = slices.Concat(
		rounds("sync.Mutex-model", 1, results.Local, 0, 9),
		rounds("ticket", 1, results.Local, 0, 8),
		rounds("ticket", 96, results.Unknown, 21.26, 816, 818, 820),
	)
	const want = "**Measured**, ns/op (in brackets the 95 % interval of the median; × the time of `sync.Mutex` in the\n" +
		"same rounds, ≈ if its interval has 1): sections on one shared line, 100 ns between them, A CPU,\n" +
		"2026-11-30, **while the machine was busy** (load 5.4). From [primitives.txt](data/primitives.txt),\n" +
		"by `go run ./tools/figures -measure primitives`.\n" +
		`
| lock | 1 CPU | 2 CPUs, far |
|---|---|---|
| §sync.Mutex§ | 10 (10–10) | 150 (2 samples) |
| §ticket§ | 23 (20–26) ×2.30 | 350 (2 samples) |

**Simulated**, ns/op and, after the semicolon, lines/op (cache lines that travel for an operation;
medians of 3 seeds): sections on one shared line, 100 ns between them, on §box§: two boxes. From
[sim-locks.txt](data/sim-locks.txt), by §go run ./tools/figures -measure sim-locks§.

| lock | 1 CPU | 96 CPUs |
|---|---|---|
| §sync.Mutex-model§ | 9.0; 0 | – |
| §ticket§ | 8.0; 0 | 818; 21.3 |

Not measured: §ticket-pb§.

Not simulated: §ticket-pb§.

`
	if got := strings.ReplaceAll(p.numbers(files), "`", "§"); got != strings.ReplaceAll(want, "`", "§") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}

	p = page{name: "rwlock", locks: []string{"ticket"}, reads: []int{0, 90}}
	for i := range here.Samples[:14] {
		here.Samples[i].Values[0].Value = float64(10 + i%7)
	}
	if got := p.numbers(files); !strings.Contains(got, "| `ticket` | 0 % | 13 (10–16) ≈ |") {
		t.Errorf("of two shares of reads, and times that are the same:\n%s", got)
	}
	for want, r := range map[string]results.Ratio{
		"≈": {Lo: 0.9, Median: 0.95, Hi: 1}, "×0.80": {Lo: 0.7, Median: 0.8, Hi: 0.9}, "×2.30": {Lo: 1.1, Median: 2.3, Hi: 3},
	} {
		if got := against(r); got != want {
			t.Errorf("against of %v = %s, want %s", r, got, want)
		}
	}
	if got, want := (page{why: "it waits"}).numbers(files), "There are no numbers here: it waits.\n"; got != want {
		t.Errorf("without locks: %q, want %q", got, want)
	}
}

// Two CPUs at an unknown distance are a column only if there is no other with two.
func TestColumns(t *testing.T) {
	for want, at := range map[string][]results.Distance{
		"1 CPU, 2 CPUs":                    {results.Unknown, results.Local},
		"1 CPU, 2 CPUs, near, 2 CPUs, far": {results.Unknown, results.Far, results.Local, results.Near},
		"2 CPUs, far":                      {results.Unknown, results.Far},
		"2 CPUs, near":                     {results.Unknown, results.Near},
	} {
		var samples []results.Sample
		for _, d := range at {
			samples = append(samples, results.Sample{Distance: d})
		}
		var got []string
		for _, c := range columns(samples) {
			got = append(got, c.head)
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("of %v: %s, want %s", at, got, want)
		}
	}
}

// Each page of a primitive is written by its name, and its locks are in the catalogue; each
// block in docs is one of those.
func TestPages(t *testing.T) {
	marks := regexp.MustCompile("<!-- numbers: (.*?) -->")
	all, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".md")
		for _, m := range marks.FindAllSubmatch(text, -1) {
			if string(m[1]) != name || !slices.ContainsFunc(pages, func(p page) bool { return p.name == name }) {
				t.Errorf("docs/%s.md: numbers of %s, want those of the page, which is one of those of primitives", name, m[1])
			}
		}
	}
	for _, p := range pages {
		if len(p.locks) == 0 && p.why == "" {
			t.Errorf("%s: neither locks nor why", p.name)
		}
		for _, lock := range p.locks {
			if _, err := catalog.Match(lock); err != nil {
				t.Errorf("%s: %v", p.name, err)
			}
		}
	}
}

// The pages with marks are written, and others are not.
func TestDrawNumbers(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "docs"), 0o777); err != nil {
		t.Fatal(err)
	}
	begin, end := numbersMarks("completion")[0], numbersMarks("completion")[1]
	for name, text := range map[string]string{"completion": "a\n" + begin + "old\n" + end + "b\n", "mutex": "no marks\n"} {
		if err := os.WriteFile(filepath.Join(root, "docs", name+".md"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	files := make(map[string]*results.File)
	for _, d := range datasets {
		files[d.name] = new(results.File)
	}
	published := make(map[string][]byte)
	if err := drawNumbers(root, files, published); err != nil {
		t.Fatal(err)
	}
	got := string(published["docs/completion.md"])
	if len(published) != 1 || !strings.HasPrefix(got, "a\n"+begin+"There are no numbers") || !strings.HasSuffix(got, ".\n"+end+"b\n") {
		t.Errorf("%d pages, %q", len(published), got)
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "mutex.md"), []byte(numbersMarks("mutex")[0]), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := drawNumbers(root, files, published); err == nil || !strings.Contains(err.Error(), "docs/mutex.md: want") {
		t.Errorf("without an end: %v, want an error", err)
	}
}
