//go:build unix

package ownlock

import (
	"os"
	"syscall"
)

// Become runs p with args instead of this program, in the same process: so signals, the
// terminal and the exit code are p's. It returns only if it fails.
func (p Program) Become(args []string) error {
	env := append(os.Environ(), tempVar+"="+p.dir)
	err := syscall.Exec(p.File, append([]string{"lockbench"}, args...), env)
	return &os.PathError{Op: "exec", Path: p.File, Err: err}
}
