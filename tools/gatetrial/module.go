package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A module is one whose benchmarks are compared.
type module struct {
	name     string
	path     string // import path; "" is this repository
	version  string // of the module, or a commit of this repository
	packages []string
	bench    string        // as go test -bench has it
	cpu      []int         // none is the gate's own default
	each     time.Duration // budget of a benchmark
}

// Modules of different kinds: short functions, some of which allocate; a parser that
// does not; maps and counters that are shared by goroutines; and our own locks, contended.
var modules = []module{
	{
		name: "uuid", path: "github.com/google/uuid", version: "v1.6.0", packages: []string{"."},
		each:  6 * time.Second,
		bench: "^Benchmark(UUID_MarshalJSON|UUID_UnmarshalJSON|Parse|ParseBytes|ParseBytesCopy|New|UUID_String|UUID_URN|ParseLen32Truncated|UUIDs_Strings)$",
	},
	{name: "gjson", path: "github.com/tidwall/gjson", version: "v1.18.0", packages: []string{"."}, bench: ".", each: 6 * time.Second},
	{
		name: "xsync", path: "github.com/puzpuzpuz/xsync/v4", version: "v4.5.0", packages: []string{"."},
		each:  30 * time.Second,
		bench: "^Benchmark(Counter|MapCompute)$",
	},
	{
		name: "own", version: "624f3fe05f59d208d21ad8d0472b7f0944c1cd8d", packages: []string{"./blocking"}, cpu: []int{2},
		each:  30 * time.Second,
		bench: "^BenchmarkRWSem$/^lock=rwsem$/^reads=(0|90)$/^workers=2$|^BenchmarkSemaphore$/^lock=semaphore$/^reads=0$/^workers=2$",
	},
}

// find returns the module of that name.
func find(name string) (module, error) {
	i := slices.IndexFunc(modules, func(m module) bool { return m.name == name })
	if i < 0 {
		var known []string
		for _, m := range modules {
			known = append(known, m.name)
		}
		return module{}, fmt.Errorf("unknown module %q (known: %s)", name, strings.Join(known, ", "))
	}
	return modules[i], nil
}

// copyTo makes a copy of the module's source in dir, which must not be there yet.
func (m module) copyTo(ctx context.Context, dir string) error {
	if m.path == "" {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		top, err := output(exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel"))
		if err != nil {
			return err
		}
		git := exec.CommandContext(ctx, "git", "archive", m.version)
		git.Dir = strings.TrimSpace(string(top)) // or it has what is below the current directory alone
		archive, err := output(git)
		if err != nil {
			return err
		}
		tar := exec.CommandContext(ctx, "tar", "-x", "-C", dir)
		tar.Stdin = bytes.NewReader(archive)
		_, err = output(tar)
		return err
	}
	at := m.path + "@" + m.version
	out, err := output(exec.CommandContext(ctx, "go", "mod", "download", "-json", at))
	if err != nil {
		return err
	}
	var got struct{ Dir string }
	if err := json.Unmarshal(out, &got); err != nil {
		return fmt.Errorf("go mod download %s: %w", at, err)
	}
	return os.CopyFS(dir, os.DirFS(got.Dir)) // files of a module cache are read-only, these are not
}

// output runs a command; the error has what it printed.
func output(cmd *exec.Cmd) ([]byte, error) {
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[:min(4, len(cmd.Args))], " "), err, bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}

// addHarmless adds a function to each measured package in dir that is used, and never
// runs. It does nothing, but moves other functions: what a comparison makes of that
// is a false alarm.
func (m module) addHarmless(dir string) error {
	for _, p := range m.packages {
		name, err := packageName(filepath.Join(dir, p))
		if err != nil {
			return err
		}
		source := fmt.Sprintf(`package %s

import "os"

func init() {
	if os.Getenv("GATETRIAL_HARMLESS") != "" {
		println(gatetrialHarmless(uint64(len(os.Args))))
	}
}

//go:noinline
func gatetrialHarmless(x uint64) (sum uint64) {
	for ; x > 1; sum++ {
		if x&1 == 0 {
			x /= 2
		} else {
			x = 3*x + 1
		}
	}
	return sum
}
`, name)
		if err := os.WriteFile(filepath.Join(dir, p, "gatetrial_harmless.go"), []byte(source), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// packageName returns the name of the package in dir.
func packageName(dir string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return "", err
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(source)) {
			if name, ok := strings.CutPrefix(line, "package "); ok {
				return strings.TrimSpace(name), nil
			}
		}
	}
	return "", fmt.Errorf("%s: no package", dir)
}
