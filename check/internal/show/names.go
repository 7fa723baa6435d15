package show

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// Names knows the source's names for what an execution accessed, so that a failure
// uses the words of the lock.
//
// What a Pointer points to is named by its type and number, and its fields by their
// names: node2.next. Everything else is named by the expression that it was accessed
// through: l.owner.
type Names struct {
	names    []string // by object
	values   []valueKind
	pointees []pointee
	sources  map[string]*source
}

type valueKind uint8

const (
	unsigned valueKind = iota
	signed
	boolean
	pointer
)

// A pointee is what a Pointer points to.
type pointee struct {
	base uint64
	typ  reflect.Type
	name string
}

// A source is a file that was parsed.
type source struct {
	text  []byte
	fset  *token.FileSet
	calls []*ast.CallExpr
}

// NewNames looks at the steps of an execution, and at those that its workers wait for.
func NewNames(t *machine.Trace) *Names {
	entries := slices.Concat(t.Entries, t.Pending)
	n := &Names{
		names:   make([]string, len(t.Objects)),
		values:  make([]valueKind, len(t.Objects)),
		sources: make(map[string]*source),
	}
	n.classify(t.Objects, entries)
	for id := range t.Objects {
		n.names[id] = n.field(uint64(uintptr(t.Objects[id].Addr)))
	}
	n.expressions(entries)
	n.rest(t.Objects, entries)
	return n
}

// Name returns the name of an object.
func (n *Names) Name(object int32) string { return n.names[object] }

// classify finds out what kind of value each word has, and what Pointers point to.
func (n *Names) classify(objects []machine.Object, entries []machine.Entry) {
	targets := make([]reflect.Type, len(objects))
	for id := range objects {
		at := objects[id].At
		if at == nil {
			continue
		}
		switch t := reflect.TypeOf(at).Elem(); {
		case strings.HasPrefix(t.Name(), "Pointer["):
			n.values[id] = pointer
			targets[id] = target(t)
		case t.Field(t.NumField()-1).Type.Kind() == reflect.Int64:
			n.values[id] = signed
		}
	}
	seen := make(map[string]int)
	for _, e := range entries {
		if e.Object < 0 {
			continue
		}
		if e.At.Type == "Bool" {
			n.values[e.Object] = boolean
		}
		if targets[e.Object] == nil {
			continue
		}
		for _, base := range []uint64{e.Old, e.Now} {
			if base == 0 || n.pointee(base) != "" {
				continue
			}
			name, _, _ := strings.Cut(targets[e.Object].Name(), "[")
			first, size := utf8.DecodeRuneInString(name)
			name = string(unicode.ToLower(first)) + name[size:]
			seen[name]++
			n.pointees = append(n.pointees, pointee{base, targets[e.Object], name + strconv.Itoa(seen[name])})
		}
	}
}

// target returns the T of a primitives.Pointer[T], whose only field is an
// atomic.Pointer[T], in which a field of size 0 has the type *T.
func target(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Struct && t.NumField() > 0 {
		t = t.Field(0).Type
	}
	if t.Kind() != reflect.Array || t.Elem().Kind() != reflect.Pointer {
		return nil
	}
	return t.Elem().Elem()
}

// pointee returns the name of the pointee at base, or "".
func (n *Names) pointee(base uint64) string {
	for _, p := range n.pointees {
		if p.base == base {
			return p.name
		}
	}
	return ""
}

// field returns the name of the field of a pointee at addr, or "".
func (n *Names) field(addr uint64) string {
	for _, p := range n.pointees {
		if addr-p.base < uint64(p.typ.Size()) {
			if path := fieldPath(p.typ, uintptr(addr-p.base)); path != "" {
				return p.name + path
			}
		}
	}
	return ""
}

// fieldPath returns the path of the field of a t at offset, down to a type of
// package primitives. Embedded fields are not named.
func fieldPath(t reflect.Type, offset uintptr) string {
	var b strings.Builder
	for t.PkgPath() != machine.PrimitivesPath {
		switch t.Kind() {
		case reflect.Struct:
			i := slices.IndexFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
				return len(f.Index) == 1 && f.Offset <= offset && offset-f.Offset < f.Type.Size()
			})
			if i < 0 {
				return ""
			}
			f := reflect.VisibleFields(t)[i]
			if !f.Anonymous {
				b.WriteString("." + f.Name)
			}
			t, offset = f.Type, offset-f.Offset
		case reflect.Array:
			size := t.Elem().Size()
			fmt.Fprintf(&b, "[%d]", offset/size)
			t, offset = t.Elem(), offset%size
		default:
			return b.String()
		}
	}
	return b.String()
}

// expressions names objects by how the source reaches them.
func (n *Names) expressions(entries []machine.Entry) {
	ways := make([][]string, len(n.names))    // certain names of each object
	perhaps := make([][]string, len(n.names)) // possible names: one of these
	for _, e := range entries {
		if e.Object < 0 || n.names[e.Object] != "" {
			continue
		}
		switch e.Kind {
		case machine.OpLoad, machine.OpStore, machine.OpModify, machine.OpCompareAndSwap, machine.OpIssue, machine.OpRead, machine.OpWrite, machine.OpPark, machine.OpUnpark:
		case machine.OpErr:
			if e.At.Method != "Err" {
				continue
			}
		default:
			continue
		}
		switch found := n.receivers(e.At); len(found) {
		case 0:
		case 1:
			ways[e.Object] = append(ways[e.Object], found[0])
		default:
			perhaps[e.Object] = append(perhaps[e.Object], found...)
		}
	}
	for id := range ways {
		if len(ways[id]) > 0 {
			n.names[id] = best(ways[id])
		}
	}
	// Of several calls in one line it is likely the one that names no other object.
	for id := range perhaps {
		if n.names[id] != "" || len(perhaps[id]) == 0 {
			continue
		}
		free := slices.DeleteFunc(slices.Clone(perhaps[id]), func(s string) bool { return slices.Contains(n.names, s) })
		if len(free) == 0 {
			free = perhaps[id]
		}
		n.names[id] = free[0]
	}
}

