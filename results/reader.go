package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/perf/benchfmt"

	"github.com/lockbench/lockbench/internal/wording"
)

// A SyntaxError is an error in one line of a file.
type SyntaxError struct {
	File string // as it was opened
	Line int    // from 1
	Msg  string // what was wanted there, and what was found
}

// Error returns "file:line: message".
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// A File is the contents of a results file.
type File struct {
	Name string // as it was opened
	Facts
	Samples []Sample // in file order

	// Torn is a last line without an end, cut off when the run was killed.
	Torn string

	// Warnings is what is unusual, but no error: additions of a CI job around the
	// lines, results into which something was printed.
	Warnings []string
}

// Append adds the samples of another file, of the same machine, to f. Their rounds
// follow those of f: samples of two files were not measured beside each other, and
// [Ratios] must not pair them.
func (f *File) Append(other *File) {
	last := 0
	for _, s := range f.Samples {
		last = max(last, s.Round)
	}
	for _, s := range other.Samples {
		if s.Round > 0 { // known
			s.Round += last
		}
		f.Samples = append(f.Samples, s)
	}
}

// Done counts the samples of each cell.
func (f *File) Done() map[Cell]int {
	done := make(map[Cell]int)
	for _, s := range f.Samples {
		done[s.Cell]++
	}
	return done
}

// ReadFile reads a whole file. The error joins all errors that [Read] finds; the File
// then has what could be read.
//
// A [Writer] may write to the file meanwhile: if the last line seems to be cut off, but
// has changed when it is read again, it is being written.
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
// Benchmarks without a key lock= in their names, and lines that are no benchmarks, are
// skipped. Any error in the text yields a [*SyntaxError] and does not end the sequence:
// a line that cannot be parsed, a change of machine halfway, a failed test, a last line
// that was cut off, and a text without samples. An error from r ends the sequence. The
// sequence can be ranged over once.
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

// ourLine is an example of what [Read] expects, for errors.
const ourLine = "BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2 5000000 61 ns/op"

// A reader reads a file up to its last complete line. It is the only parser of these
// files: [Read] and [Records] differ in the benchmarks that they select, and in the
// values that they return.
type reader struct {
	name  string
	lines *lines
	bench *benchfmt.Reader

	// What earlier lines say about the next sample.
	facts          Facts
	pkg            string
	round, build   int
	fork           int // as said since the line with the round
	distance       Distance
	oversubscribed bool
	waits          []Wait // of the next sample only

	ours int     // benchmark lines that are selected, parsed or not
	errs []error // found in lines that are no benchmarks, not yet yielded

	ending  ending
	heading heading
	headed  bool // there was a heading, and no end of its process
	mender  mender

	better map[string]int // what Unit lines declare, by unit
	notes  remarks
}

func newReader(r io.Reader, name string) *reader {
	rd := &reader{name: name, heading: heading{open: true}}
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
	f.Facts, f.Torn, f.Warnings = r.facts, r.lines.torn, r.warnings()
	return f, errors.Join(errs...)
}

// samples yields the samples and errors of the complete lines.
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

// records yields the benchmarks with wanted names, and the errors, of the complete
// lines.
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
					r.waits = nil
					continue
				}
				r.ours++
				r.notes.benchmark(r.pkg, rec.Name.String(), r.lines.n)
				if !yield(r.record(rec), nil) {
					return
				}
			}
		}
		r.finish()
		r.yieldErrs(yield)
	}
}

