//go:build !purego && !virtual

package measure

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A package is measured if a file that its benchmarks are made of, or may read, has
// changed, and not otherwise.
func TestUnchanged(t *testing.T) {
	if testing.Short() {
		t.Skip("builds")
	}
	bench := func(pkg, imports, body string) string {
		return "package " + pkg + "\nimport (\n\"testing\"\n" + imports + "\n)\nfunc BenchmarkIt(b *testing.B) { " + body + " }\n"
	}
	module := map[string]string{
		"go.mod":                "module example.com/u\n\ngo 1.26\n",
		"README.md":             "one",
		"docs/picture.svg":      "one",
		"deep/deep.go":          "package deep\n\n// N is one.\nconst N = 1\n",
		"deep/text.md":          "one",
		"mid/mid.go":            "package mid\nimport \"example.com/u/deep\"\nfunc N() int { return deep.N }\n",
		"far/far_test.go":       bench("far", `"example.com/u/mid"`, "sink = mid.N()") + "var sink int\n",
		"far/helper_test.go":    "package far\nfunc help() int { return 1 }\n",
		"lone/lone_test.go":     bench("lone", "", ""),
		"lone/notes/plan.md":    "one",
		"lone/notes/other.go":   "package notes\n",
		"reads/r_test.go":       bench("reads", "\"os\"", `os.ReadFile("in.json"); os.ReadFile("HISTORY.md")`),
		"reads/in.json":         "one",
		"reads/HISTORY.md":      "one",
		"reads/a/testdata/x.go": "package x\n",
		"embeds/e_test.go":      bench("embeds", "_ \"embed\"", "_ = text") + "\n//go:embed text.md\nvar text string\n",
		"embeds/text.md":        "one",
		"embeds/more.md":        "one",
		"asm/a_test.go":         bench("asm", "", ""),
		"asm/a.s":               "// nothing\n",
		"includes/i_test.go":    bench("includes", "", ""),
		"includes/i.s":          "#include \"../docs/defs.h\"\n",
		"docs/defs.h":           "// one\n",
		"up/up_test.go":         bench("up", "\"os\"", `os.ReadFile("../docs/picture.svg")`),
	}
	all := []string{"asm", "embeds", "far", "includes", "lone", "reads", "up"}
	for _, test := range []struct {
		name     string
		change   map[string]string
		measured []string
		config   func(*Config)
		why      string // why it is not measured
	}{
		{name: "nothing", why: "no file that it is built of has changed"},
		{name: "prose", change: map[string]string{"README.md": "two", "deep/text.md": "", "embeds/more.md": "two", "lone/notes/plan.md": "two", "LICENSE": "new"}},
		{name: "a dependency of a dependency", change: map[string]string{"deep/deep.go": "package deep\n\n// N is two.\nconst N = 2\n"}, measured: []string{"far"}},
		{name: "a comment of as many lines", change: map[string]string{"deep/deep.go": "package deep\n\n// N is 1.\nconst N = 1\n"}, why: "its test binaries are the same, byte by byte"},
		{name: "a test file", change: map[string]string{"far/helper_test.go": "package far\nfunc help() int { return 2 }\nfunc init() { println(help()) }\n"}, measured: []string{"far"}},
		{name: "one that is new", change: map[string]string{"lone/x_test.go": "package lone\nfunc init() { println() }\n"}, measured: []string{"lone"}},
		{name: "Go that is no part of it", change: map[string]string{"lone/notes/other.go": "package notes\nconst X = 1\n"}},
		{name: "data", change: map[string]string{"reads/in.json": "two"}, measured: []string{"includes", "reads", "up"}},
		{name: "prose that it reads", change: map[string]string{"reads/HISTORY.md": "two"}, measured: []string{"reads"}},
		{name: "Go in testdata", change: map[string]string{"reads/a/testdata/x.go": "package y\n"}, measured: []string{"includes", "reads", "up"}},
		{name: "what it embeds", change: map[string]string{"embeds/text.md": "two"}, measured: []string{"embeds"}},
		{name: "data above one that looks there", change: map[string]string{"docs/picture.svg": "two"}, measured: []string{"includes", "up"}},
		{name: "what assembly includes", change: map[string]string{"docs/defs.h": "// two\n"}, measured: []string{"includes", "up"}},
		{name: "data of a dependency", change: map[string]string{"mid/data.bin": "two"}, measured: []string{"far", "includes", "up"}},
		{name: "go.mod, for the worse", change: map[string]string{"go.mod": "module example.com/u\n\ngo 1.25\n"}, measured: all},
		{name: "flags", config: func(c *Config) { c.HeadFlags = []string{"-race=false"} }, measured: all},
		{name: "nothing, but all is asked for", config: func(c *Config) { c.MeasureUnchanged = true }, measured: all},
	} {
		dirs := [2]string{t.TempDir(), t.TempDir()}
		write(t, dirs[0], module)
		write(t, dirs[1], module)
		write(t, dirs[1], test.change)
		var said []string
		config := Config{BaseDir: dirs[0], HeadDir: dirs[1], Log: func(line string) { said = append(said, line) }}
		if test.config != nil {
			test.config(&config)
		}
		src := setAside(t, config)
		var got []string
		for _, p := range src.pkgs {
			got = append(got, strings.TrimPrefix(p.path(), "example.com/u/"))
		}
		slices.Sort(got)
		if !slices.Equal(got, test.measured) {
			t.Errorf("%s: measured %v, want %v", test.name, got, test.measured)
		}
		whys := make(map[string]bool)
		for _, u := range src.Unchanged() {
			name := strings.TrimPrefix(u.Pkg, "example.com/u/")
			if !slices.Contains(all, name) || slices.Contains(got, name) || u.Why == "" {
				t.Errorf("%s: %s is not measured, because of %q", test.name, u.Pkg, u.Why)
			}
			if !slices.Contains(said, "not measured: "+u.Pkg+": "+u.Why) {
				t.Errorf("%s: nothing is said of %s: %q", test.name, u.Pkg, said)
			}
			got = append(got, name)
			whys[u.Why] = true
		}
		if len(got) != len(all) {
			t.Errorf("%s: measured, or not, are %v, want %v", test.name, got, all)
		}
		if test.why != "" && !whys[test.why] {
			t.Errorf("%s: because of %v, want %q", test.name, slices.Collect(maps.Keys(whys)), test.why)
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}

// setAside does what Prepare does up to Source.setAside.
func setAside(t *testing.T, config Config) *Source {
	t.Helper()
	if err := config.check(); err != nil {
		t.Fatal(err)
	}
	s := newSource(config)
	ctx := context.Background()
	err := s.copyTrees(ctx)
	if err == nil {
		s.pkgs, err = s.findPackages(ctx)
	}
	if err == nil {
		err = s.setAside(ctx)
	}
	if err != nil {
		s.Close()
		t.Fatal(err)
	}
	return s
}

// write writes files; those without content are removed.
func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if text == "" {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o777), os.WriteFile(name, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
}
