package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lockbench/lockbench/internal/wording"
)

// A Record is one benchmark line of any Go benchmark, with what the lines above it say
// about it. [Records] reads them; for benchmarks of locks, see [Sample].
type Record struct {
	Pkg  string // import path, from "pkg: path"; "" if unknown
	Name string // as go test prints it, without the word Benchmark: Sum/n=10-2

	// Round says which records were measured near each other in time: the comment "#
	// round: n". Build says which binary measured it: "# build: n". 0 is unknown.
	Round, Build int

	Fork int // which process measured; see [Sample]

	Distance       Distance // see [Sample]
	Oversubscribed bool     // see [Sample]

	Ops    int     // iterations
	Values []Value // each unit once, in the order of the line
	Line   int     // in its file, from 1

	waits []Wait // of a benchmark of a lock
}

// Value returns the value of r in unit, and whether it has one.
func (r Record) Value(unit string) (v float64, ok bool) { return Sample{Values: r.Values}.Value(unit) }

// String returns r as a benchmark line, without the newline.
func (r Record) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Benchmark%s\t%d", r.Name, r.Ops)
	for _, v := range r.Values {
		fmt.Fprintf(&b, "\t%s %s", strconv.FormatFloat(v.Value, 'g', -1, 64), v.Unit)
	}
	return b.String()
}

// Validate reports everything that keeps r from being written to a file and read back
// the same. Values may be anything, even NaN: a comparison reports that one makes no
// sense ([Value.Validate]), and that is no reason to refuse the file.
func (r Record) Validate() error {
	var wrong problems
	// go test prints U+FFFD for invalid UTF-8 in a name; [remarks] counts it.
	if !utf8.ValidString(r.Name) || strings.ContainsFunc(r.Name, func(c rune) bool { return c != unicode.ReplacementChar && notUnitRune(c) }) {
		wrong.add("benchmark %q: must be printable, without spaces", r.Name)
	}
	if strings.ContainsFunc(r.Pkg, notUnitRune) {
		wrong.add("pkg %q: must be printable, without spaces", r.Pkg)
	}
	if r.Round < 0 {
		wrong.add("round %d: must not be negative", r.Round)
	}
	if r.Fork < 0 {
		wrong.add("fork %d: must not be negative", r.Fork)
	}
	if r.Build < 0 {
		wrong.add("build %d: must not be negative", r.Build)
	}
	if !r.Distance.valid() {
		wrong.add("distance %q: must be local, near, far or mixed", string(r.Distance))
	}
	if r.Ops < 1 {
		wrong.add("%d operations: must be at least 1", r.Ops)
	}
	if len(r.Values) == 0 {
		wrong.add("no values")
	}
	seen := make(map[string]bool)
	for _, v := range r.Values {
		if v.Unit == "" || strings.ContainsFunc(v.Unit, notUnitRune) {
			wrong.add("unit %q: must be printable, without spaces", v.Unit)
		}
		if seen[v.Unit] {
			wrong.add("unit %s twice", v.Unit)
		}
		seen[v.Unit] = true
	}
	return wrong.err()
}

// sample turns a benchmark of a lock into a Sample.
func (r Record) sample() (Sample, error) {
	cell, err := ParseCell(r.Name)
	if err != nil {
		return Sample{}, err
	}
	s := Sample{
		Cell:           cell,
		Round:          r.Round,
		Fork:           r.Fork,
		Distance:       r.Distance,
		Oversubscribed: r.Oversubscribed,
		Ops:            r.Ops,
		Values:         r.Values,
		Waits:          r.waits,
	}
	if err := s.Validate(); err != nil {
		return Sample{}, err
	}
	return s, nil
}

// A RecordFile is the contents of a file of Go benchmarks.
type RecordFile struct {
	Name string // as it was opened
	Facts
	Records []Record // in file order

	// Declared has what lines such as "Unit jain better=higher" declare.
	Declared Directions

	// Torn is a last line without an end, cut off when the run was killed.
	Torn string

	// Warnings is what is unusual, but no error: a package whose benchmarks are not
	// followed by go test's PASS, a key that changes halfway.
	Warnings []string
}

// ReadRecordFile reads a whole file of Go benchmarks of any origin. The error joins all
// errors that [Records] finds; the RecordFile then has what could be read.
func ReadRecordFile(name string) (*RecordFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadRecords(f, name)
}

// ReadRecords is [ReadRecordFile] of r; name is for diagnostics only.
func ReadRecords(r io.Reader, name string) (*RecordFile, error) {
	rd := newReader(r, name)
	f := &RecordFile{Name: name}
	var errs []error
	for rec, err := range rd.everything() {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		f.Records = append(f.Records, rec)
	}
	rd.notes.begin(rd.round, rd.facts.Machine)
	f.Facts, f.Torn, f.Declared, f.Warnings = rd.facts, rd.lines.torn, rd.better, rd.warnings()
	return f, errors.Join(errs...)
}

// Records yields the benchmarks of all packages in r in file order; name is for
// diagnostics only.
//
// Other output of go test and log lines of benchmarks are skipped: only a line exactly
// as go test prints it is a failure or a key. The text may be that of go test -json, or
// the log of a CI job with its time stamps, colours or indentation, which are removed;
// [RecordFile.Warnings] says so. Any error in the text yields a [*SyntaxError] and does
// not end the sequence: a benchmark line that cannot be parsed, a change of machine
// halfway, any sign that the run failed, a last line that was cut off, a file that is
// not text, and one without benchmarks. An error from r ends the sequence. The sequence
// can be ranged over once.
func Records(r io.Reader, name string) iter.Seq2[Record, error] {
	return newReader(r, name).everything()
}

