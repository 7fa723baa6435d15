//go:build !unix

package ownlock

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// Become runs p with args instead of this program, which waits for it, and ends with
// its exit code. An interrupt goes to both, and p handles it. It returns only if it
// fails.
func (p Program) Become(args []string) error {
	signal.Ignore(os.Interrupt)
	cmd := exec.Command(p.File, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	exit := (*exec.ExitError)(nil)
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	if err := p.Remove(); err != nil {
		return err
	}
	os.Exit(cmd.ProcessState.ExitCode())
	return nil
}
