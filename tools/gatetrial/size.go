package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// sizes measures how much slower the changes make their benchmarks, and fits the work
// to what is aimed at. It measures by itself, without the gate: over many pairs of
// binaries, each pair laid out by a seed of its own, of which many pairs of processes
// take turns.
type sizes struct {
	stderr   io.Writer
	file     string
	dir      string // for trees and binaries
	binaries int    // pairs of them
	pairs    int    // of processes, of each pair of binaries
}

// shares are what is aimed at.
var shares = []float64{0.05, 0.10}

// run fits and measures the changes for which want is true.
func (s *sizes) run(ctx context.Context, command string, want func(change) bool) error {
	changes, err := readChanges(s.file)
	if err != nil {
		return err
	}
	var failed error // what has no size; the others get theirs
	for i := range changes {
		c := &changes[i]
		if !want(*c) {
			continue
		}
		fitted, err := s.fit(ctx, *c)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			err = fmt.Errorf("%s of %s: %w", c.Name, c.Module, err)
			fmt.Fprintf(s.stderr, "gatetrial: size: %v\n", err)
			failed = errors.Join(failed, err)
			continue
		}
		for k := range fitted {
			fitted[k].Command = command
		}
		c.Sizes = fitted
		if err := writeChanges(s.file, changes); err != nil { // each as it is there: it takes minutes
			return err
		}
	}
	return failed
}

// fit returns the sizes of c: one for each share.
func (s *sizes) fit(ctx context.Context, c change) ([]size, error) {
	m, err := find(c.Module)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(s.dir, c.Module+"-"+c.Name+"-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	b := &bench{module: m, change: c, dir: dir, linked: make(map[string]bool)}
	if err := b.prepare(ctx); err != nil {
		return nil, err
	}
	measure := func(head, base string, work, binaries, pairs int) (sizeOf, error) {
		got, err := b.measure(ctx, head, base, work, binaries, pairs)
		if err == nil {
			fmt.Fprintf(s.stderr, "gatetrial: %s %s: %s, work %d against %s: %+.1f %% (%+.1f to %+.1f)\n", c.Module, c.Name, c.Target, work, base, 100*got.Change, 100*got.Lo, 100*got.Hi)
		}
		return got, err
	}
	// What the loop costs with nothing to do. It makes the function longer, which moves
	// all that comes behind it: it takes many binaries to see past what that does.
	start, err := measure(zero, original, 0, s.binaries, max(1, s.pairs/2))
	if err != nil {
		return nil, err
	}
	// What work does beyond that. It changes a number, so there is no such difference. So
	// much work is looked for first that no noise hides what it does.
	effect := make(map[int]float64)
	for work := 4; ; work *= 4 {
		if work > 1<<16 {
			return nil, fmt.Errorf("%s: no work makes it much slower", c.Target)
		}
		got, err := measure(head, zero, work, 3, 4)
		if err != nil {
			return nil, err
		}
		if got.Change > 3*shares[len(shares)-1] {
			effect[work] = got.Change
			break
		}
	}
	var fitted []size
	for _, share := range shares {
		var best size // the nearest
		for range 3 {
			work := interpolate(effect, share)
			if _, known := effect[work]; known {
				break
			}
			got, err := measure(head, zero, work, max(3, s.binaries/2), s.pairs)
			if err != nil {
				return nil, err
			}
			effect[work] = got.Change
			is := size{Share: share, Work: work, Date: time.Now().UTC().Truncate(time.Second), Load: load(), Of: got, Start: start}
			if best.Work == 0 || is.off() < best.off() {
				best = is
			}
			if best.off() < 0.15*share {
				break
			}
		}
		if best.Work == 0 {
			return nil, fmt.Errorf("%s: no amount of work makes it about %.0f %% slower", c.Target, 100*share)
		}
		fitted = append(fitted, best)
	}
	return fitted, nil
}

// off returns how far the size is from what was aimed at.
func (s size) off() float64 { return math.Abs(s.Of.Change - s.Share) }

// interpolate returns the work that has the effect, from what is known of others.
// Where none is smaller, the effect of no work is none.
func interpolate(effect map[int]float64, want float64) int {
	lo, hi, below, above := 0, 0, 0.0, math.Inf(1)
	for work, e := range effect {
		if e <= want && work > lo {
			lo, below = work, e
		}
	}
	for work, e := range effect {
		if e > want && work > lo && (hi == 0 || work < hi) {
			hi, above = work, e
		}
	}
	if hi == 0 {
		return 2 * max(1, lo)
	}
	return max(1, lo+int(math.Round(float64(hi-lo)*(want-below)/(above-below))))
}

// load is the machine's load average of the last minute; "" where there is none.
func load() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(data), " ")
	return first
}

