package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// A RunError is a benchmark that failed, panicked, ran for too long, or did not print
// what was expected.
type RunError struct {
	Side      gate.Side      // whose binary it was
	Benchmark gate.Benchmark // its name is "" if it is not known
	Err       error          // what went wrong
	Output    string         // the last lines of its output
}

// Error says what failed and, on more lines, what it printed last.
func (e *RunError) Error() string {
	what := e.Benchmark.String()
	if e.Benchmark.Name == "" {
		what = e.Benchmark.Pkg
	}
	msg := fmt.Sprintf("%v: %s: %v", e.Side, what, e.Err)
	if e.Output != "" {
		msg += "\n" + indent(e.Output)
	}
	return msg
}

// Unwrap returns Err.
func (e *RunError) Unwrap() error { return e.Err }

// A job is one run of a test binary.
type job struct {
	side    gate.Side
	p       *pkg
	of      *binaries
	name    string // of the one benchmark, as printed; "" if it lists benchmarks, each of which has the time limit of one
	bench   string // for -test.bench
	skip    string // for -test.skip
	cpu     int
	n       int // iterations
	times   int // how often; 0 is once
	verbose bool
	count   bool // instructions
	pin     []int
	turns   *turns // nil if it runs on its own
}

// An outcome is the result of a job that did not fail.
type outcome struct {
	stdout       []byte
	wall         time.Duration
	ends         []time.Duration // when results were printed, since it began
	switches     int64           // how often it lost its CPU
	instructions uint64
}

// errTimeout is the cause of the end of a job that took too long.
var errTimeout = errors.New("timeout")

// failure is an error together with the output of the binary.
type failure struct {
	err    error
	stdout []byte
	stderr []byte
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// tail returns the last lines of the binary's output.
func (f *failure) tail() string {
	const most = 30
	var tail []string
	for _, out := range [][]byte{f.stdout, f.stderr} {
		text := strings.TrimSpace(string(out))
		if text == "" {
			continue
		}
		lines := strings.Split(text, "\n")
		if len(lines) > most {
			// A panic prints its reason first, and then long stacks.
			at := slices.IndexFunc(lines, func(l string) bool {
				return strings.HasPrefix(l, "panic:") || strings.HasPrefix(l, "fatal error:") || strings.HasPrefix(l, "SIGQUIT")
			})
			if at < 0 {
				at = len(lines) - most
			}
			if strings.HasPrefix(lines[at], "SIGQUIT") {
				lines = hanging(lines)
				at = 0
			}
			lines = lines[at:min(at+most, len(lines))]
		}
		tail = append(tail, lines...)
	}
	return strings.Join(tail, "\n")
}

// hanging returns the stack of the goroutine that runs a benchmark and does not wait
// for a sub-benchmark, if the lines have one, and otherwise the lines.
func hanging(lines []string) []string {
	for goroutine := range strings.SplitSeq(strings.Join(lines, "\n"), "\n\n") {
		if strings.HasPrefix(goroutine, "goroutine ") && strings.Contains(goroutine, ".Benchmark") && !strings.Contains(goroutine, "testing.(*B).Run(") {
			return strings.Split(goroutine, "\n")
		}
	}
	return lines
}

// seldomCollect keeps cycles of the garbage collector out of slices: a cycle begins when
// there are 40 MB of garbage, not 4. Package testing collects before each slice, so
// otherwise a slice has a cycle or not by how much it allocates, and by luck, and one that
// has takes up to twice as long. What is allocated is counted besides, and exactly. The
// limit is for what allocates without end. A variable that is set stays as it is.
func seldomCollect(env []string) []string {
	for _, kv := range []string{"GOGC=1000", "GOMEMLIMIT=2GiB"} {
		if key, _, _ := strings.Cut(kv, "="); last(env, key) == "" {
			env = append(env, kv)
		}
	}
	return env
}

// exec runs a job. The error is a *failure unless ctx ended it.
func (s *Source) exec(ctx context.Context, j job) (*outcome, error) {
	t := s.trees[which(j.side)]
	args := []string{
		"-test.run=^$",
		"-test.bench=" + j.bench,
		"-test.benchtime=" + strconv.Itoa(j.n) + "x",
		"-test.benchmem",
		"-test.cpu=" + strconv.Itoa(j.cpu),
		"-test.timeout=0", // of tests; benchmarks have no timeout except ours
	}
	if j.times > 1 {
		args = append(args, "-test.count="+strconv.Itoa(j.times))
	}
	if j.skip != "" {
		args = append(args, "-test.skip="+j.skip)
	}
	if j.verbose {
		args = append(args, "-test.v")
	}
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	cmd := exec.CommandContext(limited, j.of.files[which(j.side)], args...)
	cmd.Dir = j.p.sides[which(j.side)].dir
	cmd.Env = seldomCollect(s.c.environ(append(t.env, "PWD="+cmd.Dir, "TMPDIR="+t.temp)...))
	stdout := &watched{name: []byte(j.name), limit: s.c.Timeout, began: time.Now(), timer: time.AfterFunc(s.c.Timeout, func() { cancel(errTimeout) })}
	defer stdout.timer.Stop()
	started := func() {}
	if j.turns != nil {
		started = func() { j.turns.started(which(j.side), cmd, stdout.timer) }
		stdout.result = func() { j.turns.rest(which(j.side)) }
	}
	counted := "" // the file in which Callgrind counts
	if j.count {
		cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
		if s.callgrind != nil {
			counted = filepath.Join(s.temp, fmt.Sprintf("callgrind.%d", s.simulations.Add(1)))
			s.callgrind.wrap(cmd, counted)
		}
	}
	killable(cmd)
	if kill := cmd.Cancel; true {
		cmd.Cancel = func() error {
			if errors.Is(context.Cause(limited), errTimeout) {
				// Make it print where it hangs. After WaitDelay it is killed.
				if runtime.GOOS != "windows" && quit(cmd) == nil {
					return nil
				}
			}
			return kill()
		}
	}
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = stdout, &stderr

	instructions, err := runOn(cmd, j.pin, j.count && counted == "", started)
	if err == nil && counted != "" {
		instructions, err = s.callgrind.total(counted)
	}
	o := &outcome{wall: time.Since(stdout.began), instructions: instructions}
	if cmd.ProcessState != nil {
		o.switches = involuntary(cmd.ProcessState)
	}
	cleanUp(cmd)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(context.Cause(limited), errTimeout):
		err = fmt.Errorf("no end after %v", s.c.Timeout)
	case err == nil:
		o.stdout, o.ends = stdout.out.Bytes(), stdout.ends
		return o, nil
	}
	return nil, &failure{err, stdout.out.Bytes(), stderr.Bytes()}
}

