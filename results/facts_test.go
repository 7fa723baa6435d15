package results_test

import (
	"os/exec"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/results"
)

func TestHost(t *testing.T) {
	f := results.Host()
	if err := f.Validate(); err != nil {
		t.Error(err)
	}
	if f.GOOS != runtime.GOOS || f.GOARCH != runtime.GOARCH || f.Machine != "host" {
		t.Errorf("Host() = %+v, want those of this build", f)
	}
	notes := make(map[string]string)
	for _, n := range f.Notes {
		notes[n.Key] = n.Text
	}
	if got, want := notes["go"], runtime.Version(); got != want {
		t.Errorf("go: %q, want %q", got, want)
	}
	if _, err := time.Parse(time.RFC3339, notes["date"]); err != nil {
		t.Error(err)
	}
	for _, key := range []string{"cpus", "gomaxprocs"} {
		if notes[key] == "" {
			t.Errorf("no %s in %v", key, f.Notes)
		}
	}
}

// A simulated machine has nothing of the host.
func TestSimulated(t *testing.T) {
	f := results.Simulated("milan-2s")
	if err := f.Validate(); err != nil {
		t.Error(err)
	}
	if f.Machine != "sim:milan-2s" || f.GOOS+f.GOARCH+f.CPU != "" || len(f.Notes) > 1 {
		t.Errorf("Simulated() = %+v, want the machine, and no note but the commit", f)
	}
	if name, ok := f.Simulated(); name != "milan-2s" || !ok {
		t.Errorf("of it: Simulated() = %q, %v", name, ok)
	}
	if name, ok := (results.Facts{Machine: "host"}).Simulated(); name != "" || ok {
		t.Errorf("of a host: Simulated() = %q, %v, want none", name, ok)
	}
}

// benchstat would not compare lockbench's files with go test's if the cpu differed. The
// padding after the name in the CPU's register is not part of it.
func TestHostHasTheCPUThatGoTestPrints(t *testing.T) {
	if testing.Short() {
		t.Skip("runs go test")
	}
	if runtime.GOARCH != "amd64" {
		t.Skipf("go test asks the CPU itself on amd64, not on %s", runtime.GOARCH)
	}
	out, err := exec.Command("go", "test", "-run=^$", "-bench=^BenchmarkCellString$", "-benchtime=1x", ".").CombinedOutput()
	if err != nil {
		t.Skipf("CANNOT RUN go test: %v\n%s", err, out)
	}
	if want := "\ncpu: " + results.Host().CPU + "\n"; !strings.Contains(trailing.ReplaceAllString(string(out), "\n"), want) {
		t.Errorf("go test prints\n%s\nwant a line %q", out, strings.TrimSpace(want))
	}
}

var trailing = regexp.MustCompile(" +\n")

func TestFactsRoundTrip(t *testing.T) {
	host := results.Host()
	host.Note("seed", "42")
	host.Note("empty", "") // left out
	var b strings.Builder
	w, err := results.NewWriter(&b, host)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(sweep(1, []int{0})[0]); err != nil {
		t.Fatal(err)
	}
	f, err := results.ReadAll(strings.NewReader(b.String()), "x")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f.Facts, host) {
		t.Errorf("got %+v, want %+v", f.Facts, host)
	}
}

func TestFactsErrors(t *testing.T) {
	for _, test := range []struct {
		bend func(*results.Facts)
		want string
	}{
		{func(f *results.Facts) { f.Machine = "" }, `no machine: must be "host" or a simulated one`},
		{func(f *results.Facts) { f.CPU = "two\nlines" }, `cpu "two\nlines": must be one line of printable text`},
		{func(f *results.Facts) { f.CPU = " space" }, `cpu " space": must be one line of printable text`},
		{func(f *results.Facts) { f.Note("round", "7") }, `note "round": must be a lower-case word`},
		{func(f *results.Facts) { f.Note("Two Words", "x") }, `note "Two Words": must be a lower-case word`},
		{func(f *results.Facts) { f.Note("seed", "4\n2") }, `note seed "4\n2": must be one line of printable text`},
		{func(f *results.Facts) { f.Notes = []results.Note{{Key: "seed"}} }, `note seed "": must be one line of printable text`},
	} {
		f := results.Facts{Machine: "host"}
		test.bend(&f)
		if _, err := results.NewWriter(&strings.Builder{}, f); message(err) != test.want {
			t.Errorf("got  %s\nwant %s", message(err), test.want)
		}
	}
}

func BenchmarkCellString(b *testing.B) {
	for b.Loop() {
		_ = ticket.String()
	}
}
