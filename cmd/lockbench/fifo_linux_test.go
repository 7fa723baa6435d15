package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A gate that waits for a FIFO ends when it is interrupted, and says so in the format
// asked for.
func TestInterruptAtFIFO(t *testing.T) {
	command, dir := executable(t), t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command, "gate", "--files", fifo, fifo, "--format", "junit")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var w *os.File
	for err := error(unix.ENXIO); err != nil; runtime.Gosched() { // until it reads, which is after it listens to signals
		w, err = os.OpenFile(fifo, os.O_WRONLY|unix.O_NONBLOCK, 0)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := end(t, cmd); code != exitInterrupted || !bytes.Contains(stdout.Bytes(), []byte("interrupted")) {
		t.Errorf("exit status %d, want %d, and why in\n%s", code, exitInterrupted, &stdout)
	}
	w.Close()
}