// A watched is the output of a binary. If the binary lists benchmarks, each has the
// time limit of one.
type watched struct {
	out    bytes.Buffer // not embedded: io.Copy would call its ReadFrom, and not Write
	name   []byte       // of the benchmark; empty if it lists benchmarks
	limit  time.Duration
	timer  *time.Timer
	began  time.Time
	line   int             // where the last line of out begins
	ends   []time.Duration // when results came
	result func()          // if not nil, called when results came
}

func (w *watched) Write(p []byte) (int, error) {
	w.out.Write(p)
	if len(w.name) == 0 {
		if bytes.Contains(p, []byte("Benchmark")) {
			w.timer.Reset(w.limit)
		}
		return len(p), nil
	}
	before := len(w.ends)
	for {
		rest := w.out.Bytes()[w.line:]
		end := bytes.IndexByte(rest, '\n')
		if end < 0 {
			break
		}
		// A result ends with the counts of memory, which are always asked for.
		if bytes.HasSuffix(rest[:end], []byte(" allocs/op")) && bytes.Contains(rest[:end], w.name) {
			w.ends = append(w.ends, time.Since(w.began))
		}
		w.line += end + 1
	}
	if len(w.ends) > before && w.result != nil {
		w.result()
	}
	return len(p), nil
}

// A line is a benchmark line.
type line struct {
	name   string // without Benchmark
	n      int
	values []results.Value
}

// parse reads what a binary printed. Values have the units in which they were printed.
// Lines that make no sense are left out: a benchmark may print anything. The error is
// about units that are declared in opposite ways.
func parse(out []byte) (lines []line, units []*benchfmt.UnitMetadata, err error) {
	r := benchfmt.NewReader(bytes.NewReader(glued.ReplaceAll(out, []byte("$1\n$2"))), "")
	for r.Scan() {
		res, ok := r.Result().(*benchfmt.Result)
		if !ok {
			switch other := r.Result().(type) {
			case *benchfmt.UnitMetadata:
				units = append(units, other)
			case *benchfmt.SyntaxError:
				if strings.HasPrefix(other.Msg, "metadata ") {
					err = errors.Join(err, errors.New(other.Msg))
				}
			}
			continue
		}
		l := line{name: string(res.Name), n: res.Iters}
		for _, v := range res.Values {
			if v.OrigUnit != "" {
				v.Value, v.Unit = v.OrigValue, v.OrigUnit
			}
			l.values = append(l.values, results.Value{Unit: v.Unit, Value: v.Value})
		}
		lines = append(lines, l)
	}
	return lines, units, err
}

// glued matches a result that follows output without a line end.
var glued = regexp.MustCompile(`(?m)^(.+?)(Benchmark\S*[ \t]+\d+\t[ \t]*[-+.\deE]+ \S+.*)$`)

// errResults says why a binary's output is no reading.
var errResults = errors.New("want one result")

// find returns the lines with that name; there must be times of them. There may be
// lines of sub-benchmarks, too.
func find(out []byte, name string, times int) ([]line, error) {
	lines, _, _ := parse(out)
	lines = slices.DeleteFunc(lines, func(l line) bool { return l.name != name })
	if len(lines) != times {
		have := strconv.Itoa(len(lines))
		if times > 1 {
			have += fmt.Sprintf(" in %d times", times)
		}
		return nil, &failure{err: fmt.Errorf("%w, have %s", errResults, have), stdout: out}
	}
	return lines, nil
}

// value returns the value of a line in a unit, and whether it has one.
func (l line) value(unit string) (float64, bool) {
	for _, v := range l.values {
		if v.Unit == unit {
			return v.Value, true
		}
	}
	return 0, false
}

// explain adds the side and the benchmark to the error of a job.
func explain(err error, side gate.Side, b gate.Benchmark) error {
	f := (*failure)(nil)
	if !errors.As(err, &f) {
		return err
	}
	return &RunError{side, b, f.err, f.tail()}
}

// suffixed returns a name as printed with that many CPUs.
func suffixed(name string, cpu int) string {
	if cpu == 1 {
		return name
	}
	return name + "-" + strconv.Itoa(cpu)
}
