//go:build unix

package main

import (
	"os"
	"syscall"
)

// stop stops a process, and goOn lets it go on.
func stop(p *os.Process) error { return p.Signal(syscall.SIGSTOP) }
func goOn(p *os.Process) error { return p.Signal(syscall.SIGCONT) }
