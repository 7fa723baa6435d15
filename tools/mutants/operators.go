package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"math/bits"
	"strings"
)

// function makes the mutants of one function.
func (w *weaver) function(f *ast.FuncDecl) {
	var stack []ast.Node
	ast.Inspect(f.Body, func(node ast.Node) bool {
		if node == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		var parent ast.Node = f
		if len(stack) > 0 {
			parent = stack[len(stack)-1]
		}
		if !w.visit(node, parent) {
			return false
		}
		stack = append(stack, node)
		return true
	})
}

// visit makes the mutants of one node, and reports whether to visit the nodes below it.
func (w *weaver) visit(node, parent ast.Node) bool {
	switch n := node.(type) {
	case *ast.BlockStmt:
		w.list(n.List)
	case *ast.CaseClause:
		w.list(n.Body)
	case *ast.CommClause:
		w.list(n.Body)
	case *ast.IfStmt:
		w.condition(n.Cond, "if", true)
	case *ast.ForStmt:
		if n.Cond != nil {
			w.condition(n.Cond, "for", false) // a loop that never ends says nothing about the tests
		}
	case *ast.ReturnStmt:
		for _, e := range n.Results {
			if w.isBool(e) {
				if id, ok := w.add(e, "negate `return %s`", w.text(e)); ok {
					w.wrap(e, fmt.Sprintf("(mutantOn(%d) != (", id), "))")
				}
			}
		}
	case *ast.BinaryExpr:
		if w.isConstant(n) {
			break
		}
		w.binary(n)
	case *ast.CallExpr:
		if name, ok := w.builtin(n); ok && name == "panic" {
			return false
		}
		if w.info.Types[n.Fun].IsType() && w.isConstant(n) {
			break
		}
		w.atomic(n, parent)
	case *ast.GenDecl, *ast.ArrayType, *ast.FuncType:
		return false
	}
	if e, ok := node.(ast.Expr); ok && w.isConstant(e) {
		w.constant(e, parent)
		return false
	}
	return true
}

// list makes mutants of the statements of a block.
func (w *weaver) list(stmts []ast.Stmt) {
	for i, s := range stmts {
		hoisted := i > 0 && w.early(stmts[i-1], s)
		if droppable(s) && !hoisted && !w.isPanic(s) {
			if id, ok := w.add(s, "drop `%s`", w.text(s)); ok {
				w.wrap(s, fmt.Sprintf("if !mutantOn(%d) { ", id), " }")
			}
		}
	}
}

func droppable(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ExprStmt, *ast.IncDecStmt, *ast.DeferStmt, *ast.GoStmt, *ast.SendStmt:
		return true
	case *ast.AssignStmt:
		return s.Tok != token.DEFINE
	}
	return false
}

func (w *weaver) isPanic(s ast.Stmt) bool {
	e, ok := s.(*ast.ExprStmt)
	if !ok {
		return false
	}
	call, ok := e.X.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := w.builtin(call)
	return ok && name == "panic"
}

// early makes the mutant in which b comes before a, and reports whether b is a
// definition that had to be split for that.
func (w *weaver) early(a, b ast.Stmt) (hoisted bool) {
	switch a.(type) {
	case *ast.DeclStmt, *ast.LabeledStmt, *ast.BranchStmt, *ast.ReturnStmt:
		return false
	}
	if w.isPanic(a) || w.isPanic(b) || !w.shared(a) || !w.shared(b) || w.dependsOn(b, a) {
		return false
	}
	text := w.source(b)
	switch s := b.(type) {
	case *ast.ExprStmt, *ast.IncDecStmt:
	case *ast.AssignStmt:
		if s.Tok != token.DEFINE {
			break
		}
		var vars strings.Builder
		for _, lhs := range s.Lhs {
			id := lhs.(*ast.Ident)
			if id.Name == "_" {
				continue
			}
			v, isNew := w.info.Defs[id].(*types.Var)
			if !isNew || mentions(a, id.Name) {
				return false
			}
			name, ok := w.typeName(v.Type())
			if !ok {
				return false
			}
			fmt.Fprintf(&vars, "var %s %s\n", id.Name, name)
		}
		id, ok := w.add(b, "early `%s` before `%s`", w.text(b), firstLine(w.text(a)))
		if !ok {
			return false
		}
		at := w.offset(s.TokPos) - w.offset(s.Pos())
		text = text[:at] + "=" + text[at+2:]
		w.before(a, fmt.Sprintf("%sif mutantOn(%d) {\n%s\n}\n", vars.String(), id, text))
		w.replace(s.TokPos, 2, "=")
		w.wrap(b, fmt.Sprintf("if !mutantOn(%d) { ", id), " }")
		return true
	default:
		return false
	}
	if id, ok := w.add(b, "early `%s` before `%s`", w.text(b), firstLine(w.text(a))); ok {
		w.before(a, fmt.Sprintf("if mutantOn(%d) {\n%s\n}\n", id, text))
		w.wrap(b, fmt.Sprintf("if !mutantOn(%d) { ", id), " }")
	}
	return false
}

