package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/lockbench/lockbench/internal/filelock"
)

// One open file has the lock, until it is closed; others may read and write.
func TestTryLock(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	open := func() *os.File {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	first, second := open(), open()
	switch err := filelock.TryLock(first); {
	case errors.Is(err, errors.ErrUnsupported):
		t.Skip("no locks on this system")
	case err != nil:
		t.Fatal(err)
	}
	if err := filelock.TryLock(second); !errors.Is(err, filelock.ErrLocked) {
		t.Errorf("TryLock of a locked file = %v, want %v", err, filelock.ErrLocked)
	}
	if _, err := second.WriteString("text"); err != nil {
		t.Errorf("writing to a locked file: %v", err)
	}
	if got, err := os.ReadFile(name); string(got) != "text" || err != nil {
		t.Errorf("reading a locked file: %q, %v", got, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := filelock.TryLock(second); err != nil {
		t.Errorf("TryLock of a file whose lock was closed = %v", err)
	}
}
