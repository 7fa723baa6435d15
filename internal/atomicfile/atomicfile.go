// Package atomicfile writes files completely or not at all: if the process is killed, or
// the disk is full, the file is as it was before.
package atomicfile

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Write makes the output of write the contents of the file name, readable by all. If
// there is an error the file is as it was before, and the error names it.
func Write(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".lockbench-*") // in that directory, because a rename cannot cross file systems
	if err != nil {
		if at := (*fs.PathError)(nil); errors.As(err, &at) {
			at.Path = name
		}
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		os.Remove(f.Name())
		if at := (*fs.PathError)(nil); errors.As(err, &at) && at.Path == f.Name() {
			at.Path = name
		}
	}()
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	// CreateTemp makes a file for its owner only. Without Sync the name can be on
	// the disk before the contents are.
	if err := cmp.Or(f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