// A bench measures how much slower a change makes benchmarks.
type bench struct {
	module
	change
	dir        string
	linked     map[string]bool // the binaries that are there
	iterations int             // of a slice
}

// The trees of a bench.
const (
	original = "original"
	zero     = "zero" // with the loop in it, and nothing to do
	head     = "head" // with work to do
)

// prepare makes the trees that are compared to.
func (b *bench) prepare(ctx context.Context) error {
	if err := b.copyTo(ctx, filepath.Join(b.dir, original)); err != nil {
		return err
	}
	return b.tree(zero, 0)
}

// tree makes a tree with so much work in it.
func (b *bench) tree(name string, work int) error {
	dir := filepath.Join(b.dir, name)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(b.dir, original))); err != nil {
		return err
	}
	return b.apply(dir, work)
}

// pkg is the directory of the changed package, in the module.
func (b *bench) pkg() string { return filepath.Dir(b.File) }

// link builds a test binary whose functions are in the order of the seed.
func (b *bench) link(ctx context.Context, side string, seed int) (string, error) {
	name := filepath.Join(b.dir, fmt.Sprintf("%s.%d.test", side, seed))
	if b.linked[name] {
		return name, nil
	}
	b.linked[name] = true
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-trimpath", "-ldflags=-randlayout="+strconv.Itoa(seed), "-o", name, ".")
	cmd.Dir = filepath.Join(b.dir, side, b.pkg())
	cmd.Env = append(os.Environ(), "GOWORK=off")
	_, err := output(cmd)
	return name, err
}

// measure compares the target in two trees, over so many pairs of binaries and of
// processes of each. If the one is the head, that is made with so much work.
func (b *bench) measure(ctx context.Context, slow, base string, work, binaries, pairs int) (sizeOf, error) {
	if slow == head {
		if err := b.tree(head, work); err != nil {
			return sizeOf{}, err
		}
	}
	var medians []float64 // of each pair of binaries
	for seed := 1; seed <= binaries; seed++ {
		var binary [2]string
		for i, tree := range []string{base, slow} {
			var err error
			if binary[i], err = b.link(ctx, tree, seed); err != nil {
				return sizeOf{}, err
			}
		}
		var ratios []float64
		for range pairs {
			r, err := b.turns(ctx, binary[0], binary[1])
			if err != nil {
				return sizeOf{}, err
			}
			ratios = append(ratios, math.Log(r))
		}
		slices.Sort(ratios)
		medians = append(medians, stat.Quantile(0.5, stat.LinInterp, ratios, nil))
		if slow == head {
			if err := os.Remove(binary[1]); err != nil { // the next has another amount
				return sizeOf{}, err
			}
			delete(b.linked, binary[1])
		}
	}
	mean, sd := stat.MeanStdDev(medians, nil)
	n := float64(binaries)
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975) * sd / math.Sqrt(n)
	round := func(log float64) float64 { return math.Round(1e4*math.Expm1(log)) / 1e4 }
	return sizeOf{b.Target, round(mean), round(mean - half), round(mean + half), binaries, pairs}, nil
}

// A process has so many slices of that length, of which the first is dropped and the
// fastest of the others counts. They are shorter than those of the gate, and more, so
// that some are not disturbed even on a machine with much else to do.
const (
	slicesEach = 30
	sliceTime  = 500 * time.Microsecond
)

