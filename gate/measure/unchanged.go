package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
)

// setAside removes from s.pkgs the packages that are the same on both sides, since
// measuring them would tell nothing. See the package's documentation for what that
// means. A package that cannot be read or compared stays.
func (s *Source) setAside(ctx context.Context) error {
	if s.c.MeasureUnchanged || len(s.c.HeadFlags) > 0 || s.trees[0].goVers != s.trees[1].goVers || !s.sameWork() {
		return nil
	}
	d, err := s.difference()
	if err != nil {
		s.warn("all is measured, even what is the same on both sides: %v", err)
		return nil
	}
	var graphs [2]graph
	for i, t := range s.trees {
		if graphs[i], err = s.graph(ctx, t); err != nil {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return nil // the build will report what is wrong
		}
	}
	var measured, perhaps []*pkg
	for _, p := range s.pkgs {
		if p.sides[0] == nil || p.sides[1] == nil {
			measured = append(measured, p)
			continue
		}
		base, head := graphs[0].closure(p.sides[0].path), graphs[1].closure(p.sides[1].path)
		switch {
		case base == nil || head == nil, s.reads(p, d, base, head) != "":
			measured = append(measured, p)
		case s.sameSource(d, base, head):
			s.leave(p, "no file that it is built of has changed")
		default:
			perhaps = append(perhaps, p)
		}
	}
	same, err := s.sameBinaries(ctx, perhaps)
	if err != nil {
		return err
	}
	for _, p := range perhaps {
		if same[p] {
			s.leave(p, "its test binaries are the same, byte by byte")
		} else {
			measured = append(measured, p)
		}
	}
	s.pkgs = slices.DeleteFunc(s.pkgs, func(p *pkg) bool { return !slices.Contains(measured, p) })
	return nil
}

func (s *Source) leave(p *pkg, why string) {
	s.unchanged = append(s.unchanged, gate.Unchanged{Pkg: p.path(), Why: why})
	s.c.logf("not measured: %s: %s", p.path(), why)
}

// sameWork reports whether the same go.work applies to both sides, or none to either.
func (s *Source) sameWork() bool {
	var env [2][]string
	for i, t := range s.trees {
		for _, v := range t.env {
			env[i] = append(env[i], strings.Replace(v, t.root, "", 1))
		}
	}
	return slices.Equal(env[0], env[1])
}

// A difference lists the files in which two trees differ.
type difference struct {
	files map[string]bool // paths with slashes, of files that are not the same on both sides
	links []string        // symbolic links, of either side
}

