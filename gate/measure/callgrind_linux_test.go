//go:build !purego && !virtual

package measure_test

import (
	"context"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/measure"
)

// toy returns a module in which one function is longer in the head.
func toy(t *testing.T, longer string) string {
	t.Helper()
	dir := t.TempDir()
	all := files{
		"go.mod": "module example.com/toy\n\ngo 1.26\n",
		"toy.go": `package toy

func Same(n int) (sum int) {
	for i := range n { sum ^= i * sum + i }
	return sum
}

func Longer() int { return Same(` + longer + `) }
`,
		"toy_test.go": `package toy

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

var sink int
var luck = 1000 + rand.IntN(20_000) // a different number in each process

func BenchmarkLonger(b *testing.B) { for b.Loop() { sink += Longer() } }
func BenchmarkLuck(b *testing.B)   { for range b.N { sink += Same(luck) } }

func BenchmarkSame(b *testing.B) { // contended if there are several CPUs
	var mu sync.Mutex
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			mu.Lock()
			sink += Same(100)
			mu.Unlock()
		}
	})
}

func BenchmarkSpin(b *testing.B) {
	for range b.N {
		var done atomic.Bool
		go done.Store(true)
		for !done.Load() {
		}
	}
}
`,
	}
	if err := all.write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func simulated(t *testing.T, c measure.Config) *measure.Source {
	t.Helper()
	if testing.Short() {
		t.Skip("builds")
	}
	if _, err := exec.LookPath("valgrind"); err != nil {
		t.Skip(err)
	}
	measure.WithoutCounter(t)
	c.BaseDir, c.HeadDir = toy(t, "1000"), toy(t, "1100")
	c.Builds, c.Instructions = 1, measure.MustCount
	src, err := measure.Prepare(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// counted measures a round of the benchmark, and returns the instructions of both sides.
func counted(t *testing.T, src *measure.Source, name string) (base, head float64) {
	t.Helper()
	r := roundOf(t, src, name)
	if r.Failed != nil {
		t.Fatalf("%s: %s\n%s", name, r.Failed.Why, r.Failed.Output)
	}
	of := func(side gate.Side) float64 {
		for _, v := range r.Readings[side].Values {
			if v.Unit == "instructions/op" {
				return v.Value
			}
		}
		t.Fatalf("%s: no instructions/op of the %v", name, side)
		return 0
	}
	return of(gate.Base), of(gate.Head)
}

func roundOf(t *testing.T, src *measure.Source, name string) gate.Round {
	t.Helper()
	rounds, err := src.Round(context.Background(), []gate.Benchmark{{Pkg: "example.com/toy", Name: name}})
	if err != nil {
		t.Fatal(err)
	}
	return rounds[0]
}

// Callgrind sees that a function is 10 % longer, and that others are not, with a single
// pair of binaries.
func TestCallgrind(t *testing.T) {
	record := filepath.Join(t.TempDir(), "out")
	src := simulated(t, measure.Config{Bench: "Same|Longer|Luck", CPU: []int{2}, Record: record})
	for _, test := range []struct {
		name  string
		least float64
		want  float64
	}{
		{"Same", 300, 0}, // on one CPU, though two were asked for
		{"Longer", 3000, 0.10},
	} {
		base, head := counted(t, src, test.name)
		t.Logf("%s: %.1f %.1f", test.name, base, head)
		if base < test.least || base > 4*test.least {
			t.Errorf("%s: %.0f instructions, want %.0f to %.0f", test.name, base, test.least, 4*test.least)
		}
		tolerance, exact := src.Exact(gate.Benchmark{Pkg: "example.com/toy", Name: test.name}, "instructions/op")
		if !exact {
			t.Errorf("%s varies", test.name)
		}
		if change := head/base - 1; math.Abs(change-test.want) > tolerance {
			t.Errorf("%s: %+.2f %%, want %+.0f", test.name, 100*change, 100*test.want)
		}
	}
	counted(t, src, "Luck")
	if _, exact := src.Exact(gate.Benchmark{Pkg: "example.com/toy", Name: "Luck"}, "instructions/op"); exact {
		t.Error("a count that differs in each process is said not to vary")
	}
	if _, exact := src.Exact(gate.Benchmark{Pkg: "example.com/toy", Name: "Same"}, "ns/op"); exact {
		t.Error("a time is said not to vary")
	}
	if w := src.Warnings(); !slices.ContainsFunc(w, func(w string) bool { return strings.Contains(w, "by Callgrind (valgrind-") }) {
		t.Errorf("warnings %q: want that it was Callgrind", w)
	}
	for _, name := range []string{"base.txt", "head.txt"} {
		text, err := os.ReadFile(filepath.Join(record, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "\n# instructions: by Callgrind, valgrind-") {
			t.Errorf("%s does not say that it was Callgrind:\n%s", name, text)
		}
	}
}

// A goroutine that never yields to the one that it waits for runs without end under
// Callgrind. That is reported, after a timeout.
func TestCallgrindSpin(t *testing.T) {
	src := simulated(t, measure.Config{Bench: "Spin", CPU: []int{1}, Timeout: 10 * time.Second})
	r := roundOf(t, src, "Spin")
	if r.Failed == nil || !strings.Contains(r.Failed.Why, "its instructions cannot be counted") {
		t.Errorf("have %+v of a benchmark that has no end", r)
	}
}
