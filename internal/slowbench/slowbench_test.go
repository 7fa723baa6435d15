//go:build !purego && !virtual

package slowbench_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/lockbench/lockbench/internal/slowbench"
)

// Benchmarks of all three kinds take half as long again; the one that is not selected
// does not.
func TestSlower(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a testing package")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.org/m\n\ngo 1.24\n",
		"m_test.go": `package m

import ("testing"; "time")

func work() { for began := time.Now(); time.Since(began) < 20*time.Microsecond; {} }

func BenchmarkN(b *testing.B) { for range b.N { work() } }
func BenchmarkLoop(b *testing.B) { for b.Loop() { work() } }
func BenchmarkSub(b *testing.B) { b.Run("x=1", func(b *testing.B) { for range b.N { work() } }) }
func BenchmarkParallel(b *testing.B) { b.RunParallel(func(pb *testing.PB) { for pb.Next() { work() } }) }
func BenchmarkOther(b *testing.B) { for range b.N { work() } }
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	flag, err := slowbench.Flag(t.TempDir(), 0.5, "^Benchmark(N|Loop|Sub/x=1|Parallel)$")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", flag, "-run=^$", "-bench=.", "-benchtime=200x", "-cpu=1", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := regexp.MustCompile(`(?m)^Benchmark(\S+)\s+200\s+(\d+)`).FindAllSubmatch(out, -1)
	if len(lines) != 5 {
		t.Fatalf("%d benchmarks, want 5:\n%s", len(lines), out)
	}
	for _, l := range lines {
		ns, err := strconv.Atoi(string(l[2]))
		if err != nil {
			t.Fatal(err)
		}
		// A busy machine can only make it longer.
		if string(l[1]) != "Other" && ns < 29_900 {
			t.Errorf("%s takes %d ns, want 30,000 at least", l[1], ns)
		}
		if string(l[1]) == "Other" {
			t.Logf("%s takes %d ns, of 20,000", l[1], ns)
		}
	}
}

func TestUnknownTesting(t *testing.T) {
	if _, err := slowbench.Mutate("package testing\n", 0.1, "."); err == nil {
		t.Error("no error for a testing package that has no B")
	}
	if _, err := slowbench.Flag(t.TempDir(), -1, "."); err == nil {
		t.Error("no error for a slowdown of -1")
	}
}
