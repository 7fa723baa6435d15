package main

import (
	"bufio"
	"cmp"
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
const most = 5 * time.Minute

// build compiles the tests of package pkg with the twin's fault to a program in dir, and
// returns a function that makes a command of it.
func build(ctx context.Context, dir, pkg string, t twin, flags ...string) (tests func(ctx context.Context, args ...string) *exec.Cmd, err error) {
	root, err := root()
	if err != nil {
		return nil, err
	}
	overlay, err := overlay(dir, pkg, t)
	if err != nil {
		return nil, err
	}
	program := filepath.Join(dir, "twin.test")
	args := append([]string{"test", "-c", "-vet=off", "-ldflags=-s -w", // half the time of linking
		"-overlay", overlay, "-o", program}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+pkg)...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return func(ctx context.Context, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Dir = filepath.Join(root, pkg)
		return cmd
	}, nil
}

// overlay makes dir, writes the sources of package pkg with all these faults to it, and
// returns a file for go build -overlay.
func overlay(dir, pkg string, twins ...twin) (file string, err error) {
	root, err := root()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	replace := make(map[string]string)
	for _, t := range twins {
		path := filepath.Join(root, pkg, t.file)
		src, err := t.source(cmp.Or(replace[path], path)) // the file may have another fault already
		if err != nil {
			return "", err
		}
		replace[path] = filepath.Join(dir, t.file)
		if err := os.WriteFile(replace[path], src, 0o666); err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file = filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o666)
}

// source returns the source at path with the fault.
func (t twin) source(path string) ([]byte, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if n := strings.Count(string(src), t.old); n != 1 {
		return nil, fmt.Errorf("%s has %d times what the twin replaces, want once:\n%s", path, n, t.old)
	}
	return []byte(strings.Replace(string(src), t.old, t.new, 1)), nil
}

// every matches the tests that the checker runs.
const every = "^TestModel"

// try runs the model tests that match.
func (v *verdict) try(ctx context.Context, match string) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	dir, err := os.MkdirTemp("", "twin")
	if err != nil {
		v.err = err
		return
	}
	defer os.RemoveAll(dir)
	tests, err := build(ctx, dir, v.pkg, v.twin, "-tags", "virtual")
	if err != nil {
		v.err = err
		return
	}
	out, err := tests(ctx, "-test.run="+match, "-test.v", "-test.failfast").CombinedOutput()
	switch kind := v.read(string(out)); {
	case ctx.Err() != nil:
		v.err = fmt.Errorf("its model tests took more than %v", most)
	case err == nil:
		v.err = errors.New("no model test notices it")
	case kind == "":
		v.err = fmt.Errorf("its model tests fail, and not by what the checker found:\n%s", out)
	case kind == check.Misuse: // met on the way, such as a waiter that is used after it was put back: caught as well
	case kind != v.kind:
		v.err = fmt.Errorf("its model tests fail by %s, want %s", kind, v.kind)
	}
}

var (
	running = regexp.MustCompile(`^=== RUN\s+(\S+)`)
	found   = regexp.MustCompile(`(\w[\w ]*) after (\d+) schedules? \(`)
	passed  = regexp.MustCompile(`(\d+) schedules? \(`)
)

// read counts the schedules in the output of the tests, up to the failure, and returns
// the kind of that failure.
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
	silence    = 30 * time.Second // of a test that hangs; without a fault a test takes 9 s on a busy machine
)

// said matches the output of a failing test while it runs, or of one that logs.
var said = regexp.MustCompile(`^\s+\w+\.go:\d+: `)

// stressed runs the package's ordinary tests under the race detector, again and again
// until stressTime has passed, and says what they notice. They run to the end at least
// once, however long that takes.
func stressed(ctx context.Context, pkg string, t twin) (string, error) {
	dir, err := os.MkdirTemp("", "twin")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	tests, err := build(ctx, dir, pkg, t, "-race")
	if err != nil {
		return "", err
	}
	for began := time.Now(); time.Since(began) < stressTime; {
		says, err := stressOnce(ctx, tests)
		if err != nil || says == "hangs" {
			return says, err
		}
		if says != "" {
			return fmt.Sprintf("%s, after %.1f s", says, time.Since(began).Seconds()), nil
		}
	}
	return "no", nil
}

// stressOnce runs the tests once, up to the first failure, and returns what they
// notice, or "".
func stressOnce(ctx context.Context, tests func(context.Context, ...string) *exec.Cmd) (string, error) {
	pass, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := tests(pass, "-test.v", "-test.failfast", "-test.skip=Inlines|Size") // these do not depend on schedules
	cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	hangs := time.AfterFunc(silence, cancel)
	spoke := false
	for lines := bufio.NewScanner(out); lines.Scan(); hangs.Reset(silence) {
		spoke = spoke || said.MatchString(lines.Text())
	}
	err = cmd.Wait()
	hung := !hangs.Stop()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case hung && spoke: // it failed, and then hung
		return "yes", nil
	case hung:
		return "hangs", nil
	case err != nil:
		return "yes", nil
	}
	return "", nil
}
