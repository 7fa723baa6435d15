package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
)

// A callgrind counts the instructions of a process where the machine has no counter:
// it is a tool of Valgrind, which runs the process on a CPU that it simulates.
//
// Its counts are not those of the machine: it simulates an older CPU, without AVX-512,
// so that package runtime and others take other branches.
type callgrind struct {
	valgrind string // its path
	version  string // as it prints it: valgrind-3.19.0
}

// callgrindSlower is an upper bound on how many times as long a process takes under
// Callgrind.
const callgrindSlower = 100

// findCallgrind returns an error unless it is installed.
func findCallgrind(ctx context.Context) (*callgrind, error) {
	name, err := exec.LookPath("valgrind")
	if err != nil {
		return nil, errors.New("valgrind is not installed (apt-get install valgrind)")
	}
	out, err := exec.CommandContext(ctx, name, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("%s --version: %w", name, err)
	}
	return &callgrind{name, strings.TrimSpace(string(out))}, nil
}

// wrap makes a command count its instructions into a file. It turns off what would vary
// from one run to the next:
//
//   - the collector, which runs at any time, and is counted by allocs/op and B/op.
//     A limit keeps a benchmark that allocates much from taking all memory;
//   - preemption by signals, which confuses Callgrind: it does not know goroutines,
//     and takes a change of stacks within a signal's handler for an error.
//     So a goroutine that waits for another without ever yielding waits without end.
//
// Valgrind 3.19 says that its CPU has RDTSCP, but does not support it on all machines.
func (v *callgrind) wrap(cmd *exec.Cmd, file string) {
	cmd.Args = append([]string{v.valgrind, "--quiet", "--tool=callgrind", "--vgdb=no", "--callgrind-out-file=" + file, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = v.valgrind
	debug := "asyncpreemptoff=1"
	if runtime.GOARCH == "amd64" {
		debug += ",cpu.rdtscp=off"
	}
	if have := last(cmd.Env, "GODEBUG"); have != "" {
		debug = have + "," + debug
	}
	cmd.Env = append(cmd.Env, "GODEBUG="+debug, "GOGC=off", "GOMEMLIMIT=2GiB")
}

// last returns the value of a variable, which its last line sets.
func last(env []string, key string) string {
	value := ""
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == key {
			value = v
		}
	}
	return value
}

// total returns the count and removes the file.
func (*callgrind) total(file string) (uint64, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, fmt.Errorf("counting instructions: %w", err)
	}
	os.Remove(file)
	const key = "\ntotals: "
	at := bytes.LastIndex(text, []byte(key))
	if at < 0 {
		return 0, errors.New("counting instructions: Callgrind has left no total")
	}
	line, _, _ := bytes.Cut(text[at+len(key):], []byte("\n"))
	n, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("counting instructions: Callgrind's total: %w", err)
	}
	return n, nil
}
