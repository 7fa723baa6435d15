package locktest_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// go vet reports the copy of any lock, and of the types that locks are made of.
func TestVetNotesCopies(t *testing.T) {
	const file = "testdata/copies/copies.go"
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// It exits with 1, because there is something to report.
	out, _ := exec.Command("go", "vet", "-copylocks", "./testdata/copies").CombinedOutput()
	n := 0
	for line := range strings.Lines(string(source)) {
		n++
		if !strings.HasSuffix(line, "// copy\n") {
			continue
		}
		if note := fmt.Sprintf("%s:%d:", file, n); !strings.Contains(string(out), note) {
			t.Errorf("go vet reports nothing about %s%s", note, strings.TrimSuffix(line, "// copy\n"))
		}
	}
	if n == 0 || t.Failed() {
		t.Logf("go vet printed:\n%s", out)
	}
}
