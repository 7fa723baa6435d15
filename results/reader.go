package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"

	"golang.org/x/perf/benchfmt"
)

// A SyntaxError is something wrong in one line of a file.
type SyntaxError struct {
	File string
	Line int // from 1
	Msg  string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// A File is what a results file holds.
type File struct {
	Name string
	Facts
	Samples []Sample // in file order

	// Torn is a last line without an end, cut off by whatever killed the run.
	Torn string
}

// Done counts the samples of each cell.
func (f *File) Done() map[Cell]int {
	done := make(map[Cell]int)
	for _, s := range f.Samples {
		done[s.Cell]++
	}
	return done
}

// ReadFile reads a whole file. The error joins all that is wrong with it, as
// [Read] finds it; the File then holds what was right.
func ReadFile(name string) (*File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadAll(f, name)
}

// ReadAll is [ReadFile] of r; name is for diagnostics only.
func ReadAll(r io.Reader, name string) (*File, error) {
	rd := newReader(r, name)
	file, err := rd.all()
	return file, errors.Join(err, rd.end())
}

// Read yields the samples in r in file order; name is for diagnostics only.
//
// Benchmarks without a key lock= in their names, and lines that are no
// benchmarks, are passed over. All else that is not as it should be yields a
// [*SyntaxError] and does not end the sequence: a line that cannot be parsed,
// a change of machine halfway, a failed test, a last line that was cut off,
// and a text that has nothing to read in it. An error from r ends the
// sequence. The sequence can be ranged over once.
func Read(r io.Reader, name string) iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		rd := newReader(r, name)
		for s, err := range rd.samples() {
			if !yield(s, err) {
				return
			}
		}
		if err := rd.end(); err != nil {
			yield(Sample{}, err)
		}
	}
}

// A reader follows a file down to its last whole line.
type reader struct {
	name  string
	lines *lines
	bench *benchfmt.Reader

	// What the lines above say of the sample to come.
	facts          Facts
	round          int
	distance       Distance
	oversubscribed bool

	ours int     // benchmark lines that have a key lock=, parsed or not
	errs []error // found in lines that are no benchmarks, not yet yielded
}

func newReader(r io.Reader, name string) *reader {
	rd := &reader{name: name}
	rd.lines = newLines(r, rd.line)
	rd.bench = benchfmt.NewReader(rd.lines, name)
	return rd
}

// all collects the samples, and joins the errors of [reader.samples].
func (r *reader) all() (*File, error) {
	f := &File{Name: r.name}
	var errs []error
	for s, err := range r.samples() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		f.Samples = append(f.Samples, s)
	}
	f.Facts, f.Torn = r.facts, r.lines.torn
	return f, errors.Join(errs...)
}

// samples yields the samples and errors of the whole lines.
func (r *reader) samples() iter.Seq2[Sample, error] {
	return func(yield func(Sample, error) bool) {
		for r.bench.Scan() {
			if !r.yieldErrs(yield) {
				return
			}
			switch rec := r.bench.Result().(type) {
			case *benchfmt.SyntaxError:
				if !yield(Sample{}, r.explain(rec)) {
					return
				}
			case *benchfmt.Result:
				if !bytes.Contains(rec.Name, []byte("/lock=")) {
					continue
				}
				r.ours++
				s, err := r.sample(rec)
				if err != nil {
					err = r.errorf("%v", err)
				}
				if !yield(s, err) {
					return
				}
			}
		}
		r.yieldErrs(yield)
	}
}

func (r *reader) yieldErrs(yield func(Sample, error) bool) bool {
	for _, err := range r.errs {
		if !yield(Sample{}, err) {
			return false
		}
	}
	r.errs = nil
	return true
}

// line takes note of a line that bears on the samples below it.
func (r *reader) line(text []byte) {
	line := string(text)
	if strings.HasPrefix(line, "FAIL") || strings.HasPrefix(line, "--- FAIL") {
		r.errs = append(r.errs, r.errorf("want the output of a run that passed, have %q", line))
		return
	}
	comment := strings.HasPrefix(line, "# ")
	key, value, ok := strings.Cut(strings.TrimPrefix(line, "# "), ":")
	if !ok || value != "" && value[0] != ' ' && value[0] != '\t' {
		return // not a key, and not for benchstat either
	}
	value = strings.TrimSpace(value)
	if comment {
		r.comment(key, value)
	} else {
		r.config(key, value)
	}
}

