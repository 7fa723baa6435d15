package results_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/results"
)

// The output of go test -v for two packages, with logs of all kinds in it.
const goTest = `goos: linux
goarch: amd64
pkg: example.org/a
cpu: AMD EPYC
BenchmarkSum
BenchmarkSum/n=10
BenchmarkSum/n=10-2         	  184291	      6412 ns/op	1596.99 MB/s	      16 B/op	       1 allocs/op
--- BENCH: BenchmarkSum/n=10-2
    a_test.go:12: BenchmarkSum-2 1 2 ns/op is only a log
    a_test.go:13: done: 5
Benchmarking the parser
BenchmarkSlow-2             	       1	1234567890123 ns/op
PASS
ok  	example.org/a	4.012s
?   	example.org/c	[no test files]
goos: linux
goarch: amd64
pkg: example.org/b
cpu: AMD EPYC
Unit widgets better=higher
# round: 3
# build: 2
distance: near
oversubscribed: true
Benchmark	10	0.0000001 ns/op	3 widgets
PASS
ok  	example.org/b	4.012s
`

func TestReadRecords(t *testing.T) {
	want := &results.RecordFile{
		Name:  "x",
		Facts: results.Facts{GOOS: "linux", GOARCH: "amd64", CPU: "AMD EPYC"},
		Records: []results.Record{
			{Pkg: "example.org/a", Name: "Sum/n=10-2", Ops: 184291, Line: 7,
				Values: []results.Value{{"ns/op", 6412}, {"MB/s", 1596.99}, {"B/op", 16}, {"allocs/op", 1}}},
			{Pkg: "example.org/a", Name: "Slow-2", Ops: 1, Line: 12, Values: []results.Value{{"ns/op", 1234567890123}}},
			{Pkg: "example.org/b", Round: 3, Build: 2, Distance: results.Near, Oversubscribed: true, Ops: 10, Line: 25,
				Values: []results.Value{{"ns/op", 1e-7}, {"widgets", 3}}},
		},
		Declared: map[string]int{"widgets": +1},
	}
	got, err := results.ReadRecords(strings.NewReader(goTest), "x")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	checkWritten(t, got)

	var one []results.Record
	for r, err := range results.Records(strings.NewReader(goTest), "x") {
		if err != nil {
			t.Fatal(err)
		}
		one = append(one, r)
	}
	if !reflect.DeepEqual(one, want.Records) {
		t.Errorf("Records yields %+v, want %+v", one, want.Records)
	}
}

// checkWritten checks that f, written and read, is the same.
func checkWritten(t *testing.T, f *results.RecordFile) {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	again, err := results.ReadRecords(bytes.NewReader(b.Bytes()), f.Name)
	if err != nil {
		t.Fatalf("%v in\n%s", err, b.Bytes())
	}
	want := *f
	want.Records = nil
	for i, r := range f.Records {
		r.Line = again.Records[min(i, len(again.Records)-1)].Line
		want.Records = append(want.Records, r)
	}
	want.Warnings, again.Warnings = nil, nil
	if !reflect.DeepEqual(again, &want) {
		t.Fatalf("%+v\ncame back as\n%+v\nfrom\n%q", want, *again, b.Bytes())
	}
}

const sumLine = "BenchmarkSum-2\t5\t61 ns/op\n"

