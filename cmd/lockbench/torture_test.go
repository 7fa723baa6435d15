package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

func TestTorture(t *testing.T) {
	code, stdout, stderr := lockbench(t, "torture --locks ticket,tas-pinned,rwsem,rcu-registered,rcu-pinned --duration 2s --seed 7")
	if code != exitOK {
		t.Fatalf("exit status %d, want %d\n%s%s", code, exitOK, stdout, stderr)
	}
	if want := "5 locks, about 400ms each, seed 7\n"; !strings.Contains(stderr, want) {
		t.Errorf("stderr %s, want %s", stderr, want)
	}
	for _, want := range []string{
		`^LOCK +ROUNDS +READS`,
		`\ntas-pinned +[1-9]\d* +0 +[1-9]`,
		`\nrwsem +[1-9]\d* +[1-9]\d* +[1-9]`,
		`\nRCU +ROUNDS .* AGES 0 1 2 \.\.\.\n`,
		`\nrcu-pinned +[1-9].* [1-9]\d* \d+ 0 0 0 0 0 0 0 0 0\n`,
		`\nSUCCESS\n$`,
	} {
		if !regexp.MustCompile(want).MatchString(stdout) {
			t.Errorf("stdout, want %s in\n%s", want, stdout)
		}
	}
}

// All broken locks are named, with the command that shows the fault again.
func TestTortureBusted(t *testing.T) {
	if racy {
		t.Skip("races")
	}
	code, stdout, stderr := lockbench(t, "torture --locks busted,ticket,busted-rcu --duration 6s --seed 7")
	if code != exitFailed || !strings.HasSuffix(stdout, "\nFAILURE of busted, busted-rcu\n") {
		t.Fatalf("exit status %d, want %d and FAILURE\n%s%s", code, exitFailed, stdout, stderr)
	}
	for _, want := range []string{
		`lockbench: lock "busted" is broken: `,
		`lockbench: flavour "busted-rcu" is broken: `,
		`\tagain: lockbench torture --locks busted --duration [\d.]+m?s --seed 7\n`,
		`\tagain: lockbench torture --locks busted-rcu --duration [\d.]+m?s --seed 7\n`,
	} {
		if !regexp.MustCompile(want).MatchString(stderr) {
			t.Errorf("stderr, want %s in\n%s", want, stderr)
		}
	}
}

func TestTortureInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts between processes")
	}
	cmd := exec.Command(executable(t), "torture", "--locks", "mutex,rcu-qsbr", "--duration", "1h")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() && !strings.Contains(lines.Text(), "0 of 2 done; mutex: ") {
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	err = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || last != "lockbench: interrupted" {
		t.Errorf("%v: exit status %d, want %d; last words %q", err, code, exitInterrupted, last)
	}
	if table := regexp.MustCompile(`^LOCK .*\nmutex +\d+ .*\n$`); !table.MatchString(stdout.String()) {
		t.Errorf("stdout, want a line of mutex, and neither SUCCESS nor FAILURE:\n%s", &stdout)
	}
}
