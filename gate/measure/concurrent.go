package measure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
)

// A cpuRun says with how many CPUs functions of a package are run.
type cpuRun struct {
	cpu   int
	leave []string // functions that are not run, as expressions for -test.skip
}

// cpuRuns returns with how many CPUs to run the benchmarks of p. Unless the
// configuration says it, that is one, except for benchmarks that start goroutines.
func (s *Source) cpuRuns(p *pkg) []cpuRun {
	if len(s.c.CPU) > 0 {
		var runs []cpuRun
		for _, cpu := range s.c.CPU {
			runs = append(runs, cpuRun{cpu: cpu})
		}
		return runs
	}
	one, many := cpuRun{cpu: 1}, cpuRun{cpu: s.c.most}
	starts := make(map[string]bool)
	var all []string
	for _, side := range p.sides {
		if side == nil {
			continue
		}
		concurrent := startGoroutines(side.path, side.files)
		for _, function := range side.functions {
			starts[function] = starts[function] || concurrent(function)
			all = append(all, function)
		}
	}
	for _, function := range all {
		of := &one
		if !starts[function] {
			of = &many
		}
		if e := exactly(function); !slices.Contains(of.leave, e) {
			of.leave = append(of.leave, e)
		}
	}
	switch {
	case len(many.leave) == 0:
		return []cpuRun{many}
	case len(one.leave) == 0:
		return []cpuRun{one}
	}
	return []cpuRun{one, many}
}

// startGoroutines returns a function that reports whether a function of a package
// starts goroutines: by a go statement, by RunParallel, or by a method Go, as
// sync.WaitGroup and errgroup.Group have. The function itself may do so, or anything
// that it mentions by name and that the package's own files declare: functions, methods
// of that name of any type, and variables. It does not look into imported packages.
func startGoroutines(pkg string, files []string) func(name string) bool {
	mentions := make(map[string][]string) // by the declared name
	starts := make(map[string]bool)
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			continue // the build will report what is wrong
		}
		foreign := make(map[string]bool) // names of imported packages
		for _, spec := range f.Imports {
			of, _ := strconv.Unquote(spec.Path.Value)
			name := path.Base(of)
			if spec.Name != nil {
				name = spec.Name.Name
			}
			foreign[name] = of != pkg
		}
		look := func(name string, n ast.Node) {
			benchmarks := make(map[string]bool) // names of variables of type *testing.B
			ast.Inspect(n, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Field:
					if ptr, ok := n.Type.(*ast.StarExpr); ok {
						if sel, ok := ptr.X.(*ast.SelectorExpr); ok && (sel.Sel.Name == "B" || sel.Sel.Name == "PB") {
							for _, id := range n.Names {
								benchmarks[id.Name] = true
							}
						}
					}
				case *ast.GoStmt:
					starts[name] = true
				case *ast.SelectorExpr:
					if n.Sel.Name == "RunParallel" || n.Sel.Name == "Go" {
						starts[name] = true
					}
					if id, ok := n.X.(*ast.Ident); ok && (foreign[id.Name] || benchmarks[id.Name]) {
						return false // fmt.Println and b.Run are not of this package
					}
				case *ast.Ident:
					mentions[name] = append(mentions[name], n.Name)
				}
				return true
			})
		}
		for _, decl := range f.Decls {
			switch decl := decl.(type) {
			case *ast.FuncDecl:
				look(decl.Name.Name, decl)
			case *ast.GenDecl:
				for _, spec := range decl.Specs {
					if v, ok := spec.(*ast.ValueSpec); ok {
						for _, name := range v.Names {
							look(name.Name, v)
						}
					}
				}
			}
		}
	}
	return func(name string) bool {
		seen := map[string]bool{name: true}
		for next := []string{name}; len(next) > 0; {
			name := next[0]
			next = next[1:]
			if starts[name] {
				return true
			}
			for _, m := range mentions[name] {
				if !seen[m] {
					seen[m] = true
					next = append(next, m)
				}
			}
		}
		return false
	}
}
