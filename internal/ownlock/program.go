package ownlock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
)

// A Program is a lockbench with locks of the user.
type Program struct {
	File string
	dir  string // the directory of all files made for it
}

// Build compiles the command with locks. The caller must call [Become] or Remove.
func Build(ctx context.Context, locks []Lock) (p Program, err error) {
	ours, err := source(thisFile())
	if err != nil {
		return p, err
	}
	return build(ctx, ours, locks)
}

func build(ctx context.Context, ours string, locks []Lock) (p Program, err error) {
	dir, err := os.MkdirTemp("", "lockbench-own-")
	if err != nil {
		return p, err
	}
	p = Program{filepath.Join(dir, "lockbench.exe"), dir} // Windows needs the suffix
	defer func() {
		if err != nil {
			err = errors.Join(err, p.Remove())
		}
	}()
	args := []string{"build", "-mod=readonly", "-o", p.File}
	if args, ours, err = movable(ctx, args, ours, dir); err != nil {
		return p, err
	}
	var bases []string
	for _, l := range locks {
		if !slices.Contains(bases, l.base) {
			bases = append(bases, l.base)
		}
	}
	w, err := newWorkspace(ctx, ours, bases)
	if err != nil {
		return p, err
	}
	goWork, err := w.write(dir)
	if err != nil {
		return p, err
	}
	overlay, err := writeOverlay(dir, w.ours, locks)
	if err != nil {
		return p, err
	}
	args = append(args, "-overlay", overlay)
	if tags := builtTags(); tags != "" {
		args = append(args, "-tags", tags)
	}
	_, err = goCommand(ctx, w.ours, []string{"GOWORK=" + goWork, "PWD=" + w.ours, "GOTMPDIR=" + dir}, append(args, "./cmd/lockbench")...)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("building lockbench with %s:\n\t%s", names(locks), strings.ReplaceAll(err.Error(), "\n", "\n\t"))
	}
	return p, err
}

// Remove removes the files that were made for p.
func (p Program) Remove() error { return os.RemoveAll(p.dir) }

// movable returns a directory with lockbench's source for which an overlay is possible.
// The go command refuses overlays in its module cache, so such source is copied; with
// -trimpath the copy still compiles from the build cache.
func movable(ctx context.Context, args []string, ours, dir string) ([]string, string, error) {
	m, err := modulesOf(ctx, ours)
	if err != nil {
		return nil, "", err
	}
	if rel, err := filepath.Rel(m.GOMODCACHE, ours); m.GOMODCACHE == "" || err != nil || !filepath.IsLocal(rel) {
		return args, ours, nil
	}
	copied := filepath.Join(dir, "source")
	return append(args, "-trimpath"), copied, os.CopyFS(copied, os.DirFS(ours))
}

// writeOverlay writes the additional files of the build, and returns the name of the
// overlay file.
func writeOverlay(dir, ours string, locks []Lock) (string, error) {
	replace := make(map[string]string)
	add := func(as string, source []byte) error {
		name := filepath.Join(dir, fmt.Sprintf("overlay%d.go", len(replace)))
		replace[as] = name
		return os.WriteFile(name, source, 0o666)
	}
	var all []imported
	for n, l := range locks {
		i, shims := l.reach(n)
		all = append(all, i)
		for _, s := range shims {
			if err := add(s.file, s.source); err != nil {
				return "", err
			}
		}
	}
	text, err := commandFile(all)
	if err != nil {
		return "", err
	}
	if err := add(filepath.Join(ours, "cmd", "lockbench", "own_generated.go"), text); err != nil {
		return "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, overlay, 0o666)
}

// builtTags returns the build tags of this program, which the new one should have too.
func builtTags() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "-tags" {
				return s.Value
			}
		}
	}
	return ""
}

func names(locks []Lock) string {
	var all []string
	for _, l := range locks {
		all = append(all, l.Arg)
	}
	return strings.Join(all, ", ")
}

// tempVar is the variable by which [Become] tells a program which directory to remove.
const tempVar = "LOCKBENCH_OWN_TEMP"

// Clean removes the files that were made for this program, if [Become] started it.
func Clean() error {
	dir := os.Getenv(tempVar)
	if dir == "" || !strings.HasPrefix(filepath.Base(dir), "lockbench-own-") {
		return nil
	}
	return errors.Join(os.Unsetenv(tempVar), os.RemoveAll(dir))
}
