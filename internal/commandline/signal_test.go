package commandline_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/commandline"
)

// childOfSignals makes this test's binary wait for signals instead of testing.
const childOfSignals = "LOCKBENCH_TEST_WAITS_FOR_SIGNALS"

// The first signal ends the context, the second one the process.
func TestUntilSignal(t *testing.T) {
	if os.Getenv(childOfSignals) != "" {
		ctx, restore := commandline.UntilSignal()
		defer restore()
		fmt.Println("ready")
		<-ctx.Done()
		for {
			fmt.Println("cancelled") // until the second signal, or a closed pipe
		}
	}
	if runtime.GOOS == "windows" {
		t.Skip("no process can signal another here")
	}
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if signal.Ignored(s) { // as of a job that a shell put into the background
			t.Logf("%v is ignored", s)
			continue
		}
		child := exec.Command(os.Args[0], "-test.run=^TestUntilSignal$", "-test.v=false")
		child.Env = append(os.Environ(), childOfSignals+"=1")
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for _, want := range []string{"ready", "cancelled"} {
			if !lines.Scan() || lines.Text() != want {
				t.Errorf("%v: line %q, want %q", s, lines.Text(), want)
			}
			child.Process.Signal(s)
		}
		// Again, in case that the default was not yet back, but one at a time: the runtime
		// of a process that dies of a signal takes further ones on the same small stack,
		// and thousands of them overflow it.
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for lines.Scan() {
			}
		}()
		for n := 0; ; n++ {
			select {
			case <-ended:
			case <-time.After(100 * time.Millisecond):
				if n < 100 {
					child.Process.Signal(s)
					continue
				}
				t.Errorf("%v: another one does not end the process", s)
				child.Process.Kill()
				<-ended
			}
			break
		}
		child.Wait()
		if how := child.ProcessState.String(); how != "signal: "+s.String() {
			t.Errorf("%v twice: %s", s, how)
		}
	}
}
