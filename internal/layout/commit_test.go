package layout_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The hook passes what CONTRIBUTING wants of a commit's message, and says of all else
// what is wrong with it.
func TestCommitMessages(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	for _, test := range []struct{ message, want string }{
		{"ticket: serve waiters in arrival order\n", ""},
		{"rcu/list: add Splice\n\nWhy.\n", ""},
		{"ci: `go vet` once\n# Changes to be committed:\n#	Everything.\n", ""},
		{"Merge branch 'x'\n", ""},
		{"fixup! ticket: serve\n", ""},
		{"ticket: serve\ndiff --git a/x b/x\nOf commit -v.\n", ""},
		{"Ticket: serve\n", "want one package"},
		{"ticket, mcs: serve\n", "want one package"},
		{"ticket: Serve\n", "want one package"},
		{"serve waiters in arrival order\n", "want one package"},
		{"", "want one package"},
		{"ticket: serve.\n", "full stop"},
		{"ticket: serve\nWhy.\n", "empty line"},
		{"ticket: serve " + strings.Repeat("é", 58) + "\n", ""},
		{"ticket: serve " + strings.Repeat("é", 59) + "\n", "72 columns"},
	} {
		file := filepath.Join(t.TempDir(), "message")
		if err := os.WriteFile(file, []byte(test.message), 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(sh, "../../.githooks/commit-msg", file)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		out, err := cmd.CombinedOutput()
		if (err == nil) != (test.want == "") || !strings.Contains(string(out), test.want) {
			t.Errorf("%q: %v, want %q in\n%s", test.message, err, test.want, out)
		}
	}
}
