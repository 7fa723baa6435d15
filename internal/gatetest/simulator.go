package gatetest

import (
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// simulator is a module with a cmd/locksim that counts what its locks say that they take.
// Its files end in .txt, so that the go command does not take them for ours.
//
//go:embed simulator
var simulator embed.FS

// WriteSimulator writes a module into dir that stands for this one in tests of lockbench
// gate --sim: it has a cmd/locksim, and locks that take as many lines an operation as
// their constant Lines says. One of more than 1000 waits for a signal, one of less than 0
// fails, and one from 100 up varies by the seed. Its only machine is small.
func WriteSimulator(dir string) error {
	return fs.WalkDir(simulator, "simulator", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := simulator.ReadFile(name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, strings.TrimSuffix(strings.TrimPrefix(name, "simulator/"), ".txt"))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o644)
	})
}