// firstLine shortens a long statement for a mutant's name.
func firstLine(text string) string {
	if brace := strings.Index(text, "{ "); brace > 0 {
		return text[:brace+1] + " …"
	}
	return text
}

// shared reports whether a statement may touch data that other workers see: it calls a
// function, or reads or writes through a pointer.
func (w *weaver) shared(s ast.Stmt) bool {
	found := false
	ast.Inspect(s, func(node ast.Node) bool {
		switch n := node.(type) {
		case *ast.CallExpr:
			_, builtin := w.builtin(n)
			found = found || !builtin && !w.info.Types[n.Fun].IsType()
		case *ast.SelectorExpr:
			if sel, ok := w.info.Selections[n]; ok && sel.Kind() == types.FieldVal {
				_, pointer := sel.Recv().Underlying().(*types.Pointer)
				found = found || pointer
			}
		}
		return !found
	})
	return found
}

// dependsOn reports whether b uses a local variable that a defines or changes, or the
// other way around: then other workers do not matter for their order.
func (w *weaver) dependsOn(b, a ast.Stmt) bool {
	locals := func(s ast.Stmt, written bool) map[types.Object]bool {
		set := make(map[types.Object]bool)
		note := func(e ast.Expr) {
			if id, ok := e.(*ast.Ident); ok {
				if o := w.info.ObjectOf(id); o != nil && o.Parent() != w.self.Scope() {
					set[o] = true
				}
			}
		}
		ast.Inspect(s, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.AssignStmt:
				if written {
					for _, e := range n.Lhs {
						note(e)
					}
				}
			case *ast.IncDecStmt:
				if written {
					note(n.X)
				}
			case *ast.Ident:
				if !written {
					note(n)
				}
			}
			return true
		})
		return set
	}
	meet := func(x, y map[types.Object]bool) bool {
		for o := range x {
			if y[o] {
				return true
			}
		}
		return false
	}
	return meet(locals(a, true), locals(b, false)) || meet(locals(b, true), locals(a, false))
}

func mentions(node ast.Node, name string) bool {
	found := false
	ast.Inspect(node, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name {
			found = true
		}
		return !found
	})
	return found
}

// condition makes mutants of a condition.
func (w *weaver) condition(cond ast.Expr, keyword string, always bool) {
	if w.isConstant(cond) {
		return
	}
	if id, ok := w.add(cond, "never `%s %s`", keyword, w.text(cond)); ok {
		w.wrap(cond, fmt.Sprintf("(!mutantOn(%d) && (", id), "))")
	}
	if !always {
		return
	}
	if id, ok := w.add(cond, "always `%s %s`", keyword, w.text(cond)); ok {
		w.wrap(cond, fmt.Sprintf("(mutantOn(%d) || (", id), "))")
	}
}

var otherOp = map[token.Token]token.Token{
	token.ADD: token.SUB, token.SUB: token.ADD,
	token.AND: token.OR, token.OR: token.AND, token.AND_NOT: token.AND,
	token.SHL: token.SHR, token.SHR: token.SHL,
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
}

// binary makes mutants of an operation.
func (w *weaver) binary(e *ast.BinaryExpr) {
	switch e.Op {
	case token.LAND, token.LOR:
		for _, x := range []ast.Expr{e.X, e.Y} {
			if e.Op == token.LAND {
				if id, ok := w.add(x, "always `%s` in `%s`", w.text(x), w.text(e)); ok {
					w.wrap(x, fmt.Sprintf("(mutantOn(%d) || (", id), "))")
				}
			} else if id, ok := w.add(x, "never `%s` in `%s`", w.text(x), w.text(e)); ok {
				w.wrap(x, fmt.Sprintf("(!mutantOn(%d) && (", id), "))")
			}
		}
		return
	}
	if (w.isConstant(e.X) || w.isConstant(e.Y)) && (e.Op == token.ADD || e.Op == token.SUB) {
		return // the rule const makes the same mutant
	}
	other, ok := otherOp[e.Op]
	basic, isBasic := w.info.TypeOf(e.X).Underlying().(*types.Basic)
	if !ok || !isBasic || basic.Info()&types.IsInteger == 0 {
		return
	}
	name, ok := w.typeName(types.Default(w.info.TypeOf(e)))
	if !ok {
		return
	}
	id, ok := w.add(e, "op `%s` as `%s`", w.text(e), other)
	if ok {
		alternative := fmt.Sprintf("(%s) %s (%s)", w.source(e.X), other, w.source(e.Y))
		w.wrap(e, fmt.Sprintf("mutantPick(%d, func() %s { return %s }, func() %s { return ", id, name, alternative, name), " })")
	}
}

