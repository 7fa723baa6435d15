package examples

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// Each exported function, method, type, variable and constant that programs of others can
// use has a comment of its own, or of its group.
func TestDocumented(t *testing.T) {
	bare, all, err := undocumented(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range bare {
		t.Errorf("%s: want a comment that says what it is: its unit, its errors", name)
	}
	if all < 500 {
		t.Errorf("%d exported names, want all", all)
	}
}

// The test notices what has no comment.
func TestUndocumented(t *testing.T) {
	const source = `package p

// F has one.
func F() {}
func G() {}
func h() {}

// T has one.
type T struct{}
func (t *T) M() {}
func (t T) m() {}
type u struct{}
func (u) M() {}

// The group has one.
const ( A = 1; B = 2 )
const (
	C = 1 // has one
	D = 2
)
`
	files := fstest.MapFS{"p/p.go": {Data: []byte(source)}, "internal/p/p.go": {Data: []byte(source)}, "p/p_test.go": {Data: []byte(source)}, "cmd/p/p.go": {Data: []byte(source)}}
	bare, _, err := undocumented(files)
	if want := []string{"p.D", "p.G", "p.T.M"}; err != nil || !slices.Equal(bare, want) {
		t.Errorf("without comments: %v, %v, want %v", bare, err, want)
	}
}

// undocumented returns the exported names without a comment of the packages in files that
// others can import, and how many exported names there are.
func undocumented(files fs.FS) (bare []string, all int, err error) {
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if d.IsDir() && (slices.Contains([]string{"internal", "cmd", "tools", "testdata"}, d.Name()) || len(d.Name()) > 1 && d.Name()[0] == '.') {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			for id, documented := range named(decl) {
				if all++; !documented {
					bare = append(bare, fmt.Sprintf("%s.%s", path.Dir(name), id))
				}
			}
		}
		return nil
	})
	slices.Sort(bare)
	return bare, all, err
}

// named returns the exported names that a declaration has at the level of the package,
// and whether each has a comment.
func named(decl ast.Decl) map[string]bool {
	names := make(map[string]bool)
	switch d := decl.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			of := receiver(d.Recv.List[0].Type)
			if !ast.IsExported(of) {
				return nil
			}
			name = of + "." + name
		}
		if d.Name.IsExported() {
			names[name] = d.Doc != nil
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					names[s.Name.Name] = d.Doc != nil || s.Doc != nil
				}
			case *ast.ValueSpec:
				for _, id := range s.Names {
					if id.IsExported() {
						names[id.Name] = d.Doc != nil || s.Doc != nil || s.Comment != nil
					}
				}
			}
		}
	}
	return names
}

// receiver returns the name of the type of a receiver.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