// isProse reports whether a line that cannot be parsed is not one of go test's: those
// have a function's name, unlike "Benchmarking the parser", a tab after the name, and
// their errors are in the numbers.
func isProse(line []byte) bool {
	if rest, ok := bytes.CutPrefix(line, []byte("Unit")); ok {
		return !bytes.ContainsRune(rest, '=')
	}
	rest, ok := bytes.CutPrefix(line, []byte("Benchmark"))
	if !ok || bytes.ContainsRune(rest, '\t') || bytes.Contains(rest, []byte("/op")) {
		return false
	}
	first, _ := utf8.DecodeRune(rest)
	fields := bytes.Fields(rest)
	numbers := func(i int) bool { return len(fields) > i && startsWithNumber(string(fields[i])) }
	switch {
	case len(fields) == 0:
		return true
	case unicode.IsSpace(first): // "Benchmark 1 of 5"
		return !numbers(0) || !numbers(1)
	case bytes.HasSuffix(fields[0], []byte(":")):
		return true
	}
	return len(fields) > 1 && !numbers(1)
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

// line handles a line that affects later lines, and returns what to read in it for a
// benchmark.
func (r *reader) line(text []byte) []byte {
	l := line{r.lines.n, string(text)}
	if what := foreign(l.text, l.n); what != "" {
		r.errs = append(r.errs, r.errorf("want plain text in UTF-8, have %s", what))
		return nil
	}
	read, log, orphan := r.mender.see(l)
	r.orphan(orphan)
	if log == "" && read != "" {
		r.ending.result()
	} else {
		r.fail(r.ending.see(line{l.n, log}))
	}
	if read == l.text && !strings.HasPrefix(read, "Benchmark") {
		r.setting(l.text)
	} else {
		r.heading.open = false
	}
	return []byte(read)
}

// fail notes lines that say that the run failed.
func (r *reader) fail(lines []line) {
	for _, l := range lines {
		r.errs = append(r.errs, &SyntaxError{r.name, l.n, fmt.Sprintf("want the output of a run that passed, have %q", l.text)})
	}
}

// orphan notes a benchmark's name without numbers.
func (r *reader) orphan(l line) {
	if l.n != 0 {
		r.errs = append(r.errs, &SyntaxError{r.name, l.n, fmt.Sprintf("no numbers that are certainly this benchmark's: want %q, have %q", "BenchmarkName operations value unit ...", l.text)})
	}
}

// setting handles a line that is not a benchmark's.
func (r *reader) setting(text string) {
	if isEnd(text) {
		r.notes.end()
		r.headed = false
	}
	comment := strings.HasPrefix(text, "# ")
	key, value, ok := strings.Cut(strings.TrimPrefix(text, "# "), ":")
	if !ok || value != "" && value[0] != ' ' && value[0] != '\t' {
		// Not a key, as in benchstat.
		r.heading.open = r.heading.open && (strings.TrimSpace(text) == "" || strings.HasPrefix(text, "Unit "))
		return
	}
	value = strings.TrimSpace(value)
	if comment {
		r.comment(key, value)
		return
	}
	switch key {
	case "goos", "goarch", "cpu", "machine", "pkg":
		is, begins := r.heading.has(key, value)
		if !is {
			r.notes.log(line{r.lines.n, text}, r.factOf(key) != value)
			r.heading.open = false
			return
		}
		if key == "goos" && r.ours == 0 {
			// The lines above are no heading: a test has logged them.
			r.facts.CPU = ""
			if !r.oursMachine() {
				r.facts.Machine = ""
			}
		}
		if begins && (key == "pkg" || key == "goos") {
			r.orphan(r.mender.giveUp())
			if r.headed { // another process
				r.fail(r.ending.over())
			}
			r.headed = true
		}
	}
	r.config(key, value)
}

// factOf returns the value of a key of the heading.
func (r *reader) factOf(key string) string {
	switch key {
	case "goos":
		return r.facts.GOOS
	case "goarch":
		return r.facts.GOARCH
	case "cpu":
		return r.facts.CPU
	case "machine":
		return r.facts.Machine
	}
	return r.pkg
}

// finish handles the end of the text.
func (r *reader) finish() {
	r.orphan(r.mender.giveUp())
	if r.notes.open != "" {
		r.fail(r.ending.cut())
	} else {
		r.fail(r.ending.over())
	}
}

// warnings returns what is unusual in the text, once it has been read.
func (r *reader) warnings() []string {
	w := slices.Concat(r.lines.dress.warnings(), r.mender.warnings())
	if n := r.lines.long; n > 0 {
		w = append(w, fmt.Sprintf("passed over %s of more than %d bytes", wording.Count(n, "line"), maxLine))
	}
	return append(w, r.notes.all()...)
}

// isEnd reports whether a line is one that go test prints after the benchmarks of a
// package.
func isEnd(line string) bool { return line == "PASS" || strings.HasPrefix(line, "ok  \t") }

// foreign says what kind of file it is if the n'th line shows that it is neither go
// test's nor lockbench's, judging by the beginning of the line.
func foreign(line string, n int) string {
	if n == 1 {
		for _, f := range []struct{ begin, what string }{
			{"\x1f\x8b", "gzip data"},
			{"\xff\xfe", "UTF-16"},
			{"\xfe\xff", "UTF-16"},
			{"<", "HTML or XML"},
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
		r.fork = 0
	case "fork":
		r.number(key, &r.fork, value)
	case "build":
		r.number(key, &r.build, value)
	case "waits":
		w, err := parseWait(value)
		if err != nil {
			if !r.logged("# waits: " + value) {
				r.errs = append(r.errs, r.errorf("waits: %v", err))
			}
			return
		}
		r.waits = append(r.waits, w)
	default:
		if isKey(key) {
			r.facts.Note(key, value)
		}
	}
}

func (r *reader) number(key string, have *int, value string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		if r.logged("# " + key + ": " + value) {
			return
		}
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
		if !Distance(value).valid() && r.logged(key+": "+value) {
			return
		}
		r.distance = Distance(value)
		if !r.distance.valid() {
			r.errs = append(r.errs, r.errorf("distance: want local, near, far or mixed, have %q", value))
		}
	case "oversubscribed":
		valid := value == "" || value == "true" || value == "false"
		if !valid && r.logged(key+": "+value) {
			return
		}
		r.oversubscribed = value == "true"
		if !valid {
			r.errs = append(r.errs, r.errorf("oversubscribed: want true or false, have %q", value))
		}
	default:
		r.notes.config(key, value)
	}
}

// logged reports whether a line is taken for a log line although it begins with a key
// of lockbench's files. Those files name their machine.
func (r *reader) logged(text string) bool {
	if r.oursMachine() {
		return false
	}
	r.notes.log(line{r.lines.n, text}, true)
	return true
}

// oursMachine reports whether the file names the machine as lockbench's files do.
func (r *reader) oursMachine() bool {
	return r.facts.Machine == "host" || strings.HasPrefix(r.facts.Machine, "sim:")
}

// fact sets one of the facts. They must not change after a sample: samples of two
// machines do not belong in one summary.
func (r *reader) fact(key string, have *string, value string) {
	if r.ours > 0 && value != *have {
		r.errs = append(r.errs, r.errorf("%s: want %q as in the samples above, have %q", key, *have, value))
	}
	*have = value
}

// unit notes what a line "Unit" declares.
func (r *reader) unit(u *benchfmt.UnitMetadata) error {
	if u.Key != "better" {
		return nil
	}
	if r.better == nil {
		r.better = make(map[string]int)
	}
	better, ok := ParseDirection(u.Value)
	if !ok {
		return r.errorf("unit %s: better=%s: want higher or lower", u.OrigUnit, u.Value)
	}
	r.better[u.OrigUnit] = better
	return nil
}

// record turns a benchmark into a Record.
func (r *reader) record(rec *benchfmt.Result) Record {
	record := Record{
		Pkg:            r.pkg,
		Name:           rec.Name.String(),
		Round:          r.round,
		Fork:           r.fork,
		Build:          r.build,
		Distance:       r.distance,
		Oversubscribed: r.oversubscribed,
		Ops:            rec.Iters,
		Line:           r.lines.n,
	}
	record.waits, r.waits = r.waits, nil
	for _, v := range rec.Values {
		if v.OrigUnit != "" { // benchfmt made seconds of nanoseconds
			v.Value, v.Unit = v.OrigValue, v.OrigUnit
		}
		record.Values = append(record.Values, Value{v.Unit, v.Value})
	}
	return record
}

// explain adds what was wanted to an error of benchfmt.
func (r *reader) explain(err *benchfmt.SyntaxError) error {
	want := "BenchmarkName operations value unit ..."
	if bytes.HasPrefix(r.lines.text, []byte("Unit")) {
		want = "Unit name key=value ..."
	}
	return r.errorf("%s: want %q, have %q", err.Msg, want, r.lines.text)
}

// end returns what is wrong with the text as a whole, once all samples have been read.
// example is a line as it was expected.
func (r *reader) end(example string) error {
	want := strconv.Quote(example)
	l := r.lines
	behind := func(format string, args ...any) error {
		return &SyntaxError{r.name, l.read + 1, fmt.Sprintf(format, args...)}
	}
	switch {
	case l.err == errTooLong:
		return behind("%v", l.err)
	case l.err != nil:
		return fmt.Errorf("%s:%d: %w", r.name, l.read+1, l.err)
	case l.torn != "":
		return behind("last line is cut off: want a newline behind %q", l.torn)
	case r.ours > 0:
		return nil
	case l.read == 0:
		return behind("empty file: want lines such as %s", want)
	}
	what := "not a results file"
	switch {
	case r.facts.Machine != "":
		what = "no samples"
	case example == anyLine:
		what = "no benchmarks"
	}
	return &SyntaxError{r.name, l.read, fmt.Sprintf("%s: want lines such as %s", what, want)}
}

// errorf returns an error in the current line.
func (r *reader) errorf(format string, args ...any) error {
	return &SyntaxError{r.name, r.lines.n, fmt.Sprintf(format, args...)}
}
