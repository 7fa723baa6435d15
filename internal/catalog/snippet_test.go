package catalog_test

import (
	"go/ast"
	"go/format"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/catalog"
)

// Each lock has a type, and a snippet that compiles and calls the lock.
func TestSnippets(t *testing.T) {
	set := token.NewFileSet()
	files := make(map[string]*ast.File)
	paths := make(map[string]bool)
	for _, e := range catalog.All() {
		text := e.Snippet()
		if e.Control {
			if text != "" || e.Type() != "" {
				t.Errorf("%s is no lock: type %q, snippet %q, want none", e.Name, e.Type(), text)
			}
			continue
		}
		tidy, err := format.Source([]byte(text))
		if err != nil || string(tidy) != text {
			t.Errorf("%s: %v, want it as gofmt writes it:\n%s", e.Name, err, text)
			continue
		}
		file, err := parser.ParseFile(set, e.Name+".go", text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files[e.Name] = file
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			paths[path] = true
		}
		name, _, _ := strings.Cut(e.Type(), ",")
		if name, _, _ = strings.Cut(name, " "); name == "sync.SeqCount" {
			name = "gvisor.SeqCount"
		}
		if name != "chan" && name != "seqlock.Lock" && !strings.Contains(text, strings.Replace(name, "rcu.", "rcu.New", 1)) &&
			!strings.Contains(text, strings.Replace(name, ".", ".New", 1)) && !strings.Contains(text, name) {
			t.Errorf("%s: type %s is not in\n%s", e.Name, e.Type(), text)
		}
		if pins := strings.Contains(text, "Pinned("); pins != (e.Pins || e.Family == "RCU" && strings.HasPrefix(e.Name, "rcu-pinned")) {
			t.Errorf("%s: pins: %t:\n%s", e.Name, pins, text)
		}
		if unpinned := regexp.MustCompile(`\.(R?Lock|R?Unlock|Update)\(`); e.Pins && unpinned.MatchString(text) {
			t.Errorf("%s: %s does not pin:\n%s", e.Name, unpinned.FindString(text), text)
		}
	}
	exports := exported(t, slices.Sorted(maps.Keys(paths)))
	checker := types.Config{Importer: importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })}
	for name, file := range files {
		if _, err := checker.Check("snippet/"+name, set, []*ast.File{file}, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(files) < 40 {
		t.Errorf("%d snippets, want one of each lock", len(files))
	}
}

// exported returns the files in which the compiler left what packages export, and those
// that they import.
func exported(t *testing.T, paths []string) map[string]string {
	out, err := exec.Command("go", append([]string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}, paths...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		files[path] = file
	}
	return files
}

func TestTypes(t *testing.T) {
	want := map[string]string{
		"tas": "spinlock.TAS", "ticket-pinned": "ticket.Lock, pinned", "mcs-queue-pinned": "mcs.Queue, pinned", "rw-biased-pinned": "rwlock.Biased, pinned",
		"sync.RWMutex": "sync.RWMutex", "semaphore": "blocking.Semaphore", "rcu-qsbr-sync": "rcu.QSBR", "rcu-domain": "rcu.Domain", "seqlock-pinned": "seqlock.Lock, pinned",
		"xsync.Map": "xsync.Map", "none": "",
	}
	for _, e := range catalog.All() {
		if typ, ok := want[e.Name]; ok && e.Type() != typ {
			t.Errorf("%s: type %q, want %q", e.Name, e.Type(), typ)
		}
		delete(want, e.Name)
	}
	if len(want) > 0 {
		t.Errorf("no entries for %v", want)
	}
}
