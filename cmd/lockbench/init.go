package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"text/template"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/ownlock"
)

type initCmd struct {
	Dir string `complete:"dirs" arg:"" optional:"" default:"." help:"Directory of the package (the current one)."`
}

// testFile is the name of the file that init writes.
const testFile = "lockbench_test.go"

func (c *initCmd) Run(con commandline.Console) error {
	name := filepath.Join(c.Dir, testFile)
	if _, err := os.Lstat(name); err == nil {
		return commandline.Problems{fmt.Errorf("%s: exists: want a package without it", name)}
	}
	pkg, err := ownlock.Look(context.Background(), c.Dir)
	if err != nil {
		return commandline.Problems{fmt.Errorf("init %s: %w", c.Dir, err)}
	}
	var b bytes.Buffer
	if err := testTemplate.Execute(&b, pkg); err != nil {
		return err
	}
	text, err := format.Source(b.Bytes())
	if err != nil {
		return err
	}
	if err := createWhole(name, text); err != nil {
		return err
	}
	fmt.Fprintln(con.Out, name)
	for _, line := range pkg.Require {
		fmt.Fprintf(con.Out, "\t%s\n", line)
	}
	fmt.Fprintf(con.Out, "\tgo test -run Lockbench %s\n", pkg.Path)
	_, err = fmt.Fprintf(con.Out, "\tgo test -run '^$' -bench Lockbench -count 10 %s\n", pkg.Path)
	return err
}

// createWhole writes a new file completely or not at all. It is an error if the file
// exists.
func createWhole(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return commandline.Problems{err}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

var testTemplate = template.Must(template.New("").Parse(`package {{.Name}}

import (
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/harness"
)

// What is tested and measured here: the locks of this package, and one to compare
// them with.
var lockbenchSubjects = []harness.Subject{
{{range .Locks}}	{Name: "{{.Name}}", New: func() sync.Locker { return {{.Expr}} }},
{{end}}	{Name: "sync.Mutex", New: func() sync.Locker { return new(sync.Mutex) }},
}

// Each lock excludes: alone, with holders that dawdle, while it is measured, and
// under torture.
func TestLockbench(t *testing.T) {
	for _, subject := range lockbenchSubjects {
		t.Run(subject.Name, func(t *testing.T) {
			for _, reads := range []int{0, 50} {
				s := harness.Scenario{Subject: subject, CPUs: 2, Workers: 4, Reads: reads, Duration: 10 * time.Millisecond}
				if _, err := harness.Run(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := (harness.Torture{Duration: 300 * time.Millisecond, Seed: 1}).RunLock(t.Context(), subject); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// One worker, and one for each CPU, with 100 ns of work between two critical
// sections.
func BenchmarkLockbench(b *testing.B) {
	for _, workers := range slices.Compact([]int{1, runtime.NumCPU()}) {
		for _, subject := range lockbenchSubjects {
			s := harness.Scenario{Subject: subject, Workers: workers, Think: 100 * time.Nanosecond}
			b.Run(s.Cell().Params(), func(b *testing.B) { harness.Bench(b, s) })
		}
	}
}
`))