func (r *reader) comment(key, value string) {
	if key != "round" {
		if isKey(key) {
			r.facts.Note(key, value)
		}
		return
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		r.errs = append(r.errs, r.errorf("round: want a number, have %q", value))
		return
	}
	r.round = n
}

func (r *reader) config(key, value string) {
	switch key {
	case "goos":
		r.fact(key, &r.facts.GOOS, value)
	case "goarch":
		r.fact(key, &r.facts.GOARCH, value)
	case "cpu":
		r.fact(key, &r.facts.CPU, value)
	case "machine":
		r.fact(key, &r.facts.Machine, value)
	case "distance":
		r.distance = Distance(value)
		if !r.distance.valid() {
			r.errs = append(r.errs, r.errorf("distance: want local, near, far or mixed, have %q", value))
		}
	case "oversubscribed":
		r.oversubscribed = value == "true"
		if value != "" && value != "true" && value != "false" {
			r.errs = append(r.errs, r.errorf("oversubscribed: want true or false, have %q", value))
		}
	}
}

// fact sets one of the facts. They must not change below a sample: what comes
// from two machines does not belong in one summary.
func (r *reader) fact(key string, have *string, value string) {
	if r.ours > 0 && value != *have {
		r.errs = append(r.errs, r.errorf("%s: want %q as in the samples above, have %q", key, *have, value))
	}
	*have = value
}

// sample turns a benchmark of ours into a Sample.
func (r *reader) sample(rec *benchfmt.Result) (Sample, error) {
	cell, err := ParseCell(rec.Name.String())
	if err != nil {
		return Sample{}, err
	}
	s := Sample{
		Cell:           cell,
		Round:          r.round,
		Distance:       r.distance,
		Oversubscribed: r.oversubscribed,
		Ops:            rec.Iters,
	}
	for _, v := range rec.Values {
		if v.OrigUnit != "" { // benchfmt made seconds of nanoseconds
			v.Value, v.Unit = v.OrigValue, v.OrigUnit
		}
		s.Values = append(s.Values, Value{v.Unit, v.Value})
	}
	if err := s.Validate(); err != nil {
		return Sample{}, err
	}
	return s, nil
}

// explain adds to what benchfmt found wrong what it should have been.
func (r *reader) explain(err *benchfmt.SyntaxError) error {
	want := "BenchmarkName operations value unit ..."
	if bytes.HasPrefix(r.lines.text, []byte("Unit")) {
		want = "Unit name key=value ..."
	}
	return r.errorf("%s: want %q, have %q", err.Msg, want, r.lines.text)
}

// end returns what is wrong with the text as a whole, once all samples have
// been read.
func (r *reader) end() error {
	const want = `"BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2 5000000 61 ns/op"`
	l := r.lines
	behind := func(format string, args ...any) error {
		return &SyntaxError{r.name, l.n + 1, fmt.Sprintf(format, args...)}
	}
	switch {
	case l.tooLong():
		return behind("line is longer than %d bytes, which is not a benchmark", maxLine)
	case l.err != nil:
		return fmt.Errorf("%s:%d: %w", r.name, l.n+1, l.err)
	case l.torn != "":
		return behind("last line is cut off: want a newline behind %q", l.torn)
	case r.ours > 0:
		return nil
	case l.n == 0:
		return behind("empty file: want lines such as %s", want)
	case r.facts.Machine != "":
		return r.errorf("no samples: want lines such as %s", want)
	}
	return r.errorf("not a results file: want lines such as %s", want)
}

// errorf returns an error in the current line.
func (r *reader) errorf(format string, args ...any) error {
	return &SyntaxError{r.name, r.lines.n, fmt.Sprintf(format, args...)}
}
