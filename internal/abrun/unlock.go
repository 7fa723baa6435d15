package abrun

import (
	"io/fs"
	"os"
	"path/filepath"
)

// unlock makes the directories below dir writable.
func unlock(dir string) {
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() && err == nil {
			if info, err := d.Info(); err == nil && info.Mode().Perm()&0o700 != 0o700 {
				os.Chmod(path, 0o700)
			}
		}
		return nil
	})
}
