package report

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/results"
)

// sourceOf returns a source with a text.
func sourceOf(t testing.TB, name, text string) Source {
	t.Helper()
	file, err := results.ReadAll(strings.NewReader(text), name)
	if err != nil {
		t.Fatal(err)
	}
	return Source{File: file, Raw: []byte(text)}
}

const (
	measured = `goos: linux
goarch: amd64
cpu: A CPU
machine: host
# governor: performance </script><b>
BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2 100 60 ns/op 0.9 jain
BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2 100 62 ns/op 0.9 jain
BenchmarkLock/lock=mcs/reads=0/workers=2/hold=0s/think=100ns-2 100 80 ns/op 1 jain
`
	simulated = `machine: sim:milan-2s
BenchmarkLock/lock=ticket/reads=0/workers=64/hold=0s/think=100ns-64 100 900 ns/op 64 lines/op
`
)

func page(t testing.TB, p Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var inPage = regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`)

// drawn returns what the page draws.
func drawn(t testing.TB, page string) (d data) {
	t.Helper()
	found := inPage.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no data in the page:\n%.2000s", page)
	}
	if err := json.Unmarshal([]byte(found[1]), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// The page has each cell once, by machine, with its medians, and the files themselves; and
// nothing in a file can end its scripts.
func TestPage(t *testing.T) {
	p := Page{
		Sources: []Source{sourceOf(t, "a.txt", measured), sourceOf(t, "b.txt", simulated)},
		Locks:   []Lock{{Name: "ticket", Bytes: 8}},
	}
	text := page(t, p)
	d := drawn(t, text)
	if len(d.Machines) != 2 || d.Machines[0] != (machine{"A CPU", false}) || d.Machines[1] != (machine{"simulated milan-2s", true}) {
		t.Errorf("machines %v", d.Machines)
	}
	if len(d.Cells) != 3 || len(d.Situations) != 1 || d.Situations[0] != (situation{"a worker per CPU, hold 0s, think 100ns", 3}) {
		t.Errorf("cells %v, situations %v", d.Cells, d.Situations)
	}
	for _, c := range d.Cells {
		lock := d.Locks[c.Lock]
		if lock.Name == "ticket" && c.CPUs == 2 && (c.Samples != 2 || d.Units[int(c.Values[0][0])].Name != "ns/op" || c.Values[0][1] != 61 || len(c.Values[0]) != 2) {
			t.Errorf("cell %+v: want 2 samples, and 61 ns/op without an interval", c)
		}
		if lock.Known != (lock.Name == "ticket") {
			t.Errorf("lock %+v", lock)
		}
	}
	if strings.Contains(text, "</script><b>") || !strings.Contains(text, "performance &lt;/script&gt;") {
		t.Errorf("a note is not quoted")
	}
	for _, s := range p.Sources {
		found := regexp.MustCompile(`href="data:application/gzip;base64,([^"]*)" download="` + s.File.Name + `\.gz"`).FindStringSubmatch(text)
		if found == nil {
			t.Errorf("%s cannot be downloaded", s.File.Name)
			continue
		}
		packed, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(found[1], "&#43;", "+"))
		if err != nil {
			t.Fatal(err)
		}
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		if raw, err := io.ReadAll(z); err != nil || !bytes.Equal(raw, s.Raw) {
			t.Errorf("%s: downloaded\n%s\nerror %v", s.File.Name, raw, err)
		}
	}
	if regexp.MustCompile(`(?:src|href)="(?:https?:)?//|@import|url\(http`).MatchString(text) {
		t.Error("the page needs the network")
	}
	if !strings.Contains(text[:1024], Mark) {
		t.Error("the page does not say soon that it is one")
	}
}

// Whether all locks were measured in the same situation is said in words.
func TestSituations(t *testing.T) {
	for _, test := range []struct {
		cell results.Cell
		want string
	}{
		{results.Cell{CPUs: 1, Workers: 1}, "one worker alone, no think time"},
		{results.Cell{CPUs: 2, Workers: 2, Think: time.Microsecond}, "a worker per CPU, hold 0s, think 1µs"},
		{results.Cell{CPUs: 2, Workers: 8, Hold: time.Microsecond}, "4 workers per CPU, hold 1µs, think 0s"},
		{results.Cell{CPUs: 2, Workers: 3, Mode: "pinned"}, "3 workers, hold 0s, think 0s, mode pinned"},
		{results.Cell{CPUs: 4, Workers: 4, Readers: 3, Writers: 1, Workload: "log"}, "3 readers, 1 writer, hold 0s, think 0s, workload log"},
	} {
		if got := words(test.cell); got != test.want {
			t.Errorf("%v: %q, want %q", test.cell, got, test.want)
		}
	}
}

// Waits are the quantiles of the file; samples of changing distance are left out.
func TestWaits(t *testing.T) {
	s := results.Sample{
		Cell: results.Cell{Lock: "mcs", CPUs: 2, Workers: 2}, Distance: results.Far, Ops: 100,
		Values: []results.Value{{Unit: "ns/op", Value: 50}},
		Waits:  []results.Wait{{Role: "write", Counts: []results.Count{{NS: 10, N: 90}, {NS: 1000, N: 10}}}},
	}
	mixed := s
	mixed.Distance = results.Mixed
	d, left := gather([]Source{{File: &results.File{Facts: results.Facts{Machine: "host"}, Samples: []results.Sample{s, s, mixed}}}}, nil)
	if left != 1 || len(d.Cells) != 1 || d.Cells[0].Samples != 2 {
		t.Fatalf("cells %+v, %d left out", d.Cells, left)
	}
	waits := d.Cells[0].Waits["write"]
	at := func(p float64) int64 {
		return waits[slices.IndexFunc(d.Shares, func(s float64) bool { return s > p-1e-9 })]
	}
	if at(0.5) != 10 || at(0.9) != 10 || at(0.99) != 1000 {
		t.Errorf("waits %v of shares %v", waits, d.Shares)
	}
}

// Without samples there is no page.
func TestNothing(t *testing.T) {
	for _, p := range []Page{{}, {Sources: []Source{{File: &results.File{}}}}} {
		var b bytes.Buffer
		if err := p.Write(&b); err == nil || b.Len() > 0 {
			t.Errorf("%v: error %v, %d bytes: want an error alone", p, err, b.Len())
		}
	}
}

// Whatever can be read makes a page whose data can be read.
func FuzzPage(f *testing.F) {
	f.Add([]byte(measured))
	f.Add([]byte(simulated))
	if sweep, err := os.ReadFile("../../results/testdata/sweep.txt"); err == nil {
		f.Add(sweep)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := results.ReadAll(bytes.NewReader(text), "x.txt")
		if err != nil || len(file.Samples) == 0 {
			return
		}
		d := drawn(t, page(t, Page{Sources: []Source{{File: file, Raw: text}}}))
		for _, c := range d.Cells {
			if c.Lock >= len(d.Locks) || c.Machine >= len(d.Machines) || c.Situation >= len(d.Situations) {
				t.Errorf("cell %+v: an index is out of range", c)
			}
		}
	})
}
