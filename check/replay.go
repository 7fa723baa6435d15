package check

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// searches is how many searches each running test has had, by its name.
var searches = struct {
	sync.Mutex
	n map[string]int
}{n: make(map[string]int)}

// number returns the number of the search that begins now among those of test t.
func number(t testing.TB) int {
	searches.Lock()
	defer searches.Unlock()
	name := t.Name()
	searches.n[name]++
	if searches.n[name] == 1 {
		t.Cleanup(func() {
			searches.Lock()
			had := searches.n[name]
			delete(searches.n, name)
			searches.Unlock()
			if _, of, err := splitReplay(); err == nil && of > had && isMeant(testRun(), name) {
				t.Errorf("check: replay token: the token is of search %d, and this test has %d", of, had)
			}
		})
	}
	return searches.n[name]
}

// splitReplay returns the token in LOCKBENCH_REPLAY and the number of its search, or
// 0 if it names none.
func splitReplay() (token string, of int, err error) {
	value := os.Getenv("LOCKBENCH_REPLAY")
	before, token, ok := strings.Cut(value, ":")
	switch of, err := strconv.Atoi(before); {
	case value == "":
		return "", 0, nil
	case !ok:
		return value, 1, nil
	case err != nil || of < 1:
		return "", 0, fmt.Errorf("check: replay token: want the number of a search before the colon, have %q", before)
	default:
		return token, of, nil
	}
}

// replayOf returns the token that the n'th search of test t must replay, or "", and
// whether that search must run at all.
func replayOf(t testing.TB, n int) (token string, meant bool, err error) {
	token, of, err := splitReplay()
	if err != nil || of == 0 {
		return "", true, err
	}
	return token, n == of && isMeant(testRun(), t.Name()), nil
}

// isMeant reports whether a replay under go test -run is for the test with this name,
// and not for one below it.
func isMeant(run, name string) bool { return strings.Count(run, "/") <= strings.Count(name, "/") }

// testRun returns the argument of go test -run.
func testRun() string {
	if f := flag.Lookup("test.run"); f != nil {
		return f.Value.String()
	}
	return ""
}

// A script has the decisions of an execution, in order: which proc took each step, and
// which way each choice went.
type script []int8

// A proc is its number in a script, and way n of a choice is -1-n.
//
// In a token, worker 0 (the body) is a, worker 1 b and so on; their store
// buffers are A, B …; their alarms k, l …; and the ways of a choice 0, 1 … 9,
// or yn. for larger n; - means that there are no decisions. A decision that comes n
// times in a row, for large n, has xn. after it.
func (s script) String() string {
	if len(s) == 0 {
		return "-"
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		d := s[i]
		n := 1
		for i+n < len(s) && s[i+n] == d {
			n++
		}
		switch {
		case d < -10:
			fmt.Fprintf(&b, "y%d.", -1-d)
		case d < 0:
			b.WriteByte('0' + byte(-1-d))
		case d%3 == 0:
			b.WriteByte('a' + byte(d/3))
		case d%3 == 1:
			b.WriteByte('A' + byte(d/3))
		default:
			b.WriteByte('k' + byte(d/3))
		}
		if n >= longRun {
			fmt.Fprintf(&b, "x%d.", n)
			i += n - 1
		}
	}
	return b.String()
}

// Limits of a token: what is a long run, and how long one may be.
const (
	longRun    = 8
	longestRun = 1 << 24
)

func decodeScript(token string) (script, error) {
	var s script
	if token == "-" {
		return s, nil
	}
	for i := 0; i < len(token); i++ {
		switch c := token[i]; {
		case c >= 'a' && c < 'k':
			s = append(s, int8(c-'a')*3)
		case c >= 'A' && c < 'K':
			s = append(s, int8(c-'A')*3+1)
		case c >= 'k' && c < 'u':
			s = append(s, int8(c-'k')*3+2)
		case c >= '0' && c <= '9':
			s = append(s, -1-int8(c-'0'))
		case c == 'y':
			var n int8
			if _, err := fmt.Sscanf(token[i:], "y%d.", &n); err != nil || n < 0 {
				return nil, fmt.Errorf("check: replay token, character %d: want a choice as y12., have %q", i+1, token[i:])
			}
			s = append(s, -1-n)
			i += strings.IndexByte(token[i:], '.')
		case c == 'x' && len(s) > 0:
			var n int
			if _, err := fmt.Sscanf(token[i:], "x%d.", &n); err != nil || n < 1 || n > longestRun {
				return nil, fmt.Errorf("check: replay token, character %d: want how often as x8., have %q", i+1, token[i:])
			}
			s = append(s, slices.Repeat(s[len(s)-1:], n-1)...)
			i += strings.IndexByte(token[i:], '.')
		default:
			return nil, fmt.Errorf("check: replay token, character %d: want a letter of a worker or a choice, have %q", i+1, c)
		}
	}
	return s, nil
}

// A repeat follows a script, and after its end takes any steps.
type repeat struct {
	blind
	script script
	at     int
	wrong  error // where the execution did not fit
}

func (r *repeat) begin() { r.at, r.wrong = 0, nil }

func (r *repeat) pick(self proc, enabled procs) (proc, bool) {
	if r.at == len(r.script) {
		if enabled.has(self) {
			return self, true
		}
		return enabled.first(), true
	}
	d := r.script[r.at]
	r.at++
	if d < 0 || !enabled.has(proc(d)) {
		r.misfit(fmt.Sprintf("%v cannot take a step", script{d}))
		return 0, false
	}
	return proc(d), true
}

func (r *repeat) choose(self proc, n int) int {
	if r.at == len(r.script) {
		return 0
	}
	d := r.script[r.at]
	r.at++
	if d >= 0 || int(-1-d) >= n {
		r.misfit(fmt.Sprintf("%v is not one of %d choices", script{d}, n))
		return 0
	}
	return int(-1 - d)
}

func (r *repeat) misfit(what string) {
	if r.wrong == nil {
		r.wrong = fmt.Errorf("check: replay token does not fit this program: decision %d: %s", r.at, what)
	}
}

// replay runs one schedule, notes its steps, and puts the result in r.
func (x *explorer) replay(r *Report, s script) error {
	again := &repeat{script: slices.Clone(s)}
	x.vm.recorder = new(recorder)
	defer func() { x.vm.recorder = nil }()
	outcome := x.once(again)
	if x.cfg.Replay != "" {
		r.Schedules, r.Steps = 1, x.vm.steps
	}
	if again.at < len(again.script) && again.wrong == nil {
		again.misfit(fmt.Sprintf("the execution has ended, %d more are left", len(again.script)-again.at))
	}
	if again.wrong != nil {
		return again.wrong
	}
	if outcome == failed {
		r.Failure = x.vm.recorder.failure(x.vm)
	}
	return nil
}
