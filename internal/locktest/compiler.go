package locktest

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// Inlines checks that the compiler inlines each of the named functions of the package
// in the current directory, written as the compiler writes them: "(*TTAS).Lock". A fast
// path that no longer inlines is slower by a call, and no other test would notice.
func Inlines(t *testing.T, functions ...string) {
	t.Helper()
	WantsIntrinsics(t)
	out, err := exec.Command("go", "build", "-gcflags=-m", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, f := range functions {
		if !strings.Contains(string(out), "can inline "+f+"\n") {
			t.Errorf("%s does not inline; ask the compiler why: go build -gcflags=-m=2 . 2>&1 | grep 'cannot inline %s'", f, f)
		}
	}
}

// WantsIntrinsics skips t where the compiler makes calls and not instructions of atomic
// operations, so that other functions inline.
func WantsIntrinsics(t *testing.T) {
	t.Helper()
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skipf("what is an instruction and what a call is known for amd64 and arm64, not %s", runtime.GOARCH)
	}
}
