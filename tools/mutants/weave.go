package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A mutant is a package with one small fault.
type mutant struct {
	pkg  string // ticket
	id   int    // within its package, from 1
	file string // ticket.go
	fn   string // Lock.Unlock
	line int
	what string // drop `l.owner.StoreRelease(owner + 1)`
	nth  int    // among those of the same description, from 0
}

// String returns the mutant's name, which stays the same when other code moves.
func (m mutant) String() string {
	name := fmt.Sprintf("%s/%s %s: %s", m.pkg, m.file, m.fn, m.what)
	if m.nth > 0 {
		name += fmt.Sprintf(" (%d)", m.nth+1)
	}
	return name
}

// A woven package has all its mutants in one source.
type woven struct {
	mutants []mutant
	files   map[string][]byte // by path, for an overlay
}

// A weaver puts mutants into the files of a package. A mutant is put around the
// existing code, and does not change the positions before and after it: an edit is two
// insertions, and edits nest as the syntax does.
type weaver struct {
	pkg  string
	info *types.Info
	self *types.Package
	fset *token.FileSet
	skip map[int]bool // mutants that did not compile

	mutants []mutant
	known   map[string]int // how many mutants have this description

	// Of the current file and function:
	file    *ast.File
	name    string
	src     []byte
	base    int // of the file in fset
	fn      string
	inserts []insert
}

// An insert is a text to be put at an offset of the file, in place of some bytes.
type insert struct {
	at, other int // where, and where the other end of the edit is
	end       bool
	replaces  int
	seq       int
	text      string
}

// weave returns the package with all its mutants, except those to be skipped.
func weave(pkg *packages.Package, name string, sources map[string][]byte, skip map[int]bool) woven {
	w := &weaver{
		pkg: name, info: pkg.TypesInfo, self: pkg.Types, fset: pkg.Fset,
		skip: skip, known: make(map[string]int),
	}
	out := woven{files: make(map[string][]byte)}
	for i, file := range pkg.Syntax {
		file2 := pkg.CompiledGoFiles[i]
		w.file, w.name, w.src, w.inserts = file, path.Base(file2), sources[file2], nil
		w.base = w.fset.File(file.FileStart).Base()
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil && !leftOut(f) {
				w.fn = functionName(f)
				w.function(f)
			}
		}
		if len(w.inserts) > 0 {
			out.files[file2] = w.render()
		}
	}
	out.mutants = w.mutants
	dir := path.Dir(pkg.CompiledGoFiles[0])
	out.files[path.Join(dir, "zz_mutants.go")] = fmt.Appendf(nil, switchSource, pkg.Types.Name())
	return out
}

// leftOut reports whether a function only describes a lock, or is for tests, as its
// comment says.
func leftOut(f *ast.FuncDecl) bool {
	name := strings.ToLower(f.Name.Name)
	doc := strings.Join(strings.Fields(f.Doc.Text()), " ")
	return name == "string" || strings.HasPrefix(name, "decode") || strings.Contains(doc, "for tests")
}

func functionName(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	t := f.Recv.List[0].Type
	for {
		switch u := t.(type) {
		case *ast.StarExpr:
			t = u.X
		case *ast.IndexExpr:
			t = u.X
		case *ast.IndexListExpr:
			t = u.X
		case *ast.Ident:
			return u.Name + "." + f.Name.Name
		default:
			return f.Name.Name
		}
	}
}

// add makes a mutant of the code at node, and returns its number, or false if it is to
// be skipped.
func (w *weaver) add(node ast.Node, format string, args ...any) (id int, ok bool) {
	m := mutant{
		pkg: w.pkg, id: len(w.mutants) + 1, file: w.name, fn: w.fn,
		line: w.fset.Position(node.Pos()).Line, what: fmt.Sprintf(format, args...),
	}
	name := m.String()
	m.nth = w.known[name]
	w.known[name]++
	w.mutants = append(w.mutants, m)
	return m.id, !w.skip[m.id]
}

