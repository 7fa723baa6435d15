package results

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
)

// What go test and test binaries print when a run fails. Benchmarks may log anything: a
// line counts only if it is exactly one of these.
var (
	// failLine is go test's line for a package that failed, with its tab or with spaces
	// instead.
	failLine = regexp.MustCompile(`^(?:FAIL(?:\t.*|\s+\S+\s+(?:\d+\.\d+s|\[(?:build|setup) failed\]))?|FAIL: package testing must run tests|--- FAIL: .*|\*\*\* Test (?:killed|I/O incomplete).*)$`)

	// exitLine is go test's line for the end of a process.
	exitLine = regexp.MustCompile(`^(?:exit status \d+|signal: (?:signal \d+|hangup|interrupt|quit|illegal instruction|trace/breakpoint trap|trace/BPT trap|aborted|abort trap|bus error|floating point exception|killed|segmentation fault|broken pipe|alarm clock|terminated|user defined signal [12])(?: \(core dumped\))?)$`)

	// panicLine begins what the runtime prints when it ends a process, and
	// stackLine the stacks, which follow after a blank line.
	panicLine = regexp.MustCompile(`^(?:panic: |fatal error: |SIG[A-Z]+: )`)
	stackLine = regexp.MustCompile(`^(?:goroutine \d+ .*\[.+\]:|runtime stack:|PC=0x)`)
)

const raceLine = "WARNING: DATA RACE" // below a line of equal signs

// isFail reports whether a line says explicitly that a run failed.
func isFail(line string) bool { return failLine.MatchString(line) }

// An ending follows what the lines say about the end of a process.
//
// That a test or a package fails is certain. A panic may be a benchmark's log, even
// with stacks, and so may an exit status: they are no failure if PASS or "ok" follows.
type ending struct {
	failed bool // a line says that the run failed

	suspect line   // a line such as "panic: ", without stacks below it so far
	sign    line   // what ended the process, if nothing else follows
	last    string // the line above
	lastly  int    // the number of the last line that is not blank
}

// A line is a line of a file, and its number.
type line struct {
	n    int
	text string
}

// see handles a line, and returns the lines that say that the run failed.
func (e *ending) see(l line) (failures []line) {
	above := e.last
	e.last = l.text
	if strings.TrimSpace(l.text) != "" {
		e.lastly = l.n
	}
	switch {
	case isFail(l.text):
		failures = append(e.over(), l)
		e.failed = true
	case l.text == raceLine && strings.Trim(above, "=") == "" && above != "" && !e.failed:
		failures = []line{l}
		e.failed = true
	case isEnd(l.text):
		e.sign, e.suspect = line{}, line{}
	case exitLine.MatchString(l.text) && e.sign.n == 0:
		e.sign = l
	case panicLine.MatchString(l.text) && e.suspect.n == 0:
		e.suspect = l
	case e.suspect.n != 0 && stackLine.MatchString(l.text) && (above == "" || strings.HasPrefix(l.text, "PC=")) && e.sign.n == 0:
		e.sign = e.suspect
	}
	return failures
}

// result handles a benchmark's result: a line that looked like a panic, without stacks,
// was none.
func (e *ending) result() { e.suspect = line{} }

// over handles the end of a process, and returns the lines that show that it failed.
func (e *ending) over() (failures []line) {
	if e.sign.n != 0 && !e.failed {
		failures = []line{e.sign}
		e.failed = true
	}
	e.sign, e.suspect = line{}, line{}
	return failures
}

// cut is over at the end of a text whose last package has no end: there a panic in the
// last line counts.
func (e *ending) cut() []line {
	if e.sign.n == 0 && e.suspect.n != 0 && e.suspect.n == e.lastly {
		e.sign = e.suspect
	}
	return e.over()
}

// A heading follows the keys with which go test says where it runs: goos, goarch, pkg
// and cpu, on consecutive lines. Benchmarks log lines such as "cpu: 12%".
type heading struct {
	open bool     // the line above belongs to a heading, or this is the first line
	keys []string // so far
}

var pkgPath = regexp.MustCompile(`^\S*$`)
var word = regexp.MustCompile(`^\w*$`)

// has reports whether a line with one of the keys is part of a heading, and whether it
// begins one.
func (h *heading) has(key, value string) (is, begins bool) {
	again := slices.Contains(h.keys, key)
	switch key {
	case "goos", "goarch":
		is = word.MatchString(value)
	case "pkg":
		is = pkgPath.MatchString(value)
	default:
		is = h.open && !again
	}
	if !is {
		return false, false
	}
	if key == "goos" || !h.open || again {
		h.keys = nil
	}
	h.open = true
	h.keys = append(h.keys, key)
	return true, len(h.keys) == 1
}

