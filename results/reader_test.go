package results_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/lockbench/lockbench/results"
)

func TestReadFile(t *testing.T) {
	got, err := results.ReadFile(filepath.Join("testdata", "sweep.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Facts, facts) {
		t.Errorf("facts %+v, want %+v", got.Facts, facts)
	}
	samples := sweep(6, []int{0})
	if len(got.Samples) != len(samples) {
		t.Fatalf("%d samples, want %d", len(got.Samples), len(samples))
	}
	want := results.Sample{
		Cell: results.Cell{
			Lock:    "sync.RWMutex",
			Workers: 4,
			Think:   100 * time.Nanosecond,
			CPUs:    4,
		},
		Round:          1,
		Distance:       results.Near,
		Oversubscribed: true,
		Ops:            25216,
		Values:         []results.Value{{"ns/op", 118.972}, {"ops/s", 8405369}, {"jain", 0.992495}},
	}
	if !reflect.DeepEqual(got.Samples[1], want) {
		t.Errorf("second sample\n%+v, want\n%+v", got.Samples[1], want)
	}
}

// An output of go test with other benchmarks, a log and CRLF in it.
func TestReadGoTest(t *testing.T) {
	const in = "goos: linux\r\ngoarch: amd64\r\npkg: github.com/lockbench/lockbench/harness\r\ncpu: AMD EPYC\r\n" +
		`BenchmarkLock-2                                                            184291234                6.412 ns/op
BenchmarkSweep
BenchmarkSweep/lock=ticket/reads=0/workers=1/hold=0s/think=100ns           10917        108.5 ns/op          1.000 jain
BenchmarkSweep/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2         18311        65.10 ns/op          0 B/op         0 allocs/op
    sweep_test.go:12: round trip 45 ns
BenchmarkContended/cs=0/out=100-2         18311        65.10 ns/op
PASS
ok  	github.com/lockbench/lockbench/harness	4.012s
?   	github.com/lockbench/lockbench/cmd	[no test files]
goos: linux
pkg: github.com/lockbench/lockbench/ticket
`
	got, err := results.ReadAll(strings.NewReader(in), "bench.txt")
	if err != nil {
		t.Fatal(err)
	}
	alone := ticket
	alone.Workers, alone.CPUs = 1, 1
	want := &results.File{
		Name:  "bench.txt",
		Facts: results.Facts{GOOS: "linux", GOARCH: "amd64", CPU: "AMD EPYC"},
		Samples: []results.Sample{
			{Cell: alone, Ops: 10917, Values: []results.Value{{"ns/op", 108.5}, {"jain", 1}}},
			{Cell: ticket, Ops: 18311, Values: []results.Value{{"ns/op", 65.1}, {"B/op", 0}, {"allocs/op", 0}}},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

const (
	line     = "BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2\t5\t61 ns/op\n"
	wantLine = `want lines such as "BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2 5000000 61 ns/op"`
)

func TestReadErrors(t *testing.T) {
	benchmark := func(s string) string { return strings.Replace(line, "\t5\t61 ns/op", s, 1) }
	name := strings.TrimSpace(benchmark(""))
	for _, test := range []struct {
		what, in string
		samples  int
		want     string
	}{
		{"empty", "", 0, "x:1: empty file: " + wantLine},
		{"foreign", "{\n}\n", 0, "x:2: not a results file: " + wantLine},
		{"other benchmarks only", "BenchmarkFoo-2 1 1 ns/op\n", 0, "x:1: not a results file: " + wantLine},
		{"header only", "goos: linux\nmachine: host\n", 0, "x:2: no samples: " + wantLine},
		{"binary", strings.Repeat("\x00", 1<<17), 0, "x:1: line is longer than 32768 bytes, which is not a benchmark"},
		{"torn", line + line[:len(line)-1], 1, `x:2: last line is cut off: want a newline behind "` + strings.ReplaceAll(line[:len(line)-1], "\t", `\t`) + `"`},
		{"torn at once", "goos", 0, `x:1: last line is cut off: want a newline behind "goos"`},

		{"no operations", line + benchmark(" ") + line, 2, `x:2: missing iteration count: want "BenchmarkName operations value unit ...", have "` + name + ` "`},
		{"operations", benchmark(" many 61 ns/op"), 0, `x:1: parsing iteration count: invalid syntax: want "BenchmarkName operations value unit ...", have "` + name + ` many 61 ns/op"` + "\nx:1: not a results file: " + wantLine},
		{"no values", line + benchmark(" 5"), 1, `x:2: missing measurements: want "BenchmarkName operations value unit ...", have "` + name + ` 5"`},
		{"no unit", line + benchmark(" 5 61"), 1, `x:2: missing units: want "BenchmarkName operations value unit ...", have "` + name + ` 5 61"`},
		{"value", line + benchmark(" 5 fast ns/op"), 1, `x:2: parsing measurement: invalid syntax: want "BenchmarkName operations value unit ...", have "` + name + ` 5 fast ns/op"`},
		{"unit line", "Unit ns/op better higher=\n" + line, 1, `x:1: expected key=value: want "Unit name key=value ...", have "Unit ns/op better higher="`},
		{"units disagree", "Unit jain better=higher\nUnit jain better=lower\n" + line, 1, `x:2: metadata better of unit jain already set to higher: want "Unit name key=value ...", have "Unit jain better=lower"`},

		{"cell", line + "BenchmarkLock/lock=a/cs=1-2 5 61 ns/op\n" + line, 2, `x:2: benchmark "Lock/lock=a/cs=1-2": unknown key "cs" (known: lock, reads, workers, readers, writers, hold, think, workload, work, mode, load, gc, place)`},
		{"NaN", line + benchmark(" 5 NaN ns/op"), 1, "x:2: NaN ns/op: must be finite"},
		{"negative", line + benchmark(" -5 61 ns/op"), 1, "x:2: -5 operations: must not be negative"},
		{"unit twice", line + benchmark(" 5 61 ns/op 62 ns/op"), 1, "x:2: unit ns/op twice"},
		{"distance", "machine: host\ndistance: close\n" + line, 0, `x:2: distance: want local, near, far or mixed, have "close"` + "\n" + `x:3: distance "close": must be local, near, far or mixed`},
		{"no space behind a key", "distance:close\n" + line, 1, "no error"}, // no key to benchstat either
		{"oversubscribed", "machine: host\noversubscribed: maybe\n" + line, 1, `x:2: oversubscribed: want true or false, have "maybe"`},
		{"round", "machine: host\n# round: one\n" + line, 1, `x:2: round: want a number, have "one"`},
		{"another machine", "cpu: A\n" + line + "cpu: A\n" + line + "goarch:\ncpu: B\nmachine: sim:C\n" + line + line, 4,
			`x:6: cpu: want "A" as in the samples above, have "B"` + "\n" + `x:7: machine: want "" as in the samples above, have "sim:C"`},
		{"failed", line + "--- FAIL: BenchmarkSweep\nFAIL\nexit status 1\n", 1,
			`x:2: want the output of a run that passed, have "--- FAIL: BenchmarkSweep"` + "\n" + `x:3: want the output of a run that passed, have "FAIL"`},
		{"many", "machine: host\ndistance: close\ndistance:\n" + benchmark(" 5") + line + "tail", 1,
			`x:2: distance: want local, near, far or mixed, have "close"` + "\n" +
				`x:4: missing measurements: want "BenchmarkName operations value unit ...", have "` + name + ` 5"` + "\n" +
				`x:6: last line is cut off: want a newline behind "tail"`},
	} {
		t.Run(test.what, func(t *testing.T) {
			f, err := results.ReadAll(strings.NewReader(test.in), "x")
			if got := message(err); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if got := len(f.Samples); got != test.samples {
				t.Errorf("%d samples, want %d", got, test.samples)
			}
			// Read yields the same, one at a time.
			var errs []error
			samples := 0
			for _, err := range results.Read(strings.NewReader(test.in), "x") {
				if err != nil {
					errs = append(errs, err)
					if e := (*results.SyntaxError)(nil); !errors.As(err, &e) {
						t.Errorf("%v is a %T, want a %T", err, err, e)
					}
				} else {
					samples++
				}
			}
			if got := message(errors.Join(errs...)); got != test.want || samples != test.samples {
				t.Errorf("Read yields %d samples and\n%s\nwant %d and\n%s", samples, got, test.samples, test.want)
			}
		})
	}
}

// A line that does not fit into one Read of a scanner.
func TestReadLongLine(t *testing.T) {
	s := results.Sample{Cell: ticket, Ops: 1}
	for i := range 1000 {
		s.Values = append(s.Values, results.Value{Unit: "ns/op-" + strconv.Itoa(i), Value: float64(i)})
	}
	if got := written(t, []results.Sample{s}); !reflect.DeepEqual(got, []results.Sample{s}) {
		t.Errorf("got %v, want %v", got, s)
	}
}

// The loop may end at any point.
func TestReadStopsWhenAsked(t *testing.T) {
	in := "machine: host\ndistance: close\nFAIL\n" + line + "BenchmarkLock/lock=a 1\n" + line + "tail"
	for stop := range 7 {
		n := 0
		for range results.Read(strings.NewReader(in), "x") {
			if n++; n > stop {
				break
			}
		}
		if want := min(stop+1, 6); n != want {
			t.Errorf("yielded %d times, want %d", n, want)
		}
	}
}

func TestReadErrorOfTheReader(t *testing.T) {
	broken := errors.New("broken pipe")
	r := io.MultiReader(strings.NewReader(line+line), iotest.ErrReader(broken))
	f, err := results.ReadAll(r, "x")
	if got, want := message(err), "x:3: broken pipe"; got != want || !errors.Is(err, broken) {
		t.Errorf("got %s, want %s", got, want)
	}
	if len(f.Samples) != 2 {
		t.Errorf("%d samples, want the 2 before the error", len(f.Samples))
	}
}

// The result does not depend on the pieces in which the text arrives.
func TestReadInPieces(t *testing.T) {
	in, err := os.ReadFile(filepath.Join("testdata", "sweep.txt"))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := results.ReadAll(strings.NewReader(string(in)), "x")
	if err != nil {
		t.Fatal(err)
	}
	pieces, err := results.ReadAll(iotest.OneByteReader(strings.NewReader(string(in))), "x")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(pieces, whole) {
		t.Error("a byte at a time, the file reads differently")
	}
}

func TestReadFileOfNothing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "none.txt")
	if _, err := results.ReadFile(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}