// wrap puts texts around a node.
func (w *weaver) wrap(node ast.Node, before, after string) {
	from, to := w.offset(node.Pos()), w.offset(node.End())
	seq := len(w.inserts)
	w.inserts = append(w.inserts,
		insert{at: from, other: to, seq: seq, text: before},
		insert{at: to, other: from, seq: seq, end: true, text: after})
}

// before puts a text before a statement and before everything that is put around it.
func (w *weaver) before(node ast.Node, text string) {
	at := w.offset(node.Pos())
	w.inserts = append(w.inserts, insert{at: at, other: len(w.src) + 1, seq: len(w.inserts), text: text})
}

// replace puts a text in place of some bytes.
func (w *weaver) replace(pos token.Pos, length int, text string) {
	at := w.offset(pos)
	w.inserts = append(w.inserts, insert{at: at, other: at, seq: len(w.inserts), replaces: length, text: text})
}

func (w *weaver) offset(pos token.Pos) int { return int(pos) - w.base }

// text returns the source of a node, on one line.
func (w *weaver) text(node ast.Node) string {
	return strings.Join(strings.Fields(w.source(node)), " ")
}

func (w *weaver) source(node ast.Node) string {
	return string(w.src[w.offset(node.Pos()):w.offset(node.End())])
}

// render returns the file with all insertions.
func (w *weaver) render() []byte {
	slices.SortStableFunc(w.inserts, func(a, b insert) int {
		if c := cmp.Compare(a.at, b.at); c != 0 {
			return c
		}
		if a.end != b.end { // an edit that ends here does so before the next begins
			if a.end {
				return -1
			}
			return 1
		}
		if c := cmp.Compare(b.other, a.other); c != 0 { // the outer begins first, and ends last
			return c
		}
		if a.end {
			return cmp.Compare(b.seq, a.seq)
		}
		return cmp.Compare(a.seq, b.seq)
	})
	var out []byte
	at := 0
	for _, ins := range w.inserts {
		out = append(out, w.src[at:ins.at]...)
		out = append(out, ins.text...)
		at = ins.at + ins.replaces
	}
	return append(out, w.src[at:]...)
}

// typeName returns how the current file can write a type, or false if it can not.
func (w *weaver) typeName(t types.Type) (string, bool) {
	ok := true
	name := types.TypeString(t, func(p *types.Package) string {
		if p == w.self {
			return ""
		}
		for _, spec := range w.file.Imports {
			if strings.Trim(spec.Path.Value, `"`) == p.Path() && spec.Name == nil {
				return p.Name()
			}
		}
		ok = false
		return p.Name()
	})
	return name, ok
}

// switchSource is the file that says which mutant is on.
const switchSource = `package %s

import (
	"os"
	"strconv"
	"syscall"
)

// mutantActive is the number of the mutant that is on, 0 for none.
var mutantActive, _ = strconv.Atoi(os.Getenv("LOCKBENCH_MUTANT"))

// mutantMet, if there is one, gets a 1 for each mutant that is met. It is a mapped
// file, because a pinned section must not make system calls.
var mutantMet = func() []byte {
	name := os.Getenv("LOCKBENCH_MUTANT_REACHED")
	if name == "" {
		return nil
	}
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		panic(err)
	}
	info, err := file.Stat()
	if err != nil {
		panic(err)
	}
	met, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return met
}()

func mutantOn(id int) bool {
	if mutantMet != nil {
		mutantMet[id] = 1
	}
	return id == mutantActive
}

func mutantPick[T any](id int, mutant, sound func() T) T {
	if mutantOn(id) {
		return mutant()
	}
	return sound()
}

func mutantInt[T ~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr](id int, sound, mutant T) T {
	if mutantOn(id) {
		return mutant
	}
	return sound
}

// A use of each, so that the package compiles without any.
var _ = func() bool { return mutantInt(0, 1, 1) == mutantPick(0, func() int { return 1 }, func() int { return 1 }) }
`
