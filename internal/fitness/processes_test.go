package fitness

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

// What each process used in between is known, also of one that began meanwhile, and of
// one whose name looks like the fields after it or changes, as those of the kernel do.
func TestProcesses(t *testing.T) {
	stat := func(name string, user, kernel int) string {
		return fmt.Sprintf("1 (%s) S 1 1 1 0 -1 4194560 1 2 3 4 %d %d 0 0 20 0 1 0 5\n", name, user, kernel)
	}
	own := fmt.Sprintf("proc/%d/stat", os.Getpid())
	before := running(files(map[string]string{
		"proc/11/stat":   stat("compile", 100, 50),
		"proc/12/stat":   stat("idle", 7, 7),
		"proc/13/stat":   stat("a) S 9 9 (b", 10, 0),
		"proc/14/stat":   stat("old", 500, 0),
		"proc/15/stat":   stat("gone", 500, 0),
		"proc/20/stat":   stat("kworker/1:0-events", 900, 0),
		own:              stat("doctor", 0, 0),
		"proc/self/stat": stat("doctor", 0, 0),
	}))
	after := running(files(map[string]string{
		"proc/11/stat":   stat("compile", 250, 100), // 2 s
		"proc/12/stat":   stat("idle", 7, 7),
		"proc/13/stat":   stat("a) S 9 9 (b", 60, 50),                            // 1 s
		"proc/14/stat":   strings.Replace(stat("new", 40, 0), " 5\n", " 6\n", 1), // 0.4 s, by another process with its number
		"proc/20/stat":   stat("kworker/1:0-writeback", 950, 0),                  // 0.5 s
		"proc/16/stat":   stat("fresh", 0, 20),                                   // 0.2 s
		"proc/17/stat":   "",
		"proc/18/stat":   "18 (short) S 1\n",
		"proc/19/stat":   strings.Replace(stat("kworker/0:1", 0, 10), "4194560", "69238880", 1), // 0.1 s, by the kernel
		own:              stat("doctor", 100, 0),
		"proc/self/stat": stat("doctor", 100, 0),
	}))
	after.at = before.at.Add(2 * time.Second)
	want := []Process{{11, "compile", 1, false}, {13, "a) S 9 9 (b", 0.5, false}, {20, "kworker/1:0-writeback", 0.25, false}, {14, "new", 0.2, false}, {16, "fresh", 0.1, false}, {19, "kworker/0:1", 0.05, true}}
	if got := after.Since(before); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if nothing := running(files(nil)); nothing.Known() || !after.Known() {
		t.Errorf("known: %t without files and %t with, want false and true", nothing.Known(), after.Known())
	}
}

func TestTheseProcesses(t *testing.T) {
	if p := Running(); p.Known() != (runtime.GOOS == "linux") {
		t.Errorf("on %s, processes are known: %t", runtime.GOOS, p.Known())
	}
}
