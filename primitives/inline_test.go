package primitives_test

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
)

// Every operation on a word inlines to its instruction: the code of a package that uses
// all of them has no call, except for the releases, which are one call of a few lines of
// assembly. A Pool adds no call to those of sync.Pool.
func TestInlining(t *testing.T) {
	calls := map[string][]string{} // what each function calls
	call := regexp.MustCompile(`^CALL (\S+)\(SB\)`)
	for function, code := range compile(t) {
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
		want = 6 // one for each release, none for AddOwn
	}
	if got := calls["Release"]; len(got) != want {
		t.Errorf("8 releases call %v, want %d calls", got, want)
	}
}

// The words compile to the same instructions as sync/atomic's words, and a Cell to those
// of an int, except for one-byte no-ops, which mark inlined code.
func TestInliningCostsNothing(t *testing.T) {
	dir, err := filepath.Abs("testdata/inline")
	if err != nil {
		t.Fatal(err)
	}
	words, own := filepath.Join(dir, "inline.go"), filepath.Join(dir, "own.go")
	source, err := os.ReadFile(words)
	if err != nil {
		t.Fatal(err)
	}
	atomics := strings.NewReplacer(
		"github.com/lockbench/lockbench/primitives", "sync/atomic",
		"primitives.Cell[int]", "int", "C.Set(1)", "C = 1", "C.Get()", "C",
		"primitives.", "atomic.",
	).Replace(string(source))
	replaced := filepath.Join(t.TempDir(), "atomics.go")
	if err := os.WriteFile(replaced, []byte(atomics), 0o666); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{words: replaced, own: ""}})
	if err != nil {
		t.Fatal(err)
	}
	overlay := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(overlay, text, 0o666); err != nil {
		t.Fatal(err)
	}
	ours, theirs := compile(t), compile(t, "-overlay="+overlay)
	if want := []string{"Bool", "Cell", "Int64", "Pointer", "Uint32", "Uint64"}; !slices.Equal(slices.Sorted(maps.Keys(theirs)), want) {
		t.Errorf("with sync/atomic %v are compiled, want %v", slices.Sorted(maps.Keys(theirs)), want)
	}
	for function, want := range theirs {
		if got := ours[function]; !slices.Equal(got, want) {
			t.Errorf("%s is compiled to\n\t%s\nwant\n\t%s", function, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
}

// compile returns the instructions of each function in testdata/inline, without
// no-ops.
func compile(t *testing.T, flags ...string) map[string][]string {
	t.Helper()
	locktest.WantsIntrinsics(t)
	out, err := exec.Command("go", slices.Concat([]string{"build", "-gcflags=-S"}, flags, []string{"./testdata/inline"})...).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	begin := regexp.MustCompile(`^\S*testdata/inline\.(\w+) STEXT`)
	line := regexp.MustCompile(`^\t0x\w+ \d+ \(.*?\)\t(\S.*)\n$`)
	none := regexp.MustCompile(`^(TEXT|FUNCDATA|PCDATA|NOP|XCHGL\tAX, AX)\b`)
	code := map[string][]string{}
	function := ""
	for text := range strings.Lines(string(out)) {
		if strings.Contains(text, " STEXT ") {
			function = ""
			if m := begin.FindStringSubmatch(text); m != nil {
				function = m[1]
			}
		}
		if m := line.FindStringSubmatch(text); m != nil && function != "" && !none.MatchString(m[1]) {
			code[function] = append(code[function], strings.ReplaceAll(m[1], "\t", " "))
		}
	}
	return code
}
