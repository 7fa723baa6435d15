// Machines checks the packages of this module, and their tests, as other machines
// would compile them:
//
//	go run ./tools/machines linux/386 windows/amd64
//
// It type-checks everything from source, and reads the assembly as go vet does. go vet
// and go build would compile the standard library first, for each machine, which takes
// a minute of a CPU each; this takes some seconds. It does not link.
package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/analysis"
	"golang.org/x/tools/go/analysis/checker"
	"golang.org/x/tools/go/analysis/passes/asmdecl"
	"golang.org/x/tools/go/analysis/passes/framepointer"
	"golang.org/x/tools/go/packages"
)

func main() { os.Exit(run(".", os.Args[1:], os.Stdout, os.Stderr)) }

// run checks the module in dir for each of the machines, named GOOS/GOARCH, and
// returns an exit code.
func run(dir string, machines []string, stdout, stderr io.Writer) int {
	if len(machines) == 0 {
		fmt.Fprintln(stderr, "usage: machines GOOS/GOARCH...")
		return 2
	}
	code := 0
	for _, machine := range machines {
		n, problems, err := check(dir, machine)
		if err != nil {
			fmt.Fprintf(stderr, "%s: %v\n", machine, err)
			return 2
		}
		for _, p := range problems {
			fmt.Fprintf(stderr, "%s: %s\n", machine, p)
			code = 1
		}
		fmt.Fprintf(stdout, "%s: %d packages and tests\n", machine, n)
	}
	return code
}

// check returns the number of packages and tests of the module in dir on a machine, and
// the errors in them.
func check(dir, machine string) (n int, problems []string, err error) {
	goos, goarch, ok := strings.Cut(machine, "/")
	if !ok {
		return 0, nil, fmt.Errorf("want GOOS/GOARCH, have %q", machine)
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return 0, nil, err
	}
	config := &packages.Config{
		Mode:  packages.LoadAllSyntax | packages.NeedModule,
		Dir:   dir,
		Tests: true,
		Env:   append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+goarch),
		// Of the dependencies only the declarations are needed.
		ParseFile: func(fset *token.FileSet, name string, src []byte) (*ast.File, error) {
			file, err := parser.ParseFile(fset, name, src, parser.ParseComments|parser.SkipObjectResolution)
			if file != nil && !strings.HasPrefix(name, dir+string(filepath.Separator)) {
				for _, decl := range file.Decls {
					if f, ok := decl.(*ast.FuncDecl); ok {
						f.Body = nil
					}
				}
			}
			return file, err
		},
	}
	all, err := packages.Load(config, "./...")
	if err != nil {
		return 0, nil, err
	}
	ours := slices.DeleteFunc(all, func(p *packages.Package) bool { return strings.HasSuffix(p.ID, ".test") }) // a test's generated main
	for _, p := range ours {
		for _, e := range p.Errors {
			problems = append(problems, e.Error())
		}
	}
	if len(problems) > 0 {
		return len(ours), distinct(problems), nil
	}
	// The bodies that were left out cause errors in the dependencies, which have no
	// meaning.
	packages.Visit(ours, nil, func(p *packages.Package) { p.IllTyped = false })
	graph, err := checker.Analyze([]*analysis.Analyzer{asmdecl.Analyzer, framepointer.Analyzer}, ours, nil)
	if err != nil {
		return 0, nil, err
	}
	for _, action := range graph.Roots {
		if action.Err != nil {
			return 0, nil, fmt.Errorf("%v: %w", action, action.Err)
		}
		for _, d := range action.Diagnostics {
			problems = append(problems, fmt.Sprintf("%v: %s", action.Package.Fset.Position(d.Pos), d.Message))
		}
	}
	return len(ours), distinct(problems), nil
}

// distinct sorts problems and drops duplicates: a package is also part of its tests.
func distinct(problems []string) []string {
	slices.Sort(problems)
	return slices.Compact(problems)
}
