package primitives_test

import (
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Every operation on a word inlines to its instruction: in the code of a
// package that uses them all there is no call, but for the releases, which are
// one call of a few lines of assembly. A Pool adds none to those of sync's.
func TestInlining(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skipf("what is an instruction and what a call is known for amd64 and arm64, not %s", runtime.GOARCH)
	}
	out, err := exec.Command("go", "build", "-gcflags=-S", "./testdata/inline").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	calls := map[string][]string{} // what each function calls
	var function string
	begin := regexp.MustCompile(`^\S*testdata/inline\.(\w+) STEXT`)
	call := regexp.MustCompile(`\tCALL\t(\S+)\(SB\)`)
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, " STEXT ") {
			function = ""
			if m := begin.FindStringSubmatch(line); m != nil {
				function = m[1]
				calls[function] = nil
			}
		}
		if m := call.FindStringSubmatch(line); m != nil && !strings.HasPrefix(m[1], "runtime.") {
			calls[function] = append(calls[function], m[1])
		}
	}
	for _, f := range []string{"Uint32", "Uint64", "Int64", "Bool", "Pointer", "Cell"} {
		if got, compiled := calls[f]; !compiled || len(got) > 0 {
			t.Errorf("operations of %s call %v (compiled: %v), want none", f, got, compiled)
		}
	}
	if got, want := calls["Pool"], []string{"sync.(*Pool).Get", "sync.(*Pool).Put"}; !slices.Equal(got, want) {
		t.Errorf("Get and Put of Pool call %v, want %v", got, want)
	}
	want := 0
	if runtime.GOARCH == "amd64" {
		want = 5 // one each, but for AddOwn's
	}
	if got := calls["Release"]; len(got) != want {
		t.Errorf("6 releases call %v, want %d calls", got, want)
	}
}
