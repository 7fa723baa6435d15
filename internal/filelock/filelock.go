// Package filelock keeps two processes from using one file at the same time.
package filelock

import (
	"errors"
	"os"
)

// ErrLocked says that another open file has the lock.
var ErrLocked = errors.New("locked by another process")

// TryLock locks f until it is closed, at the latest when the process ends in any way.
// It does not wait: the error is [ErrLocked] if another open file of the same name has
// the lock, and [errors.ErrUnsupported] if there are no such locks on this system or
// this file system.
//
// The lock does not keep a process from reading or writing: it is advisory.
func TryLock(f *os.File) error { return tryLock(f) }