// difference compares all files of both sides.
func (s *Source) difference() (*difference, error) {
	d := &difference{files: make(map[string]bool)}
	var all [2]map[string]fs.FileInfo
	for i, t := range s.trees {
		all[i] = make(map[string]fs.FileInfo)
		err := filepath.WalkDir(t.root, func(name string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			rel, err := filepath.Rel(t.root, name)
			if err != nil {
				return err
			}
			rel = filepath.ToSlash(rel)
			if all[i][rel], err = e.Info(); err == nil && e.Type()&fs.ModeSymlink != 0 {
				d.links = append(d.links, rel)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for rel, a := range all[0] {
		b, ok := all[1][rel]
		same := ok && a.Mode() == b.Mode()
		if same {
			var err error
			if same, err = sameFile(filepath.Join(s.trees[0].root, rel), filepath.Join(s.trees[1].root, rel), a.Mode()); err != nil {
				return nil, err
			}
		}
		if !same {
			d.files[rel] = true
		}
	}
	for rel := range all[1] {
		if all[0][rel] == nil {
			d.files[rel] = true
		}
	}
	return d, nil
}

// sameFile compares two files, or two symbolic links.
func sameFile(a, b string, mode fs.FileMode) (bool, error) {
	if mode&fs.ModeSymlink != 0 {
		x, err := os.Readlink(a)
		y, err2 := os.Readlink(b)
		return x == y, errors.Join(err, err2)
	}
	x, err := os.ReadFile(a)
	y, err2 := os.ReadFile(b)
	return bytes.Equal(x, y), errors.Join(err, err2)
}

// A node is a package as go list prints it, part of a test binary.
type node struct {
	ImportPath, Dir string
	Standard        bool
	Incomplete      bool
	Deps            []string
	Module          *struct {
		Path, Version string
		Replace       *struct{ Path, Version string }
	}

	GoFiles, CgoFiles, CFiles, CXXFiles, MFiles, HFiles, FFiles, SFiles, SwigFiles, SwigCXXFiles, SysoFiles []string
	EmbedFiles, TestGoFiles, XTestGoFiles, TestEmbedFiles, XTestEmbedFiles                                  []string
}

// files returns all files of a package, which are in its directory.
func (n *node) files() []string {
	return slices.Concat(n.built(), n.TestGoFiles, n.XTestGoFiles, n.TestEmbedFiles, n.XTestEmbedFiles)
}

// built returns the files that a program which imports the package is made of.
func (n *node) built() []string {
	return slices.Concat(n.GoFiles, n.CgoFiles, n.native(), n.EmbedFiles)
}

// native returns the files that the go command does not read itself: they may include
// files from anywhere.
func (n *node) native() []string {
	return slices.Concat(n.CFiles, n.CXXFiles, n.MFiles, n.HFiles, n.FFiles, n.SFiles, n.SwigFiles, n.SwigCXXFiles, n.SysoFiles)
}

// A graph has all packages that are part of the test binaries of a side.
type graph map[string]*node

// graph asks the go command for it.
func (s *Source) graph(ctx context.Context, t *tree) (graph, error) {
	args := slices.Concat([]string{"list", "-e", "-deps", "-test", "-json"}, s.c.flags(), []string{"--"})
	for _, p := range s.pkgs {
		if side := p.sides[which(t.side)]; side != nil {
			args = append(args, side.path)
		}
	}
	return s.listGraph(ctx, t, args)
}

// listGraph runs a go list that prints nodes.
func (s *Source) listGraph(ctx context.Context, t *tree, args []string) (graph, error) {
	out, err := s.goCommand(ctx, t, args...)
	if err != nil {
		return nil, err
	}
	g := make(graph)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		n := new(node)
		switch err := d.Decode(n); {
		case err == io.EOF:
			return g, nil
		case err != nil:
			return nil, fmt.Errorf("%v: go list: %w", t.side, err)
		}
		g[n.ImportPath] = n
	}
}

// closure returns the packages that the test binary of a package is made of, without
// the standard library, by import path; nil if they are not known.
func (g graph) closure(pkg string) map[string]*node {
	test := g[pkg+".test"]
	if test == nil {
		return nil
	}
	all := make(map[string]*node)
	for _, path := range append(test.Deps, pkg) {
		n := g[path]
		switch {
		case n == nil || n.Incomplete:
			return nil
		case !n.Standard:
			all[path] = n
		}
	}
	return all
}

// sameSource reports whether two closures have the same files.
func (s *Source) sameSource(d *difference, base, head map[string]*node) bool {
	// The go command decides which versions of which modules are built.
	for name := range d.files {
		if slices.Contains([]string{"go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt"}, path.Base(name)) {
			return false
		}
	}
	if !slices.Equal(slices.Sorted(maps.Keys(base)), slices.Sorted(maps.Keys(head))) {
		return false
	}
	for name, b := range base {
		h := head[name]
		where, inside := s.trees[0].within(b.Dir)
		there, too := s.trees[1].within(h.Dir)
		switch {
		case inside != too || inside && where != there:
			return false
		case !inside && b.Dir != h.Dir: // a module in the module cache, or a directory that both use
			return false
		case !inside:
			continue
		}
		for _, file := range slices.Concat(b.files(), h.files()) {
			if filepath.IsAbs(file) || d.files[path.Join(where, filepath.ToSlash(file))] {
				return false // an absolute path is a file that the go command generates
			}
		}
	}
	return true
}

// within returns the path of a directory relative to the tree, with slashes, and
// whether it is in the tree.
func (t *tree) within(dir string) (string, bool) {
	rel, err := filepath.Rel(t.root, dir)
	return filepath.ToSlash(rel), err == nil && filepath.IsLocal(rel)
}

// reads returns a file that differs between the sides and that a benchmark of p may
// read while it runs, "" if there is none.
func (s *Source) reads(p *pkg, d *difference, closures ...map[string]*node) string {
	var source []byte // of the package itself
	for _, side := range p.sides {
		for _, file := range side.files {
			src, err := os.ReadFile(file)
			if err != nil {
				return file
			}
			source = append(source, src...)
		}
	}
	var dirs []string // of the package and of the packages that it imports
	leads := func(src []byte) bool { return bytes.Contains(src, []byte(`"..`)) || bytes.Contains(src, []byte("`..")) }
	anywhere := leads(source)
	for i, closure := range closures {
		for _, n := range closure {
			dir, inside := s.trees[i].within(n.Dir)
			if !inside {
				continue
			}
			dirs = append(dirs, dir)
			anywhere = anywhere || len(n.CgoFiles) > 0 // C may read any file
			for _, file := range n.native() {
				src, err := os.ReadFile(filepath.Join(n.Dir, file))
				if err != nil {
					return file
				}
				anywhere = anywhere || leads(src) // what it includes
			}
		}
	}
	below := func(name string) bool {
		return slices.ContainsFunc(dirs, func(dir string) bool { return dir == "." || strings.HasPrefix(name, dir+"/") })
	}
	anywhere = anywhere || slices.ContainsFunc(d.links, below)
	for _, name := range slices.Sorted(maps.Keys(d.files)) {
		if isData(name, source) && (anywhere || below(name)) {
			return name
		}
	}
	return ""
}

// isData reports whether a benchmark may read a file: it is neither Go nor prose, or it
// is in a directory that the go command does not look into, or the source of the
// package seems to name it.
func isData(name string, source []byte) bool {
	for _, dir := range strings.Split(path.Dir(name), "/") {
		if dir == "testdata" || strings.HasPrefix(dir, "_") {
			return true
		}
	}
	base, ext := path.Base(name), path.Ext(name)
	switch {
	case ext == ".go":
		return false
	case slices.Contains([]string{"go.mod", "go.sum", "go.work", "go.work.sum"}, base):
		return false // these only say what is built, which is compared
	case strings.HasPrefix(name, ".git"):
		return false
	case !isProse(base):
		return true
	}
	for _, end := range []string{`"`, "`"} {
		if ext != "" && bytes.Contains(source, []byte(ext+end)) {
			return true
		}
	}
	return bytes.Contains(source, []byte(base))
}

// isProse reports whether a file with that name is text for people.
func isProse(name string) bool {
	ext := path.Ext(name)
	switch strings.ToLower(ext) {
	case ".md", ".markdown":
		return true
	case "", ".txt", ".rst", ".adoc":
		return slices.Contains([]string{"README", "LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS", "AUTHORS", "CONTRIBUTORS", "CONTRIBUTING", "CHANGELOG", "CHANGES", "SECURITY", "CODEOWNERS"}, strings.ToUpper(strings.TrimSuffix(name, ext)))
	}
	return false
}

// sameBinaries builds packages on both sides without information about the place of the
// build, and reports which have the same binaries. A package that does not build is not
// the same.
func (s *Source) sameBinaries(ctx context.Context, of []*pkg) (map[*pkg]bool, error) {
	var links []*link
	for _, p := range of {
		for i, t := range s.trees {
			file := filepath.Join(s.dir, "bin", fmt.Sprintf("bare%d-%d.test", len(links), i))
			links = append(links, &link{p: p, tree: t, file: file, seed: s.layout(p, 1), bare: true})
		}
	}
	if len(links) > 0 {
		s.c.logf("%s may be the same; building to see", wording.Plural(len(of), "package"))
	}
	s.build(ctx, links) // errors are reported when they are built to be measured
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	same := make(map[*pkg]bool)
	for k := 0; k < len(links); k += 2 {
		a, b := links[k].file, links[k+1].file
		equal, err := sameFile(a, b, 0)
		same[links[k].p] = equal && err == nil
		os.Remove(a)
		os.Remove(b)
	}
	return same, nil
}
