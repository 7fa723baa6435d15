package atomicfile_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/atomicfile"
)

// text returns a function for Write that writes s, and then fails with err.
func text(s string, err error) func(io.Writer) error {
	return func(w io.Writer) error {
		_, failed := io.WriteString(w, s)
		return errors.Join(failed, err)
	}
}

// A file has what was last written without an error, and no temporary file is left.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "file")
	full := errors.New("full")
	for _, step := range []struct {
		write string
		err   error
		want  string
	}{{"one", nil, "one"}, {"two", nil, "two"}, {"thr", full, "two"}} {
		if err := atomicfile.Write(name, text(step.write, step.err)); !errors.Is(err, step.err) {
			t.Errorf("writing %q: %v, want %v", step.write, err, step.err)
		}
		if got, err := os.ReadFile(name); string(got) != step.want {
			t.Errorf("after %q the file has %q (%v), want %q", step.write, got, err, step.want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the directory has %v (%v), want the file alone", entries, err)
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm()&0o444 != 0o444 {
		t.Errorf("the file is %v (%v), want one that all can read", info.Mode(), err)
	}
	missing := filepath.Join(dir, "missing", "file")
	if err := atomicfile.Write(missing, text("", nil)); !errors.Is(err, os.ErrNotExist) || !strings.HasPrefix(err.Error(), "open "+missing+": ") {
		t.Errorf("in a directory that is missing: %v, want %v of that file", err, os.ErrNotExist)
	}

	// The file that is named is the one that the user knows.
	late := func(w io.Writer) error {
		err := w.(io.Closer).Close()
		_, failed := io.WriteString(w, "late")
		return errors.Join(err, failed)
	}
	if err := atomicfile.Write(name, late); err == nil || !strings.HasPrefix(err.Error(), "write "+name+": ") {
		t.Errorf("a file that cannot be written: %v, want write %s: …", err, name)
	}
	other := &fs.PathError{Op: "read", Path: "other", Err: full}
	if err := atomicfile.Write(name, text("", other)); err == nil || err.Error() != other.Error() || other.Path != "other" {
		t.Errorf("a file that cannot be read: %v, want %v", err, "read other: full")
	}
}
