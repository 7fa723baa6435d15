package results

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
)

// A dress is what other software has added around the lines of a text: the events of go
// test -json, time stamps and colours of a CI job, the spaces of a quotation. It is
// recognized by the first line that go test certainly wrote, and then removed from all
// lines that have it.
type dress struct {
	known  bool   // the first such line has been seen
	stamps bool   // lines begin with time stamps
	pipes  bool   // lines begin with the name of a container
	json   bool   // lines are events of go test -json
	indent string // what lines begin with after that

	bom                       bool
	stamped, indented, colour int // lines from which it was removed
	events                    int // events of go test -json so far

	held   *plainLine // a line that the next one may continue
	output map[string]*testOutput
	order  []string // keys of output, in order of their first line
}

// A plainLine is a line as go test wrote it, with its line number in the file.
type plainLine struct {
	n    int
	text []byte
}

// A testOutput is what go test -json says that a package printed.
type testOutput struct {
	lines  []plainLine
	piece  []byte // a line that has not ended
	failed bool   // a line says that it failed
}

var (
	// certain matches the beginning of lines that only go test writes: no log line of a
	// benchmark looks like that.
	certain = regexp.MustCompile(`^(goos: \w+$|goarch: \w+$|pkg: \S+$|ok  \t|FAIL\t|Benchmark\S*\s+\d+\s+[\d.]+ \S+/op|\{.*"Action": ?"(?:start|run|output|build-output|build-fail)")`)

	// stamp is a time stamp in front of a line, as GitHub Actions, GitLab, Azure,
	// Jenkins and docker logs write it: by itself, in brackets, behind the names of
	// the job and the step, or before the stream that the line is of.
	stamp = regexp.MustCompile(`^(?:[^\t]+\t[^\t]+\t\x{FEFF}?)?\[?(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?(?:$| (?:[\da-fA-F]{2}[OE]([ +]))?)`)

	// pipe is the name of a container in front of a line, as docker compose writes it.
	pipe = regexp.MustCompile(`^[\w.-]+ +\| `)

	// escape is a sequence that colours a terminal, clears a line, or tells Buildkite
	// the time.
	escape = regexp.MustCompile("\x1b(?:\\[[0-9;:?]*[ -/]*[@-~]|[\\]_P^][^\x07\x1b]*(?:\x07|\x1b\\\\)|[()][0-9A-B]|[=>78cM])")
)

// takeOff returns the plain lines of the n'th line of the file. They are valid until
// the next call.
func (d *dress) takeOff(n int, line []byte) []plainLine {
	if n == 1 {
		if rest, ok := bytes.CutPrefix(line, []byte("\xef\xbb\xbf")); ok {
			d.bom, line = true, rest
		}
	}
	line = d.plain(line)
	if !d.known {
		d.recognize(line)
	}
	continues := false
	line, continues = d.bare(line)
	switch {
	case d.stamps:
		return d.join(plainLine{n, line}, continues)
	case d.json:
		return d.event(n, line)
	}
	return []plainLine{{n, line}}
}

// plain removes escape sequences, and GitLab's marks of the beginning and end of a
// section.
func (d *dress) plain(line []byte) []byte {
	if bytes.IndexByte(line, '\x1b') >= 0 {
		d.colour++
		line = escape.ReplaceAll(line, nil)
	}
	line = bytes.TrimRight(line, "\r")
	if bytes.HasPrefix(line, []byte("section_")) {
		line = line[bytes.LastIndexByte(line, '\r')+1:]
	}
	return line
}

// recognize finds out from the first certain line what was added.
func (d *dress) recognize(line []byte) {
	for _, try := range []dress{{}, {stamps: true}, {pipes: true}} {
		bare, _ := try.bare(line)
		if try.stamps && try.stamped == 0 || try.pipes && try.indented == 0 {
			continue
		}
		text := bytes.TrimLeft(bare, " \t")
		if certain.Match(text) {
			d.known, d.stamps, d.pipes, d.indent = true, try.stamps, try.pipes, string(bare[:len(bare)-len(text)])
			d.json = text[0] == '{'
			return
		}
	}
}

