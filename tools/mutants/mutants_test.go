package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const sampleLock = "tools/mutants/testdata/lock"

// outcomes has the outcome of every mutant of the lock in testdata.
var outcomes = map[string]string{
	"Lock.Lock: never `for !l.word.CompareAndSwap(0, 1)`":                        killedModel,
	"Lock.Lock: race `l.word.CompareAndSwap(0, 1)`":                              killedModel,
	"Lock.Lock: const `0` as 1 in `l.word.CompareAndSwap(0, 1)`":                 killedModel,
	"Lock.Lock: const `1` as 2 in `l.word.CompareAndSwap(0, 1)`":                 survived, // any word but 0 is locked
	"Lock.Lock: drop `spin.Once()`":                                              survived, // the model is finite without it, only larger
	"Lock.Lock: early `l.taken++` before `for !l.word.CompareAndSwap(0, 1) { …`": survived, // no Cell, and no -race
	"Lock.Lock: drop `l.taken++`":                                                killedNative,
	"Lock.Unlock: early `taken := l.taken` before `word := l.word.Load()`":       survived,
	"Lock.Unlock: never `if word == 0 && taken >= 0`":                            killedNative,
	"Lock.Unlock: always `if word == 0 && taken >= 0`":                           killedModel,
	"Lock.Unlock: always `word == 0` in `word == 0 && taken >= 0`":               killedModel,
	"Lock.Unlock: always `taken >= 0` in `word == 0 && taken >= 0`":              survived,
	"Lock.Unlock: const `0` as 1 in `word == 0`":                                 killedModel,
	"Lock.Unlock: op `taken >= 0` as `>`":                                        killedNative,
	"Lock.Unlock: const `0` as 1 in `taken >= 0`":                                killedNative,
	"Lock.Unlock: drop `l.word.Store(0)`":                                        killedModel,
	"Lock.Unlock: order `l.word.Store(0)` as StoreRelease":                       survived,
	"Lock.Unlock: const `0` as 1 in `l.word.Store(0)`":                           killedModel,
	"Lock.Fill: never `for l.taken < n`":                                         killedNative,
	"Lock.Fill: op `l.taken < n` as `<=`":                                        killedNative,
	"Lock.Fill: drop `l.Lock()`":                                                 killedNative,
	"Lock.Fill: drop `l.Unlock()`":                                               killedHang,
	"Lock.Fill: early `l.Unlock()` before `l.Lock()`":                            killedNative,
	"Lock.Full: negate `return l.taken > n`":                                     unreached,
	"Lock.Full: op `l.taken > n` as `>=`":                                        unreached,
}

