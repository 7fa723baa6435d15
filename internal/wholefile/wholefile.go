// Package wholefile writes files that are there whole, or as they were: a process
// that is killed, or a disk that is full, leaves no half of one.
package wholefile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// Write makes what write writes the contents of the file name, which anybody may
// read. If there is an error the file is as it was before.
func Write(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".lockbench-*") // there, for a rename cannot cross file systems
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	// CreateTemp makes a file for its owner only. Without Sync the name can be on
	// the disk before the contents are.
	if err := errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
