package measure

import (
	"context"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// On a machine without a counter of instructions, time is counted in the same way: that
// of a child from its exec on, with all its threads.
func TestCounter(t *testing.T) {
	defer func(e event) { countInstructions = e }(countInstructions)
	countInstructions = event{unix.PERF_TYPE_SOFTWARE, unix.PERF_COUNT_SW_TASK_CLOCK}
	if err := canCount(); err != nil {
		t.Skip(err)
	}
	cmd := exec.CommandContext(context.Background(), os.Args[0], "-test.run=^TestSpin$")
	cmd.Env = append(os.Environ(), "ABRUN_SPIN=1")
	killable(cmd)
	ns, err := runOn(cmd, []int{usable()[0]}, true, func() {})
	if err != nil {
		t.Fatal(err)
	}
	user := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	t.Logf("counted %d ns, used %v", ns, user)
	if float64(ns) < 0.5*float64(user) || float64(ns) > 2*float64(user) {
		t.Errorf("counted %d ns of a child that used %v", ns, user)
	}
}

// TestSpin is the child of TestCounter: it works on several threads.
func TestSpin(t *testing.T) {
	if os.Getenv("ABRUN_SPIN") == "" {
		t.Skip("for TestCounter")
	}
	done := make(chan int)
	for range 4 {
		go func() {
			n := 0
			for i := range 100_000_000 {
				n += i
			}
			done <- n
		}()
	}
	for range 4 {
		<-done
	}
}