// Each operator makes its mutants, and the tests that reach a mutant are run.
func TestOutcomes(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles two programs")
	}
	defer func(d time.Duration) { slack = d }(slack)
	slack = 5 * time.Second // one of them hangs
	root := testRoot(t)
	loaded, err := load(t.Context(), root, []string{sampleLock})
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSuite(t.Context(), root, sampleLock, loaded[sampleLock], 2, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if unused := append(s.model.unused, s.native.unused...); len(unused) > 0 {
		t.Errorf("tests fail with no mutant on: %v", unused)
	}
	seen := make(map[string]bool)
	for _, m := range s.woven.mutants {
		name := strings.TrimPrefix(m.String(), sampleLock+"/lock.go ")
		seen[name] = true
		want, ok := outcomes[name]
		if !ok {
			t.Errorf("%s: is made, and not in the table", name)
			continue
		}
		got, err := s.try(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if got.how != want {
			t.Errorf("%s: got %v, want %s", name, got, want)
		}
		if !got.lives() && got.by == "" {
			t.Errorf("%s: %s by no test", name, got.how)
		}
	}
	for name := range outcomes {
		if !seen[name] {
			t.Errorf("%s: is in the table, and not made", name)
		}
	}
}

// A mutant that does not compile is found by the place that the compiler names, and the
// others remain.
func TestBlamed(t *testing.T) {
	files := map[string][]byte{"/x/a.go": []byte("package a\n\nvar x = mutantInt[uint8](7, 1, 2) + mutantInt[uint8](8, 200, 400)\n")}
	got := blamed([]byte("# a\nx/a.go:3:65: constant 400 overflows uint8\n"), files)
	if !slices.Equal(got, []int{8}) {
		t.Errorf("blamed = %v, want 8", got)
	}
}

// The sample of a seed is always the same, and other seeds have other samples.
func TestSample(t *testing.T) {
	var all []mutant
	for _, pkg := range []string{"a", "b", "c"} {
		for i := range 50 {
			all = append(all, mutant{pkg: pkg, id: i + 1, file: "f.go", fn: "F", what: "drop `x`", nth: i})
		}
	}
	opts, err := parse([]string{"-sample", "10", "-seed", "one"}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	names := func(seed string) (list []string) {
		opts.seed = seed
		for _, m := range sample(all, opts) {
			list = append(list, m.String())
		}
		return list
	}
	one := names("one")
	if len(one) != 10 || !slices.Equal(one, names("one")) {
		t.Errorf("sample of 10 has %d, or is not the same twice", len(one))
	}
	if slices.Equal(one, names("two")) {
		t.Error("another seed has the same sample")
	}
	opts.packages = []string{"a"}
	all = all[:50]
	if n := len(names("one")); n != 10 {
		t.Errorf("sample of 10 of one package has %d", n)
	}
}

// A reviewed survivor that is no mutant any more is an error, and so is one without a
// reason.
func TestReviewed(t *testing.T) {
	name := filepath.Join(t.TempDir(), "survivors.toml")
	write := func(text string) (review, error) {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		return readReviewed(name)
	}
	r, err := write("[[survivors]]\nreason = \"speed\"\nmutants = [\"a/f.go F: drop `x`\", \"a/f.go F: drop `y`\"]\n")
	if err != nil || len(r.reasons) != 2 {
		t.Fatalf("%v, %v; want two", r, err)
	}
	all := []mutant{{pkg: "a", file: "f.go", fn: "F", what: "drop `x`"}}
	if wrong := r.unknown(all, []string{"a"}); len(wrong) != 1 || !strings.Contains(wrong[0].Error(), "drop `y`") {
		t.Errorf("unknown = %v, want the one with y", wrong)
	}
	if wrong := r.unknown(all, []string{"b"}); len(wrong) != 0 {
		t.Errorf("unknown of other packages = %v", wrong)
	}
	for _, text := range []string{
		"[[survivors]]\nmutants = [\"a\"]\n",
		"[[survivors]]\nreason = \"speed\"\n",
		"[[survivors]]\nreason = \"r\"\nmutants = [\"a\", \"a\"]\n",
		"[[survivors]]\nreason = \"r\"\nmutants = [\"a\"]\nmutant = 1\n",
	} {
		if _, err := write(text); err == nil {
			t.Errorf("%q is read without an error", text)
		}
	}
}

// Each package has an extent, and nothing else has one. CI takes its sample from
// packages that are reviewed completely: a survivor there is new.
func TestExtents(t *testing.T) {
	root := testRoot(t)
	r, err := readReviewed(filepath.Join(root, "tools/mutants/survivors.toml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range r.extents() {
		t.Error(err)
	}
	ci, err := os.ReadFile(filepath.Join(root, ".ci/run"))
	if err != nil {
		t.Fatal(err)
	}
	sampled := regexp.MustCompile(`tools/mutants -packages (\S+) -sample`).FindSubmatch(ci)
	if sampled == nil {
		t.Fatal(".ci/run takes no sample of mutants")
	}
	for name := range strings.SplitSeq(string(sampled[1]), ",") {
		if r.extent[name] != whole {
			t.Errorf(".ci/run takes a sample of %s, of which survivors.toml says %q, want %q", name, r.extent[name], whole)
		}
	}
	delete(r.extent, "ticket")
	r.extent["tikcet"] = whole
	if wrong := r.extents(); len(wrong) != 2 {
		t.Errorf("with an extent of another name: %v, want two errors", wrong)
	}
}

// The reviewed survivors are mutants of the code as it is now.
func TestReviewedFit(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-list"}, &stdout, &stderr); code != 0 {
		t.Errorf("-list: exit %d\n%s", code, &stderr)
	}
	names := strings.Split(strings.TrimSpace(stdout.String()), "\n")
	if slices.Sort(names); len(slices.Compact(names)) != len(names) || len(names) < 1000 {
		t.Errorf("%d names of mutants, want some thousand, each once", len(names))
	}
}

// Outcomes are kept in the log, so that a run that was ended continues.
func TestLog(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	l, err := openLog(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.add("a/f.go F: drop `x`", outcome{killedModel, "TestModelX"}); err != nil {
		t.Fatal(err)
	}
	l.file.WriteString("native\tTest") // the kill came here
	l.close()
	for range 2 { // the second reads what the first mended
		l, err = openLog(name)
		if err != nil {
			t.Fatal(err)
		}
		l.close()
	}
	if len(l.outcomes) != 1 || l.outcomes["a/f.go F: drop `x`"] != (outcome{killedModel, "TestModelX"}) {
		t.Errorf("the log has %v", l.outcomes)
	}
}

func TestBadCommandLine(t *testing.T) {
	for _, args := range [][]string{
		{"-packages", "tikcet"}, {"-run", "("}, {"-sample", "3"}, {"-sample", "-1", "-seed", "x"}, {"-jobs", "0"}, {"more"}, {"-packages", ""},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(context.Background(), args, &stdout, &stderr); code != 2 || stderr.Len() == 0 {
			t.Errorf("%q: exit %d and %q, want 2 and a reason", args, code, &stderr)
		}
	}
}

func testRoot(t *testing.T) string {
	t.Helper()
	root, err := moduleRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return root
}
