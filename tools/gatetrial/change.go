package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/lockbench/lockbench/internal/atomicfile"
)

// changesFile says what can be made slower; gatetrial size writes the sizes.
const changesFile = "tools/gatetrial/changes.toml"

// A change makes one function of a module slower: it does some work more, a chain of
// additions that nothing uses, before all else.
type change struct {
	Module   string   `toml:"module"`
	Name     string   `toml:"name"`
	File     string   `toml:"file"`
	Function string   `toml:"function"` // as it begins, up to the brace
	Seed     string   `toml:"seed"`     // where the chain starts: an expression that no compiler knows the value of
	Target   string   `toml:"target"`   // the benchmark that becomes slower by the size
	Also     []string `toml:"also"`     // others that it makes slower, by something else
	Sizes    []size   `toml:"size"`
}

// A size is how much slower a change makes its benchmarks, as measured at length.
type size struct {
	Share   float64   `toml:"share"` // that was aimed at: 0.05 or 0.1
	Work    int       `toml:"work"`  // additions of the chain
	Command string    `toml:"command"`
	Date    time.Time `toml:"date"`
	Load    string    `toml:"load"`  // of the machine meanwhile
	Of      sizeOf    `toml:"of"`    // of the work: against the same binaries with no work
	Start   sizeOf    `toml:"start"` // of the loop without work, against the original: mostly what layout does
}

// A sizeOf is what was measured of the target, and its 95 % interval.
type sizeOf struct {
	Benchmark string  `toml:"benchmark"`
	Change    float64 `toml:"change"`
	Lo        float64 `toml:"lo"`
	Hi        float64 `toml:"hi"`
	Binaries  int     `toml:"binaries"` // pairs of them
	Pairs     int     `toml:"pairs"`    // of processes
}

// readChanges returns all changes.
func readChanges(name string) ([]change, error) {
	var file struct {
		Change []change `toml:"change"`
	}
	md, err := toml.DecodeFile(name, &file)
	if err != nil {
		return nil, err
	}
	if unknown := md.Undecoded(); len(unknown) > 0 {
		return nil, fmt.Errorf("%s: unknown key %v", name, unknown[0])
	}
	for _, c := range file.Change {
		if _, err := find(c.Module); err != nil {
			return nil, fmt.Errorf("%s: change %s: %w", name, c.Name, err)
		}
	}
	return file.Change, nil
}

// writeChanges replaces the file.
func writeChanges(name string, changes []change) error {
	var b bytes.Buffer
	b.WriteString("# What gatetrial makes slower. By hand, except for the sizes: go run ./tools/gatetrial size measures those.\n\n")
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(map[string][]change{"change": changes}); err != nil {
		return err
	}
	return atomicfile.Write(name, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

// apply puts so much work into the module's source in dir.
func (c change) apply(dir string, work int) error {
	name := filepath.Join(dir, c.File)
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	function := strings.TrimPrefix(c.Function, "\n") + "\n"
	if n := strings.Count(string(source), function); n != 1 {
		return fmt.Errorf("change %s of %s: want %q once in %s, have it %d times", c.Name, c.Module, c.Function, c.File, n)
	}
	pkg, err := packageName(filepath.Dir(name))
	if err != nil {
		return err
	}
	amount := fmt.Sprintf("package %s\n\nvar gatetrialWork = %d\n", pkg, work)
	if err := os.WriteFile(filepath.Join(filepath.Dir(name), "gatetrial_work.go"), []byte(amount), 0o666); err != nil {
		return err
	}
	// That x ends up as 0 cannot be known, so all of it is done.
	more := fmt.Sprintf("\tfor i, x := 0, uint64(%s); i < gatetrialWork; i++ {\n\t\tif x = 3*x + 1; x == 0 {\n\t\t\tpanic(\"gatetrial\")\n\t\t}\n\t}\n", c.Seed)
	return os.WriteFile(name, []byte(strings.Replace(string(source), function, function+more, 1)), 0o666)
}

// sized returns the size for the share, and whether it was measured.
func (c change) sized(share float64) (size, bool) {
	i := slices.IndexFunc(c.Sizes, func(s size) bool { return s.Share == share })
	if i < 0 {
		return size{}, false
	}
	return c.Sizes[i], true
}