// anyLine is an example of what [Records] expects, for errors.
const anyLine = "BenchmarkSum/n=10-2 5000000 61 ns/op"

// everything yields all valid benchmarks, and then the errors of the whole text.
func (r *reader) everything() iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for rec, err := range r.records(func([]byte) bool { return true }) {
			if err == nil {
				if err = rec.Validate(); err != nil {
					rec, err = Record{}, r.errorf("%v", err)
				}
			}
			if !yield(rec, err) {
				return
			}
		}
		if err := r.end(anyLine); err != nil {
			yield(Record{}, err)
		}
	}
}

// Write writes f so that [ReadRecords] reads the same.
func (f *RecordFile) Write(w io.Writer) error {
	var b bytes.Buffer
	for _, c := range f.config() {
		if c.Value != "" {
			fmt.Fprintln(&b, c)
		}
	}
	b.Write(notes(f.Notes))
	for _, unit := range slices.Sorted(maps.Keys(f.Declared)) {
		if word := Direction(f.Declared[unit]); word != "" {
			fmt.Fprintf(&b, "Unit %s better=%s\n", unit, word)
		}
	}
	var last Record
	for _, r := range f.Records {
		if err := r.Validate(); err != nil {
			return fmt.Errorf("benchmark %s: %w", r.Name, err)
		}
		if r.Pkg != last.Pkg {
			fmt.Fprintln(&b, config{"pkg", r.Pkg})
		}
		if r.Round != last.Round || r.Fork != last.Fork {
			fmt.Fprintf(&b, "# round: %d\n", r.Round)
			if r.Fork != 0 {
				fmt.Fprintf(&b, "# fork: %d\n", r.Fork)
			}
		}
		if r.Build != last.Build {
			fmt.Fprintf(&b, "# build: %d\n", r.Build)
		}
		if r.Distance != last.Distance {
			fmt.Fprintln(&b, config{"distance", string(r.Distance)})
		}
		if r.Oversubscribed != last.Oversubscribed {
			value := "" // see [Writer.Write]
			if r.Oversubscribed {
				value = "true"
			}
			fmt.Fprintln(&b, config{"oversubscribed", value})
		}
		fmt.Fprintln(&b, r)
		last = r
	}
	_, err := w.Write(b.Bytes())
	return err
}

// remarks collects what is unusual in a file.
type remarks struct {
	warnings []string
	open     string // the package whose benchmarks have begun and not ended
	cut      bool   // a package without its end has been reported
	n        int    // benchmarks so far
	keys     map[string]*keyValue

	logs     int // lines that look like lockbench's keys, and are taken for log lines
	firstLog line

	garbled      int // benchmarks with U+FFFD in their names
	firstGarbled line
}

// A keyValue is a configuration key that is not one of lockbench's.
type keyValue struct {
	value  string
	since  int // how many benchmarks come before it
	warned bool
}

// benchmark is called for each benchmark.
func (m *remarks) benchmark(pkg, name string, n int) {
	m.open = pkg
	m.n++
	if strings.ContainsRune(name, unicode.ReplacementChar) {
		if m.garbled++; m.garbled == 1 {
			m.firstGarbled = line{n, name}
		}
	}
}

// end is called when go test says that the benchmarks of a package have ended.
func (m *remarks) end() { m.open = "" }

// begin is called at the beginning of a package and at the end of the file. A program
// that writes rounds or a machine is not go test, and does not write PASS.
func (m *remarks) begin(round int, machine string) {
	if m.open != "" && !m.cut && round == 0 && machine == "" {
		m.cut = true
		m.warnings = append(m.warnings, fmt.Sprintf("no PASS behind the benchmarks of %s: perhaps the run did not end", m.open))
	}
	m.open = ""
}

// log is called for a line that looks like a key but is none: it matters if its value
// differs from the key's.
func (m *remarks) log(l line, matters bool) {
	if !matters {
		return
	}
	if m.logs++; m.logs == 1 {
		m.firstLog = l
	}
}

// all returns the warnings.
func (m *remarks) all() []string {
	all := slices.Clone(m.warnings)
	if m.logs > 0 {
		all = append(all, fmt.Sprintf("took %s for what benchmarks log, such as line %d, %q: no heading (goos, goarch, pkg, cpu) is above", wording.Count(m.logs, "line"), m.firstLog.n, m.firstLog.text))
	}
	if m.garbled > 0 {
		all = append(all, fmt.Sprintf("%s with U+FFFD in the name, such as line %d, %q: go test prints it for what is no UTF-8", wording.Count(m.garbled, "result"), m.firstGarbled.n, m.firstGarbled.text))
	}
	return all
}

// config is called for other keys.
func (m *remarks) config(key, value string) {
	if !isKey(key) {
		return
	}
	k := m.keys[key]
	if k == nil {
		if m.keys == nil {
			m.keys = make(map[string]*keyValue)
		}
		m.keys[key] = &keyValue{value: value, since: m.n}
		return
	}
	if m.n > k.since && !k.warned && k.value != value {
		k.warned = true
		m.warnings = append(m.warnings, fmt.Sprintf("%s is %q for some benchmarks and %q for others: they are taken together", key, k.value, value))
	}
	k.value, k.since = value, m.n
}
