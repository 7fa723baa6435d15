//go:build !linux

package measure

import (
	"errors"
	"os/exec"
	"syscall"
)

func dieWithUs(*syscall.SysProcAttr) {}

func usable() []int { return nil }

func runOn(cmd *exec.Cmd, _ []int, count bool, started func()) (instructions uint64, err error) {
	if count {
		return 0, errors.ErrUnsupported
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	started()
	return 0, cmd.Wait()
}

func canPin(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	return errors.New("not possible on this system")
}

func onCPU(_ int, f func()) error { f(); return nil }

func hold(string) (release func(), err error) { return func() {}, nil }

func sweep() {}
