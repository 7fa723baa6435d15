package measure

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/gate"
)

// A tree is the files of a side.
type tree struct {
	side   gate.Side
	root   string // of all files
	temp   string // for the files of its benchmarks
	from   string // where they come from
	module string // the directory within root in which patterns are resolved
	env    []string
	notes  []string // warnings about it
	left   []string // what was left out
	commit string   // "" if it is no commit
	goVers string
}

// A repository is what git says about Config.Dir.
type repository struct {
	gitDir string // absolute
	top    string // of the worktree
	prefix string // of Dir in it
}

// trees makes the files of both sides, below dir.
//
// Their paths have the same length, since the binaries contain them.
func trees(ctx context.Context, c *Config, dir string) ([2]*tree, error) {
	var ts [2]*tree
	for i, name := range []string{"base", "head"} { // as long as each other
		ts[i] = &tree{side: sides[i], root: filepath.Join(dir, name), temp: filepath.Join(dir, "t", name)}
		if err := os.Mkdir(ts[i].root, 0o755); err != nil {
			return ts, err
		}
	}
	if c.BaseDir != "" {
		return ts, errors.Join(ts[0].copyDir(ctx, c.BaseDir), ts[1].copyDir(ctx, c.HeadDir))
	}

	repo, err := findRepository(ctx, c.Dir)
	if err != nil {
		return ts, err
	}
	with, err := repo.with(c.With)
	if err != nil {
		return ts, err
	}
	for i, t := range ts {
		t.from, t.module = repo.top, filepath.Join(t.root, repo.prefix)
		ref := []string{c.Base, c.Head}[i]
		if ref == Worktree {
			err = errors.Join(err, t.copyWorktree(ctx, repo.top, t.root))
		} else {
			err = errors.Join(err, t.export(ctx, repo, ref, dir))
		}
		for _, name := range with {
			err = errors.Join(err, t.take(ctx, filepath.Join(repo.top, name), filepath.Join(t.root, name)))
		}
		if err == nil {
			err = t.settle(ctx)
		}
	}
	return ts, err
}

// with returns the paths in the repository of what Config.With names.
func (r *repository) with(paths []string) (names []string, err error) {
	top, wrong := filepath.EvalSymlinks(r.top)
	if wrong != nil {
		return nil, wrong
	}
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err == nil {
			abs, err = filepath.EvalSymlinks(abs)
		}
		rel := ""
		if err == nil {
			rel, err = filepath.Rel(top, abs)
		}
		switch {
		case err != nil:
			wrong = errors.Join(wrong, fmt.Errorf("with %s: %w", p, err))
		case !filepath.IsLocal(rel) || rel == ".":
			wrong = errors.Join(wrong, fmt.Errorf("with %s: want a file or a directory in %s", p, r.top))
		default:
			names = append(names, rel)
		}
	}
	return names, wrong
}

func findRepository(ctx context.Context, dir string) (*repository, error) {
	out, err := git(ctx, dir, nil, "rev-parse", "--absolute-git-dir", "--show-toplevel", "--show-prefix")
	if err != nil {
		return nil, fmt.Errorf("%s: want a git repository, or two directories to compare: %w", dir, err)
	}
	lines := strings.Split(string(out), "\n")
	if len(lines) < 3 {
		return nil, fmt.Errorf("%s: git rev-parse says %q: want three lines", dir, out)
	}
	return &repository{lines[0], filepath.FromSlash(lines[1]), filepath.FromSlash(lines[2])}, nil
}

// export writes the files of a commit. Git uses an index and a worktree of their own
// and does not change the repository's.
func (t *tree) export(ctx context.Context, repo *repository, ref, dir string) error {
	out, err := git(ctx, repo.top, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		hint := ""
		if shallow, err := git(ctx, repo.top, nil, "rev-parse", "--is-shallow-repository"); err == nil && strings.TrimSpace(string(shallow)) == "true" {
			hint = " (the clone is shallow: git fetch --unshallow)"
		}
		return fmt.Errorf("%v: no commit %q in %s%s", t.side, ref, repo.top, hint)
	}
	t.commit = strings.TrimSpace(string(out))
	return t.checkOut(ctx, repo.gitDir, repo.top, t.commit, t.root, dir)
}

