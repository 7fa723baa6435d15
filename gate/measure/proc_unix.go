//go:build unix

package measure

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// killable makes a command end, with all that it started, when its context is done; on
// Linux the command itself also ends when this process does.
func killable(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithUs(cmd.SysProcAttr)
	cmd.Cancel = func() error { return signal(cmd, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
}

// quit makes a Go program print what its goroutines do, and end. A stopped program
// continues to do so.
func quit(cmd *exec.Cmd) error {
	return errors.Join(cmd.Process.Signal(syscall.SIGQUIT), goOn(cmd))
}

// cleanUp kills what a command that has ended started and left behind.
func cleanUp(cmd *exec.Cmd) {
	if cmd.Process != nil {
		signal(cmd, syscall.SIGKILL)
	}
}

// stop stops a command, with all that it started, until goOn.
func stop(cmd *exec.Cmd) error { return signal(cmd, syscall.SIGSTOP) }

func goOn(cmd *exec.Cmd) error { return signal(cmd, syscall.SIGCONT) }

// signal sends sig to the command's process group.
func signal(cmd *exec.Cmd, sig syscall.Signal) error {
	err := syscall.Kill(-cmd.Process.Pid, sig)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// involuntary returns how often a process that has ended lost its CPU.
func involuntary(p *os.ProcessState) int64 {
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Nivcsw) // it has 32 bits on some machines
	}
	return 0
}