// Expressions for results into which something was printed.
var (
	// values are what go test prints after the number of operations.
	values = regexp.MustCompile(`(?:\t *[-+.\deE]+ [^\s]+)+$`)

	// named is the begin of a result: go test writes it before the benchmark runs.
	named = regexp.MustCompile(`^Benchmark(?:[^\sa-z]\S*)?( *\t)`)

	// inside is a name in the middle of a line.
	inside = regexp.MustCompile(`Benchmark(?:[^\sa-z]\S*)? *\t`)

	// broken matches numbers of an incomplete result.
	broken = regexp.MustCompile(`^\s*\d+(?:\s*$|\t|\s+[-+.\d])`)

	// operations is the number of operations, as go test aligns it.
	operations = regexp.MustCompile(`^ *\d+$`)
)

// A mender restores results into which something was printed, if it is certain which
// numbers belong to which result.
type mender struct {
	waiting line // a name whose numbers are on a later line

	mended, lost           int
	firstMended, firstLost line
}

// see returns what to read for a line: the line itself, a restored result, or nothing.
// log is what was printed into it; orphan is a name without numbers.
func (m *mender) see(l line) (read, log string, orphan line) {
	at := strings.Index(l.text, "Benchmark")
	switch name := named.FindStringSubmatchIndex(l.text); {
	case name != nil:
		orphan = m.giveUp()
		rest := l.text[name[3]:]
		text, numbers, ok := cutNumbers(rest)
		switch {
		case ok && text == "":
			return l.text, "", orphan
		case ok:
			m.note(l)
			return l.text[:name[2]] + "\t" + numbers, text, orphan
		case broken.MatchString(rest):
			return l.text, "", orphan
		}
		m.waiting = line{l.n, l.text}
		return "", rest, orphan
	case at > 0:
		result := l.text[at:]
		name := named.FindStringSubmatchIndex(result)
		if name == nil {
			break
		}
		if text, _, ok := cutNumbers(result[name[3]:]); !ok || text != "" {
			break
		}
		before := l.text[strings.LastIndexByte(l.text[:at], '\r')+1 : at]
		if strings.ContainsAny(before, " \t") {
			m.lost++
			if m.lost == 1 {
				m.firstLost = l
			}
			return "", l.text, line{}
		}
		orphan = m.giveUp()
		m.note(l)
		return result, l.text[:at], orphan
	case m.waiting.n != 0:
		text, numbers, ok := cutNumbers(l.text)
		if !ok {
			break
		}
		m.note(m.waiting)
		name := named.FindStringSubmatchIndex(m.waiting.text)
		read = m.waiting.text[:name[2]] + "\t" + numbers
		m.waiting = line{}
		return read, text, line{}
	}
	if isEnd(l.text) {
		orphan = m.giveUp()
	}
	return l.text, l.text, orphan
}

func (m *mender) note(l line) {
	m.mended++
	if m.mended == 1 {
		m.firstMended = l
	}
}

// giveUp returns the name that waits for its numbers, if there is one.
func (m *mender) giveUp() (orphan line) {
	orphan, m.waiting = m.waiting, line{}
	return orphan
}

// cutNumbers separates the numbers of a result from the text before them. The numbers
// are complete if they have room on their left: go test writes the operations eight
// columns wide.
func cutNumbers(s string) (text, numbers string, ok bool) {
	at := values.FindStringIndex(s)
	if at == nil {
		return "", "", false
	}
	before := s[:at[0]]
	if operations.MatchString(before) {
		return "", s, true
	}
	const columns = 8
	split := len(before) - columns
	if split < 0 || before[split] != ' ' || !operations.MatchString(before[split:]) || inside.MatchString(before) {
		return "", "", false
	}
	return before[:split], s[split:], true
}

func startsWithNumber(s string) bool {
	fields := strings.Fields(s)
	return len(fields) > 0 && fields[0][0] >= '0' && fields[0][0] <= '9'
}

func (m *mender) warnings() (w []string) {
	if m.mended > 0 {
		w = append(w, fmt.Sprintf("mended %s that something was printed into, such as line %d", wording.Count(m.mended, "result"), m.firstMended.n))
	}
	if m.lost > 0 {
		w = append(w, fmt.Sprintf("passed over %s behind other text, such as line %d: %q", wording.Count(m.lost, "result"), m.firstLost.n, m.firstLost.text))
	}
	return w
}
