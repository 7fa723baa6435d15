package measure

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/filelock"
)

// dieWithUs makes a command end when the thread that starts it does.
func dieWithUs(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// usable returns the CPUs that this process may use.
func usable() []int {
	var all unix.CPUSet
	if unix.SchedGetaffinity(0, &all) != nil {
		return nil
	}
	var cpus []int
	for cpu := 0; len(cpus) < all.Count(); cpu++ {
		if all.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// runOn runs a command on some CPUs, or any if pin is empty, and counts its
// instructions if count is set. It calls started when the command has started.
//
// Both are set for the calling thread, and the child inherits them. The thread must
// also outlive the child, which is killed when the thread ends.
func runOn(cmd *exec.Cmd, pin []int, count bool, started func()) (instructions uint64, err error) {
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
	started()
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
	if unix.SchedSetaffinity(0, &all) == nil { // otherwise the thread must not be used again
		runtime.UnlockOSThread()
	}
	return nil
}

// hold locks one of the gate's directories until release is called or the process ends.
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
	// The file gets the name that other processes look for only now.
	if err := os.Rename(f.Name(), name); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

// sweep removes what killed processes have left behind: directories of gates that no
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
