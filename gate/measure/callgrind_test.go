package measure

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Where there is neither a counter nor Callgrind, the error says what to install.
func TestNoCallgrind(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := findCallgrind(context.Background()); err == nil || !strings.Contains(err.Error(), "apt-get install valgrind") {
		t.Errorf("error %v, want it to say what to install", err)
	}
	if canCount() == nil {
		return
	}
	if how, err := FindCounter(context.Background()); err == nil || how != "" || !strings.Contains(err.Error(), "valgrind") {
		t.Errorf("FindCounter: %q, error %v, want it to name valgrind", how, err)
	}
	must, may := &Source{c: Config{Instructions: MustCount}}, &Source{c: Config{Instructions: CountIfPossible}}
	if err := must.findCounter(context.Background()); err == nil || !strings.Contains(err.Error(), "valgrind") {
		t.Errorf("error %v, want it to name valgrind", err)
	}
	if err := may.findCounter(context.Background()); err != nil || may.counted != "" || len(may.Warnings()) != 1 {
		t.Errorf("error %v, counted %q, warnings %q; want a warning alone", err, may.counted, may.Warnings())
	}
}

// Settings of GODEBUG in the environment are kept, and the program keeps its arguments.
func TestCallgrindWraps(t *testing.T) {
	cmd := exec.Command("/bin/x.test", "-test.run=^$")
	cmd.Env = []string{"GODEBUG=a=1", "GODEBUG=b=2", "A=GODEBUG=3"}
	(&callgrind{"/usr/bin/valgrind", ""}).wrap(cmd, "/tmp/out")
	if n := len(cmd.Args); cmd.Path != "/usr/bin/valgrind" || !slices.Equal(cmd.Args[n-2:], []string{"/bin/x.test", "-test.run=^$"}) || !slices.Contains(cmd.Args, "--callgrind-out-file=/tmp/out") {
		t.Errorf("runs %s %q", cmd.Path, cmd.Args)
	}
	if got := last(cmd.Env, "GODEBUG"); !strings.HasPrefix(got, "b=2,asyncpreemptoff=1") {
		t.Errorf("GODEBUG=%s", got)
	}
}

// The last total counts. A file without one is an error.
func TestCallgrindTotal(t *testing.T) {
	for _, test := range []struct {
		text string
		want uint64
	}{
		{"version: 1\nsummary: 7\n\ntotals: 5\n", 5},
		{"part: 1\ntotals: 5\npart: 2\ntotals: 6", 6},
		{"version: 1\nsummary: 7\n", 0},
		{"version: 1\ntotals: \n", 0},
	} {
		file := filepath.Join(t.TempDir(), "out")
		if err := os.WriteFile(file, []byte(test.text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := (*callgrind)(nil).total(file)
		if got != test.want || (err == nil) != (test.want > 0) {
			t.Errorf("total of %q = %d, %v; want %d", test.text, got, err, test.want)
		}
	}
}
