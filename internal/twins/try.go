package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/check"
)

// most is how long the model tests of a twin may take.
const most = 2 * time.Minute

// build compiles the tests of package pkg with the twin's fault, and returns
// the program and the directory that it is in, for the caller to remove.
func build(ctx context.Context, pkg string, t twin, flags ...string) (program, dir string, err error) {
	root, err := root()
	if err != nil {
		return "", "", err
	}
	path := filepath.Join(root, pkg, t.file)
	src, err := os.ReadFile(path)
	if err != nil {
		return "", "", err
	}
	if n := strings.Count(string(src), t.old); n != 1 {
		return "", "", fmt.Errorf("%s/%s has %d times what the twin replaces, want once:\n%s", pkg, t.file, n, t.old)
	}
	dir, err = os.MkdirTemp("", "twin")
	if err != nil {
		return "", "", err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	broken := filepath.Join(dir, t.file)
	if err := os.WriteFile(broken, []byte(strings.Replace(string(src), t.old, t.new, 1)), 0o666); err != nil {
		return "", "", err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{path: broken}})
	if err != nil {
		return "", "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o666); err != nil {
		return "", "", err
	}
	program = filepath.Join(dir, "twin.test")
	args := append([]string{"test", "-c", "-vet=off", "-overlay", filepath.Join(dir, "overlay.json"), "-o", program}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", "", fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return program, dir, nil
}

// try runs the model tests.
func (v *verdict) try(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	program, dir, err := build(ctx, v.pkg, v.twin, "-tags", "virtual")
	if err != nil {
		v.err = err
		return
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, program, "-test.run", "^TestModel", "-test.v", "-test.failfast")
	cmd.Dir = filepath.Dir(filepath.Join(mustRoot(), v.pkg, v.file))
	out, err := cmd.CombinedOutput()
	switch kind := v.read(string(out)); {
	case ctx.Err() != nil:
		v.err = fmt.Errorf("its model tests took more than %v", most)
	case err == nil:
		v.err = errors.New("no model test notices it")
	case kind == "":
		v.err = fmt.Errorf("its model tests fail, and not by what the checker found:\n%s", out)
	case kind != v.kind:
		v.err = fmt.Errorf("its model tests fail by %s, want %s", kind, v.kind)
	}
}

func mustRoot() string { dir, _ := root(); return dir }

var (
	running = regexp.MustCompile(`^=== RUN\s+(\S+)`)
	found   = regexp.MustCompile(`(\w[\w ]*) after (\d+) schedules? \(`)
	passed  = regexp.MustCompile(`(\d+) schedules? \(`)
)

// read counts the schedules in the output of the tests, up to the failure, of
// which it returns the kind.
func (v *verdict) read(out string) (kind check.Kind) {
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if m := running.FindStringSubmatch(line); m != nil {
			v.test = m[1]
		} else if m := found.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[2])
			v.schedules += n
			return check.Kind(m[1])
		} else if m := passed.FindStringSubmatch(line); m != nil {
			n, _ := strconv.Atoi(m[1])
			v.schedules += n
		}
	}
	return ""
}

const (
	stressTime = 10 * time.Second
	silence    = 5 * time.Second // of a test that hangs
)

// stressed runs the package's ordinary tests under the race detector, over and
// over, and says what they notice.
func stressed(ctx context.Context, pkg string, t twin) (string, error) {
	program, dir, err := build(ctx, pkg, t, "-race")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(ctx, stressTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "-test.v", "-test.failfast", "-test.count=1000000", "-test.skip=Inlines|Size")
	cmd.Dir = filepath.Join(mustRoot(), pkg)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return "", err
	}
	last := began
	for lines := bufio.NewReader(out); ; last = time.Now() {
		if _, err := lines.ReadString('\n'); err != nil {
			break
		}
	}
	switch err := cmd.Wait(); {
	case ctx.Err() == nil && err != nil:
		return fmt.Sprintf("yes, after %.1f s", time.Since(began).Seconds()), nil
	case time.Since(last) >= silence:
		return "hangs", nil
	}
	return "no", nil
}
