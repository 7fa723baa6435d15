//go:build !linux

package measure

import (
	"errors"
	"os"
	"os/exec"
	"time"
)

func killable(cmd *exec.Cmd) { cmd.WaitDelay = 2 * time.Second }

func quit(*exec.Cmd) error { return errors.ErrUnsupported }

func cleanUp(*exec.Cmd) {}

func involuntary(*os.ProcessState) int64 { return 0 }

func runOn(cmd *exec.Cmd, _ []int, count bool) (instructions uint64, err error) {
	if count {
		return 0, errors.ErrUnsupported
	}
	return 0, cmd.Run()
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
