//go:build !unix

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

func stop(*exec.Cmd) error { return errors.ErrUnsupported }

func goOn(*exec.Cmd) error { return errors.ErrUnsupported }

func involuntary(*os.ProcessState) int64 { return 0 }
