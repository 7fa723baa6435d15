package main

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/gate"
)

// A line is a place in a file.
type line struct {
	file string // slashes, and below the root that was asked for
	line int
}

// sourceLines returns where the functions of benchmarks are, as far as their
// packages are found from dir. Files that do not parse have no lines, and those that
// are not below root are left out: a report without them has all that matters.
func sourceLines(ctx context.Context, dir, root string, of []gate.Benchmark) map[gate.Benchmark]line {
	var packages []string
	for _, b := range of {
		if b.Pkg != "" {
			packages = append(packages, b.Pkg)
		}
	}
	if len(packages) == 0 {
		return nil
	}
	slices.Sort(packages)
	list := exec.CommandContext(ctx, "go", append([]string{"list", "-e", "-find", "-f", "{{.ImportPath}}\t{{.Dir}}", "--"}, slices.Compact(packages)...)...)
	list.Dir = dir
	out, err := list.Output()
	if err != nil {
		return nil
	}
	functions := make(map[gate.Benchmark]line) // by the name of the function
	for l := range bytes.Lines(out) {
		pkg, dir, _ := strings.Cut(strings.TrimSpace(string(l)), "\t")
		if dir != "" {
			addSourceLines(functions, pkg, dir, root)
		}
	}
	lines := make(map[gate.Benchmark]line)
	for _, b := range of {
		name, _, _ := strings.Cut(b.Name, "/")
		at, ok := functions[gate.Benchmark{Pkg: b.Pkg, Name: name}]
		if i := strings.LastIndexByte(name, '-'); !ok && i > 0 { // the number of CPUs
			at, ok = functions[gate.Benchmark{Pkg: b.Pkg, Name: name[:i]}]
		}
		if ok {
			lines[b] = at
		}
	}
	return lines
}

// addSourceLines adds the benchmark functions of the test files in dir.
func addSourceLines(to map[gate.Benchmark]line, pkg, dir, root string) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		path, err := filepath.Rel(root, filepath.Join(dir, f.Name()))
		if err != nil || !filepath.IsLocal(path) {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, filepath.Join(dir, f.Name()), nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, d := range parsed.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				if name, ok := strings.CutPrefix(fn.Name.Name, "Benchmark"); ok {
					to[gate.Benchmark{Pkg: pkg, Name: name}] = line{filepath.ToSlash(path), set.Position(fn.Pos()).Line}
				}
			}
		}
	}
}
