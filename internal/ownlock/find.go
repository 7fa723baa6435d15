package ownlock

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// A Lock is a type of the user that is a lock.
type Lock struct {
	Arg  string // as the user named it
	Name string // of its row in a results file
	Pkg  string // import path of its package
	Type string

	// Pinned says that it can be held with preemption off: it has LockPinned and
	// UnlockPinned.
	Pinned bool

	constructor string          // name of the function that makes one; "" if the zero value is ready
	methods     map[string]bool // further methods that a lock may have
	dir         string          // of the package
	module      string          // path of its module; "" if that is not the user's
	base        string          // the directory that determines the modules
}

// IsPath reports whether arg, an element of --locks, names a type of the user: it has a
// slash, or begins with a dot. No name or pattern of a lock in the catalogue does.
func IsPath(arg string) bool { return strings.Contains(arg, "/") || strings.HasPrefix(arg, ".") }

// Name returns the name of a lock in results: the path without leading dots and
// slashes, with dots for slashes, which separate keys in a results file.
func Name(arg string) string {
	arg = filepath.ToSlash(arg)
	dir, typ := split(arg)
	dir = path.Clean(dir)
	for strings.HasPrefix(dir, "../") {
		dir = dir[len("../"):]
	}
	dir = strings.Trim(dir, "/.")
	if dir == "" {
		return typ
	}
	return strings.ReplaceAll(dir, "/", ".") + "." + typ
}

// split separates the name of the type from arg.
func split(arg string) (pkg, typ string) {
	i := strings.LastIndexByte(arg, '.')
	if strings.HasSuffix(arg[:i+1], "..") && (i == 1 || i > 1 && arg[i-2] == '/') { // ../..
		return arg, ""
	}
	return arg[:max(i, 0)], arg[i+1:]
}

// Find returns the locks that args name, in order. A path of a directory, one that
// begins with a dot or a slash, is relative to dir; any other is an import path in the
// module of dir. The error joins all errors.
func Find(ctx context.Context, dir string, args []string) ([]Lock, error) {
	var locks []Lock
	var errs []error
	f := finder{ctx: ctx, dir: dir, loaded: make(map[[2]string]loaded)}
	for _, arg := range args {
		l, err := f.find(arg)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		locks = append(locks, l)
	}
	return locks, errors.Join(errs...)
}

// A finder loads each package once.
type finder struct {
	ctx    context.Context
	dir    string
	loaded map[[2]string]loaded // by directory and pattern
}

type loaded struct {
	pkg *packages.Package
	err error
}

func (f finder) find(arg string) (Lock, error) {
	where, typ := split(filepath.ToSlash(arg))
	if !token.IsIdentifier(typ) {
		return Lock{}, fmt.Errorf("lock %q: want a directory or an import path, a dot, and the name of a type, such as ./mypkg.MyLock", arg)
	}
	l := Lock{Arg: arg, Name: Name(arg), Type: typ, base: f.dir}
	pattern := where
	if filepath.IsAbs(where) || where == "" || strings.HasPrefix(where, ".") {
		l.base, pattern = filepath.FromSlash(where), "."
		if !filepath.IsAbs(where) {
			l.base = filepath.Join(f.dir, l.base)
		}
	}
	key := [2]string{l.base, pattern}
	was, ok := f.loaded[key]
	if !ok {
		was.pkg, was.err = load(f.ctx, l.base, pattern)
		f.loaded[key] = was
	}
	if was.err != nil {
		return Lock{}, fmt.Errorf("lock %q: %w", arg, was.err)
	}
	pkg := was.pkg
	if pkg.Name == "main" {
		return Lock{}, fmt.Errorf("lock %q: package %s is a program: want one that can be imported", arg, pkg.PkgPath)
	}
	l.Pkg, l.dir = pkg.PkgPath, pkg.Dir
	if m := pkg.Module; m != nil && m.Main {
		l.module = m.Path
	}
	if err := l.look(pkg.Types); err != nil {
		return Lock{}, fmt.Errorf("lock %q: %w", arg, err)
	}
	return l, nil
}

