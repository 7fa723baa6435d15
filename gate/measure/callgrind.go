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
// What it counts is not what a machine does. The CPU that it simulates is an older
// one, without AVX-512, so that package runtime and others take other ways.
type callgrind struct {
	valgrind string // its path
	version  string // as it says: valgrind-3.19.0
}

// callgrindSlower is how many times as long a process takes under Callgrind, or a
// little less.
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

// wrap makes a command one that counts its instructions, into a file. What else of it
// varies from one run to the next is kept out:
//
//   - the collector, which runs when it likes, and is counted by allocs/op and B/op.
//     A limit keeps what allocates without end from taking all memory;
//   - preemption by signals, of which Callgrind loses track: it knows of no goroutine,
//     and takes a change of stacks within a signal's handler for a fault of its own.
//     So a goroutine that waits for another without ever yielding waits for good.
//
// Valgrind 3.19 says that its CPU has RDTSCP, and does not know it on all machines.
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

// last returns the value of a variable, which is that of its last line.
func last(env []string, key string) string {
	value := ""
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == key {
			value = v
		}
	}
	return value
}

// total returns what was counted, and removes the file.
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
