// Package layout holds the tests that keep the module in order: which package may
// import which, where build tags may be, and which words comments and docs use.
//
// The table of imports is in layout_test.go, so that a change of the architecture
// is a change of one visible page; docs/layout.md gives the reasons. The glossary is
// in CONTRIBUTING.md.
package layout

import (
	"fmt"
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Layout is the table: what each package may contain, and what none may.
//
// Its lists are of names separated by spaces. A package of the module goes by
// its directory, any other by its import path; "a/..." stands for a and all
// that is below it.
type Layout struct {
	Module string // import path of the module's root
	Rules  []Rule
	Tests  string // what test files may import that their package may not
	Never  []Edge

	// Virtual are the packages that an engine can run: their goroutines are started, wait
	// and read the clock by package primitives, so that they have no go statement and no
	// channel, and of some packages of std only what Uses says. Test files may have them.
	Virtual string
	Uses    []Use
}

// A Use says what the Virtual packages may use of a package of std.
type Use struct {
	Of     string
	Names  string // nothing else
	Except string // files that may use all of it, because they are about the host alone
}

// A Rule is a row of the table: what each of some packages may contain.
type Rule struct {
	Packages string
	Imports  string // in addition to std; "..." for anything
	Tags     Tags
}

// Tags says which build constraints the files of a package may bear, in a
// //go:build line or in their name. Test files may bear any.
type Tags int

const (
	NoTags  Tags = iota
	OSTags       // names of operating systems
	AnyTags      // all of them, and assembly in addition to the Go files
)

// An Edge is an import that no row can grant: from any of some packages to any
// of some others.
type Edge struct {
	From, To string // in To, "!std" is every package that is neither of std nor ours
	Except   string // of From
	Tests    bool   // test files must not either
}

// Check reads every Go file in fsys, whatever its build constraints, and returns a line
// for each violation of the layout, beginning with the file's name. A package without a
// row in the table is a violation.
//
// Like the go command, it skips directories named testdata and those whose names begin
// with "." or "_". An error is one of reading or parsing.
func (l Layout) Check(fsys fs.FS) ([]string, error) {
	var broken []string
	err := eachFile(fsys, func(name string) error {
		found, err := l.checkFile(fsys, name)
		for _, f := range found {
			broken = append(broken, name+": "+f)
		}
		return err
	})
	return broken, err
}

// eachFile calls visit with the name of each file of fsys, except in directories that
// the go command passes over. An error ends it.
func eachFile(fsys fs.FS, visit func(name string) error) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && outside(name):
			return fs.SkipDir
		case d.IsDir():
			return nil
		}
		return visit(name)
	})
}

// outside reports whether the go command passes over a directory.
func outside(dir string) bool {
	base := path.Base(dir)
	return dir != "." && (base == "testdata" || strings.ContainsRune("._", rune(base[0])))
}

func (l Layout) checkFile(fsys fs.FS, name string) ([]string, error) {
	dir := path.Dir(name)
	row := slices.IndexFunc(l.Rules, func(r Rule) bool { return matches(r.Packages, dir) })
	switch ext := path.Ext(name); {
	case slices.Contains([]string{".s", ".S", ".c", ".h", ".syso"}, ext):
		if row < 0 || l.Rules[row].Tags != AnyTags {
			return []string{"only Go belongs here"}, nil
		}
		return nil, nil
	case ext != ".go":
		return nil, nil
	case row < 0:
		return []string{"package " + dir + " has no row in the table"}, nil
	}
	rule := l.Rules[row]
	test := strings.HasSuffix(name, "_test.go")

	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	mode := parser.ImportsOnly | parser.ParseComments
	virtual := !test && matches(l.Virtual, dir)
	if virtual {
		mode = parser.ParseComments | parser.SkipObjectResolution
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, src, mode)
	if err != nil {
		return nil, err
	}

	var broken []string
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: import %s: %w", name, spec.Path.Value, err)
		}
		to, kind := l.classify(imported)
		switch {
		case l.never(dir, to, kind, test):
			broken = append(broken, dir+" must never import "+to)
		case kind == std, matches(rule.Imports, to):
		case test && (to == dir || matches(l.Tests, to)):
		default:
			broken = append(broken, dir+" may not import "+to)
		}
	}
	if virtual {
		broken = append(broken, l.checkUses(name, file)...)
	}
	tags, err := constraints(name, file)
	if err != nil {
		return nil, err
	}
	for _, tag := range tags {
		if !test && (rule.Tags == NoTags || rule.Tags == OSTags && !slices.Contains(systems, tag)) {
			broken = append(broken, "no place for build tag "+tag)
		}
	}
	return broken, nil
}