// bare removes what all lines begin with, and says whether the line continues the one
// before it.
func (d *dress) bare(line []byte) (rest []byte, continues bool) {
	switch {
	case d.stamps:
		if m := stamp.FindSubmatchIndex(line); m != nil {
			d.stamped++
			continues = m[2] >= 0 && line[m[2]] == '+'
			line = line[m[1]:]
		}
	case d.pipes:
		if m := pipe.FindIndex(line); m != nil {
			d.indented++
			line = line[m[1]:]
		}
	case d.indent != "" && certain.Match(line):
		d.indent = "" // the indented lines were a quotation, and this is the text
	}
	if d.indent != "" {
		if rest, ok := bytes.CutPrefix(line, []byte(d.indent)); ok {
			d.indented++
			line = rest
		}
	}
	return line, continues
}

// join holds a line back until it is known that the next one does not continue it:
// GitLab splits a line that arrived in pieces.
func (d *dress) join(line plainLine, continues bool) []plainLine {
	if d.held != nil && continues {
		d.held.text = append(d.held.text, line.text...)
		return nil
	}
	whole := d.heldBack()
	d.held = &plainLine{line.n, bytes.Clone(line.text)}
	return whole
}

func (d *dress) heldBack() []plainLine {
	if d.held == nil {
		return nil
	}
	whole := *d.held
	d.held = nil
	if d.json {
		return d.event(whole.n, whole.text)
	}
	return []plainLine{whole}
}

// event handles an event of go test -json. Output that packages print at the same time
// is returned one package after the other.
func (d *dress) event(n int, line []byte) []plainLine {
	var e struct{ Action, Package, ImportPath, Test, Output string }
	if json.Unmarshal(line, &e) != nil || e.Action == "" {
		// The go command sometimes writes a plain line.
		return []plainLine{{n, line}}
	}
	d.events++
	of := e.Package
	if of == "" {
		of = e.ImportPath
	}
	o := d.output[of]
	if o == nil {
		o = new(testOutput)
		if d.output == nil {
			d.output = make(map[string]*testOutput)
		}
		d.output[of] = o
		d.order = append(d.order, of)
	}
	switch {
	case e.Action == "output" || e.Action == "build-output":
		o.add(n, e.Output)
		return nil
	case e.Test != "" || !slices.Contains([]string{"pass", "fail", "skip", "build-fail"}, e.Action):
		return nil
	}
	d.order = slices.DeleteFunc(d.order, func(s string) bool { return s == of })
	delete(d.output, of)
	if strings.HasSuffix(e.Action, "fail") && !o.failed {
		o.add(n, "FAIL\t"+of+"\n")
	}
	return o.all(n)
}

func (o *testOutput) add(n int, output string) {
	for part := range strings.Lines(output) {
		o.piece = append(o.piece, part...)
		if text, ok := bytes.CutSuffix(o.piece, []byte("\n")); ok {
			o.failed = o.failed || isFail(string(text))
			o.lines = append(o.lines, plainLine{n, bytes.TrimRight(text, "\r")})
			o.piece = nil
		}
	}
}

func (o *testOutput) all(n int) []plainLine {
	if len(o.piece) > 0 {
		o.add(n, "\n")
	}
	return o.lines
}

// end returns the lines that are left when the file has ended.
func (d *dress) end(n int) []plainLine {
	left := d.heldBack()
	for _, of := range d.order {
		left = append(left, d.output[of].all(n)...)
	}
	d.order, d.output = nil, nil
	return left
}

// bareText reports whether nothing was added to the lines.
func (d *dress) bareText() bool { return len(d.warnings()) == 0 }

// warnings says what was removed.
func (d *dress) warnings() (w []string) {
	took := func(n int, what string) {
		if n > 0 {
			w = append(w, fmt.Sprintf("took %s off %s", what, wording.Count(n, "line")))
		}
	}
	if d.bom {
		w = append(w, "took a byte order mark off its begin")
	}
	took(d.colour, "colours and other terminal sequences")
	took(d.stamped, "time stamps")
	if d.pipes {
		took(d.indented, "the names of containers")
	} else {
		took(d.indented, "an indentation")
	}
	if d.events > 0 {
		w = append(w, fmt.Sprintf("read %s of go test -json", wording.Count(d.events, "event")))
	}
	return w
}
