package measure

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/filelock"
)

// killable makes a command end, with all that it started, when its context is
// done; and the command itself when we die.
func killable(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return signal(cmd, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
}

// quit makes a Go program say what its goroutines do, and end.
func quit(cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGQUIT) }

// cleanUp kills what a command that has ended started and left behind.
func cleanUp(cmd *exec.Cmd) {
	if cmd.Process != nil {
		signal(cmd, syscall.SIGKILL)
	}
}

// signal sends sig to the command's process group.
func signal(cmd *exec.Cmd, sig syscall.Signal) error {
	err := syscall.Kill(-cmd.Process.Pid, sig)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}

// involuntary returns how often a process that has ended lost its CPU.
func involuntary(p *os.ProcessState) int64 {
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Nivcsw) // it has 32 bits on some machines
	}
	return 0
}

// runOn runs a command on some CPUs, or any if there are none, and counts its
// instructions.
//
// Both are done to the calling thread, whose child inherits them. The thread
// has to outlive the child besides: it is the thread whose death kills it.
func runOn(cmd *exec.Cmd, pin []int, count bool) (instructions uint64, err error) {
	runtime.LockOSThread()
	unlock := true
	defer func() {
		if unlock {
			runtime.UnlockOSThread()
		}
	}()
	var c *counter
	if count {
		if c, err = newCounter(countInstructions); err != nil {
			return 0, err
		}
		defer c.close()
	}
	if len(pin) == 0 {
		err = cmd.Start()
	} else {
		var all unix.CPUSet
		if err := unix.SchedGetaffinity(0, &all); err != nil {
			return 0, fmt.Errorf("reading the thread's CPUs: %w", err)
		}
		if err := unix.SchedSetaffinity(0, cpuSet(pin)); err != nil {
			return 0, fmt.Errorf("pinning to CPUs %v: %w", pin, err)
		}
		err = cmd.Start()
		if unix.SchedSetaffinity(0, &all) != nil {
			unlock = false // the thread must not be used again
		}
	}
	if err != nil {
		return 0, err
	}
	if err := cmd.Wait(); err != nil {
		return 0, err
	}
	if c == nil {
		return 0, nil
	}
	return c.read()
}

func cpuSet(cpus []int) *unix.CPUSet {
	set := new(unix.CPUSet)
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	return set
}

// canPin returns an error unless this process may use all the CPUs.
func canPin(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	var wrong error
	for _, cpu := range cpus {
		if !all.IsSet(cpu) {
			wrong = errors.Join(wrong, fmt.Errorf("no CPU %d for this process", cpu))
		}
	}
	return wrong
}

// onCPU calls f on one CPU.
func onCPU(cpu int, f func()) error {
	runtime.LockOSThread()
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	if err := unix.SchedSetaffinity(0, cpuSet([]int{cpu})); err != nil {
		runtime.UnlockOSThread()
		return err
	}
	f()
	if unix.SchedSetaffinity(0, &all) == nil { // else the thread must not be used again
		runtime.UnlockOSThread()
	}
	return nil
}

// hold locks a directory of ours for as long as this process lives, or until
// release is called.
func hold(dir string) (release func(), err error) {
	name := filepath.Join(dir, "lock")
	f, err := os.Create(name + ".new")
	if err != nil {
		return nil, err
	}
	if err := filelock.TryLock(f); err != nil {
		f.Close()
		return nil, err
	}
	// Only now does the file have the name that other processes look for.
	if err := os.Rename(f.Name(), name); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// sweep removes what killed processes have left behind: directories of ours that no
// process holds.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() {
			continue
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); !ok || int(stat.Uid) != os.Getuid() {
			continue
		}
		f, err := os.Open(filepath.Join(dir, "lock"))
		if err != nil {
			continue
		}
		if filelock.TryLock(f) == nil {
			removeAll(dir)
		}
		f.Close()
	}
}