// checkOut writes the files of a commit into a directory, and those of its
// submodules, as far as the clone at top has them.
func (t *tree) checkOut(ctx context.Context, gitDir, top, commit, into, dir string) error {
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	index := filepath.Join(dir, "index."+filepath.Base(t.root))
	defer os.Remove(index)
	own := []string{"GIT_DIR=" + gitDir, "GIT_WORK_TREE=" + into, "GIT_INDEX_FILE=" + index}
	for _, args := range [][]string{
		{"read-tree", commit},
		{"checkout-index", "--all", "--force"},
	} {
		if _, err := git(ctx, into, own, args...); err != nil {
			return fmt.Errorf("%v: %w", t.side, err)
		}
	}
	out, err := git(ctx, into, own, "ls-files", "--stage", "-z")
	if err != nil {
		return fmt.Errorf("%v: %w", t.side, err)
	}
	for _, entry := range strings.Split(string(out), "\x00") {
		facts, name, _ := strings.Cut(entry, "\t")
		fields := strings.Fields(facts)
		if len(fields) != 3 || fields[0] != "160000" {
			continue
		}
		sub := filepath.Join(top, filepath.FromSlash(name))
		own, err := findRepository(ctx, sub)
		if err == nil && own.prefix == "" {
			err = t.checkOut(ctx, own.gitDir, sub, fields[1], filepath.Join(into, filepath.FromSlash(name)), dir)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil || own.prefix != "" {
			t.leaveOut(sub, "submodule %s: the clone does not have its commit %.12s (git submodule update --init)", name, fields[1])
		}
	}
	return nil
}

// leaveOut notes that something is not copied.
func (t *tree) leaveOut(path, format string, args ...any) {
	if rel, err := filepath.Rel(t.from, path); err == nil {
		path = rel
	}
	t.left = append(t.left, filepath.ToSlash(path))
	t.notes = append(t.notes, fmt.Sprintf("%v: left out: "+format, append([]any{t.side}, args...)...))
}

// copyWorktree copies the files as they are now, with those of repositories in it.
func (t *tree) copyWorktree(ctx context.Context, top, into string) error {
	out, err := git(ctx, top, nil, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return fmt.Errorf("%v: %w", t.side, err)
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	slices.Sort(names)
	for _, name := range slices.Compact(names) { // in a conflict a name is there three times
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if name == "" {
			continue // an empty name
		}
		from, to := filepath.Join(top, filepath.FromSlash(name)), filepath.Join(into, filepath.FromSlash(name))
		info, err := os.Lstat(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed
		}
		if err == nil && info.IsDir() { // a submodule, or another repository
			if own, err := findRepository(ctx, from); err != nil || own.prefix != "" {
				t.leaveOut(from, "submodule %s is not there (git submodule update --init)", name)
				continue
			}
			if err := t.copyWorktree(ctx, from, to); err != nil {
				return err
			}
			continue
		}
		if err == nil {
			err = copyFile(from, to, info)
		}
		if err != nil {
			return fmt.Errorf("%v: %w", t.side, err)
		}
	}
	return nil
}

// copyDir copies a directory, the whole of a side.
func (t *tree) copyDir(ctx context.Context, dir string) error {
	t.module = t.root
	if err := t.take(ctx, dir, t.root); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(t.root, "go.mod")); err != nil {
		return fmt.Errorf("%v: %s has no go.mod: want the directory of a module", t.side, dir)
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	t.from = from
	return t.settle(ctx)
}

// take copies a file, or a directory without repositories in it.
func (t *tree) take(ctx context.Context, dir, into string) error {
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			return errors.Join(err, context.Cause(ctx))
		}
		if d.Name() == ".git" {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(into, rel), 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return copyFile(path, filepath.Join(into, rel), info)
	})
	if err != nil {
		return fmt.Errorf("%v: %w", t.side, err)
	}
	return nil
}

// copyFile copies a file or a symbolic link, and skips anything else. The copy is
// writable even if the file is not.
func copyFile(from, to string, info fs.FileInfo) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case !info.Mode().IsRegular():
		return nil
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, info.Mode().Perm()|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

// settle finds out which go.work applies, now that the files are there.
func (t *tree) settle(ctx context.Context) error {
	if _, err := os.Stat(t.module); err != nil {
		rel, _ := filepath.Rel(t.root, t.module)
		return fmt.Errorf("%v: has no directory %s", t.side, filepath.ToSlash(rel))
	}
	work := "off"
	for dir := t.module; os.Getenv("GOWORK") != "off"; dir = filepath.Dir(dir) {
		name := filepath.Join(dir, "go.work")
		if _, err := os.Stat(name); err == nil {
			work = name
			break
		}
		if dir == t.root {
			break
		}
	}
	t.env = []string{"GOWORK=" + work}
	return t.reach(ctx, work)
}

