package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/results"
)

// Benchmarks are those of one package that match a pattern of go test's -bench.
type benchmarks struct{ pkg, pattern string }

// running returns a measurement that runs benchmarks of our packages for so many
// iterations each, on each number of CPUs. They know the types of the locks, so calls
// inline as they do for a user; and each package has its references beside its locks.
//
// In each round the test binaries run once, in random order. What one of them measures
// is a round of its own in the samples: only values of one process, or of one right
// after the other on another number of CPUs, are taken in the same moment.
func running(iterations int, cpus []int, all ...benchmarks) measurement {
	return func(ctx context.Context, _ io.Writer, rounds int) (samples []results.Sample, err error) {
		dir, err := os.MkdirTemp("", "targets")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		build := []string{"test", "-c", "-o", dir + string(filepath.Separator)}
		for _, b := range all {
			build = append(build, "github.com/lockbench/lockbench/"+b.pkg)
		}
		cmd := exec.CommandContext(ctx, "go", build...)
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("go %s: %w", strings.Join(build, " "), err)
		}
		meter := newMeter()
		for round := range rounds {
			for _, i := range rand.Perm(len(all)) {
				for _, n := range cpus {
					file, err := all[i].run(ctx, filepath.Join(dir, all[i].pkg+".test"), iterations, n)
					if err != nil {
						return samples, err
					}
					for _, s := range file.Samples {
						s.Round = round*len(all) + i + 1
						samples = append(samples, s)
					}
				}
			}
			progress(meter, "benchmarks", round+1, rounds)
		}
		return samples, nil
	}
}

// run runs the benchmarks once.
func (b benchmarks) run(ctx context.Context, binary string, iterations, cpus int) (*results.File, error) {
	cmd := exec.CommandContext(ctx, binary, "-test.run=^$", "-test.bench="+b.pattern,
		fmt.Sprintf("-test.benchtime=%dx", iterations), fmt.Sprintf("-test.cpu=%d", cpus))
	// Some benchmarks have the number of CPUs in their names, which they make before
	// -test.cpu applies.
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", cpus))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("benchmarks of %s: %w\n%s", b.pkg, err, out)
	}
	return results.ReadAll(bytes.NewReader(out), "benchmarks of "+b.pkg)
}

// overUnit is what a section takes in addition to the loop around it, in nanoseconds.
const overUnit = "over-ns"

// over adds to samples how much longer they took than the loop that is named empty, in
// the same round on as many CPUs.
func over(samples []results.Sample, empty string) []results.Sample {
	type moment struct{ round, cpus int }
	loops := make(map[moment]float64)
	for _, s := range samples {
		if ns, ok := s.Value("ns/op"); ok && s.Lock == empty {
			loops[moment{s.Round, s.CPUs}] = ns
		}
	}
	for i, s := range samples {
		ns, ok := s.Value("ns/op")
		loop, also := loops[moment{s.Round, s.CPUs}]
		if ok && also && s.Lock != empty {
			samples[i].Values = append(s.Values, results.Value{Unit: overUnit, Value: ns - loop})
		}
	}
	return samples
}

// beyond is a measurement with the times over an empty loop.
func beyond(empty string, measure measurement) measurement {
	return func(ctx context.Context, out io.Writer, rounds int) ([]results.Sample, error) {
		samples, err := measure(ctx, out, rounds)
		return over(samples, empty), err
	}
}
