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
	calls := map[string][]string{} // what each function calls
	call := regexp.MustCompile(`^CALL (\S+)\(SB\)`)
	for function, code := range compile(t, "inline") {
		calls[function] = nil
		for _, instruction := range code {
			if m := call.FindStringSubmatch(instruction); m != nil && !strings.HasPrefix(m[1], "runtime.") {
				calls[function] = append(calls[function], m[1])
			}
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

// What is compiled is what sync/atomic's words would be, and an int for a Cell:
// the same instructions, but for one-byte no-ops, which mark what was inlined.
func TestInliningCostsNothing(t *testing.T) {
	ours, theirs := compile(t, "inline"), compile(t, "atomics")
	for function, want := range theirs {
		if got := ours[function]; len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s is compiled to\n\t%s\nwant\n\t%s", function, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
}

// compile returns the instructions of each function of a package in testdata,
// without no-ops, and the same whatever the package is called.
func compile(t *testing.T, pkg string) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "build", "-gcflags=-S", "./testdata/"+pkg).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	begin := regexp.MustCompile(`^(\S*testdata/` + pkg + `\.)(\w+) STEXT`)
	line := regexp.MustCompile(`^\t0x\w+ \d+ \(.*?\)\t(\S+)(?:\t(.*))?$`)
	code := map[string][]string{}
	var function, prefix string
	for text := range strings.Lines(string(out)) {
		if strings.Contains(text, " STEXT ") {
			function = ""
			if m := begin.FindStringSubmatch(text); m != nil {
				prefix, function = m[1], m[2]
			}
		}
		m := line.FindStringSubmatch(strings.TrimSuffix(text, "\n"))
		if m == nil || function == "" {
			continue
		}
		switch m[1] {
		case "TEXT", "FUNCDATA", "PCDATA", "NOP", "XCHGL":
			if m[1] != "XCHGL" || m[2] == "AX, AX" {
				continue
			}
		}
		code[function] = append(code[function], strings.TrimSpace(m[1]+" "+strings.ReplaceAll(m[2], prefix, "")))
	}
	return code
}
