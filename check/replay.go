package check

import (
	"flag"
	"fmt"
	"os"
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