// constant makes mutants of a constant that is used.
func (w *weaver) constant(e ast.Expr, parent ast.Node) {
	if pair, ok := parent.(*ast.KeyValueExpr); ok && pair.Value == e && w.text(e) == "true" {
		if id, ok := w.add(e, "const `%s` as false", w.text(pair)); ok {
			w.wrap(e, fmt.Sprintf("!mutantOn(%d) && ", id), "")
		}
		return
	}
	switch p := parent.(type) {
	case *ast.CaseClause, *ast.KeyValueExpr, *ast.CompositeLit, *ast.ValueSpec, *ast.SliceExpr, *ast.StarExpr:
		return
	case *ast.SelectorExpr:
		if p.Sel == e {
			return
		}
	}
	t, ok := w.info.TypeOf(e).Underlying().(*types.Basic)
	if !ok || t.Info()&types.IsInteger == 0 || isDuration(w.info.TypeOf(e)) {
		return
	}
	name, ok := w.typeName(types.Default(w.info.TypeOf(e)))
	if !ok {
		return
	}
	for _, other := range others(w.info.Types[e].Value) {
		if id, ok := w.add(e, "const `%s` as %s in `%s`", w.text(e), other, w.text(parent)); ok {
			w.wrap(e, fmt.Sprintf("mutantInt[%s](%d, ", name, id), ", "+other+")")
		}
	}
}

// others returns the replacements of a constant: a neighbour, and for a flag or a mask
// the same one bit to the left and to the right.
func others(v constant.Value) []string {
	u, exact := constant.Uint64Val(constant.ToInt(v))
	if !exact {
		return nil
	}
	switch one, run := bits.OnesCount64(u), bits.Len64(u)-bits.TrailingZeros64(u); {
	case u == 0:
		return []string{"1"}
	case u == 1: // 0 would be the same as the rule drop
		return []string{"2"}
	case run == one: // a flag or a mask
		list := []string{fmt.Sprintf("%#x", u>>1)}
		if bits.Len64(u) < 31 || bits.Len64(u) > 32 && bits.Len64(u) < 63 {
			list = append(list, fmt.Sprintf("%#x", u<<1))
		}
		return list
	}
	return []string{fmt.Sprint(u - 1)}
}

func isDuration(t types.Type) bool { return t.String() == "time.Duration" }

// atomic makes mutants of an operation on a word.
func (w *weaver) atomic(call *ast.CallExpr, parent ast.Node) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	method, ok := w.info.Uses[sel.Sel].(*types.Func)
	switch parent.(type) {
	case *ast.DeferStmt, *ast.GoStmt:
		return
	}
	if !ok || method.Pkg() == nil || !strings.HasSuffix(method.Pkg().Path(), "/primitives") || method.Signature().Recv() == nil {
		return
	}
	word := w.source(sel.X)
	var args []string
	for _, a := range call.Args {
		args = append(args, w.source(a))
	}
	if _, ok := parent.(*ast.ExprStmt); ok && sel.Sel.Name == "Store" && hasMethod(method, "StoreRelease") {
		if id, ok := w.add(call, "order `%s` as StoreRelease", w.text(call)); ok {
			w.wrap(parent, fmt.Sprintf("if mutantOn(%d) { %s.StoreRelease(%s) } else { ", id, word, args[0]), " }")
		}
		return
	}
	changed := map[string]string{"Add": "old + (%s)", "And": "old & (%s)", "Or": "old | (%s)", "Swap": "%s"}[sel.Sel.Name]
	switch {
	case sel.Sel.Name == "CompareAndSwap":
		if id, ok := w.add(call, "race `%s`", w.text(call)); ok {
			w.wrap(call, fmt.Sprintf("mutantPick(%d, func() bool { if %s.Load() != (%s) { return false }; %s.Store(%s); return true }, func() bool { return ",
				id, word, args[0], word, args[1]), " })")
		}
	case changed != "" && len(args) == 1:
		name, ok := w.typeName(w.info.TypeOf(call))
		if !ok || w.info.TypeOf(call) == nil || name == "()" {
			return
		}
		result := "old"
		if sel.Sel.Name == "Add" {
			result = "val"
		}
		if id, ok := w.add(call, "race `%s`", w.text(call)); ok {
			w.wrap(call, fmt.Sprintf("mutantPick(%d, func() %s { old := %s.Load(); val := %s; %s.Store(val); _ = old; return %s }, func() %s { return ",
				id, name, word, fmt.Sprintf(changed, args[0]), word, result, name), " })")
		}
	}
}

func hasMethod(of *types.Func, name string) bool {
	t := of.Signature().Recv().Type()
	obj, _, _ := types.LookupFieldOrMethod(t, true, of.Pkg(), name)
	return obj != nil
}

func (w *weaver) builtin(call *ast.CallExpr) (string, bool) {
	id, ok := call.Fun.(*ast.Ident)
	if !ok {
		return "", false
	}
	b, ok := w.info.Uses[id].(*types.Builtin)
	if !ok {
		return "", false
	}
	return b.Name(), true
}

func (w *weaver) isConstant(e ast.Expr) bool {
	tv, ok := w.info.Types[e]
	return ok && tv.Value != nil
}

func (w *weaver) isBool(e ast.Expr) bool {
	t := w.info.TypeOf(e)
	return t != nil && (types.Identical(t, types.Typ[types.Bool]) || types.Identical(t, types.Typ[types.UntypedBool])) && !w.isConstant(e)
}
