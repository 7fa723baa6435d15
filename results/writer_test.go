package results_test

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/golden"
	"github.com/lockbench/lockbench/results"
)

// text returns the file that a Writer writes for samples.
func text(t testing.TB, samples []results.Sample) string {
	t.Helper()
	var b bytes.Buffer
	w, err := results.NewWriter(&b, facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range samples {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// written returns samples as they come back from a file: rounded.
func written(t testing.TB, samples []results.Sample) []results.Sample {
	t.Helper()
	f, err := results.ReadAll(strings.NewReader(text(t, samples)), "written")
	if err != nil {
		t.Fatal(err)
	}
	return f.Samples
}

func TestFileIsGolden(t *testing.T) {
	golden.Check(t, "sweep.txt", text(t, sweep(6, []int{0})))
}

// A recorder keeps each Write separately.
type recorder [][]byte

func (r *recorder) Write(p []byte) (int, error) {
	*r = append(*r, bytes.Clone(p))
	return len(p), nil
}

// After each Write, the file so far is valid.
func TestEachSampleIsOneWriteOfWholeLines(t *testing.T) {
	samples := sweep(3, []int{0, 90})
	var r recorder
	w, err := results.NewWriter(&r, facts)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range samples {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
		if got, want := len(r), 1+i+1; got != want {
			t.Fatalf("%d Write calls for the header and %d samples, want %d", got, i+1, want)
		}
	}
	want := written(t, samples)
	for i := range samples {
		if last := r[1+i]; last[len(last)-1] != '\n' {
			t.Fatalf("Write of %q, want whole lines", last)
		}
		f, err := results.ReadAll(bytes.NewReader(bytes.Join(r[:1+i+1], nil)), "prefix")
		if err != nil {
			t.Fatalf("after %d samples: %v", i+1, err)
		}
		if !reflect.DeepEqual(f.Samples, want[:i+1]) {
			t.Fatalf("after %d samples, read %v, want %v", i+1, f.Samples[i], want[i])
		}
	}
}

// Lines that another program writes in between do not change a sample.
func TestEachSampleSaysAllOfIt(t *testing.T) {
	var both, ours bytes.Buffer
	first, err := results.NewWriter(io.MultiWriter(&both, &ours), facts)
	if err != nil {
		t.Fatal(err)
	}
	second, err := results.NewWriter(&both, facts)
	if err != nil {
		t.Fatal(err)
	}
	want := written(t, sweep(3, []int{0}))
	slices.SortFunc(want, func(a, b results.Sample) int { return cmp.Compare(a.CPUs, b.CPUs) }) // so that few keys change from one to the next
	for i, s := range want {
		w := first
		if i%2 == 1 {
			w = second
		}
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
	}
	f, err := results.ReadAll(&both, "both")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f.Samples, want) {
		t.Error("samples that two wrote in turn came back with what the other said")
	}
	half, err := results.ReadAll(&ours, "ours")
	if err != nil || len(half.Samples) != len(want)/2 {
		t.Errorf("%d samples of one writer (%v), want %d", len(half.Samples), err, len(want)/2)
	}
}

func TestWriteOfInvalid(t *testing.T) {
	valid := results.Sample{Cell: ticket, Ops: 1, Values: []results.Value{{Unit: "ns/op", Value: 61}}}
	for _, test := range []struct {
		name string
		bend func(*results.Sample)
		want string
	}{
		{"no values", func(s *results.Sample) { s.Values = nil }, "no values"},
		{"NaN", func(s *results.Sample) { s.Values[0].Value = math.NaN() }, "NaN ns/op: must be finite"},
		{"negative", func(s *results.Sample) { s.Values[0].Value = -5 }, "-5 ns/op: must not be negative"},
		{"Inf", func(s *results.Sample) { s.Values[0].Value = math.Inf(1) }, "+Inf ns/op: must be finite"},
		{"unit", func(s *results.Sample) { s.Values[0].Unit = "ns per op" }, `unit "ns per op": must be printable, without spaces`},
		{"no unit", func(s *results.Sample) { s.Values[0].Unit = "" }, `unit "": must be printable, without spaces`},
		{"twice", func(s *results.Sample) { s.Values = append(s.Values, s.Values[0]) }, "unit ns/op twice"},
		{"ops", func(s *results.Sample) { s.Ops = -1 }, "-1 operations: must not be negative"},
		{"round", func(s *results.Sample) { s.Round = -1 }, "round -1: must not be negative"},
		{"distance", func(s *results.Sample) { s.Distance = "close" }, `distance "close": must be local, near, far or mixed`},
		{"all at once", func(s *results.Sample) { s.Reads, s.Workers, s.Ops = 101, 0, -1 },
			"reads 101: must be 0 to 100; workers 0: must be at least 1; -1 operations: must not be negative"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := valid
			s.Values = []results.Value{valid.Values[0]}
			test.bend(&s)
			var r recorder
			w, err := results.NewWriter(&r, facts)
			if err != nil {
				t.Fatal(err)
			}
			err = w.Write(s)
			if got, want := message(err), "sample of "+s.Cell.String()+": "+test.want; got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if len(r) != 1 {
				t.Errorf("wrote %q", r[1:])
			}
			if err := w.Write(valid); err != nil {
				t.Errorf("valid sample after it: %v", err)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

func TestCreateLeavesAFileAlone(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	if err := os.WriteFile(name, []byte("precious\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := results.Create(name, facts); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a file: %v, want %v", err, fs.ErrExist)
	}
	if _, err := results.Overwrite(name, results.Facts{}); err == nil {
		t.Error("Overwrite without facts: no error")
	}
	if got := contents(t, name); got != "precious\n" {
		t.Errorf("file holds %q, want it untouched", got)
	}

	w, err := results.Overwrite(name, facts)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := contents(t, name), text(t, nil); got != want {
		t.Errorf("after Overwrite, file holds %q, want %q", got, want)
	}
}

func contents(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A file has one writer at a time: the second gets an error that names the first, and
// changes nothing.
func TestOneWriter(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	first, err := results.Create(name, results.Host())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Write(sweep(1, []int{0})[0]); err != nil {
		t.Fatal(err)
	}
	before := contents(t, name)
	resume := func(name string, facts results.Facts) (*results.Writer, error) {
		w, _, err := results.Resume(name, facts)
		return w, err
	}
	openers := map[string]func(string, results.Facts) (*results.Writer, error){"Resume": resume, "Overwrite": results.Overwrite}
	for what, open := range openers {
		w, err := open(name, results.Host())
		want := ": process " + strconv.Itoa(os.Getpid()) + " has been writing to it since "
		if !errors.Is(err, results.ErrInUse) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s of a file in use = %v, want one that is %q and says %q", what, err, results.ErrInUse, want)
		}
		if err == nil {
			w.Close()
		}
		if got := contents(t, name); got != before {
			t.Errorf("%s of a file in use changed it to %q", what, got)
		}
	}
	if _, err := results.ReadFile(name); err != nil {
		t.Errorf("reading a file in use: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	for what, open := range openers {
		w, err := open(name, results.Host())
		if err != nil {
			t.Fatalf("%s of a file whose writer has closed it: %v", what, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A Writer notices, at the next sample or at the end, that its file was changed, and
// does not change it further.
func TestLostFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file in use cannot be removed")
	}
	samples := sweep(1, []int{0})
	for why, lose := range map[string]func(name string) error{
		"removed or renamed": os.Remove,
		"replaced by another file": func(name string) error {
			return errors.Join(os.WriteFile(name+".new", []byte("another\n"), 0o666), os.Rename(name+".new", name))
		},
		"cut short by another process": func(name string) error { return os.Truncate(name, 10) },
		"written to by another process": func(name string) error {
			f, err := os.OpenFile(name, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("# hello: you\n")
			return errors.Join(err, f.Close())
		},
	} {
		for _, atClose := range []bool{false, true} {
			name := filepath.Join(t.TempDir(), "out.txt")
			w, err := results.Create(name, facts)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(samples[0]); err != nil {
				t.Fatal(err)
			}
			if err := lose(name); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(name) // if there is one
			want := name + ": " + why + " while this run wrote to it"
			if !atClose {
				for range 2 {
					err := w.Write(samples[1])
					if lost := (*results.LostError)(nil); !errors.As(err, &lost) || err.Error() != want {
						t.Errorf("Write = %v, want %s", err, want)
					}
				}
				want = "no error" // Write has reported it
			}
			if err := w.Close(); message(err) != want {
				t.Errorf("Close = %v, want %s", err, want)
			}
			if after, _ := os.ReadFile(name); !bytes.Equal(after, before) {
				t.Errorf("%s: the file was changed to %q", why, after)
			}
		}
	}
}

// A last line that is being written does not count as cut off.
func TestReadWhileWritten(t *testing.T) {
	whole := text(t, sweep(1, []int{0}))
	for _, test := range []struct {
		looks []int // how much of the file each read sees; the last is for all later reads
		want  string
	}{
		{[]int{len(whole)}, ""},
		{[]int{len(whole) - 30, len(whole)}, ""},
		{[]int{len(whole) - 30, len(whole) - 20, len(whole)}, ""},
		{[]int{len(whole) - 30}, whole[strings.LastIndex(whole, "Benchmark") : len(whole)-30]},
	} {
		looks := test.looks
		f, err := results.ReadFileOf(func() string {
			n := looks[0]
			if len(looks) > 1 {
				looks = looks[1:]
			}
			return whole[:n]
		})
		if f.Torn != test.want || (err == nil) != (test.want == "") {
			t.Errorf("torn %q (%v), want %q", f.Torn, err, test.want)
		}
	}
}

// A note may come after samples.
func TestNote(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	w, err := results.Create(name, facts)
	if err != nil {
		t.Fatal(err)
	}
	samples := written(t, sweep(1, []int{0}))
	for i, s := range samples {
		if err := w.Write(s); err != nil {
			t.Fatal(err)
		}
		if i == 3 {
			if err := w.Note(results.Note{Key: "steal", Text: "3 %"}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, n := range []results.Note{{Key: "round", Text: "7"}, {Key: "a", Text: "two\nlines"}, {Key: "a"}} {
		if err := w.Note(n); err == nil {
			t.Errorf("Note(%q): no error", n)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := results.ReadFile(name)
	if err != nil || !reflect.DeepEqual(f.Samples, samples) || f.Notes[len(f.Notes)-1] != (results.Note{Key: "steal", Text: "3 %"}) {
		t.Errorf("%v, notes %q; want the samples, and the note behind those of the header", err, f.Notes)
	}
}

// Wherever a file is cut off after its header, resuming it keeps every complete sample
// and continues as if nothing had happened.
func TestResumeAfterACutAnywhere(t *testing.T) {
	samples := sweep(2, []int{0})[19:29] // over the end of a round and several changes of distance
	whole := text(t, samples)
	want := written(t, samples)
	header := len(text(t, nil))
	name := filepath.Join(t.TempDir(), "out.txt")
	for cut := header; cut <= len(whole); cut++ {
		if err := os.WriteFile(name, []byte(whole[:cut]), 0o666); err != nil {
			t.Fatal(err)
		}
		kept := strings.LastIndexByte(whole[:cut], '\n') + 1
		w, held, err := results.Resume(name, facts)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		complete := strings.Count(whole[:kept], "\nBenchmark")
		if !reflect.DeepEqual(held.Samples, nonNil(want[:complete])) {
			t.Fatalf("cut at %d: holds %d samples, want %d", cut, len(held.Samples), complete)
		}
		if torn := whole[kept:cut]; held.Torn != torn {
			t.Fatalf("cut at %d: torn %q, want %q", cut, held.Torn, torn)
		}
		for _, s := range samples[complete:] {
			if err := w.Write(s); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		// The same as in an undisturbed run, except for the notes.
		notes := "# resumed: after " + strconv.Itoa(complete) + " samples\n"
		for _, n := range facts.Notes {
			notes += "# " + n.Key + ": " + n.Text + "\n"
		}
		block := max(header, strings.LastIndex(whole[:kept], "\nBenchmark")+1) // of the sample that was in flight
		if block > header {
			block += strings.IndexByte(whole[block:], '\n') + 1
		}
		if got, want := contents(t, name), whole[:kept]+notes+whole[block:]; got != want {
			t.Fatalf("cut at %d, resumed: file holds\n%s\nwant\n%s", cut, got, want)
		}
		f, err := results.ReadFile(name)
		if err != nil {
			t.Fatalf("cut at %d, resumed: %v", cut, err)
		}
		if !reflect.DeepEqual(f.Samples, want) {
			t.Fatalf("cut at %d, resumed: samples differ from those of an undisturbed run", cut)
		}
	}
}

// Continue makes the file as if the run had not been interrupted, wherever it was cut off.
func TestContinueAfterACutAnywhere(t *testing.T) {
	samples := sweep(2, []int{0})[19:29]
	whole := text(t, samples)
	name := filepath.Join(t.TempDir(), "out.txt")
	for cut := len(text(t, nil)); cut <= len(whole); cut++ {
		if err := os.WriteFile(name, []byte(whole[:cut]), 0o666); err != nil {
			t.Fatal(err)
		}
		w, held, err := results.Continue(name, facts)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		for _, s := range samples[len(held.Samples):] {
			if err := w.Write(s); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, name); got != whole {
			t.Fatalf("cut at %d, continued: file holds\n%s\nwant\n%s", cut, got, whole)
		}
	}
}

// nonNil returns nil for no samples, as reading does.
func nonNil(s []results.Sample) []results.Sample {
	if len(s) == 0 {
		return nil
	}
	return s
}

func TestResumeCountsCells(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	samples := sweep(2, []int{0})
	whole := text(t, samples[:len(samples)-3])
	if err := os.WriteFile(name, []byte(whole), 0o666); err != nil {
		t.Fatal(err)
	}
	w, held, err := results.Resume(name, facts)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	want := make(map[results.Cell]int)
	for _, s := range samples[:len(samples)-3] {
		want[s.Cell]++
	}
	if got := held.Done(); !maps.Equal(got, want) {
		t.Errorf("Done() = %v, want %v", got, want)
	}
	if got, want := contents(t, name), whole+"# resumed: after 45 samples\n# date: 2026-11-21T22:08:00Z\n"; !strings.HasPrefix(got, want) {
		t.Errorf("file holds\n%s\nwant the notes of the new run behind what was there", got)
	}
}

func TestResumeBegins(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.txt") // killed between open and write
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{empty, filepath.Join(dir, "new.txt")} {
		w, held, err := results.Resume(name, facts)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if got, want := contents(t, name), text(t, nil); got != want {
			t.Errorf("%s holds %q, want a header", name, got)
		}
		if len(held.Samples) != 0 || !reflect.DeepEqual(held.Facts, facts) {
			t.Errorf("%s: held %v, want no samples and the facts", name, held)
		}
	}
}

func TestResumeRefuses(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	whole := text(t, sweep(1, []int{0}))
	lines := strings.Count(whole, "\n")
	other := facts
	other.CPU, other.GOOS = "Z80", "cpm"
	for _, test := range []struct {
		what, text string
		facts      results.Facts
		want       string
	}{
		{"foreign", "dear diary\nI forgot the newline", facts,
			`out.txt:1: not a file to append to: want one that lockbench began, with a line "machine: ..."`},
		{"another machine", whole, other,
			`out.txt: results are of goos "linux", want this one's, "cpm"` + "\n" +
				`out.txt: results are of cpu "AMD EPYC", want this one's, "Z80"`},
		{"an error inside", whole + "BenchmarkLock/lock=mcs\t1\n" + whole[:10], facts,
			"out.txt:" + strconv.Itoa(lines+1) + `: missing measurements: want "BenchmarkName operations value unit ...", have "BenchmarkLock/lock=mcs\t1"`},
		{"no facts", whole, results.Facts{}, `no machine: must be "host" or a simulated one`},
		{"no end of line", whole + strings.Repeat("x", 40_000), facts,
			"out.txt:" + strconv.Itoa(lines+1) + ": line is longer than 32768 bytes, which is not a benchmark"},
	} {
		t.Run(test.what, func(t *testing.T) {
			if err := os.WriteFile(name, []byte(test.text), 0o666); err != nil {
				t.Fatal(err)
			}
			_, _, err := results.Resume(name, test.facts)
			got := strings.ReplaceAll(message(err), filepath.Dir(name)+string(filepath.Separator), "")
			if got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if got := contents(t, name); got != test.text {
				t.Errorf("file changed to %q", got)
			}
		})
	}
}

// A Write that fails halfway leaves no partial line.
func TestHalfAWriteIsTakenBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "out.txt")
	w, err := results.Create(name, facts)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	samples := sweep(1, []int{0})
	if err := w.Write(samples[0]); err != nil {
		t.Fatal(err)
	}
	before := contents(t, name)
	w.BreakAfter(20)
	if err := w.Write(samples[1]); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("Write = %v, want %v", err, io.ErrShortWrite)
	}
	w.Mend()
	if err := w.Write(samples[2]); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("next Write = %v, want %v", err, io.ErrShortWrite)
	}
	if got := contents(t, name); got != before {
		t.Errorf("file holds %q, want %q", got, before)
	}
}

// A process that is killed while it writes leaves a file that can be read
// and resumed, with every sample that Write returned from.
func TestKilledWhileWriting(t *testing.T) {
	if name := os.Getenv("RESULTS_WRITE_TO"); name != "" {
		writeForever(t, name)
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	name := filepath.Join(t.TempDir(), "out.txt")
	returned := 0
	for range 5 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWhileWriting$")
		cmd.Env = append(os.Environ(), "RESULTS_WRITE_TO="+name)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// A byte for each sample; then the kill, at any moment.
		if _, err := io.ReadFull(out, make([]byte, 50)); err != nil {
			t.Fatal(err)
		}
		cmd.Process.Kill()
		rest, _ := io.ReadAll(out)
		cmd.Wait() // killed
		returned += 50 + len(rest)

		f, err := results.ReadFile(name)
		if err != nil && f.Torn == "" { // a kill may cut the sample in flight
			t.Fatal(err)
		}
		if len(f.Samples) < returned {
			t.Fatalf("file holds %d samples, want at least %d", len(f.Samples), returned)
		}
		returned = len(f.Samples)
	}
}

func writeForever(t *testing.T, name string) {
	w, _, err := results.Resume(name, facts)
	if err != nil {
		t.Fatal(err)
	}
	samples := sweep(4, []int{0})
	for stop := time.Now().Add(time.Minute); time.Now().Before(stop); {
		for _, s := range samples {
			if err := w.Write(s); err != nil {
				t.Fatal(err)
			}
			os.Stdout.Write([]byte{'.'})
		}
	}
	os.Exit(1) // no kill arrived
}
