package primitives_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/lockbench/lockbench/primitives"
)

// On a machine with several nodes the kernel says which it is, and it has one of that
// number. On others no call is made.
func TestNode(t *testing.T) {
	defer primitives.ManyNodes(false)()
	if got := primitives.Node(); got != 0 {
		t.Errorf("one node: Node() = %d, want 0", got)
	}
	primitives.ManyNodes(true)
	got := primitives.Node()
	if _, err := os.Stat("/sys/devices/system/node"); err != nil {
		t.Skip("the kernel does not list nodes")
	}
	if _, err := os.Stat(fmt.Sprintf("/sys/devices/system/node/node%d", got)); err != nil {
		t.Errorf("Node() = %d: %v", got, err)
	}
	primitives.Pin() // it does not block
	primitives.Node()
	primitives.Unpin()
}

func TestSeveralNodes(t *testing.T) {
	name := filepath.Join(t.TempDir(), "online")
	if primitives.SeveralIn(name) {
		t.Error("without the file: several nodes, want one")
	}
	for list, want := range map[string]bool{"0\n": false, "3\n": false, "0-1\n": true, "0,2\n": true, "0-3,8-11\n": true, "": false} {
		if err := os.WriteFile(name, []byte(list), 0o666); err != nil {
			t.Fatal(err)
		}
		if got := primitives.SeveralIn(name); got != want {
			t.Errorf("%q: several nodes: %t, want %t", list, got, want)
		}
	}
}
