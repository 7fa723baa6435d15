// Package slowbench makes the benchmarks of a test binary really slower by a chosen
// share: after each measured stretch of time the binary works for a share of it more,
// before the clock is read. A gate must notice that.
//
// It does so to any package, without touching it: it builds with another
// testing package, which differs from the toolchain's in two statements.
package slowbench

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Flag returns a flag of go build and go test -c that makes the benchmarks whose names
// match the regular expression match slower by share; 0.05 is 5 %. The flag needs the
// files in dir, which must exist until the last build.
//
// The name is that of the whole benchmark, as go test prints it, without the
// number of CPUs.
func Flag(dir string, share float64, match string) (string, error) {
	if share < 0 || share > 10 {
		return "", fmt.Errorf("slowdown of %g: want 0 to 10", share)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	file := filepath.Join(strings.TrimSpace(string(root)), "src", "testing", "benchmark.go")
	source, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	slow, err := mutate(string(source), share, match)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	ours := filepath.Join(dir, "benchmark.go")
	if err := os.WriteFile(ours, slow, 0o666); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{file: ours}})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return "-overlay=" + name, os.WriteFile(name, overlay, 0o666)
}

// One statement is inserted where the clock of a benchmark stops. The other finds out
// before the benchmark starts whether it is selected, because the first match of a name
// takes long enough to be visible in a few milliseconds.
const (
	start   = "func (b *B) StartTimer() {\n"
	stop    = "func (b *B) StopTimer() {\n\tif b.timerOn {\n"
	imports = "import (\n"
)

var errOther = errors.New("no testing.B as this knows it: want a newer lockbench, or an older Go")

// mutate returns the source of testing's benchmark.go with the slowdown in it.
func mutate(source string, share float64, match string) ([]byte, error) {
	if strings.Count(source, start) != 1 || strings.Count(source, stop) != 1 || strings.Count(source, imports) != 1 || !strings.Contains(source, "highPrecisionTimeSince(") {
		return nil, errOther
	}
	source = strings.Replace(source, imports, imports+"\t\"regexp\"\n", 1)
	source = strings.Replace(source, start, start+"\tb.findSlow()\n", 1)
	source = strings.Replace(source, stop, stop+"\t\tb.slowDown()\n", 1)
	source += fmt.Sprintf(`
var (
	slowNames = regexp.MustCompile(%q)
	slowName  string // name of the last benchmark that was checked
	slow      bool
)

// findSlow finds out whether to make b slower.
func (b *B) findSlow() {
	if slowName != b.name {
		slowName, slow = b.name, slowNames.MatchString(b.name)
	}
}

// slowDown works for a share of the time since the clock was started.
func (b *B) slowDown() {
	if !slow {
		return
	}
	more := %g * float64(highPrecisionTimeSince(b.start))
	for began := highPrecisionTimeNow(); float64(highPrecisionTimeSince(began)) < more; {
	}
}
`, match, share)
	return format.Source([]byte(source))
}
