// Package examples has a test: the exported types of some packages are in runnable
// examples.
package examples

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// Each exported type of these packages is in an example whose output is checked.
func TestTypes(t *testing.T) {
	missing, err := without("../..", "./rcu", "./check", "./check/property", "./results", "./harness", "./advice")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range missing {
		t.Errorf("%s: no example has it, and the output to check: write one in a file example*_test.go", name)
	}
}

// without returns the exported types of the packages in dir that no example has, as
// "path.Type". An example has a type if it is named after it, or if an expression in its
// file has the type, or has pointers to it, or elements of it. Only files named
// example*_test.go count, and only if each example in them has an output.
func without(dir string, patterns ...string) (missing []string, err error) {
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax, Dir: dir, Tests: true, BuildFlags: []string{"-tags=virtual"}}, patterns...)
	if err != nil {
		return nil, err
	}
	all, shown := make(map[string]bool), make(map[string]bool)
	for _, pkg := range loaded {
		for _, err := range pkg.Errors {
			return nil, err
		}
		if pkg.ID == pkg.PkgPath { // no variant with tests in it
			for _, name := range pkg.Types.Scope().Names() {
				if is, ok := pkg.Types.Scope().Lookup(name).(*types.TypeName); ok && is.Exported() {
					all[pkg.PkgPath+"."+name] = true
				}
			}
		}
		for _, file := range pkg.Syntax {
			base := filepath.Base(pkg.Fset.File(file.Pos()).Name())
			if ok, _ := filepath.Match("example*_test.go", base); !ok {
				continue
			}
			for _, example := range doc.Examples(file) {
				if example.Output == "" && !example.EmptyOutput {
					return nil, fmt.Errorf("%s: Example%s has no output to check", base, example.Name)
				}
				of, _, _ := strings.Cut(example.Name, "_")
				shown[strings.TrimSuffix(pkg.PkgPath, "_test")+"."+of] = true
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if e, ok := n.(ast.Expr); ok {
					note(shown, pkg.TypesInfo.TypeOf(e))
				}
				return true
			})
		}
	}
	for name := range all {
		if !shown[name] {
			missing = append(missing, name)
		}
	}
	slices.Sort(missing)
	return missing, nil
}

// note notes t, and what it points to or has as elements.
func note(shown map[string]bool, t types.Type) {
	switch t := types.Unalias(t).(type) {
	case *types.Named:
		if pkg := t.Obj().Pkg(); pkg != nil {
			shown[pkg.Path()+"."+t.Obj().Name()] = true
		}
	case interface{ Elem() types.Type }: // a pointer, slice, array, map or channel
		note(shown, t.Elem())
	}
}

// A type that no example has is found, whether examples are in the package or beside it.
func TestWithout(t *testing.T) {
	for _, test := range []struct {
		example string // the file
		want    string // the missing types, or part of the error
	}{
		{"package a_test\n\nimport \"fmt\"\n\nfunc Example() { fmt.Println() }\n", "has no output"},
		{"package a_test\n\nfunc Example() {\n\t// Output:\n}\n", "m/a.Named m/a.Pointed m/a.Used"},
		{"package a_test\n\nimport \"m/a\"\n\nfunc ExampleNamed_Do() {\n\ta.Point()\n\tvar _ = a.Used(1)\n\t// Output:\n}\n", ""},
		{"package a\n\nfunc ExampleNamed() {\n\tvar _ Used = 1\n\t// Output:\n}\n", "m/a.Pointed"},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{
			"go.mod": "module m\n\ngo 1.26\n",
			"a/a.go": "package a\n\ntype (\n\tNamed struct{}\n\tPointed struct{}\n\tUsed int\n\tunexported int\n)\n\n" +
				"func (Named) Do() {}\n\nfunc Point() []*Pointed { return nil }\n\nvar _ unexported\n",
			"a/a_test.go":         "package a_test\n\nimport \"m/a\"\n\nvar _ a.Used // not in an example\n",
			"a/example_a_test.go": test.example,
		} {
			name = filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		missing, err := without(dir, "./...")
		got := strings.Join(missing, " ")
		if err != nil {
			got = err.Error()
		}
		if got != test.want && (err == nil || !strings.Contains(got, test.want)) {
			t.Errorf("%s\nmissing %q, want %q", test.example, got, test.want)
		}
	}
}