// turns runs a process of each side, which take turns slice by slice, and returns the
// head's time as a multiple of the base's.
func (b *bench) turns(ctx context.Context, base, slow string) (float64, error) {
	if b.iterations == 0 {
		n, err := b.calibrate(ctx, base)
		if err != nil {
			return 0, err
		}
		b.iterations = n
	}
	var cpu string // both processes on the same one
	if len(b.cpu) == 0 {
		cpu = strconv.Itoa(rand.IntN(2))
	}
	sides := []struct{ binary, tree string }{{base, original}, {slow, zero}}
	var live [2]*process
	fastest := [2]float64{math.Inf(1), math.Inf(1)}
	defer func() {
		for _, p := range live {
			if p != nil {
				p.end()
			}
		}
	}()
	swap := rand.IntN(2)
	for i := range slicesEach {
		for k := range sides {
			side := k ^ swap ^ i&1
			if live[side] == nil {
				p, err := b.start(ctx, sides[side].binary, sides[side].tree, b.iterations, cpu)
				if err != nil {
					return 0, err
				}
				live[side] = p
			}
			v, err := live[side].next()
			if err != nil {
				return 0, fmt.Errorf("%s, %s: %w", b.Target, sides[side].tree, err)
			}
			if i > 0 {
				fastest[side] = min(fastest[side], v)
			}
		}
	}
	return fastest[1] / fastest[0], nil
}

// calibrate returns how many iterations a slice has.
func (b *bench) calibrate(ctx context.Context, binary string) (int, error) {
	n := 100
	for range 2 {
		p, err := b.start(ctx, binary, original, n, "")
		if err != nil {
			return 0, err
		}
		best := math.Inf(1)
		for range slicesEach {
			v, err := p.next()
			if err != nil {
				p.end()
				return 0, fmt.Errorf("%s: %w", b.Target, err)
			}
			best = min(best, v)
		}
		p.end()
		n = max(1, int(float64(sliceTime)/best))
	}
	return n, nil
}

// A process is a test binary that is stopped after each slice.
type process struct {
	cmd     *exec.Cmd
	out     *bufio.Scanner
	stopped bool
}

// start starts a process that measures the target in slices of n iterations, pinned to
// the CPU unless that is "".
func (b *bench) start(ctx context.Context, binary, tree string, n int, cpu string) (*process, error) {
	args := []string{binary, "-test.run=^$", "-test.bench=" + exactly(b.Target), "-test.benchtime=" + strconv.Itoa(n) + "x", "-test.count=" + strconv.Itoa(slicesEach)}
	if len(b.cpu) > 0 {
		args = append(args, "-test.cpu="+strconv.Itoa(b.cpu[0]))
	} else {
		args = append(args, "-test.cpu=1")
	}
	if cpu != "" {
		args = append([]string{"taskset", "-c", cpu}, args...)
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = filepath.Join(b.dir, tree, b.pkg())
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &process{cmd: cmd, out: bufio.NewScanner(out)}, cmd.Start()
}

// exactly returns what selects the benchmark of that name, as testing takes it apart.
func exactly(name string) string {
	elements := strings.Split(name, "/")
	for i, e := range elements {
		if i == 0 {
			e = "Benchmark" + e
		}
		elements[i] = "^" + regexp.QuoteMeta(e) + "$"
	}
	return strings.Join(elements, "/")
}

// next lets it run for a slice and returns the time of an operation.
func (p *process) next() (float64, error) {
	if p.stopped {
		if err := goOn(p.cmd.Process); err != nil {
			return 0, err
		}
		p.stopped = false
	}
	for p.out.Scan() {
		fields := strings.Fields(p.out.Text())
		if len(fields) < 4 || fields[3] != "ns/op" {
			continue
		}
		v, err := strconv.ParseFloat(fields[2], 64)
		if err != nil {
			return 0, err
		}
		p.stopped = true
		return v, stop(p.cmd.Process)
	}
	return 0, cmp.Or(p.out.Err(), errors.New("no ns/op"))
}

func (p *process) end() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}
