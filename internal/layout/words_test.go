package layout_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lockbench/lockbench/internal/layout"
)

func TestWords(t *testing.T) {
	root := os.DirFS("../..")
	broken, err := glossary(t).Check(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Error(b)
	}
}

func glossary(t *testing.T) layout.Glossary {
	text, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	g, err := layout.ReadGlossary(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// What the glossary does not allow is found, where it is; what it allows is not.
func TestWordsNotToUse(t *testing.T) {
	g := glossary(t)
	long := "// " + strings.Repeat("word ", 20)
	for _, test := range []struct {
		name, src string
		want      string // the beginning of the one complaint; "" for none
	}{
		{"a/a.go", "// Package a waits.\npackage a\n\n// lest it wait\n", `a/a.go:4: not "lest": say so that … not`},
		{"a/a.go", "package a\n\nvar x int // NOBODY has it\n", `a/a.go:3: not "NOBODY": say no goroutine, no worker, no waiter`},
		{"a/a.go", "package a\n\n// It waits in\n// vain.\n", `a/a.go:3: not "in vain": say without effect`},
		{"a/a.go", "package a\n\n/* It waits\nlest it wait. */\n", `a/a.go:4: not "lest"`},
		{"a/a_test.go", "package a_test\n\n// Two seats.\n", `a/a_test.go:3: not "seats": say slot`},
		{"a/a.go", "package a\n\n// It waits. Who finds it free gets it.\n", `a/a.go:3: not "Who": say the goroutine that`},
		{"a/a.go", "package a\n\n\t" + long + "end\n", `a/a.go:3: a line of comment with 106 characters: at most 100`},
		{"a/a.s", "// lest it wait\n", ""},
		{"a/a.go", "package a\n\n// It latest sees the whole bedrock, and says who waits.\n", ""},
		{"a/a.go", "package a\n\n//\t" + long + "\n", ""}, // an example
		{"a/a.go", "package a\n\n// https://example.org/" + strings.Repeat("x", 100) + "\n", ""},
		{"a/a.go", "package a\n\nvar lest = \"lest\" //nolint:whatever\n", ""},
		{"a/a_test.go", "package a\n\n// Output:\n" + long + "\n", ""},
		{"a/testdata/a.go", "package a\n\n// lest it wait\n", ""},
		{"a/a.md", "# A\n\nIt waits\nlest it wait.\n", `a/a.md:4: not "lest"`},
		{"a/a.md", "# A\n\nIt was `lest`.\n", ""},
		{"a/a.svg", "<svg>\n<text x=\"1\">It waits lest</text>\n</svg>\n", `a/a.svg:2: not "lest"`},
		{"a/a.svg", "<svg>\n<text>It waits in</text>\n<text>vain.</text>\n</svg>\n", `a/a.svg:2: not "in vain"`},
		{"a/a.svg", "<svg>\n<g id=\"lest\"\n>It waits.</g></svg>\n", ""},
		{"a/a.md", "# A\n\n## Words\n\n| Say | For | Not |\n|---|---|---|\n| so | x | `lest` |\n\n## B\n\nin vain\n", `a/a.md:11: not "in vain"`},
	} {
		got, err := g.Check(fstest.MapFS{test.name: {Data: []byte(test.src)}})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := strings.Join(got, "\n"); !strings.HasPrefix(got, test.want) || (test.want == "") != (got == "") || strings.Contains(got, "\n") {
			t.Errorf("%s of\n%sgot  %q\nwant %q", test.name, test.src, got, test.want)
		}
	}
}

func TestNoGlossary(t *testing.T) {
	for _, text := range []string{"", "# A\n\n## Words\n\nnone\n", "# A\n\n## Words\n\n| Say | Not |\n|---|---|\n| so | `lest` |\n"} {
		if g, err := layout.ReadGlossary(text); err == nil {
			t.Errorf("ReadGlossary(%q) = %v, want an error", text, g)
		}
	}
}
