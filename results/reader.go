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
	"unicode"
	"unicode/utf8"

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
//
// A [Writer] may be at work meanwhile: where the last line seems to be cut off,
// but is another when it is looked at again, it is one that is being written.
func ReadFile(name string) (*File, error) {
	return readFile(func() (io.ReadCloser, error) { return os.Open(name) }, name)
}

func readFile(open func() (io.ReadCloser, error), name string) (*File, error) {
	torn := ""
	for {
		r, err := open()
		if err != nil {
			return nil, err
		}
		f, err := ReadAll(r, name)
		r.Close()
		if f.Torn == torn {
			return f, err
		}
		torn = f.Torn
	}
}

// ReadAll is [ReadFile] of r; name is for diagnostics only.
func ReadAll(r io.Reader, name string) (*File, error) {
	rd := newReader(r, name)
	file, err := rd.all()
	return file, errors.Join(err, rd.end(ourLine))
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
		if err := rd.end(ourLine); err != nil {
			yield(Sample{}, err)
		}
	}
}

// ourLine is what [Read] wants to read, for errors.
const ourLine = "BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2 5000000 61 ns/op"

// A reader follows a file down to its last whole line. It is the only parser
// of these files there is: [Read] and [Records] differ in which benchmarks they
// want, and in what they make of them.
type reader struct {
	name  string
	lines *lines
	bench *benchfmt.Reader

	// What the lines above say of the sample to come.
	facts          Facts
	pkg            string
	round, build   int
	distance       Distance
	oversubscribed bool

	ours   int     // benchmark lines that are wanted, parsed or not
	errs   []error // found in lines that are no benchmarks, not yet yielded
	failed bool    // a line says that the run failed

	better map[string]int // what Unit lines declare, by unit
	notes  remarks
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
		for rec, err := range r.records(hasLock) {
			var s Sample
			if err == nil {
				if s, err = rec.sample(); err != nil {
					err = r.errorf("%v", err)
				}
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

func hasLock(name []byte) bool { return bytes.Contains(name, []byte("/lock=")) }

// records yields the benchmarks whose names are wanted, and the errors, of the
// whole lines.
func (r *reader) records(wanted func(name []byte) bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for r.bench.Scan() {
			if !r.yieldErrs(yield) {
				return
			}
			switch rec := r.bench.Result().(type) {
			case *benchfmt.SyntaxError:
				if isProse(r.lines.text) {
					continue
				}
				if !yield(Record{}, r.explain(rec)) {
					return
				}
			case *benchfmt.UnitMetadata:
				if err := r.unit(rec); err != nil && !yield(Record{}, err) {
					return
				}
			case *benchfmt.Result:
				if !wanted(rec.Name) {
					continue
				}
				r.ours++
				r.notes.benchmark(r.pkg)
				if !yield(r.record(rec), nil) {
					return
				}
			}
		}
		r.yieldErrs(yield)
	}
}

// isProse reports whether a line that cannot be parsed is none of go test's,
// such as "Benchmarking the parser": its functions have another name, and its
// lines have a number behind it.
func isProse(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("Benchmark"))
	first, _ := utf8.DecodeRune(rest)
	fields := bytes.Fields(rest)
	return ok && unicode.IsLower(first) && (len(fields) < 2 || fields[1][0] < '0' || fields[1][0] > '9')
}

func (r *reader) yieldErrs(yield func(Record, error) bool) bool {
	for _, err := range r.errs {
		if !yield(Record{}, err) {
			return false
		}
	}
	r.errs = nil
	return true
}

// line takes note of a line that bears on the samples below it.
func (r *reader) line(text []byte) {
	line := string(text)
	if r.isFailure(line) {
		r.failed = true
		r.errs = append(r.errs, r.errorf("want the output of a run that passed, have %q", line))
		return
	}
	if what := foreign(line, r.lines.n); what != "" {
		r.errs = append(r.errs, r.errorf("want plain text in UTF-8, have %s", what))
		return
	}
	if isEnd(line) {
		r.notes.end()
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

// isFailure reports whether a line says that the run failed. What only follows
// from a failure counts where there is no other sign of it.
func (r *reader) isFailure(line string) bool {
	if strings.HasPrefix(line, "FAIL") || strings.HasPrefix(line, "--- FAIL") {
		return true
	}
	if r.failed {
		return false
	}
	for _, prefix := range []string{"panic: ", "fatal error: ", "exit status ", "signal: ", "*** Test killed", "WARNING: DATA RACE"} {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return strings.HasPrefix(line, "goroutine ") && strings.HasSuffix(line, "]:")
}

// isEnd reports whether a line is what go test prints behind the benchmarks of
// a package.
func isEnd(line string) bool { return line == "PASS" || strings.HasPrefix(line, "ok  \t") }

// foreign returns what the n'th line is if it is no text of ours at all. What
// other software makes of a text is told by how it begins.
func foreign(line string, n int) string {
	if n == 1 {
		for _, f := range []struct{ begin, what string }{
			{"\x1f\x8b", "gzip data"},
			{"\xff\xfe", "UTF-16"},
			{"\xfe\xff", "UTF-16"},
			{"\xef\xbb\xbf", "a byte order mark before it"},
			{"<", "HTML or XML"},
			{`{"Time":`, "the output of go test -json"},
			{`{"Action":`, "the output of go test -json"},
		} {
			if strings.HasPrefix(line, f.begin) {
				return f.what
			}
		}
	}
	if strings.Contains(line, "\x00") {
		return "a zero byte"
	}
	return ""
}

func (r *reader) comment(key, value string) {
	switch key {
	case "round":
		r.number(key, &r.round, value)
	case "build":
		r.number(key, &r.build, value)
	default:
		if isKey(key) {
			r.facts.Note(key, value)
		}
	}
}

func (r *reader) number(key string, have *int, value string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		r.errs = append(r.errs, r.errorf("%s: want a number, have %q", key, value))
		return
	}
	*have = n
}

func (r *reader) config(key, value string) {
	switch key {
	case "pkg":
		r.notes.begin(r.round, r.facts.Machine)
		r.pkg = value
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
	default:
		r.notes.config(key, value)
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

// unit takes note of what a line "Unit" declares.
func (r *reader) unit(u *benchfmt.UnitMetadata) error {
	if u.Key != "better" {
		return nil
	}
	if r.better == nil {
		r.better = make(map[string]int)
	}
	switch u.Value {
	case "higher":
		r.better[u.OrigUnit] = +1
	case "lower":
		r.better[u.OrigUnit] = -1
	default:
		return r.errorf("unit %s: better=%s: want higher or lower", u.OrigUnit, u.Value)
	}
	return nil
}

// record turns a benchmark into a Record.
func (r *reader) record(rec *benchfmt.Result) Record {
	record := Record{
		Pkg:            r.pkg,
		Name:           rec.Name.String(),
		Round:          r.round,
		Build:          r.build,
		Distance:       r.distance,
		Oversubscribed: r.oversubscribed,
		Ops:            rec.Iters,
		Line:           r.lines.n,
	}
	for _, v := range rec.Values {
		if v.OrigUnit != "" { // benchfmt made seconds of nanoseconds
			v.Value, v.Unit = v.OrigValue, v.OrigUnit
		}
		record.Values = append(record.Values, Value{v.Unit, v.Value})
	}
	return record
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
// been read. A line like example is what was wanted.
func (r *reader) end(example string) error {
	want := strconv.Quote(example)
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
	case example == anyLine:
		return r.errorf("no benchmarks: want lines such as %s", want)
	}
	return r.errorf("not a results file: want lines such as %s", want)
}

// errorf returns an error in the current line.
func (r *reader) errorf(format string, args ...any) error {
	return &SyntaxError{r.name, r.lines.n, fmt.Sprintf(format, args...)}
}
