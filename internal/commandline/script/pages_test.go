package script

import (
	"reflect"
	"testing"
)

func TestBlocks(t *testing.T) {
	const page = "# A\n\n<!-- not run: takes a minute -->\n```sh\nlockbench run \\\n\t--quick   # soon\n```\n" +
		"\n<!-- run after: true -->\n```sh\ngo test ./a\n\n# only this\ngo test ./b > c\n```\n" +
		"\n```console\n$ lockbench list\nlockbench list of things\n```\n" +
		"\n```\nlockbench gate\n```\n\n    $ go test ./c\n\n```go\ngo func() {}\n```\n"
	blocks, loose := blocksOf("a.md", page)
	want := []Block{
		{Page: "a.md", Line: 5, Text: "lockbench run \\\n\t--quick   # soon\n", NotRun: "takes a minute", Commands: []string{"lockbench run \t--quick"}},
		{Page: "a.md", Line: 11, Text: "go test ./a\n\n# only this\ngo test ./b > c\n", RunAfter: "true", Commands: []string{"go test ./a", "go test ./b > c"}},
		{Page: "a.md", Line: 18, Commands: []string{"lockbench list"}},
	}
	if !reflect.DeepEqual(blocks, want) {
		t.Errorf("got blocks\n%+v\nwant\n%+v", blocks, want)
	}
	if want := []string{"a.md: lockbench gate", "a.md: $ go test ./c"}; !reflect.DeepEqual(loose, want) {
		t.Errorf("got commands %q in no block, want %q", loose, want)
	}
}

func TestSimple(t *testing.T) {
	for line, want := range map[string][][]string{
		"go test -bench '^A|B$' ./a":                  {{"go", "test", "-bench", "^A|B$", "./a"}},
		"(cd ../x && LONG=1 go build -o /y ./z)":      {{"cd", "../x"}, {"go", "build", "-o", "/y", "./z"}},
		"lockbench list >a.txt; grep b < c | wc 2>&1": {{"lockbench", "list"}, {"grep", "b"}, {"wc"}},
	} {
		if got := Simple(line); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %q, want %q", line, got, want)
		}
	}
}
