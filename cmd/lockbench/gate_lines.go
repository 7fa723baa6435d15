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
	"github.com/lockbench/lockbench/gate/report"
)

// lines returns the places of the benchmarks that a report mentions. A comparison of
// files has no lines, because the benchmarks may be of any code, nor has a simulation.
func (g *gating) lines(rep report.Document) map[gate.Benchmark]report.Line {
	if g.Files || g.Sim {
		return nil
	}
	root := os.Getenv("GITHUB_WORKSPACE")
	if root == "" {
		root = "."
	}
	root, err := filepath.Abs(root)
	if err != nil {
		return nil
	}
	of := slices.Concat(rep.New, rep.OnlyHead)
	for _, res := range rep.Results {
		if res.Verdict != gate.Pass {
			of = append(of, res.Benchmark)
		}
	}
	return sourceLines(context.Background(), g.Dir, root, of)
}

// sourceLines returns the places of the functions of benchmarks, if their packages are
// found from dir. Files that do not parse have no lines, and files that are not below
// root are left out: the report is useful without them.
func sourceLines(ctx context.Context, dir, root string, of []gate.Benchmark) map[gate.Benchmark]report.Line {
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
	functions := make(map[gate.Benchmark]report.Line) // by the name of the function
	for l := range bytes.Lines(out) {
		pkg, dir, _ := strings.Cut(strings.TrimSpace(string(l)), "\t")
		if dir != "" {
			addSourceLines(functions, pkg, dir, root)
		}
	}
	lines := make(map[gate.Benchmark]report.Line)
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
func addSourceLines(to map[gate.Benchmark]report.Line, pkg, dir, root string) {
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
					to[gate.Benchmark{Pkg: pkg, Name: name}] = report.Line{File: filepath.ToSlash(path), Line: set.Position(fn.Pos()).Line}
				}
			}
		}
	}
}
