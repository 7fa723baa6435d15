package machine

import (
	"fmt"
	"path"
	"runtime"
	"strings"
)

// A Place is a call of the machine in the source.
type Place struct {
	File   string // "" if it is not known
	Line   int
	Func   string // the function that it is in
	Method string // what is called
	Type   string // the type that has that method
}

// String returns the last directory, the name of the file and the line, or "".
func (p Place) String() string {
	if p.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", path.Join(path.Base(path.Dir(p.File)), path.Base(p.File)), p.Line)
}

// The import paths of packages that take steps for others: package check, what is below
// it, and package primitives. Their tests take steps for themselves.
var (
	ownPath        = PackageOf(callers()[0].Function)
	checkPath      = strings.TrimSuffix(ownPath, "/internal/machine")
	modulePath     = strings.TrimSuffix(checkPath, "/check")
	PrimitivesPath = modulePath + "/primitives"
	enginePath     = modulePath + "/internal/engine"
)

// bottom is the function that a worker's stack begins with.
var bottom = ownPath + ".(*VM).runs"

// callers returns the calls that are running, its caller first.
func callers() []runtime.Frame {
	var pcs [64]uintptr
	var all []runtime.Frame
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		all = append(all, f)
		if !more {
			return all
		}
	}
}

// caller returns where the running worker called the machine, package primitives, or
// a context of the machine: the innermost call by another package.
func caller() Place { return placeOf(callers()) }

func placeOf(frames []runtime.Frame) Place {
	for i, f := range frames {
		if i == 0 || isMachine(f) {
			continue
		}
		if f.Function == bottom {
			return Place{}
		}
		p := Place{File: f.File, Line: f.Line, Func: f.Function}
		p.Type, p.Method = splitMethod(frames[i-1].Function)
		return p
	}
	return Place{}
}

// stackOf returns the calls that led a worker there, the innermost first, without
// those of the machine and of the runtime.
func stackOf(frames []runtime.Frame) (stack []Place) {
	for _, f := range frames {
		switch {
		case f.Function == bottom:
			return stack
		case PackageOf(f.Function) != "runtime" && !isMachine(f):
			stack = append(stack, Place{File: f.File, Line: f.Line, Func: f.Function})
		}
	}
	return stack
}

// isMachine reports whether f takes steps for others.
func isMachine(f runtime.Frame) bool {
	switch pkg := PackageOf(f.Function); {
	case pkg == checkPath, pkg == PrimitivesPath, strings.HasPrefix(pkg, checkPath+"/internal/"):
		return !strings.HasSuffix(f.File, "_test.go") && f.Function != bottom
	default:
		return pkg == "context" || pkg == "runtime"
	}
}

// PackageOf returns the import path of a function's package.
func PackageOf(fn string) string {
	slash := strings.LastIndexByte(fn, '/') + 1
	if dot := strings.IndexByte(fn[slash:], '.'); dot >= 0 {
		return fn[:slash+dot]
	}
	return fn
}

// splitMethod splits the name of a function into its receiver's type, if it has
// one, and its own: "Cell" and "Get" of "path/primitives.(*Cell[...]).Get".
func splitMethod(fn string) (typ, name string) {
	name = strings.TrimPrefix(fn, PackageOf(fn)+".")
	if rest, ok := strings.CutPrefix(name, "(*"); ok {
		if t, n, ok := strings.Cut(rest, ")."); ok {
			typ, name = t, n
		}
	}
	typ, _, _ = strings.Cut(typ, "[")
	name, _, _ = strings.Cut(name, ".") // of a closure, the function that it is in
	return typ, name
}
