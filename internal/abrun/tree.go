package abrun

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/results/gate"
)

// A tree is the files of a side.
type tree struct {
	side   gate.Side
	root   string // of all files
	module string // the directory within root in which patterns are resolved
	env    []string
	notes  []string // what is not as one may expect
	commit string   // "" if it is none
	goVers string
}

// A repository is what git says of Config.Dir.
type repository struct {
	gitDir string // absolute
	top    string // of the worktree
	prefix string // of Dir in it
}

// trees makes the files of both sides, below dir.
//
// Their paths have the same length, since they end up in the binaries.
func trees(ctx context.Context, c *Config, dir string) ([2]*tree, error) {
	var ts [2]*tree
	for i, name := range []string{"base", "head"} {
		ts[i] = &tree{side: []gate.Side{gate.Base, gate.Head}[i], root: filepath.Join(dir, name)}
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
	for i, t := range ts {
		t.module = filepath.Join(t.root, repo.prefix)
		ref := []string{c.Base, c.Head}[i]
		if ref == Worktree {
			err = errors.Join(err, t.copyWorktree(ctx, repo))
			continue
		}
		err = errors.Join(err, t.export(ctx, repo, ref, dir))
	}
	return ts, err
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

// export writes the files of a commit. Git gets an index and a worktree that
// are not the repository's, which it leaves alone.
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
	index := filepath.Join(dir, "index."+filepath.Base(t.root))
	defer os.Remove(index)
	own := []string{"GIT_DIR=" + repo.gitDir, "GIT_WORK_TREE=" + t.root, "GIT_INDEX_FILE=" + index}
	for _, args := range [][]string{
		{"read-tree", t.commit},
		{"checkout-index", "--all", "--force"},
	} {
		if _, err := git(ctx, t.root, own, args...); err != nil {
			return fmt.Errorf("%v: %w", t.side, err)
		}
	}
	out, err = git(ctx, t.root, own, "ls-files", "--stage", "-z")
	if err != nil {
		return fmt.Errorf("%v: %w", t.side, err)
	}
	for _, entry := range strings.Split(string(out), "\x00") {
		if strings.HasPrefix(entry, "160000 ") {
			_, name, _ := strings.Cut(entry, "\t")
			t.notes = append(t.notes, fmt.Sprintf("%v: submodule %s is left out", t.side, name))
		}
	}
	return t.settle()
}

// copyWorktree copies the files as they are now.
func (t *tree) copyWorktree(ctx context.Context, repo *repository) error {
	out, err := git(ctx, repo.top, nil, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return fmt.Errorf("%v: %w", t.side, err)
	}
	names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	slices.Sort(names)
	for _, name := range slices.Compact(names) { // in a conflict a name is there thrice
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		from := filepath.Join(repo.top, filepath.FromSlash(name))
		info, err := os.Lstat(from)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed
		}
		if err == nil && info.IsDir() {
			t.notes = append(t.notes, fmt.Sprintf("%v: %s is a repository of its own, and left out", t.side, name))
			continue
		}
		if err == nil {
			err = copyFile(from, filepath.Join(t.root, filepath.FromSlash(name)), info)
		}
		if err != nil {
			return fmt.Errorf("%v: %w", t.side, err)
		}
	}
	return t.settle()
}

// copyDir copies a directory, but for a repository in it.
func (t *tree) copyDir(ctx context.Context, dir string) error {
	t.module = t.root
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
			return os.MkdirAll(filepath.Join(t.root, rel), 0o755)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return copyFile(path, filepath.Join(t.root, rel), info)
	})
	if err != nil {
		return fmt.Errorf("%v: %w", t.side, err)
	}
	if _, err := os.Stat(filepath.Join(t.root, "go.mod")); err != nil {
		return fmt.Errorf("%v: %s has no go.mod: want the directory of a module", t.side, dir)
	}
	return t.settle()
}

// copyFile copies a file or a symbolic link, and passes over what is neither.
// The copy can be written, whether or not the file can.
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

// settle finds out which go.work holds, now that the files are there.
func (t *tree) settle() error {
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
	return nil
}

// git runs git in dir. Where a hook or an alias calls us, the environment speaks
// of another repository than the one in dir.
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

// prefix is what the names of our directories begin with.
const prefix = "abrun-"

// removeAll removes a directory, even if benchmarks made some in it that nobody
// may write to.
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
