// Package filelock keeps two processes from using one file at the same time.
package filelock

import (
	"errors"
	"os"
)

// ErrLocked says that another open file has the lock.
var ErrLocked = errors.New("locked by another process")

// TryLock locks f until it is closed, which the end of the process does, however
// it ends. It does not wait: the error is [ErrLocked] if another open file of the
// same name has the lock, and [errors.ErrUnsupported] if there are no such locks
// on this system or this file system.
//
// The lock keeps no process from reading or writing: it is for those that ask.
func TryLock(f *os.File) error { return tryLock(f) }
