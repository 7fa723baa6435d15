package ownlock

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
)

// ourModule is the path of the command's module.
const ourModule = "github.com/lockbench/lockbench"

// goCommand runs the go command in a directory. The error has what it printed.
func goCommand(ctx context.Context, dir string, env []string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it also ends the processes that it started
	cmd.WaitDelay = 5 * time.Second
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	switch said := strings.TrimSpace(stderr.String()); {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil && said != "":
		return nil, errors.New(said)
	}
	return stdout.Bytes(), err
}

// A modules is what the go command says about a directory.
type modules struct{ GOMOD, GOWORK, GOMODCACHE string }

// modulesOf returns which modules the go command would use in dir.
func modulesOf(ctx context.Context, dir string) (modules, error) {
	var m modules
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return m, fmt.Errorf("no directory %s", dir)
	}
	out, err := goCommand(ctx, dir, nil, "env", "-json", "GOMOD", "GOWORK", "GOMODCACHE")
	if err == nil {
		err = json.Unmarshal(out, &m)
	}
	if err == nil && (m.GOMOD == "" || m.GOMOD == os.DevNull) && (m.GOWORK == "" || m.GOWORK == "off") {
		err = fmt.Errorf("%s is in no Go module: want a go.mod there, or above", dir)
	}
	return m, err
}

// source returns the directory of lockbench's own source: of the module of file, a
// source file of lockbench as the compiler knew it.
func source(file string) (string, error) {
	dir := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	if path, _, err := readModule(dir); err != nil || path != ourModule {
		return "", fmt.Errorf("no source of lockbench in %s, where this program was built: want one that is built without -trimpath, and its source left where it was", dir)
	}
	return dir, nil
}

// thisFile returns the name of this file, as the compiler knew it.
func thisFile() string {
	_, file, _, _ := runtime.Caller(0)
	return file
}

// readModule returns the path of the module in dir, and the Go version that it
// requires.
func readModule(dir string) (path, goVersion string, err error) {
	name := filepath.Join(dir, "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		return "", "", err
	}
	f, err := modfile.ParseLax(name, text, nil)
	if err != nil {
		return "", "", err
	}
	if f.Module == nil {
		return "", "", fmt.Errorf("%s: want a line module", name)
	}
	if f.Go != nil {
		goVersion = f.Go.Version
	}
	return f.Module.Mod.Path, goVersion, nil
}

// A workspace is a go.work that is being made.
type workspace struct {
	file *modfile.WorkFile
	sum  []byte // of its go.work.sum
	ours string // directory of our module
}

// newWorkspace returns a workspace of all modules that the go command would use in the
// directories bases, and of lockbench's: the one in source unless bases have it.
func newWorkspace(ctx context.Context, source string, bases []string) (*workspace, error) {
	w := &workspace{file: new(modfile.WorkFile)}
	w.file.Syntax = new(modfile.FileSyntax)
	var dirs, works []string
	for _, base := range bases {
		m, err := modulesOf(ctx, base)
		if err != nil {
			return nil, err
		}
		if m.GOWORK == "" || m.GOWORK == "off" {
			dirs = append(dirs, filepath.Dir(m.GOMOD))
		} else if !slices.Contains(works, m.GOWORK) {
			works = append(works, m.GOWORK)
			more, err := w.include(m.GOWORK)
			if err != nil {
				return nil, err
			}
			dirs = append(dirs, more...)
		}
	}
	newest := "1.18" // the first version with workspaces
	for _, dir := range append(dirs, source) {
		path, goVersion, err := readModule(dir)
		switch {
		case err != nil:
			return nil, err
		case path == ourModule && w.ours != "":
			continue // a module may be used only once
		case path == ourModule:
			w.ours = dir
		}
		if err := w.file.AddUse(dir, path); err != nil {
			return nil, err
		}
		if version.Compare("go"+goVersion, "go"+newest) > 0 {
			newest = goVersion
		}
	}
	return w, w.file.AddGoStmt(newest)
}

// include takes over the replacements of a go.work, and returns the directories that it
// uses.
func (w *workspace) include(name string) (dirs []string, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	f, err := modfile.ParseWork(name, text, nil)
	if err != nil {
		return nil, err
	}
	for _, r := range f.Replace {
		target := r.New.Path
		if r.New.Version == "" {
			target = absolute(name, target)
		}
		if err := w.file.AddReplace(r.Old.Path, r.Old.Version, target, r.New.Version); err != nil {
			return nil, err
		}
	}
	for _, u := range f.Use {
		dirs = append(dirs, absolute(name, u.Path))
	}
	sum, err := os.ReadFile(name + ".sum")
	if err == nil {
		w.sum = append(w.sum, sum...)
	} else if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return dirs, err
}

// absolute returns a path in a go.work, which may be relative to its directory, as an
// absolute one.
func absolute(goWork, path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(goWork), path)
}

// write writes w as go.work into dir and returns the file's name.
func (w *workspace) write(dir string) (string, error) {
	name := filepath.Join(dir, "go.work")
	w.file.Cleanup()
	return name, errors.Join(
		os.WriteFile(name, modfile.Format(w.file.Syntax), 0o666),
		os.WriteFile(name+".sum", w.sum, 0o666),
	)
}