// checkUses returns what a file of a Virtual package has and must not have, each once.
func (l Layout) checkUses(name string, file *ast.File) (broken []string) {
	dir := path.Dir(name)
	say := func(what string) {
		if what = dir + " may not have " + what; !slices.Contains(broken, what) {
			broken = append(broken, what)
		}
	}
	uses := make(map[string]Use) // by the name of the import
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value) // it has been unquoted before
		i := slices.IndexFunc(l.Uses, func(u Use) bool { return u.Of == imported })
		if i < 0 || matches(l.Uses[i].Except, name) {
			continue
		}
		as := path.Base(imported)
		if spec.Name != nil {
			as = spec.Name.Name
		}
		if as == "." {
			say("all names of " + imported)
		}
		uses[as] = l.Uses[i]
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			say("a go statement: want primitives.Go")
		case *ast.ChanType:
			say("a channel: want a primitives.Parker")
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			if !ok {
				break
			}
			if u, ok := uses[x.Name]; ok && !matches(u.Names, n.Sel.Name) {
				say(path.Base(u.Of) + "." + n.Sel.Name + ": want what package primitives has in its place")
			}
		}
		return true
	})
	return broken
}

type kind int

const (
	std kind = iota
	ours
	foreign
)

// classify returns the name by which the table knows an import path. Cgo's
// "C" is foreign.
func (l Layout) classify(imported string) (string, kind) {
	if dir, ok := strings.CutPrefix(imported, l.Module+"/"); ok {
		return dir, ours
	}
	first, _, _ := strings.Cut(imported, "/")
	if imported == "C" || strings.Contains(first, ".") {
		return imported, foreign
	}
	return imported, std
}

func (l Layout) never(from, to string, kind kind, test bool) bool {
	return slices.ContainsFunc(l.Never, func(e Edge) bool {
		return matches(e.From, from) && !matches(e.Except, from) && (e.Tests || !test) &&
			(matches(e.To, to) || kind == foreign && matches(e.To, "!std"))
	})
}

// matches reports whether a list names name.
func matches(list, name string) bool {
	return slices.ContainsFunc(strings.Fields(list), func(p string) bool {
		root, below := strings.CutSuffix(p, "...")
		return p == name || below && (strings.HasPrefix(name, root) || name+"/" == root)
	})
}

// constraints returns the tags that decide whether a file is built, be they in
// its //go:build line or in its name.
func constraints(name string, file *ast.File) ([]string, error) {
	var tags []string
	for _, group := range file.Comments {
		for _, c := range group.List {
			if c.Pos() > file.Package || !constraint.IsGoBuild(c.Text) {
				continue
			}
			expr, err := constraint.Parse(c.Text)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", name, c.Text, err)
			}
			expr.Eval(func(tag string) bool { // asks for every tag, whatever we say
				tags = append(tags, tag)
				return true
			})
		}
	}
	// go help buildconstraint: *_GOOS, *_GOARCH and *_GOOS_GOARCH.
	words := strings.Split(strings.TrimSuffix(path.Base(name), ".go"), "_")[1:]
	for _, w := range words[max(0, len(words)-2):] {
		if slices.Contains(systems, w) || slices.Contains(processors, w) {
			tags = append(tags, w)
		}
	}
	return tags, nil
}

// The names that go tool dist list knows, and unix, which stands for many.
var (
	systems    = strings.Fields("aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris unix wasip1 windows")
	processors = strings.Fields("386 amd64 arm arm64 loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x wasm")
)