// load returns a package with its types. The error has the compiler's errors.
func load(ctx context.Context, dir, pattern string) (*packages.Package, error) {
	if _, err := modulesOf(ctx, dir); err != nil {
		return nil, err
	}
	// The package's types are checked from its source, so all its errors are found;
	// those of its imports come from compiled packages.
	const need = packages.NeedName | packages.NeedFiles | packages.NeedModule | packages.NeedSyntax | packages.NeedTypes | packages.NeedImports
	found, err := packages.Load(&packages.Config{Context: ctx, Mode: need, Dir: dir}, pattern)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("want one package, have %d", len(found))
	}
	pkg := found[0]
	if len(pkg.Errors) > 0 {
		errs := pkg.Errors
		for _, path := range slices.Sorted(maps.Keys(pkg.Imports)) {
			errs = append(errs, pkg.Imports[path].Errors...)
		}
		return nil, fmt.Errorf("package %s:\n\t%s", pkg.PkgPath, says(errs))
	}
	return pkg, nil
}

// says returns the errors of the compiler and of the go command, one per line. Errors
// that the go command only repeats are left out.
func says(errs []packages.Error) string {
	var lines []string
	compiled := slices.ContainsFunc(errs, func(e packages.Error) bool { return e.Kind == packages.TypeError })
	for _, e := range errs {
		if compiled && e.Kind == packages.ListError && strings.HasPrefix(e.Msg, "# ") {
			continue
		}
		text := e.Msg
		if e.Pos != "" && e.Pos != "-" {
			text = e.Pos + ": " + text
		}
		for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return strings.Join(lines, "\n\t")
}

// look examines the type of l in its package.
func (l *Lock) look(pkg *types.Package) error {
	name, ok := pkg.Scope().Lookup(l.Type).(*types.TypeName)
	if !ok {
		return fmt.Errorf("no type %s in package %s%s", l.Type, pkg.Path(), hasLocks(pkg))
	}
	if !name.Exported() {
		return fmt.Errorf("type %s is not exported: want one that another package can name", l.Type)
	}
	return l.lookAt(name)
}

// lookAt examines the type of l, as its own package may use it.
func (l *Lock) lookAt(name *types.TypeName) error {
	pkg := name.Pkg()
	if generic(name.Type()) {
		return fmt.Errorf("type %s has type parameters: want one without, such as an alias: type MyLock = %s[int]", l.Type, l.Type)
	}
	if types.IsInterface(name.Type()) {
		return fmt.Errorf("type %s is an interface: want a type that implements it", l.Type)
	}
	pointer := types.NewPointer(name.Type())
	if err := isLocker(pointer); err != nil {
		return fmt.Errorf("type %s is not a sync.Locker: %w%s", l.Type, err, hasLocks(pkg))
	}
	isValue := false // what the constructor returns
	if f, ok := pkg.Scope().Lookup("New" + l.Type).(*types.Func); ok && makes(f, name.Type()) {
		l.constructor = f.Name()
		isValue = types.Identical(f.Signature().Results().At(0).Type(), name.Type())
	}
	l.methods = make(map[string]bool)
	for _, m := range []string{"LockPinned", "UnlockPinned", "RLock", "RUnlock", "RLockPinned", "RUnlockPinned"} {
		l.methods[m] = wrong(pointer, m, "func()") == nil
	}
	l.methods["TryLockPinned"] = wrong(pointer, "TryLockPinned", "func() bool") == nil
	l.methods["String"] = wrong(pointer, "String", "func() string") == nil
	l.Pinned = l.methods["LockPinned"] && l.methods["UnlockPinned"] && !isValue
	return nil
}

// generic reports whether t has type parameters.
func generic(t types.Type) bool {
	switch t := t.(type) {
	case *types.Named:
		return t.TypeParams().Len() > 0 && t.TypeArgs().Len() == 0
	case *types.Alias:
		return t.TypeParams().Len() > 0 && t.TypeArgs().Len() == 0
	}
	return false
}

// isLocker returns why t is not a sync.Locker.
func isLocker(t types.Type) error {
	var wrongs []string
	for _, name := range []string{"Lock", "Unlock"} {
		if err := wrong(t, name, "func()"); err != nil {
			wrongs = append(wrongs, err.Error())
		}
	}
	if len(wrongs) > 0 {
		return errors.New(strings.Join(wrongs, ", "))
	}
	return nil
}

// wrong returns the error for a missing or wrong method of t.
func wrong(t types.Type, name, want string) error {
	m := types.NewMethodSet(t).Lookup(nil, name)
	if m == nil {
		return fmt.Errorf("it has no method %s", name)
	}
	if have := types.TypeString(m.Type(), nil); have != want {
		return fmt.Errorf("its method %s is %s, want %s", name, have, want)
	}
	return nil
}

// makes reports whether f, without arguments, returns a t, or a pointer to one, that
// is a sync.Locker.
func makes(f *types.Func, t types.Type) bool {
	sig := f.Signature()
	if sig.TypeParams().Len() > 0 || sig.Results().Len() != 1 || sig.Params().Len() > 1 || sig.Params().Len() == 1 && !sig.Variadic() {
		return false
	}
	result := sig.Results().At(0).Type()
	return (types.Identical(result, t) || types.Identical(result, types.NewPointer(t))) && isLocker(result) == nil
}

// hasLocks names the locks of a package, for messages.
func hasLocks(pkg *types.Package) string {
	var names []string
	for _, l := range locksOf(pkg) {
		if token.IsExported(l.Type) {
			names = append(names, l.Type)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf(" (locks there: %s)", strings.Join(names, ", "))
}

// locksOf returns the locks of a package, including unexported ones.
func locksOf(pkg *types.Package) (locks []Lock) {
	for _, name := range pkg.Scope().Names() {
		t, ok := pkg.Scope().Lookup(name).(*types.TypeName)
		if !ok || isLocker(types.NewPointer(t.Type())) != nil {
			continue
		}
		l := Lock{Name: name, Type: name, Pkg: pkg.Path()}
		if l.lookAt(t) == nil {
			locks = append(locks, l)
		}
	}
	return locks
}

// Expr returns the expression that makes a new lock in its own package.
func (l Lock) Expr() string {
	if l.constructor != "" {
		return l.constructor + "()"
	}
	return "new(" + l.Type + ")"
}

// A Package is a package of the user.
type Package struct {
	Name, Path string
	Locks      []Lock

	// Require are the commands that make its module require lockbench. There are none
	// if it does already.
	Require []string
}

// Look returns the package in dir.
func Look(ctx context.Context, dir string) (Package, error) {
	pkg, err := load(ctx, dir, ".")
	if err != nil {
		return Package{}, err
	}
	p := Package{Name: pkg.Name, Path: pkg.PkgPath, Locks: locksOf(pkg.Types)}
	if len(p.Locks) == 0 {
		return p, fmt.Errorf("package %s has no type with the methods Lock() and Unlock(): want one", p.Path)
	}
	if _, err := goCommand(ctx, dir, nil, "list", "-m", ourModule); err != nil {
		p.Require = require(source(thisFile()))
	}
	return p, nil
}

// require returns the commands that make a module require lockbench, whose source is in
// a directory, of the module cache or not, or unknown.
func require(ours string, err error) []string {
	if err != nil {
		return []string{"go get " + ourModule}
	}
	if _, version, ok := strings.Cut(filepath.Base(ours), "@"); ok {
		return []string{"go get " + ourModule + "@" + version}
	}
	return []string{fmt.Sprintf("go mod edit -require %s@v0.0.0 -replace %[1]s=%s", ourModule, ours), "go mod tidy"}
}