// reach makes paths in go.mod and go.work that lead out of the copied files lead to the
// original place, which is the same for both sides.
func (t *tree) reach(ctx context.Context, work string) error {
	var modules []string
	if work != "off" {
		var file struct {
			Use     []struct{ DiskPath string }
			Replace []replacement
		}
		if err := t.edit(ctx, &file, "work", work); err != nil {
			return err
		}
		for _, u := range file.Use {
			module := filepath.Join(filepath.Dir(work), filepath.FromSlash(u.DiskPath))
			if to, out := t.outside(filepath.Dir(work), u.DiskPath); out {
				if err := t.edit(ctx, nil, "work", work, "-dropuse="+u.DiskPath, "-use="+to); err != nil {
					return err
				}
				t.notes = append(t.notes, fmt.Sprintf("both sides use %s, which is outside, as it is now", u.DiskPath))
				continue
			}
			modules = append(modules, module)
		}
		if err := t.redirect(ctx, "work", work, file.Replace); err != nil {
			return err
		}
	} else {
		for dir := t.module; ; dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				modules = append(modules, dir)
				break
			}
			if dir == t.root {
				break
			}
		}
	}
	for _, dir := range modules {
		if _, err := os.Stat(filepath.Join(dir, "vendor", "modules.txt")); err == nil {
			continue // all its files were copied
		}
		var file struct{ Replace []replacement }
		name := filepath.Join(dir, "go.mod")
		if t.edit(ctx, &file, "mod", name) != nil {
			continue // the build will report what is wrong
		}
		if err := t.redirect(ctx, "mod", name, file.Replace); err != nil {
			return err
		}
	}
	return nil
}

// A replacement is a replace directive as go mod edit -json prints it.
type replacement struct {
	Old, New struct{ Path, Version string }
}

func (t *tree) redirect(ctx context.Context, kind, name string, all []replacement) error {
	for _, r := range all {
		to, out := t.outside(filepath.Dir(name), r.New.Path)
		if r.New.Version != "" || !out {
			continue
		}
		old := r.Old.Path
		if r.Old.Version != "" {
			old += "@" + r.Old.Version
		}
		if err := t.edit(ctx, nil, kind, name, "-replace="+old+"="+to); err != nil {
			return err
		}
		t.notes = append(t.notes, fmt.Sprintf("both sides have %s as it is now in %s, which is outside: a change of it is not seen", r.Old.Path, r.New.Path))
	}
	return nil
}

// outside reports whether a relative path in a file of dir leads out of the files,
// and where it led.
func (t *tree) outside(dir, path string) (to string, out bool) {
	if filepath.IsAbs(path) || !strings.HasPrefix(path, ".") {
		return "", false
	}
	if rel, err := filepath.Rel(t.root, filepath.Join(dir, filepath.FromSlash(path))); err != nil || filepath.IsLocal(rel) {
		return "", false
	}
	rel, err := filepath.Rel(t.root, dir)
	if err != nil {
		return "", false
	}
	return filepath.Join(t.from, rel, filepath.FromSlash(path)), true
}

// edit runs go mod edit or go work edit. Without flags it reads the file into v.
func (t *tree) edit(ctx context.Context, v any, kind, name string, flags ...string) error {
	if v != nil {
		flags = []string{"-json"}
	}
	cmd := exec.CommandContext(ctx, "go", slices.Concat([]string{kind, "edit"}, flags, []string{name})...)
	cmd.Dir = filepath.Dir(name)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%v: go %s edit: %s", t.side, kind, strings.TrimSpace(stderr.String()))
	case v == nil:
		return nil
	}
	return json.Unmarshal(out, v)
}

// git runs git in dir. If a hook or an alias of git started this program, the
// environment may name another repository than the one in dir.
func git(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}, name)
	}), append(env, "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	if said := strings.TrimSpace(stderr.String()); said != "" {
		return nil, fmt.Errorf("git %s: %s", args[0], said)
	}
	return nil, fmt.Errorf("git %s: %w", args[0], err)
}

// leftOut says which files were left out that text, the output of a failure, seems to
// be about: files that it names, and Go files of a package that it names. It returns ""
// if there are none.
func (s *Source) leftOut(ctx context.Context, text string) string {
	if s.c.BaseDir != "" {
		return ""
	}
	repo, err := findRepository(ctx, s.c.Dir)
	if err != nil {
		return ""
	}
	ignored, err := git(ctx, repo.top, nil, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
	if err != nil {
		return ""
	}
	var names []string
	all := strings.Split(strings.TrimSuffix(string(ignored), "\x00"), "\x00")
	for _, t := range s.trees {
		if t != nil {
			all = append(all, t.left...)
		}
	}
	for _, name := range all {
		clean := path.Clean(name)
		dir := path.Dir(clean)
		about := strings.Contains(text, path.Base(clean)) ||
			strings.HasSuffix(clean, ".go") && (dir == "." || strings.Contains(text, dir))
		if name != "" && about && !slices.Contains(names, clean) {
			names = append(names, clean)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("left out, since git ignores it or does not have it: %s (--with PATH takes it along)", strings.Join(names, ", "))
}

// prefix is the beginning of the names of the gate's directories.
const prefix = "lockbench-gate-"

// removeAll removes a directory, even if benchmarks made directories in it that are
// not writable.
func removeAll(dir string) error {
	if os.RemoveAll(dir) == nil {
		return nil
	}
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