func TestRecordErrors(t *testing.T) {
	const (
		wantAny   = `want lines such as "BenchmarkSum/n=10-2 5000000 61 ns/op"`
		wantField = `want "BenchmarkName operations value unit ...", have `
	)
	for _, test := range []struct {
		what, in string
		records  int
		want     string
	}{
		{"empty", "", 0, "x:1: empty file: " + wantAny},
		{"blank", "\n  \n", 0, "x:2: no benchmarks: " + wantAny},
		{"prose", "What went up, went down.\n", 0, "x:1: no benchmarks: " + wantAny},
		{"ok only", "PASS\nok  \texample.org/a\t0.1s\n", 0, "x:2: no benchmarks: " + wantAny},
		{"cut off", sumLine + sumLine[:20], 1, `x:2: last line is cut off: want a newline behind "BenchmarkSum-2\t5\t61 "`},
		{"gzip", "\x1f\x8b\x08\x00abc\n", 0, "x:1: want plain text in UTF-8, have gzip data\nx:1: no benchmarks: " + wantAny},
		{"UTF-16", "\xff\xfeB\x00e\x00\n\x00", 0, `x:1: want plain text in UTF-8, have UTF-16` + "\n" + `x:2: last line is cut off: want a newline behind "\x00"`},
		{"byte order mark", "\xef\xbb\xbf" + sumLine + sumLine, 2, "no error"},
		{"HTML", "<!DOCTYPE html>\n", 0, "x:1: want plain text in UTF-8, have HTML or XML\nx:1: no benchmarks: " + wantAny},
		{"JSON", `{"Time":"2026-11-21T22:08:00Z","Action":"start"}` + "\n", 0, "x:1: no benchmarks: " + wantAny},
		{"binary", sumLine + "a\x00b\n", 1, "x:2: want plain text in UTF-8, have a zero byte"},
		{"FAIL", sumLine + "--- FAIL: BenchmarkMean\nFAIL\nexit status 1\n" + sumLine, 2,
			"x:2: want the output of a run that passed, have \"--- FAIL: BenchmarkMean\"\nx:3: want the output of a run that passed, have \"FAIL\""},
		{"panic", sumLine + "panic: no more\n\ngoroutine 1 [running]:\nexit status 2\n", 1, `x:2: want the output of a run that passed, have "panic: no more"`},
		{"signal", sumLine + "SIGQUIT: quit\nPC=0x46d321 m=0 sigcode=0\n", 1, `x:2: want the output of a run that passed, have "SIGQUIT: quit"`},
		{"exit status", sumLine + "exit status 2\n", 1, `x:2: want the output of a run that passed, have "exit status 2"`},
		{"race", sumLine + "==================\nWARNING: DATA RACE\n", 1, `x:3: want the output of a run that passed, have "WARNING: DATA RACE"`},
		{"no values", sumLine + "BenchmarkMean-2 5\n", 1, "x:2: missing measurements: " + wantField + `"BenchmarkMean-2 5"`},
		{"a log in the line", "BenchmarkMean-2 \thello\n5\t61 ns/op\n" + sumLine, 2, "no error"},
		{"no unit", sumLine + "BenchmarkMean-2 5 61\n", 1, "x:2: missing units: " + wantField + `"BenchmarkMean-2 5 61"`},
		{"no operations", sumLine + "BenchmarkMean-2 0 61 ns/op\n", 1, "x:2: 0 operations: must be at least 1"},
		{"unit twice", sumLine + "BenchmarkMean-2 5 61 ns/op 61 ns/op\n", 1, "x:2: unit ns/op twice"},
		{"name", sumLine + "BenchmarkMe\x01an-2 5 61 ns/op\n", 1, `x:2: benchmark "Me\x01an-2": must be printable, without spaces`},
		{"name that is no UTF-8", sumLine + "BenchmarkMe\xffan-2 5 61 ns/op\n", 1, `x:2: benchmark "Me\xffan-2": must be printable, without spaces`},
		{"pkg", "pkg: a\x01b\n" + sumLine, 0, "x:2: pkg \"a\\x01b\": must be printable, without spaces"},
		{"round", "machine: host\n# round: x\n" + sumLine, 1, `x:2: round: want a number, have "x"`},
		{"build", "machine: host\n# build: -1\n" + sumLine, 1, `x:2: build: want a number, have "-1"`},
		{"distance", "machine: host\ndistance: close\n" + sumLine, 0, `x:2: distance: want local, near, far or mixed, have "close"` + "\n" + `x:3: distance "close": must be local, near, far or mixed`},
		{"unit line", "Unit widgets better=more\n" + sumLine, 1, "x:1: unit widgets: better=more: want higher or lower"},
		{"another machine", "cpu: A\n" + sumLine + "pkg: p\ncpu: B\n" + sumLine, 2, `x:4: cpu: want "A" as in the samples above, have "B"`},
		{"long log line", sumLine + strings.Repeat("x", 1<<15) + "\n" + sumLine, 2, "no error"},
		{"long line", sumLine + "Benchmark" + strings.Repeat("x", 1<<15) + "\n" + sumLine, 1, "x:2: line is longer than 32768 bytes, which is not a benchmark"},
	} {
		t.Run(test.what, func(t *testing.T) {
			f, err := results.ReadRecords(strings.NewReader(test.in), "x")
			if got := message(err); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
			if got := len(f.Records); got != test.records {
				t.Errorf("%d records, want %d", got, test.records)
			}
			var errs []error
			for _, err := range results.Records(strings.NewReader(test.in), "x") {
				errs = append(errs, err)
			}
			if got := message(errors.Join(errs...)); got != test.want {
				t.Errorf("Records yields\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestRecordWarnings(t *testing.T) {
	for _, test := range []struct{ what, in, want string }{
		{"go test", goTest, ""},
		{"no end", "pkg: example.org/a\n" + sumLine, "no PASS behind the benchmarks of example.org/a: perhaps the run did not end"},
		{"no end of the first", "pkg: example.org/a\n" + sumLine + "pkg: example.org/b\n" + sumLine + "PASS\n", "no PASS behind the benchmarks of example.org/a: perhaps the run did not end"},
		{"rounds", "pkg: example.org/a\n# round: 1\n" + sumLine, ""},
		{"lines alone", sumLine + sumLine, ""},
		{"a key", "toolchain: a\n" + sumLine + "toolchain: b\n" + sumLine + "toolchain: c\n" + sumLine, `toolchain is "a" for some benchmarks and "b" for others: they are taken together`},
		{"no UTF-8", "BenchmarkSum/\uFFFD-2 5 61 ns/op\n" + sumLine + "BenchmarkSum/\uFFFD#01-2 5 61 ns/op\n", "2 results with U+FFFD in the name, such as line 1, \"Sum/\uFFFD-2\": go test prints it for what is no UTF-8"},
		{"odd values", "BenchmarkSum-2 5 NaN ns/op -1 B/op +Inf score\n", ""}, // the comparison reports them
		{"a key again", "commit: a\n" + sumLine + "commit: a\n" + sumLine, ""},
	} {
		f, err := results.ReadRecords(strings.NewReader(test.in), "x")
		if err != nil {
			t.Errorf("%s: %v", test.what, err)
		}
		if got := strings.Join(f.Warnings, "\n"); got != test.want {
			t.Errorf("%s: warnings %q, want %q", test.what, got, test.want)
		}
	}
}

// A file of lockbench is a file of benchmarks, too, and both readers return the same.
func TestRecordsOfASweep(t *testing.T) {
	name := filepath.Join("testdata", "sweep.txt")
	f, err := results.ReadRecordFile(name)
	if err != nil {
		t.Fatal(err)
	}
	samples, err := results.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Records) != len(samples.Samples) || !reflect.DeepEqual(f.Facts, samples.Facts) {
		t.Fatalf("%d records with %+v, want %d with %+v", len(f.Records), f.Facts, len(samples.Samples), samples.Facts)
	}
	for i, s := range samples.Samples {
		r := f.Records[i]
		if r.Name != s.Cell.String() || r.Round != s.Round || r.Distance != s.Distance || !reflect.DeepEqual(r.Values, s.Values) {
			t.Errorf("record %+v of sample %+v", r, s)
		}
	}
	if got := f.Declared.Better("jain"); got != +1 {
		t.Errorf("better of jain is %+d, want +1", got)
	}
	checkWritten(t, f)
}

func TestRecordFileOfNothing(t *testing.T) {
	if _, err := results.ReadRecordFile(filepath.Join(t.TempDir(), "none.txt")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
	if _, err := results.ReadRecordFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("got %v, want a directory to be an error", err)
	}
}

func TestRecordNotWritten(t *testing.T) {
	f := &results.RecordFile{Records: []results.Record{{Name: "A", Ops: 1}}}
	if got, want := message(f.Write(&bytes.Buffer{})), "benchmark A: no values"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzRecords checks that no text makes Records panic, and that what it accepts
// comes back the same from a file.
func FuzzRecords(f *testing.F) {
	f.Add([]byte(goTest))
	f.Add([]byte("distance: far\noversubscribed: true\n# round: 3\n# date: today\n" + sumLine + "oversubscribed:\ndistance:\npkg: x\nUnit ns better=lower\n" + line))
	f.Add([]byte("machine: sim:x\nBenchmark-2 7 1e-300 x 5e-324 ns 1e300 MB -0 z 1_0 w\r\nBenchmarking\n# build: 1\n" + sumLine))
	f.Fuzz(func(t *testing.T, in []byte) {
		file, err := results.ReadRecords(bytes.NewReader(in), "in")
		if err != nil {
			return
		}
		if len(file.Records) == 0 {
			t.Fatal("no records, and no error")
		}
		checkWritten(t, file)
	})
}

// A file that can be written can be read, and is the same: for all names, units and
// values, either Validate refuses them or they are read back.
func TestWhatIsWrittenIsRead(t *testing.T) {
	odd := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z#:=/._-]{0,6}(-[0-9]{1,2})?`), rapid.SampledFrom([]string{"", "\uFFFD", "\xff", "a\tb", "a b", "\u00a0x", "\u2028", "x\r", "sum", "FAIL", "ns", "MB/s", "Unit", "-", "ns/op", "-0", "é"}))
	// If all parts were random text, no record would be valid.
	text := func(plain string) *rapid.Generator[string] {
		return rapid.OneOf(rapid.StringMatching(plain), rapid.StringMatching(plain), rapid.StringMatching(plain), odd)
	}
	number := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 5e-324, math.MaxFloat64, -1, math.Inf(1), math.NaN()}))
	valid := 0
	defer func() {
		if valid == 0 {
			t.Error("nothing was valid")
		}
	}()
	rapid.Check(t, func(t *rapid.T) {
		f := &results.RecordFile{Name: "x", Facts: results.Facts{GOOS: "linux", Machine: "host"}}
		for range rapid.IntRange(1, 4).Draw(t, "records") {
			r := results.Record{Pkg: text("[a-z.]{0,3}(/[a-z])?").Draw(t, "pkg"), Name: text("[A-Z][a-z]{0,3}(/n=[0-9é])?(-[1-9])?").Draw(t, "name"), Round: rapid.IntRange(-1, 8).Draw(t, "round"), Ops: rapid.IntRange(0, 9).Draw(t, "ops")}
			for range rapid.IntRange(0, 3).Draw(t, "values") {
				r.Values = append(r.Values, results.Value{Unit: text("[a-z][a-z-]{0,5}(/op|/s)?").Draw(t, "unit"), Value: number.Draw(t, "value")})
			}
			if r.Validate() == nil {
				f.Records = append(f.Records, r)
			}
		}
		if len(f.Records) == 0 {
			return
		}
		valid++
		var b bytes.Buffer
		if err := f.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := results.ReadRecords(bytes.NewReader(b.Bytes()), "x")
		if err != nil {
			t.Fatalf("%v in\n%q", err, b.Bytes())
		}
		for i := range again.Records {
			again.Records[i].Line = 0
		}
		if got, want := fmt.Sprintf("%#v", again.Records), fmt.Sprintf("%#v", f.Records); got != want {
			t.Fatalf("%s\ncame back as\n%s\nfrom\n%q", want, got, b.Bytes())
		}
	})
}