// best returns the shortest name that has an owner (l.owner), or else the first.
func best(ways []string) string {
	found := ways[0]
	for _, s := range ways[1:] {
		if strings.Contains(s, ".") && (!strings.Contains(found, ".") || len(s) < len(found)) {
			found = s
		}
	}
	return found
}

// rest names the objects that have no name, and makes equal names differ.
func (n *Names) rest(objects []machine.Object, entries []machine.Entry) {
	what := make([]string, len(n.names))
	for id := range what {
		what[id] = "word"
		if objects[id].At == nil {
			what[id] = "cell"
		}
	}
	for _, e := range entries {
		if e.Object >= 0 {
			switch e.Kind {
			case machine.OpPark, machine.OpUnpark, machine.OpExpire:
				what[e.Object] = "parker"
			case machine.OpErr, machine.OpCancel:
				n.names[e.Object] = cmp.Or(n.names[e.Object], "context")
			}
		}
	}
	count := make(map[string]int)
	for _, name := range n.names {
		count[name]++
	}
	number := make(map[string]int)
	for id, name := range n.names {
		switch {
		case name == "":
			n.names[id] = what[id] + " " + strconv.Itoa(id+1)
		case count[name] > 1:
			number[name]++
			n.names[id] = name + "#" + strconv.Itoa(number[name])
		}
	}
}

// Value returns a value of an object as people read it: in hexadecimal if it may be a
// packed word.
func (n *Names) Value(id int32, val uint64) string {
	switch n.values[id] {
	case boolean:
		return strconv.FormatBool(val != 0)
	case pointer:
		if val == 0 {
			return "nil"
		}
		if name := n.pointee(val); name != "" {
			return name
		}
	case signed:
		if int64(val) < 0 {
			return strconv.FormatInt(int64(val), 10)
		}
	}
	if val < 256 {
		return strconv.FormatUint(val, 10)
	}
	return "0x" + strconv.FormatUint(val, 16)
}

// source returns a file, parsed; it has no calls if it cannot be read.
func (n *Names) source(name string) *source {
	s := n.sources[name]
	if s == nil {
		s = &source{fset: token.NewFileSet()}
		n.sources[name] = s
		text, err := os.ReadFile(name)
		if err != nil {
			return s
		}
		s.text = text
		file, err := parser.ParseFile(s.fset, name, text, parser.SkipObjectResolution)
		if err != nil {
			return s
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if call, ok := node.(*ast.CallExpr); ok {
				s.calls = append(s.calls, call)
			}
			return true
		})
	}
	return s
}

// find returns the calls of at's method in at's line.
func (s *source) find(at machine.Place) []*ast.CallExpr {
	return slices.DeleteFunc(slices.Clone(s.calls), func(call *ast.CallExpr) bool {
		fun, ok := call.Fun.(*ast.SelectorExpr)
		return !ok || fun.Sel.Name != at.Method ||
			s.fset.Position(call.Lparen).Line != at.Line && s.fset.Position(fun.Sel.Pos()).Line != at.Line
	})
}

// receivers returns the receivers of the calls that may be the one at at, each once.
func (n *Names) receivers(at machine.Place) []string {
	s := n.source(at.File)
	var found []string
	for _, call := range s.find(at) {
		x := ast.Unparen(call.Fun.(*ast.SelectorExpr).X)
		if u, ok := x.(*ast.UnaryExpr); ok && u.Op == token.AND {
			x = u.X
		}
		if text := s.name(x); !slices.Contains(found, text) {
			found = append(found, text)
		}
	}
	return found
}

// of returns the text of an expression, on one line.
func (s *source) of(x ast.Expr) string {
	text := s.text[s.fset.Position(x.Pos()).Offset:s.fset.Position(x.End()).Offset]
	return strings.Join(strings.Fields(string(text)), " ")
}

// name returns the text of an expression without indices that are not literals:
// words[i] is another word each time, and may be the same as words[j].
func (s *source) name(x ast.Expr) string {
	text := s.of(x)
	ast.Inspect(x, func(node ast.Node) bool {
		if at, ok := node.(*ast.IndexExpr); ok {
			if _, literal := at.Index.(*ast.BasicLit); !literal {
				text = strings.Replace(text, "["+s.of(at.Index)+"]", "[]", 1)
			}
		}
		return true
	})
	return text
}

// Asserted returns the argument of the call of Assert at a place, or "".
func (n *Names) Asserted(at machine.Place) string {
	s := n.source(at.File)
	if calls := s.find(at); at.Method == "Assert" && len(calls) == 1 && len(calls[0].Args) == 1 {
		return s.of(calls[0].Args[0])
	}
	return ""
}
