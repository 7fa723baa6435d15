package measure

import (
	"reflect"
	"regexp"
	"testing"
)

func TestSplitBench(t *testing.T) {
	for _, test := range []struct {
		bench string
		want  [][]string
	}{
		{".", [][]string{{"."}}},
		{"A/b/c", [][]string{{"A", "b", "c"}}},
		{"A/b|C", [][]string{{"A", "b"}, {"C"}}},
		{"(A|B)/[/|]/c", [][]string{{"(A|B)", "[/|]", "c"}}},
		{`A\|B/c\/d`, [][]string{{`A\|B`, `c\/d`}}},
		{"A/]/b", [][]string{{"A", "]", "b"}}},
		{"A/", [][]string{{"A", ""}}},
	} {
		if got := splitBench(test.bench); !reflect.DeepEqual(got, test.want) {
			t.Errorf("splitBench(%q) = %q, want %q", test.bench, got, test.want)
		}
	}
}

func TestSkips(t *testing.T) {
	for _, test := range []struct {
		skip, name   string
		skips, below bool
	}{
		{"", "A", false, false},
		{"A", "A", true, false},
		{"^BenchmarkA$", "A/b/c", true, false},
		{"^BenchmarkA$", "AA", false, false},
		{"A/b", "A", false, true},
		{"A/b", "A/b-2", true, false},
		{"A/b", "A/c", false, false},
		{"X|A/b/c", "A/b", false, true},
		{"X|A/b/c", "X", true, false},
	} {
		if got := Skips(test.skip, test.name); got != test.skips {
			t.Errorf("Skips(%q, %q) = %t, want %t", test.skip, test.name, got, test.skips)
		}
		if got := skipsBelow(test.skip, test.name); got != test.below {
			t.Errorf("skipsBelow(%q, %q) = %t, want %t", test.skip, test.name, got, test.below)
		}
	}
}

// An expression that selects one benchmark has as many elements as its name.
func TestExactly(t *testing.T) {
	for _, name := range []string{"BenchmarkX", "BenchmarkX/a#01/x.y*[z]|(", "BenchmarkX/", `BenchmarkX/\x00/(]`} {
		bench := exactly(name)
		split := splitBench(bench)
		if len(split) != 1 {
			t.Errorf("%q is selected by %d alternatives, %q", name, len(split), bench)
			continue
		}
		start := 0
		for i, e := range split[0] {
			end := len(name)
			if i < len(split[0])-1 {
				for end = start; name[end] != '/'; end++ {
				}
			}
			if part := name[start:end]; !regexp.MustCompile(e).MatchString(part) {
				t.Errorf("%q: %q does not match %q", name, e, part)
			}
			start = end + 1
		}
	}
}

// There are at last as many binaries as there are at first, and twice as many for what
// contends.
func TestMostBuilds(t *testing.T) {
	for _, test := range []struct{ builds, most, one, several int }{
		{0, 0, 48, 96},
		{64, 0, 64, 128},
		{4, 6, 6, 12},
	} {
		c := Config{BaseDir: t.TempDir(), HeadDir: t.TempDir(), Builds: test.builds, MaxBuilds: test.most}
		if err := c.check(); err != nil {
			t.Errorf("%+v: %v", test, err)
		}
		if one, several := c.mostBuilds(1), c.mostBuilds(2); one != test.one || several != test.several {
			t.Errorf("%+v: at most %d and %d pairs of binaries", test, one, several)
		}
	}
}
